"""Coming to the real daemon and going again; the texts are exact, because users and programs know them."""

from __future__ import annotations

import re

from blackbox.daemon import Daemon, Peer
from blackbox.transcripts.texts import IN_USE


def test_who_says_nothing_is_greeted_and_told_what_to_type(daemon: Daemon) -> None:
    """The first line tells the guest's name, the second what to do with it."""
    someone = daemon.connect()
    lines = someone.greeted()
    assert re.fullmatch(r"guest-[0-9a-z]{4}", someone.name)
    assert len(lines) == 1
    assert all(word in lines[0] for word in ("/name", "/join", "/help"))
    someone.nothing_more()


def test_a_room_sees_a_guest_become_somebody(daemon: Daemon) -> None:
    """The one who is renamed is told in one way, the room in another; both know the new name from then on."""
    al = daemon.person("al", "lobby")
    guest = daemon.connect()
    guest.greeted()
    guest.ask("/join lobby", "Welcome to room lobby!", f"Current users: al, {guest.name}")
    al.expect(f"{guest.name} has joined the room.")
    guest.ask("/name bob", "You are now bob.")
    al.expect(f"{guest.name} is now known as bob.")
    guest.ask("hi", "bob: hi")
    al.expect("bob: hi")
    guest.ask("/name bert", "You are now bert.")
    al.expect("bob is now known as bert.")


def test_a_name_or_its_like_is_one_persons(daemon: Daemon) -> None:
    """Another case or a look-alike is the same name; its holder, and the room, hear nothing of the attempt."""
    bob = daemon.person("bob", "lobby")
    al = daemon.person("al", "lobby")
    bob.expect("al has joined the room.")
    for name in ("bob", "BOB", "b0b"):
        al.ask(f"/name {name}", IN_USE)
    al.ask("still al", "al: still al")
    bob.expect("al: still al")


def test_a_name_is_free_again_when_its_holder_goes(daemon: Daemon) -> None:
    """By /quit or abruptly; and when the holder has taken another."""
    al = daemon.person("al", "lobby")
    for leave in (lambda peer: peer.say("/quit"), Peer.reset, Peer.close, lambda peer: peer.say("/name carl")):
        bob = daemon.person("bob", "lobby")
        al.expect("bob has joined the room.")
        leave(bob)
        al.until(lambda line: line in ("bob has disconnected.", "bob is now known as carl."))
    al.ask("/name bob", "You are now bob.")


def test_the_room_is_told_when_a_connection_ends_however_it_does(daemon: Daemon) -> None:
    """With the same words."""
    al = daemon.person("al", "lobby")
    for end in (Peer.close, Peer.reset, Peer.half_close, lambda peer: peer.say("/quit")):
        bob = daemon.person("bob", "lobby")
        al.expect("bob has joined the room.")
        end(bob)
        al.expect("bob has disconnected.")
    al.nothing_more()


def test_current_users_are_in_the_order_of_joining(daemon: Daemon) -> None:
    """Not in that of connecting or of the alphabet; the joiner is the last."""
    zoe, al, mia = (daemon.person(name) for name in ("zoe", "al", "mia"))
    mia.ask("/join lobby", "Welcome to room lobby!", "Current users: mia")
    zoe.ask("/join lobby", "Welcome to room lobby!", "Current users: mia, zoe")
    al.ask("/join lobby", "Welcome to room lobby!", "Current users: mia, zoe, al")
    mia.expect("zoe has joined the room.", "al has joined the room.")
    mia.ask("/leave", "You have left room lobby.")
    mia.ask("/join lobby", "Welcome to room lobby!", "Current users: zoe, al, mia")


def test_joining_another_room_leaves_the_first(daemon: Daemon) -> None:
    """Those left behind are told, and hear no more."""
    al = daemon.person("al", "lobby")
    bob = daemon.person("bob", "lobby")
    al.expect("bob has joined the room.")
    bob.ask("/join den", "You have left room lobby.", "Welcome to room den!", "Current users: bob")
    al.expect("bob has left the room.")
    bob.ask("alone", "bob: alone")
    al.nothing_more()
    bob.ask("/join den", "Error: you are already in room den.")


def test_lines_in_one_packet_are_done_one_after_the_other(daemon: Daemon) -> None:
    """Also those that move: what is said after a join is said in that room."""
    someone = daemon.connect()
    someone.say("/name al", "/join lobby", "hello", "/join den", "there", "/quit", "not heard")
    someone.greeted()
    someone.expect("You are now al.", "Welcome to room lobby!", "Current users: al", "al: hello")
    someone.expect("You have left room lobby.", "Welcome to room den!", "Current users: al", "al: there", "Goodbye!")
    someone.eof()


def test_whoever_stops_sending_is_answered_before_the_end(daemon: Daemon) -> None:
    """The tail without a line end is a line."""
    al = daemon.person("al", "lobby")
    al.send(b"one\r\ntwo")
    al.half_close()
    al.expect("al: one", "al: two")
    al.eof()


def test_each_kind_of_line_end_ends_a_line(daemon: Daemon) -> None:
    """LF, CR LF and telnet's CR NUL."""
    al = daemon.person("al", "lobby")
    for end in (b"\n", b"\r\n", b"\r\0"):
        al.send(b"one" + end + b"two" + end + b"\n")
        al.expect("al: one", "al: two")
        al.nothing_more()
