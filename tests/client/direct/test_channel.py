"""A channel: everything is acknowledged or given back, whatever is lost, late, doubled or hostile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.direct.joined import End, exchange
from client.direct.two_clients import sealed
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher

from chatroom.client.direct.channel import (
    CHUNK_WINDOW,
    IDLE,
    LONGEST_ID,
    MOST_QUEUED,
    MOST_REMEMBERED,
    MOST_UNREAD,
    PATIENCE,
    REPORT_EVERY,
    WINDOW,
    SeenMessages,
    UseRelay,
)
from chatroom.client.direct.link import ACK, CHUNK, CHUNK_DONE, ENVELOPE, HEAD, PING, RECEIVED


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What is logged, and the tracebacks of it."""
    seen: list[Any] = []

    def look(event: dict[str, Any]) -> None:
        failure = event.get("log_failure")
        seen.append((event, failure and failure.getTraceback()))

    globalLogPublisher.addObserver(look)
    yield seen
    globalLogPublisher.removeObserver(look)


def frame(kind: int, payload: bytes = b"") -> bytes:
    """Return the bytes of a frame."""
    return HEAD.pack(len(payload), kind) + payload


def fate(sent: Deferred[None]) -> list[str]:
    """Return a list that gets "arrived", or why something was given back."""
    told: list[str] = []
    sent.addCallbacks(lambda result: told.append("arrived"), lambda failure: told.append(str(failure.value)))
    return told


def returned(sent: Deferred[None]) -> bool:
    """Return whether something was given back already, to go by the server."""
    told: list[bool] = []
    sent.addErrback(lambda failure: told.append(failure.check(UseRelay) is not None))
    return told == [True]


# ---- acknowledgements ------------------------------------------------------------------------------------------------


def test_a_message_is_acknowledged_when_it_was_handled(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    handling: Deferred[None] = Deferred()
    other.handled = [handling]
    told = fate(one.channel.send("m1", sealed("x")))
    exchange(one, other)
    assert other.envelopes == [("m1", sealed("x"))]
    assert told == []
    handling.callback(None)
    exchange(one, other)
    assert told == ["arrived"]


@pytest.mark.parametrize("later", [False, True])
def test_a_message_that_could_not_be_handled_is_not_acknowledged_and_no_text_is_logged(
    clock: Clock, logged: list[Any], later: bool
) -> None:
    one, other = End(clock), End(clock)
    handling: Deferred[None] = Deferred()
    other.handled = [handling if later else ValueError("a secret text")]
    told = fate(one.channel.send("m1", sealed()))
    exchange(one, other)
    if later:
        handling.errback(ValueError("a secret text"))
        exchange(one, other)
    clock.advance(PATIENCE)
    assert told == ["nothing was acknowledged for 5 seconds"]
    assert "ValueError" in str(logged)
    assert "secret" not in str(logged)


def test_without_an_acknowledgement_for_five_seconds_the_link_is_closed_and_all_is_given_back_in_order(
    clock: Clock,
) -> None:
    one = End(clock)
    order: list[str] = []
    for key in ("m1", "m2"):
        one.channel.send(key, sealed()).addErrback(lambda failure, key=key: order.append(key))
    one.channel.pauseProducing()
    one.channel.send("m3", sealed()).addErrback(lambda failure: order.append("m3"))
    clock.advance(PATIENCE - 0.1)
    assert order == []
    clock.advance(0.1)
    assert order == ["m1", "m2", "m3"]
    assert one.socket.aborted
    assert one.lost == ["nothing was acknowledged for 5 seconds"]
    one.end()
    assert len(one.lost) == 1


def test_packets_dropped_both_ways_mean_the_relay_on_both_sides(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    sent = fate(one.channel.send("m1", sealed())), fate(other.channel.send("m2", sealed()))
    one.take(), other.take()  # lost
    clock.advance(PATIENCE)
    assert sent == (["nothing was acknowledged for 5 seconds"],) * 2
    assert one.socket.aborted
    assert other.socket.aborted


def test_a_lost_acknowledgement_gives_back_what_has_arrived_and_the_other_side_drops_the_second(clock: Clock) -> None:
    seen = SeenMessages()
    one, other = End(clock), End(clock, seen)
    told = fate(one.channel.send("m1", sealed("x")))
    other.link.dataReceived(one.take())
    other.take()  # lost
    one.end()
    assert told == ["it was lost"]
    one, again = End(clock), End(clock, seen)
    told = fate(one.channel.send("m1", sealed("x")))
    exchange(one, again)
    assert told == ["arrived"]
    assert other.envelopes == [("m1", sealed("x"))]
    assert again.envelopes == []


def test_the_same_id_with_other_bytes_is_no_duplicate(clock: Clock) -> None:
    seen = SeenMessages()
    for body in ("x", "y"):
        one, other = End(clock), End(clock, seen)
        one.channel.send("m1", sealed(body))
        exchange(one, other)
        assert other.envelopes == [("m1", sealed(body))]


def test_a_duplicate_is_known_only_once_the_first_was_handled(clock: Clock) -> None:
    seen = SeenMessages()
    one, other = End(clock), End(clock, seen)
    other.handled = [ValueError()]
    fate(one.channel.send("m1", sealed()))
    exchange(one, other)
    one, other = End(clock), End(clock, seen)
    fate(one.channel.send("m1", sealed()))
    exchange(one, other)
    assert other.envelopes == [("m1", sealed())]


def test_only_so_many_messages_are_remembered() -> None:
    seen = SeenMessages()
    for number in range(MOST_REMEMBERED + 1):
        seen.add((str(number), b""))
    assert ("0", b"") not in seen
    assert ("1", b"") in seen


@pytest.mark.parametrize("cut", [0, 3, 5, 20, -1])
def test_a_link_lost_in_the_middle_of_a_message_gives_it_back_and_passes_nothing_on(clock: Clock, cut: int) -> None:
    one, other = End(clock), End(clock)
    told = fate(one.channel.send("m1", sealed("x" * 40)))
    other.link.dataReceived(one.take()[:cut])
    one.end()
    other.end()
    assert told == ["it was lost"]
    assert other.envelopes == []
    assert other.lost == ["it was lost"]
    assert clock.getDelayedCalls() == []


def test_an_acknowledgement_of_something_unknown_does_nothing(clock: Clock) -> None:
    one = End(clock)
    told = fate(one.channel.send("m1", sealed()))
    one.link.dataReceived(frame(ACK, b"m2") + frame(ACK, b"\xff") + frame(CHUNK_DONE))
    assert told == []
    one.link.dataReceived(frame(ACK, b"m1") * 2)
    assert told == ["arrived"]


def test_a_chunk_cannot_be_acknowledged_as_a_message_nor_the_other_way_round(clock: Clock) -> None:
    one = End(clock)
    chunk, message = fate(one.channel.send_chunk(b"x")), fate(one.channel.send("c1", sealed()))
    one.link.dataReceived(frame(ACK, b"c1"))
    assert (chunk, message) == ([], ["arrived"])
    one.link.dataReceived(frame(CHUNK_DONE))
    assert chunk == ["arrived"]


def test_after_the_end_everything_is_given_back_at_once(clock: Clock) -> None:
    one = End(clock)
    one.end()
    assert returned(one.channel.send("m1", sealed()))
    assert returned(one.channel.send_chunk(b"x"))


def test_closing_gives_back_what_is_not_acknowledged_after_the_loss_was_told(clock: Clock) -> None:
    one = End(clock)
    told: list[list[str]] = []
    one.channel.send("m1", sealed()).addErrback(lambda failure: told.append(list(one.lost)))
    one.channel.close("you ended it")
    assert told == [["you ended it"]]
    assert one.socket.disconnecting


# ---- a slow link, an idle link ---------------------------------------------------------------------------------------


def test_a_slow_link_is_told_from_a_dead_one_by_what_the_other_side_received(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    told = fate(one.channel.send_chunk(bytes(10 * REPORT_EVERY)))
    data = one.take()
    for start in range(0, len(data), REPORT_EVERY):
        clock.advance(PATIENCE - 1)
        other.link.dataReceived(data[start : start + REPORT_EVERY])
        one.link.dataReceived(other.take())
    assert told == ["arrived"]
    assert one.lost == []


def test_reports_without_progress_do_not_count(clock: Clock) -> None:
    one = End(clock)
    told = fate(one.channel.send_chunk(bytes(1000)))
    one.link.dataReceived(frame(RECEIVED, (500).to_bytes(8, "big")))
    clock.advance(PATIENCE - 1)
    one.link.dataReceived(frame(RECEIVED, (500).to_bytes(8, "big")))
    one.link.dataReceived(frame(PING) * 3)
    clock.advance(1)
    assert told == ["nothing was acknowledged for 5 seconds"]


def test_a_message_that_has_arrived_whole_gets_no_more_time(clock: Clock) -> None:
    one = End(clock)
    message = fate(one.channel.send("m1", sealed()))
    size = len(one.take())
    one.link.dataReceived(frame(RECEIVED, size.to_bytes(8, "big")))
    clock.advance(PATIENCE - 1)
    fate(one.channel.send_chunk(bytes(1000)))
    one.link.dataReceived(frame(RECEIVED, (size + 500).to_bytes(8, "big")))
    clock.advance(1)
    assert message == ["nothing was acknowledged for 5 seconds"]


@pytest.mark.parametrize("payload", [(10**6).to_bytes(8, "big"), b"\xff" * 8, b"", b"\0" * 7])
def test_a_report_of_more_than_we_sent_is_hostile(clock: Clock, payload: bytes) -> None:
    one = End(clock)
    one.link.dataReceived(frame(RECEIVED, payload))
    assert one.socket.aborted


def test_an_idle_link_is_asked_for_a_sign_of_life_and_stays(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    for _ in range(10):
        clock.advance(IDLE)
        exchange(one, other)
    assert one.lost == other.lost == []
    assert one.channel.bytes_received > 0


def test_an_idle_link_whose_other_side_is_gone_ends(clock: Clock) -> None:
    one = End(clock)
    clock.advance(IDLE - 0.1)
    assert one.take() == b""
    clock.advance(0.1)
    assert one.take() == frame(PING)
    clock.advance(PATIENCE)
    assert one.lost == ["nothing was acknowledged for 5 seconds"]
    assert one.socket.aborted


def test_a_message_after_a_long_silence_has_five_seconds_and_no_more(clock: Clock) -> None:
    one = End(clock)
    clock.advance(IDLE - 1)
    told = fate(one.channel.send("m1", sealed()))
    clock.advance(PATIENCE - 0.1)
    assert told == []
    clock.advance(0.1)
    assert told == ["nothing was acknowledged for 5 seconds"]


# ---- bounds ----------------------------------------------------------------------------------------------------------


def test_messages_wait_while_the_network_takes_nothing_more_and_go_on_in_order(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    one.socket.producer.pauseProducing()
    told = [fate(one.channel.send(f"m{number}", sealed())) for number in range(3)]
    assert one.take() == b""
    one.socket.producer.resumeProducing()
    exchange(one, other)
    assert [key for key, envelope in other.envelopes] == ["m0", "m1", "m2"]
    assert told == [["arrived"]] * 3


def test_at_most_eight_chunks_are_under_way(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    waiting: list[Any] = [Deferred() for _ in range(CHUNK_WINDOW + 2)]
    other.handled = list(waiting)
    told = [fate(one.channel.send_chunk(bytes([number]))) for number in range(CHUNK_WINDOW + 2)]
    assert len(one.socket.value()) == CHUNK_WINDOW * len(frame(CHUNK, b"x"))
    exchange(one, other)
    assert len(other.chunks) == CHUNK_WINDOW
    assert other.socket.producerState == "paused"
    waiting[0].callback(None)
    exchange(one, other)
    assert told[0] == ["arrived"]
    assert len(other.chunks) == CHUNK_WINDOW + 1
    for handling in waiting[1:]:
        handling.callback(None)
    exchange(one, other)
    assert told == [["arrived"]] * (CHUNK_WINDOW + 2)
    assert other.socket.producerState == "producing"


def test_at_most_so_many_messages_are_under_way(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    waiting: list[Any] = [Deferred() for _ in range(WINDOW + 1)]
    other.handled = list(waiting)
    for number in range(WINDOW + 1):
        fate(one.channel.send(f"m{number}", sealed()))
    exchange(one, other)
    assert len(other.envelopes) == WINDOW
    waiting[5].callback(None)
    exchange(one, other)
    assert len(other.envelopes) == WINDOW + 1


def test_a_side_that_ignores_the_window_is_read_only_as_far_as_we_can_handle(clock: Clock) -> None:
    other = End(clock)
    other.handled = [Deferred() for _ in range(100)]
    other.link.dataReceived(frame(CHUNK, b"x") * 50)
    assert len(other.chunks) == CHUNK_WINDOW
    assert other.socket.producerState == "paused"


def test_a_full_queue_gives_back_what_is_too_much(clock: Clock) -> None:
    one = End(clock)
    one.channel.pauseProducing()
    told = [fate(one.channel.send(f"m{number}", sealed())) for number in range(MOST_QUEUED)]
    assert returned(one.channel.send("one more", sealed()))
    assert not any(told)


def test_the_same_id_is_not_sent_twice_at_once(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    told = fate(one.channel.send("m1", sealed()))
    assert returned(one.channel.send("m1", sealed()))
    exchange(one, other)
    assert told == ["arrived"]
    assert fate(one.channel.send("m1", sealed())) == []


@pytest.mark.parametrize("key", ["", "x" * (LONGEST_ID + 1)])
def test_a_message_without_a_proper_id_is_given_back(clock: Clock, key: str) -> None:
    assert returned(End(clock).channel.send(key, sealed()))


def test_what_fits_into_no_frame_is_given_back(clock: Clock) -> None:
    one = End(clock)
    assert returned(one.channel.send("m1", sealed("x" * 16384)))
    assert returned(one.channel.send_chunk(bytes((2 << 20) + 1)))
    assert one.take() == b""


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{",
        b"[]",
        b'{"id":1,"envelope":{}}',
        b'{"id":"","envelope":{}}',
        b'{"id":"m1","envelope":[]}',
        b'{"id":"m1"}',
        b'{"id":"' + b"x" * 65 + b'","envelope":{}}',
        b'{"id":"m1","envelope":' + b"[" * 10000 + b"]" * 10000 + b"}",
    ],
)
def test_a_message_that_cannot_be_read_ends_the_link(clock: Clock, payload: bytes) -> None:
    other = End(clock)
    other.link.dataReceived(frame(ENVELOPE, payload))
    assert other.socket.aborted
    assert other.envelopes == []


def test_a_side_that_sends_and_never_reads_ends_the_link(clock: Clock) -> None:
    one = End(clock)
    one.socket.producer.pauseProducing()
    for _ in range(MOST_UNREAD // 13):
        one.link.dataReceived(frame(PING))
    assert not one.socket.aborted
    one.link.dataReceived(frame(PING) * 5)
    assert one.socket.aborted


def test_bytes_are_counted_on_both_sides(clock: Clock) -> None:
    one, other = End(clock), End(clock)
    one.channel.send("m1", sealed("x"))
    exchange(one, other)
    assert one.channel.bytes_sent == other.channel.bytes_received > 0
    assert other.channel.bytes_sent == one.channel.bytes_received > 0


def test_no_representation_shows_what_is_carried(clock: Clock) -> None:
    one = End(clock)
    one.channel.pauseProducing()
    one.channel.send("m1", sealed("ciphertext")).addErrback(lambda failure: None)
    assert "ciphertext" not in repr(one.channel._queue)
