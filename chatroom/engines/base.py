"""What all engines have in common: they gather events into batches, store each batch, and then deliver its entries.

An entry is an event in a log. It is delivered to the followers of the log and to the caller who appended it.

Events that come while a batch is being stored make up the next batch (group commit), so the busier the logs are, the
less each event costs. A subclass stores a batch in its own way (``_store``) and then calls ``_stored``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import msgspec
from twisted.internet.defer import Deferred, succeed

from chatroom.engines.endings import Endings
from chatroom.engines.subscriptions import Subscriptions
from chatroom.model import events
from chatroom.model.counters import Counters
from chatroom.model.events import MESSAGES, LogEvent
from chatroom.model.log import Done, Entry, Page, Presence, Unavailable
from chatroom.model.logger import logger
from chatroom.model.roster import Roster

T = TypeVar("T")

_log = logger(__name__)

MOST_IN_A_BATCH = 1000  # entries; delivering a batch must not hold up the reactor
LONGEST_TURN = 0.005  # seconds for which entries are delivered in one turn of the reactor
MOST_WAITING = 20_000  # entries that may wait to be stored; with more, connections are not read ...
MOST_WAITING_BYTES = 32 * 1024 * 1024  # ... nor with more bytes than this
TRIM_STEP = 1000  # the most entries that one call of ``trim`` removes
NEARLY_FULL = 0.9  # the part of ``most_bytes`` from which on ``on_growth`` is called
ROW = 64  # bytes that an entry takes besides its body, approximately
FULL = "the database has grown to what --disk allows"  # the error for entries that are refused for that reason


def enough(rows: list[T], wanted: int, size: Callable[[T], int]) -> list[T]:
    """Return the fewest of the first rows that together take the wanted number of bytes; all rows if they take fewer.

    Args:
        rows: Rows for entries of a log, the oldest first.
        wanted: The number of bytes.
        size: Returns the bytes of an entry's body.
    """
    for i, row in enumerate(rows, 1):
        wanted -= size(row) + ROW
        if wanted <= 0:
            return rows[:i]
    return rows


def not_before(entry: Entry, at: int) -> None:
    """Give an entry, and its copy, the time ``at`` (milliseconds since 1970), because the clock has been set back.

    So times never go back within a log, and reading a log by time finds the same entries as reading it by seq.
    """
    entry.event = msgspec.structs.replace(entry.event, at=at)
    entry.body = events.encode(entry.event)
    if entry.copy is not None:
        entry.copy.event, entry.copy.body = entry.event, entry.body


class LastTime:
    """The time of the last entry of a log, or of the two logs that hold one user's private messages.

    These two share their time, so that times do not go back when both are read as one conversation, either.

    Args:
        at: The time in milliseconds since 1970; 0 if there are no entries.
    """

    __slots__ = ("at",)

    def __init__(self, at: int = 0) -> None:
        self.at = at


def key_of(event: LogEvent, log: str) -> str:
    """Return the key by which an event whose author chose its id is stored once.

    Ids are told apart by the kind of event: a message to a person is not taken for one to a room with the same id. A
    ``said`` has the key that it had in older databases. No id has a space. An event that may be in several logs with
    one id, such as a message sealed for each of several devices, has a key for each log.
    """
    kind = event.__struct_config__.tag
    if event.once_a_log:
        return f"{event.by_id}/{event.id} {kind} {log}"
    return f"{event.by_id}/{event.id}" if kind == "said" else f"{event.by_id}/{event.id} {kind}"


class PresenceTable:
    """Knows which users are online, for engines that serve a single daemon. Keys are ``user/<session id>``."""

    node = ""
    on_node_ended: Callable[[str], None]

    def __init__(self) -> None:
        self._present: dict[str, Presence] = {}

    def announce(self, key: str, presence: Presence) -> None:
        """Note that a user is online, in place of what was noted under ``key`` before."""
        self._present[key] = presence

    def withdraw(self, key: str) -> None:
        """Remove what ``announce`` noted under a key; an unknown key is ignored."""
        self._present.pop(key, None)

    def who(self, prefix: str) -> list[Presence]:
        """Return the users whose keys begin with ``prefix``, in the order in which they came online."""
        return [presence for key, presence in self._present.items() if key.startswith(prefix)]

    # ---- other daemons, of which there are none

    def show_roster(self, log: str, roster: Roster | None) -> Deferred[None]:
        """Show nothing: there is no other daemon."""
        return succeed(None)

    def rosters(self, log: str) -> Deferred[list[Roster]]:
        """Return nothing: there is no other daemon."""
        return succeed([])

    def elsewhere(self, user_id: str) -> list[Presence]:
        """Return nothing: there is no other daemon."""
        return []

    def nodes(self) -> set[str]:
        """Return nothing: there is no other daemon."""
        return set()


class BatchingEngine(PresenceTable):
    """The part of an engine that gathers batches and delivers their entries, on the reactor thread.

    Args:
        reactor: Gives ``callLater`` and ``seconds``.

    Attributes:
        state: ``ok``; or ``degraded`` from when a batch could not be stored until one can be stored again.
        on_state: Called with the new state when it changes.
        on_pressure: Called with True when so much waits to be stored that connections should not be read, and with
            False when they may be read again.
        on_growth: Called after each batch with the bytes that logs and records take, while that is more than
            ``NEARLY_FULL`` of ``most_bytes``.
        counters: The daemon's counters; all parts of the daemon count here.
        most_bytes: The most bytes that logs and records may take; 0 for no limit.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__()
        self._reactor = reactor
        self._followers = Subscriptions(self.read)
        self._endings = Endings()
        self._waiting: list[Entry] = []
        self._waiting_bytes = 0
        self._begun: deque[float] = deque()  # for each waiting batch, when its first entry was appended
        self._first = 0.0  # when the first entry of the batch that is being stored was appended
        self._handed = 0.0  # when that batch was handed to ``_store``
        self._untold: deque[tuple[str, list[Entry]] | Entry] = deque()  # entries for followers, or one for ``done``
        self._behind = False  # a batch was stored while entries of the batch before are still to be delivered
        self._busy = False  # a batch is being stored, or about to be
        self._pressed = False  # too many entries wait to be stored
        self._pressing: set[str] = set()  # the reasons why reading should pause
        self._full = False  # the last batch was refused because of --disk
        self._used = 0  # bytes that logs and records took when the last batch was stored
        self._stopping: Deferred[None] | None = None
        self.counters = Counters()
        self.most_bytes = 0
        self.state = "ok"
        self.on_state: Callable[[str], None] = lambda state: None
        self.on_pressure: Callable[[bool], None] = lambda pressed: None
        self.on_growth: Callable[[int], None] = lambda used: None

    # ---- what a subclass provides ------------------------------------------------------------------------------

    def _store(self, batch: list[Entry]) -> None:
        """Store a batch and set the ``seq`` (number) of each entry; then call ``_stored`` on the reactor thread.

        The copy of an entry is stored with it, right after it. An entry whose time is before that of the last entry of
        its log, or of its copy's log, gets that later time (``not_before``).
        """
        raise NotImplementedError

    def _close(self) -> Deferred[None]:
        """Close the files and threads that ``start`` opened. It is called when nothing is being stored any more."""
        raise NotImplementedError

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
        """Read entries of a log, as ``chatroom.chat.interfaces.Engine.read`` describes."""
        raise NotImplementedError

    # ---- the engine's interface, documented in chatroom.chat.interfaces ------------------------------------------

    def append(
        self, log: str, event: LogEvent, done: Done | None = None, *, once: bool = False, copy: str = ""
    ) -> None:
        body = events.encode(event)
        if event.ends_stay and self._stopping is None:
            done = self._endings.until_told(log, done)
        entry = Entry(log, event, body, 0, done, key_of(event, log) if once else None)
        if copy:
            entry.copy = Entry(copy, event, body)  # part of the entry, so that no cut between two batches parts them
        if self._stopping is not None:
            if done is not None:
                self._reactor.callLater(0, done, entry, Unavailable("the engine is stopping"))
            return
        if not len(self._waiting) % MOST_IN_A_BATCH:
            self._begun.append(self._reactor.seconds())
        self._waiting.append(entry)
        self._waiting_bytes += len(body)
        if not self._busy:
            self._busy = True
            self._reactor.callLater(0, self._next_batch)
        elif not self._pressed and (len(self._waiting) > MOST_WAITING or self._waiting_bytes > MOST_WAITING_BYTES):
            self._press(True)

    def follow(self, log: str, deliver: Any, after: int | None = None) -> Deferred[Any]:
        return self._followers.follow(log, deliver, after)

    def is_ending(self, log: str) -> bool:
        return self._endings.is_any(log)

    def ended(self, log: str) -> Deferred[None]:
        return self._endings.all_told(log)

    def stop(self) -> Deferred[None]:
        idle: Deferred[None] = Deferred()
        self._stopping = idle
        if not self._busy and not self._untold:
            idle.callback(None)
        return idle.addCallback(lambda _: self._close())

    # ---- the life of a batch -----------------------------------------------------------------------------------

    def _next_batch(self) -> None:
        batch = self._waiting
        if len(batch) > MOST_IN_A_BATCH:
            batch, self._waiting = batch[:MOST_IN_A_BATCH], batch[MOST_IN_A_BATCH:]
            self._waiting_bytes = sum(len(entry.body) for entry in self._waiting)
        else:
            self._waiting = []
            self._waiting_bytes = 0
        if self._pressed and len(self._waiting) <= MOST_WAITING // 2 and self._waiting_bytes <= MOST_WAITING_BYTES // 2:
            self._press(False)
        self._first = self._begun.popleft()
        self._handed = self._reactor.seconds()
        self._store(batch)

    def _stored(self, batch: list[Entry], error: Unavailable | None) -> None:
        """Deliver the entries of a batch, and begin to store the next batch.

        Args:
            batch: The batch, which is stored now, or could not be stored.
            error: Why it could not be stored; None if it is stored, and only then do followers get its entries.
        """
        self._note(error)
        if error is None:
            self._count(batch)
        if self.most_bytes and self._used > NEARLY_FULL * self.most_bytes:
            self.on_growth(self._used)
        # While a batch is delivered, only one more is stored, so that the entries that wait for delivery are bounded.
        self._behind = bool(self._untold)
        if not self._behind:
            self._go_on()
        if error is None:
            self._untold.extend(self._followers.by_log(batch).items())
        else:
            for entry in batch:
                entry.error = error
        self._untold.extend(batch)
        if not self._behind:
            self._tell()

    def _count(self, batch: list[Entry]) -> None:
        """Count a stored batch, and wrap the callback of its last entry, to measure the time until all are delivered.

        Call this before the next batch is handed to ``_store``, because that replaces the times of this batch.
        """
        self.counters.commits.observe(self._reactor.seconds() - self._handed)
        self.counters.messages += sum(
            type(entry.event) in MESSAGES and not entry.repeated and entry.error is None for entry in batch
        )
        last = batch[-1]
        last.done = partial(self._told, self._first, last.done)

    def _told(self, since: float, done: Done | None, entry: Entry, error: Unavailable | None) -> None:
        """Call ``done``, the callback of a batch's last entry, and count the seconds since the time ``since``."""
        try:
            if done is not None:
                done(entry, error)
        finally:
            self.counters.waits.observe(self._reactor.seconds() - since)

    def _go_on(self) -> None:
        """Store the next batch, if any entries wait to be stored."""
        if self._waiting:
            self._next_batch_soon()
        else:
            self._busy = False

    def _tell(self) -> None:
        """Deliver entries for ``LONGEST_TURN`` seconds, and the rest in the next turns of the reactor."""
        untold = self._untold
        until = self._reactor.seconds() + LONGEST_TURN
        while untold:
            self._tell_one(untold[0])
            untold.popleft()
            if not len(untold) % 16 and untold and self._reactor.seconds() > until:
                self._reactor.callLater(0, self._tell)
                return
        if self._behind:
            self._behind = False
            self._go_on()
        if self._stopping is not None and not self._busy and not self._stopping.called:
            self._stopping.callback(None)

    def _tell_one(self, news: tuple[str, list[Entry]] | Entry) -> None:
        """Give a log's entries to its followers, or one entry to its callback."""
        if isinstance(news, tuple):
            self._followers.deliver(*news)
        elif news.done is not None:
            try:
                news.done(news, news.error)
            except Exception:
                _log.failure("the callback for an entry of {log} failed", log=news.log)

    def _next_batch_soon(self) -> None:
        """Store the next batch now. An engine that stores on the reactor thread overrides this, to wait a turn."""
        self._next_batch()

    def _press(self, pressed: bool) -> None:
        self._pressed = pressed
        self.press("queue", pressed)

    def press(self, why: str, pressed: bool) -> None:
        """Note or remove a reason not to read from connections; call ``on_pressure`` when the first comes or last goes.

        Args:
            why: The reason's name.
            pressed: Whether the reason exists now.
        """
        before = bool(self._pressing)
        (self._pressing.add if pressed else self._pressing.discard)(why)
        if bool(self._pressing) is not before:
            self.on_pressure(pressed)

    def _note(self, error: Unavailable | None) -> None:
        """Set ``state`` after a batch was stored (``error`` is None) or could not be; report and log a change."""
        state = "ok" if error is None else "degraded"
        if state != self.state:
            self.state = state
            self.on_state(state)
            # That --disk is reached is logged by ``chatroom.chat.disk_limit``, at most once an hour.
            if str(error) != FULL and not self._full:
                _log.warn("the log is {state}: {why}", state=state, why=str(error or "it can store again"))
            self._full = str(error) == FULL
