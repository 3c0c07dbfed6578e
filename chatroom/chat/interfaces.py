"""What the chat needs of the world: an Engine that keeps logs, a Recipient that takes bytes, a Dialect that makes them.

The chat owns these protocols; engines and wire fulfil them without the chat knowing either.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from chatroom.model.counters import Counters
from chatroom.model.events import Event, LogEvent
from chatroom.model.log import Change, Deliver, Done, Entry, Hits, Page, Presence, Subscription


class Blobs(Protocol):
    """Where the bytes of shared files last, each under an id of letters and digits. They come and go in chunks.

    A chunk is ``CHUNK`` bytes (``chatroom.model.shared_files``), the last one may be shorter. What the store refuses
    fails with ``Unavailable``.
    """

    def write(self, id: str, index: int, data: bytes) -> Deferred[None]:
        """Put a chunk in its place; it begins to exist with its first. Fires when it will outlast this process."""

    def seal(self, id: str, sha256: str) -> Deferred[bool]:
        """Say that all is there: True when its SHA-256 (hex) is that, and it will outlast this machine's next crash.

        Otherwise it is removed. What is sealed stays as it is; to seal it again is True.
        """

    def read(self, id: str, index: int) -> Deferred[bytes]:
        """Return a chunk of what is sealed; empty beyond its end, or when there is none."""

    def size(self, id: str) -> Deferred[int]:
        """Return how many bytes there are, sealed or not; 0 for none."""

    def drop(self, id: str) -> Deferred[None]:
        """Remove it, sealed or not, if it is there."""

    def all(self) -> Deferred[set[str]]:
        """Return the ids of all there are, sealed or not."""


class Engine(Protocol):
    """Where logs, records and presence last. All methods are called, and all callbacks made, on the reactor thread.

    ``state`` is ``ok`` or ``degraded``; ``on_state`` is called when it changes. ``on_pressure`` is called with True
    when so much waits to be stored that reading should pause, with False when it may go on. ``counters`` is
    where everybody on this node counts; it is the same one for good. ``most_bytes`` is how much the logs and records
    may take; beyond that what is appended fails with ``Unavailable``. 0: no such limit. ``on_growth`` is called
    after each batch while they take more than nine tenths of it, with the bytes that they take.

    A log is ``room/<id>`` or ``inbox/<id>``: keyed by ids, never by names. Whatever may fail because of the store
    fails with ``Unavailable``: the outcome is unknown and must never be acknowledged.
    """

    counters: Counters
    most_bytes: int
    state: str
    on_growth: Callable[[int], None]
    on_pressure: Callable[[bool], None]
    on_state: Callable[[str], None]

    @property
    def blobs(self) -> Blobs:
        """Where the bytes of files are."""

    def start(self) -> Deferred[None]:
        """Open what lasts."""

    def stop(self) -> Deferred[None]:
        """Fires when all that was accepted is durable and delivered; what is appended afterwards is refused."""

    def append(self, log: str, event: LogEvent, done: Done | None = None, *, once: bool = False) -> None:
        """Store an event; a follower sees it only when it is durable.

        Args:
            log: The log's name; it begins to exist with its first entry.
            event: What happened.
            done: Called exactly once: when the entry is durable and this engine's followers have been given it, or
                with the error. A plain callable, for a Deferred a message costs more than the message.
            once: The event's id is its author's own. A second event with the same ``by_id`` and ``id`` is not stored
                and not delivered; its ``done`` is given the first entry, marked ``repeated``.
        """

    def follow(self, log: str, deliver: Deliver, after: int | None = None) -> Deferred[Subscription]:
        """Deliver batches of entries with growing seq, without holes or duplicates, from now on or since ``after``."""

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
        """Read the newest entries with a seq between the two (both excluded), at most ``limit``, newest last.

        Args:
            messages: Only what people said.
            oldest: The oldest of them instead, the newest last all the same.
        """

    def search(
        self, log: str, words: str, limit: int, *, before: int | None = None, address: str = ""
    ) -> Deferred[Hits]:
        """Find the newest messages that hold all the words, as ``chatroom.engines.tokenizer`` understands them.

        It takes less than half a second and searches as much as it can in that time, from the newest message back.

        Args:
            limit: The most messages to find.
            before: Only messages with a smaller seq.
            address: Where the question comes from; addresses share the time equally.

        Raises:
            TooBroad: Not even a part could be searched in time.
            TooManySearches: There are too many at this moment, or too many from this address.
        """

    def expire(self, log: str, older_than: int, keep: int) -> Deferred[int]:
        """Remove some entries made before ``older_than`` (ms), or older than the newest ``keep`` (0: no such limit).

        Returns:
            How many were removed; 0 when there are no more. Messages and the rest are counted apart.
        """

    def erase(self, log: str, seq: int) -> Deferred[bool]:
        """Take one message's text away, from the search too; its entry stays. False when there is none."""

    def drop(self, log: str) -> Deferred[None]:
        """Remove a log and all that is in it, for good; nobody must be following it."""

    def press(self, why: str, pressed: bool) -> None:
        """Ask that reading pauses for a reason of the caller's, or say that the reason is gone (``on_pressure``)."""

    def usage(self) -> Deferred[int]:
        """Return how many bytes the logs and records take."""

    def trim(self) -> Deferred[tuple[str, int]]:
        """Remove some of the oldest entries of the room whose log takes most.

        Returns:
            The log's name and how many entries were removed; 0 when no room has any left.
        """

    def logs(self, after: str = "") -> Deferred[list[str]]:
        """Return the names of some logs, in the order of their names, that come after the given one; [] at the end."""

    def get(self, bucket: str, key: str) -> Deferred[tuple[bytes, int] | None]:
        """Return a record and its revision."""

    def put(self, bucket: str, key: str, value: bytes | None, rev: int) -> Deferred[int]:
        """Compare and set: replace the record of revision ``rev`` (0: there is none), or remove it with None.

        Returns:
            The new revision. No revision comes twice, whatever is removed meanwhile.

        Raises:
            Conflict: The record has another revision.
        """

    def change(self, changes: Sequence[Change]) -> Deferred[int]:
        """Compare and set several records: all of them, or none.

        Returns:
            The new revision, the same one for all.

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
        """Say that somebody is present; gone when withdrawn or when this node is gone."""

    def withdraw(self, key: str) -> None:
        """Take an announcement back."""

    def who(self, prefix: str) -> list[Presence]:
        """Return everybody on all nodes whose key begins so."""


class AddressSlot(Protocol):
    """A connection's place among the connections from its address.

    Guests hold a slot at their address. A session that has logged in is counted by its account, and holds none.
    """

    def recognise(self) -> None:
        """Count the connection no longer among the new ones: it is somebody who was here before."""

    def release(self) -> None:
        """Give the slot back; the connection goes on without."""

    def claim(self) -> bool:
        """Take a slot, unless there is one already; return False if none is free."""


class Recipient(Protocol):
    """Somebody's way out: takes bytes, in order, and holds only so much for one who does not read."""

    @property
    def holds(self) -> bool:
        """Whether something is held at the moment."""

    def write(self, data: bytes) -> None:
        """Send, or hold while the other side is slow. Never raises, never blocks."""

    def cork(self) -> None:
        """Hold what is written from now on, so that something can still be put before it."""

    def uncork(self, first: bytes) -> None:
        """Send ``first``, then what was held since ``cork``."""

    def widen(self, more: int) -> None:
        """Hold so many bytes more than else, for what was asked for: chunks of files."""

    def when_free(self, call: Callable[[], None]) -> None:
        """Call once, as soon as nothing is held any more; never when the connection has ended by then."""

    def close(self) -> None:
        """Send what is held, then end the connection."""


class Dialect(Protocol):
    """How events and answers become bytes. Instances are shared by all who speak alike and compared by identity."""

    stamped: bool

    def render(self, room: str, entry: Entry) -> bytes:
        """Return an entry of a room's log as its members see it."""

    def replay(self, room: str, entries: list[Entry]) -> bytes:
        """Return entries of before, as somebody sees them who was not there."""

    def answer(self, event: Event, ref: int | str | None = None) -> bytes:
        """Return an event that concerns one person alone, as the answer to the command with that ``ref``."""

    def with_stamps(self, stamped: bool) -> Dialect:
        """Return the dialect that shows the time before each message, or the one that does not."""


Clock = Callable[[], float]
"""Seconds since 1970."""

Mint = Callable[[int], str]
"""Returns that many random characters out of 0-9 and a-z."""
