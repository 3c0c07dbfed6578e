"""Who types upper-case words, line by line."""

from __future__ import annotations

from blackbox.daemon import Daemon
from blackbox.transcripts.texts import NO_ROOM


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
