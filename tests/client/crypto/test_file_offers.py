"""Offers of encrypted files: which are believed, and which are kept."""

from __future__ import annotations

import os
from typing import Any

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from chatroom.client.crypto import file_offers
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_cipher import FileSealer
from chatroom.client.crypto.file_offers import FileOffer, SealedFiles, offer_of, read_offer
from chatroom.client.crypto.rows import MemoryRows


def an_offer(file: str = "q3w9", name: str = "notes.txt") -> FileOffer:
    """Return an offer of a file of five bytes."""
    sealer = FileSealer(5, os.urandom)
    sealer.seal(0, b"hello")
    return offer_of(sealer, file, name)


def body(**changes: Any) -> dict[str, Any]:
    """Return the body of an offer, changed."""
    return {**to_builtins(an_offer()), **changes}


def test_an_offer_is_read_back() -> None:
    offer = an_offer()
    assert read_offer(to_builtins(offer)) == offer
    assert read_offer({**to_builtins(offer), "to": ["id", "bob"], "later": 1}) == offer


@pytest.mark.parametrize(
    "changes",
    [
        {"file": ""},
        {"file": "a b"},
        {"file": "x" * 65},
        {"name": 5},
        {"name": "x" * 2000},
        {"size": 6},
        {"size": True},
        {"sha256": "0" * 63},
        {"key": "A" * 42},
        {"key": "A" * 42 + "B"},  # bits that base64 does not use
        {"key": "!" * 43},
        {"head": {}},
        {"head": {"file": "0" * 32, "size": 5, "v": 2}},
        {"head": {"file": "0" * 32, "size": 0}, "size": 0},
        {"first": -1},
        {"first": 1},
    ],
    ids=str,
)
def test_an_offer_that_is_not_valid_is_refused(changes: dict[str, Any]) -> None:
    assert read_offer(body())
    with pytest.raises(CryptoRefusal):
        read_offer(body(**changes))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("../../etc/passwd", "passwd"),
        (".bashrc", "bashrc"),
        ("a\x1b]0;x\x07b\rc\nd", "abcd"),
        ("gpj\u202eexe.txt", "gpjexe.txt"),
        ("x" * 300 + ".txt", "x" * 96 + ".txt"),
    ],
)
def test_the_name_of_an_offer_is_made_safe(name: str, clean: str) -> None:
    assert read_offer(body(name=name)).name == clean


def test_neither_key_nor_name_is_in_a_text() -> None:
    offer = an_offer(name="canary.txt")
    files = SealedFiles(MemoryRows())
    files.add("ann", offer)
    kept = next(iter(files._kept.values()))
    for text in (repr(offer), str(offer), repr(kept), repr(files), f"{[offer]}"):
        assert offer.key not in text
        assert "canary" not in text


def test_offers_are_known_after_a_restart() -> None:
    rows, offer = MemoryRows(), an_offer()
    files = SealedFiles(rows)
    assert files.add("ann", offer)
    assert not files.add("ann", offer)
    again = SealedFiles(rows)
    assert again.get("q3w9", "ann") == offer
    assert again.get("q3w9", "bob") is None
    again.forget("q3w9", "ann")
    again.forget("q3w9", "ann")
    assert SealedFiles(rows).get("q3w9", "ann") is None


def test_nobody_replaces_an_offer() -> None:
    files, offer = SealedFiles(MemoryRows()), an_offer()
    files.add("ann", offer)
    with pytest.raises(CryptoRefusal):
        files.add("ann", an_offer())
    files.add("mallory", an_offer())  # which is another file, as far as anybody knows
    assert files.get("q3w9", "ann") == offer


def test_the_oldest_offers_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_offers, "MOST", 6)
    monkeypatch.setattr(file_offers, "MOST_OF_ONE", 3)
    rows, offer = MemoryRows(), an_offer()
    files = SealedFiles(rows)
    files.add("ann", offer)
    for number in range(10):
        files.add("mallory", replace(offer, file=f"m{number}"))
    assert files.get("q3w9", "ann") is not None
    assert (len(files), files.get("m6", "mallory")) == (4, None)
    files = SealedFiles(rows)  # the order is kept
    for number in range(3):
        files.add("bob", replace(offer, file=f"b{number}"))
    assert (len(files), len(rows.keys(file_offers.TABLE))) == (6, 6)
    assert files.get("q3w9", "ann") is None
    assert files.get("m7", "mallory") is not None


def test_a_row_of_a_newer_version_is_left_alone() -> None:
    rows = MemoryRows()
    rows.put(file_offers.TABLE, "x ann", b'{"number": "new"}')
    assert len(SealedFiles(rows)) == 0
    assert rows.keys(file_offers.TABLE) == ["x ann"]
