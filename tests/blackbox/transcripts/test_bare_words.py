"""Who types bare words, line by line."""

from __future__ import annotations

from blackbox.daemon import Daemon
from blackbox.transcripts.texts import HELP, NO_ROOM


def test_bare_words_outside_a_room(daemon: Daemon) -> None:
    """Each of them is a command there."""
    user = daemon.person("bea")
    user.ask("rooms", "No rooms yet; create one with /create <room>.")
    user.ask("who", "Users online (1):", "  bea")
    user.ask("leave", NO_ROOM)
    user.ask("hello", "Hello, bea!")
    user.ask("hi", "Hello, bea!")
    user.ask("help", HELP)
    user.until(lambda line: "//text" in line)
    user.say("help join")
    user.until(lambda line: line == "Spellings: /join, /j, join")
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
        refusal = "Error: /quit is a command, and you are being asked; answer first, or type /cancel."
        user.ask("/quit", refusal, "To whom?")
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
    user.ask("login", "user,password:")
    user.ask("", "Cancelled.")
    user.ask("/say login", "bea: login")
    other.expect("bea: login")
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
