"""Which login token belongs to which device: a removed device is logged out, also one that is not connected."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from chatroom.chat.chat import Chat
from chatroom.chat.session import Session
from chatroom.model.account import AccountRecord


async def note_device(chat: Chat, session: Session, device: str) -> None:
    """Note that a session's login token, if it has one, belongs to the device whose keys the session publishes.

    Raises:
        Unavailable: It is unknown whether that is noted.
    """
    account, id = session.user.account, session.token
    held = account.tokens if account is not None and id else ()
    if account is not None and any(token.id == id and token.device != device for token in held):
        await chat.account_changes.amend(account, lambda now: _belonging(now, id, device))


def _belonging(account: AccountRecord, id: str, device: str) -> AccountRecord:
    tokens = tuple(replace(token, device=device) if token.id == id else token for token in account.tokens)
    return replace(account, tokens=tokens)


async def revoke(chat: Chat, session: Session, devices: Collection[str]) -> tuple[str, ...]:
    """Make the login tokens of a user's devices worthless, but not that of this session. Return the tokens' ids.

    Raises:
        Unavailable: It is unknown whether they are.
    """
    account = session.user.account
    if account is None or not devices:
        return ()
    gone = tuple(token.id for token in account.tokens if token.device in devices and token.id != session.token)
    if gone:
        await chat.account_changes.amend(account, lambda now: _without(now, gone))
    return gone


def _without(account: AccountRecord, ids: Collection[str]) -> AccountRecord:
    return replace(account, tokens=tuple(token for token in account.tokens if token.id not in ids))
