"""The engine that keeps everything in memory, for ``--ephemeral`` and tests. All is lost when the daemon stops."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from chatroom.engines.amending import KINDS, MESSAGE, OTHER, erase, kinds_of, relate, sent_again
from chatroom.engines.base import FULL, LONGEST_TURN, ROW, TRIM_STEP, BatchingEngine, enough, not_before
from chatroom.engines.memory_blobs import MemoryBlobs
from chatroom.engines.memory_rows import MemoryLog, MemoryLogRows, Row, seq_of
from chatroom.engines.search_scheduler import SearchScheduler, Step
from chatroom.engines.sqlite.reader import LAST_CHARACTER, PAGE_LOGS, cut_page
from chatroom.engines.tokenizer import Query
from chatroom.model import events
from chatroom.model.events import Edited
from chatroom.model.log import Change, Conflict, Entry, Hits, NotAmended, Page, Unavailable
from chatroom.model.log_names import ROOM, other_half

T = TypeVar("T")


class _Bucket:
    """One bucket: its records (value and revision) by key, and its keys in order."""

    __slots__ = ("keys", "records")

    def __init__(self) -> None:
        self.records: dict[str, tuple[bytes, int]] = {}
        self.keys: list[str] = []

    def put(self, key: str, value: bytes | None, rev: int) -> None:
        there = key in self.records
        if value is not None:
            self.records[key] = value, rev
            if not there:
                insort(self.keys, key)
        elif there:
            del self.records[key]
            del self.keys[bisect_left(self.keys, key)]

    def page(self, prefix: str, after: str, most: int) -> list[tuple[str, bytes]]:
        start, end = self._range(prefix)
        keys = islice(self.keys, max(start, bisect_right(self.keys, after)), end)
        return cut_page(((key, self.records[key][0]) for key in keys), most)

    def last(self, prefix: str, most: int) -> list[tuple[str, bytes]]:
        start, end = self._range(prefix)
        keys = (self.keys[i] for i in range(end - 1, start - 1, -1))
        return cut_page(((key, self.records[key][0]) for key in keys), most)[::-1]

    def count(self, prefix: str) -> int:
        start, end = self._range(prefix)
        return end - start

    def _range(self, prefix: str) -> tuple[int, int]:
        """Return the index in ``keys`` of the first key that begins with ``prefix``, and the index after the last."""
        return bisect_left(self.keys, prefix), bisect_left(self.keys, prefix + LAST_CHARACTER)


class MemoryEngine(BatchingEngine):
    """The engine in memory. ``chatroom.chat.interfaces.Engine`` documents each method.

    Args:
        reactor: Gives ``callLater`` and ``seconds``.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.blobs = MemoryBlobs(reactor)
        self._logs: dict[str, MemoryLog] = {}
        # By ``Entry.key``: the log, the seq and the body of the first entry with that key.
        self._by_key: dict[str, tuple[str, int, bytes]] = {}
        self._buckets: dict[str, _Bucket] = {}
        self._rev = 0
        self._seq = 0
        self._bytes = 0
        self._searches = SearchScheduler(reactor, self._step)

    def start(self) -> Deferred[None]:
        return succeed(None)

    def _close(self) -> Deferred[None]:
        return succeed(None)

    def _store(self, batch: list[Entry]) -> None:
        self._used = self._bytes
        if self.most_bytes and self._bytes >= self.most_bytes:
            self._stored(batch, Unavailable(FULL))
            return
        for entry in batch:
            if entry.key is not None and self._was_there(entry):
                continue
            log, copy = self._log(entry.log), entry.copy
            last = log.time.at if copy is None else max(log.time.at, self._log(copy.log).time.at)
            if entry.event.at < last:
                not_before(entry, last)
            kind, about = KINDS[type(entry.event)], entry.event.about
            if about:
                try:
                    kind = relate(self._rows(entry.log), entry)
                except NotAmended as error:
                    entry.error = error
                    continue
            self._add(log, entry, kind, about)
            if copy is not None:
                self._add(self._log(copy.log), copy, kind)
        self._stored(batch, None)

    def _log(self, name: str) -> MemoryLog:
        """Return the log with a name; make it if there is none."""
        log = self._logs.get(name)
        if log is None:
            log = self._logs[name] = MemoryLog()
            half = self._logs.get(other_half(name))
            if half is not None:
                log.time = half.time
        return log

    def _rows(self, log: str) -> MemoryLogRows:
        """Return the rows of a log, for the functions of ``amending``."""
        kept = self._log(log)
        return MemoryLogRows(log, kept, self._by_key, partial(self._grow, kept))

    def _add(self, log: MemoryLog, entry: Entry, kind: int, about: int = 0) -> None:
        """Give an entry its seq, and add it to a log.

        Args:
            log: The log.
            entry: The entry.
            kind: The kind of row that the entry becomes.
            about: The seq of the message that it is about, if any.
        """
        self._seq += 1
        entry.seq = self._seq
        if entry.key is not None:
            self._by_key[entry.key] = entry.log, entry.seq, entry.body
        log.time.at = at = entry.event.at
        log.rows.append((entry.seq, kind, at, entry.key, entry.body))
        if about and kind != OTHER:
            log.about.setdefault(about, []).append(entry.seq)
        self._grow(log, len(entry.body) + ROW)

    def _was_there(self, entry: Entry) -> bool:
        """If an earlier entry has the same key, turn ``entry`` into that one, marked as repeated, and return True."""
        first = self._by_key.get(entry.key or "")
        if first is None:
            return False
        entry.log, entry.seq, entry.body = first
        entry.event, entry.repeated = events.decode(entry.body), True
        if isinstance(entry.event, Edited):
            entry.event = sent_again(self._rows(entry.log), entry.event)
            entry.body = events.encode(entry.event)
        return True

    def _grow(self, log: MemoryLog, size: int) -> None:
        log.bytes += size
        self._bytes += size

    def _next_batch_soon(self) -> None:
        self._reactor.callLater(0, self._next_batch)

    def read(
        self,
        log: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        messages: bool = False,
        amendments: bool = False,
        oldest: bool = False,
    ) -> Deferred[Page]:
        kept = self._logs.get(log) or MemoryLog()
        start = bisect_right(kept.rows, after, key=seq_of)
        end = len(kept.rows) if before is None else bisect_left(kept.rows, before, key=seq_of)
        found: list[Entry] = []
        kinds = kinds_of(messages=messages, amendments=amendments)
        complete = OTHER not in kinds or after >= kept.floor
        for i in range(start, end) if oldest else range(end - 1, start - 1, -1):
            if kept.rows[i][1] not in kinds:
                continue
            if len(found) == limit:
                complete = False
                break
            found.append(_entry(log, kept.rows[i]))
        return succeed(Page(found if oldest else found[::-1], complete))

    def search(
        self, log: str, words: str, limit: int, *, before: int | None = None, address: str = ""
    ) -> Deferred[Hits]:
        return self._searches.search(log, words, limit, before, address)

    def _step(self, log: str, wanted: Query, before: int, most: int, until: float) -> Deferred[Step]:
        """Take a step of a search, as ``search_scheduler.Take`` describes, in a new turn of the reactor."""
        turn: Deferred[None] = Deferred()
        self._reactor.callLater(0, turn.callback, None)
        return turn.addCallback(lambda _: self._look(log, wanted, before, most))

    def _look(self, log: str, wanted: Query, before: int, most: int) -> Step:
        """Look for ``wanted`` in the messages before the seq ``before``, the newest first.

        Stop when ``most`` messages are found, or after ``LONGEST_TURN`` seconds.
        """
        rows = self._logs[log].rows if log in self._logs else []
        found: list[Entry] = []
        end = self._reactor.seconds() + LONGEST_TURN
        for i in range(bisect_left(rows, before, key=seq_of) - 1, -1, -1):
            seq, kind, at, _, _ = rows[i]
            if kind != MESSAGE:
                continue
            entry = _entry(log, rows[i])
            if wanted.matches(entry.event.text):  # type: ignore[attr-defined]
                found.append(entry)
            if len(found) == most or self._reactor.seconds() > end:
                return Step(found, seq, at)
        return Step(found)

    def expire(self, log: str, older_than: int, keep: int, upto: int = 0) -> Deferred[int]:
        kept = self._logs.get(log)
        if kept is None or not kept.rows:
            return succeed(0)
        if kept.rows[0][2] >= older_than and kept.rows[0][0] > upto and (not keep or len(kept.rows) <= keep):
            return succeed(0)
        room = {MESSAGE: keep or len(kept.rows), OTHER: keep or len(kept.rows)}
        gone: list[Row] = []
        for row in reversed(kept.rows):
            if row[1] not in room:
                continue
            if row[2] >= older_than and row[0] > upto and room[row[1]] > 0:
                room[row[1]] -= 1
            else:
                gone.append(row)
        self._remove(kept, gone)
        return succeed(len(gone))

    def usage(self) -> Deferred[int]:
        return succeed(self._bytes)

    def trim(self, wanted: int) -> Deferred[tuple[str, int]]:
        rooms = [name for name, log in self._logs.items() if name.startswith(ROOM) and log.rows]
        if not rooms:
            return succeed(("", 0))
        name = max(rooms, key=lambda name: self._logs[name].bytes)
        log = self._logs[name]
        oldest = islice((row for row in log.rows if row[1] in (OTHER, MESSAGE)), TRIM_STEP)
        gone = enough(list(oldest), wanted, lambda row: len(row[4]))
        self._remove(log, gone)
        return succeed((name, len(gone)))

    def _remove(self, log: MemoryLog, gone: list[Row]) -> None:
        """Remove rows from a log, with the amendments to them; update its size and floor, and the keys."""
        if gone:
            log.floor = max(log.floor, *(row[0] for row in gone))
        removed = log.take_out({row[0] for row in gone})
        self._grow(log, -sum(len(row[4]) + ROW for row in removed))
        for row in removed:
            self._by_key.pop(row[3] or "", None)

    def erase(self, log: str, seq: int) -> Deferred[bool]:
        erased = erase(self._rows(log), seq) if log in self._logs else False
        if erased is not None:
            return succeed(erased)
        turn: Deferred[None] = Deferred()  # very many messages quote this one; others get turns in between
        self._reactor.callLater(0, turn.callback, None)
        return turn.addCallback(lambda _: self.erase(log, seq))

    def drop(self, log: str) -> Deferred[None]:
        dropped = self._logs.pop(log, MemoryLog())
        self._remove(dropped, dropped.rows)
        return succeed(None)

    def logs(self, after: str = "") -> Deferred[list[str]]:
        names = sorted(self._logs)
        start = bisect_right(names, after)
        return self._next_turn(names[start : start + PAGE_LOGS], after)

    # ---- records -----------------------------------------------------------------------------------------------

    def get(self, bucket: str, key: str) -> Deferred[tuple[bytes, int] | None]:
        return succeed(self._bucket(bucket).records.get(key))

    def put(self, bucket: str, key: str, value: bytes | None, rev: int) -> Deferred[int]:
        return self.change((Change(bucket, key, value, rev),))

    def change(self, changes: Sequence[Change]) -> Deferred[int]:
        for change in changes:
            _, now = self._bucket(change.bucket).records.get(change.key, (b"", 0))
            if change.rev is not None and change.rev != now:
                return fail(Conflict(f"{change.bucket}/{change.key}"))
        self._rev += 1
        for change in changes:
            self._bucket(change.bucket).put(change.key, change.value, self._rev)
        return succeed(self._rev)

    def page(self, bucket: str, prefix: str = "", after: str = "", most: int = 0) -> Deferred[list[tuple[str, bytes]]]:
        return self._next_turn(self._bucket(bucket).page(prefix, after, most), after)

    def last(self, bucket: str, prefix: str, most: int) -> Deferred[list[tuple[str, bytes]]]:
        return succeed(self._bucket(bucket).last(prefix, most))

    def count(self, bucket: str, prefix: str = "") -> Deferred[int]:
        return succeed(self._bucket(bucket).count(prefix))

    def _bucket(self, name: str) -> _Bucket:
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket()
        return bucket

    def _next_turn(self, page: list[T], after: str) -> Deferred[list[T]]:
        """Return the first page at once, and each further page in a new turn of the reactor, so that others get turns.

        Args:
            page: The page.
            after: The name or key after which the page begins; empty for the first page.
        """
        if not after or not page:
            return succeed(page)
        turn: Deferred[list[T]] = Deferred()
        self._reactor.callLater(0, turn.callback, page)
        return turn


def _entry(log: str, row: Row) -> Entry:
    return Entry(log, events.decode(row[4]), row[4], row[0])
