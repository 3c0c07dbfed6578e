"""The operators' commands in the chat. Like the operators' console, they use the methods of ``Operations``."""

from __future__ import annotations

from chatroom.chat.bans_and_mutes import listed
from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.messaging import checked
from chatroom.chat.operators.service import Operations
from chatroom.chat.rooms import targets
from chatroom.chat.rooms.targets import Target
from chatroom.chat.session import Session
from chatroom.model import commands as c
from chatroom.model.errors import NOT_OPERATOR, NOT_TO_YOURSELF
from chatroom.model.events import Event
from chatroom.model.replies import Ok
from chatroom.model.text import clean


@handles(c.Announce)
async def announce(chat: Chat, session: Session, command: c.Announce) -> Event:
    """Show a text to everybody online."""
    return Ok(await _operations(chat, session).announce(checked(command.text, clean)))


@handles(c.AddAccount)
async def add_account(chat: Chat, session: Session, command: c.AddAccount) -> Event:
    """Add an account."""
    return Ok(await _operations(chat, session).add_account(command.user, command.password))


@handles(c.RemoveAccount)
async def remove_account(chat: Chat, session: Session, command: c.RemoveAccount) -> Event:
    """Remove an account."""
    return Ok(await _operations(chat, session).remove_account(command.user))


@handles(c.SetOperator)
async def set_operator(chat: Chat, session: Session, command: c.SetOperator) -> Event:
    """Give an account operator rights, or take them away."""
    return Ok(await _operations(chat, session).set_operator(command.user, command.on))


@handles(c.SetPassword)
async def set_password(chat: Chat, session: Session, command: c.SetPassword) -> Event:
    """Change an account's password."""
    return Ok(await _operations(chat, session).set_password(command.user, command.password))


@handles(c.Drain)
async def drain(chat: Chat, session: Session, command: c.Drain) -> Event:
    """Refuse new connections, or accept them again."""
    return Ok(await _operations(chat, session).drain(command.on))


@handles(c.ShowStats)
def stats(chat: Chat, session: Session, command: c.ShowStats) -> Event:
    """Show figures of this server."""
    figures = _operations(chat, session).stats()
    width = max(map(len, figures))
    return Ok("\n".join(f"{name:<{width}}  {value}" for name, value in figures.items()))


async def kick(chat: Chat, session: Session, command: c.Kick) -> Event:
    """Disconnect a user from the server."""
    user = chat.names.find(command.user)
    targets.check(session, Target(user.name, user.id, operator=user.operator), None)
    return Ok(await _operations(chat, session).kick(command.user, command.reason))


async def ban(chat: Chat, session: Session, command: c.Ban) -> Event:
    """Ban a user or an address from the server; without a name, list the bans."""
    operations = _operations(chat, session)
    if not command.user:
        return Ok(listed("Banned from this server:", chat.bans.all, chat.now()) or "Nobody is banned from this server.")
    target = await targets.anybody(chat, command.user)
    targets.check(session, target, None)
    if target.typed and set(target.keys) & set(session.keys):  # the operator could not connect again to remove the ban
        raise NOT_TO_YOURSELF()
    return Ok(await operations.ban_for(command.user, command.seconds, command.reason))


async def unban(chat: Chat, session: Session, command: c.Unban) -> Event:
    """Remove a ban from the server."""
    return Ok(await _operations(chat, session).unban(command.user))


async def close(chat: Chat, session: Session, command: c.Close) -> Event:
    """Close a room, as an operator, who need not be its owner."""
    if not session.user.operator:
        raise NOT_OPERATOR()
    return Ok(await _operations(chat, session).close_room(command.room, command.reason))


def _operations(chat: Chat, session: Session) -> Operations:
    return Operations(chat, session.name, session.id)
