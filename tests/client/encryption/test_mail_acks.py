"""When mail is taken and acknowledged, and when what could not be opened is asked for again."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from chatroom.client.encryption.mail_acks import ACK_AFTER, ASK_AFTER, MailAcks


class Acks:
    """What is acknowledged, and how often was asked."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.acknowledged: list[int] = []
        self.asked = 0
        self.acks = MailAcks(self.clock, self.acknowledged.append, self._ask)

    def _ask(self) -> Deferred[None]:
        self.asked += 1
        return succeed(None)


@pytest.fixture
def it() -> Acks:
    """It, with a connection."""
    made = Acks()
    made.acks.start()
    return made


def test_mail_before_there_is_a_connection_is_not_taken() -> None:
    made = Acks()
    assert not made.acks.takes(1)
    made.acks.note(1)
    made.acks.ask_soon()
    made.clock.advance(ASK_AFTER)
    assert (made.acknowledged, made.asked) == ([], 0)


def test_mail_is_acknowledged_together_and_once(it: Acks) -> None:
    for seq in (1, 2, 3):
        assert it.acks.takes(seq)
        it.acks.note(seq)
    assert not it.acks.takes(3), "it came again"
    it.clock.advance(ACK_AFTER)
    assert it.acknowledged == [3]
    it.acks.note(2)
    it.clock.advance(ACK_AFTER)
    assert it.acknowledged == [3]


def test_nothing_is_acknowledged_after_something_could_not_be_opened(it: Acks) -> None:
    it.acks.note(1)
    it.acks.stop()
    it.acks.note(2)
    it.clock.advance(ASK_AFTER)
    assert not it.acks.takes(3)
    assert (it.acknowledged, it.asked) == ([], 0)
    it.acks.start()
    assert it.acks.takes(1), "the next connection brings it again"


def test_what_could_not_be_opened_is_asked_for_when_mail_has_stopped_coming(it: Acks) -> None:
    for seq in range(1, 6):
        it.acks.note(seq)
        it.clock.advance(ASK_AFTER - 0.1)
    assert it.asked == 0
    it.clock.advance(0.1)
    assert it.asked == 1
