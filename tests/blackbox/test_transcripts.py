"""What people and programs say to the real daemon and hear from it, line by line; the texts are those of WIRE."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import ANY

import pytest
from blackbox.daemon import Daemon, Peer

NO_ROOM = "Error: you are not in a room; join one with /join <room>."
IN_USE = "Error: username is already used; choose another with /name <name>."


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own, whose people are greeted as by any other."""
    with Daemon(tmp_path) as running:
        yield running


# ---- coming and going --------------------------------------------------------------------------------------------


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


# ---- the user of upper-case words ----------------------------------------------------------------------------------


def test_upper_case_words_outside_a_room(daemon: Daemon) -> None:
    """Every word once, and every way in which it may be refused."""
    user = daemon.person("una")
    user.ask("LIST_ROOMS", "No rooms yet; create one with /create <room>.")
    user.ask("JOIN_ROOM lobby", "Error: no room named lobby; create it with /create lobby.")
    user.ask("LEAVE_ROOM", NO_ROOM)
    user.ask("CREATE_ROOM lobby", "Room lobby created.", "Welcome to room lobby!", "Current users: una")
    user.ask("LEAVE_ROOM", "You have left room lobby.")
    user.ask("LIST_ROOMS", "Rooms (1):", "  lobby  0 users")
    user.ask("CREATE_ROOM lobby", "Error: room lobby already exists; join it with /join lobby.")
    user.ask("JOIN_ROOM lobby", "Welcome to room lobby!", "Current users: una")
    user.ask("LEAVE_ROOM", "You have left room lobby.")
    user.ask("EXIT", "Goodbye!")
    user.eof()


def test_upper_case_words_work_in_a_room_as_well(daemon: Daemon) -> None:
    """They are commands anywhere."""
    other = daemon.person("otto", "lobby")
    user = daemon.person("una", "lobby")
    other.expect("una has joined the room.")
    user.ask("LIST_ROOMS", "Rooms (1):", "  lobby  2 users")
    user.ask("CREATE_ROOM lobby", "Error: room lobby already exists; join it with /join lobby.")
    user.ask("JOIN_ROOM den", "Error: no room named den; create it with /create den.")
    other.nothing_more()
    user.ask(
        "CREATE_ROOM den",
        "You have left room lobby.",
        "Room den created.",
        "Welcome to room den!",
        "Current users: una",
    )
    other.expect("una has left the room.")
    user.ask("JOIN_ROOM lobby", "You have left room den.", "Welcome to room lobby!", "Current users: otto, una")
    other.expect("una has joined the room.")
    user.ask("LEAVE_ROOM", "You have left room lobby.")
    other.expect("una has left the room.")
    user.ask("JOIN_ROOM lobby", "Welcome to room lobby!", "Current users: otto, una")
    other.expect("una has joined the room.")
    user.ask("EXIT", "Goodbye!")
    user.eof()
    other.expect("una has disconnected.")


def test_upper_case_words_in_a_sentence_are_chat(daemon: Daemon) -> None:
    """LEAVE_ROOM, LIST_ROOMS and EXIT count only when alone; and only in exactly these letters."""
    user = daemon.person("una", "lobby")
    for line in ("LEAVE_ROOM now", "LIST_ROOMS please", "EXIT here", "exit", "Exit", "leave_room", "say EXIT"):
        user.ask(line, f"una: {line}")


def test_an_upper_case_word_without_its_room_is_explained(daemon: Daemon) -> None:
    """In a room and outside."""
    for user in (daemon.person("una"), daemon.person("ulf", "lobby")):
        user.ask("CREATE_ROOM", "Error: usage: /create <room>.")
        user.ask("JOIN_ROOM", "Error: usage: JOIN_ROOM <room>.")
        user.ask("JOIN_ROOM two rooms", "Error: usage: JOIN_ROOM <room>.")
        user.nothing_more()


# ---- the user of slashes -------------------------------------------------------------------------------------------


def test_slash_commands_for_rooms(daemon: Daemon) -> None:
    """Made, entered with or without what was said before, listed, left."""
    other = daemon.person("otto")
    user = daemon.person("sue")
    user.ask("/rooms", "No rooms yet; create one with /create <room>.")
    user.ask("/leave", NO_ROOM)
    user.ask("/create lobby", "Room lobby created.", "Welcome to room lobby!", "Current users: sue")
    user.ask("/create lobby", "Error: room lobby already exists; join it with /join lobby.")
    user.ask("one", "sue: one")
    user.ask("/say two", "sue: two")
    user.ask("/me waves", "* sue waves")
    other.say("/join lobby")
    other.expect("Welcome to room lobby!", "Current users: sue, otto")
    other.expect_dated("sue: one", "sue: two", "* sue waves")
    user.expect("otto has joined the room.")
    user.ask("/rooms", "Rooms (1):", "  lobby  2 users")
    user.ask("/LIST", "Rooms (1):", "  lobby  2 users")
    other.ask("/leave", "You have left room lobby.")
    user.expect("otto has left the room.")
    other.ask("/join lobby 2", "Welcome to room lobby!", "Current users: sue, otto")
    other.expect_dated("sue: two", "* sue waves")
    other.ask("/leave", "You have left room lobby.")
    other.ask("/join lobby 0", "Welcome to room lobby!", "Current users: sue, otto")
    other.nothing_more()


def test_rooms_are_listed_with_their_users(daemon: Daemon) -> None:
    """One user is not ``1 users``; a room without any stays."""
    al, bob, cy = (daemon.person(name) for name in ("al", "bob", "cy"))
    for peer, room in ((al, "den"), (bob, "lobby"), (cy, "attic")):
        peer.ask(f"/create {room}", f"Room {room} created.", f"Welcome to room {room}!", f"Current users: {peer.name}")
    cy.ask("/join lobby", "You have left room attic.", "Welcome to room lobby!", "Current users: bob, cy")
    cy.ask("/rooms", "Rooms (3):", "  lobby  2 users", "  den  1 user", "  attic  0 users")


def test_slash_who_tells_who_is_where(daemon: Daemon) -> None:
    """In a room or in none."""
    daemon.person("zed", "lobby")
    daemon.person("abe")
    sue = daemon.person("sue")
    sue.ask("/who", "Users online (3):", "  abe", "  sue", "  zed  in lobby")
    sue.ask("/away tea", "You are away: tea")
    sue.ask("/who", "Users online (3):", "  abe", "  sue (away: tea)", "  zed  in lobby")


def test_what_is_said_with_slashes_reaches_the_room(daemon: Daemon) -> None:
    """/say, /me and // ."""
    sue = daemon.person("sue", "lobby")
    otto = daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    for line, heard in (
        ("/say leave", "sue: leave"),
        ("/SAY EXIT", "sue: EXIT"),
        ("/me waves", "* sue waves"),
        ("//quit is a word", "sue: /quit is a word"),
        ("///", "sue: //"),
        ("grüße 🎉", "sue: grüße 🎉"),
        ("  two  spaces ", "sue:   two  spaces "),
    ):
        sue.ask(line, heard)
        otto.expect(heard)
    for line in ("/say out", "/me out", "//out", "out"):
        sue.ask("/leave", "You have left room lobby.")
        sue.ask(line, NO_ROOM)
        sue.say("/join lobby 0")
        sue.expect("Welcome to room lobby!", "Current users: otto, sue")


def test_private_messages_by_slash(daemon: Daemon) -> None:
    """Both sides hear of it, nobody else does; the answer finds its way back by itself."""
    sue, otto, eve = (daemon.person(name, "lobby") for name in ("sue", "otto", "eve"))
    sue.expect("otto has joined the room.", "eve has joined the room.")
    otto.expect("eve has joined the room.")
    sue.ask("/reply hi", "Error: nobody has written to you yet; use /msg <user> <text>.")
    sue.ask("/msg otto hi  there", "To otto (private): hi  there")
    otto.expect("sue (private): hi  there")
    otto.ask("/reply hello", "To sue (private): hello")
    sue.expect("otto (private): hello")
    sue.ask("/message OTTO again", "To otto (private): again")
    otto.expect("sue (private): again")
    sue.ask("/msg zed hi", "Error: no user named zed; see /who.")
    for peer in (sue, otto, eve):
        peer.nothing_more()


def test_a_private_message_is_asked_for_when_it_is_not_given(daemon: Daemon) -> None:
    """First to whom, then what; a line that answers is no command and not said to the room."""
    sue, otto = daemon.person("sue", "lobby"), daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    sue.ask("/msg", "To whom?")
    sue.ask("otto", "Message:")
    sue.ask("LEAVE_ROOM or not", "To otto (private): LEAVE_ROOM or not")
    otto.expect("sue (private): LEAVE_ROOM or not")
    sue.ask("/message", "To whom?")
    otto.ask("meanwhile", "otto: meanwhile")
    sue.expect("otto: meanwhile")
    sue.ask("zed", "Message:")
    sue.ask("hi", "Error: no user named zed; see /who.")
    sue.ask("/msg otto", "Message:")
    sue.ask("hi", "To otto (private): hi")
    otto.expect("sue (private): hi")
    otto.nothing_more()


def test_a_question_can_be_cancelled(daemon: Daemon) -> None:
    """At each of the two, by an empty line or by /cancel; what comes next is read as ever."""
    sue = daemon.person("sue", "lobby")
    for answers, line in (((), ""), ((), "/cancel"), (("sue",), ""), (("sue",), "/cancel")):
        sue.ask("/msg", "To whom?")
        for answer in answers:
            sue.ask(answer, "Message:")
        sue.ask(line, "Cancelled.")
        sue.ask("hi", "sue: hi")


def test_history_and_search_of_a_room(daemon: Daemon) -> None:
    """Only what was said, only in this room, the newest last."""
    sue = daemon.person("sue", "den")
    sue.ask("the den is secret", "sue: the den is secret")
    sue.ask("/join lobby", "You have left room den.", "Welcome to room lobby!", "Current users: sue")
    sue.ask("/history", "No messages in lobby.")
    for text in ("the first", "the second", "Grüße"):
        sue.ask(text, f"sue: {text}")
    sue.ask("/me waves at the sea", "* sue waves at the sea")
    sue.say("/history")
    sue.expect_dated("sue: the first", "sue: the second", "sue: Grüße", "* sue waves at the sea")
    sue.say("/history 2")
    sue.expect_dated("sue: Grüße", "* sue waves at the sea")
    sue.ask("/search the", "3 messages found:")
    sue.expect_dated("sue: the first", "sue: the second", "* sue waves at the sea")
    sue.ask("/search FIRST the", "1 message found:")
    sue.expect_dated("sue: the first")
    sue.ask("/search grüße", "1 message found:")
    sue.expect_dated("sue: Grüße")
    sue.ask("/search secret", "No messages found.")
    sue.ask("/search", "Error: usage: /search <words>.")
    sue.ask("/history many", "Error: usage: /history [messages].")


def test_history_outside_a_room_is_of_ones_private_messages(daemon: Daemon) -> None:
    """WIRE: of this room, or of one's private messages outside a room."""
    sue, otto = daemon.person("sue"), daemon.person("otto")
    sue.ask("/msg otto hi", "To otto (private): hi")
    otto.expect("sue (private): hi")
    otto.say("/history")
    otto.expect_dated("sue (private): hi")


def test_the_echo_can_be_switched_off(daemon: Daemon) -> None:
    """For the one who wants it so, and for nobody else."""
    sue, otto = daemon.person("sue", "lobby"), daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    sue.ask("/echo off", "Echo is off.")
    sue.say("unheard", "/me hides")
    otto.expect("sue: unheard", "* sue hides")
    otto.ask("heard", "otto: heard")
    sue.expect("otto: heard")
    sue.ask("/echo on", "Echo is on.")
    sue.ask("again", "sue: again")
    sue.ask("/echo", "Error: usage: /echo <on|off>.")
    sue.ask("/echo loud", "Error: usage: /echo <on|off>.")


def test_who_is_ignored_is_not_heard(daemon: Daemon) -> None:
    """Neither in the room nor in private, nor under another name, until this is taken back."""
    sue, otto = daemon.person("sue", "lobby"), daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    sue.ask("/ignore zed", "Error: no user named zed; see /who.")
    sue.ask("/ignore Otto", "You ignore otto.")
    otto.ask("unheard", "otto: unheard")
    otto.ask("/msg sue unheard", "To sue (private): unheard")
    otto.ask("/name olaf", "You are now olaf.")
    sue.expect("otto is now known as olaf.")
    otto.ask("still unheard", "olaf: still unheard")
    sue.nothing_more()
    sue.ask("/ignore otto off", "You ignore nobody.")
    otto.ask("heard", "olaf: heard")
    sue.expect("olaf: heard")


def test_who_is_away_says_so_to_those_who_write(daemon: Daemon) -> None:
    """The message is delivered all the same."""
    sue, otto = daemon.person("sue"), daemon.person("otto")
    sue.ask("/away at the sea", "You are away: at the sea")
    otto.ask("/msg sue hi", "To sue (private): hi", "sue is away: at the sea")
    sue.expect("otto (private): hi")
    sue.ask("/away", "You are not away.")
    otto.ask("/msg sue hi", "To sue (private): hi")
    sue.expect("otto (private): hi")
    otto.nothing_more()


def test_timestamps_are_shown_to_who_wants_them(daemon: Daemon) -> None:
    """And to nobody else in the same room."""
    sue, otto = daemon.person("sue", "lobby"), daemon.person("otto", "lobby")
    sue.expect("otto has joined the room.")
    sue.ask("/timestamps on", "Timestamps are on.")
    otto.ask("hi", "otto: hi")
    assert re.fullmatch(r"\[[012]\d:[0-5]\d\] otto: hi", sue.line())
    sue.ask("/timestamps off", "Timestamps are off.")
    otto.ask("hi", "otto: hi")
    sue.expect("otto: hi")


def test_settings_are_shown(daemon: Daemon) -> None:
    """All of them, as they are."""
    sue = daemon.person("sue")
    daemon.person("otto")
    sue.ask("/set", "Echo is on.", "Timestamps are off.", "You are not away.", "You ignore nobody.")
    sue.ask("/echo off", "Echo is off.")
    sue.ask("/timestamps on", "Timestamps are on.")
    sue.ask("/away tea", "You are away: tea")
    sue.ask("/ignore otto", "You ignore otto.")
    sue.ask("/set", "Echo is off.", "Timestamps are on.", "You are away: tea", "You ignore otto.")


def test_help_names_every_command_and_explains_one(daemon: Daemon) -> None:
    """One line each, and a last one about everything that is no command."""
    sue = daemon.person("sue")
    sue.ask("/help", "Commands:")
    lines = sue.until(lambda line: "//text" in line)
    commands = {line.split()[0] for line in lines[:-1]}
    words = "name create join leave rooms who say me msg reply history search hello help quit echo ignore away set"
    assert {f"/{word}" for word in words.split()} | {"/timestamps", "JOIN_ROOM"} <= commands
    sue.nothing_more()
    for asked in ("/help join", "/help /join", "/HELP JOIN"):
        sue.say(asked)
        assert sue.line().startswith("/join <room> [messages]: ")
        sue.expect("Spellings: /join, join")
    sue.ask("/help foo", "Error: unknown command /foo; type /help.")


WRONG = (
    ("/foo", "unknown command /foo; type /help"),
    ("/foo bar", "unknown command /foo; type /help"),
    ("/", "unknown command /; type /help"),
    ("/join", "usage: /join <room> [messages]"),
    ("/join two rooms", "usage: /join <room> [messages]"),
    ("/join lobby 1 2", "usage: /join <room> [messages]"),
    ("/join lobby -1", "usage: /join <room> [messages]"),
    ("/create", "usage: /create <room>"),
    ("/create two rooms", "usage: /create <room>"),
    ("/name", "usage: /name <name>"),
    ("/name two names", "usage: /name <name>"),
    ("/leave now", "usage: /leave"),
    ("/rooms now", "usage: /rooms"),
    ("/who now", "usage: /who"),
    ("/ignore", "usage: /ignore <user> [on|off]"),
    ("/timestamps maybe", "usage: /timestamps <on|off>"),
    ("/set echo", "usage: /set"),
)


def test_unknown_and_wrong_slash_commands_are_explained(daemon: Daemon) -> None:
    """In a room and outside; and are never said to the room."""
    for sue in (daemon.person("sue"), daemon.person("sam", "lobby")):
        for line, why in WRONG:
            sue.ask(line, f"Error: {why}.")
        sue.nothing_more()


def test_quit_says_goodbye(daemon: Daemon) -> None:
    """And closes the connection."""
    for line in ("/quit", "/exit", "/QUIT"):
        sue = daemon.person("sue", "lobby")
        sue.ask("/hello", "Hello, sue!")
        sue.ask(line, "Goodbye!")
        sue.eof()


# ---- the user of bare words ----------------------------------------------------------------------------------------


def test_bare_words_outside_a_room(daemon: Daemon) -> None:
    """Each of them is a command there."""
    user = daemon.person("bea")
    user.ask("rooms", "No rooms yet; create one with /create <room>.")
    user.ask("who", "Users online (1):", "  bea")
    user.ask("leave", NO_ROOM)
    user.ask("hello", "Hello, bea!")
    user.ask("hi", "Hello, bea!")
    user.ask("help", "Commands:")
    user.until(lambda line: "//text" in line)
    user.say("help join")
    user.until(lambda line: line == "Spellings: /join, join")
    user.ask("join lobby", "Welcome to room lobby!", "Current users: bea")
    user.ask("leave", "You have left room lobby.")
    user.ask("rooms", "Rooms (1):", "  lobby  0 users")
    user.ask("join", "Error: usage: /join <room> [messages].")
    user.nothing_more()


def test_a_bare_word_ends_it_outside_a_room(daemon: Daemon) -> None:
    """As /quit does anywhere."""
    for word in ("exit", "quit"):
        user = daemon.person("bea")
        user.ask(word, "Goodbye!")
        user.eof()


def test_a_bare_word_asks_to_whom_and_what(daemon: Daemon) -> None:
    """Or takes both from the line."""
    user, other = daemon.person("bea"), daemon.person("otto", "lobby")
    for word in ("msg", "message"):
        user.ask(word, "To whom?")
        user.ask("otto", "Message:")
        user.ask("how are you?", "To otto (private): how are you?")
        other.expect("bea (private): how are you?")
        user.ask(f"{word} otto fine", "To otto (private): fine")
        other.expect("bea (private): fine")
        user.ask(word, "To whom?")
        user.ask("/cancel", "Cancelled.")
    user.ask("who", "Users online (2):", "  bea", "  otto  in lobby")


def test_in_a_room_bare_words_are_chat_and_only_leave_leaves(daemon: Daemon) -> None:
    """Else nobody could talk about leaving."""
    user, other = daemon.person("bea", "lobby"), daemon.person("otto", "lobby")
    user.expect("otto has joined the room.")
    words = "exit quit who rooms message msg help hello hi join"
    for line in (*words.split(), "join den", "leave now", "please leave", "msg otto hi", "LEAVE"):
        user.ask(line, f"bea: {line}")
        other.expect(f"bea: {line}")
    user.ask("leave", "You have left room lobby.")
    other.expect("bea has left the room.")


def test_anything_else_outside_a_room_is_refused(daemon: Daemon) -> None:
    """A sentence that begins like a command is a sentence."""
    user = daemon.person("bea")
    for line in ("hello there", "good morning", "leave now", "exit now", "who?", "rooms 3", "joinx", "EXIT now"):
        user.ask(line, NO_ROOM)
    user.nothing_more()


def test_empty_lines_are_nothing(daemon: Daemon) -> None:
    """In a room and outside."""
    user = daemon.person("bea")
    user.say("", "   ")
    user.nothing_more()
    user.ask("/join lobby", "Welcome to room lobby!", "Current users: bea")
    user.say("", "   ")
    user.nothing_more()


# ---- the program that speaks records -------------------------------------------------------------------------------


def test_a_program_says_hello_and_is_welcomed(daemon: Daemon) -> None:
    """It is not greeted in words, and hears nothing before it speaks."""
    program = daemon.connect()
    program.record(do="hello", version=1, client="test 1", name="pam", ref=1)
    welcome = program.event(event="welcome", re=1, server="chatroom", version=1, you="pam", guest=True)
    assert isinstance(welcome["limits"], dict)
    assert isinstance(welcome["features"], list)
    program.no_more_events()


def test_a_program_that_is_slow_to_speak_is_a_program(daemon: Daemon) -> None:
    """Its first packet may have been lost, and come again only after it has been taken for a person and greeted.

    WIRE: a connection whose first byte is ``{`` speaks records from then on.
    """
    program = daemon.connect()
    program.greeted()
    program.record(do="hello", version=1, name="pam", ref=1)
    program.event(event="welcome", re=1, you="pam")


def test_a_program_may_ask_for_an_old_or_a_taken_name_or_version(daemon: Daemon) -> None:
    """And is told by a code."""
    daemon.person("bob")
    program = daemon.connect()
    program.record(do="hello", version=2, ref="a")
    program.event(event="error", re="a", code="version", text=ANY)
    program.record(do="hello", version=1, name="bob", ref="b")
    program.event(event="error", re="b", code="name-in-use", text=IN_USE.removeprefix("Error: "))
    program.record(do="hello", version=1, ref="c")
    guest = program.event(event="welcome", re="c", guest=True)["you"]
    assert guest.startswith("guest-")
    program.record(do="name", name="pam", ref="d")
    program.event(event="renamed", re="d", by=guest, name="pam")
    program.no_more_events()


def test_a_program_makes_enters_and_leaves_rooms(daemon: Daemon) -> None:
    """With the answers that carry its refs, and errors with the same words as people get."""
    program = daemon.program("pam")
    program.record(do="rooms", ref=1)
    program.event(event="rooms", re=1, rooms=[])
    program.record(do="leave", ref=2)
    program.event(event="error", re=2, code="not-in-room", text=NO_ROOM.removeprefix("Error: "))
    program.record(do="join", room="lobby", create=False, ref=3)
    text = "no room named lobby; create it with /create lobby."
    program.event(event="error", re=3, code="no-room", text=text)
    program.record(do="create", room="lobby", ref=4)
    entered = program.event(event="entered", re=4, room="lobby", users=["pam"], complete=True)
    program.record(do="create", room="lobby", ref=5)
    text = "room lobby already exists; join it with /join lobby."
    program.event(event="error", re=5, code="room-exists", text=text)
    program.record(do="rooms", ref=6)
    program.event(event="rooms", re=6, rooms=[{"room": "lobby", "users": 1, "topic": ""}])
    program.record(do="leave", ref=7)
    program.event(event="left", re=7, room="lobby", by="pam")
    program.record(do="join", room="lobby")
    again = program.event(event="entered", room="lobby", room_id=entered["room_id"], users=["pam"])
    assert "re" not in again
    assert again["seq"] > entered["seq"]
    program.no_more_events()


def test_entered_has_all_the_fields_that_wire_shows(daemon: Daemon) -> None:
    """A program may rely on them, the topic of a room without one included."""
    program = daemon.program("pam")
    program.record(do="join", room="lobby", ref=1)
    program.event(event="entered", re=1, room="lobby", room_id=ANY, topic="", users=["pam"], seq=ANY, complete=True)


def said(text: str, by: str = "pam", event: str = "said") -> dict[str, object]:
    """Return the fields of something said in the lobby."""
    return {"event": event, "room": "lobby", "seq": ANY, "id": ANY, "at": ANY, "by": by, "by_id": ANY, "text": text}


def test_what_a_program_says_is_acknowledged_by_its_echo(daemon: Daemon) -> None:
    """Once stored; and when it says it again under the same id, by the same echo, while nobody else hears it twice."""
    program, other = daemon.program("pam", "lobby"), daemon.program("otto", "lobby")
    program.event(event="joined", room="lobby", by="otto")
    program.record(do="say", text="hello", id="01J", ref=2)
    first = program.event(**{**said("hello"), "id": "01J"})
    other.event(**{**said("hello"), "id": "01J"})
    program.record(do="say", text="hello", id="01J", ref=3)
    assert program.event(**{**said("hello"), "id": "01J"}) == first
    program.record(do="me", text="waves", id="02J", ref=4)
    acted = program.event(**{**said("waves", event="acted"), "id": "02J"})
    other.event(**{**said("waves", event="acted"), "id": "02J"})
    assert acted["seq"] > first["seq"]
    assert acted["by_id"] == first["by_id"]
    program.record(do="history", ref=5)
    history = program.event(event="history", re=5, room="lobby", complete=True)
    assert [event["id"] for event in history["events"]] == ["01J", "02J"]
    for peer in (program, other):
        peer.no_more_events()


def test_an_id_of_one_author_does_not_hide_anothers_message(daemon: Daemon) -> None:
    """Ids are the authors' own."""
    pam, otto = daemon.program("pam", "lobby"), daemon.program("otto", "lobby")
    pam.event(event="joined", by="otto")
    pam.record(do="say", text="mine", id="1")
    otto.event(**said("mine"))
    otto.record(do="say", text="other", id="1")
    otto.event(**said("other", by="otto"))
    pam.event(**said("mine"))
    pam.event(**said("other", by="otto"))


def test_a_program_that_comes_back_is_told_what_it_missed(daemon: Daemon) -> None:
    """Everything after the seq it gives, oldest first; or the last messages, if it asks for a number of them."""
    pam, otto = daemon.program("pam", "lobby"), daemon.program("otto")
    pam.record(do="say", text="seen")
    seen = pam.event(**said("seen"))["seq"]
    for text in ("one", "two", "three"):
        pam.record(do="say", text=text)
        pam.event(**said(text))
    otto.record(do="join", room="lobby", after=seen, ref=1)
    entered = otto.event(event="entered", re=1, users=["pam", "otto"], complete=True)
    seqs = [otto.event(**said(text))["seq"] for text in ("one", "two", "three")]
    assert [seen, *seqs, entered["seq"]] == sorted({seen, *seqs, entered["seq"]})
    otto.record(do="leave", ref=2)
    otto.event(event="left", re=2)
    otto.record(do="join", room="lobby", messages=2, ref=3)
    otto.event(event="entered", re=3)
    otto.event(**said("two"))
    otto.event(**said("three"))
    otto.no_more_events()


def test_a_program_writes_to_one_person(daemon: Daemon) -> None:
    """``sent`` answers it; the other hears ``private`` and can reply."""
    pam, otto = daemon.program("pam"), daemon.program("otto")
    pam.record(do="reply", text="hi", ref=1)
    pam.event(event="error", re=1, code="nobody-to-reply")
    pam.record(do="message", user="otto", text="hi", id="m1", ref=2)
    pam.event(event="sent", re=2, id="m1", to="otto", text="hi")
    otto.event(event="private", id="m1", by="pam", to="otto", text="hi", seq=ANY, at=ANY, by_id=ANY)
    otto.record(do="reply", text="hello", ref=3)
    otto.event(event="sent", re=3, to="pam", text="hello")
    pam.event(event="private", by="otto", to="pam", text="hello")
    pam.record(do="message", user="otto", text="hi", id="m1", ref=4)
    pam.event(event="sent", re=4, id="m1", to="otto", text="hi")
    pam.record(do="message", user="zed", text="hi", ref=5)
    pam.event(event="error", re=5, code="no-user", text="no user named zed; see /who.")
    otto.no_more_events()


def test_a_program_looks_around(daemon: Daemon) -> None:
    """rooms, who, history, search, help."""
    pam = daemon.program("pam", "lobby")
    daemon.person("abe")
    pam.record(do="say", text="needle in hay")
    pam.event(**said("needle in hay"))
    pam.record(do="say", text="hay")
    pam.event(**said("hay"))
    pam.record(do="rooms", ref=1)
    pam.event(event="rooms", re=1, rooms=[{"room": "lobby", "users": 1, "topic": ""}])
    pam.record(do="who", ref=2)
    pam.event(event="users", re=2, users=[{"name": "abe"}, {"name": "pam", "room": "lobby"}], total=2)
    pam.record(do="search", words="needle", ref=3)
    found = pam.event(event="found", re=3, words="needle")
    assert [event["text"] for event in found["events"]] == ["needle in hay"]
    pam.record(do="history", messages=1, ref=4)
    history = pam.event(event="history", re=4, room="lobby", complete=False)
    assert [event["text"] for event in history["events"]] == ["hay"]
    pam.record(do="history", before=history["events"][0]["seq"], ref=5)
    history = pam.event(event="history", re=5, complete=True)
    assert [event["text"] for event in history["events"]] == ["needle in hay"]
    pam.record(do="help", command="join", ref=6)
    line = pam.event(event="help", re=6)["commands"][0]
    assert line["usage"] == "/join <room> [messages]"
    pam.no_more_events()


def test_a_programs_settings(daemon: Daemon) -> None:
    """Each change is answered with all of them and the name of the one that changed."""
    pam, otto = daemon.program("pam", "lobby"), daemon.program("otto")
    now = {"event": "settings", "echo": True, "timestamps": False, "away": "", "ignored": []}
    pam.record(do="set", ref=1)
    pam.event(**now, re=1)
    pam.record(do="echo", on=False, ref=2)
    pam.event(**{**now, "echo": False}, re=2, changed="echo")
    pam.record(do="say", text="unheard", ref=3)
    pam.event(event="ok", re=3)
    pam.record(do="say", text="unheard")
    pam.no_more_events()
    pam.record(do="echo", on=True)
    pam.event(**now, changed="echo")
    pam.record(do="ignore", user="otto", ref=4)
    pam.event(**{**now, "ignored": ["otto"]}, re=4, changed="ignored")
    otto.record(do="message", user="pam", text="unheard", ref=5)
    otto.event(event="sent", re=5)
    pam.record(do="ignore", user="otto", on=False)
    pam.event(**now, changed="ignored")
    pam.record(do="away", text="tea", ref=6)
    pam.event(**{**now, "away": "tea"}, re=6, changed="away")
    otto.record(do="message", user="pam", text="hi", ref=7)
    otto.event(event="sent", re=7)
    otto.event(event="away", user="pam", text="tea")
    pam.event(event="private", text="hi")
    pam.record(do="away")
    pam.event(**now, changed="away")
    pam.record(do="timestamps", on=True, ref=8)
    pam.event(event="settings", re=8, changed="timestamps")


REFUSED = (
    (b'{"do":"fly","ref":7}', "no-command"),
    (b'{"do":"say","ref":7}', "bad-record"),
    (b'{"do":"say","text":7,"ref":7}', "bad-record"),
    (b'{"text":"hi","ref":7}', "bad-record"),
    (b'{"do":"say","text":"hi","x":[[[[[[[[[]]]]]]]]],"ref":7}', "bad-record"),
    (b'{"do":"say","text":"hi","x":9007199254740993,"ref":7}', "bad-record"),
    (b'{"do":"say","text":"   ","ref":7}', "nothing-said"),
    (b'{"do":"name","name":"a b","ref":7}', "bad-name"),
    (b'{"do":"join","room":"#x","ref":7}', "bad-room"),
    (b'{"do":"join","room":"lobby","ref":7}', "already-there"),
    (b'{"do":"ignore","user":"zed","ref":7}', "no-user"),
)


def test_a_record_that_is_refused_is_answered_with_a_code_and_its_ref(daemon: Daemon) -> None:
    """And changes nothing."""
    pam, otto = daemon.program("pam", "lobby"), daemon.person("otto", "lobby")
    pam.event(event="joined", by="otto")
    for line, code in REFUSED:
        pam.send(line + b"\n")
        assert pam.event(event="error", re=7, code=code)["text"].endswith(".")
        pam.no_more_events()
        otto.nothing_more()


def test_an_unknown_do_is_refused_as_such_whatever_is_in_it(daemon: Daemon) -> None:
    """By the same code, with a line feed in it."""
    pam = daemon.program("pam", "lobby")
    pam.record(do="fly\nhigh", ref=7)
    pam.event(event="error", re=7, code="no-command")


def test_a_record_with_half_a_surrogate_pair_is_refused_with_its_ref(daemon: Daemon) -> None:
    """It is well-formed JSON, so its ref can be read; no text that could be shown comes of it."""
    pam = daemon.program("pam", "lobby")
    pam.send(b'{"do":"say","text":"\\ud800","ref":7}\n')
    pam.event(event="error", code="bad-record", re=7)


def test_what_is_no_record_is_refused_and_the_next_one_works(daemon: Daemon) -> None:
    """Programs are not read as people are, nor closed for one bad line."""
    pam = daemon.program("pam", "lobby")
    for line in (b'{"do":"say"', b"{", b"[]", b"hello", b"/quit", b'{"do":"say","text":"\xff"}'):
        pam.send(line + b"\n")
        pam.event(event="error", code="bad-record")
        pam.record(do="say", text="hi", ref=1)
        pam.event(**said("hi"))


def test_fields_that_are_not_known_are_ignored(daemon: Daemon) -> None:
    """So that newer programs can speak to older servers; empty lines are nothing."""
    pam = daemon.program("pam", "lobby")
    pam.send(b"\n\r\n")
    pam.record(do="say", text="hi", colour="red", ref=1)
    pam.event(**said("hi"))
    pam.no_more_events()


def test_ok_is_said_only_to_who_gave_a_ref(daemon: Daemon) -> None:
    """As for ``hello`` without a version and ``quit``."""
    pam, otto = daemon.program("pam"), daemon.program("otto")
    pam.record(do="hello")
    pam.record(do="pong")
    pam.no_more_events()
    pam.record(do="hello", ref="a")
    pam.event(event="ok", re="a", text="Hello, pam!")
    pam.record(do="quit", ref="b")
    pam.event(event="ok", re="b", text="Goodbye!")
    pam.eof()
    otto.record(do="quit")
    otto.eof()


# ---- all four together ---------------------------------------------------------------------------------------------


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
