"""One connection in the chat: whose it is, where it is, what it hears, and what of its own is still under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.interfaces import AddressSlot, Dialect, Recipient
from chatroom.chat.limits import WAS
from chatroom.model.errors import NOT_CONFIRMED, NOT_SAID, Refused
from chatroom.model.events import MESSAGES, Event, LogEvent, Private, RoomEvent, Shared, Stored
from chatroom.model.log import Done, Entry, Unavailable, Withdrawn
from chatroom.model.names import fold
from chatroom.model.replies import Error, Ok, Sent
from chatroom.model.text import clean

if TYPE_CHECKING:
    from chatroom.chat.chat import Chat
    from chatroom.chat.files.transfers import SessionTransfers
    from chatroom.chat.people.takeover import Offer
    from chatroom.chat.people.user import User
    from chatroom.chat.rooms.room import Arrival, Room
    from chatroom.chat.rooms.search import UnfinishedSearch

_NOBODY: Mapping[str, tuple[str, str]] = MappingProxyType({})


def never_asked(within: float) -> None:
    """Do nothing: stands in for ``Session.check_alive`` where the other side has no way to answer."""


class Session:
    """See the module. Made by ``Chat.open_session``.

    Args:
        chat: The chat it is in.
        id: Unique among all sessions there ever were.
        out: Where what it hears goes.
        dialect: How it is said to it.
        person: A person types here; not a program.
        address: Where it comes from.
        secure: Nobody on the way can read what it says and hears.

    Attributes:
        user: Whose it is. ``user_id`` and ``name`` are the user's, at hand for each message.
        seated: It has a seat; without one it may only log in.
        since: When it came, in milliseconds since 1970.
        was: Ids of the accounts and guests that it was before: what is held against them is held against it.
        token: The id of the token by which it logged in; empty if it did otherwise.
        guest_id: The user id of the guest that it is when it is not logged in: its own id, or a former connection's.
        room: The room it is in. Changed by the room's ``apply`` and by nobody else.
        heading: The room that it is about to be in: its ``Joined`` is under way.
        put_out: The log and the place in it at which it was last put out of a room: it has seen what is before.
        arrival: What there was to see when it came into the room.
        question: What a person is being asked, kept here for the dialect that asks.
        ask_again: Asks the question again whose answer was the command under way; called if that command fails.
        place: Its place among the connections from its address; None if nobody counts them.
        offer: The account that it may take over from another session.
        over: The connection has ended.
        check_alive: Pings the other side and ends the session unless something comes from it within so many seconds
            (``limits.ANSWER_WITHIN``). Returns at once. Does nothing to a person's session, which cannot answer a ping.
        renaming: It is about to have another name: its ``Renamed`` is under way.
        transfers: The files that it sends and fetches, once there were any.
        unfinished: Its last search, if that did not reach the oldest message of the room.
        pending: How much of its own is not stored yet.
    """

    __slots__ = (
        "_counter",
        "_idle",
        "address",
        "arrival",
        "ask_again",
        "chat",
        "check_alive",
        "dialect",
        "echo",
        "guest_id",
        "heading",
        "id",
        "ignored",
        "name",
        "offer",
        "out",
        "over",
        "pending",
        "person",
        "place",
        "put_out",
        "question",
        "renaming",
        "room",
        "seated",
        "secure",
        "since",
        "token",
        "transfers",
        "unfinished",
        "user",
        "user_id",
        "was",
    )

    user: User
    user_id: str
    name: str

    def __init__(
        self, chat: Chat, id: str, out: Recipient, dialect: Dialect, person: bool, address: str, secure: bool
    ) -> None:
        self.chat = chat
        self.id = self.guest_id = id
        self.out = out
        self.dialect = dialect
        self.person = person
        self.address = address
        self.secure = secure
        self.seated = True
        self.since = chat.now()
        self.token = ""
        self.was: tuple[str, ...] = ()
        self.room: Room | None = None
        self.heading: Room | None = None
        self.put_out = ("", 0)
        self.arrival: Arrival | None = None
        self.question: Any = None
        self.ask_again: Callable[[Session], None] | None = None
        self.echo = True
        self.ignored: Mapping[str, tuple[str, str]] = _NOBODY  # folded name: shown name, id
        self.place: AddressSlot | None = None
        self.offer: Offer | None = None
        self.over = False
        self.check_alive: Callable[[float], None] = never_asked
        self.transfers: SessionTransfers | None = None
        self.unfinished: UnfinishedSearch | None = None
        self.renaming = False
        self._counter = 0
        self.pending = 0
        self._idle: Deferred[None] | None = None

    def was_also(self, *ids: str) -> None:
        """Keep in mind whom it was, too; what is oldest is forgotten when it is too much."""
        self.was = tuple(dict.fromkeys((*self.was, *ids)))[-WAS:]

    def sit(self, user: User) -> None:
        """It is this user's from now on."""
        self.user = user
        self.user_id = user.id
        self.name = user.name

    def reseat(self, change: Callable[[], None]) -> None:
        """Make a change to what it hears, or how; a room keeps its members seated by just that."""
        if self.room is not None:
            self.room.reseat(self, change)
        else:
            change()

    # ---- what it makes happen ----------------------------------------------------------------------------------

    def next_id(self) -> str:
        """Return an id for an event of its own, unique among all events; no program can bring one with a colon."""
        self._counter += 1
        return f"{self.id}:{self._counter}"

    def append(self, log: str, event: Stored, done: Done, *, once: bool = False) -> None:
        """Append an event without waiting for it; ``done`` must call ``settled`` when it has told the session."""
        self.pending += 1
        self.chat.engine.append(log, event, done, once=once)

    def say(self, event: RoomEvent, ref: int | str | None, *, once: bool = False) -> None:
        """Append an event to the room: its echo says that it is stored, an error that it may not be."""
        self.pending += 1
        done: Done = self._said if ref is None else partial(self._said, ref=ref)
        self.chat.engine.append(self.room.log, event, done, once=once)  # type: ignore[union-attr, arg-type]

    def happen(self, log: str, event: Stored) -> Deferred[Entry]:
        """Append an event and wait until it is stored and applied.

        Raises:
            Unavailable: It may not be stored.
        """
        return self.chat.append_and_wait(log, event)

    def _said(self, entry: Entry, error: Unavailable | None, ref: int | str | None = None) -> None:
        if error is not None:
            self.refuse(NOT_SAID() if isinstance(error, Withdrawn) else NOT_CONFIRMED(), ref)
        elif self._too_late(entry):
            self.chat.withdraw(entry)  # nobody follows the room any more, or the room would have done so
            self.refuse(NOT_SAID(), ref)
        elif entry.repeated or not self._was_there(entry):
            self.repeat(entry, ref)  # it has been put out meanwhile, and nobody else has told it
            return
        elif ref is not None and not self.echo:
            self.answer(Ok(), ref)
        self.settled()

    def _too_late(self, entry: Entry) -> bool:
        """Return whether a message stands in the log behind the event that put the session out of the room."""
        log, seq = self.put_out
        return not entry.repeated and log == entry.log and entry.seq > seq

    def _was_there(self, entry: Entry) -> bool:
        """Whether its room has shown it the entry; it may have been put out just after that, in the same batch."""
        log, seq = self.put_out
        return (self.room is not None and self.room.log == entry.log) or (log == entry.log and entry.seq < seq)

    def repeat(self, entry: Entry, ref: int | str | None) -> None:
        """What it said was said before: the first, told to its author alone, is the acknowledgement."""
        event = entry.event
        if isinstance(event, Private):
            self.answer(Sent(event.id, event.to, event.text), ref)
            self.settled()
            return

        def named(room: str) -> None:
            self.out.write(self.dialect.render(room, entry))
            self.settled()

        def unknown(failure: Failure) -> None:
            self.refuse(NOT_CONFIRMED(), ref)
            self.settled()

        Deferred.fromCoroutine(self.chat.directory.name_of(entry.log)).addCallbacks(named, unknown)

    def settled(self) -> None:
        """Something of its own is no longer under way, and it has been told."""
        self.pending -= 1
        if self._idle is not None and self.pending == 0:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def idle(self) -> Deferred[None]:
        """Fires when nothing of its own is under way any more."""
        deferred: Deferred[None] = Deferred()
        if self.pending == 0:
            deferred.callback(None)
        else:
            self._idle = deferred
        return deferred.addCallback(lambda _: self.transfers.idle() if self.transfers is not None else None)

    # ---- what it is told ---------------------------------------------------------------------------------------

    def answer(self, event: Event, ref: int | str | None = None) -> None:
        """Say something to it alone."""
        data = self.dialect.answer(event, ref)
        if data:
            self.out.write(data)

    def refuse(self, refused: Refused, ref: int | str | None = None) -> None:
        """Say why not. The text may quote what was typed, so it is cleaned like all that is shown."""
        self.answer(Error(refused.code, clean(refused.text), refused.file), ref)

    def refuse_file(self, refused: Refused, file: str) -> None:
        """Say why what was under way of a file has ended."""
        self.answer(Error(refused.code, clean(refused.text), file))

    # ---- what it hears -----------------------------------------------------------------------------------------

    @property
    def filters(self) -> bool:
        """Whether it does not hear all that its room hears."""
        return not self.echo or bool(self.ignored)

    def hears(self, entry: Entry) -> bool:
        """Whether an entry is for it: not its own with the echo off, nothing said by whom it ignores."""
        event = entry.event
        if not isinstance(event, MESSAGES):
            return True
        if event.by_id == self.user_id:
            return self.echo or isinstance(event, Private | Shared)
        return not self.ignores(event)

    def ignores(self, event: LogEvent) -> bool:
        """Whether what is in the event comes from somebody who is ignored."""
        if not self.ignored:
            return False
        return fold(event.by) in self.ignored or any(id == event.by_id for _, id in self.ignored.values())
