"""What other parts of the chat attach to a session: its inbox, file transfers, a takeover offer, an unfinished search.

The modules of the inbox and the transfers import ``Session``, so ``Session`` knows them only by the protocols here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from chatroom.model.account import AccountRecord


class OpenInbox(Protocol):
    """The inbox of a user who is online (``chatroom.chat.people.inbox``)."""

    @property
    def unread_total(self) -> int:
        """The number of unread messages."""

    def leave(self, session: Any) -> None:
        """Show a session nothing more, because it is not the owner's any more."""

    def close(self) -> None:
        """Stop following the log of the inbox."""


class OpenSentLog(Protocol):
    """Shows an account's own private messages to its other sessions (``chatroom.chat.people.sent_log``)."""

    def sending(self, id: str, session: object) -> None:
        """Note that a session sends the private message with this id, so that the session is not shown its copy."""

    def settled(self, id: str, session: object) -> None:
        """Note that the message was stored, or was not."""

    def close(self) -> None:
        """Stop following the log of the copies."""


class OpenMailbox(Protocol):
    """The mailbox of the device whose keys a session has (``chatroom.chat.keys.delivery``)."""

    device: str

    def acknowledge(self, upto: int) -> None:
        """Note that the device has stored everything up to a seq."""

    def watch(self, user_id: str) -> None:
        """Note that the session has asked for the devices of a user, and is to be told when they change."""

    def stop(self) -> None:
        """Send the session nothing more."""


class OpenTransfers(Protocol):
    """The files that a session is sending and fetching (``chatroom.chat.files.transfers``)."""

    @property
    def expects(self) -> bool:
        """Whether the next bytes from the client are the raw bytes of a chunk, for ``take``."""

    def close(self) -> None:
        """End all transfers, because the connection has ended."""

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when all chunks received are stored and all complete files are shared."""

    def excused(self) -> bool:
        """Return whether the last command belonged to a transfer, so that the rate limit does not apply to it.

        The transfer's window (how many chunks may be under way) bounds such commands instead. A second call for the
        same command returns False.
        """

    def take(self, data: bytes) -> Deferred[None] | None:
        """Store the bytes of the expected chunk.

        Returns:
            None if more may be read from the client at once; otherwise a Deferred that fires when more may be read.
        """


@dataclass(frozen=True, slots=True)
class TakeoverOffer:
    """An offer to a session: it may log in to this account by ending the account's oldest session.

    Args:
        account: The account's record as it was when its owner was authenticated.
        token: The id of the token by which the owner was authenticated; empty if it was by the password.
        until: When the offer ends, in seconds of the scheduler's clock.
        remember: Whether the login asked to be remembered, with a new token.
        client: The name of the client program, as the login gave it.
    """

    account: AccountRecord
    token: str
    until: float
    remember: bool
    client: str


@dataclass(frozen=True, slots=True)
class UnfinishedSearch:
    """The last search of a session, if the search did not reach the oldest message.

    Args:
        place: The name of the room's log; for private messages, that of the inbox's log and the key of the person.
        words: The words searched for.
        before: The seq (number in the log) of the oldest message searched.
        at: When the answer was given, in milliseconds since 1970.
    """

    place: str
    words: str
    before: int
    at: int
