"""The followers of logs: functions that are called with a log's new entries, in order, without gaps or duplicates."""

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
        read: The engine's ``read`` method, which gives earlier entries to followers that want these as well.
    """

    def __init__(self, read: Callable[..., Deferred[Page]]) -> None:
        self._read = read
        self._of: dict[str, list[Deliver]] = {}  # the followers of each log

    @staticmethod
    def by_log(batch: list[Entry]) -> dict[str, list[Entry]]:
        """Group a stored batch and its copies by log, without entries that repeat an earlier one or were not stored."""
        by_log: dict[str, list[Entry]] = {}
        for entry in batch:
            if not entry.repeated and entry.error is None:
                entries = by_log.get(entry.log)
                if entries is None:
                    by_log[entry.log] = [entry]
                else:
                    entries.append(entry)
                if entry.copy is not None:
                    by_log.setdefault(entry.copy.log, []).append(entry.copy)
        return by_log

    def deliver(self, log: str, entries: list[Entry]) -> None:
        """Call each follower of a log with new entries of that log."""
        for deliver in tuple(self._of.get(log, ())):
            try:
                deliver(entries)
            except Exception:
                _log.failure("a follower of {log} failed", log=log)

    def follow(self, log: str, deliver: Deliver, after: int | None) -> Deferred[Subscription]:
        """Call ``deliver`` with the entries of a log from now on; with ``after``, also with earlier ones.

        Args:
            log: The name of the log.
            deliver: Called with each batch of entries.
            after: Stored entries with a greater seq than this are delivered first; None for no stored entries.

        Returns:
            A Deferred that gives the subscription, after the stored entries were delivered.
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
            """Keep new entries until the stored ones are delivered; from then on deliver them, but none twice."""
            if not live:
                kept.extend(entries)
            elif entries[0].seq > last:
                deliver(entries)
            elif entries[-1].seq > last:  # some of these were read from the log before they were announced
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
