"""What the chat needs from other packages: an Engine that stores logs, a Recipient that takes bytes, a Dialect that
makes them.

The chat owns these protocols. ``engines`` and ``wire`` implement them, and the chat knows neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from chatroom.model.counters import Counters
from chatroom.model.events import Event, LogEvent
from chatroom.model.log import Change, Deliver, Done, Entry, Hits, Page, Presence, Subscription


class Blobs(Protocol):
    """The store for the bytes of shared files. Each blob has an id of letters and digits, and is written and read in
    chunks.

    A chunk has ``CHUNK`` bytes (``chatroom.model.shared_files``); the last chunk may be shorter. If the store fails,
    the Deferreds fail with ``Unavailable``.
    """

    def write(self, id: str, index: int, data: bytes) -> Deferred[None]:
        """Write a chunk; the first one creates the blob. The Deferred fires when a crash of this process cannot undo
        it."""

    def seal(self, id: str, sha256: str) -> Deferred[bool]:
        """Finish a blob: True if its SHA-256 (hex) is right and a crash of the machine cannot undo it.

        Otherwise the blob is removed. A sealed blob does not change any more; sealing it again gives True.
        """

    def read(self, id: str, index: int) -> Deferred[bytes]:
        """Return a chunk of a sealed blob; empty beyond its end, or if there is no such blob."""

    def size(self, id: str) -> Deferred[int]:
        """Return how many bytes a blob has, sealed or not; 0 if there is none."""

    def drop(self, id: str) -> Deferred[None]:
        """Remove a blob, sealed or not, if there is one."""

    def all(self) -> Deferred[set[str]]:
        """Return the ids of all blobs, sealed or not."""


class Engine(Protocol):
    """The store for logs, records and presence. All methods and callbacks are called on the reactor thread.

    ``state`` is ``ok`` or ``degraded``; ``on_state`` is called when it changes. ``on_pressure`` is called with True
    when so much waits to be stored that reading should pause, and with False when reading may go on. ``counters`` are
    this daemon's counters, always the same object. ``most_bytes`` is how much the logs and records may take (0: no
    limit); beyond that, appending fails with ``Unavailable``. ``on_growth`` is called with the bytes that they take,
    after each batch while that is more than nine tenths of ``most_bytes``.

    ``chatroom.model.log_names`` names the logs: keyed by ids, never by names. If the store fails, Deferreds fail with
    ``Unavailable``: the outcome is then unknown and must never be acknowledged.
    """

    counters: Counters
    most_bytes: int
    state: str
    on_growth: Callable[[int], None]
    on_pressure: Callable[[bool], None]
    on_state: Callable[[str], None]

    @property
    def blobs(self) -> Blobs:
        """The store for the bytes of files."""

    def start(self) -> Deferred[None]:
        """Open the store."""

    def stop(self) -> Deferred[None]:
        """Stop. The Deferred fires when every accepted event is durable and delivered; later events are refused."""

    def append(self, log: str, event: LogEvent, done: Done | None = None, *, once: bool = False) -> None:
        """Store an event. Followers see it only when it is durable.

        Args:
            log: The log's name; it begins to exist with its first entry.
            event: What happened.
            done: Called exactly once: when the entry is durable and this engine's followers have been given it, or with
                the error. It is a plain callable, because a Deferred for each message would cost more than the message.
            once: The author chose the event's id. A second event with the same ``by_id`` and ``id`` is not stored and
            not delivered; its ``done`` is given the first entry, marked ``repeated``.
        """

    def follow(self, log: str, deliver: Deliver, after: int | None = None) -> Deferred[Subscription]:
        """Deliver batches of entries in the order of their seq, without gaps or duplicates, from now on or after
        ``after``."""

    def read(
        self,
        log: str,
        *,
        after: int = 0,
        before: int | None = None,
        limit: int,
        messages: bool = False,
        oldest: bool = False,
    ) -> Deferred[Page]:
        """Read the newest ``limit`` entries with a seq between ``after`` and ``before`` (both excluded), the newest
        last.

        Args:
            messages: Read messages only.
            oldest: Read the oldest entries instead; the newest of them is still the last.
        """

    def search(
        self, log: str, words: str, limit: int, *, before: int | None = None, address: str = ""
    ) -> Deferred[Hits]:
        """Find the newest messages that contain all words, as ``chatroom.engines.tokenizer`` defines words.

        A search takes less than half a second. It goes back from the newest message as far as it can in that time.

        Args:
            limit: The most messages to find.
            before: Only messages with a smaller seq.
            address: The address that asks; addresses share the time equally.

        Raises:
            TooBroad: Not even a part of the room could be searched in time.
            TooManySearches: Too many searches are running, or too many from this address.
        """

    def expire(self, log: str, older_than: int, keep: int) -> Deferred[int]:
        """Remove some entries from before ``older_than`` (ms), or older than the newest ``keep`` entries (0: no such
        limit).

        Returns:
            How many were removed; 0 if there are no more. Messages and other entries are counted separately.
        """

    def erase(self, log: str, seq: int) -> Deferred[bool]:
        """Erase a message's text, also from the search index; its entry stays. False if there is no such message."""

    def drop(self, log: str) -> Deferred[None]:
        """Remove a log with all its entries. Nobody may be following it."""

    def press(self, why: str, pressed: bool) -> None:
        """Ask that reading pauses for some reason, or say that the reason is gone (see ``on_pressure``)."""

    def usage(self) -> Deferred[int]:
        """Return how many bytes the logs and records take."""

    def trim(self, wanted: int) -> Deferred[tuple[str, int]]:
        """Remove some of the oldest entries of the room whose log takes the most bytes.

        Args:
            wanted: Bytes that are to become free; not more entries are removed than that takes.

        Returns:
            The log's name and how many entries were removed; 0 if no room has entries any more.
        """

    def logs(self, after: str = "") -> Deferred[list[str]]:
        """Return the names of the next logs after the given name, in order; [] at the end."""

    def get(self, bucket: str, key: str) -> Deferred[tuple[bytes, int] | None]:
        """Return a record and its revision."""

    def put(self, bucket: str, key: str, value: bytes | None, rev: int) -> Deferred[int]:
        """Compare and set: replace the record if its revision is ``rev`` (0: if there is none); None removes it.

        Returns:
            The new revision. No revision is ever used twice.

        Raises:
            Conflict: The record has another revision.
        """

    def change(self, changes: Sequence[Change]) -> Deferred[int]:
        """Compare and set several records: all of them or none.

        Returns:
            The new revision, which is the same for all.

        Raises:
            Conflict: A record has another revision than its change expects.
        """

    def page(self, bucket: str, prefix: str = "", after: str = "", most: int = 0) -> Deferred[list[tuple[str, bytes]]]:
        """Return some records of a bucket with their keys, in the order of the keys; [] at the end.

        A page is small enough to be decoded within a few milliseconds (``chatroom.chat.records`` reads on).

        Args:
            bucket: The bucket.
            prefix: What the keys begin with.
            after: The key after which the page begins.
            most: Records on the page; 0 for a whole page.
        """

    def last(self, bucket: str, prefix: str, most: int) -> Deferred[list[tuple[str, bytes]]]:
        """Return the records with the last keys that begin so, in the order of the keys; at most a page of them."""

    def count(self, bucket: str, prefix: str = "") -> Deferred[int]:
        """Return how many records a bucket has whose keys begin so."""

    def announce(self, key: str, presence: Presence) -> None:
        """Announce that somebody is present, until that is withdrawn or this daemon stops."""

    def withdraw(self, key: str) -> None:
        """Withdraw an announcement."""

    def who(self, prefix: str) -> list[Presence]:
        """Return everybody present on all daemons whose key begins with ``prefix``."""


class AddressSlot(Protocol):
    """A connection's slot among the connections from its address.

    A guest holds a slot at the address. A session that is logged in is counted by its account, and holds no slot.
    """

    def recognise(self) -> None:
        """Stop counting the connection as a new one, because its user was here before."""

    def release(self) -> None:
        """Give the slot back; the connection goes on without one."""

    def claim(self) -> bool:
        """Take a slot unless the connection has one; return False if none is free."""


class Recipient(Protocol):
    """The output of a connection: sends bytes in order, and holds a bounded amount for a slow reader."""

    @property
    def holds(self) -> bool:
        """Whether some output is held at the moment."""

    def write(self, data: bytes) -> None:
        """Send bytes, or hold them while the other side is slow. Never raise, never block."""

    def cork(self) -> None:
        """Hold everything written from now on, so that something can be sent before it."""

    def uncork(self, first: bytes) -> None:
        """Send ``first``, then everything held since ``cork``."""

    def widen(self, more: int) -> None:
        """Allow more bytes to be held than usual, for chunks of files that the other side asked for."""

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function once, as soon as nothing is held; never if the connection ends before."""

    def close(self) -> None:
        """Send what is held, then end the connection."""


class Dialect(Protocol):
    """Makes bytes of events and answers. All sessions with a dialect share one instance, compared by identity."""

    stamped: bool

    def render(self, room: str, entry: Entry) -> bytes:
        """Return the bytes of an entry of a room's log, as members see it."""

    def replay(self, room: str, entries: list[Entry]) -> bytes:
        """Return the bytes of older entries, as somebody sees them who was not there."""

    def answer(self, event: Event, ref: int | str | None = None) -> bytes:
        """Return the bytes of an event for one session, as the answer to the command with that ``ref``."""

    def with_stamps(self, stamped: bool) -> Dialect:
        """Return the same dialect with or without the time before each message."""


Clock = Callable[[], float]
"""Seconds since 1970."""

Mint = Callable[[int], str]
"""Returns that many random characters out of 0-9 and a-z."""
