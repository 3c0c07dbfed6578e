"""A room that the client is in: its members, which of its events were already shown, and what is unread.

Each event is shown once and in order, also over reconnections.
"""

from __future__ import annotations

from chatroom.client.unread_count import UnreadCount
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.unread import is_living, is_mention, living_text

MOST_USERS = 20_000  # members of a room whose names are kept


class RoomState:
    """Follows one room.

    Attributes:
        room: The name of the room; empty if we are not in it.
        users: The names of its members, ours included.
        after: The seq (the number of an event in the room's log) up to which everything in the room was shown.
        missed: The seq after which we miss events that the server does not send unasked; None if we miss none.
        count: Counts the messages of others that we have not read.
        id: The room's id; empty if it is not known.
        encrypted: Whether the server says that the room is encrypted.
        members_rev: The seq of the last event that changed the members, or the devices of a member.
    """

    def __init__(self) -> None:
        self.room = ""
        self.users: list[str] = []
        self.after = 0
        self.missed: int | None = None
        self.count = UnreadCount()
        self.id = ""
        self.encrypted = False
        self.members_rev = 0
        self._replayed = 0  # events below this seq were stored before we first joined
        self._arrived = 0  # the seq of our own join; earlier events do not change the members

    @property
    def seen(self) -> int:
        """The seq after which the server is to send everything when we join again."""
        return self.after or self._arrived

    @property
    def read(self) -> int:
        """The seq of our read mark; 0 if there is none."""
        return self.count.read

    @property
    def unread(self) -> int:
        """How many messages of others we have not read, at most 1000."""
        return self.count.unread

    @property
    def mentions(self) -> int:
        """How many of the unread messages mention us, at most 1000."""
        return self.count.mentions

    # ---- joining and leaving ---------------------------------------------------------------------------------------

    def enter(self, event: a.Entered) -> None:
        """Start following a room that we joined; its history is shown even if it was shown in an earlier stay."""
        self.id = event.room_id
        self.room = event.room
        self._join(event)
        self.after = 0
        self._replayed = event.seq
        self.count.begin(*_counted(event))

    def rejoin(self, event: a.Entered) -> bool:
        """Follow the room after we joined it again on a new connection.

        Args:
            event: The answer to our ``join``.

        Returns:
            Whether some of the missed events are no longer stored.
        """
        self.after = self.seen  # what follows may be lost by another cut before it is told
        # Another room of the same name, or a log that was restored from a backup: our seqs mean nothing in its log.
        strange = event.room_id != self.id or event.seq < self.after
        self.missed = None if strange or event.complete else self.seen
        self._replayed = 0
        self.id = event.room_id
        self._join(event)
        if strange:
            self.after = 0
            self.count.begin(*_counted(event))
        elif event.read:
            self.count.resume(*_counted(event))
        return strange or event.gone

    def _join(self, event: a.Entered) -> None:
        self._arrived = event.seq
        self.encrypted = self.encrypted or event.encrypted
        self.members_rev = max(self.members_rev, event.members_rev)
        self.users = event.users[:MOST_USERS]

    def caught_up(self) -> None:
        """Note that everything stored before our join was shown."""
        self.after = max(self.after, self._arrived)

    def leave(self) -> None:
        """Note that we are not in the room any more."""
        self.room = ""
        self.users = []
        self.after = 0

    # ---- events ----------------------------------------------------------------------------------------------------

    def fresh(self, event: e.RoomEvent) -> bool:
        """Return whether an event of the room was not shown before; from now on the event counts as shown."""
        if not event.seq:
            return True
        if event.seq <= self.after:
            return False
        self.after = event.seq
        return True

    def replayed(self, event: e.RoomEvent) -> bool:
        """Return whether an event of the room is from before we first joined, and so is no news."""
        return 0 < event.seq < self._replayed

    def is_past(self, event: e.RoomEvent) -> bool:
        """Return whether an event is from before we joined last, so that it does not change who is in the room now."""
        return event.seq <= self._arrived

    def apply(self, event: e.RoomEvent, me: str) -> None:
        """Update the members and the unread messages by an event, and leave the room if the event puts us out of it.

        Args:
            event: An event of the room that was not shown before.
            me: Our name.
        """
        self._count(event, me)
        if event.changes_members or isinstance(event, e.DevicesChanged):
            self.members_rev = max(self.members_rev, event.seq)
        if isinstance(event, e.Encrypted):
            self.encrypted = True
        if self.is_past(event):
            return
        if isinstance(event, e.Joined):
            self._came(event.by)
        elif isinstance(event, e.MemberGone):
            self._gone(event.by)
        elif isinstance(event, e.Renamed):
            self.rename(event.by, event.name)
            if event.again:
                self._came(event.by)
        elif isinstance(event, e.MemberRemoved):
            self._gone(event.user)
            if event.user == me:
                self.leave()
        elif isinstance(event, e.Closed):
            self.leave()

    def rename(self, old: str, new: str) -> None:
        """Give a member a new name; a member who is there under that name already is listed once."""
        if new in self.users and new != old:
            self._gone(old)
        else:
            self.users = [new if name == old else name for name in self.users]

    def _count(self, event: e.RoomEvent, me: str) -> None:
        """Count a message of another user as unread, and a deleted one no more."""
        if is_living(event) and event.by != me:
            self.count.add(event.seq, mention=is_mention(living_text(event), me))
        elif isinstance(event, e.Edited):
            self.count.edit(event.message, mention=is_mention(event.text, me))
        elif isinstance(event, e.Deleted):
            self.count.delete(event.message, own=event.user == me, at=event.seq)

    def _came(self, name: str) -> None:
        if name not in self.users and len(self.users) < MOST_USERS:
            self.users.append(name)

    def _gone(self, name: str) -> None:
        if name in self.users:
            self.users.remove(name)


def _counted(event: a.Entered) -> tuple[int, int, int, int]:
    """Return our read mark, the numbers of unread messages and of mentions, and the seq up to which these count."""
    return event.read, event.unread, event.mentions, event.seq
