"""An account's own private messages, shown to those of its sessions that did not send them.

Each private message is stored twice, in one batch: in the inbox of its reader, and as the writer's own copy in a log of
the messages that the writer has sent (``User.sent_log``). The other sessions see what is read back from that log.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from chatroom.chat.session import User
from chatroom.chat.state import ChatState
from chatroom.model.events import Private
from chatroom.model.log import Entry, Subscription
from chatroom.model.logger import logger
from chatroom.model.replies import own_private

_log = logger(__name__)


class SentLog:
    """Follows the log of the private messages that an account has sent, while its owner is online.

    Args:
        state: What the parts of the chat share.
        user: The owner of the account.
    """

    __slots__ = ("_following", "_senders", "_state", "_user")

    def __init__(self, state: ChatState, user: User) -> None:
        self._state = state
        self._user = user
        self._senders: dict[str, object] = {}  # by the id of a message that is being stored: the session that sends it
        self._following: Deferred[Subscription] = state.engine.follow(user.sent_log, self._deliver)
        self._following.addErrback(_not_followed)

    def sending(self, id: str, session: object) -> None:
        """Note that a session sends the private message with this id, so that the session is not shown its copy."""
        self._senders.setdefault(id, session)  # if two sessions use one id, only the first message is stored

    def settled(self, id: str, session: object) -> None:
        """Note that the message was stored, or was not."""
        if self._senders.get(id) is session:
            del self._senders[id]

    def close(self) -> None:
        """Stop following the log, because the owner has left."""
        self._following.addCallback(_stop)

    def _deliver(self, entries: list[Entry]) -> None:
        """Show new copies to each session of the owner, except those that the session itself has sent."""
        for session in self._user.sessions:
            for entry in entries:
                if isinstance(entry.event, Private) and self._senders.get(entry.event.id) is not session:
                    session.answer(own_private(entry.event, entry.seq))
                    self._state.counters.deliveries += 1


def follow_sent(state: ChatState, user: User) -> None:
    """Show the owner of an account, in all sessions, what the others send from now on. A second call does nothing."""
    if user.account is not None and user.sent is None and user.online:
        user.sent = SentLog(state, user)


def _stop(subscription: Subscription | None) -> None:
    if subscription is not None:
        subscription.stop()


def _not_followed(failure: Any) -> None:
    _log.warn("a user's other sessions do not see what the user writes: {why}", why=failure.getErrorMessage())
