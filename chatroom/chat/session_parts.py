"""What other parts of the chat attach to a session: its inbox, its file transfers, an offer, an unfinished search.

Those parts import sessions, so a session knows its inbox and its transfers only by the protocols here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from chatroom.model.account import AccountRecord


class OpenInbox(Protocol):
    """The inbox of a user who is online (``chatroom.chat.people.inbox``)."""

    @property
    def unread_total(self) -> int:
        """The number of unread messages."""

    def close(self) -> None:
        """Stop following the log."""


class OpenTransfers(Protocol):
    """The files that a session is sending and fetching (``chatroom.chat.files.transfers``)."""

    @property
    def expects(self) -> bool:
        """Whether the raw bytes that follow are a chunk for ``take``."""

    def close(self) -> None:
        """End all transfers, because the connection has ended."""

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when all chunks received are stored and all complete files are shared."""

    def excused(self) -> bool:
        """Return whether the last command belonged to a transfer, so that the rate limit does not apply to it.

        The transfer's window bounds such commands. The answer is True once for each of them.
        """

    def take(self, data: bytes) -> Deferred[None] | None:
        """Store the bytes of the expected chunk.

        Returns:
            None if more may be read at once; otherwise a Deferred that fires when more may be read.
        """


@dataclass(frozen=True, slots=True)
class TakeoverOffer:
    """An offer to a session: log in to this account by ending its oldest session.

    Args:
        account: The account's record as it was when its owner was authenticated.
        token: The id of the token that was used; empty if it was the password.
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
        log: The room's log.
        words: The words searched for.
        before: The seq of the oldest message searched.
        at: When the answer was given, in milliseconds since 1970.
    """

    log: str
    words: str
    before: int
    at: int
