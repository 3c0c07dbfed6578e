"""What a client asks of the object that carries files over its connection."""

from __future__ import annotations

from typing import Protocol

from chatroom.client.connection import Piece
from chatroom.client.errors import Rejected
from chatroom.model.events import Event, Shared


class Carrier(Protocol):
    """Carries files; ``chatroom.client.files.transfers.Transfers`` does, and ``NoCarrier`` stands for none."""

    def take(self, event: Event | Piece) -> bool:
        """Take an event that answers no command. Returns whether it belongs to a transfer and is not to be told."""

    def awaits(self, event: Event) -> bool:
        """Return whether an event shares a file that is being sent; it is told even if it was told before."""

    def shared(self, event: Shared) -> None:
        """Note that a file was shared and the event told."""

    def ready(self) -> None:
        """Start or continue the transfers: login and room are restored on a new connection."""

    def lost(self) -> None:
        """Pause the transfers: the connection has gone, and another may come."""

    def drop(self, why: Rejected) -> None:
        """Fail the transfers that are under way."""

    def end(self, why: Rejected) -> None:
        """Fail all transfers: no other connection will come."""


class NoCarrier:
    """Stands for a carrier where files are neither sent nor fetched."""

    def take(self, event: Event | Piece) -> bool:
        """Return False: no event belongs to a transfer."""
        return False

    def awaits(self, event: Event) -> bool:
        """Return False: no file is being sent."""
        return False

    def shared(self, event: Shared) -> None:
        """Do nothing."""

    def ready(self) -> None:
        """Do nothing."""

    def lost(self) -> None:
        """Do nothing."""

    def drop(self, why: Rejected) -> None:
        """Do nothing."""

    def end(self, why: Rejected) -> None:
        """Do nothing."""
