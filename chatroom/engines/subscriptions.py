"""The followers of logs. Entries reach them in batches, in order, without gaps or duplicates."""

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
        read: The engine's ``read``, for followers that want earlier entries as well.
    """

    def __init__(self, read: Callable[..., Deferred[Page]]) -> None:
        self._read = read
        self._of: dict[str, list[Deliver]] = {}

    @staticmethod
    def by_log(batch: list[Entry]) -> dict[str, list[Entry]]:
        """Group a stored batch by log, without the entries that only repeat an earlier one."""
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
        """Hand entries of one log to its followers."""
        for deliver in tuple(self._of.get(log, ())):
            try:
                deliver(entries)
            except Exception:
                _log.failure("a follower of {log} failed", log=log)

    def follow(self, log: str, deliver: Deliver, after: int | None) -> Deferred[Subscription]:
        """Deliver entries from now on; with ``after``, also all that are stored already with a greater seq.

        Returns:
            Fires with the subscription, after earlier entries were delivered.
        """
        if after is None:
            return succeed(self._add(log, deliver))
        return Deferred.fromCoroutine(self._catch_up(log, deliver, after))

    async def _catch_up(self, log: str, deliver: Deliver, after: int) -> Subscription:
        """Deliver the stored entries, then the entries that came while they were read, then new ones as they come."""
        kept: list[Entry] = []
        last = after
        live = False

        def either(entries: list[Entry]) -> None:
            if not live:
                kept.extend(entries)
            elif entries[0].seq > last:
                deliver(entries)
            elif entries[-1].seq > last:  # a batch that was read from the log already may be told only now
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
        """Return all stored entries with a greater seq than ``after``; read them backwards, page by page."""
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
