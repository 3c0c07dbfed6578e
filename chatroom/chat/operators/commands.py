"""What operators type in the chat; the acts themselves are those of the console (``operations``)."""

from __future__ import annotations

from chatroom.chat.bans_and_mutes import keys_of, listed
from chatroom.chat.messaging import checked
from chatroom.chat.operators.service import Operations
from chatroom.chat.rooms import targets
from chatroom.chat.rooms.targets import Target
from chatroom.chat.session import Session
from chatroom.model import commands as c
from chatroom.model.errors import NOT_OPERATOR, NOT_TO_YOURSELF
from chatroom.model.events import Event
from chatroom.model.replies import Ok


async def announce(session: Session, command: c.Announce) -> Event:
    """Say something to everybody."""
    return Ok(await _operations(session).announce(checked(command.text)))


async def add_account(session: Session, command: c.AddAccount) -> Event:
    """Make an account."""
    return Ok(await _operations(session).add_account(command.user, command.password))


async def remove_account(session: Session, command: c.RemoveAccount) -> Event:
    """Remove an account."""
    return Ok(await _operations(session).remove_account(command.user))


async def set_operator(session: Session, command: c.SetOperator) -> Event:
    """Make an account an operator's, or not."""
    return Ok(await _operations(session).set_operator(command.user, command.on))


async def set_password(session: Session, command: c.SetPassword) -> Event:
    """Give an account another password."""
    return Ok(await _operations(session).set_password(command.user, command.password))


async def drain(session: Session, command: c.Drain) -> Event:
    """Let nobody new in, or again."""
    return Ok(await _operations(session).drain(command.on))


def stats(session: Session, command: c.ShowStats) -> Event:
    """Show figures of this server."""
    figures = _operations(session).stats()
    width = max(map(len, figures))
    return Ok("\n".join(f"{name:<{width}}  {value}" for name, value in figures.items()))


async def kick(session: Session, command: c.Kick) -> Event:
    """Put somebody off the server."""
    user = session.chat.names.find(command.user)
    targets.check(session, Target(user.name, user.id, operator=user.operator))
    return Ok(await _operations(session).kick(command.user, command.reason))


async def ban(session: Session, command: c.Ban) -> Event:
    """Keep somebody off the server; without a name: who is?"""
    operations = _operations(session)
    if not command.user:
        chat = session.chat
        return Ok(listed("Banned from this server:", chat.bans.all, chat.now()) or "Nobody is banned from this server.")
    target = await targets.anybody(session.chat, None, command.user)
    targets.check(session, target)
    if target.typed and set(target.keys) & set(keys_of(session)):  # nobody would come from there to take it back
        raise NOT_TO_YOURSELF()
    return Ok(await operations.ban_for(command.user, command.seconds, command.reason))


async def unban(session: Session, command: c.Unban) -> Event:
    """Let somebody onto the server again."""
    return Ok(await _operations(session).unban(command.user))


async def close(session: Session, command: c.Close) -> Event:
    """End any room."""
    if not session.user.operator:
        raise NOT_OPERATOR()
    return Ok(await _operations(session).close_room(command.room, command.reason))


def _operations(session: Session) -> Operations:
    return Operations(session.chat, session.name, session.id)
