"""Read marks and typing: sent seldom, and never lost."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.client.errors import Rejected
from chatroom.client.hints import MARK_EVERY, MOST_MARKS, TYPING_EVERY, ReadMarks, TypingNotices
from chatroom.client.unread_count import Place
from chatroom.model.replies import Ok

LOBBY: Place = ("room", "lobby")
BOB: Place = ("user", "bob")


class Sent:
    """What was sent, if there is a connection."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.answers: list[Deferred[Any]] = []
        self.set: list[tuple[Place, int]] = []
        self.online = True

    def send(self, do: str, **fields: Any) -> Deferred[Any] | None:
        if not self.online:
            return None
        self.records.append({"do": do, **fields})
        self.answers.append(Deferred())
        return self.answers[-1]

    def marked(self, place: Place, seq: int) -> None:
        self.set.append((place, seq))

    def take(self) -> list[dict[str, Any]]:
        records, self.records = self.records, []
        return records


@pytest.fixture
def sent() -> Sent:
    return Sent()


def test_a_mark_is_sent_at_once_and_the_next_ones_a_second_later_as_one(sent: Sent) -> None:
    clock = Clock()
    marks = ReadMarks(clock, sent.send, sent.marked)
    for seq in (1, 2, 3):
        marks.note(LOBBY, seq)
    marks.note(BOB, 7)
    assert sent.take() == [{"do": "read", "room": "lobby", "seq": 1}]
    clock.advance(MARK_EVERY)
    assert sent.take() == [{"do": "read", "room": "lobby", "seq": 3}, {"do": "read", "user": "bob", "seq": 7}]
    clock.advance(MARK_EVERY)
    assert (sent.take(), clock.getDelayedCalls()) == ([], [])
    marks.note(BOB, 8)
    assert sent.take() == [{"do": "read", "user": "bob", "seq": 8}]
    sent.answers[-1].callback(Ok())
    assert sent.set == [(BOB, 8)]
    marks.note(LOBBY, 4)
    marks.flush()
    assert sent.take() == [{"do": "read", "room": "lobby", "seq": 4}]


def test_a_mark_waits_for_a_connection(sent: Sent) -> None:
    clock = Clock()
    marks = ReadMarks(clock, sent.send, sent.marked)
    marks.note(LOBBY, 1)
    sent.take()
    marks.note(LOBBY, 2)
    sent.online = False
    marks.stop()
    assert clock.getDelayedCalls() == []
    for n in range(MOST_MARKS + 5):
        marks.note(("user", f"u{n}"), 1)
    sent.online = True
    marks.flush()
    assert len(sent.take()) == MOST_MARKS


def test_a_mark_whose_answer_was_lost_is_sent_again_unless_there_is_a_newer_one(sent: Sent) -> None:
    clock = Clock()
    marks = ReadMarks(clock, sent.send, sent.marked)
    marks.note(LOBBY, 1)
    clock.advance(MARK_EVERY)
    marks.note(BOB, 7)
    marks.note(LOBBY, 2)
    sent.take()
    sent.online = False
    marks.stop()
    for answer in sent.answers:
        answer.errback(Rejected("lost", "the connection was lost."))
    sent.online = True
    marks.flush()
    assert sent.take() == [{"do": "read", "room": "lobby", "seq": 2}, {"do": "read", "user": "bob", "seq": 7}]
    sent.answers[-1].errback(Rejected("no-user", "there is no bob."))
    marks.flush()
    assert sent.take() == []
    marks.stop()


def test_typing_is_told_once_in_three_seconds_for_each_place(sent: Sent) -> None:
    clock = Clock()
    typing = TypingNotices(clock, sent.send)
    for _ in range(5):
        typing.note(LOBBY)
        typing.note(BOB)
    assert sent.take() == [{"do": "typing", "room": "lobby"}, {"do": "typing", "user": "bob"}]
    clock.advance(TYPING_EVERY)
    sent.online = False
    typing.note(LOBBY)
    sent.online = True
    typing.note(LOBBY)
    assert sent.take() == [{"do": "typing", "room": "lobby"}]
