"""Somebody: a guest, who is one connection at a time, or the owner of an account, who may have several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatroom.model.account import AccountRecord
from chatroom.model.names import Name

if TYPE_CHECKING:
    from chatroom.chat.people.inbox import Inbox
    from chatroom.chat.session import Session


class User:
    """See the module.

    Args:
        id: The account's; a guest's is that of the first connection.
        handle: The name in all forms.
        account: None for a guest.

    Attributes:
        sessions: The connections; nobody is online any more when there is none.
        away: The words, if the user is away.
        last_writer: Name and id of whom a reply goes to.
        inbox: Private messages, once there is a need for them.
        resumable: A guest whose program knows how to come back as the same one (``chatroom.chat.people.guest_resume``).
    """

    __slots__ = ("account", "away", "handle", "id", "inbox", "last_writer", "resumable", "sessions")

    def __init__(self, id: str, handle: Name, account: AccountRecord | None = None) -> None:
        self.id = id
        self.handle = handle
        self.account = account
        self.sessions: tuple[Session, ...] = ()
        self.away = ""
        self.last_writer: tuple[str, str] | None = None
        self.inbox: Inbox | None = None
        self.resumable = False

    @property
    def name(self) -> str:
        """The name as shown."""
        return self.handle.shown

    @property
    def online(self) -> bool:
        """Whether there is a connection left."""
        return bool(self.sessions)

    @property
    def operator(self) -> bool:
        """Whether the account is an operator's."""
        return self.account is not None and self.account.operator

    @property
    def lasting(self) -> bool:
        """Whether somebody who goes may come back as the same: what came meanwhile, or was not acknowledged, waits."""
        return self.account is not None or self.resumable

    @property
    def inbox_log(self) -> str:
        """The log of private messages; a guest's is kept for a week."""
        return f"guest/{self.id}" if self.account is None else f"inbox/{self.id}"
