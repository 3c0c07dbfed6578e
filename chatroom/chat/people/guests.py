"""The guests' names that have been seen, and what was written to them meanwhile; all daemons follow the one log of it.

Whoever takes such a name next is given what waits for it, once; when the name becomes an account's, it is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.limits import GUEST_DAYS, GUESTS
from chatroom.events import Emptied, Mailed, Seen
from chatroom.log import Done, Entry
from chatroom.names import Name, fold

LOG = "server/guests"
_DAY = 24 * 3600 * 1000  # milliseconds


@dataclass(slots=True)
class Box:
    """The mailbox of a guest's name. ``mail``: something waits in it."""

    id: str
    name: str
    at: int
    mail: bool = False

    @property
    def log(self) -> str:
        """The log of what waits."""
        return f"guest/{self.id}"


class Guests:
    """See the module.

    Args:
        engine: Keeps the log.
        mint: Makes ids.
        now: Milliseconds since 1970.
        next_id: Makes ids of events.
    """

    def __init__(self, engine: Engine, mint: Mint, now: Callable[[], int], next_id: Callable[[], str]) -> None:
        self._engine = engine
        self._mint = mint
        self._now = now
        self._next_id = next_id
        self._boxes: dict[str, Box] = {}  # by folded name, the longest unseen first
        self._names: dict[str, str] = {}  # folded names by box

    async def start(self) -> None:
        """Learn who was seen before, and follow the log."""
        await self._engine.follow(LOG, self._apply, after=0)

    def find(self, name: str) -> Box | None:
        """Return the mailbox of a name that was seen lately."""
        box = self._boxes.get(fold(name))
        return box if box is not None and box.at > self._now() - GUEST_DAYS * _DAY else None

    def has(self, log: str) -> bool:
        """Return whether it is the log of a mailbox that there is."""
        return log.removeprefix("guest/") in self._names

    def seen(self, name: Name, user_id: str) -> None:
        """A guest has taken a name. It is written down once a day, for a name comes more often than news of it."""
        box = self._boxes.get(name.folded)
        if box is None or box.at < self._now() - _DAY:
            id = box.id if box is not None else self._mint(12)
            event = Seen(self._next_id(), self._now(), name.shown, user_id, box=id)
            self._remember(event)  # at once, for whoever writes to a guest who is gone the next moment
            self._engine.append(LOG, event)

    def mailed(self, box: Box, by: str, by_id: str) -> None:
        """Something is about to be written to a name."""
        if not box.mail:
            box.mail = True
            self._engine.append(LOG, Mailed(self._next_id(), self._now(), by, by_id, box=box.id))

    def empty(self, name: Name, user_id: str, done: Done | None = None) -> Box | None:
        """Take the mailbox, if something waits in it, from its name, which will have a new one."""
        box = self._boxes.get(name.folded)
        if box is None or not box.mail:
            return None
        del self._boxes[name.folded]
        self._engine.append(LOG, Emptied(self._next_id(), self._now(), name.shown, user_id, box=box.id), done)
        return box

    async def take(self, name: Name, user_id: str) -> Box | None:
        """As ``empty``; what was on its way into the mailbox is in it then, and nothing more comes."""
        stored: Deferred[None] = Deferred()
        box = self.empty(name, user_id, lambda entry, error: stored.callback(None))
        if box is not None:
            await stored
        return box

    def put_back(self, box: Box, user_id: str) -> None:
        """What waits in it could not be given to anybody: it waits on."""
        self._engine.append(LOG, Seen(self._next_id(), self._now(), box.name, user_id, box=box.id))
        self._engine.append(LOG, Mailed(self._next_id(), self._now(), box.name, user_id, box=box.id))

    def _apply(self, entries: list[Entry]) -> None:
        for entry in entries:
            event = entry.event
            if isinstance(event, Seen):
                self._remember(event)
            elif isinstance(event, Mailed):
                box = self._boxes.get(self._names.get(event.box, ""))
                if box is not None and box.id == event.box:
                    box.mail = True
            elif isinstance(event, Emptied):
                folded = self._names.pop(event.box, "")
                if folded in self._boxes and self._boxes[folded].id == event.box:
                    del self._boxes[folded]

    def _remember(self, event: Seen) -> None:
        folded = fold(event.by)
        before = self._boxes.pop(folded, None)
        if before is not None and before.id == event.box:
            before.at = event.at
            self._boxes[folded] = before
        else:
            if before is not None:
                self._names.pop(before.id, None)
            self._boxes[folded] = Box(event.box, event.by, event.at)
            self._names[event.box] = folded
        if len(self._boxes) > GUESTS:
            oldest = next(iter(self._boxes))
            self._names.pop(self._boxes.pop(oldest).id, None)
