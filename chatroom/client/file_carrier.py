"""What a link asks of whatever carries files over it."""

from __future__ import annotations

from typing import Protocol

from chatroom.client.connection import Piece
from chatroom.client.errors import Rejected
from chatroom.model.events import Event, Shared


class Carrier(Protocol):
    """See the module; it is ``chatroom.client.files.Transfers``."""

    def take(self, event: Event | Piece) -> bool:
        """Something came that answers no command. Returns whether it is of a file under way, and not to be told."""

    def awaits(self, event: Event) -> bool:
        """Return whether it is how a file that is being sent is shared, which is to be told though it was before."""

    def shared(self, event: Shared) -> None:
        """A file has been shared; it has been told."""

    def ready(self) -> None:
        """There is a connection, and all is as it was."""

    def lost(self) -> None:
        """It is gone; another may come."""

    def drop(self, why: Rejected) -> None:
        """What is under way is not wanted any more."""

    def end(self, why: Rejected) -> None:
        """No other comes."""
