"""The client's core: what the client knows, what each event of the server changes, and what the client must then do.

The core has no connection, no clock and no Deferred. ``conversation.py`` gives it events and carries out what it
returns. The terminal, the pipe, bots and tests all use it through ``Client``. To "tell" an event or a notice is to give
it to that user of ``Client``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import asdict, replace

from chatroom.client.guest_name import chosen
from chatroom.client.inbox_state import InboxState
from chatroom.client.introduction import Introduction
from chatroom.client.joined_rooms import JoinedRooms
from chatroom.client.login import REMOVED, Credentials
from chatroom.client.room_commands import is_about_room
from chatroom.client.room_state import RoomState
from chatroom.client.status import Connected, Denied, Gap, Named, Notice
from chatroom.client.unread_count import Place
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.errors import IN_USE
from chatroom.model.events import Event

KEPT = frozenset({"say", "me", "edit", "message", "reply", "file"})  # commands that are sent again after a reconnection
KEPT_TO_PERSON = frozenset({"quote", "react", "delete"})  # kept, too, if they are about a sealed private message
_QUIET = frozenset({"pong", "read", "typing"})  # commands that the client gives by itself; their answers are not told
CHANGING_USER = frozenset({"login", "register", "takeover", "logout"})  # commands after which we have another inbox
_JOINING = frozenset({"join", "create"})
_LOGGING_IN = frozenset({"login", "register"})
WORTHLESS = frozenset({"wrong-token", "wrong-password"})  # refusals after which a login need not be remembered
_MOVED = "session-taken-over"  # the error that ends a session because its user goes on in another client
_FINAL = {  # errors that end a session for good: the client does not come back by itself, for this reason
    _MOVED: "you go on there; start the client again to come back here",
    REMOVED: "this client has forgotten the login; log in with the password if you want to use this device again",
    "expelled": "you were removed, so this client does not connect again by itself",
}


@dataclass(frozen=True, slots=True)
class Reaction:
    """What ``Client`` has to do after an event of the server.

    Args:
        answer: The event, for the caller whose command it answers.
        told: The events and notices to tell to the user of ``Client``, in this order.
        new_inbox: Whether we have become another user, with another inbox.
        seen: The seq up to which our inbox (the log of private messages) may be acknowledged once ``told`` was told;
            0 if the event is not of the inbox.
        end: Why the connection is to be ended for good; empty if it goes on.
    """

    answer: Event
    told: list[Event | Notice]
    new_inbox: bool
    seen: int
    end: str


class ClientState:
    """Knows our name, our login and our rooms, and decides what follows from each event.

    Args:
        introduction: Says who we are on each connection.
        rooms: The names of the rooms to join first.
        several: Whether to stay in the other rooms when another is joined, if the server allows that.
        credentials: Keeps the current login for the next connection.
        history: How many earlier messages to ask for when a room is joined; None: as many as people are shown.
        mint: Returns a new unique id.
        waiting_for: Given names of commands; returns whether a command of such a name was sent and is not answered yet.

    Attributes:
        online: Whether the server has let us in on this connection.
        ready: Whether we have also seen what we missed in the rooms, so that new commands may be sent.
        name: Our name; empty until the server has told it.
        guest: Whether we are not logged in to an account.
        server: The name that the server gives itself.
        server_id: The server's id; empty if it does not tell one.
        user_id: Our user id; empty if the server does not tell it.
        nonce: What this connection is to sign with our keys.
        unread: How many private messages have come since ``Client`` or its user last set this to 0.
        introduction: Says who we are on each connection.
        joined: The rooms that we are in, and those to join first.
        inbox: The state of our inbox.
        features: What the server says that it can do.
        credentials: Keeps the current login.
        moved: Whether the user has taken over our session with another client.
    """

    def __init__(
        self,
        *,
        introduction: Introduction,
        rooms: Sequence[str],
        credentials: Credentials,
        history: int | None,
        mint: Callable[[], str],
        waiting_for: Callable[..., bool],
        several: bool = False,
    ) -> None:
        self.online = self.ready = self.moved = False
        self.name = ""
        self.guest = True
        self.server = self.server_id = self.user_id = self.nonce = ""
        self.unread = 0
        self.introduction = introduction
        self.joined = JoinedRooms(rooms, several=several)
        self.inbox = InboxState()
        self.credentials = credentials
        self.features: Collection[str] = ()
        self._history = history
        self._shown_to_people = 0  # how many earlier messages the server shows to people when they join
        self._mint = mint
        self._waiting_for = waiting_for
        self._complaint = ""  # the server's last error on this connection that answers no command

    @property
    def inside(self) -> bool:
        """Whether we are in a room or about to join the first, so that a typed line of text is said there."""
        return bool(self.joined.target)

    @property
    def place(self) -> RoomState:
        """The state of the room in focus."""
        return self.joined.here

    @property
    def history(self) -> int:
        """How many earlier messages to ask for when a room is joined."""
        return self._shown_to_people if self._history is None else self._history

    # ---- connections -----------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """Note that there is a new connection: forget what the server said on the old one."""
        self._complaint = ""

    def welcomed(self, security: str, *, again: bool) -> Connected:
        """Note that the server has let us in.

        Args:
            security: How the connection is protected, as ``TLS 1.3``.
            again: Whether we were on the server before.

        Returns:
            The notice to tell.
        """
        self.online = True
        return Connected(self.server, self.name, self.guest, security, again)

    def login_refused(self, user: str, code: str, text: str) -> Denied:
        """Go on as a guest: the server has refused our login.

        Args:
            user: The name of the account.
            code: The error code of the refusal.
            text: The refusal in words.

        Returns:
            The notice to tell.
        """
        if code in WORTHLESS:
            self.credentials.forget()
        self.inbox.forget()
        self.credentials.login = None  # only in this run; a saved token that may still be good stays
        return Denied("login", user, code, text)

    def join_refused(self, room: str, code: str, text: str) -> Denied:
        """Note that we are not in a room: the server did not let us join it as a first room, or return to it.

        Args:
            room: The name of the room.
            code: The error code of the refusal.
            text: The refusal in words.

        Returns:
            The notice to tell.
        """
        self.joined.leave(room)
        self.joined.answered(room)
        return Denied("room", room, code, text)

    def caught_up(self) -> None:
        """Note that all events that we missed were shown, so that new commands may be sent."""
        self.joined.caught_up()
        self.ready = True

    def disconnected(self) -> None:
        """Note that the connection was lost."""
        self.online = self.ready = False

    def reason(self, why: str) -> str:
        """Return why the connection has ended: ``why``, then what the server's last error said."""
        return f"{why}: {self._complaint}" if self._complaint else why

    # ---- commands --------------------------------------------------------------------------------------------------

    def complete(self, do: str, fields: dict[str, Any], target: str = "") -> dict[str, Any]:
        """Return the fields of a command together with the fields that the client adds to all commands of that name.

        Args:
            do: The command's name.
            fields: The fields that the caller gave. They take precedence.
            target: The name of the room that a command about a room is for if it names none; empty for none.
        """
        if target and is_about_room(do, fields):
            fields = {"room": target, **fields}
        if do == "reply":
            fields = {"to": self.inbox.writer, **fields}  # for another user may write before the command arrives
        if do in KEPT or (do in KEPT_TO_PERSON and fields.get("user")):
            return {"id": self._mint(), **fields}
        fields = self.joined.staying(fields) if do in _JOINING else fields
        if do == "join":
            return {"messages": self.history, **fields}
        return self.credentials.asking(fields) if do in _LOGGING_IN else fields

    # ---- events ----------------------------------------------------------------------------------------------------

    def receive(self, event: Event, record: dict[str, Any] | None, *, awaited: bool) -> Reaction:
        """Update what the client knows by an event of the server.

        Args:
            event: The event.
            record: Our command that the event answers, or that it acknowledges as its echo; None if there is none.
            awaited: Whether to tell the event even if it was told before, because somebody waits for it.

        Returns:
            What ``Client`` has to do now.
        """
        event = _as_meant(event, record, self.name)
        was_guest = self.guest
        fresh = self._fresh(event) or awaited
        refused = record is not None and isinstance(event, a.Error)
        told = self._take(event, record or {}) if fresh and not refused else []
        if isinstance(event, a.Error) and record is not None and event.code in IN_USE:
            self.credentials.found_in_use(record)
        code = event.code if record is None and isinstance(event, a.Error) else ""
        self.moved = self.moved or code == _MOVED
        self.credentials.ended(code)
        return Reaction(
            answer=event,
            told=told,
            new_inbox=was_guest is not self.guest,
            seen=event.seq if e.of_inbox(event) and not isinstance(event, a.OwnPrivate) else 0,
            end=_FINAL.get(code, ""),
        )

    def _fresh(self, event: Event) -> bool:
        """Return whether an event was not shown before; from now on it counts as shown."""
        if e.of_inbox(event):
            return self.inbox.fresh(event)
        return not isinstance(event, e.RoomEvent) or self.joined.fresh(event)

    def _take(self, event: Event, record: dict[str, Any]) -> list[Event | Notice]:
        """Update what is known by an event that is to be told. Returns the events and notices to tell."""
        before = self.name
        gap = self._follow(event, record)
        told: list[Event | Notice] = [Named(self.name)] if self.online and self.name != before else []
        if record.get("do") not in _QUIET:
            told.append(event)
        return [*told, Gap(event.room)] if gap and isinstance(event, a.Entered) else told

    def _follow(self, event: Event, record: dict[str, Any]) -> bool:
        """Update what is known by an event. Returns whether some events of its room before it are lost."""
        gap = False
        do = record.get("do", "")
        if isinstance(event, a.Welcome):
            self._welcome(event)
        elif isinstance(event, a.Account):
            self._account(event, record)
        elif isinstance(event, e.Renamed) and self._own_name(event, do):
            if do == "name":
                self.introduction.want(event.name)
            self._become(event.name, self.guest)
        elif isinstance(event, a.Entered) and do in _JOINING:  # nobody is put into a room unasked
            gap = self._entered(event, record)
        elif isinstance(event, e.Left) and self._own(event, do):
            self.joined.leave(event.room)
        elif isinstance(event, a.Conversations):
            self.inbox.listed(event)
        elif isinstance(event, a.Sent):
            self.inbox.peer(event.to)
        elif isinstance(event, a.Marked):
            self._marked(event)
        elif isinstance(event, e.Private | e.Shared):
            self.unread += self.inbox.received(event)
        elif isinstance(event, a.Error):
            self._complaint = event.text.rstrip(".")
        elif do == "password":
            self.credentials.change_password(record["new"])
        self.joined.apply(event, self.name)
        return gap

    def _welcome(self, event: a.Welcome) -> None:
        self.server, self.introduction.secret = event.server, event.resume
        self.server_id, self.user_id, self.nonce = event.server_id, event.you_id, event.nonce
        self.features = frozenset(event.features)
        self.joined.welcomed(event, new=not self.name)
        self._shown_to_people = event.replay
        if event.guest and chosen(event.you):
            self.introduction.want(event.you)
        self._become(event.you, event.guest)

    def _account(self, event: a.Account, record: dict[str, Any]) -> None:
        do = record.get("do")
        if self.ready and event.guest is not self.guest:
            self.inbox.forget()
        if event.guest:
            self.credentials.forget()
            self.introduction.want("")
        elif do == "takeover":
            self.credentials.took_over(event)
        elif do in _LOGGING_IN:
            self.credentials.logged_in(event, record)
        self.user_id = event.id
        self._become(event.name, event.guest)

    def _entered(self, event: a.Entered, record: dict[str, Any]) -> bool:
        """Follow a room that we joined. Returns whether events that came while we were cut off from it are lost."""
        gap = self.joined.entered(event, again="after" in record, stay=bool(record.get("stay")))
        self.joined.answered(event.room)
        return gap

    def mark(self, place: Place, seq: int) -> bool:
        """Move our read mark in a room or of a person. Returns False if it is there already, or we are not there."""
        kind, name = place
        if kind == "user":
            return self.inbox.mark(name, seq)
        room = self.joined.find(name)
        return room is not None and room.count.mark(seq)

    def _marked(self, event: a.Marked) -> None:
        """Follow a read mark that another session of ours has set."""
        room = self.joined.find(event.room)
        if event.user:
            self.inbox.peer(event.user, event.user_id).count.marked(event.seq, event.unread, 0)
        elif room is not None:
            room.count.marked(event.seq, event.unread, event.mentions)

    def _own_name(self, event: e.Renamed, do: str) -> bool:
        """Return whether it is we who have a new name: by the command ``name``, or by what somebody has done.

        If we have logged out in another client (``again``), that one has another name, and we keep ours.
        """
        return do == "name" or (event.by == self.name and not event.again and bool(do or self.ready))

    def _own(self, event: e.Left, do: str) -> bool:
        """Return whether it is we who left the room: by the command ``leave``, or on the way to another room.

        Among the missed events of a room to which we have returned, it is an earlier session of ours that has left.
        """
        room = self.joined.of(event)
        past = room is not None and room.is_past(event)
        return do == "leave" or (event.by == self.name and not past and self._waiting_for(*_JOINING))

    def _become(self, name: str, guest: bool) -> None:
        """Note the name that the server has given us, and whether we are a guest under it."""
        self.joined.rename(self.name, name)
        self.name, self.guest = name, guest


def _as_meant(event: Event, record: dict[str, Any] | None, me: str) -> Event:
    """Return an event as the class that has the right words: some classes of the server have the same record.

    Args:
        event: The event.
        record: Our command that the event answers, if any.
        me: Our name.
    """
    if isinstance(event, a.Account) and record is not None and record["do"] == "account":
        return a.Unchanged(**asdict(event))
    if isinstance(event, a.History | a.Found):
        return replace(event, events=[_as_meant(each, None, me) for each in event.events])
    if type(event) is e.Private and event.by == me and event.to != me:
        return a.OwnPrivate(**asdict(event))
    return event
