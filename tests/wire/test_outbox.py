"""The way out to one connection: whatever the socket takes and whenever, the bytes go out in their order, once."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest
from fakes import PLENTY, SocketTransport
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from twisted.internet.testing import StringTransport

from chatroom.wire.outbox import Outbox


class Quiet:
    """A protocol that does not mind its end."""

    def connectionLost(self, reason: object) -> None:
        """Nothing."""


def transport_with(room: int) -> SocketTransport:
    transport = SocketTransport("127.0.0.1", lambda call: call())
    transport.protocol = Quiet()
    transport.socket.room = room
    return transport


class Way:
    """An outbox and the socket behind it."""

    def __init__(self, room: int = PLENTY, limit: int = 0) -> None:
        self.transport = transport_with(room)
        self.overflows = 0
        self.outbox = Outbox(self.transport, limit, self.overflow)

    def overflow(self) -> None:
        self.overflows += 1

    def arrives(self, room: int = PLENTY) -> bytes:
        """Return all that has arrived when the socket has taken so much more."""
        self.transport.make_room(room)
        return self.transport.value()


# ---- straight to the socket --------------------------------------------------------------------------------------


def test_a_socket_that_takes_everything_is_given_it_at_once() -> None:
    way = Way()
    way.outbox.write(b"one")
    way.outbox.write(b"two")
    assert way.transport.value() == b"onetwo"
    assert way.transport.producer is None


@pytest.mark.parametrize("room", range(7))
def test_what_the_socket_does_not_take_follows_in_order(room: int) -> None:
    way = Way(room)
    for piece in (b"one", b"two", b"six"):
        way.outbox.write(piece)
    assert way.transport.value() == b"onetwosix"[:room]
    assert way.arrives() == b"onetwosix"


def test_it_goes_straight_again_after_it_has_caught_up() -> None:
    way = Way(1)
    way.outbox.write(b"one")
    way.arrives()
    assert way.transport.producer is None
    way.outbox.write(b"two")
    assert way.transport.value() == b"onetwo"
    assert not way.transport.buffer


def test_it_falls_back_as_often_as_the_socket_is_full() -> None:
    way = Way(0)
    for number in range(5):
        way.outbox.write(b"%d first," % number)
        way.arrives(3)
        way.outbox.write(b"%d second," % number)
        way.arrives()
        way.transport.socket.room = number
    assert way.arrives() == b"".join(b"%d first,%d second," % (n, n) for n in range(5))


def test_a_transport_without_a_socket_is_written_to() -> None:
    transport = StringTransport()
    Outbox(transport, 0, lambda: None).write(b"hello")
    assert transport.value() == b"hello"


def test_a_tls_transport_is_written_to_and_not_gone_past() -> None:
    transport = transport_with(PLENTY)
    transport.socket.get_peer_certificate = lambda: None  # type: ignore[attr-defined]
    Outbox(transport, 0, lambda: None).write(b"hello")
    assert transport.buffer == b"hello"
    assert transport.value() == b""


# ---- cork --------------------------------------------------------------------------------------------------------


def test_what_is_written_while_corked_comes_after_what_uncork_is_given() -> None:
    way = Way()
    way.outbox.write(b"before ")
    way.outbox.cork()
    way.outbox.write(b"held ")
    assert way.transport.value() == b"before "
    way.outbox.uncork(b"first ")
    way.outbox.write(b"after")
    assert way.transport.value() == b"before first held after"


@pytest.mark.parametrize("room", [0, 1, 6, 7, 8, 12, 13, 18, 19])
def test_cork_keeps_the_order_however_much_the_socket_takes(room: int) -> None:
    way = Way(room)
    way.outbox.write(b"before ")
    way.outbox.cork()
    way.outbox.write(b"held ")
    way.outbox.uncork(b"first ")
    way.outbox.write(b"after")
    assert way.arrives() == b"before first held after"


def test_the_socket_becoming_free_while_corked_lets_nothing_out_before_its_turn() -> None:
    way = Way(3)
    way.outbox.write(b"before ")
    way.outbox.cork()
    way.outbox.write(b"held ")
    assert way.arrives() == b"before "
    way.outbox.write(b"too ")
    assert way.transport.value() == b"before "
    way.outbox.uncork(b"first ")
    assert way.transport.value() == b"before first held too "


def test_uncork_with_nothing_sends_what_was_held() -> None:
    way = Way()
    way.outbox.cork()
    way.outbox.write(b"held")
    way.outbox.uncork(b"")
    assert way.transport.value() == b"held"


def test_an_empty_cork_sends_nothing() -> None:
    way = Way(0)
    way.outbox.cork()
    way.outbox.uncork(b"")
    assert way.transport.producer is None
    assert way.arrives() == b""


# ---- bounds ------------------------------------------------------------------------------------------------------


def test_held_up_to_the_limit_and_no_further() -> None:
    way = Way(0, limit=10)
    way.outbox.write(b"12345")
    way.outbox.write(b"67890")
    assert not way.overflows
    way.outbox.write(b"!")
    assert way.overflows == 1
    assert way.outbox.closing


def test_one_piece_longer_than_the_limit_overflows() -> None:
    way = Way(0, limit=10)
    way.outbox.write(b"12345678901")
    assert way.overflows == 1


def test_what_waits_behind_a_cork_counts() -> None:
    way = Way(limit=10)
    way.outbox.cork()
    way.outbox.write(b"123456")
    way.outbox.write(b"78901")
    assert way.overflows == 1


def test_what_was_taken_no_longer_counts() -> None:
    way = Way(0, limit=10)
    for _ in range(5):
        way.outbox.write(b"1234567890")
        way.arrives()
        way.transport.socket.room = 0
    assert not way.overflows


def test_nothing_is_sent_or_held_after_an_overflow() -> None:
    way = Way(0, limit=10)
    for _ in range(1000):
        way.outbox.write(b"12345678901")
    assert way.overflows == 1
    way.outbox.cork()
    way.outbox.write(b"x" * 5)
    way.outbox.uncork(b"y" * 5)
    assert way.overflows == 1


def test_without_a_limit_everything_is_held() -> None:
    way = Way(0, limit=0)
    way.outbox.write(b"x" * 10_000_000)
    assert not way.overflows
    assert len(way.arrives()) == 10_000_000


# ---- the end -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [0, 1, 5, PLENTY])
def test_close_sends_what_is_held_and_then_ends_the_connection(room: int) -> None:
    way = Way(room)
    way.outbox.write(b"hello ")
    way.outbox.write(b"goodbye")
    way.outbox.close()
    way.outbox.write(b"never")
    if room < PLENTY:
        assert way.transport.connected
    assert way.arrives() == b"hello goodbye"
    assert not way.transport.connected


@pytest.mark.parametrize("room", [0, 3, PLENTY])
def test_close_sends_what_waits_behind_a_cork_too(room: int) -> None:
    way = Way(room)
    way.outbox.write(b"before ")
    way.outbox.cork()
    way.outbox.write(b"held")
    way.outbox.close()
    way.outbox.uncork(b"never")
    assert way.arrives() == b"before held"
    assert not way.transport.connected


@pytest.mark.parametrize("error", [ConnectionResetError, BrokenPipeError, TimeoutError])
def test_a_connection_that_is_gone_is_written_to_without_an_error(error: type[OSError]) -> None:
    way = Way()
    way.transport.socket.failure = error()
    way.outbox.write(b"hello")
    way.outbox.cork()
    way.outbox.write(b"held")
    way.outbox.uncork(b"first")
    assert way.transport.value() == b""


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.ENOBUFS])
def test_a_kernel_short_of_room_loses_nothing(number: int) -> None:
    # Twisted's own writeSomeData takes both for "try again later"; dropping the bytes would leave a hole in the stream.
    way = Way()
    way.transport.socket.failure = OSError(number, "no room")
    way.outbox.write(b"one ")
    way.transport.socket.failure = None
    way.outbox.write(b"two")
    assert way.arrives() == b"one two"


@pytest.mark.parametrize("corked", [False, True])
def test_after_the_end_nothing_happens_any_more(corked: bool) -> None:
    way = Way(0)
    way.outbox.write(b"held")
    if corked:
        way.outbox.cork()
    way.transport.end()
    way.outbox.write(b"late")
    way.outbox.uncork(b"first")
    assert way.arrives() == b""


# ---- any course of events ----------------------------------------------------------------------------------------

PIECES = st.binary(max_size=12)


class AnyCourse(RuleBasedStateMachine):
    """Whatever is done to an outbox and its socket, the bytes that arrive are the model's, a plain list of bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.expected: list[bytes] = []
        self.corked: list[bytes] | None = None

    @initialize(room=st.integers(0, 20))
    def open(self, room: int) -> None:
        self.way = Way(room)

    @rule(data=st.binary(min_size=1, max_size=12))  # nobody writes nothing: a transport would not ask for more
    def write(self, data: bytes) -> None:
        self.way.outbox.write(data)
        (self.expected if self.corked is None else self.corked).append(data)

    @precondition(lambda self: self.corked is None)
    @rule()
    def cork(self) -> None:
        self.way.outbox.cork()
        self.corked = []

    @precondition(lambda self: self.corked is not None)
    @rule(first=PIECES)
    def uncork(self, first: bytes) -> None:
        self.way.outbox.uncork(first)
        self.expected += [first, *(self.corked or ())]
        self.corked = None

    @rule(room=st.integers(0, 20))
    def read(self, room: int) -> None:
        self.way.transport.make_room(room)

    @rule(room=st.sampled_from([0, 1, 5, PLENTY]))
    def resize(self, room: int) -> None:
        self.way.transport.socket.room = room

    @invariant()
    def nothing_is_out_of_order(self) -> None:
        if hasattr(self, "way"):
            assert b"".join(self.expected).startswith(self.way.transport.value())

    def teardown(self) -> None:
        if hasattr(self, "way"):
            assert self.way.arrives() == b"".join(self.expected)
            assert self.way.transport.producer is None


AnyCourse.TestCase.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
TestAnyCourse: Callable[..., object] = AnyCourse.TestCase
