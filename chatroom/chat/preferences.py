"""One's own settings: the echo, timestamps, whom one ignores, being away."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.commands import SetAway, SetEcho, SetIgnore, SetTimestamps, ShowSettings
from chatroom.chat.limits import AWAY_CHARACTERS, IGNORED
from chatroom.chat.refusals import TOO_MANY_IGNORED
from chatroom.chat.session import Session
from chatroom.events import Event, Settings
from chatroom.text import clean


def show(session: Session, command: ShowSettings) -> Event:
    """Show all of them."""
    return settings(session)


def echo(session: Session, command: SetEcho) -> Event:
    """See one's own messages, or not."""

    def change() -> None:
        session.echo = command.on

    _change(session, change)
    return settings(session, "echo")


def timestamps(session: Session, command: SetTimestamps) -> Event:
    """See the time before each message, or not."""

    def change() -> None:
        session.dialect = session.dialect.with_stamps(command.on)

    _change(session, change)
    return settings(session, "timestamps")


def ignore(session: Session, command: SetIgnore) -> Event:
    """Hear nothing of somebody, under this name or, while online, under another."""
    folded = command.user.casefold()
    if command.on:
        other = session.chat.names.find(command.user)
        if len(session.ignored) >= IGNORED:
            raise TOO_MANY_IGNORED(most=IGNORED)
        folded = other.name.casefold()

        def change() -> None:
            session.ignored = {**session.ignored, folded: (other.name, other.id)}
    else:

        def change() -> None:
            session.ignored = {key: value for key, value in session.ignored.items() if key != folded}

    _change(session, change)
    return settings(session, "ignored")


def away(session: Session, command: SetAway) -> Event:
    """Be away with these words, or be back."""
    session.away = clean(command.text).strip()[:AWAY_CHARACTERS]
    session.chat.announce(session)
    return settings(session, "away")


def settings(session: Session, changed: str = "") -> Settings:
    """Return the session's settings, and which of them was just changed."""
    ignored = [name for name, _ in session.ignored.values()]
    return Settings(session.echo, session.dialect.stamped, session.away, ignored, changed)


def _change(session: Session, change: Callable[[], None]) -> None:
    """Change what is heard, or how; a room keeps its members seated by just that."""
    if session.room is not None:
        session.room.reseat(session, change)
    else:
        change()
