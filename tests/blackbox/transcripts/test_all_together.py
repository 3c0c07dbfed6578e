"""All four kinds in one room."""

from __future__ import annotations

from unittest.mock import ANY

from blackbox.daemon import Daemon, Peer
from blackbox.transcripts.texts import said


def four(daemon: Daemon) -> tuple[Peer, Peer, Peer, Peer]:
    """Return one of each kind in the lobby, each having heard the later ones come."""
    una = daemon.person("una")
    una.ask("CREATE_ROOM lobby", "Room lobby created.", "Welcome to room lobby!", "Current users: una")
    sue = daemon.person("sue")
    sue.ask("/join lobby", "Welcome to room lobby!", "Current users: una, sue")
    bea = daemon.person("bea")
    bea.ask("join lobby", "Welcome to room lobby!", "Current users: una, sue, bea")
    pam = daemon.program("pam")
    pam.record(do="join", room="lobby", ref=1)
    pam.event(event="entered", re=1, users=["una", "sue", "bea", "pam"])
    una.expect("sue has joined the room.", "bea has joined the room.", "pam has joined the room.")
    sue.expect("bea has joined the room.", "pam has joined the room.")
    bea.expect("pam has joined the room.")
    return una, sue, bea, pam


def test_four_who_speak_differently_hear_each_other(daemon: Daemon) -> None:
    """Whatever one says, in its own way, all hear in theirs."""
    una, sue, bea, pam = four(daemon)
    people = (una, sue, bea)
    for speaker, line, heard in (
        (una, "EXIT is a word", "EXIT is a word"),
        (sue, "/say hi", "hi"),
        (bea, "who", "who"),
    ):
        speaker.say(line)
        for person in people:
            person.expect(f"{speaker.name}: {heard}")
        pam.event(**said(heard, by=speaker.name))
    pam.record(do="say", text="beep 🤖", ref=2)
    for person in people:
        person.expect("pam: beep 🤖")
    pam.event(**said("beep 🤖"))
    sue.say("/me waves")
    for person in people:
        person.expect("* sue waves")
    pam.event(**said("waves", by="sue", event="acted"))
    pam.record(do="me", text="beeps")
    for person in people:
        person.expect("* pam beeps")
    pam.event(**said("beeps", event="acted"))


def test_four_who_speak_differently_see_each_other_change_and_go(daemon: Daemon) -> None:
    """New names, private words, leaving and the ends of connections."""
    una, sue, bea, pam = four(daemon)
    pam.record(do="name", name="pim", ref=1)
    pam.event(event="renamed", re=1, by="pam", name="pim")
    for person in (una, sue, bea):
        person.expect("pam is now known as pim.")
    sue.ask("/name sam", "You are now sam.")
    una.expect("sue is now known as sam.")
    bea.expect("sue is now known as sam.")
    pam.event(event="renamed", room="lobby", by="sue", name="sam", seq=ANY, at=ANY, id=ANY, by_id=ANY)
    sue.ask("/msg pim psst", "To pim (private): psst")
    pam.event(event="private", by="sam", to="pim", text="psst")
    pam.record(do="reply", text="psst", ref=2)
    pam.event(event="sent", re=2, to="sam")
    sue.expect("pim (private): psst")
    una.ask("LEAVE_ROOM", "You have left room lobby.")
    sue.expect("una has left the room.")
    bea.expect("una has left the room.")
    pam.event(event="left", room="lobby", by="una")
    bea.ask("leave", "You have left room lobby.")
    sue.expect("bea has left the room.")
    pam.event(event="left", by="bea")
    bea.ask("exit", "Goodbye!")
    sue.ask("/quit", "Goodbye!")
    pam.event(event="disconnected", room="lobby", by="sam")
    una.ask("JOIN_ROOM lobby", "Welcome to room lobby!", "Current users: pim, una")
    pam.event(event="joined", room="lobby", by="una")
    pam.record(do="quit", ref=3)
    pam.event(event="ok", re=3)
    pam.eof()
