"""A program in three rooms, and people in one each: on the real daemon, also across a kill -9."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blackbox.daemon import Daemon, Peer
from blackbox.transcripts.texts import said

ROOMS = ("one", "two", "three")


def in_all(daemon: Daemon, name: str) -> tuple[Peer, str]:
    """Return a program that is in all three rooms, and the secret to come back with."""
    peer = daemon.connect()
    peer.record(do="hello", version=1, name=name)
    welcome = peer.event(event="welcome", you=name)
    assert welcome["limits"]["rooms"] == 20
    for room in ROOMS:
        peer.record(do="join", room=room, stay=True)
        peer.event(event="entered", room=room, complete=True)
    peer.name = name
    return peer, welcome["resume"]


def test_a_program_in_three_rooms_and_people_in_one_each(daemon: Daemon) -> None:
    """Each hears the rooms that it is in; a person who joins another room leaves the first."""
    pam, _ = in_all(daemon, "pam")
    tom = daemon.person("tom")
    tom.ask("/join two", "Welcome to room two!", "Current users: pam, tom")
    pam.event(event="joined", room="two", by="tom")
    pam.record(do="say", room="two", text="hello two")
    tom.expect("pam: hello two")
    pam.event(**said("hello two", room="two"))
    pam.record(do="say", room="one", text="hello one")
    pam.event(**said("hello one", room="one"))
    tom.ask("/who", "Users online (2):", "  pam  in one and two and three", "  tom  in two")
    tom.say("JOIN_ROOM one")
    tom.expect("You have left room two.", "Welcome to room one!", "Current users: pam, tom")
    pam.event(event="left", room="two", by="tom")
    pam.event(event="joined", room="one", by="tom")
    tom.expect_dated("pam: hello one")
    pam.record(do="name", name="pim", ref=1)
    pam.event(event="renamed", by="pam", name="pim", re=1)
    tom.expect("pam is now known as pim.")
    pam.no_more_events()
    pam.close()
    tom.expect("pim has disconnected.")


def test_refusals_of_a_program_in_three_rooms(daemon: Daemon) -> None:
    """It must say which room it means; a room that it is not in is no answer."""
    pam, _ = in_all(daemon, "pam")
    pam.record(do="say", text="?", ref=1)
    why = "you are in several rooms (one, two, three); say which one you mean."
    pam.event(event="error", re=1, code="which-room", text=why)
    pam.record(do="say", text="?", room="four", ref=2)
    why = "you are not in room four; join it with /join four."
    pam.event(event="error", re=2, code="not-in-that-room", text=why)
    pam.no_more_events()


def test_a_kick_from_one_room_leaves_the_others(daemon: Daemon) -> None:
    """The others go on, and the room may be joined again."""
    olga = daemon.person("olga")
    olga.ask("/create two", "Room two created.", "Welcome to room two!", "Current users: olga")
    pam, _ = in_all(daemon, "pam")
    olga.expect("pam has joined the room.")
    olga.ask("/kick pam spam", "pam was kicked by olga: spam")
    pam.event(event="kicked", room="two", user="pam", by="olga")
    pam.record(do="say", text="still here", room="three")
    pam.event(**said("still here", room="three"))
    pam.record(do="say", text="?", room="two", ref=1)
    pam.event(event="error", re=1, code="not-in-that-room")
    pam.record(do="join", room="two", stay=True)
    pam.event(event="entered", room="two", users=["olga", "pam"])


def test_rooms_1_is_the_classic_rule(tmp_path: Path) -> None:
    """``stay`` keeps nothing then."""
    with Daemon(tmp_path, "--rooms", "1") as daemon:
        pam = daemon.connect()
        pam.record(do="hello", version=1, name="pam")
        assert pam.event(event="welcome")["limits"]["rooms"] == 1
        pam.record(do="join", room="one", stay=True)
        pam.event(event="entered", room="one")
        pam.record(do="join", room="two", stay=True)
        pam.event(event="left", room="one", by="pam")
        pam.event(event="entered", room="two")


def test_after_kill_9_each_room_is_resumed_from_its_own_seq(tmp_path: Path) -> None:
    """Nothing is lost or doubled in any of the three rooms."""
    seen: dict[str, int] = {}
    with Daemon(tmp_path, "--replay", "0") as daemon:
        pam, secret = in_all(daemon, "pam")
        for room in ROOMS:
            pam.record(do="say", room=room, text=f"seen in {room}")
            seen[room] = pam.event(**said(f"seen in {room}", room=room))["seq"]
        speakers = [daemon.person(f"p{room}", room) for room in ROOMS]
        for room, speaker in zip(ROOMS, speakers, strict=True):
            speaker.ask(f"missed in {room}", f"p{room}: missed in {room}")
        daemon.kill()
    with Daemon(tmp_path) as daemon:
        pam = daemon.connect()
        pam.record(do="hello", version=1, name="pam", resume=secret)
        pam.event(event="welcome", you="pam")
        for room in ROOMS:
            pam.record(do="join", room=room, stay=True, after=seen[room])
            pam.event(event="entered", room=room, complete=True)
            assert missed(pam, room) == [f"missed in {room}"]


def missed(peer: Peer, room: str) -> list[str]:
    """Return what was said in the room, as far as it was sent before the answer to a question that is asked now."""
    peer.record(do="pong", ref="marker")
    texts: list[str] = []
    while True:
        record: dict[str, Any] = peer.event()
        if record.get("re") == "marker":
            return texts
        assert record["room"] == room
        texts += [record["text"]] if record["event"] == "said" else []
