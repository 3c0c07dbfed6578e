"""Marks at messages that are not protected as their conversation is."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.client.encryption.interface import Privacy, Security
from chatroom.model import events as e

PLAIN_MARK = "plain"
SEALED_MARK = "encrypted"
_SECURE = (Security.ENCRYPTED, Security.VERIFIED, Security.BLOCKED, Security.NOT_LINKED)


class SecrecyMarks:
    """Knows which messages need a mark: those in plain text in an encrypted conversation, and the other way round.

    The bar says what holds for a whole conversation, so all other messages need none.

    Args:
        privacy: What encrypts messages.
        me: Returns the user's present name.
    """

    def __init__(self, privacy: Privacy, me: Callable[[], str]) -> None:
        self._privacy = privacy
        self._me = me

    def of(self, event: e.Message) -> str:
        """Return the mark of a message; empty if it needs none."""
        sealed = self._privacy.sealed(event)
        if sealed == self._is_secure(event):
            return ""
        return SEALED_MARK if sealed else PLAIN_MARK

    def _is_secure(self, event: e.Message) -> bool:
        """Return whether the conversation of a message is encrypted."""
        if isinstance(event, e.Private):
            return self._privacy.status(event.to if event.by == self._me() else event.by) in _SECURE
        return self._privacy.room_encrypted(getattr(event, "room", ""))
