"""The two halves of a file's way over a direct link, which can be cut anywhere."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from client.files.friends import ByHand, write
from client.files.links import End, MemoryLink
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from chatroom.client.crypto.file_cipher import PIECE
from chatroom.client.crypto.file_offers import FileOffer, offer_of
from chatroom.client.errors import Rejected
from chatroom.client.files import sealed_file
from chatroom.client.files.direct_transfer import (
    DirectReceiver,
    DirectSender,
    Frame,
    FrameKind,
    PathLost,
    pack,
    unpack,
)
from chatroom.client.files.sealed_part import SealedPart
from chatroom.model.shared_files import WINDOW

DATA = os.urandom(20 * PIECE + 5)


class Pair:
    """A sender and a receiver of one file.

    Attributes:
        link: The link between them.
        sent: What has come of the sender's run: None, or an exception.
        got: What has come of the receiver's: the path, or an exception.
    """

    def __init__(self, path: Path, here: Path) -> None:
        self.sealed = sealed_file.seal(path, 0, lambda: True, os.urandom)
        self.here = here
        self.offer: FileOffer = offer_of(self.sealed.sealer, self.sealed.name, path.name)
        self.moved: list[str] = []
        self.sender = DirectSender(self.sealed, maybeDeferred, lambda: self.moved.append("sender"))
        self.new_receiver()

    def new_receiver(self, work: Any = maybeDeferred) -> None:
        """Open the part, as a client that was started again does."""
        self.part = SealedPart(self.offer, "chat.example:8888", self.here, folder=True)
        self.receiver = DirectReceiver(self.sealed.name, self.part, work, lambda: self.moved.append("receiver"))

    def begin(self) -> None:
        """Begin on a new link."""
        self.link = MemoryLink(self.to_sender, self.to_receiver)
        self.link.lost += [self.sender.lost, self.receiver.lost]
        self.sent = box_of(self.sender.run(End(self.link, 0)))
        self.got = box_of(self.receiver.run(End(self.link, 1)))

    def to_sender(self, raw: bytes) -> None:
        """Let the sender hear a frame."""
        frame = unpack(raw)
        assert frame is not None
        self.sender.heard(frame)

    def to_receiver(self, raw: bytes) -> Deferred[None]:
        """Let the receiver hear a frame."""
        frame = unpack(raw)
        assert frame is not None
        return self.receiver.heard(frame)


def box_of(coroutine: Any) -> list[Any]:
    """Return a list that gets the result or the exception."""
    box: list[Any] = []

    def failed(failure: Failure) -> None:
        box.append(failure.value)

    Deferred.fromCoroutine(coroutine).addCallbacks(box.append, failed)
    return box


@pytest.fixture
def pair(tmp_path: Path, here: Path) -> Pair:
    """A sender and a receiver; see above."""
    return Pair(write(tmp_path, DATA), here)


def arrived(pair: Pair) -> bool:
    """Return whether both sides say that the file is there, and it is."""
    return pair.sent == [None] and pair.got == [pair.here / "notes.txt"] and pair.got[0].read_bytes() == DATA


def refused(box: list[Any], code: str) -> str:
    """Return why it was refused."""
    (why,) = box
    assert isinstance(why, Rejected), why
    assert why.code == code
    return why.text


def test_a_file_goes_over_a_link(pair: Pair) -> None:
    pair.begin()
    pair.link.flow()
    assert arrived(pair)
    assert pair.link.pieces() == list(range(21))
    assert pair.moved.count("sender") == pair.moved.count("receiver") == 21
    assert os.listdir(pair.here) == ["notes.txt"]


def test_nothing_is_sent_unasked(tmp_path: Path, here: Path) -> None:
    pair = Pair(write(tmp_path, DATA), here)
    link = MemoryLink(pair.to_sender, pair.to_receiver)
    sent = box_of(pair.sender.run(End(link, 0)))
    assert not link.step()
    assert not sent


def test_no_more_than_the_window_is_under_way(pair: Pair) -> None:
    pair.begin()
    pair.link.step()  # the question
    assert pair.link.most == WINDOW
    pair.link.flow()
    assert pair.link.most <= WINDOW + 1  # and one word of the receiver
    assert arrived(pair)


@pytest.mark.parametrize("after", range(22))
def test_it_goes_on_after_a_cut_where_the_receiver_is(pair: Pair, after: int) -> None:
    pair.begin()
    pair.link.cut_after = after
    pair.link.flow()
    assert [type(one) for one in (*pair.sent, *pair.got)] == [PathLost, PathLost]
    have = pair.part.have
    assert pair.sender.arrived <= have, "the rest from there has all that is missing"
    pair.begin()
    pair.link.flow()
    assert arrived(pair)
    assert pair.link.pieces() == list(range(have, 21))


def test_it_goes_on_after_a_restart_of_the_receiver(pair: Pair) -> None:
    pair.begin()
    pair.link.cut_after = 10
    pair.link.flow()
    pair.part.close()
    pair.new_receiver()
    pair.begin()
    pair.link.flow()
    assert arrived(pair)
    assert pair.link.pieces() == list(range(9, 21))


def test_a_piece_is_acknowledged_after_it_was_written(pair: Pair) -> None:
    by_hand = ByHand()
    pair.part.close()
    pair.new_receiver(by_hand)
    pair.begin()
    pair.link.flow()
    assert pair.sender.arrived == 0
    assert len(pair.link.pieces()) == WINDOW
    by_hand.step()
    assert pair.sender.arrived == 1
    while by_hand.step():
        pair.link.flow()
    assert arrived(pair)


def test_the_cut_may_come_while_a_piece_is_written(pair: Pair) -> None:
    by_hand = ByHand()
    pair.part.close()
    pair.new_receiver(by_hand)
    pair.begin()
    pair.link.flow()
    pair.link.cut()
    assert not pair.got, "it waits for the disk"
    by_hand.step()
    assert isinstance(pair.got[0], PathLost)
    assert pair.part.have == 1
    pair.begin()
    pair.link.flow()
    while by_hand.step():
        pair.link.flow()
    assert arrived(pair)


def test_a_piece_that_was_read_for_an_earlier_question_is_not_sent(pair: Pair) -> None:
    by_hand = ByHand()
    pair.sender = DirectSender(pair.sealed, by_hand, lambda: None)
    pair.begin()
    pair.link.step()  # the question
    assert len(by_hand.waiting) == 1
    pair.sender.heard(Frame(pair.sealed.name, FrameKind.WANT, 5))
    by_hand.step()
    by_hand.step()
    pair.link.step()
    assert pair.link.pieces() == [5]


def test_a_path_that_was_lost_before_does_not_end_the_next_one(pair: Pair) -> None:
    paths = [SlowPath(), SlowPath()]
    for path in paths:
        pair.sent = box_of(pair.sender.run(path))
        pair.sender.heard(Frame(pair.sealed.name, FrameKind.WANT, 0))
        if path is paths[0]:
            pair.sender.lost()
            assert isinstance(pair.sent[0], PathLost)
    paths[0].sent[0].errback(ConnectionError())
    assert not pair.sent
    paths[1].sent[0].errback(ConnectionError())
    assert isinstance(pair.sent[0], PathLost)


def test_the_first_reason_for_an_end_counts(pair: Pair) -> None:
    by_hand = ByHand()
    pair.sender = DirectSender(pair.sealed, by_hand, lambda: None)
    pair.begin()
    pair.link.step()  # the question
    pair.sender.lost()
    pair.sender.cancel(Rejected("cancelled", "too late"))
    by_hand.step()
    assert isinstance(pair.sent[0], PathLost)


class SlowPath:
    """A path on which nothing arrives yet."""

    def __init__(self) -> None:
        self.sent: list[Deferred[None]] = []

    def send(self, frame: bytes) -> Deferred[None]:
        """Send a frame."""
        self.sent.append(Deferred())
        return self.sent[-1]


def change(path: Path, index: int) -> None:
    """Change a byte of a piece; size and time stay."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(index * PIECE)
        byte = file.read(1)
        file.seek(index * PIECE)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_file_that_changed_during_a_cut_is_not_sent_with_the_old_key(pair: Pair, tmp_path: Path) -> None:
    pair.begin()
    pair.link.cut_after = 5
    pair.link.flow()
    change(tmp_path / "notes.txt", 12)
    pair.begin()
    pair.link.flow()
    refused(pair.sent, "file-changed")
    assert "does not send notes.txt any more" in refused(pair.got, "stopped")
    assert max(pair.link.pieces()) < 12
    assert not (pair.here / "notes.txt").exists()


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (lambda frame: Frame(frame.file, frame.kind, frame.index, frame.data[:-1] + b"x"), "forged-file"),
        (lambda frame: Frame(frame.file, frame.kind, frame.index, b""), "forged-file"),
        (lambda frame: Frame(frame.file, frame.kind, frame.index + 1, frame.data), "nonsense"),
        (lambda frame: Frame(frame.file, FrameKind.STOP), "stopped"),
    ],
    ids=["changed", "empty", "one left out", "stopped"],
)
def test_a_sender_with_ill_will_is_refused(pair: Pair, bad: Any, code: str) -> None:
    hear = pair.to_receiver

    def tampered(raw: bytes) -> Deferred[None]:
        frame = unpack(raw)
        assert frame is not None
        return hear(pack(bad(frame) if frame.index == 3 else frame))

    pair.to_receiver = tampered  # type: ignore[method-assign]
    pair.begin()
    pair.link.flow()
    refused(pair.got, code)
    assert not pair.sent, "the sender waits until it is asked again"
    assert pair.sender.arrived == 0
    assert not (pair.here / "notes.txt").exists()


def test_swapped_pieces_are_refused(pair: Pair) -> None:
    pair.begin()
    pair.link.step()
    first, second = pair.sealed.chunk(0), pair.sealed.chunk(1)
    assert first != second
    pair.receiver.heard(Frame(pair.sealed.name, FrameKind.PIECE, 0, second))
    refused(pair.got, "forged-file")


def test_a_piece_that_comes_twice_is_written_once(pair: Pair) -> None:
    pair.begin()
    pair.link.step()
    pair.link.step()
    twice = pair.receiver.heard(Frame(pair.sealed.name, FrameKind.PIECE, 0, b"whatever"))
    assert twice.called, "acknowledged and dropped"
    pair.link.flow()
    assert arrived(pair)


def test_a_receiver_that_cannot_write_stops_the_sender(pair: Pair) -> None:
    pair.begin()
    for _ in range(4):
        pair.link.step()
    (part,) = pair.here.iterdir()
    part.unlink()
    pair.link.flow()
    refused(pair.got, "removed")
    assert not pair.sent
    pair.part.close()
    pair.new_receiver()
    pair.got = box_of(pair.receiver.run(End(pair.link, 1)))
    pair.link.flow()
    assert arrived(pair)


def test_either_side_cancels(pair: Pair) -> None:
    pair.begin()
    for _ in range(4):
        pair.link.step()
    pair.sender.cancel(Rejected("cancelled", "cancelled"))
    pair.link.flow()
    refused(pair.sent, "cancelled")
    refused(pair.got, "stopped")


@pytest.mark.parametrize(
    "raw",
    [b"", bytes(20), bytes(16) + b"\x09" + bytes(4), bytes(16) + b"\xff" + bytes(4)],
    ids=["empty", "short", "unknown", "unknown too"],
)
def test_what_is_no_frame_is_ignored(raw: bytes) -> None:
    assert unpack(raw) is None


def test_a_question_beyond_the_end_is_ignored(pair: Pair) -> None:
    pair.begin()
    pair.sender.heard(Frame(pair.sealed.name, FrameKind.WANT, 22))
    assert pair.sender.arrived == 0
    pair.link.flow()
    assert arrived(pair)


def test_a_flood_of_pieces_is_not_kept(pair: Pair) -> None:
    by_hand = ByHand()
    pair.part.close()
    pair.new_receiver(by_hand)
    pair.begin()
    handled = [pair.receiver.heard(Frame(pair.sealed.name, FrameKind.PIECE, 0, b"x")) for _ in range(50)]
    assert sum(not one.called for one in handled) <= WINDOW + 1
    pair.link.cut()
    by_hand.step()
    assert isinstance(pair.got[0], Rejected | PathLost)
    assert all(one.called for one in handled)
