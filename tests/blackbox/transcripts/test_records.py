"""What a program says in records, and hears."""

from __future__ import annotations

from unittest.mock import ANY

from blackbox.daemon import Daemon
from blackbox.transcripts.texts import IN_USE, NO_ROOM, said


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

    docs/protocol.md: a connection whose first byte is ``{`` speaks records from then on.
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
