"""The protocol of a carrier, the object that sends and fetches files over a client's connection."""

from __future__ import annotations

from typing import Any, Protocol

from chatroom.client.connection import Piece
from chatroom.client.errors import Rejected
from chatroom.model.events import Event, Shared


class Carrier(Protocol):
    """Sends and fetches files: ``chatroom.client.files.transfers.Transfers``, or ``NoCarrier`` where none are."""

    def take(self, event: Event | Piece) -> bool:
        """Take an event that answers no command. Returns True if it belongs to a transfer, and so is not shown."""

    def awaits(self, event: Event) -> bool:
        """Return whether an event shares a file that is being sent; it is then shown even if it was shown before."""

    def named(self, event: Event) -> Event:
        """Return an event with the real names of those sealed files whose offers are known."""

    def for_server(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record of a command with the server's names of files, in place of the real ones."""
        ...

    def answered(self, answer: Event, record: dict[str, Any]) -> Event:
        """Return the answer to a command with the real name of the sealed file that the command is about."""
        ...

    def shared(self, event: Shared) -> None:
        """Take the event that shares a file, after it was shown."""

    def ready(self) -> None:
        """Start or continue the transfers: login and room are restored on a new connection."""

    def lost(self) -> None:
        """Pause the transfers: the connection has gone, and another may come."""

    def drop(self, why: Rejected) -> None:
        """Fail the transfers that are under way."""

    def end(self, why: Rejected) -> None:
        """Fail all transfers: no other connection will come."""


class NoCarrier:
    """The carrier of a client that neither sends nor fetches files."""

    def take(self, event: Event | Piece) -> bool:
        """Return False: no event belongs to a transfer."""
        return False

    def awaits(self, event: Event) -> bool:
        """Return False: no file is being sent."""
        return False

    def named(self, event: Event) -> Event:
        """Return the event as it is."""
        return event

    def for_server(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record as it is."""
        return record

    def answered(self, answer: Event, record: dict[str, Any]) -> Event:
        """Return the answer as it is."""
        return answer

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
