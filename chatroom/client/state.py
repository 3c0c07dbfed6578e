"""Which room one is in, who else is, and what of it has been shown: each event once, in order, over reconnections."""

from __future__ import annotations

from collections import OrderedDict

from chatroom.model import events as e
from chatroom.model import replies as a

MOST_USERS = 20_000  # names that are remembered of one room
MOST_PRIVATE = 2000  # private messages, and what else is of the inbox, of which it is known that it has been shown

_GOING = (e.Left, e.Disconnected)
_PUT_OUT = (e.Kicked, e.Banned)


class RoomState:
    """See the module.

    Attributes:
        room: Where we are; empty if nowhere.
        users: Who is there, us included.
        after: The seq up to which we have been shown all there is.
        writer: The id of who wrote to us last; empty if nobody did.
        missed: The seq since which something was said that does not follow by itself; None: there is no such thing.
    """

    def __init__(self) -> None:
        self.room = ""
        self.users: list[str] = []
        self.after = 0
        self.writer = ""
        self.missed: int | None = None
        self._id = ""
        self._replayed = 0  # the seq up to which what follows was said before we first came
        self._arrived = 0  # the seq of our coming; what is before it was, and changes nothing any more
        self._shown: OrderedDict[tuple[str, str], None] = OrderedDict()

    @property
    def seen(self) -> int:
        """The seq after which we want to be told everything when we come back."""
        return self.after or self._arrived

    # ---- coming and going ------------------------------------------------------------------------------------------

    def enter(self, event: a.Entered) -> None:
        """We have come to a room; what follows from before our coming is shown, whether it was before or not."""
        self._id = event.room_id
        self.room = event.room
        self._come(event)
        self.after = 0
        self._replayed = event.seq

    def come_back(self, event: a.Entered) -> bool:
        """We are back in the room. Returns whether some of what was missed is not there any more."""
        # Another room of that name, or a log that was put back to an earlier state: what we know of it means nothing.
        strange = event.room_id != self._id or event.seq < self.after
        self.missed = None if strange or event.complete else self.seen
        self._replayed = 0
        self._id = event.room_id
        self._come(event)
        if strange:
            self.after = 0
        return strange or event.gone

    def _come(self, event: a.Entered) -> None:
        self._arrived = event.seq
        self.users = event.users[:MOST_USERS]

    def settled(self) -> None:
        """All that was said before our coming has been heard."""
        self.after = max(self.after, self._arrived)

    def leave(self) -> None:
        """We are nowhere."""
        self.room = ""
        self.users = []
        self.after = 0

    # ---- what happens ----------------------------------------------------------------------------------------------

    def fresh(self, event: e.Event) -> bool:
        """Return whether an event that nobody asked for has not been shown; it counts as shown from now on."""
        if e.of_inbox(event):
            return self._fresh_of_inbox(event)
        if not isinstance(event, e.RoomEvent) or event.room != self.room or not event.seq:
            return True
        if event.seq <= self.after:
            return False
        self.after = event.seq
        return True

    def replayed(self, event: e.Event) -> bool:
        """Return whether it was said before we first came: it tells what is being talked about, and is no news."""
        if not isinstance(event, e.RoomEvent) or event.room != self.room or e.of_inbox(event):
            return False
        return 0 < event.seq < self._replayed

    def _fresh_of_inbox(self, event: e.OfInbox) -> bool:
        """By author and id: the seqs of what waited for a guest's name are of another log than those that follow."""
        key = event.by_id, event.id
        fresh = key not in self._shown
        if fresh and isinstance(event, e.Private):
            self.writer = event.by_id
        self._shown[key] = None
        if len(self._shown) > MOST_PRIVATE:
            self._shown.popitem(last=False)
        return fresh

    def happen(self, event: e.Event, me: str) -> None:
        """Follow who is there, and whether we are.

        Args:
            event: Something that happened.
            me: Our name.
        """
        if not isinstance(event, e.RoomEvent) or event.room != self.room or event.seq <= self._arrived:
            return
        if isinstance(event, e.Joined):
            if event.by not in self.users and len(self.users) < MOST_USERS:
                self.users.append(event.by)
        elif isinstance(event, _GOING):
            self._gone(event.by)
        elif isinstance(event, e.Renamed):
            self.rename(event.by, event.name)
        elif isinstance(event, _PUT_OUT):
            self._gone(event.user)
            if event.user == me:
                self.leave()
        elif isinstance(event, e.Closed):
            self.leave()

    def rename(self, old: str, new: str) -> None:
        """Somebody is called something else."""
        self.users = [new if name == old else name for name in self.users]

    def _gone(self, name: str) -> None:
        if name in self.users:
            self.users.remove(name)
