"""What the client does on each event: ``ClientState`` decides what follows from it, and that is carried out here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from chatroom.client.acks import Acks
from chatroom.client.connection import Piece, Ref
from chatroom.client.errors import Rejected
from chatroom.client.file_carrier import Carrier
from chatroom.client.keepalive import ServerKeepalive
from chatroom.client.pending import PendingCommand, PendingQueue
from chatroom.client.state import CHANGING_USER, ClientState, Reaction
from chatroom.client.status import Notice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.events import Event


class ConnectionOwner(Protocol):
    """The part of ``Conversation`` that is needed here; its members are documented there."""

    state: ClientState
    clock: Any
    carrier: Carrier

    def write(self, record: dict[str, Any], data: bytes = b"") -> None: ...

    def drop(self, why: str, *, hopeless: bool = False) -> None: ...

    def became_another(self) -> None: ...


class EventHandler:
    """Shows what follows from each event, and answers the commands that wait.

    Args:
        owner: Has the connection.
        outgoing: Keeps the commands that are not answered.
        acks: Acknowledges the events of our inbox.
        keepalive: Is given the lag of the connection.
        tell: Called with each event and notice to show.

    Attributes:
        tell: As the argument.
    """

    def __init__(
        self,
        owner: ConnectionOwner,
        outgoing: PendingQueue,
        acks: Acks,
        keepalive: ServerKeepalive,
        tell: Callable[[Event | Notice], None],
    ) -> None:
        self._owner = owner
        self._outgoing = outgoing
        self._acks = acks
        self._keepalive = keepalive
        self.tell = tell

    def handle(self, event: Event | Piece, re: Ref | None, *, late: bool = False) -> None:
        """Act on an event: show what follows from it, answer its command, and let the file carrier see it."""
        if (re is None and self._owner.carrier.take(event)) or isinstance(event, Piece):
            return
        event = self._owner.carrier.named(event)
        command = self._answered(event, re)
        if command is not None:
            event = self._owner.carrier.answered(event, command.record)
        if isinstance(event, a.Ping):
            self._owner.write({"do": "pong"})
            return
        if isinstance(event, a.Welcome):
            self._outgoing.limits = event.limits
        awaited = late or re is not None or self._owner.carrier.awaits(event)
        reaction = self._owner.state.receive(event, command.record if command is not None else None, awaited=awaited)
        self._tell_all(reaction, quiet=command is not None and command.quiet)
        if command is not None:
            self._answer(command, reaction.answer)
        if isinstance(event, e.Shared):
            self._owner.carrier.shared(event)
        if reaction.end:
            self._owner.drop(reaction.end, hopeless=True)

    def _tell_all(self, reaction: Reaction, *, quiet: bool) -> None:
        """Show what follows from an event, and then acknowledge the event if it is of our inbox.

        Args:
            reaction: What follows from the event.
            quiet: Whether the event itself is not shown.
        """
        if reaction.new_inbox:
            self._acks.reset()
            if self._owner.state.ready:
                self._owner.became_another()
        for told in reaction.told:
            if not (quiet and told is reaction.answer):
                self.tell(told)
        if reaction.seen:
            self._acks.told(reaction.seen)

    def answered(self, command: PendingCommand, answer: Event) -> None:
        """Give the caller of a command an answer that the server has not given itself, and tell the answer.

        Args:
            command: The command; nothing happens if it does not wait any more.
            answer: The answer; an error fails the command's Deferred with ``Rejected``.
        """
        if self._outgoing.answered(command.record["ref"]) is None:
            return
        reaction = self._owner.state.receive(answer, command.record, awaited=True)
        self._tell_all(reaction, quiet=command.quiet)
        self._answer(command, reaction.answer)

    def refuse(self, command: PendingCommand, refused: Rejected) -> None:
        """Fail a command that the server has not answered, and will not be given; if it waits no more, do nothing."""
        if self._outgoing.answered(command.record["ref"]) is not None:
            command.answer.errback(refused)

    def _answer(self, command: PendingCommand, answer: Event) -> None:
        """Give the caller of a command its answer; an error fails the command's Deferred with ``Rejected``."""
        if not isinstance(answer, a.Error):
            command.answer.callback(answer)
            return
        if command.do in CHANGING_USER:
            self._acks.release()
        command.answer.errback(Rejected(answer.code, answer.text))

    def _answered(self, event: Event, re: Ref | None) -> PendingCommand | None:
        """Return the command that an event answers or, as its echo, acknowledges; it then waits no more."""
        command = self._outgoing.answered(re)
        if command is None and isinstance(event, e.Spoken):
            command = self._outgoing.seen(event.id)
        if command is not None and command.sent is not None and command.do in ("pong", "say", "me"):
            self._keepalive.lag = self._owner.clock.seconds() - command.sent
        return command
