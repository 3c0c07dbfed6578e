"""Sealing a file piece by piece, and opening only what was sealed."""

from __future__ import annotations

import hashlib
import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec.structs import replace

from chatroom.client.crypto import file_cipher
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_cipher import (
    LARGEST,
    PIECE,
    TAG,
    FileHead,
    FileOpener,
    FileSealer,
    bytes_of_piece,
    pieces_of,
    sealed_size,
)
from chatroom.model.shared_files import CHUNK, bytes_of, chunks_of
from chatroom.model.signed_bytes import canonical

DATA = os.urandom(2 * PIECE + 1000)


def sealer_of(data: bytes) -> tuple[FileSealer, list[bytes]]:
    """Return a sealer that has read the data, and the sealed pieces."""
    sealer = FileSealer(len(data), os.urandom)
    return sealer, [sealer.seal(index, piece(data, index)) for index in range(pieces_of(len(data)))]


def piece(data: bytes, index: int) -> bytes:
    """Return a piece of the data."""
    return data[index * PIECE : (index + 1) * PIECE]


def refused(code: str, call: object, *args: object) -> None:
    """Assert that a call is refused."""
    with pytest.raises(CryptoRefusal) as caught:
        call(*args)  # type: ignore[operator]
    assert caught.value.code == code


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_what_was_sealed_is_opened(size: int) -> None:
    data = os.urandom(size)
    sealer, sealed = sealer_of(data)
    opener = FileOpener(sealer.head, sealer.key)
    assert b"".join(opener.open(index, one) for index, one in enumerate(sealed)) == data
    assert opener.complete
    assert sealer.complete
    assert sealer.sha256 == hashlib.sha256(data).hexdigest()
    assert sealer.sealed_sha256 == hashlib.sha256(b"".join(sealed)).hexdigest()


@pytest.mark.parametrize("size", [1, PIECE - 1, PIECE, PIECE + 1, 3 * PIECE])
def test_sealed_pieces_are_the_chunks_of_the_store(size: int) -> None:
    total = sealed_size(size)
    _, sealed = sealer_of(bytes(size))
    assert sum(map(len, sealed)) == total
    assert chunks_of(total) == pieces_of(size)
    assert [len(one) for one in sealed] == [bytes_of(total, index) for index in range(chunks_of(total))]
    assert CHUNK == PIECE + TAG


def test_the_rest_of_a_file_is_whole_chunks_too() -> None:
    _, sealed = sealer_of(DATA)
    assert sealed_size(len(DATA), 1) == sum(map(len, sealed[1:]))
    assert sealed_size(len(DATA), 2) == len(sealed[2])


# ---- sealing -----------------------------------------------------------------------------------------------------


def test_every_file_has_a_new_key_and_id() -> None:
    one, other = (FileSealer(5, os.urandom) for _ in range(2))
    assert one.key != other.key
    assert one.head.file != other.head.file
    assert len(one.key) == 32


def test_a_piece_is_sealed_again_to_the_same_bytes() -> None:
    sealer, sealed = sealer_of(DATA)
    assert sealer.seal(1, piece(DATA, 1)) == sealed[1]
    assert sealer.sealed_sha256 == hashlib.sha256(b"".join(sealed)).hexdigest()


@pytest.mark.parametrize("index", [0, 1, 2])
def test_another_text_is_never_sealed_with_the_same_nonce(index: int) -> None:
    sealer, _ = sealer_of(DATA)
    changed = bytearray(piece(DATA, index))
    changed[-1] ^= 1
    refused("file-changed", sealer.seal, index, bytes(changed))
    for again in range(3):  # nor anything else with this key
        refused("file-changed", sealer.seal, again, piece(DATA, again))


@pytest.mark.parametrize("data", [b"", piece(DATA, 2)[:-1], piece(DATA, 2) + b"x"])
def test_a_piece_of_another_length_is_not_sealed(data: bytes) -> None:
    sealer = FileSealer(len(DATA), os.urandom)
    for index in range(2):
        sealer.seal(index, piece(DATA, index))
    refused("file-changed", sealer.seal, 2, data)
    assert not sealer.complete


@pytest.mark.parametrize("index", [-1, 1, 3])
def test_pieces_are_first_sealed_in_order(index: int) -> None:
    refused("out-of-order", FileSealer(len(DATA), os.urandom).seal, index, piece(DATA, 1))
    sealer, _ = sealer_of(DATA)
    refused("out-of-order", sealer.seal, 3, b"")


@pytest.mark.parametrize("size", [0, -1, LARGEST + 1])
def test_an_impossible_size_is_refused(size: int) -> None:
    refused("bad-offer", FileSealer, size, os.urandom)


# ---- opening -----------------------------------------------------------------------------------------------------


def test_a_changed_piece_is_refused_and_the_right_one_taken_then() -> None:
    sealer, sealed = sealer_of(DATA)
    opener = FileOpener(sealer.head, sealer.key)
    for at in (0, 100, -1):
        wrong = bytearray(sealed[0])
        wrong[at] ^= 1
        refused("forged-file", opener.open, 0, bytes(wrong))
    assert opener.open(0, sealed[0]) == piece(DATA, 0)


def test_pieces_in_another_place_are_refused() -> None:
    sealer, sealed = sealer_of(DATA)
    opener = FileOpener(sealer.head, sealer.key)
    refused("forged-file", opener.open, 0, sealed[1])  # swapped
    refused("out-of-order", opener.open, 1, sealed[1])
    opener.open(0, sealed[0])
    refused("out-of-order", opener.open, 0, sealed[0])  # repeated
    refused("forged-file", opener.open, 1, sealed[0])


def test_a_file_cut_short_is_never_complete() -> None:
    sealer, sealed = sealer_of(DATA)
    opener = FileOpener(sealer.head, sealer.key)
    for index in range(2):
        opener.open(index, sealed[index])
    assert not opener.complete
    short = replace(sealer.head, size=2 * PIECE)  # as if the offer had said so
    refused("forged-file", FileOpener(short, sealer.key).open, 0, sealed[0])


def test_the_last_piece_is_known_as_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_cipher, "_digest_of", lambda head: b"")  # only the nonce tells
    sealer, sealed = sealer_of(DATA[: 2 * PIECE])
    opener = FileOpener(replace(sealer.head, size=PIECE), sealer.key)
    refused("forged-file", opener.open, 0, sealed[0])


def test_nothing_can_be_appended() -> None:
    sealer, sealed = sealer_of(DATA)
    opener = FileOpener(sealer.head, sealer.key)
    for index, one in enumerate(sealed):
        opener.open(index, one)
    refused("out-of-order", opener.open, 3, sealed[2])


@pytest.mark.parametrize("change", [lambda one: one[:-1], lambda one: one + b"x", lambda one: b""])
def test_a_piece_of_another_length_is_not_opened(change: object) -> None:
    sealer, sealed = sealer_of(DATA)
    opener = FileOpener(sealer.head, sealer.key)
    refused("forged-file", opener.open, 0, change(sealed[0]))  # type: ignore[operator]


@pytest.mark.parametrize("size", [0, PIECE - 1, PIECE + 1])
def test_a_sender_with_ill_will_cannot_change_the_length_of_a_piece(size: int) -> None:
    sealer, _ = sealer_of(DATA)
    aad = hashlib.sha256(canonical(sealer.head)).digest()
    wrong = AESGCM(sealer.key).encrypt(bytes(12), bytes(size), aad)  # which is authentic
    refused("forged-file", FileOpener(sealer.head, sealer.key).open, 0, wrong)


def test_another_key_or_header_opens_nothing() -> None:
    sealer, sealed = sealer_of(DATA)
    refused("forged-file", FileOpener(sealer.head, os.urandom(32)).open, 0, sealed[0])
    refused("forged-file", FileOpener(replace(sealer.head, file="0" * 32), sealer.key).open, 0, sealed[0])


@pytest.mark.parametrize(
    "change",
    [{"v": 2}, {"alg": "rot13"}, {"chunk": CHUNK + 1}, {"size": 0}, {"size": LARGEST + 1}, {"file": "../x"}],
)
def test_a_header_that_is_not_valid_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(CryptoRefusal):
        FileOpener(replace(FileHead(file="0" * 32, size=5), **change), bytes(32))


def test_opening_goes_on_at_any_piece() -> None:
    sealer, sealed = sealer_of(DATA)
    opener = FileOpener(sealer.head, sealer.key, 2)
    refused("out-of-order", opener.open, 0, sealed[0])
    assert opener.open(2, sealed[2]) == piece(DATA, 2)
    assert opener.complete
    assert bytes_of_piece(len(DATA), 3) == 0


def test_no_key_is_in_a_text() -> None:
    sealer = FileSealer(5, os.urandom)
    opener = FileOpener(sealer.head, sealer.key)
    for text in (repr(sealer), repr(opener), str(sealer)):
        assert repr(sealer.key) not in text
        assert sealer.key.hex() not in text
