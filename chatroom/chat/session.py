"""A session is one connection in the chat: its user, its room, what it hears, and what of its own is not stored yet.

A user may have several sessions, and each session has a user, so the two classes stand together. A session imports its
room, which is below it. It knows the chat above it as ``SessionHost``, and what other parts of the chat attach to it by
``chatroom.chat.session_parts``.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.bans_and_mutes import account_key, address_key, former_keys, guest_key, name_key
from chatroom.chat.interfaces import AddressSlot, Dialect, Engine, Recipient
from chatroom.chat.limits import WAS, Rules
from chatroom.chat.rooms.room import Arrival, Room
from chatroom.chat.session_parts import OpenInbox, OpenTransfers, TakeoverOffer, UnfinishedSearch
from chatroom.model.account import AccountRecord, Preferences
from chatroom.model.errors import NOT_CONFIRMED, NOT_SAID, Refused
from chatroom.model.events import MESSAGES, Event, LogEvent, Private, RoomEvent, Shared
from chatroom.model.log import Done, Entry, Unavailable, Withdrawn
from chatroom.model.names import Name, fold
from chatroom.model.network import is_local
from chatroom.model.replies import Error, Ok, Sent
from chatroom.model.text import clean

_NOBODY: Mapping[str, tuple[str, str]] = MappingProxyType({})


class SessionHost(Protocol):
    """What a session needs of the chat that it is in."""

    engine: Engine
    rules: Rules

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""

    def append_and_wait(self, log: str, event: LogEvent, *, once: bool = False) -> Deferred[Entry]:
        """Append an event; fires when it is stored and applied, or with ``Unavailable``."""

    def announce(self, session: Session) -> None:
        """Let everybody on all nodes see where the session is."""

    def withdraw(self, entry: Entry) -> None:
        """Remove what a message said, because its author could not speak any more when the log took it."""

    def room_name(self, log: str) -> Coroutine[Any, Any, str]:
        """Return a room's shown name by its log; empty when there is no such room any more."""


class User:
    """A guest, who is one connection at a time, or the owner of an account, who may have several.

    Args:
        id: The account's; a guest's is that of the first connection.
        handle: The name in all forms.
        account: None for a guest.

    Attributes:
        sessions: The connections; nobody is online any more when there is none.
        away: The words, if the user is away.
        last_writer: Name and id of whom a reply goes to.
        inbox: Private messages, once there is a need for them.
        resumable: A guest whose program knows how to come back as the same one (``chatroom.chat.people.guest_resume``).
    """

    __slots__ = ("account", "away", "handle", "id", "inbox", "last_writer", "resumable", "sessions")

    def __init__(self, id: str, handle: Name, account: AccountRecord | None = None) -> None:
        self.id = id
        self.handle = handle
        self.account = account
        self.sessions: tuple[Session, ...] = ()
        self.away = ""
        self.last_writer: tuple[str, str] | None = None
        self.inbox: OpenInbox | None = None
        self.resumable = False

    @property
    def name(self) -> str:
        """The name as shown."""
        return self.handle.shown

    @property
    def online(self) -> bool:
        """Whether there is a connection left."""
        return bool(self.sessions)

    @property
    def operator(self) -> bool:
        """Whether the account is an operator's."""
        return self.account is not None and self.account.operator

    @property
    def lasting(self) -> bool:
        """Whether somebody who goes may come back as the same: what came meanwhile, or was not acknowledged, waits."""
        return self.account is not None or self.resumable

    @property
    def inbox_log(self) -> str:
        """The log of private messages; a guest's is kept for a week."""
        return f"guest/{self.id}" if self.account is None else f"inbox/{self.id}"

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of bans and mutes that hold for the user, wherever the connection comes from."""
        name = name_key(self.handle.folded)
        if self.account is None:
            return (name, guest_key(self.id))
        return (account_key(self.id), name, *former_keys(self.account.was))

    @property
    def keys_against(self) -> tuple[str, ...]:
        """The keys that a ban or mute of this user gets.

        An account is its owner; its name is included because the account may be deleted and registered again. A guest
        can take another name at once, so the guest's id and addresses are included, except for this machine's own
        address, from which everybody may come.
        """
        name = name_key(self.handle.folded)
        if self.account is not None:
            return (account_key(self.id), name)
        places = {address_key(session.address) for session in self.sessions if not is_local(session.address)}
        return (name, guest_key(self.id), *places)


def never_asked(within: float) -> None:
    """Do nothing: stands in for ``Session.check_alive`` where the other side has no way to answer."""


class Session:
    """One connection in the chat. Made by ``Connections.open``.

    Args:
        host: The chat that it is in.
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
        "check_alive",
        "dialect",
        "echo",
        "guest_id",
        "heading",
        "host",
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
        self, host: SessionHost, id: str, out: Recipient, dialect: Dialect, person: bool, address: str, secure: bool
    ) -> None:
        self.host = host
        self.id = self.guest_id = id
        self.out = out
        self.dialect = dialect
        self.person = person
        self.address = address
        self.secure = secure
        self.seated = True
        self.since = host.now()
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
        self.offer: TakeoverOffer | None = None
        self.over = False
        self.check_alive: Callable[[float], None] = never_asked
        self.transfers: OpenTransfers | None = None
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

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of bans and mutes that hold for the session."""
        return (*self.user.keys, *former_keys((*self.was, self.guest_id)), address_key(self.address))

    def announce(self) -> None:
        """Let everybody on all nodes see where the session is."""
        self.host.announce(self)

    def check_admitted(self, room: Room, user: User) -> None:
        """Check that the session may be in a room as that user.

        Raises:
            Refused: The user, or the address, is banned; or the room is locked and the user not invited.
        """
        keys = (*user.keys, *self.keys)
        room.record.admit(user, keys, self.host.now(), inside=self.room is not None and self.room.id == room.id)

    def check_name(self, name: Name) -> None:
        """Check that the session may have that name in the room that it is in, if it is in one.

        Raises:
            Refused: The name is banned.
        """
        if self.room is not None:
            self.room.record.check_name(self.user, name, self.host.now())

    def prefer(self, preferences: Preferences) -> None:
        """Let the session hear what is preferred, and how."""

        def change() -> None:
            self.echo = preferences.echo
            self.ignored = MappingProxyType({fold(shown): (shown, id) for _, shown, id in preferences.ignored})
            self.dialect = self.dialect.with_stamps(preferences.timestamps)

        self.reseat(change)

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

    def append(self, log: str, event: LogEvent, done: Done, *, once: bool = False) -> None:
        """Append an event without waiting for it; ``done`` must call ``settled`` when it has told the session."""
        self.pending += 1
        self.host.engine.append(log, event, done, once=once)

    def say(self, event: RoomEvent, ref: int | str | None, *, once: bool = False) -> None:
        """Append an event to the room: its echo says that it is stored, an error that it may not be."""
        self.pending += 1
        done: Done = self._said if ref is None else partial(self._said, ref=ref)
        self.host.engine.append(self.room.log, event, done, once=once)  # type: ignore[union-attr]

    def happen(self, log: str, event: LogEvent) -> Deferred[Entry]:
        """Append an event and wait until it is stored and applied.

        Raises:
            Unavailable: It may not be stored.
        """
        return self.host.append_and_wait(log, event)

    def _said(self, entry: Entry, error: Unavailable | None, ref: int | str | None = None) -> None:
        if error is not None:
            self.refuse(NOT_SAID() if isinstance(error, Withdrawn) else NOT_CONFIRMED(), ref)
        elif self._too_late(entry):
            self.host.withdraw(entry)  # nobody follows the room any more, or the room would have done so
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

        Deferred.fromCoroutine(self.host.room_name(entry.log)).addCallbacks(named, unknown)

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
