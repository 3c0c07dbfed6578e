"""Why we may not be in an encrypted room: the server only knows that we have no keys there; this client knows why."""

from __future__ import annotations

from msgspec.structs import replace

from chatroom.client.connection import Piece
from chatroom.client.encryption import words
from chatroom.client.encryption.parts import EncryptionParts
from chatroom.client.pending import PendingCommand
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.errors import ENCRYPTED_ROOM, ONLY_SEALED
from chatroom.model.events import Event

NOT_LINKED = "this device is not linked; /devices says how to link it"
NOT_YET = "the server has no keys of this device at the moment; /devices says more, and /join {room} tries again"


def explained(
    event: Event | Piece, waiting: PendingCommand | None, me: str, parts: EncryptionParts | None, problem: str
) -> Event | Piece:
    """Return an event; if it shuts us out of an encrypted room, with our reason in place of the server's.

    Args:
        event: The event.
        waiting: The command that it answers; None if it answers none.
        me: Our name.
        parts: What belongs to our keys; None if we have none here.
        problem: Why we have none; empty if they are on their way.
    """
    if isinstance(event, a.Error) and event.code == ENCRYPTED_ROOM.code and ONLY_SEALED not in event.text:
        room = str(waiting.record.get("room", "")) if waiting is not None else ""
        return replace(event, text=f"{room} is encrypted, and {_why(room, parts, problem)}.") if room else event
    if isinstance(event, e.Kicked) and event.session and event.user == me:
        return replace(event, reason=f"the room is encrypted, and {_why(event.room, parts, problem)}")
    return event


def _why(room: str, parts: EncryptionParts | None, problem: str) -> str:
    """Return why this client cannot follow an encrypted room, and what to do."""
    if parts is None and problem:
        return words.does_not_work(problem).rstrip(".")
    return NOT_YET.format(room=room) if parts is None or parts.ring.contacts.believed else NOT_LINKED
