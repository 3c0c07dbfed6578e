"""A user's settings: echo, timestamps, reactions, ignored users, being away.

An account's settings are stored, and all its sessions share them.
"""

from __future__ import annotations

from msgspec.structs import replace

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import AWAY_CHARACTERS, IGNORED
from chatroom.chat.messaging import seen
from chatroom.chat.session import Session
from chatroom.model.account import AccountRecord, Preferences
from chatroom.model.commands import SetAway, SetEcho, SetIgnore, SetReactions, SetTimestamps, ShowSettings
from chatroom.model.errors import TOO_MANY_IGNORED
from chatroom.model.events import Event
from chatroom.model.names import fold
from chatroom.model.replies import Settings
from chatroom.model.text import clean


@handles(ShowSettings)
def show(chat: Chat, session: Session, command: ShowSettings) -> Event:
    """Show all settings."""
    return settings(session)


@handles(SetEcho)
async def echo(chat: Chat, session: Session, command: SetEcho) -> Event:
    """Turn the echo of the user's own messages on or off, or show the setting."""
    if command.on is not None:
        await _change(chat, session, "echo", command.on)
    return settings(session, "echo")


@handles(SetTimestamps)
async def timestamps(chat: Chat, session: Session, command: SetTimestamps) -> Event:
    """Turn the time before each message on or off, or show the setting."""
    if command.on is not None:
        await _change(chat, session, "timestamps", command.on)
    return settings(session, "timestamps")


@handles(SetReactions)
async def reactions(chat: Chat, session: Session, command: SetReactions) -> Event:
    """Show a person on telnet reactions to messages, or hide them; or show the setting."""
    if command.on is not None:
        await _change(chat, session, "reactions", command.on)
    return settings(session, "reactions")


@handles(SetIgnore)
async def ignore(chat: Chat, session: Session, command: SetIgnore) -> Event:
    """Hide or show a user's messages, also if the user changes the name while online; or list the ignored users."""
    if not command.user:
        return settings(session, "ignored")
    folded = fold(command.user)
    ignored = tuple((key, shown, id) for key, (shown, id) in session.ignored.items())
    if command.on:
        other = chat.names.find(command.user)
        if len(ignored) >= IGNORED:
            raise TOO_MANY_IGNORED(most=IGNORED)
        folded = fold(other.name)
    kept = tuple(one for one in ignored if one[0] != folded)
    await _change(chat, session, "ignored", (*kept, (folded, other.name, other.id)) if command.on else kept)
    return settings(session, "ignored")


@handles(SetAway)
async def away(chat: Chat, session: Session, command: SetAway) -> Event:
    """Mark the user as away, with a message, or as back."""
    session.user.away = seen(clean(command.text).strip()[:AWAY_CHARACTERS])
    await _change(chat, session, "away", session.user.away)
    for each in session.user.sessions:
        chat.announce(each)
    return settings(session, "away")


def settings(session: Session, changed: str = "") -> Settings:
    """Return a reply with the session's settings and the name of the one that was changed or asked for (empty: all)."""
    ignored = [name for name, _ in session.ignored.values()]
    return Settings(session.echo, session.dialect.stamped, session.user.away, ignored, changed, session.reactions)


async def _change(chat: Chat, session: Session, what: str, value: object) -> None:
    """Change a setting: for a guest, of this session; for an account, in its record and in all its sessions."""
    account = session.user.account
    if account is None:
        session.prefer(replace(_of(session), **{what: value}))
        return

    def change(now: AccountRecord) -> AccountRecord:
        return replace(now, preferences=replace(now.preferences, **{what: value}))

    await chat.account_changes.amend(account, change)


def _of(session: Session) -> Preferences:
    """Return the session's present settings, in the form in which an account stores them."""
    ignored = tuple((key, shown, id) for key, (shown, id) in session.ignored.items())
    return Preferences(session.echo, session.dialect.stamped, session.user.away, ignored, session.reactions)
