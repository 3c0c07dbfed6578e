"""What the chat needs from other packages: an Engine stores logs and records, a Dialect turns events into bytes, and a
Recipient sends these bytes to a client.

The packages ``engines`` and ``wire`` implement these protocols; the chat imports neither.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from chatroom.model.counters import Counters
from chatroom.model.events import Event, LogEvent
from chatroom.model.log import Change, Deliver, Done, Entry, Hits, Page, Presence, Subscription
from chatroom.model.roster import Roster


class Blobs(Protocol):
    """The store for the bytes of shared files. Each blob has an id of letters and digits, and is written and read in
    chunks.

    A chunk has ``CHUNK`` bytes (``chatroom.model.shared_files``); the last chunk may be shorter. If the store fails,
    the Deferreds fail with ``Unavailable``.
    """

    def write(self, id: str, index: int, data: bytes) -> Deferred[None]:
        """Write a chunk; the first chunk creates the blob. The Deferred fires when a crash of this process cannot lose
        the chunk."""

    def seal(self, id: str, sha256: str) -> Deferred[bool]:
        """Seal a blob: check that it is complete, and let it change no more.

        The Deferred gives True if the blob has this SHA-256 (hex) and a crash of the machine cannot lose it, or if the
        blob was sealed before. If the hash is different, the blob is removed and the Deferred gives False.
        """

    def read(self, id: str, index: int) -> Deferred[bytes]:
        """Return a chunk of a sealed blob; empty beyond the blob's end, or if no sealed blob has the id."""

    def size(self, id: str) -> Deferred[int]:
        """Return how many bytes of a blob are stored, sealed or not; 0 if there is no such blob."""

    def drop(self, id: str) -> Deferred[None]:
        """Remove a blob, sealed or not, if there is one."""

    def all(self) -> Deferred[set[str]]:
        """Return the ids of all blobs, sealed or not."""


class Engine(Protocol):
    """The store for logs, records and presence. All methods and callbacks are called on the reactor thread.

    ``state`` is ``ok`` or ``degraded``; ``on_state`` is called when it changes. ``on_pressure`` is called with True
    when so much waits to be stored that reading should pause, and with False when reading may go on. ``counters`` are
    this daemon's counters, always the same object. ``most_bytes`` is how many bytes the logs and records may take (0:
    no limit); beyond that limit, appending fails with ``Unavailable``. ``on_growth`` is called with the bytes that the
    logs and records take, after each batch while they take more than nine tenths of ``most_bytes``.

    ``node`` is the id of this daemon among those that share the store, another one with each start, without a hyphen;
    empty if the store is this daemon's alone. ``on_node_ended`` is called with the id of another daemon that has ended.

    ``chatroom.model.log_names`` makes the names of logs, from the ids of rooms and users. If the store fails, Deferreds
    fail with ``Unavailable``: it is then unknown whether the call had an effect, so no success may be reported.
    """

    counters: Counters
    most_bytes: int
    node: str
    state: str
    on_growth: Callable[[int], None]
    on_pressure: Callable[[bool], None]
    on_state: Callable[[str], None]
    on_node_ended: Callable[[str], None]

    @property
    def blobs(self) -> Blobs:
        """The store for the bytes of files."""

    def start(self) -> Deferred[None]:
        """Open the store."""

    def stop(self) -> Deferred[None]:
        """Stop. The Deferred fires when every accepted event is durable and delivered; later events are refused."""

    def append(
        self, log: str, event: LogEvent, done: Done | None = None, *, once: bool = False, copy: str = ""
    ) -> None:
        """Store an event as the next entry of a log. Followers of the log see the entry only when it is durable.

        If the log's last entry has a later time, because the clock was set back, the entry gets that later time.

        Args:
            log: The log's name; it begins to exist with its first entry.
            event: What happened. If it is about a message of the log (``LogEvent.about``), the message changes in the
                same transaction, as ``chatroom.model.amendments`` says; ``done`` is given ``NotAmended``, and nothing
                is stored, if the message may not change so. The event gets what it shows of the message.
            done: Called exactly once: with the entry and None when the entry is durable and this engine's followers
                have been given it, or with the entry and an error. It is a plain callable, because a Deferred for each
                message would cost more than the message.
            once: Whether the author chose the event's id. Then a second event with the same ``by_id`` and ``id`` is
                neither stored nor delivered; its ``done`` is given the first entry, marked ``repeated``.
            copy: A second log, which gets an entry with the same event, its copy; empty for none. Both entries are
                stored, or neither is. The copy is ``Entry.copy`` of the entry that ``done`` is given.
        """

    def follow(self, log: str, deliver: Deliver, after: int | None = None) -> Deferred[Subscription]:
        """Deliver a log's entries in batches, in the order of their seq, without gaps or duplicates.

        Delivery begins with the first entry whose seq is greater than ``after``; if that is None, with the next new
        entry. The Deferred gives a subscription, which can be stopped.
        """

    def is_ending(self, log: str) -> bool:
        """Return whether an event of a room with ``LogEvent.ends_stay`` was appended that is not delivered yet."""

    def ended(self, log: str) -> Deferred[None]:
        """Return a Deferred that fires as soon as ``is_ending`` is false."""

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
        """Read the newest ``limit`` entries with a seq between ``after`` and ``before`` (both excluded), the newest
        last.

        Args:
            messages: Read messages only.
            amendments: Read messages, and the edits, reactions and deletions that changed messages.
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
            address: The address of the user who searches; all searching addresses get equal shares of the time.

        Raises:
            TooBroad: Not even a part of the log could be searched in time.
            TooManySearches: Too many searches are running, or too many from this address.
        """

    def expire(self, log: str, older_than: int, keep: int, upto: int = 0) -> Deferred[int]:
        """Remove some old entries of a log. Call it again until it returns 0.

        Amendments are kept as long as the messages that they are about, and count neither among messages nor among
        other entries.

        Args:
            log: The log's name.
            older_than: Remove entries made before this time, in milliseconds since 1970.
            keep: Remove messages that are not among the newest ``keep`` messages, and likewise other entries; 0 for no
                such limit.
            upto: Remove entries with a seq up to this one.

        Returns:
            How many entries were removed; 0 if no such entries are left.
        """

    def erase(self, log: str, seq: int) -> Deferred[bool]:
        """Erase a message's text, also from the search index, with what was done to the message and what quotes show of
        it; the entry stays. The Deferred gives False if there is no such message."""

    def drop(self, log: str) -> Deferred[None]:
        """Remove a log with all its entries. The caller makes sure that nobody follows the log."""

    def press(self, why: str, pressed: bool) -> None:
        """Ask that reading from clients pauses (see ``on_pressure``), or withdraw that request.

        Args:
            why: The reason. While any reason is pressed, reading pauses.
            pressed: True to ask, False when the reason is gone.
        """

    def usage(self) -> Deferred[int]:
        """Return how many bytes the logs and records take."""

    def trim(self, wanted: int) -> Deferred[tuple[str, int]]:
        """Remove some of the oldest entries of the room whose log takes the most bytes.

        Args:
            wanted: How many bytes are to become free; no more entries are removed than needed for that.

        Returns:
            The log's name and how many entries were removed; an empty name and 0 if no room has entries any more.
        """

    def logs(self, after: str = "") -> Deferred[list[str]]:
        """Return the names of some logs that sort after ``after``, in order; [] if there are no more."""

    def get(self, bucket: str, key: str) -> Deferred[tuple[bytes, int] | None]:
        """Return a record and its revision; None if there is no such record."""

    def put(self, bucket: str, key: str, value: bytes | None, rev: int) -> Deferred[int]:
        """Replace a record if its revision is still ``rev`` (compare and set).

        Args:
            bucket: The bucket that holds the record.
            key: The key of the record in its bucket.
            value: The new value; None removes the record.
            rev: The revision that the record must have now; 0 if there must be no record.

        Returns:
            The new revision. No revision is ever used twice.

        Raises:
            Conflict: The record has another revision.
        """

    def change(self, changes: Sequence[Change]) -> Deferred[int]:
        """Change several records, each as ``put`` does: all of them or none.

        Returns:
            The new revision, which is the same for all these records.

        Raises:
            Conflict: A record has another revision than its change expects.
        """

    def page(self, bucket: str, prefix: str = "", after: str = "", most: int = 0) -> Deferred[list[tuple[str, bytes]]]:
        """Return some records of a bucket with their keys, in the order of the keys; [] if there are no more.

        Such a page is small enough to be decoded within a few milliseconds; ``chatroom.chat.records.pages`` reads all
        pages.

        Args:
            bucket: The bucket.
            prefix: Only records whose keys begin with this.
            after: Only records whose keys sort after this key.
            most: The most records on the page; 0 for a whole page.
        """

    def last(self, bucket: str, prefix: str, most: int) -> Deferred[list[tuple[str, bytes]]]:
        """Return the records with the last keys among those that begin with ``prefix``, in the order of the keys: at
        most ``most`` records and at most a page."""

    def count(self, bucket: str, prefix: str = "") -> Deferred[int]:
        """Return how many records of a bucket have keys that begin with ``prefix``."""

    def show_roster(self, log: str, roster: Roster | None) -> Deferred[None]:
        """Show the other daemons which members of a room are on this one, in place of what was shown before.

        Args:
            log: The log of the room.
            roster: The members; None if this daemon has not loaded the room any more.

        Returns:
            A Deferred that fires when every daemon that asks from now on is given the roster.
        """

    def rosters(self, log: str) -> Deferred[list[Roster]]:
        """Return what the other daemons show of a room; nothing of a daemon that has ended."""

    def announce(self, key: str, presence: Presence) -> None:
        """Show all daemons that a user is online, until ``withdraw`` is called with the key or this daemon stops."""

    def withdraw(self, key: str) -> None:
        """Withdraw what ``announce`` announced under the key."""

    def elsewhere(self, user_id: str) -> list[Presence]:
        """Return what other daemons have announced of a user, one for each session."""

    def nodes(self) -> set[str]:
        """Return the ids of all daemons that share the store and have not ended; none if there is only this one."""

    def who(self, prefix: str) -> list[Presence]:
        """Return what all daemons have announced under keys that begin with ``prefix``."""


class AddressSlot(Protocol):
    """A connection's slot: each address has only so many slots for connections at the same time.

    A guest holds a slot at the address. A session that is logged in is counted by its account, and holds no slot.
    """

    def recognise(self) -> None:
        """Stop counting the connection among the new ones of its address, because its user was connected before."""

    def release(self) -> None:
        """Give the slot back; the connection goes on without a slot."""

    def claim(self) -> bool:
        """Take a slot, unless the connection has one. Return False if the address has no free slot."""


class Recipient(Protocol):
    """The output of a connection: sends bytes in order, and holds a limited number of bytes while the client reads
    slowly."""

    @property
    def holds(self) -> bool:
        """Whether bytes are held at the moment, because the client reads slowly or because of ``cork``."""

    def write(self, data: bytes) -> None:
        """Send bytes, or hold them while the client reads slowly. Never raise, never block."""

    def cork(self) -> None:
        """Hold all bytes written from now on, so that ``uncork`` can send other bytes before them."""

    def uncork(self, first: bytes) -> None:
        """Send ``first``, then all bytes written since ``cork``."""

    def widen(self, more: int) -> None:
        """Let ``more`` bytes more be held than before, for chunks of files that the client asked for."""

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function once, as soon as no bytes are held. If the connection ends first, never call it."""

    def close(self) -> None:
        """Send the bytes that are held, then end the connection."""


class Dialect(Protocol):
    """Turns events and answers into bytes, as text or as records. All sessions with the same dialect share one object.

    ``stamped``: whether the dialect shows the time before each message.
    """

    stamped: bool

    def render(self, room: str, entry: Entry) -> bytes:
        """Return the bytes of an entry of a room's log, as members see it."""

    def replay(self, room: str, entries: list[Entry]) -> bytes:
        """Return the bytes of older entries for a session that was not in the room when they were stored."""

    def answer(self, event: Event, ref: int | str | None = None) -> bytes:
        """Return the bytes of an event for one session. ``ref``: the program's label of the command that it answers."""

    def with_stamps(self, stamped: bool) -> Dialect:
        """Return the same dialect, changed to show the time before each message, or not."""


Clock = Callable[[], float]
"""Seconds since 1970."""

Mint = Callable[[int], str]
"""Returns that many random characters out of 0-9 and a-z."""
