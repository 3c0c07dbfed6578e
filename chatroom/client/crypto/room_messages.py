"""The messages of encrypted rooms as the server delivers them, and the keys of their sessions.

A *session* is a run of messages that one device sealed with one Megolm ratchet; ``sid`` names it, and is the public key
that signs its messages.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Annotated, TypeVar

from msgspec import Meta, Struct, ValidationError, convert

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.model.signed_bytes import canonical

DeviceId = tuple[str, str]  # user id, device

LONGEST_SESSION = 1000  # messages that are opened of one session; honest devices begin a new one after 100
LONGEST_ID = 128  # characters of an id of a room, a user or a message
LONGEST_KEY = 400  # characters of a session's key; vodozemac's have 306, exported ones 220
LONGEST_CIPHERTEXT = 12_000  # characters of ``ct``, as the server takes them

_Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
_Index = Annotated[int, Meta(ge=0, lt=LONGEST_SESSION)]


class RoomKey(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of ``room.key``: the key of a session from an index on. Only an answer to a request has ``owner``."""

    room: _Id
    sid: _Id
    key: Annotated[str, Meta(max_length=LONGEST_KEY)]
    index: _Index
    owner: tuple[_Id, _Id] | None = None

    def __repr__(self) -> str:
        return f"<RoomKey of {self.room} from {self.index}>"


class RoomKeyRequest(Struct, frozen=True, kw_only=True):
    """The body of ``room.key.request``: which session's key is missing."""

    room: _Id
    sid: _Id
    owner: tuple[_Id, _Id]


@dataclass(frozen=True, slots=True)
class SessionName:
    """Names a session as one owner's. Each claim to own a session is kept apart, so no claim can replace another.

    Args:
        room: The room's id.
        sid: The session's id.
        owner: The device that sent us the session's key, or that a file of keys names.
    """

    room: str
    sid: str
    owner: DeviceId

    def key(self) -> str:
        """Return the name as the key of a row."""
        return canonical([self.room, self.sid, *self.owner]).decode()


@dataclass(frozen=True, slots=True)
class RoomCiphertext:
    """A sealed message as the server delivers it; the server may have written anything into it.

    Args:
        room: The room's id.
        id: The message's id.
        sender: The user id and device that the server names.
        sid: The session.
        ct: The sealed text.
        seq: The message's number in the room's log; under another one it is another message, and a replay.
    """

    room: str
    id: str
    sender: DeviceId
    sid: str
    ct: str = field(repr=False)
    seq: int = 0

    def name(self) -> SessionName:
        """Return the session that must open it."""
        return SessionName(self.room, self.sid, self.sender)

    def digest(self) -> bytes:
        """Return what binds an index of the session to this message and no other: 32 bytes."""
        return sha256(f"{self.id}\0{self.seq}\0{self.ct}".encode("utf-8", "replace")).digest()


_Body = TypeVar("_Body", RoomKey, RoomKeyRequest)


def read_body(body: object, kind: type[_Body]) -> _Body:
    """Return the body of an envelope as one kind of body.

    Raises:
        CryptoRefusal: It is not of that kind.
    """
    try:
        return convert(body, kind)
    except ValidationError:
        raise CryptoRefusal("bad-key", "a room key or a request for one is not written as it must be") from None
