"""What is sealed for a room is read only in its place: its room, under its id, from its author's device."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.room_messages import RoomCiphertext
from chatroom.client.crypto.room_plaintext import (
    RoomPlaintext,
    SessionEnd,
    UnusedIndex,
    mark_of,
    read_plaintext,
    write_plaintext,
)

PLACE = RoomCiphertext("room-1", "id-1", ("alice", "A"), "sid", "ct", 7)
PLAIN = RoomPlaintext(1_800_000_000_000, {"text": "hi"})
FIRST = b'{"body":{"text":"hi"},"from":["alice","A"],"id":"id-1","room":"room-1","ts":1800000000000,"type":"msg","v":1}'


def written(place: RoomCiphertext = PLACE, plain: RoomPlaintext = PLAIN) -> bytes:
    """Write a text for a place."""
    return write_plaintext(place.room, place.sender, place.id, plain)


def refusal(raw: bytes, place: RoomCiphertext = PLACE) -> str:
    """Return the code with which a text is refused."""
    with pytest.raises(CryptoRefusal) as refused:
        read_plaintext(raw, place)
    return refused.value.code


@pytest.mark.parametrize("raw", [written(), FIRST, FIRST + b"  "])
def test_a_text_of_each_version_is_read_in_its_place(raw: bytes) -> None:
    assert read_plaintext(raw, PLACE) == PLAIN


@pytest.mark.parametrize("raw", [written(), FIRST])
@pytest.mark.parametrize(
    "moved",
    [
        {"room": "room-2"},
        {"id": "id-2"},
        {"sender": ("mallory", "A")},
        {"sender": ("alice", "B")},
        {"sender": ("aliceA", "")},
        {"room": "room-1id-1", "id": ""},
        {"id": "\ud800"},
    ],
)
def test_a_text_of_each_version_is_refused_in_any_other_place(raw: bytes, moved: dict[str, Any]) -> None:
    assert refusal(raw, replace(PLACE, **moved)) == "moved"


@pytest.mark.parametrize("at", range(1, 17))
def test_each_byte_of_the_hash_counts(at: int) -> None:
    raw = bytearray(written())
    raw[at] ^= 1
    assert refusal(bytes(raw)) == "moved"


@pytest.mark.parametrize("kind", ["msg", "me", "edit", "react", "file"])
def test_the_type_is_sealed(kind: str) -> None:
    assert read_plaintext(written(plain=RoomPlaintext(1, {}, kind)), PLACE).type == kind


HEAD = written()[:17]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "unreadable"),
        (b"no JSON", "unreadable"),
        (b"\xff", "unreadable"),
        (b"[1]", "unreadable"),
        (FIRST.replace(b"00,", b"0.5,"), "unreadable"),
        (FIRST.replace(b'"type":"msg",', b""), "unreadable"),
        (FIRST.replace(b'"v":1', b'"v":2'), "too-new"),
        (HEAD[:9], "moved"),
        (HEAD, "unreadable"),
        (HEAD + b"[1.5,{}]", "unreadable"),
        (HEAD + b"[1]", "unreadable"),
        (HEAD + b'[1,{},""]', "unreadable"),
        (HEAD + b'{"ts":1,"body":{}}', "unreadable"),
        (HEAD + b'[1,{},"msg",[],["m",0]]', "unreadable"),
        (HEAD + b'[1,{},"msg",[],["m",1001]]', "unreadable"),
        (HEAD + b'[1,{},"msg",[],["m"]]', "unreadable"),
        (HEAD + b"\xff", "unreadable"),
        (b"\0" + HEAD[1:] + b"[1,{}]", "too-new"),
        (b"\x03" + HEAD[1:] + b"[1,{}]", "too-new"),
    ],
)
def test_what_is_not_written_as_it_must_be_is_refused(raw: bytes, code: str) -> None:
    assert refusal(raw) == code


@given(st.text("abc", max_size=67))
def test_any_text_of_up_to_67_bytes_takes_one_step(text: str) -> None:
    plain = RoomPlaintext(1_800_000_000_000, {"text": text})
    place = RoomCiphertext("r" * 128, "i" * 128, ("u" * 128, "ABCDEFGHIJ"), "", "")
    assert len(written(place, plain)) == 111
    assert read_plaintext(written(place, plain), place) == plain


@given(st.text("abc", max_size=40))
def test_any_text_of_up_to_40_bytes_takes_one_step_beside_the_end_of_the_session_before(text: str) -> None:
    plain = RoomPlaintext(1_800_000_000_000, {"text": text}, before=SessionEnd(mark_of("a session"), 100))
    assert len(written(plain=plain)) == 111
    assert read_plaintext(written(plain=plain), PLACE) == plain


def test_the_end_of_the_session_before_is_sealed() -> None:
    unused = (UnusedIndex(3), UnusedIndex(4, "sid", 5))
    for each in (SessionEnd("mark", 7), SessionEnd("mark", 7, unused)):
        plain = RoomPlaintext(1, {}, unused=unused, before=each)
        assert read_plaintext(written(plain=plain), PLACE) == plain


def test_a_text_of_68_bytes_takes_another_step() -> None:
    assert len(written(plain=RoomPlaintext(1_800_000_000_000, {"text": "x" * 68}))) == 223


def test_nothing_secret_is_in_a_repr() -> None:
    assert repr(PLAIN) == "<RoomPlaintext msg>"
