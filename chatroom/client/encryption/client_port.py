"""The client around the encryption: the ``Port`` of a ``Conversation``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.client.connection import Piece, Ref
from chatroom.client.conversation import Conversation
from chatroom.client.errors import Rejected
from chatroom.client.joined_rooms import JoinedRooms
from chatroom.client.pending import PendingCommand
from chatroom.client.status import Notice
from chatroom.model.events import Event

_log = Logger()


class ClientPort:
    """Implements ``Port``.

    Args:
        conversation: Has the connection.
        mint: Returns a new unique id.
        now: Returns the time in milliseconds since 1970.
        again: Seals a command again, before all that were given later.
        later: Does so after a while.
        is_behind: Returns whether a command that was given before another waits to be sealed again.
    """

    def __init__(
        self,
        conversation: Conversation,
        mint: Callable[[], str],
        now: Callable[[], int],
        again: Callable[[PendingCommand], None],
        later: Callable[[PendingCommand], None],
        is_behind: Callable[[PendingCommand], bool],
    ) -> None:
        self._conversation = conversation
        self.mint = mint
        self.now = now
        self.again = again
        self.later = later
        self.is_behind = is_behind

    def turn(self) -> Deferred[None]:
        turn: Deferred[None] = Deferred()
        self._conversation.clock.callLater(0, turn.callback, None)
        return turn

    def after(self, seconds: float, function: Callable[[], None]) -> Any:
        return self._conversation.clock.callLater(seconds, function)

    @property
    def name(self) -> str:
        return self._conversation.state.name

    @property
    def nonce(self) -> str:
        return self._conversation.state.nonce

    @property
    def guest(self) -> bool:
        return self._conversation.state.guest

    @property
    def rooms(self) -> JoinedRooms:
        return self._conversation.state.joined

    def tell(self, notice: Notice) -> None:
        self._conversation.notify(notice)

    def write(self, record: dict[str, Any]) -> None:
        self._conversation.write(record)

    def transmit(self, command: PendingCommand) -> None:
        self._conversation.transmit(command)

    def answered(self, command: PendingCommand, answer: Event) -> None:
        self._conversation.handler.answered(command, answer)

    def refuse(self, command: PendingCommand, refused: Rejected) -> None:
        self._conversation.handler.refuse(command, refused)

    def handle(self, event: Event | Piece, re: Ref | None, *, late: bool = False) -> None:
        self._conversation.handler.handle(event, re, late=late)

    def failed(self, failure: Failure) -> None:
        _log.failure("the encryption has an error", failure)
