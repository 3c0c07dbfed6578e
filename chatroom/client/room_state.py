"""The room that the client is in, its members, and which of its events were already shown.

Each event is shown once and in order, also over reconnections.
"""

from __future__ import annotations

from collections import OrderedDict

from chatroom.model import events as e
from chatroom.model import replies as a

MOST_USERS = 20_000  # members of a room whose names are kept
MOST_PRIVATE = 2000  # events of the inbox that are remembered as shown


class RoomState:
    """Follows one room: its members, and the last event that was shown.

    Attributes:
        room: The name of the room; empty outside every room.
        users: The names of its members, ours included.
        after: The seq (the number of an event in the room's log) up to which everything in the room was shown.
        writer: The id of the author of the last private message; empty if there was none.
        missed: The seq after which we miss events that the server does not send unasked; None if we miss none.
    """

    def __init__(self) -> None:
        self.room = ""
        self.users: list[str] = []
        self.after = 0
        self.writer = ""
        self.missed: int | None = None
        self._id = ""
        self._replayed = 0  # events below this seq were stored before we first joined
        self._arrived = 0  # the seq of our own join; earlier events do not change the members
        self._shown: OrderedDict[tuple[str, str], None] = OrderedDict()

    @property
    def seen(self) -> int:
        """The seq after which the server is to send everything when we join again."""
        return self.after or self._arrived

    # ---- joining and leaving ---------------------------------------------------------------------------------------

    def enter(self, event: a.Entered) -> None:
        """Start following a room that we joined; its history is shown even if it was shown in an earlier stay."""
        self._id = event.room_id
        self.room = event.room
        self._join(event)
        self.after = 0
        self._replayed = event.seq

    def rejoin(self, event: a.Entered) -> bool:
        """Follow the room after we joined it again on a new connection.

        Args:
            event: The answer to our ``join``.

        Returns:
            Whether some of the missed events are no longer stored.
        """
        # Another room of the same name, or a log that was restored from a backup: our seqs mean nothing in its log.
        strange = event.room_id != self._id or event.seq < self.after
        self.missed = None if strange or event.complete else self.seen
        self._replayed = 0
        self._id = event.room_id
        self._join(event)
        if strange:
            self.after = 0
        return strange or event.gone

    def _join(self, event: a.Entered) -> None:
        self._arrived = event.seq
        self.users = event.users[:MOST_USERS]

    def caught_up(self) -> None:
        """Note that everything stored before our join was shown."""
        self.after = max(self.after, self._arrived)

    def leave(self) -> None:
        """Note that we are in no room any more."""
        self.room = ""
        self.users = []
        self.after = 0

    # ---- events ----------------------------------------------------------------------------------------------------

    def fresh(self, event: e.Event) -> bool:
        """Return whether an event was not shown before; from now on the event counts as shown."""
        if e.of_inbox(event):
            return self._fresh_of_inbox(event)
        if not isinstance(event, e.RoomEvent) or event.room != self.room or not event.seq:
            return True
        if event.seq <= self.after:
            return False
        self.after = event.seq
        return True

    def replayed(self, event: e.Event) -> bool:
        """Return whether an event is from the room's history before we first joined, and so is no news."""
        if not isinstance(event, e.RoomEvent) or event.room != self.room or e.of_inbox(event):
            return False
        return 0 < event.seq < self._replayed

    def _fresh_of_inbox(self, event: e.Mail) -> bool:
        """Do ``fresh`` for an event of our inbox."""
        # Author and id identify an event. Its seq does not: mail that waited for a guest's name has the seq of
        # another log.
        key = event.by_id, event.id
        fresh = key not in self._shown
        if fresh and isinstance(event, e.Private):
            self.writer = event.by_id
        self._shown[key] = None
        if len(self._shown) > MOST_PRIVATE:
            self._shown.popitem(last=False)
        return fresh

    def apply(self, event: e.Event, me: str) -> None:
        """Update the members by an event, and leave the room if the event puts us out of it.

        Args:
            event: Any event.
            me: Our name.
        """
        if not isinstance(event, e.RoomEvent) or event.room != self.room or event.seq <= self._arrived:
            return
        if isinstance(event, e.Joined):
            if event.by not in self.users and len(self.users) < MOST_USERS:
                self.users.append(event.by)
        elif isinstance(event, e.MemberGone):
            self._gone(event.by)
        elif isinstance(event, e.Renamed):
            self.rename(event.by, event.name)
        elif isinstance(event, e.MemberRemoved):
            self._gone(event.user)
            if event.user == me:
                self.leave()
        elif isinstance(event, e.Closed):
            self.leave()

    def rename(self, old: str, new: str) -> None:
        """Give a member a new name."""
        self.users = [new if name == old else name for name in self.users]

    def _gone(self, name: str) -> None:
        if name in self.users:
            self.users.remove(name)
