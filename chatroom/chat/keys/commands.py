"""The handlers of the commands about keys and sealed messages."""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.session import Session
from chatroom.model.commands import (
    E2eAck,
    E2eSend,
    KeysBackup,
    KeysClaim,
    KeysList,
    KeysPublish,
    KeysQuery,
    KeysRestore,
)
from chatroom.model.errors import NO_KEYS
from chatroom.model.events import Event


@handles(KeysPublish)
@handles(KeysList)
@handles(KeysQuery)
@handles(KeysClaim)
@handles(KeysBackup)
@handles(KeysRestore)
@handles(E2eSend)
@handles(E2eAck)
def refuse(chat: Chat, session: Session, command: KeysPublish) -> Event:
    """Refuse the command until its handler is there."""
    raise NO_KEYS()
