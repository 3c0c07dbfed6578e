"""Users who have lost the right to speak in a room by a kick, a ban, a mute or the end of the room.

In a room that was encrypted, nobody may say anything plain.

A message of such a user, an edit or a reaction may already be on its way to the log, from this daemon or from another.
If it is stored after the event that took away the right, it is not shown.
"""

from __future__ import annotations

from chatroom.model.events import (
    Closed,
    Deleted,
    Encrypted,
    Joined,
    Kicked,
    MemberRemoved,
    Muted,
    Opped,
    Reacted,
    RoomEvent,
    SealedMessage,
    Shared,
    Unmuted,
)

REMEMBERED = 1000  # users of one room: a message takes seconds to reach the log, and there are fewer kicks in that time


class BarredAuthors:
    """The users of one room whose messages are not shown. The object is true if any messages are not to be shown."""

    __slots__ = ("_closed", "_encrypted", "_muted", "_out")

    def __init__(self) -> None:
        self._closed = False
        self._encrypted = False
        self._out: dict[str, None] = {}  # user ids, in the order of removal
        self._muted: dict[str, int] = {}  # end of the mute by user id, in milliseconds since 1970 (0: for good)

    def __bool__(self) -> bool:
        return self._closed or self._encrypted or bool(self._out or self._muted)

    def note(self, event: RoomEvent) -> None:
        """Apply an event of the log: note the user who loses the right to speak by it, or gets the right back."""
        if isinstance(event, Closed):
            self._closed = True
        elif isinstance(event, Encrypted):
            self._encrypted = True
        elif isinstance(event, Kicked) and event.session:
            pass  # the room knows whether the user has another session there, and calls ``put_out`` if not
        elif isinstance(event, MemberRemoved) and event.user_id:
            self.put_out(event.user_id)
        elif isinstance(event, Joined):
            self._out.pop(event.by_id, None)
        elif isinstance(event, Muted) and event.user_id:
            self._muted[event.user_id] = event.until
            _shorten(self._muted)
        elif isinstance(event, Unmuted | Opped):
            self._muted.pop(event.user_id, None)

    def put_out(self, user_id: str) -> None:
        """Hide the messages of a user who was removed from the room, until the user joins again."""
        self._out[user_id] = None
        _shorten(self._out)

    def bar_plain(self) -> None:
        """Hide messages that are not sealed, because the room is encrypted."""
        self._encrypted = True

    def bars(self, event: RoomEvent) -> bool:
        """Return whether an event comes after one that took away its author's right to speak.

        A deletion, and taking a reaction back, need no right to speak.
        """
        if isinstance(event, Deleted) or (isinstance(event, Reacted) and not event.on):
            return False
        if self._encrypted and not is_sealed(event):
            return True
        author = event.by_id
        if self._closed or author in self._out:
            return True
        until = self._muted.get(author)
        return until is not None and (not until or until > event.at)


def is_sealed(event: RoomEvent) -> bool:
    """Return whether an event may be sent to an encrypted room: a sealed message, or a file of encrypted bytes."""
    return isinstance(event, SealedMessage) or (isinstance(event, Shared) and event.sealed)


def _shorten(users: dict[str, None] | dict[str, int]) -> None:
    """Forget the user who was noted first, if there are too many."""
    if len(users) > REMEMBERED:
        del users[next(iter(users))]
