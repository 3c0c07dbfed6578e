"""Who follows which log: entries reach them in batches, in order, without holes and without duplicates."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed

from chatroom.model.log import Deliver, Entry, Page, Subscription
from chatroom.model.logger import logger

_log = logger(__name__)

_PAGE = 500  # entries read at a time while catching up


class Subscriptions:
    """The followers of all logs of one engine.

    Args:
        read: The engine's ``read``, for those who want what was before they came.
    """

    def __init__(self, read: Callable[..., Deferred[Page]]) -> None:
        self._read = read
        self._of: dict[str, list[Deliver]] = {}

    @staticmethod
    def by_log(batch: list[Entry]) -> dict[str, list[Entry]]:
        """Sort a stored batch by its logs; entries that repeat an earlier one are nobody's news."""
        by_log: dict[str, list[Entry]] = {}
        for entry in batch:
            if not entry.repeated:
                entries = by_log.get(entry.log)
                if entries is None:
                    by_log[entry.log] = [entry]
                else:
                    entries.append(entry)
        return by_log

    def deliver(self, log: str, entries: list[Entry]) -> None:
        """Hand entries of one log to whoever follows it."""
        for deliver in tuple(self._of.get(log, ())):
            try:
                deliver(entries)
            except Exception:
                _log.failure("a follower of {log} failed", log=log)

    def follow(self, log: str, deliver: Deliver, after: int | None) -> Deferred[Subscription]:
        """Deliver what comes from now on, or with ``after`` everything with a greater seq."""
        if after is None:
            return succeed(self._add(log, deliver))
        return Deferred.fromCoroutine(self._catch_up(log, deliver, after))

    async def _catch_up(self, log: str, deliver: Deliver, after: int) -> Subscription:
        """What comes while the past is read is kept back, and handed over when the past has been."""
        kept: list[Entry] = []
        last = after
        live = False

        def either(entries: list[Entry]) -> None:
            if not live:
                kept.extend(entries)
            elif entries[0].seq > last:
                deliver(entries)
            elif entries[-1].seq > last:  # what was read may be told only later
                deliver([entry for entry in entries if entry.seq > last])

        subscription = self._add(log, either)
        try:
            past = await self._past(log, after)
        except BaseException:
            subscription.stop()
            raise
        last = past[-1].seq if past else after
        live = True
        entries = past + [entry for entry in kept if entry.seq > last]
        if entries:
            deliver(entries)
        return subscription

    async def _past(self, log: str, after: int) -> list[Entry]:
        """Read backwards, page by page, until ``after`` is reached."""
        past: list[Entry] = []
        before: int | None = None
        while True:
            page = await self._read(log, after=after, before=before, limit=_PAGE)
            past[:0] = page.entries
            if len(page.entries) < _PAGE:
                return past
            before = page.entries[0].seq

    def _add(self, log: str, deliver: Deliver) -> Subscription:
        self._of.setdefault(log, []).append(deliver)
        return Subscription(lambda: self._remove(log, deliver))

    def _remove(self, log: str, deliver: Deliver) -> None:
        followers = self._of.get(log)
        if followers and deliver in followers:
            followers.remove(deliver)
            if not followers:
                del self._of[log]
