"""How much of an inbox one sender, and all senders at one address together, may fill.

An account is one sender. All guests at one address together count as one sender, because a guest has a new id with each
connection. The unread messages in the inbox's log count, and so do messages that are still being stored.
"""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.limits import INBOX_MESSAGES, SHARE_OF_ADDRESS, SHARE_OF_SENDER
from chatroom.chat.people.inbox import READ_AT_ONCE, Inboxes, unread
from chatroom.chat.people.unread_counts import GUEST, MEMBER, Unread, senders
from chatroom.chat.session import Session, User
from chatroom.chat.state import ChatState
from chatroom.model.errors import INBOX_FULL, SHARE_FULL
from chatroom.model.network import network

Claim = Callable[[], None]  # a function that releases the place of a message in an inbox; calling it again does nothing


class InboxQuotas:
    """Decides whether a message may be written to an inbox.

    Args:
        state: What the parts of the chat share.
        inboxes: The inboxes of everybody online.
        mark: Returns the mark of a network: text that stands for the network and does not reveal it.
    """

    def __init__(self, state: ChatState, inboxes: Inboxes, mark: Callable[[str], str]) -> None:
        self._state = state
        self._inboxes = inboxes
        self._mark = mark
        self._coming: dict[str, Unread] = {}  # by log: the messages that are being stored

    def via(self, session: Session) -> str:
        """Return the mark of the session's address that is stored with its messages and shown to nobody."""
        return self.via_of(session.address, guest=session.user.account is None)

    def via_of(self, address: str, *, guest: bool) -> str:
        """Return the mark of an address, after a letter for guest or account; empty if ``Rules.throttle`` is off."""
        if not self._state.rules.throttle:
            return ""
        return (GUEST if guest else MEMBER) + self._mark(network(address))

    async def claim(
        self, by_id: str, via: str, user: User | None, log: str, name: str, before: Claim | None = None
    ) -> Claim:
        """Reserve a place for one message in an inbox, so that the message counts while it is being stored.

        Args:
            by_id: The id of the user who writes the message.
            via: The mark of the sender's address, as it will be stored with the message.
            user: The reader, if online.
            log: The log of the inbox.
            name: The reader's name.
            before: An earlier claim for the same message, which the new one replaces; it is released in any case.

        Returns:
            A function to call when the message is stored, or will not be stored.

        Raises:
            Refused: The inbox is full, or the share of the sender or of the address is used up.
            Unavailable: The log of the inbox cannot be read.
        """
        try:
            held = await self._held(user, log)
        finally:
            if before is not None:
                before()
        if held is None:
            return _nothing
        keys, coming = senders(by_id, via), self._coming.get(log) or Unread()
        if held.total + coming.total >= INBOX_MESSAGES:
            raise INBOX_FULL(user=name)
        for key, most in zip(keys, (SHARE_OF_SENDER, SHARE_OF_ADDRESS), strict=False):
            if held.of(key) + coming.of(key) >= most:
                raise SHARE_FULL(user=name, most=most)
        return self._count(log, keys)

    async def _held(self, user: User | None, log: str) -> Unread | None:
        """Return the counts of unread messages in an inbox; None if the reader is a guest who cannot come back."""
        if user is None:
            return unread(await self._state.engine.read(log, limit=READ_AT_ONCE))
        if not user.lasting:
            return None
        inbox = self._inboxes.of(user)
        await inbox.open()
        return inbox.unread

    def _count(self, log: str, keys: tuple[str, ...]) -> Claim:
        """Count a message that is being stored; return the function that stops counting it."""
        coming = self._coming.setdefault(log, Unread())
        coming.count(keys, 1)
        claimed = True

        def release() -> None:
            nonlocal claimed
            if not claimed:
                return
            claimed = False
            coming.count(keys, -1)
            if not coming.total and self._coming.get(log) is coming:
                del self._coming[log]

        return release


def _nothing() -> None:
    """Release nothing, because nothing was reserved."""
