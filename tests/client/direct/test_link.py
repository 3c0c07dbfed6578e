"""A link: words before it is open, frames afterwards, and nothing hostile in between."""

from __future__ import annotations

import pytest
from client.direct.joined import End, Judge, Socket, linked
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from chatroom.client.direct.link import (
    ACK,
    CHUNK,
    CHUNK_DONE,
    ENVELOPE,
    HANDSHAKE_WITHIN,
    HEAD,
    LONGEST_FRAME,
    PING,
    RECEIVED,
    DirectLink,
)


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


def frames(link: DirectLink) -> list[tuple[int, bytes]]:
    """Return a list that gets each frame."""
    got: list[tuple[int, bytes]] = []
    link.listen(lambda kind, payload: got.append((kind, payload)), lambda received: None, lambda why: None)
    return got


def test_small_frames_do_not_wait(clock: Clock) -> None:
    assert linked(clock, Judge(), opened=False)[1].no_delay


# ---- before it is open -----------------------------------------------------------------------------------------------


def test_nothing_is_said_before_the_certificate_was_accepted(clock: Clock) -> None:
    judge = Judge()
    judge.trusts = False
    link, socket = linked(clock, judge, opened=False)
    assert socket.value() == b""
    link.handshakeCompleted()
    assert socket.value() == b""
    assert socket.aborted


def test_data_before_the_handshake_is_hostile(clock: Clock) -> None:
    link, socket = linked(clock, Judge(), opened=False)
    link.dataReceived(b"ready\n")
    assert socket.aborted


def test_a_handshake_that_ends_after_an_abort_says_nothing(clock: Clock) -> None:
    link, socket = linked(clock, Judge(), opened=False)
    link.abort("enough")
    link.handshakeCompleted()
    assert socket.value() == b""


def test_go_is_said_only_if_the_race_grants_it(clock: Clock) -> None:
    judge = Judge()
    judge.claims = False
    link, socket = linked(clock, judge, opened=False)
    link.handshakeCompleted()
    link.dataReceived(b"ready\n")
    assert socket.value() == b"ready\nnevermind\n"
    assert judge.open == []
    assert socket.disconnecting
    link.dataReceived(b"ready\n")
    assert judge.open == []
    clock.advance(HANDSHAKE_WITHIN)
    assert socket.aborted  # the other side said no goodbye


def test_a_link_that_has_ended_does_not_give_way(clock: Clock) -> None:
    link, socket = linked(clock, Judge(), opened=False)
    link.handshakeCompleted()
    link.abort("enough")
    link.give_way()
    assert socket.value() == b"ready\n"
    assert link.why == "enough"


def test_go_counts_only_if_the_race_grants_it(clock: Clock) -> None:
    judge = Judge(offered=False)
    judge.claims = False
    _, socket = linked(clock, judge)
    assert judge.open == []
    assert socket.aborted


def test_words_may_come_in_pieces_and_with_the_first_frame(clock: Clock) -> None:
    judge = Judge(offered=False)
    link, _ = linked(clock, judge, opened=False)
    got = frames(link)
    link.handshakeCompleted()
    for byte in b"ready\ngo\n" + HEAD.pack(2, ENVELOPE) + b"{}":
        link.dataReceived(bytes([byte]))
    assert judge.open == [link]
    assert got == [(ENVELOPE, b"{}")]


def test_an_open_link_has_no_deadline(clock: Clock) -> None:
    _, socket = linked(clock, Judge())
    clock.advance(1000)
    assert not socket.aborted


# ---- frames ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", LONGEST_FRAME)
def test_the_longest_frame_is_read_and_a_longer_one_ends_the_link_at_its_head(clock: Clock, kind: int) -> None:
    link, socket = linked(clock, Judge())
    got = frames(link)
    longest = LONGEST_FRAME[kind]
    link.dataReceived(HEAD.pack(longest, kind) + bytes(longest))
    assert got == [(kind, bytes(longest))]
    assert not socket.aborted
    link.dataReceived(HEAD.pack(longest + 1, kind))
    assert socket.aborted
    assert len(got) == 1


@pytest.mark.parametrize("head", [HEAD.pack(0, 6), HEAD.pack(0, 255), HEAD.pack(0xFFFFFFFF, CHUNK), b"GET /"])
def test_a_hostile_head_ends_the_link(clock: Clock, head: bytes) -> None:
    link, socket = linked(clock, Judge())
    got = frames(link)
    link.dataReceived(head + bytes(100))
    assert socket.aborted
    assert got == []
    link.dataReceived(HEAD.pack(0, PING) * 100)
    assert got == []
    assert len(link._buffer) < 200  # it keeps nothing more


def test_we_send_no_frame_that_is_too_long(clock: Clock) -> None:
    link, socket = linked(clock, Judge())
    with pytest.raises(ValueError, match="too long"):
        link.write_frame(ACK, bytes(LONGEST_FRAME[ACK] + 1))
    assert socket.value() == b""


def test_bounds_are_those_that_we_promise() -> None:
    assert LONGEST_FRAME == {ENVELOPE: 16384, CHUNK: 2 << 20, ACK: 128, PING: 0, RECEIVED: 8, CHUNK_DONE: 0}


def test_while_reading_is_paused_nothing_is_passed_on_and_the_network_is_not_read(clock: Clock) -> None:
    link, socket = linked(clock, Judge())
    got: list[int] = []

    def take(kind: int, payload: bytes) -> None:
        got.append(kind)
        link.pause(True)

    link.listen(take, lambda received: None, lambda why: None)
    link.dataReceived(HEAD.pack(0, PING) * 3)
    assert got == [PING]
    assert socket.producerState == "paused"
    link.pause(False)
    assert got == [PING, PING]
    assert socket.producerState == "paused"
    link.pause(False)
    link.pause(False)
    assert got == [PING] * 3
    assert socket.producerState == "producing"


def test_frames_are_passed_on_one_after_the_other_also_if_reading_stops_and_goes_on_meanwhile(clock: Clock) -> None:
    link, _ = linked(clock, Judge())
    inside: list[int] = []
    most: list[int] = []

    def take(kind: int, payload: bytes) -> None:
        inside.append(kind)
        most.append(len(inside))
        link.pause(True)
        link.pause(False)
        inside.pop()

    link.listen(take, lambda received: None, lambda why: None)
    link.dataReceived(HEAD.pack(0, PING) * 3)
    assert most == [1, 1, 1]


# ---- the end ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "why"), [(ConnectionDone(), "the other side closed it"), (ConnectionLost(), "it was lost")]
)
def test_the_end_is_told_once_with_its_reason(clock: Clock, reason: Exception, why: str) -> None:
    judge = Judge()
    link, socket = linked(clock, judge)
    lost: list[str] = []
    link.listen(lambda kind, payload: None, lambda received: None, lost.append)
    socket.connected = False
    link.connectionLost(Failure(reason))
    assert lost == [why]
    assert judge.over == [link]


def test_after_the_loss_nothing_is_aborted_closed_or_written(clock: Clock) -> None:
    link, socket = linked(clock, Judge())
    socket.connected = False
    link.abort("between the end of the connection and the news of it")
    link.connectionLost(Failure(ConnectionLost()))
    link.abort("again")
    link.close("again")
    link.pause(True)
    link.dataReceived(b"late")
    link.write_frame(PING)
    assert socket.value() == b""
    assert link.why == "between the end of the connection and the news of it"
    assert clock.getDelayedCalls() == []


def test_a_close_without_a_goodbye_of_the_other_side_becomes_an_abort(clock: Clock) -> None:
    end = End(clock)
    link, socket = end.link, end.socket
    link.close("enough")
    assert socket.disconnecting
    assert not socket.aborted
    clock.advance(HANDSHAKE_WITHIN)
    assert socket.aborted


def test_frames_in_memory_are_bounded_by_the_frame() -> None:
    clock = Clock()
    link, socket = linked(clock, Judge())
    got = frames(link)
    link.dataReceived(HEAD.pack(LONGEST_FRAME[CHUNK], CHUNK))
    for _ in range(2 * 1024 * 1024 // 65536):
        link.dataReceived(bytes(65536))
    assert len(got) == 1
    assert not link._buffer
    assert isinstance(socket, Socket)
