"""How much the logs and records may take in all (``--disk``).

When they come near to it, the oldest history of the room that takes most goes first, some entries at a time, until
there is room again. Accounts, unread mail and bans never go. When that is not enough, the engine refuses what is
appended.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import Rules
from chatroom.chat.periodic_work import PeriodicWork
from chatroom.model.logger import logger

EVERY = 5.0  # seconds from one look to the next
BEGIN = 0.9  # of what is allowed: then history begins to go ...
END = 0.85  # ... until so much is left
PAUSE = 0.95  # of what is allowed: while history goes, nothing more is read
TOLD_EVERY = 3600.0  # seconds

_log = logger(__name__)


class DiskLimit:
    """See the module.

    Args:
        engine: Keeps the logs and records.
        rules: Say how much they may take.
        scheduler: Gives ``callLater`` and ``seconds``.

    Attributes:
        used: Bytes that they took when last looked at.
        rounds: The looks, one every few seconds.
    """

    def __init__(self, engine: Engine, rules: Rules, scheduler: Any) -> None:
        self._engine = engine
        self._rules = rules
        self._scheduler = scheduler
        self._removed: Counter[str] = Counter()  # entries by log, since the operators were told
        self._told: float | None = None  # when they were
        self.used = 0
        self.rounds = PeriodicWork("measuring the database", self.look, EVERY, scheduler)
        self._making_room = False
        self._in_vain = -EVERY  # when nothing was left to remove, by the scheduler's clock
        engine.on_growth = self._hurry

    def _hurry(self, used: int) -> None:
        """Do not wait for the next look: the database is nearly full. But the last look may have been in vain."""
        if self._making_room:
            self._pause(used)
        elif self._scheduler.seconds() >= self._in_vain + EVERY:
            self.rounds.hurry()

    def _pause(self, used: int) -> None:
        """Let whoever fills the database wait until there is room: then nobody is refused because of that."""
        self._engine.press("disk", used > PAUSE * self._rules.disk)

    async def look(self) -> None:
        """Measure, and remove history if there is too much."""
        most = self._engine.most_bytes = self._rules.disk
        self.used = await self._engine.usage()
        if most and self.used > BEGIN * most:
            await self._make_room(most)
        self._tell(most)

    async def _make_room(self, most: int) -> None:
        self._making_room = True
        try:
            while not self.rounds.stopping and self.used > END * most:
                self._pause(self.used)
                log, removed = await self._engine.trim()
                if not removed:
                    self._in_vain = self._scheduler.seconds()
                    return
                self._removed[log] += removed
                self.used = await self._engine.usage()
        finally:
            self._making_room = False
            self._engine.press("disk", False)

    def _tell(self, most: int) -> None:
        """Tell the operators what has gone, and that it is not enough; once an hour at most."""
        now, full = self._scheduler.seconds(), bool(most) and self.used >= most
        if not (self._removed or full) or (self._told is not None and now < self._told + TOLD_EVERY):
            return
        self._told = now
        if self._removed:
            (log, _), *_ = self._removed.most_common(1)
            _log.warn(
                "the database came near to --disk {most}: {removed} of the oldest entries of {rooms} rooms were"
                " removed, most of them of {log}; give a larger --disk, or a smaller --keep",
                most=most,
                removed=self._removed.total(),
                rooms=len(self._removed),
                log=log,
            )
            self._removed.clear()
        if full:
            _log.error(
                "the database has grown to --disk {most}, and no room has history left that could go:"
                " nothing more is stored; give a larger --disk",
                most=most,
            )
