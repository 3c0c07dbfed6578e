"""A user's presence on one server, kept up over reconnections.

``ClientState`` decides what events mean, and does no I/O. ``Client`` gives it each event and carries out what follows.
``Reconnector`` makes the connections, ``resume`` restores login and room on each of them, and ``PendingQueue`` keeps
the commands that are not answered.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail

from chatroom.client import resume
from chatroom.client.acks import Acks
from chatroom.client.backfill import Backfill
from chatroom.client.connection import Piece, Ref, ServerConnection
from chatroom.client.errors import Failed, Rejected
from chatroom.client.file_carrier import Carrier
from chatroom.client.keepalive import ServerKeepalive
from chatroom.client.login import Credentials, LoginState
from chatroom.client.pending import MOVING, PendingCommand, PendingQueue
from chatroom.client.reconnecting import Reconnector
from chatroom.client.room_state import RoomState
from chatroom.client.state import CHANGING_USER, KEPT, ClientState, Reaction
from chatroom.client.status import Ended, Lost, Notice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.events import Event

STOP_WITHIN = 10.0  # seconds to wait for acknowledgements before leaving
CLOSE_WITHIN = 2.0  # seconds to wait for the server to close the connection


class Client:
    """Keeps a user on a server: connects again whenever the connection is lost, and sends what was not acknowledged.

    Args:
        connect: Dials once; gives a ``ServerConnection``, or fails with ``Failed``.
        clock: Tells the time and makes delayed calls.
        mint: Returns a new unique id of at most 64 characters.
        tell: Given each event, answers included, and each notice; errors that fail a Deferred are not told. Each event
            of a room is told once, in order, over reconnections. It must not raise.
        name: The name to take as a guest.
        room: The room to join, if any.
        login: Name and password of an account to log in to, or a ``LoginState``.
        history: How many earlier messages to ask for when a room is joined and no number is given; None: as many as
            the server shows to people.
        client: See ``Credentials``.
        keep: See ``Credentials``.
        keep_name: See ``ClientState``.
        secret: The guest's secret, of at least 16 characters that nobody can guess. With a secret of its own, the
            client comes back as the same guest even if the first welcome was lost; without, from the first welcome on.
        chance: Returns a random number from 0 up to 1, for the waits between attempts.

    Attributes:
        state: What we know: our name, our room, our login.
        over: Why no connection will be made any more; None while connections are made.
        security: How the connection is protected, as ``TLS 1.3`` or ``plain``; empty without a connection.
        carrier: Sends and fetches files over this client, if anything does.
    """

    def __init__(
        self,
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
        self.over: Rejected | None = None
        self.security = ""
        self.carrier: Carrier | None = None
        self.clock = clock
        self._tell = tell
        self._outgoing = PendingQueue()
        self.state = ClientState(
            name=name,
            room=room,
            credentials=Credentials(LoginState(*login) if isinstance(login, tuple) else login, client, keep),
            history=history,
            secret=secret,
            mint=mint,
            keep_name=keep_name,
            waiting_for=self._outgoing.waiting_for,
        )
        self._connection: ServerConnection | None = None
        self.catching_up = Backfill(self.ask, self._outgoing, self._heard)
        self._pulse = ServerKeepalive(clock, self._ping, self.drop)
        self._acknowledging = Acks(clock, self.write)
        self._reconnecting = Reconnector(connect, clock, chance, self._made, self._not_there)
        self._stopping = False
        self._closed: Deferred[None] | None = None

    @property
    def online(self) -> bool:
        """Whether the server has let us in, so that commands may be given."""
        return self.state.online

    @property
    def name(self) -> str:
        """Our name; empty until the server has told it."""
        return self.state.name

    @property
    def guest(self) -> bool:
        """Whether we are not logged in to an account."""
        return self.state.guest

    @property
    def place(self) -> RoomState:
        """The room that we are in."""
        return self.state.place

    @property
    def room(self) -> str:
        """The name of the room that we are in; empty outside every room."""
        return self.state.place.room

    @property
    def server(self) -> str:
        """The name that the server gives itself."""
        return self.state.server

    @property
    def inside(self) -> bool:
        """Whether a line of text is said to a room: we are in one, or about to join the first."""
        return self.state.inside

    @property
    def users(self) -> list[str]:
        """The names of the members of our room, ours included."""
        return self.state.place.users

    @property
    def unread(self) -> int:
        """How many private messages have come since this was last set to 0."""
        return self.state.unread

    @unread.setter
    def unread(self, number: int) -> None:
        self.state.unread = number

    @property
    def limits(self) -> a.Limits:
        """The limits that the server sets for commands."""
        return self._outgoing.limits

    @property
    def lag(self) -> float | None:
        """Seconds that the server's last answer took; None if not known."""
        return self._pulse.lag

    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt to connect; None if none is scheduled."""
        return self._reconnecting.retry_in

    # ---- for callers -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        self._reconnecting.dial()

    def try_now(self) -> bool:
        """Make the next attempt to connect now. Returns whether an attempt was scheduled."""
        return self._reconnecting.try_now()

    async def stop(self, within: float = STOP_WITHIN) -> None:
        """Leave the server once everything said is acknowledged.

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
            do: The command's name.
            fields: The other fields of its record. Messages (``say``, ``me``, ``message``, ``reply``) are sent again
                after a reconnection until the server has acknowledged them.

        Returns:
            Fires with the answer. Fails with ``Rejected`` if the answer is an error. Other commands than messages also
            fail without a connection (code ``offline``), or if it ends before the answer has come (``lost``).
        """
        if self.over is not None:
            return fail(self.over)
        if do not in KEPT and not self.state.online:
            return fail(Rejected("offline", "there is no connection to the server at the moment; try again later."))
        try:
            command = self._outgoing.add(do, self.state.complete(do, fields))
        except Rejected as refused:
            return fail(refused)
        if self.state.ready:
            self._send(command)
        return command.answer

    def say(self, text: str) -> Deferred[None]:
        """Say something to the room; it is sent again after a reconnection.

        Args:
            text: One line.

        Returns:
            Fires when the server has stored it. Fails with ``Rejected``.
        """
        return self.do("say", text=text).addCallback(lambda echo: None)

    def write(self, record: dict[str, Any], data: bytes = b"") -> None:
        """Send a record that has no answer, and raw bytes after it; nothing is sent without a connection."""
        if self._connection is not None:
            self._connection.send(record, data)

    def when_there(self, call: Callable[[], None]) -> None:
        """Call a function once the last command that changes our room is answered; at once if none is waiting."""

        def answered(result: Any) -> Any:
            call()
            return result

        command = self._outgoing.last(*MOVING)
        if command is None:
            call()
        else:
            command.answer.addBoth(answered)

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function when the network accepts more data; never, if the connection ends first."""
        if self._connection is not None:
            self._connection.when_free(call)

    def pause(self) -> None:
        """Stop reading from the server."""
        self._pulse.paused = True
        if self._connection is not None:
            self._connection.read(False)

    def resume(self) -> None:
        """Read from the server again."""
        self._pulse.paused = False
        self._pulse.beat()
        if self._connection is not None:
            self._connection.read(True)

    def drop(self, why: str, *, hopeless: bool = False) -> None:
        """End the connection.

        Args:
            why: The reason, a sentence without its full stop.
            hopeless: Whether to make no other connection.
        """
        if self._connection is not None:
            self._connection.abort(Failed(why, hopeless=hopeless))

    # ---- connections -----------------------------------------------------------------------------------------------

    def _made(self, connection: ServerConnection) -> None:
        self._connection = connection
        self.security = connection.security
        self.state.connected()
        self._pulse.start()
        if self._pulse.paused:
            self.pause()
        connection.listen(self._came, self._lost)
        if self._connection is connection:
            Deferred.fromCoroutine(resume.restore(self)).addErrback(self._not_restored, connection)

    def _not_restored(self, failure: Any, connection: ServerConnection) -> None:
        """End a connection on which login and room could not be restored."""
        if failure.check(Rejected):
            connection.abort(Failed(failure.value.text.rstrip("."), hopeless=failure.value.code in resume.HOPELESS))
        else:
            connection.abort(Failed(f"the client has an error: {failure.getErrorMessage()}", hopeless=True))

    def _lost(self, why: Failed) -> None:
        self._gone()
        self._outgoing.lost()
        if not why.hopeless:
            why = Failed(self.state.reason(why.why))
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
        if self.state.ready and self.carrier is not None:
            self.carrier.lost()
        self._connection = None
        self.state.disconnected()
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
        """Wait for a Deferred, but no longer than some seconds."""
        deferred.addTimeout(seconds, self.clock).addErrback(lambda failure: None)
        await deferred

    # ---- for ``resume`` --------------------------------------------------------------------------------------------

    def ask(self, do: str, **fields: Any) -> Deferred[Event]:
        """Send a command ahead of those that wait. Returns what fires with its answer, as ``do`` does."""
        command = self._outgoing.add(do, fields, first=True)
        self._send(command)
        return command.answer

    def leave_unsaid(self, why: Rejected) -> None:
        """Fail every command that waits, and stop every file transfer."""
        self._outgoing.give_up(why)
        if self.carrier is not None:
            self.carrier.drop(why)

    def welcomed(self, *, again: bool) -> None:
        """Let callers give commands, and tell them so; the commands are sent once we are ready.

        Args:
            again: Whether we were on the server before.
        """
        self._tell(self.state.welcomed(self.security, again=again))

    def notify(self, notice: Notice) -> None:
        """Tell a notice."""
        self._tell(notice)

    def ready(self) -> None:
        """Send the commands that wait, and once more those that were not acknowledged."""
        self.state.caught_up()
        self._reconnecting.steady()
        for command in self._outgoing.unsent():
            self._send(command)
        if self.carrier is not None:
            self.carrier.ready()

    # ---- commands and events ---------------------------------------------------------------------------------------

    def _send(self, command: PendingCommand) -> None:
        if self._connection is not None:
            if command.do in CHANGING_USER:
                self._acknowledging.hold()
            command.sent = self.clock.seconds()
            self._connection.send(command.record)

    def _ping(self) -> None:
        """Ask the server for an answer; only show that we are alive if nothing would read the answer."""
        if self._pulse.paused or not self.state.ready:
            self.write({"do": "pong"})
        else:
            self.ask("pong").addErrback(lambda failure: None)

    def _came(self, event: Event | Piece, re: Ref | None) -> None:
        self._pulse.beat()  # now, for the event may be held back
        self.catching_up.came(event, re)

    def _heard(self, event: Event | Piece, re: Ref | None) -> None:
        taken = re is None and self.carrier is not None and self.carrier.take(event)
        if taken or isinstance(event, Piece):
            return
        command = self._answered(event, re)
        if isinstance(event, a.Ping):
            self.write({"do": "pong"})
            return
        if isinstance(event, a.Welcome):
            self._outgoing.limits = event.limits
        awaited = re is not None or (self.carrier is not None and self.carrier.awaits(event))
        reaction = self.state.receive(event, command.record if command is not None else None, awaited=awaited)
        self._tell_all(reaction)
        if command is not None:
            self._answer(command, reaction.answer)
        if isinstance(event, e.Shared) and self.carrier is not None:
            self.carrier.shared(event)
        if reaction.end:
            self.drop(reaction.end, hopeless=True)

    def _tell_all(self, reaction: Reaction) -> None:
        """Tell what follows from an event, and acknowledge it afterwards if it is of our inbox."""
        if reaction.new_inbox:
            self._acknowledging.reset()
        for told in reaction.told:
            self._tell(told)
        if reaction.seen:
            self._acknowledging.told(reaction.seen)

    def _answer(self, command: PendingCommand, answer: Event) -> None:
        """Give an answer to the caller of a command."""
        if not isinstance(answer, a.Error):
            command.answer.callback(answer)
            return
        if command.do in CHANGING_USER:
            self._acknowledging.release()
        command.answer.errback(Rejected(answer.code, answer.text))

    def _answered(self, event: Event, re: Ref | None) -> PendingCommand | None:
        """Return the command that an event answers, or acknowledges by being its echo."""
        command = self._outgoing.answered(re)
        if command is None and isinstance(event, e.Said | e.Acted):
            command = self._outgoing.seen(event.id)
        if command is not None and command.sent is not None and command.do in ("pong", "say", "me"):
            self._pulse.lag = self.clock.seconds() - command.sent
        return command
