"""Messages that an earlier run of the client has sealed, and that the server has not confirmed.

They are given again before newer ones: others would be told that messages are missing if they came later. Those for a
room wait until we are in it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from chatroom.client.conversation import Conversation
from chatroom.client.encryption.outbox import SealedCommand, SealedOutbox
from chatroom.client.status import Notice
from chatroom.model.names import fold


class EarlierMessages:
    """Gives these messages again.

    Args:
        outbox: Has them.
        conversation: Takes them.
        tell: Called with a notice about each one that cannot be sent.
    """

    def __init__(self, outbox: SealedOutbox, conversation: Conversation, tell: Callable[[Notice], None]) -> None:
        self._outbox = outbox
        self._conversation = conversation
        self._tell = tell
        self._waiting = {_room(sealed) for sealed in outbox.all()}

    def give(self, room: str) -> bool:
        """Give the messages for a room again that wait.

        Args:
            room: The name of the room, which we have entered; empty for the private messages.

        Returns:
            Whether there were any.
        """
        if fold(room) not in self._waiting:
            return False
        self._waiting.discard(fold(room))
        given = [sealed for sealed in self._outbox.all() if _room(sealed) == fold(room) and self._is_new(sealed)]
        for sealed in given:
            fields = {key: value for key, value in sealed.record.items() if key != "do"}
            answer = self._conversation.give(sealed.record["do"], fields, early=True)
            answer.addErrback(partial(self._not_given, sealed))
        return bool(given)

    def _is_new(self, sealed: SealedCommand) -> bool:
        return not self._conversation.waits(sealed.record["id"])

    def _not_given(self, sealed: SealedCommand, failure: Any) -> None:
        """Tell the user that a message cannot be sent; it waits again if the connection was lost."""
        code = failure.value.code
        if code in ("lost", "not-in-that-room"):
            self._waiting.add(_room(sealed))
        elif code not in ("ended", "not-confirmed"):
            self._outbox.remove(sealed.record["id"])
            self._tell(sealed.not_sent(f"A message of the last run was not sent: {failure.value.text}"))


def _room(sealed: SealedCommand) -> str:
    """Return the folded name of the room of a message; empty if it is private."""
    return fold(str(sealed.room_record.get("room", "")))
