"""What the parts of the encryption need of the client around them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.connection import Piece, Ref
from chatroom.client.errors import Rejected
from chatroom.client.joined_rooms import JoinedRooms
from chatroom.client.pending import PendingCommand
from chatroom.client.status import Notice
from chatroom.model.events import Event


class Port(Protocol):
    """The client, as the encryption sees it."""

    @property
    def name(self) -> str:
        """Our name."""
        ...

    @property
    def nonce(self) -> str:
        """What the server has given this connection to sign."""
        ...

    @property
    def guest(self) -> bool:
        """Whether we are not logged in to an account."""
        ...

    @property
    def rooms(self) -> JoinedRooms:
        """The rooms that we are in."""
        ...

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""
        ...

    def turn(self) -> Deferred[None]:
        """Return a Deferred that fires in the next turn of the reactor."""
        ...

    def mint(self) -> str:
        """Return a new unique id."""
        ...

    def tell(self, notice: Notice) -> None:
        """Tell the user something."""

    def write(self, record: dict[str, Any]) -> None:
        """Send a record whose answer belongs to a command that waits."""

    def transmit(self, command: PendingCommand) -> None:
        """Send a command as it is."""

    def answered(self, command: PendingCommand, answer: Event) -> None:
        """Give the caller of a command its answer."""

    def refuse(self, command: PendingCommand, refused: Rejected) -> None:
        """Fail a command."""

    def is_behind(self, command: PendingCommand) -> bool:
        """Return whether a command that was given before this one waits to be sealed again."""
        ...

    def later(self, command: PendingCommand) -> None:
        """Seal a command again after a while, before all that were given later."""

    def after(self, seconds: float, function: Callable[[], None]) -> Any:
        """Call a function later. Returns what has ``cancel``."""

    def again(self, command: PendingCommand) -> None:
        """Seal a command again, before all that were given later."""

    def handle(self, event: Event | Piece, re: Ref | None, *, late: bool = False) -> None:
        """Act on an event that was opened; ``late`` if events that came after it were told already."""

    def failed(self, failure: Failure) -> None:
        """Log an error of the client."""
