"""What is sealed in a message of an encrypted room, and that it belongs where the server says.

A session's key alone does not prove who made a message, nor that it is for this room and has this id. So each text is
bound to the room, the device of its author and the id of the message. The present version does that by a hash:

    bytes   what
    -----   -----------------------------------------------------------------------------------------
    1       the version, 2
    16      the beginning of the SHA-256 of room, user id, device and id, in their one canonical text
    others  JSON: a list of the time in milliseconds, the body, the type unless that is ``msg``, and after the type
            the unused indexes of the session if there are any, and then how the session before ended, if that is said

The first version was JSON alone, with all of these names in it. What was sealed in it is still read.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Any, TypeVar

from msgspec import DecodeError as JSONError
from msgspec import Meta, Struct, field
from msgspec.json import Decoder

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.padding import ROOM_PADDING, padded
from chatroom.client.crypto.room_messages import LONGEST_ID, LONGEST_SESSION, DeviceId, RoomCiphertext
from chatroom.model.signed_bytes import b64, canonical, to_sign

VERSION = 2
MOST_UNUSED = 8  # entries about unused indexes in one message
USUAL = "msg"  # the type that is not written

_BINDING = 16  # bytes
_HEAD = 1 + _BINDING
_CONTROL = 0x20  # a first byte below this one is a version; JSON never begins so


class UnusedIndex(Struct, frozen=True, array_like=True):
    """An index of the session that sealed a message which is not in the room's log.

    Args:
        index: The index.
        sid: The session of the same device that sealed the same message before, if that may be in the log instead;
            empty if the server has refused the message.
        before: The index that the message had there.
    """

    index: int
    sid: Annotated[str, Meta(max_length=LONGEST_ID)] = ""
    before: int = 0


class SessionEnd(Struct, frozen=True, array_like=True):
    """How the session ended that the author used in the room before the one that sealed the message.

    Args:
        mark: Stands for the session; see ``mark_of``.
        used: All indexes before this one are in the room's log, but for the unused ones.
        unused: The indexes before it that nobody is to miss.
    """

    mark: Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
    used: Annotated[int, Meta(ge=1, le=LONGEST_SESSION)]
    unused: Annotated[tuple[UnusedIndex, ...], Meta(max_length=MOST_UNUSED)] = ()

    @property
    def stored(self) -> int:
        """How many messages of the session are in the room's log at least."""
        return self.used - len({each.index for each in self.unused if 0 <= each.index < self.used})


def mark_of(sid: str) -> str:
    """Return what stands for a session of one user: 48 bits, because it is said only among the user's own."""
    return b64(sha256(sid.encode()).digest()[:6])


class RoomPlaintext(Struct, frozen=True, array_like=True):
    """What a message of a room says.

    Args:
        ts: The author's time in milliseconds.
        body: What it says, depending on its type.
        type: The kind of message.
        unused: The indexes of the session, up to this message, that nobody is to miss.
        before: How the author's session before this one ended; None if this is not said.
    """

    ts: int
    body: dict[str, Any]
    type: Annotated[str, Meta(min_length=1, max_length=32)] = USUAL
    unused: Annotated[tuple[UnusedIndex, ...], Meta(max_length=MOST_UNUSED)] = ()
    before: SessionEnd | None = None

    def __repr__(self) -> str:
        return f"<RoomPlaintext {self.type}>"


class _First(Struct, frozen=True, kw_only=True):
    """A message of the first version."""

    v: int
    room: str
    sender: tuple[str, str] = field(name="from")
    id: str
    type: Annotated[str, Meta(min_length=1, max_length=32)]
    ts: int
    body: dict[str, Any]


_plaintexts = Decoder(RoomPlaintext)
_firsts = Decoder(_First)


def write_plaintext(room: str, sender: DeviceId, id: str, plain: RoomPlaintext) -> bytes:
    """Return the padded text to seal.

    Args:
        room: The room's id.
        sender: Our device.
        id: The id of the message.
        plain: What it says.

    Raises:
        ValueError: It holds something that has no canonical text.
    """
    said: list[Any] = [plain.ts, plain.body]
    end = plain.before
    if plain.type != USUAL or plain.unused or end is not None:
        said.append(plain.type)
    if plain.unused or end is not None:
        said.append(_written(plain.unused))
    if end is not None:
        said.append([end.mark, end.used, _written(end.unused)] if end.unused else [end.mark, end.used])
    return padded(bytes([VERSION]) + _binding(room, sender, id) + canonical(said), ROOM_PADDING)


def _written(unused: tuple[UnusedIndex, ...]) -> list[list[int | str]]:
    """Return unused indexes as they are written."""
    return [[each.index, each.sid, each.before] if each.sid else [each.index] for each in unused]


def read_plaintext(raw: bytes, sealed: RoomCiphertext) -> RoomPlaintext:
    """Return what an opened message says.

    Args:
        raw: The text.
        sealed: The message as the server gave it.

    Raises:
        CryptoRefusal: ``moved``: it was sealed for another room, id or sender; ``too-new``: it is of a later version;
            ``unreadable``: it is no such text.
    """
    version = raw[0] if raw and raw[0] < _CONTROL else 1
    if version not in (1, VERSION):
        raise _too_new()
    if version == 1:
        return _read_first(raw, sealed)
    if raw[1:_HEAD] != _expected(sealed):
        raise _moved()
    return _decoded(_plaintexts, raw[_HEAD:])


def _read_first(raw: bytes, sealed: RoomCiphertext) -> RoomPlaintext:
    """Return what a message of the first version says."""
    first = _decoded(_firsts, raw)
    if first.v != 1:
        raise _too_new()
    if (first.room, first.id, first.sender) != (sealed.room, sealed.id, sealed.sender):
        raise _moved()
    return RoomPlaintext(first.ts, first.body, first.type)


def _expected(sealed: RoomCiphertext) -> bytes | None:
    """Return the hash that a text must have where the server says it belongs; None if there is no such place."""
    try:
        return _binding(sealed.room, sealed.sender, sealed.id)
    except ValueError:
        return None


def _binding(room: str, sender: DeviceId, id: str) -> bytes:
    """Return what binds a text to its place. 128 bits: nobody finds another place with the same hash.

    Raises:
        ValueError: One of them is no text that UTF-8 can encode.
    """
    return sha256(to_sign("room-message", [room, *sender, id])).digest()[:_BINDING]


_T = TypeVar("_T")


def _decoded(decoder: Decoder[_T], text: bytes) -> _T:
    try:
        return decoder.decode(text)
    except (JSONError, UnicodeDecodeError):
        raise CryptoRefusal("unreadable", "the message was opened, but it is not written as it must be") from None


def _moved() -> CryptoRefusal:
    return CryptoRefusal("moved", "the message was sealed for another place or under another name")


def _too_new() -> CryptoRefusal:
    return CryptoRefusal("too-new", "the message was sealed by a newer version of the program")
