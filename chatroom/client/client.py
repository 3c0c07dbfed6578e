"""A user's presence on one server, kept up over reconnections: what the terminal, the pipe and bots are built on."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail

from chatroom.client.client_facts import ClientFacts
from chatroom.client.connection import ServerConnection
from chatroom.client.conversation import OFFLINE, Conversation
from chatroom.client.encryption.interface import Privacy
from chatroom.client.errors import Failed, Rejected
from chatroom.client.file_carrier import Carrier
from chatroom.client.introduction import Introduction
from chatroom.client.login import Credentials, LoginState
from chatroom.client.opened import Opened
from chatroom.client.pending import PendingQueue
from chatroom.client.reconnecting import Reconnector
from chatroom.client.sealing import Sealing
from chatroom.client.state import ClientState
from chatroom.client.status import Ended, Lost, Notice
from chatroom.model.device import NO_DEVICE, Device
from chatroom.model.events import Event
from chatroom.model.replies import Limits

STOP_WITHIN = 10.0  # seconds to wait for acknowledgements before leaving
CLOSE_WITHIN = 2.0  # seconds to wait for the server to close the connection


class Client(ClientFacts):
    """Keeps a user on a server: connects again whenever the connection is lost, and sends what was not acknowledged.

    Args:
        connect: Tries once to connect; its Deferred gives a ``ServerConnection``, or fails with ``Failed``.
        clock: Tells the time and makes delayed calls.
        mint: Returns a new unique id of at most 64 characters.
        tell: Given each event, answers included, and each notice; errors that fail a Deferred are not told. Each event
            of a room is told once, in order, over reconnections. It must not raise.
        name: The name to take as a guest.
        room: The room to join, or the rooms in this order; the last gets the focus.
        several: Whether to stay in the other rooms when another is joined, if the server allows that.
        login: Name and password of an account to log in to, or a ``LoginState``.
        history: How many earlier messages to ask for when a room is joined and no number is given; None: as many as
            the server shows to people.
        client: How an account's list of sessions is to call this client; see ``Credentials``.
        keep: Saves the token of a login for the next start; see ``Credentials``.
        keep_name: Saves the guest's name for the next start; see ``Introduction``.
        secret: The guest's secret, of at least 16 characters that nobody can guess, by which the client comes back as
            the same guest. If it is empty, the first welcome brings one; until then a lost connection loses the guest.
        device: The device that the client runs on; with a device, an account may have several clients at a time.
        chance: Returns a random number from 0 up to 1, for the waits between attempts.

    Attributes:
        state: What we know: our name, our rooms, our login; ``ClientFacts`` has its most important parts.
        over: Why the client does not connect by itself any more; None as long as it does.
        privacy: What encrypts messages; nothing unless it is set before the start.
    """

    def __init__(
        self,
        connect: Callable[[], Deferred[ServerConnection]],
        clock: Any,
        mint: Callable[[], str],
        tell: Callable[[Event | Notice], None],
        *,
        name: str = "",
        room: str | Sequence[str] = "",
        several: bool = False,
        login: LoginState | tuple[str, str] | None = None,
        history: int | None = 0,
        client: str = "",
        keep: Callable[[str, str], None] | None = None,
        keep_name: Callable[[str], None] = lambda name: None,
        secret: str = "",
        device: Device = NO_DEVICE,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.over: Rejected | None = None
        self.privacy = Privacy()
        self._clock = clock
        self._tell = tell
        self._outgoing = PendingQueue()
        super().__init__(
            ClientState(
                introduction=Introduction(name, secret, keep_name, device),
                rooms=(room,) if isinstance(room, str) else room,
                several=several,
                credentials=Credentials(LoginState(*login) if isinstance(login, tuple) else login, client, keep),
                history=history,
                mint=mint,
                waiting_for=self._outgoing.waiting_for,
            )
        )
        self._reconnecting = Reconnector(connect, clock, chance, self._made, self._not_there)
        self._conversation = Conversation(clock, self.state, self._outgoing, tell, self._reconnecting.steady)
        self._stopping = False
        self._closed: Deferred[None] | None = None

    # ---- what is known ---------------------------------------------------------------------------------------------

    @property
    def limits(self) -> Limits:
        """The limits that the server sets for commands."""
        return self._outgoing.limits

    @property
    def security(self) -> str:
        """How the connection is protected, as ``TLS 1.3`` or ``plain``; empty without a connection."""
        return self._conversation.security

    @property
    def lag(self) -> float | None:
        """Seconds that the server's last answer took; None if not known."""
        return self._conversation.lag

    @property
    def retry_in(self) -> float | None:
        """Seconds until the next attempt to connect; None if none is scheduled."""
        return self._reconnecting.retry_in

    @property
    def may_retry(self) -> bool:
        """Whether the client does not connect by itself any more, but ``try_now`` would."""
        return self.over is not None and not (self.state.moved or self._stopping)

    @property
    def target(self) -> str:
        """The name of the room that a command given now is for: the room in focus, unless waiting commands leave it."""
        return self._outgoing.target(self.state.joined.target)

    # ---- commands --------------------------------------------------------------------------------------------------

    def do(self, do: str, **fields: Any) -> Deferred[Event]:
        """Give a command of docs/protocol.md, as ``do("join", room="lobby")``.

        Args:
            do: The command's name.
            fields: The other fields of its record. A command about a room is for the room in focus, or for the one that
                waiting commands are about to join, unless ``room`` names another. Messages (``say``, ``me``,
                ``message``, ``reply``) are sent again after a reconnection until the server has acknowledged them.

        Returns:
            A Deferred that gives the answer. It fails with ``Rejected`` if the answer is an error. For commands other
            than messages, it also fails if there is no connection (code ``offline``), or if the connection ends before
            the answer has come (``lost``).
        """
        return fail(self.over) if self.over is not None else self._conversation.give(do, fields)

    def ask(self, do: str, **fields: Any) -> Deferred[Event]:
        """Give a command whose answer is only for the caller, and not told; see ``do``.

        Args:
            do: The command's name.
            fields: The other fields of its record.
        """
        if not self.state.ready:
            return fail(Rejected("offline", OFFLINE))
        return self._conversation.question(do, fields)

    def say(self, text: str, room: str = "") -> Deferred[None]:
        """Say something to a room; it is sent again after a reconnection.

        Args:
            text: One line, or several with LF between them.
            room: The name of the room; empty for the room in focus.

        Returns:
            A Deferred that fires when the server has stored the text, or fails with ``Rejected``.
        """
        fields = {"text": text, "room": room} if room else {"text": text}
        return self.do("say", **fields).addCallback(lambda echo: None)

    def mark_read(self, seq: int, *, room: str = "", user: str = "") -> None:
        """Note that the user has read all messages up to a seq; the server, and through it the user's other clients,
        are told at most once a second for each room or person.

        Args:
            seq: The seq of the last message that the user has read.
            room: The name of its room; empty for the room in focus.
            user: The name of the person who wrote it, if it is private.
        """
        place = self._place(room, user)
        if self.state.mark(place, seq):
            self._conversation.marks.note(place, seq)
        if user:
            self._conversation.sealing.read(user)

    def taken(self, event: Event | Notice) -> None:
        """Note that a program has taken an event: its user does not look at it later, so a sealed message is read."""
        if isinstance(event, Opened):
            self.mark_read(event.seq, user=event.by)

    def typing(self, *, room: str = "", user: str = "") -> None:
        """Tell a room or a person that the user is typing; may be called for every key.

        Args:
            room: The name of the room; empty for the room in focus.
            user: The name of the person, if the user types a private message.
        """
        place = self._place(room, user)
        if place[1]:
            self._conversation.typing.note(place)

    def when_there(self, call: Callable[[], None], room: str = "") -> None:
        """Call a function when the last command that changes our rooms is answered; at once if no such command waits.

        Args:
            call: The function.
            room: If not empty, only commands about the room of this name count.
        """
        self._outgoing.when_there(call, room)

    # ---- for a carrier of files, and for encryption ----------------------------------------------------------------

    def carry(self, carrier: Carrier) -> None:
        """Let a carrier send and fetch files over this client."""
        self._conversation.carrier = carrier

    def seal(self, sealing: Callable[[Conversation], Sealing]) -> None:
        """Let what a function makes seal what is sent, and open what comes; call this before ``start``."""
        self._conversation.sealing = made = sealing(self._conversation)
        self.privacy.settled = made.settled

    def server_address(self) -> str:
        """Return the address of the server that we are connected to; empty without a connection."""
        return self._conversation.address

    def write(self, record: dict[str, Any], data: bytes = b"") -> None:
        """Send a record that has no answer, and raw bytes after it; without a connection, drop both."""
        self._conversation.write(record, data)

    def when_free(self, call: Callable[[], None]) -> None:
        """Call a function once, when the network accepts more data; never, if the connection ends first."""
        self._conversation.when_free(call)

    # ---- connections -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        self._reconnecting.dial()

    def try_now(self) -> bool:
        """Try to connect now. If no attempt is scheduled and ``may_retry`` is False, only return False."""
        if self.may_retry:
            self.over = None
            self._reconnecting.dial()
            return True
        return self._reconnecting.try_now()

    def pause(self) -> None:
        """Stop reading from the server."""
        self._conversation.pause()

    def resume(self) -> None:
        """Read from the server again."""
        self._conversation.unpause()

    def drop(self, why: str, *, hopeless: bool = False) -> None:
        """End the connection.

        Args:
            why: The reason, a sentence without its full stop.
            hopeless: True if the client must not reconnect.
        """
        self._conversation.drop(why, hopeless=hopeless)

    async def stop(self, within: float = STOP_WITHIN) -> None:
        """Wait until the server has acknowledged all messages, then leave it. Commands still unanswered fail.

        Args:
            within: Seconds to wait for the acknowledgements at most.
        """
        if not self._stopping:
            self._stopping = True
            await self._within(within, self._outgoing.idle())
            self._reconnecting.stop()
            await self._say_goodbye()
            self._conversation.end(Rejected("not-confirmed", "we left before the server confirmed it."))
            await self._conversation.sealing.end()

    async def _say_goodbye(self) -> None:
        """Ask the server to end the connection, and end it ourselves if that takes too long."""
        self._closed = Deferred()
        if self._conversation.quit():
            await self._within(CLOSE_WITHIN, self._closed)
            self._conversation.drop("we have left")

    async def _within(self, seconds: float, deferred: Deferred[None]) -> None:
        """Wait for a Deferred, but no longer than some seconds."""
        deferred.addTimeout(seconds, self._clock).addErrback(lambda failure: None)
        await deferred

    def _made(self, connection: ServerConnection) -> None:
        self._conversation.open(connection, self._lost)

    def _lost(self, why: Failed) -> None:
        """Note that the connection has ended, and schedule the next attempt to connect unless we are leaving."""
        self._conversation.lost()
        if self._closed is not None:
            self._closed.callback(None)
        else:
            self._reconnecting.ended(why if why.hopeless else Failed(self.state.reason(why.why)))

    def _not_there(self, why: str, wait: float | None) -> None:
        """Tell that there is no connection, and that the next attempt comes in ``wait`` seconds, or never (None)."""
        if wait is None:
            self.over = Rejected("ended", f"{why}.")
            self._conversation.end(self.over)
            self._tell(Ended(why, retry=self.may_retry))
        else:
            self._tell(Lost(why, wait))
