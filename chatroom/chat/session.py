"""The classes ``Session``, one connection in the chat, and ``User``, the guest or account that has the connection.

A user may have several sessions, and each session has a user, so the two classes are in one module. The module imports
``Room``. It does not import the chat, the inbox and the file transfers: a session knows these only by the protocols
``SessionHost`` and those of ``chatroom.chat.session_parts``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.bans_and_mutes import account_key, address_key, former_keys, guest_key, name_key
from chatroom.chat.interfaces import AddressSlot, Dialect, Recipient
from chatroom.chat.limits import MOST_JOINED, WAS
from chatroom.chat.marks import Marks
from chatroom.chat.not_said import why_not_said
from chatroom.chat.rooms.barred_authors import is_sealed
from chatroom.chat.rooms.members import Arrival
from chatroom.chat.rooms.room import Room
from chatroom.chat.session_host import SessionHost
from chatroom.chat.session_output import SessionOutput
from chatroom.chat.session_parts import OpenInbox, OpenSentLog, OpenTransfers, TakeoverOffer, UnfinishedSearch
from chatroom.model.account import AccountRecord, Preferences
from chatroom.model.amendments import own_part
from chatroom.model.device import NO_DEVICE
from chatroom.model.errors import NOT_CONFIRMED, NOT_SAID
from chatroom.model.events import LogEvent, Private, RoomEvent, encode
from chatroom.model.log import Done, Entry, NothingToChange, Unavailable
from chatroom.model.log_names import guest_log, guest_sent_log, inbox_log, sent_log
from chatroom.model.names import Name, fold
from chatroom.model.network import is_local
from chatroom.model.replies import Ok, Sent

_NOWHERE: Mapping[str, int] = MappingProxyType({})


class User:
    """A guest, who is one connection at a time, or the owner of an account, who may have several.

    Args:
        id: The id of the account; for a guest, the id of the guest's first session.
        handle: The user's name, as shown and in the forms that are compared.
        account: The account; None for a guest.

    Attributes:
        sessions: The user's sessions; the user is online while there are any.
        away: What the user said when going away; empty if the user is not away.
        last_writer: The name and the id of the user to whom ``/reply`` writes; None if nobody has written yet.
        heard: The seq of the newest private message that a session was shown.
        inbox: The user's inbox; None until it is needed.
        sent: Shows the user's own private messages to the user's other sessions; None for a guest, who has one session.
        marks: How far the user has read each room and conversation; None until that is needed.
        resumable: Whether the program of a guest can come back as the same guest
            (``chatroom.chat.people.guest_resume``).
    """

    __slots__ = (
        "account",
        "away",
        "handle",
        "heard",
        "id",
        "inbox",
        "last_writer",
        "marks",
        "resumable",
        "sent",
        "sessions",
    )

    def __init__(self, id: str, handle: Name, account: AccountRecord | None = None) -> None:
        self.id = id
        self.handle = handle
        self.account = account
        self.sessions: tuple[Session, ...] = ()
        self.away = ""
        self.last_writer: tuple[str, str] | None = None
        self.heard = 0
        self.inbox: OpenInbox | None = None
        self.sent: OpenSentLog | None = None
        self.marks: Marks | None = None
        self.resumable = False

    @property
    def name(self) -> str:
        """The name as shown."""
        return self.handle.shown

    @property
    def online(self) -> bool:
        """Whether the user has a session."""
        return bool(self.sessions)

    @property
    def operator(self) -> bool:
        """Whether the user is an operator."""
        return self.account is not None and self.account.operator

    @property
    def lasting(self) -> bool:
        """Whether the user can leave and come back as the same user, so that unread messages are kept."""
        return self.account is not None or self.resumable

    @property
    def inbox_log(self) -> str:
        """The name of the log of the user's inbox; a guest's log is kept for a week."""
        return guest_log(self.id) if self.account is None else inbox_log(self.id)

    @property
    def sent_log(self) -> str:
        """The name of the log that holds copies of the private messages that the user has sent."""
        return guest_sent_log(self.id) if self.account is None else sent_log(self.id)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys (account, guest, names) by which bans and mutes find the user, whatever the address."""
        name = name_key(self.handle.folded)
        if self.account is None:
            return (name, guest_key(self.id))
        return (account_key(self.id), name, *former_keys(self.account.was))

    @property
    def keys_against(self) -> tuple[str, ...]:
        """The keys under which a new ban or mute of this user is stored.

        For an account, these are its id and its name: the account may be deleted and the name registered again. A guest
        can take another name at once, so the guest's id and addresses are included, except for the loopback
        address, from which everybody may come.
        """
        name = name_key(self.handle.folded)
        if self.account is not None:
            return (account_key(self.id), name)
        places = {address_key(session.address) for session in self.sessions if not is_local(session.address)}
        return (name, guest_key(self.id), *places)


def never_asked(within: float) -> None:
    """Do nothing. This is the ``Session.check_alive`` of a session whose client cannot answer a ping."""


class Session(SessionOutput):
    """One connection in the chat. Made by ``Connections.open``.

    Args:
        host: The chat that the session is in.
        id: The session's id, unique among all sessions of all time.
        out: Takes the bytes that are sent to the client.
        dialect: Turns the events that the client is shown into bytes.
        person: Whether a person types, not a program.
        address: The address of the client.
        secure: Whether the connection is encrypted.

    Attributes:
        user: The session's user. ``user_id`` and ``name`` are copies of the user's id and name.
        seated: Whether the session has one of the ``--max-users`` seats; without a seat it may only log in.
        since: When the session began, in milliseconds since 1970.
        sat: When the session got its present user, in milliseconds since 1970.
        was: The ids of the accounts and guests that the session was before. Their bans and mutes apply to it.
        token: The id of the token by which the session logged in; empty if it did so by other means.
        device: The device that the program named; it does not change while the session is logged in.
        keys_device: The id of the device whose keys the session has published; empty for none.
        keyed: Whether that device is in the user's device list, so that the session can follow an encrypted room.
        guest_id: The user's id while the user is a guest: the session's own id, or that of the guest's first session.
        rooms: The rooms that the session is in, in the order of joining. Only ``Room.apply`` changes them.
        room: The room that the session joined last; None if it is in no room.
        heading: The room that the session is about to join: its ``Joined`` event is being stored.
        put_out: For each log of a room that has removed the session, the seq (number) of the event there that did so.
        arrival: The members that the session found when it joined a room; None once the welcome is being made.
        question: The question that the dialect has asked a person and that has no answer yet; None if there is none.
        ask_again: Asks the last question again if the command made from its answer fails; None: nothing is asked then.
        place: The session's slot among the connections of its address; None if these are not counted.
        offer: An offer to log in to an account by ending another session of the account; None if there is none.
        over: Whether the connection has ended.
        check_alive: Pings the client, and ends the session if the client sends nothing within the given seconds
            (``limits.ANSWER_WITHIN``). Returns at once. Does nothing to a person's session, which cannot answer a ping.
        renaming: Whether the name is about to change: a ``Renamed`` is on the way to the log.
        transfers: The files that the session sends and fetches; None until there are any.
        unfinished: The last search, if it did not reach the oldest message of the room.
        pending: How many of the session's events are not stored yet.
        stale: How often each sealed message was refused lately, by its id, because it was sealed for other members than
            the room had.
    """

    __slots__ = (
        "_counter",
        "_idle",
        "address",
        "arrival",
        "ask_again",
        "check_alive",
        "device",
        "guest_id",
        "heading",
        "host",
        "id",
        "keyed",
        "keys_device",
        "name",
        "noticed",
        "offer",
        "over",
        "pending",
        "place",
        "put_out",
        "question",
        "renaming",
        "room",
        "rooms",
        "sat",
        "seated",
        "secure",
        "since",
        "stale",
        "token",
        "transfers",
        "unfinished",
        "user",
        "was",
    )

    user: User
    name: str
    keys_device: str
    keyed: bool

    def __init__(
        self, host: SessionHost, id: str, out: Recipient, dialect: Dialect, person: bool, address: str, secure: bool
    ) -> None:
        super().__init__(out, dialect, person)
        self.host = host
        self.id = self.guest_id = id
        self.address = address
        self.secure = secure
        self.seated = True
        self.since = host.now()
        self.token = ""
        self.device = NO_DEVICE
        self.was: tuple[str, ...] = ()
        self.rooms: tuple[Room, ...] = ()
        self.room: Room | None = None
        self.heading: Room | None = None
        self.put_out: Mapping[str, int] = _NOWHERE
        self.arrival: Arrival | None = None
        self.question: Any = None
        self.ask_again: Callable[[Session], None] | None = None
        self.place: AddressSlot | None = None
        self.offer: TakeoverOffer | None = None
        self.over = False
        self.check_alive: Callable[[float], None] = never_asked
        self.transfers: OpenTransfers | None = None
        self.unfinished: UnfinishedSearch | None = None
        self.renaming = False
        self._counter = 0
        self.pending = 0
        self.stale: dict[str, int] = {}
        self._idle: Deferred[None] | None = None

    def was_also(self, *ids: str) -> None:
        """Remember ids of accounts and guests that the session was before; only the newest ``WAS`` ids are kept."""
        self.was = tuple(dict.fromkeys((*self.was, *ids)))[-WAS:]

    def sit(self, user: User) -> None:
        """Set the session's user, and the copies of the user's id and name. The keys of another user count no more."""
        self.user, self.sat = user, self.host.now()
        self.keys_device, self.keyed = "", False
        self.noticed: dict[str, int] = {}  # when it was told of sealed messages that it cannot read, by author
        self.user_id = user.id
        self.name = user.name

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys by which bans and mutes find the session: those of its user, its earlier users and its address."""
        return (*self.user.keys, *former_keys((*self.was, self.guest_id)), address_key(self.address))

    # ---- the rooms that the session is in ----------------------------------------------------------------------

    def entered(self, room: Room) -> None:
        """Note that the session is in one more room."""
        self.rooms = (*self.rooms, room)
        self.room, self.heading = room, None
        if room.log in self.put_out:
            self.put_out = {log: seq for log, seq in self.put_out.items() if log != room.log}

    def left(self, room: Room, put_out: int = 0) -> None:
        """Note that the session is in a room no more.

        Args:
            room: The room.
            put_out: The seq of the event that removed the session; 0 if the session left by itself.
        """
        self.rooms = tuple(other for other in self.rooms if other is not room)
        self.room = self.rooms[-1] if self.rooms else None
        if put_out:
            self.put_out = dict(list({**self.put_out, room.log: put_out}.items())[-MOST_JOINED:])
            self.host.announce(self)

    def room_with(self, log: str) -> Room | None:
        """Return the room of the session that has a log; None if the session is in no such room."""
        return next((room for room in self.rooms if room.log == log), None)

    @property
    def told(self) -> tuple[Room, ...]:
        """The rooms whose members must know what becomes of the session, also the room that it is about to join."""
        heading = self.heading
        return self.rooms if heading is None or heading in self.rooms else (*self.rooms, heading)

    def prefer(self, preferences: Preferences) -> None:
        """Apply a user's preferences: the echo, reactions, the ignored users, and the times before messages."""

        def change() -> None:
            self.echo = preferences.echo
            self.reactions = preferences.reactions
            self.ignored = MappingProxyType({fold(shown): (shown, id) for _, shown, id in preferences.ignored})
            self.dialect = self.dialect.with_stamps(preferences.timestamps)

        self.reseat(change)

    def reseat(self, change: Callable[[], None]) -> None:
        """Call ``change``, which alters the dialect or what the client is shown; rooms then regroup the session."""
        for room in self.rooms:
            room.unseat(self)
        change()
        for room in self.rooms:
            room.seat(self)

    # ---- making events -----------------------------------------------------------------------------------------

    def next_id(self) -> str:
        """Return an id for an event of the session, unique among all events: ids from programs contain no colon."""
        self._counter += 1
        return f"{self.id}:{self._counter}"

    def append(self, log: str, event: LogEvent, done: Done, *, once: bool = False, copy: str = "") -> None:
        """Append an event without waiting. ``done``, given the outcome, must answer the client and call ``settled``."""
        self.pending += 1
        self.host.engine.append(log, event, done, once=once, copy=copy)

    def say(self, room: Room, event: RoomEvent, ref: int | str | None, *, once: bool = False, ok: bool = False) -> None:
        """Append a message to a room's log. The client gets its echo if it is stored, an error if it may not be.

        Args:
            room: The room.
            event: The message, or what happens to one.
            ref: The ref of the command.
            once: Whether the client chose the event's id.
            ok: Whether a command with a ref is answered ``ok`` although the client gets the echo.

        Raises:
            Refused: The room is encrypted, and the event is not. The room's log has what was appended before it was
                encrypted; so this is checked here, right before the event is appended.
        """
        if room.record.encrypted and not is_sealed(event):
            room.record.check_plain(keyed=self.keyed)
        self.pending += 1
        done: Done = self._said if ref is None else partial(self._said, ref=ref, ok=ok)
        self.host.engine.append(room.log, event, done, once=once)

    def happen(self, log: str, event: LogEvent) -> Deferred[Entry]:
        """Append an event and wait until it is stored and applied.

        Raises:
            Unavailable: The event may not be stored.
        """
        return self.host.append_and_wait(log, event)

    def _said(self, entry: Entry, error: Unavailable | None, ref: int | str | None = None, *, ok: bool = False) -> None:
        """Tell the client whether its message is stored, unless the message's echo does so; then call `settled`."""
        if error is not None:
            self._not_said(entry, error, ref)
        elif self.put_out and self._too_late(entry):
            self.host.withdraw(entry)  # a room that is in memory withdraws it itself, too
            self.refuse(NOT_SAID(), ref)
        elif entry.repeated or not self._was_there(entry):
            self.repeat(entry, ref, ok=ok)  # the room does not show the message to this session
            return
        elif ref is not None and (ok or not self.echo):
            self.answer(Ok(), ref)
        self.settled()

    def _not_said(self, entry: Entry, error: Unavailable, ref: int | str | None) -> None:
        """Tell the client why its message is not stored or shown; a reaction that is there already is answered ok."""
        if isinstance(error, NothingToChange):
            self.answer(Ok(), ref)
            return
        room = self.room_with(entry.log)
        self.refuse(why_not_said(error, room.name if room is not None else "the room"), ref)

    def _too_late(self, entry: Entry) -> bool:
        """Return whether a message was stored after the event that removed the session from the room."""
        seq = self.put_out.get(entry.log)
        return not entry.repeated and seq is not None and entry.seq > seq

    def _was_there(self, entry: Entry) -> bool:
        """Return whether the room has shown the entry to the session, which may have been removed just afterwards."""
        room = self.room  # most sessions are in one room
        if room is not None and room.log == entry.log:
            return True
        return self.room_with(entry.log) is not None or entry.seq < self.put_out.get(entry.log, 0)

    def repeat(self, entry: Entry, ref: int | str | None, *, ok: bool = False) -> None:
        """Acknowledge a stored message that the room does not show to the session: send it to the session alone.

        With ``ok``, the command with that ref is answered ``ok`` as well.
        """
        event = entry.event
        if entry.repeated and self.room_with(entry.log) is None:
            event = own_part(event)
            entry = Entry(entry.log, event, encode(event), entry.seq)
        if isinstance(event, Private):
            self.answer(Sent(event.id, event.to, event.text), ref)
            self.settled()
            return

        def named(room: str) -> None:
            self.out.write(self.dialect.render(room, entry))
            if ok:
                self.answer(Ok(), ref)
            self.settled()

        def unknown(failure: Failure) -> None:
            self.refuse(NOT_CONFIRMED(), ref)
            self.settled()

        Deferred.fromCoroutine(self.host.room_name(entry.log)).addCallbacks(named, unknown)

    def settled(self) -> None:
        """Note that storing an event of the session has succeeded or failed, and that the client was told which."""
        self.pending -= 1
        if self._idle is not None and self.pending == 0:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when no event and no upload of the session is under way."""
        deferred: Deferred[None] = Deferred()
        if self.pending == 0:
            deferred.callback(None)
        else:
            self._idle = deferred
        return deferred.addCallback(lambda _: self.transfers.idle() if self.transfers is not None else None)
