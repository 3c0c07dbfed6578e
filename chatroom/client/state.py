"""The client's core: what the client knows, and what each event of the server changes and causes.

It has no connection, no clock and no Deferred. ``conversation.py`` gives it events and carries out what it returns. The
terminal, the pipe, bots and tests all use it through ``Client``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import asdict

from chatroom import __version__
from chatroom.client.guest_name import chosen
from chatroom.client.login import Credentials
from chatroom.client.room_state import RoomState
from chatroom.client.status import Connected, Denied, Gap, Named, Notice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.events import PROTOCOL_VERSION, Event

KEPT = frozenset({"say", "me", "message", "reply"})  # commands that are sent again after a reconnection
CHANGING_USER = frozenset({"login", "register", "takeover", "logout"})  # commands after which our inbox is another
_LOGGING_IN = frozenset({"login", "register"})
WORTHLESS = frozenset({"wrong-token", "wrong-password"})  # refusals after which a login need not be remembered
_MOVED = "session-taken-over"  # the end of a session whose user goes on elsewhere
_FINAL = {  # ends of a session after which the client does not come back by itself
    _MOVED: "you go on there; start the client again to come back here",
    "expelled": "you were removed, so this client does not connect again by itself",
}


@dataclass(frozen=True, slots=True)
class Reaction:
    """What ``Client`` has to do about an event.

    Args:
        answer: The event to give to the caller whose command it answers.
        told: The events and notices to tell, in this order.
        new_inbox: Whether the user, and with it the inbox, has become another.
        seen: The seq of the inbox that may now be acknowledged; 0 for none.
        end: Why the connection is to be ended for good; empty if it is not.
    """

    answer: Event
    told: list[Event | Notice]
    new_inbox: bool
    seen: int
    end: str


class ClientState:
    """Knows our name, our login and our room, and decides what follows from each event.

    Args:
        name: The name to take as a guest.
        room: The room to join first, if any.
        credentials: How to log in.
        history: How many earlier messages to ask for when a room is joined; None: as many as people are shown.
        secret: The guest's secret; empty until the first welcome if there is none yet.
        mint: Returns a new unique id.
        keep_name: Given the guest's name to take at the next start, whenever it changes; an empty name takes none.
        waiting_for: Tells whether a command of one of these kinds was sent and is not answered.

    Attributes:
        online: Whether the server has let us in on this connection.
        ready: Whether we also caught up with the room, so that new commands may be sent.
        name: Our name; empty until the server has told it.
        guest: Whether we are not logged in to an account.
        server: The name that the server gives itself.
        unread: How many private messages have come since this was last set to 0.
        wanted: The guest's name to ask for on each connection.
        secret: Proves on the next connection that we are the same guest, and ends the session that was cut off.
        first_room: The room to join first; empty once the server has answered.
        place: The room that we are in.
        moved: Whether the user has taken over our session elsewhere.
    """

    def __init__(
        self,
        *,
        name: str,
        room: str,
        credentials: Credentials,
        history: int | None,
        secret: str,
        mint: Callable[[], str],
        keep_name: Callable[[str], None],
        waiting_for: Callable[..., bool],
    ) -> None:
        self.online = self.ready = self.moved = False
        self.name = ""
        self.guest = True
        self.server = ""
        self.unread = 0
        self.wanted = name
        self.secret = secret
        self.first_room = room
        self.credentials = credentials
        self.place = RoomState()
        self._history = history
        self._shown_to_people = 0  # earlier messages that the server shows to people when they join
        self._mint = mint
        self._keep_name = keep_name
        self._waiting_for = waiting_for
        self._complaint = ""  # the server's last error on this connection that answers no command

    @property
    def inside(self) -> bool:
        """Whether a line of text is said to a room: we are in one, or about to join the first."""
        return bool(self.place.room or self.first_room)

    @property
    def history(self) -> int:
        """How many earlier messages to ask for when a room is joined."""
        return self._shown_to_people if self._history is None else self._history

    # ---- connections -----------------------------------------------------------------------------------------------

    def connected(self) -> None:
        """Note that there is a new connection."""
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
            code: The refusal for programs.
            text: The refusal for people.

        Returns:
            The notice to tell.
        """
        if code in WORTHLESS:
            self.credentials.forget()
        self.credentials.login = None  # for this run; a token that was saved stays
        return Denied("login", user, code, text)

    def joined(self) -> None:
        """Note that the server has answered the first ``join``, or that of our return."""
        self.first_room = ""

    def join_refused(self, room: str, code: str, text: str) -> Denied:
        """Be in no room: the server has refused the first ``join``, or that of our return.

        Args:
            room: The name of the room.
            code: The refusal for programs.
            text: The refusal for people.

        Returns:
            The notice to tell.
        """
        self.place.leave()
        self.first_room = ""
        return Denied("room", room, code, text)

    def caught_up(self) -> None:
        """Note that everything missed was shown, and new commands may be sent."""
        self.place.caught_up()
        self.ready = True

    def disconnected(self) -> None:
        """Note that the connection has gone."""
        self.online = self.ready = False

    def reason(self, why: str) -> str:
        """Return why the connection has ended, with what the server said about it."""
        return f"{why}: {self._complaint}" if self._complaint else why

    # ---- commands --------------------------------------------------------------------------------------------------

    def hello(self, name: str) -> dict[str, Any]:
        """Return the fields of a ``hello`` under a name; under an empty name the server makes one."""
        fields = {"version": PROTOCOL_VERSION, "client": f"chatroom-client {__version__}"}
        if name:
            fields["name"] = name
        if self.secret:
            fields["resume"] = self.secret
        return fields

    def join(self) -> dict[str, Any]:
        """Return the fields of the ``join`` on a new connection: our room or else the first; empty if there is none."""
        if self.place.room:
            return {"room": self.place.room, "after": self.place.seen}
        return {"room": self.first_room, "messages": self.history} if self.first_room else {}

    def complete(self, do: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a command together with those that the client adds to each command of its kind.

        Args:
            do: The command's name.
            fields: The fields that were given; none of them is changed.
        """
        if do == "reply":
            fields = {"to": self.place.writer, **fields}  # for somebody else may write before the command arrives
        if do in KEPT:
            return {"id": self._mint(), **fields}
        if do == "join":
            return {"messages": self.history, **fields}
        return self.credentials.asking(fields) if do in _LOGGING_IN else fields

    # ---- events ----------------------------------------------------------------------------------------------------

    def receive(self, event: Event, record: dict[str, Any] | None, *, awaited: bool) -> Reaction:
        """Take an event of the server.

        Args:
            event: The event.
            record: The command that it answers or, as an echo, acknowledges; None if there is none.
            awaited: Whether the event is told even if it was shown before.

        Returns:
            What to do about it.
        """
        if record is not None and record["do"] == "account" and isinstance(event, a.Account):
            event = a.Unchanged(**asdict(event))
        was_guest = self.guest
        fresh = self.place.fresh(event) or awaited
        refused = record is not None and isinstance(event, a.Error)
        told = self._take(event, record or {}) if fresh and not refused else []
        if isinstance(event, a.Error) and record is not None and event.code == "already-logged-in":
            self.credentials.found_in_use(record)
        code = event.code if record is None and isinstance(event, a.Error) else ""
        self.moved = self.moved or code == _MOVED
        return Reaction(
            answer=event,
            told=told,
            new_inbox=was_guest is not self.guest,
            seen=event.seq if e.of_inbox(event) else 0,
            end=_FINAL.get(code, ""),
        )

    def _take(self, event: Event, record: dict[str, Any]) -> list[Event | Notice]:
        """Update what is known by an event that was not shown before. Returns what to tell."""
        before = self.name
        gap = self._follow(event, record)
        told: list[Event | Notice] = [Named(self.name)] if self.online and self.name != before else []
        if record.get("do") != "pong":
            told.append(event)
            self.unread += isinstance(event, e.Private)
        return [*told, Gap(self.place.room)] if gap else told

    def _follow(self, event: Event, record: dict[str, Any]) -> bool:
        """Update what is known by an event. Returns whether events before it are missing."""
        gap = False
        do = record.get("do", "")
        if isinstance(event, a.Welcome):
            self._welcome(event)
        elif isinstance(event, a.Account):
            self._account(event, record)
        elif isinstance(event, e.Renamed) and (do == "name" or (event.by == self.name and (do or self.ready))):
            if do == "name":
                self._want(event.name)
            self._become(event.name, self.guest)
        elif isinstance(event, a.Entered):
            gap = self._entered(event, record)
        elif isinstance(event, e.Left) and self._own(event, do):
            self.place.leave()
        elif isinstance(event, a.Error):
            self._complaint = event.text.rstrip(".")
        elif do == "password":
            self.credentials.change_password(record["new"])
        self.place.apply(event, self.name)
        return gap

    def _welcome(self, event: a.Welcome) -> None:
        self.server, self.secret = event.server, event.resume
        self._shown_to_people = event.replay
        if event.guest and chosen(event.you):
            self._want(event.you)
        self._become(event.you, event.guest)

    def _account(self, event: a.Account, record: dict[str, Any]) -> None:
        do = record.get("do")
        if event.guest:
            self.credentials.forget()
            self._want("")
        elif do == "takeover":
            self.credentials.took_over(event)
        elif do in _LOGGING_IN:
            self.credentials.logged_in(event, record)
        self._become(event.name, event.guest)

    def _entered(self, event: a.Entered, record: dict[str, Any]) -> bool:
        """Follow the room that we joined. Returns whether events since our last stay are missing."""
        if "after" in record and event.room == self.place.room:
            return self.place.rejoin(event)
        self.place.enter(event)
        return False

    def _own(self, event: e.Left, do: str) -> bool:
        """Return whether we left ourselves: by a command, or on the way to another room."""
        return do == "leave" or (event.by == self.name and self._waiting_for("join", "create"))

    def _want(self, name: str) -> None:
        """Ask for a guest's name on each connection from now on, and at the next start; for none if it is empty."""
        self.wanted = name
        self._keep_name(name)

    def _become(self, name: str, guest: bool) -> None:
        """Take a name that the server has given us."""
        self.place.rename(self.name, name)
        self.name, self.guest = name, guest
