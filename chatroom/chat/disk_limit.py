"""Keeping the logs and records within the size that the operator allows (``--disk``).

When they come near to that size, history is removed: some of the oldest entries of the largest room at a time, until
there is room again. Accounts, unread mail and bans are never removed. If that is not enough, the engine refuses new
entries.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import Rules
from chatroom.chat.periodic_work import PeriodicWork
from chatroom.model.logger import logger

EVERY = 5.0  # seconds between two measurements
BEGIN = 0.9  # of the allowed size: above it, history is removed ...
END = 0.85  # ... until the size is below this part
PAUSE = 0.95  # of the allowed size: above it, reading stops while history is removed
TOLD_EVERY = 3600.0  # seconds between two warnings to the operators

_log = logger(__name__)


class DiskLimit:
    """Measures the database every few seconds, and removes history when it is too large.

    Args:
        engine: Keeps the logs and records.
        rules: Give the allowed size.
        scheduler: Gives ``callLater`` and ``seconds``.

    Attributes:
        used: The size at the last measurement, in bytes.
        rounds: Runs the measurements.
    """

    def __init__(self, engine: Engine, rules: Rules, scheduler: Any) -> None:
        self._engine = engine
        self._rules = rules
        self._scheduler = scheduler
        self._removed: Counter[str] = Counter()  # removed entries by log, since the last warning
        self._told: float | None = None  # when the operators were warned last, in seconds of the scheduler's clock
        self.used = 0
        self.rounds = PeriodicWork("measuring the database", self.look, EVERY, scheduler)
        self._making_room = False
        self._in_vain = -EVERY  # when a round last found nothing to remove, in seconds of the scheduler's clock
        engine.on_growth = self._hurry

    def _hurry(self, used: int) -> None:
        """Handle the engine's report that the database, with ``used`` bytes, is nearly full.

        Measure now, unless there was nothing left to remove a moment ago. While history is being removed, only pause.
        """
        if self._making_room:
            self._pause(used)
        elif self._scheduler.seconds() >= self._in_vain + EVERY:
            self.rounds.hurry()

    def _pause(self, used: int) -> None:
        """Stop reading from connections while the database is nearly full, so that nothing has to be refused."""
        self._engine.press("disk", used > PAUSE * self._rules.disk)

    async def look(self) -> None:
        """Measure the database, and remove history if it is too large."""
        most = self._engine.most_bytes = self._rules.disk
        self.used = await self._engine.usage()
        if most and self.used > BEGIN * most:
            await self._make_room(most)
        self._tell(most)

    async def _make_room(self, most: int) -> None:
        """Remove old entries until the database is below ``END`` of ``most`` bytes, or no room has entries left."""
        self._making_room = True
        try:
            while not self.rounds.stopping and self.used > END * most:
                self._pause(self.used)
                log, removed = await self._engine.trim(int(self.used - END * most) + 1)
                if not removed:
                    self._in_vain = self._scheduler.seconds()
                    return
                self._removed[log] += removed
                self.used = await self._engine.usage()
        finally:
            self._making_room = False
            self._engine.press("disk", False)

    def _tell(self, most: int) -> None:
        """Warn the operators, once an hour at most, that history was removed or that the database is full."""
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
