"""Shares of an inbox: one sender, and everybody at one address together, may fill only a part of it.

An account is one sender. All guests at one address are one sender as well, for a guest has a new id with each
connection. What is in the log of the inbox decides; what is on its way there is counted in memory.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chatroom.chat.limits import INBOX_MESSAGES, SHARE_OF_ADDRESS, SHARE_OF_SENDER
from chatroom.chat.people.inbox import READ_AT_ONCE, unread
from chatroom.chat.people.unread import GUEST, MEMBER, Unread
from chatroom.chat.refusals import INBOX_FULL, SHARE_FULL
from chatroom.network import network

if TYPE_CHECKING:
    from chatroom.chat.chat import Chat
    from chatroom.chat.people.user import User
    from chatroom.chat.session import Session
    from chatroom.events import OfInbox


class Shares:
    """Decides whether something may be written to an inbox.

    Args:
        chat: The chat.
    """

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._coming: dict[str, Unread] = {}  # by log: what is not stored yet

    def via(self, session: Session) -> str:
        """Return what is stored with a message of the session's, and shown to nobody: where it came from."""
        return self.via_of(session.address, guest=session.user.account is None)

    def via_of(self, address: str, *, guest: bool) -> str:
        """Return the same for an address."""
        if not self._chat.rules.throttle:
            return ""
        return (GUEST if guest else MEMBER) + self._chat.returning.mark(network(address))

    async def check(self, session: Session, user: User | None, log: str, name: str) -> None:
        """See that the session may write to an inbox.

        Args:
            session: The sender's.
            user: The reader, if online.
            log: The log of the inbox.
            name: The reader's name.

        Raises:
            Refused: The inbox is full, or the sender's share of it.
        """
        if user is not None:
            if not user.lasting:
                return  # what this guest is told waits for nobody
            inbox = self._chat.inbox(user)
            await inbox.open()
            held = inbox.unread
        else:
            held = unread(await self._chat.engine.read(log, limit=READ_AT_ONCE))
        coming = self._coming.get(log) or Unread()
        if held.total + coming.total >= INBOX_MESSAGES:
            raise INBOX_FULL(user=name)
        via = self.via(session)
        sender = via if via.startswith(GUEST) else session.user_id
        if held.of(sender) + coming.of(sender) >= SHARE_OF_SENDER:
            raise SHARE_FULL(user=name, most=SHARE_OF_SENDER)
        place = via[1:]
        if place and held.of(place) + coming.of(place) >= SHARE_OF_ADDRESS:
            raise SHARE_FULL(user=name, most=SHARE_OF_ADDRESS)

    def coming(self, log: str, event: OfInbox) -> Callable[[], None]:
        """Count what is about to be appended to an inbox.

        Returns:
            What to call when it is stored and delivered, or has failed.
        """
        coming = self._coming.setdefault(log, Unread())
        coming.add(event)

        def over() -> None:
            coming.remove(event)
            if not coming.total and self._coming.get(log) is coming:
                del self._coming[log]

        return over
