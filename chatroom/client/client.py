"""One's place on a server, kept alive over reconnections: name, login, room, and all that was said and not yet heard.

``Reconnector`` makes the connections; ``restoring`` takes back on each what one had; ``PendingQueue`` keeps what is not
answered; ``RoomState`` knows what has been shown. What holds them together is here: each event goes through ``_heard``.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from msgspec.structs import asdict
from twisted.internet.defer import Deferred, fail

from chatroom.client import resume
from chatroom.client.acks import Acks
from chatroom.client.backfill import Backfill
from chatroom.client.connection import Piece, Ref, ServerConnection
from chatroom.client.errors import Failed, Rejected
from chatroom.client.file_carrier import Carrier
from chatroom.client.guest_name import chosen
from chatroom.client.keepalive import ServerKeepalive
from chatroom.client.login import Credentials, LoginState
from chatroom.client.pending import KEPT, MOVING, PendingCommand, PendingQueue
from chatroom.client.reconnecting import Reconnector
from chatroom.client.state import RoomState
from chatroom.client.status import Connected, Ended, Gap, Lost, Named, Notice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.events import Event

STOP_WITHIN = 10.0  # seconds for what was said to be acknowledged
CLOSE_WITHIN = 2.0  # seconds for the server to say goodbye
_LOGGING_IN = frozenset({"login", "register"})
_BECOMING = _LOGGING_IN | {"takeover", "logout"}  # somebody else, with another inbox


class Client:
    """See the module.

    Args:
        reactor: Everything of it that is not the clock.
        connect: Dials once; gives a ``ServerConnection``, or fails with ``Failed``.
        clock: The time.
        mint: Returns an id that nobody has had, of at most 64 characters.
        tell: Given every event that comes, answers included, but for errors that fail a Deferred; and every notice.
            Of a room each event is told once, in order, over reconnections. It must not raise.
        name: The name to take as a guest.
        room: The room to join, if any.
        login: Name and password of an account to log in to, or a ``LoginState``.
        history: Messages of before that are asked for when a room is joined, unless it is said how many; None: as many
            as the server shows to people.
        client: See ``Credentials``.
        keep: See ``Credentials``.
        keep_name: Given the guest's name to take at the next start whenever it changes; empty: none.
        secret: What ends our ghost even if its welcome was lost: at least 16 characters that nobody can guess. If none
            is given, there is one from the first welcome on.
        chance: Returns a number from 0 up to 1, for the waits.

    Attributes:
        online: We are on the server; commands may be given.
        over: Why there will be no connection any more; None: there will be.
        name: Who we are; empty until the server has said so.
        guest: We are nobody's account.
        server: What the server calls itself.
        security: ``TLS 1.3``, ``plain``; empty when there is no connection.
        unread: Private messages that came; whoever shows them sets it back to 0.
        credentials: How to log in again.
        wanted: The guest's name to take on each connection.
        carrier: What carries files, if anything does.
    """

    def __init__(
        self,
        reactor: Any,
        connect: Callable[[], Deferred[ServerConnection]],
        clock: Any,
        mint: Callable[[], str],
        tell: Callable[[Event | Notice], None],
        *,
        name: str = "",
        room: str = "",
        login: LoginState | tuple[str, str] | None = None,
        history: int | None = 0,
        client: str = "",
        keep: Callable[[str, str], None] | None = None,
        keep_name: Callable[[str], None] = lambda name: None,
        secret: str = "",
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.online = False
        self.over: Rejected | None = None
        self.name = ""
        self.guest = True
        self.server = ""
        self.security = ""
        self.unread = 0
        self.credentials = Credentials(LoginState(*login) if isinstance(login, tuple) else login, client, keep)
        self.wanted = name
        self._keep_name = keep_name
        self._history = history
        self._replay = 0  # messages that the server shows to people
        self.carrier: Carrier | None = None
        self.secret = secret  # ends our ghost, and makes us the same guest
        self.place = RoomState()
        self.first_room = room
        self.clock = clock
        self._mint = mint
        self._tell = tell
        self._connection: ServerConnection | None = None
        self._ready = False  # what was said before has been sent again; the new may follow
        self._outgoing = PendingQueue()
        self.catching_up = Backfill(self.ask, self._outgoing, self._heard)
        self._pulse = ServerKeepalive(clock, self._ping, self.drop)
        self._acknowledging = Acks(clock, self.write)
        self._reconnecting = Reconnector(connect, clock, chance, self._made, self._not_there)
        self._complaint = ""  # the last thing that the server complained about, unasked
        self._stopping = False
        self._closed: Deferred[None] | None = None

    @property
    def room(self) -> str:
        """Where we are, or empty."""
        return self.place.room

    @property
    def inside(self) -> bool:
        """Whether a line is said to a room: we are in one, or the room to join first has not answered yet."""
        return bool(self.place.room or self.first_room)

    @property
    def users(self) -> list[str]:
        """Who is there, us included."""
        return self.place.users

    @property
    def history(self) -> int:
        """Messages of before that are asked for when a room is joined."""
        return self._replay if self._history is None else self._history

    @property
    def limits(self) -> a.Limits:
        """What the server says one must stay within."""
        return self._outgoing.limits

    @property
    def lag(self) -> float | None:
        """Seconds that the server took to answer lately; None if not known."""
        return self._pulse.lag

    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt to connect; None if none is awaited."""
        return self._reconnecting.retry_in

    # ---- from outside ----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and again whenever the connection is lost."""
        self._reconnecting.dial()

    def try_now(self) -> bool:
        """Make the attempt to connect that is awaited now. Returns whether one was awaited."""
        return self._reconnecting.try_now()

    async def stop(self, within: float = STOP_WITHIN) -> None:
        """Leave: wait until what was said is acknowledged, then say goodbye.

        Args:
            within: Seconds to wait at most.
        """
        if not self._stopping:
            self._stopping = True
            await self._within(within, self._outgoing.idle())
            self._reconnecting.stop()
            if self._connection is not None:
                await self._say_goodbye(self._connection)
            self._gone()
            self._give_up(Rejected("not-confirmed", "we left before the server confirmed it."))

    def do(self, do: str, **fields: Any) -> Deferred[Event]:
        """Give a command of docs/protocol.md, as ``do("join", room="lobby")``.

        Args:
            do: What is to be done.
            fields: Of the record. What says something (``say``, ``me``, ``message``, ``reply``) is kept as by ``say``.

        Returns:
            Fires with the answer. Fails with ``Rejected`` if that is an error; and, unless it is kept, if there is no
            connection (code ``offline``) or it goes before the answer has come (``lost``).
        """
        if self.over is not None:
            return fail(self.over)
        if do not in KEPT and not self.online:
            return fail(Rejected("offline", "there is no connection to the server at the moment; try again later."))
        try:
            command = self._outgoing.add(do, self._completed(do, fields))
        except Rejected as refused:
            return fail(refused)
        if self._ready:
            self._send(command)
        return command.answer

    def _completed(self, do: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields, and what is always asked for with such a command."""
        if do == "reply":
            fields = {"to": self.place.writer, **fields}  # whoever writes before it gets there is not meant
        if do in KEPT:
            return {"id": self._mint(), **fields}
        if do == "join":
            return {"messages": self.history, **fields}
        return self.credentials.asking(fields) if do in _LOGGING_IN else fields

    def say(self, text: str) -> Deferred[None]:
        """Say something to the room: kept with its id, sent again after a reconnection.

        Args:
            text: A line.

        Returns:
            Fires when its echo came: it is stored. Fails with ``Rejected``.
        """
        return self.do("say", text=text).addCallback(lambda echo: None)

    def write(self, record: dict[str, Any], data: bytes = b"") -> None:
        """Send what is not answered, for a carrier: a record, and the raw bytes after it."""
        if self._connection is not None:
            self._connection.send(record, data)

    def when_there(self, call: Callable[[], None]) -> None:
        """Call that when we are where the commands that have been given take us; at once if none of them does."""

        def answered(result: Any) -> Any:
            call()
            return result

        command = self._outgoing.last(*MOVING)
        if command is None:
            call()
        else:
            command.answer.addBoth(answered)

    def when_free(self, call: Callable[[], None]) -> None:
        """Call that when the network takes more; never when the connection goes before."""
        if self._connection is not None:
            self._connection.when_free(call)

    def pause(self) -> None:
        """Read nothing for now: whoever is told has enough to do."""
        self._pulse.paused = True
        if self._connection is not None:
            self._connection.read(False)

    def resume(self) -> None:
        """Read again."""
        self._pulse.paused = False
        self._pulse.beat()
        if self._connection is not None:
            self._connection.read(True)

    def drop(self, why: str, *, hopeless: bool = False) -> None:
        """End the connection; another is made by and by, unless that is hopeless."""
        if self._connection is not None:
            self._connection.abort(Failed(why, hopeless=hopeless))

    # ---- connections -----------------------------------------------------------------------------------------------

    def _made(self, connection: ServerConnection) -> None:
        self._connection = connection
        self.security = connection.security
        self._complaint = ""
        self._pulse.start()
        if self._pulse.paused:
            self.pause()
        connection.listen(self._came, self._lost)
        if self._connection is connection:
            Deferred.fromCoroutine(resume.restore(self)).addErrback(self._not_restored, connection)

    def _not_restored(self, failure: Any, connection: ServerConnection) -> None:
        """The connection went meanwhile; or the server does not let us in."""
        if failure.check(Rejected):
            connection.abort(Failed(failure.value.text.rstrip("."), hopeless=failure.value.code in resume.HOPELESS))
        else:
            connection.abort(Failed(f"the client has an error: {failure.getErrorMessage()}", hopeless=True))

    def _lost(self, why: Failed) -> None:
        self._gone()
        self._outgoing.lost()
        if self._complaint and not why.hopeless:
            why = Failed(f"{why.why}: {self._complaint}")
        if self._closed is not None:
            self._closed.callback(None)
        else:
            self._reconnecting.ended(why)

    def _not_there(self, why: str, wait: float | None) -> None:
        if wait is None:
            self.over = Rejected("ended", f"{why}.")
            self._give_up(self.over)
            self._tell(Ended(why))
        else:
            self._tell(Lost(why, wait))

    def _give_up(self, refused: Rejected) -> None:
        self._outgoing.give_up(refused)
        if self.carrier is not None:
            self.carrier.end(refused)

    def _gone(self) -> None:
        if self._ready and self.carrier is not None:
            self.carrier.lost()
        self._connection = None
        self.online = self._ready = False
        self.security = ""
        self._pulse.stop()
        self._acknowledging.reset()

    async def _say_goodbye(self, connection: ServerConnection) -> None:
        self._acknowledging.flush()
        self._closed = Deferred()
        connection.send({"do": "quit"})
        await self._within(CLOSE_WITHIN, self._closed)
        connection.abort(Failed("we have left"))

    async def _within(self, seconds: float, deferred: Deferred[None]) -> None:
        """Wait, but no longer than that."""
        deferred.addTimeout(seconds, self.clock).addErrback(lambda failure: None)
        await deferred

    # ---- for restoring ---------------------------------------------------------------------------------------------

    def ask(self, do: str, **fields: Any) -> Deferred[Event]:
        """Give a command before all that waits."""
        command = self._outgoing.add(do, fields, first=True)
        self._send(command)
        return command.answer

    def leave_unsaid(self, why: Rejected) -> None:
        """What was given before, and waits, is not to be said any more."""
        self._outgoing.give_up(why)
        if self.carrier is not None:
            self.carrier.drop(why)

    def welcomed(self, *, again: bool) -> None:
        """We are on the server, as whom we wanted or not: commands may be given, and wait until we are ready."""
        self.online = True
        self._tell(Connected(self.server, self.name, self.guest, self.security, again))

    def notify(self, notice: Notice) -> None:
        """Tell something."""
        self._tell(notice)

    def ready(self) -> None:
        """All is as it was: send what waits, and again what was not acknowledged."""
        self.place.settled()
        self._reconnecting.steady()
        self._ready = True
        for command in self._outgoing.unsent():
            self._send(command)
        if self.carrier is not None:
            self.carrier.ready()

    # ---- what is said and heard ------------------------------------------------------------------------------------

    def _send(self, command: PendingCommand) -> None:
        if self._connection is not None:
            if command.do in _BECOMING:
                self._acknowledging.hold()
            command.sent = self.clock.seconds()
            self._connection.send(command.record)

    def _ping(self) -> None:
        """Ask for an answer; when nobody reads, only say that we are there."""
        if self._pulse.paused or not self._ready:
            self.write({"do": "pong"})
        else:
            self.ask("pong").addErrback(lambda failure: None)

    def _came(self, event: Event | Piece, re: Ref | None) -> None:
        self._pulse.beat()  # even if it is heard later
        self.catching_up.came(event, re)

    def _heard(self, event: Event | Piece, re: Ref | None) -> None:
        taken = re is None and self.carrier is not None and self.carrier.take(event)
        if taken or isinstance(event, Piece):
            return
        command = self._answered(event, re)
        if command is not None and command.do == "account" and isinstance(event, a.Account):
            event = a.Unchanged(**asdict(event))
        if isinstance(event, a.Ping):
            self.write({"do": "pong"})
            return
        refused = command is not None and isinstance(event, a.Error)
        awaited = re is not None or (self.carrier is not None and self.carrier.awaits(event))
        fresh = self.place.fresh(event) or awaited
        if fresh and not refused:
            gap = self._follow(event, command)
            if command is None or command.do != "pong":
                self._tell(event)
                self.unread += isinstance(event, e.Private)
            if gap:
                self._tell(Gap(self.room))
        if e.of_inbox(event) and event.seq:
            self._acknowledging.told(event.seq)
        if command is not None:
            if isinstance(event, a.Error):
                if command.do in _BECOMING:
                    self._acknowledging.release()
                if event.code == "already-logged-in":
                    self.credentials.found_in_use(command.record)
                command.answer.errback(Rejected(event.code, event.text))
            else:
                command.answer.callback(event)
        if isinstance(event, e.Shared) and self.carrier is not None:
            self.carrier.shared(event)
        if command is None and isinstance(event, a.Error) and event.code == "session-taken-over":
            self.drop("you go on there; start the client again to come back here", hopeless=True)

    def _answered(self, event: Event, re: Ref | None) -> PendingCommand | None:
        """Return the command that this answers, or acknowledges by being its echo."""
        command = self._outgoing.answered(re)
        if command is None and isinstance(event, e.Said | e.Acted):
            command = self._outgoing.seen(event.id)
        if command is not None and command.sent is not None and command.do in ("pong", "say", "me"):
            self._pulse.lag = self.clock.seconds() - command.sent
        return command

    def _follow(self, event: Event, command: PendingCommand | None) -> bool:
        """Keep in mind what an event changes. Returns whether something before it is missing."""
        gap = False
        do = command.do if command is not None else ""
        if isinstance(event, a.Welcome):
            self.server, self.secret, self._outgoing.limits = event.server, event.resume, event.limits
            self._replay = event.replay
            if event.guest and chosen(event.you):
                self._want(event.you)
            self._be(event.you, guest=event.guest)
        elif isinstance(event, a.Account):
            self._account(event, command)
        elif isinstance(event, e.Renamed) and (do == "name" or event.by == self.name) and self._now(event, do):
            if do == "name":
                self._want(event.name)
            self._be(event.name, guest=self.guest)
        elif isinstance(event, a.Entered):
            if command is not None and "after" in command.record and event.room == self.room:
                gap = self.place.come_back(event)
            else:
                self.place.enter(event)
        elif isinstance(event, e.Left) and self._own(event, do):
            self.place.leave()
        elif isinstance(event, a.Error):
            self._complaint = event.text.rstrip(".")
        elif do == "password" and command is not None:
            self.credentials.change_password(command.record["new"])
        self.place.happen(event, self.name)
        return gap

    def _now(self, event: e.Renamed, do: str) -> bool:
        """Whether it happens now, and is not shown because it was missed."""
        return bool(do) or self._ready

    def _own(self, event: e.Left, do: str) -> bool:
        """Whether it is ourselves who left: asked to, or on the way to another room."""
        return do == "leave" or (event.by == self.name and self._outgoing.waiting_for("join", "create"))

    def _account(self, event: a.Account, command: PendingCommand | None) -> None:
        if event.guest:
            self.credentials.forget()
            self._want("")
        elif command is not None and command.do == "takeover":
            self.credentials.took_over(event)
        elif command is not None and command.do in _LOGGING_IN:
            self.credentials.logged_in(event, command.record)
        self._be(event.name, guest=event.guest)

    def _want(self, name: str) -> None:
        """The guest wants this name on each connection from now on, and at the next start; empty: none."""
        self.wanted = name
        self._keep_name(name)

    def _be(self, name: str, *, guest: bool) -> None:
        changed = self.online and name != self.name
        if guest is not self.guest:
            self._acknowledging.reset()
        self.place.rename(self.name, name)
        self.name, self.guest = name, guest
        if changed:
            self._tell(Named(name))
