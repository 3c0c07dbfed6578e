"""The engine on SQLite: one thread writes batches of events, and other threads read, list and search.

A batch is one transaction with ``synchronous=FULL``: once its entries are delivered, even a crash of the machine can't
undo them. Messages are added to the search index later, in small steps, mostly while nothing waits to be stored.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, fail, succeed

from chatroom.engines.amending import kinds_of
from chatroom.engines.base import FULL, BatchingEngine
from chatroom.engines.blobs import FolderBlobs
from chatroom.engines.search_scheduler import SearchScheduler, Step
from chatroom.engines.sqlite.finder import Finder
from chatroom.engines.sqlite.reader import Reader
from chatroom.engines.sqlite.schema import connect, open_database
from chatroom.engines.sqlite.writer import Writer
from chatroom.engines.tokenizer import Query
from chatroom.engines.worker import Worker
from chatroom.model.log import Change, Conflict, Entry, Hits, Page, TooBroad, Unavailable

MOST_CHANGES = 200  # calls of ``change`` that share one transaction
INDEX_AFTER = 0.25  # seconds from storing messages until they are added to the search index


class SQLiteEngine(BatchingEngine):
    """The engine on SQLite. ``chatroom.chat.interfaces.Engine`` documents each method.

    Args:
        reactor: Gives ``callLater``, ``callFromThread`` and ``seconds``.
        path: The database file; it is made if it is missing. Shared files go into the folder ``files`` next to it.
    """

    def __init__(self, reactor: Any, path: Path) -> None:
        super().__init__(reactor)
        self._path = path
        self.blobs = FolderBlobs(reactor, path.with_name("files"))
        self._writer_thread = Worker(reactor, "log-writer")
        self._reader_thread = Worker(reactor, "log-reader")
        # Lists may be long, so they are read on a thread of their own; joins and logins must not wait for them.
        self._list_thread = Worker(reactor, "log-lister")
        self._search_thread = Worker(reactor, "log-search")
        self._searches = SearchScheduler(reactor, self._step)
        self._indexing: Any = None  # the timer of the next step of indexing
        self._purging: Any = None  # the timer for removing words of erased messages from the search index
        self._purge_wait: float | None = None  # seconds until these may be removed; None if there are none
        self._changes: deque[tuple[Sequence[Change], Deferred[int]]] = deque()  # calls that wait for the writer thread
        self._index_step = False  # the writer thread is adding messages to the search index
        self._index_again = False  # something was stored while ``_index_step`` was set
        self._put_off = False  # the last step of indexing was put off, because a batch was being stored

    def start(self) -> Deferred[None]:
        """Open the database file and start the threads.

        Raises:
            BadDatabase: The file can't be used. The call itself raises this, not the Deferred.
        """
        self._writer = Writer(open_database(self._path), self._reactor.seconds)
        self._reader = Reader(connect(self._path))
        self._lister = Reader(connect(self._path))
        self._finder = Finder(connect(self._path), self._reactor.seconds)
        self._writer_thread.start()
        self._reader_thread.start()
        self._list_thread.start()
        self._search_thread.start()
        self._index_later()
        return succeed(None)

    def _close(self) -> Deferred[None]:
        for timer in (self._indexing, self._purging):
            if timer is not None:
                timer.cancel()
        self._indexing = self._purging = None
        # Wait until these threads have run the jobs that were given to them, so that their callers get answers.
        read = DeferredList([thread.run(lambda: None) for thread in (self._reader_thread, self._list_thread)])
        return read.addCallback(lambda _: self.blobs.close()).addCallback(self._close_file)

    def _close_file(self, _: None) -> None:
        self._search_thread.stop()
        self._list_thread.stop()
        self._reader_thread.stop()
        self._writer_thread.stop()
        self._finder.db.close()
        self._lister.db.close()
        self._reader.db.close()
        self._writer.db.close()

    # ---- storing -----------------------------------------------------------------------------------------------

    def _store(self, batch: list[Entry]) -> None:
        self._writer_thread.post(self._store_there, batch)

    def _store_there(self, batch: list[Entry]) -> None:
        """Store a batch; runs on the writer thread."""
        error: Unavailable | None = None
        try:
            if self.most_bytes:
                self._used = self._writer.used(self.most_bytes)
                if self._used >= self.most_bytes:
                    raise Unavailable(FULL)
            self._writer.store(batch)
        except Exception as why:
            error = Unavailable(str(why))
        self._reactor.callFromThread(self._stored, batch, error)

    def _stored(self, batch: list[Entry], error: Unavailable | None) -> None:
        super()._stored(batch, error)
        self._index_later()

    # ---- searching ---------------------------------------------------------------------------------------------

    def _index_later(self, wait: float | None = None) -> None:
        """Schedule a step of indexing (adding stored messages to the search index), unless one is scheduled already.

        If a step is being taken now, another one is scheduled when it is done.

        Args:
            wait: Seconds until the step; None for ``INDEX_AFTER``.
        """
        if self._index_step:
            self._index_again = True
        elif self._indexing is None and self._stopping is None:
            self._indexing = self._reactor.callLater(INDEX_AFTER if wait is None else wait, self._index)

    def _index(self) -> None:
        """Take a step of indexing. If a batch is being stored, put the step off, but not twice in a row.

        Otherwise a server that is always busy would never index.
        """
        self._indexing = None
        if self._busy and not self._put_off:
            self._put_off = True
            self._index_later()
            return
        self._put_off = False
        self._index_step = True
        self._writer_thread.run(self._index_there).addCallbacks(self._indexed, self._not_indexed)

    def _index_there(self) -> bool:
        """Take a step of indexing; return whether more may be left to do now. Runs on the writer thread."""
        more = self._writer.index_some()
        self._purge_wait = None if more else self._writer.purge_wait()
        return more

    def _indexed(self, more: bool) -> None:
        """Schedule the next step of indexing: now if there is more to index, later if a batch was stored meanwhile."""
        again, self._index_again, self._index_step = self._index_again, False, False
        if more:
            self._index_later(0)
        elif again:
            self._index_later()
        elif self._purge_wait is not None and self._purging is None and self._stopping is None:
            self._purging = self._reactor.callLater(self._purge_wait, self._purge)

    def _purge(self) -> None:
        self._purging = None
        self._index_later()

    def _not_indexed(self, failure: Any) -> None:
        """Stop indexing after an error, such as a full disk, until the next batch is stored; report the error."""
        self._index_again = self._index_step = False
        self._note(Unavailable(failure.getErrorMessage()))

    def search(
        self, log: str, words: str, limit: int, *, before: int | None = None, address: str = ""
    ) -> Deferred[Hits]:
        return self._searches.search(log, words, limit, before, address)

    def _step(self, log: str, wanted: Query, before: int, most: int, until: float) -> Deferred[Step]:
        return self._on(self._search_thread, self._finder.step, log, wanted, before, most, until)

    # ---- reading and keeping -----------------------------------------------------------------------------------

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
        kinds = kinds_of(messages=messages, amendments=amendments)
        return self._on(self._reader_thread, self._reader.read, log, after, before, limit, kinds, oldest)

    def expire(self, log: str, older_than: int, keep: int, upto: int = 0) -> Deferred[int]:
        return Deferred.fromCoroutine(self._expire(log, older_than, keep, upto))

    async def _expire(self, log: str, older_than: int, keep: int, upto: int) -> int:
        removed = 0
        for message in (True, False):  # messages first: an inbox's marks must not go before the messages they mark
            cut = await self._on(self._list_thread, self._lister.cut, log, message, keep) if keep else 0
            cut = max(cut, upto)
            removed += await self._on(self._writer_thread, self._writer.expire, log, message, older_than, cut)
        return removed

    def erase(self, log: str, seq: int) -> Deferred[bool]:
        return Deferred.fromCoroutine(self._erase(log, seq))

    async def _erase(self, log: str, seq: int) -> bool:
        """Erase a message in steps, since very many messages may quote it."""
        erased: bool | None = None
        while erased is None:
            erased = await self._on(self._writer_thread, self._writer.erase, log, seq)
        self._index_later()
        return erased

    def drop(self, log: str) -> Deferred[None]:
        return Deferred.fromCoroutine(self._drop(log))

    async def _drop(self, log: str) -> None:
        """Remove a log in steps, since it may be long."""
        while await self._on(self._writer_thread, self._writer.drop, log):
            pass

    def usage(self) -> Deferred[int]:
        return self._on(self._writer_thread, self._writer.usage)

    def trim(self, wanted: int) -> Deferred[tuple[str, int]]:
        return self._on(self._writer_thread, self._writer.trim, wanted)

    def logs(self, after: str = "") -> Deferred[list[str]]:
        return self._on(self._list_thread, self._lister.logs, after)

    # ---- records -----------------------------------------------------------------------------------------------

    def get(self, bucket: str, key: str) -> Deferred[tuple[bytes, int] | None]:
        return self._on(self._reader_thread, self._reader.get, bucket, key)

    def put(self, bucket: str, key: str, value: bytes | None, rev: int) -> Deferred[int]:
        return self.change((Change(bucket, key, value, rev),))

    def change(self, changes: Sequence[Change]) -> Deferred[int]:
        if self._writer_thread.stopped:
            return fail(Unavailable("the engine has stopped"))
        changed: Deferred[int] = Deferred()
        self._changes.append((changes, changed))
        self._writer_thread.post(self._change_there)
        return changed

    def _change_there(self) -> None:
        """Make up to ``MOST_CHANGES`` of the changes that wait, in one transaction; runs on the writer thread."""
        waiting: list[tuple[Sequence[Change], Deferred[int]]] = []
        while self._changes and len(waiting) < MOST_CHANGES:
            waiting.append(self._changes.popleft())
        if not waiting:
            return  # an earlier job has made the changes
        try:
            done: list[Any] = [*self._writer.change_all(changes for changes, _ in waiting)]
        except Exception as why:
            done = [Unavailable(str(why)) for _ in waiting]
        self._reactor.callFromThread(self._changed, waiting, done)

    @staticmethod
    def _changed(waiting: list[tuple[Sequence[Change], Deferred[int]]], done: list[Any]) -> None:
        """Give each caller of ``change`` the result of the call."""
        for (_, changed), result in zip(waiting, done, strict=True):
            if isinstance(result, Exception):
                changed.errback(result)
            else:
                changed.callback(result)

    def page(self, bucket: str, prefix: str = "", after: str = "", most: int = 0) -> Deferred[list[tuple[str, bytes]]]:
        return self._on(self._list_thread, self._lister.page, bucket, prefix, after, most)

    def last(self, bucket: str, prefix: str, most: int) -> Deferred[list[tuple[str, bytes]]]:
        return self._on(self._list_thread, self._lister.last, bucket, prefix, most)

    def count(self, bucket: str, prefix: str = "") -> Deferred[int]:
        return self._on(self._list_thread, self._lister.count, bucket, prefix)

    @staticmethod
    def _on(worker: Worker, job: Any, *args: Any) -> Deferred[Any]:
        """Run a job on a thread. Any error of the job becomes ``Unavailable``, except ``Conflict`` and ``TooBroad``."""

        def failed(failure: Any) -> Any:
            if failure.check(Conflict, TooBroad):
                return failure
            raise Unavailable(failure.getErrorMessage()) from failure.value

        return worker.run(job, *args).addErrback(failed)
