"""A connection: what a hostile server sends does no harm, and what is not understood is ignored."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from client.network import Transport
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet import error
from twisted.python.failure import Failure

from chatroom.client import connection
from chatroom.client.connection import NoRecord, ServerConnection, decoded, encoded
from chatroom.client.errors import Failed, why_not_connected
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.text import MOST_LINES, clean

SAID = {"event": "said", "id": "i", "at": 1, "by": "bob", "by_id": "b", "room": "r", "seq": 2, "text": "hi"}


class Listening:
    """A connection, and what came of it."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.connection = ServerConnection("chat:1")
        self.connection.makeConnection(self.transport)
        self.heard: list[tuple[e.Event, Any]] = []
        self.ended: list[Failed] = []
        self.connection.listen(lambda event, re: self.heard.append((event, re)), self.ended.append)

    def lose(self) -> str:
        """End it, and return why it ended."""
        self.connection.connectionLost(Failure(error.ConnectionDone()))
        return self.ended[0].why


def line(**fields: Any) -> bytes:
    """Return a record as a server sends it."""
    return json.dumps(fields).encode()


def test_events_come_typed_with_what_they_answer() -> None:
    listening = Listening()
    listening.connection.dataReceived(line(**SAID, re=7) + b"\r\n\r\n" + line(event="ping") + b"\n")
    said, ping = listening.heard
    assert said == (e.Said("i", 1, "bob", "b", room="r", seq=2, text="hi"), 7)
    assert isinstance(ping[0], a.Ping)


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "brand-new", "text": "hi"},
        {**SAID, "text": 3},
        {**SAID, "seq": -1},
        {**SAID, "seq": 2**60},
        {**SAID, "at": 10**17},
        {"event": "said"},
        {"event": "read", "id": "i", "at": 1, "by": "b", "by_id": "b", "upto": 3},
    ],
)
def test_what_is_not_understood_is_ignored(fields: dict[str, Any]) -> None:
    assert decoded(line(**fields))[0] is None


@pytest.mark.parametrize(
    "data",
    [b"hello", b"[]", b"{}", b'{"event":3}', b"\xff", b'{"event":"said"', b'{"event":"x","re":{}}', b"[" * 90000],
)
def test_what_is_no_record_is_none(data: bytes) -> None:
    with pytest.raises(NoRecord):
        decoded(data)


def test_nesting_that_is_too_deep_for_us_is_nobodys_harm() -> None:
    deep = b'{"event":"ping","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    with pytest.raises(NoRecord):
        decoded(deep)


def test_who_is_no_chatroom_server_is_said_to_be_none() -> None:
    listening = Listening()
    listening.connection.dataReceived(b"220 mail.example \x1b[31mESMTP\r\n")
    assert listening.transport.aborted
    assert (
        listening.lose() == "chat:1 is not a chatroom server, or does not take records; it sent: 220 mail.example ESMTP"
    )


def test_a_server_that_sends_no_record_after_one_is_told_of() -> None:
    listening = Listening()
    listening.connection.dataReceived(line(event="ping") + b"\n[]\n")
    assert listening.lose() == "chat:1 sent something that is not a valid record: []"


def test_nothing_is_heard_after_the_end() -> None:
    listening = Listening()
    listening.connection.dataReceived(b"hello\n" + line(**SAID) + b"\n")
    assert listening.heard == []


def test_a_line_without_end_ends_it() -> None:
    listening = Listening()
    for _ in range(20):
        listening.connection.dataReceived(b"x" * 65536)
    assert listening.transport.aborted
    assert listening.lose() == "chat:1 sent a line of more than 512 KiB"


def test_lists_and_strings_are_cut() -> None:
    users = [f"u{i}" for i in range(connection.MOST_ITEMS + 5)]
    fields = {"event": "entered", "room": "r" * 5000, "room_id": "x", "topic": "", "users": users, "seq": 1}
    event, _ = decoded(line(**fields, complete=True))
    assert isinstance(event, a.Entered)
    assert len(event.users) == connection.MOST_ITEMS
    assert len(event.room) == connection.OTHERWISE


def test_lines_for_people_stay_lines() -> None:
    event, _ = decoded(line(event="ok", text="one\ntwo\x1b[2J"))
    assert event == a.Ok("one\ntwo")


@pytest.mark.parametrize("kind", ["said", "acted", "private", "sent", "edited"])
def test_a_message_may_have_lines_and_nothing_else_in_it(kind: str) -> None:
    text = "\none\r\ntwo\x1b[2J\n\u2028\x0b"
    event, _ = decoded(
        line(**{**SAID, "event": kind, "to": "me", "message": 1, "by": "bo\nb", "room": "x\ny", "text": text})
    )
    assert event is not None
    assert event.text == "one\ntwo\n\ufffd\ufffd"  # type: ignore[attr-defined]
    assert not [value for value in strings(event) if "\n" in value]


def test_all_other_texts_are_one_line() -> None:
    for kind in a.TOLD:
        if kind is not a.Ok and not kind.has_lines and {"text", "at"} <= {*kind.__struct_fields__}:
            fields = {**SAID, "message": 1, "emoji": "x", "on": True, "text": "one\ntwo"}
            event, _ = decoded(line(**{**fields, "event": kind.__struct_config__.tag}))
            assert event is not None
            assert event.text == "one\ufffdtwo"  # type: ignore[attr-defined]


def test_a_message_of_too_many_lines_is_not_shown_as_so_many() -> None:
    event, _ = decoded(line(**{**SAID, "text": "\n".join("x" * (MOST_LINES + 9))}))
    assert isinstance(event, e.Said)
    assert event.text == "\n".join("x" * (MOST_LINES - 1)) + "\nx" + " x" * 9


def test_what_was_done_to_a_message_is_made_harmless_as_well() -> None:
    reactions = [["a\x1b[2J", "b\x1b]0;x\x07", "c\x00"]] * (connection.MOST_ITEMS + 5)
    more = {"quote": 3, "quoted": {"by": "bob\x1b[2J", "text": "hi\nyou"}, "edited": 5, "reactions": reactions}
    event, _ = decoded(line(**{**SAID, **more}))
    assert isinstance(event, e.Said)
    assert event.quoted == e.Quoted("bob", "hi\ufffdyou")
    assert set(event.reactions) == {e.EmojiReaction("a", "b", "c")}
    assert len(event.reactions) == connection.MOST_ITEMS


def strings(value: Any) -> list[str]:
    """Return all strings in a value; the lines of a message's text one by one."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    if getattr(value, "has_lines", False):
        others = msgspec.structs.replace(value, text="")
        fields = [getattr(others, field) for field in others.__struct_fields__]
        return strings([*fields, *value.text.split("\n")])
    return [text for field in getattr(value, "__struct_fields__", ()) for text in strings(getattr(value, field))]


@given(st.text(max_size=50))
def test_every_string_of_an_event_is_clean(text: str) -> None:
    sessions = {"client": text, "made": 1, "used": 1}
    for fields in (
        {**SAID, "text": text, "by": text, "room": text},
        {"event": "sessions", "sessions": [sessions]},
        {"event": "users", "users": [{"name": text, "away": text}], "total": 1},
        {"event": "history", "room": text, "events": [{**SAID, "text": text}], "complete": True},
        {"event": "error", "code": text, "text": text},
    ):
        event, _ = decoded(line(**fields))
        assert event is not None
        assert [string for string in strings(event) if string != clean(string)] == []


def test_half_a_surrogate_pair_is_replaced_when_sent() -> None:
    assert json.loads(encoded({"do": "say", "text": "a\udcffb", "n": 1})) == {"do": "say", "text": "a?b", "n": 1}


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (error.ConnectionRefusedError(), "refused the connection"),
        (error.DNSLookupError("x"), "there is no host named chat;"),
        (error.TimeoutError(), "did not answer in time"),
        (error.NoRouteError(), "cannot be reached from here"),
        (error.ConnectError(string="what\nelse."), "could not connect to chat:1: "),
    ],
)
def test_why_there_is_no_connection_is_said_in_words(failure: Exception, why: str) -> None:
    said = why_not_connected(Failure(failure), "chat:1").why
    assert why in said
    assert "\n" not in said
    assert not said.endswith(".")


@pytest.mark.parametrize("tls", [False, True])
def test_little_is_read_at_a_time_so_that_the_user_is_not_kept_waiting(tls: bool) -> None:
    """Each turn of the reactor handles one read; see ``READ_AT_ONCE``."""
    tcp: Any = Transport()
    tcp.bufferSize = 65536
    transport = tcp
    if tls:
        transport = Transport()
        transport.transport = tcp
    ServerConnection("chat:1").makeConnection(transport)
    assert tcp.bufferSize == connection.READ_AT_ONCE
