"""Running a command: the only place where the needs of a command are checked, and where errors become answers."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from inspect import iscoroutine
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.chat import help, messaging, typing_notices
from chatroom.chat.chat import Chat
from chatroom.chat.files import sharing
from chatroom.chat.handlers import HANDLERS
from chatroom.chat.keys import asking, publishing, sealed_messages
from chatroom.chat.limits import ROOM_CHARACTERS
from chatroom.chat.operators import commands
from chatroom.chat.people import conversations, guest_names, hello, login, login_sessions, marking, preferences
from chatroom.chat.rooms import amendments, join_leave, moderation, queries, sanctions, sealed, search
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.commands import ROWS, Command, CommandRow, Hello, Login, Needs, Pong, Ref, RoomCommand, Takeover
from chatroom.model.errors import (
    INTERNAL,
    LOG_IN_FIRST,
    LOG_OUT_FIRST,
    LOGIN_NEEDS_TLS,
    NOT_CONFIRMED,
    NOT_IN_ROOM,
    NOT_IN_THAT_ROOM,
    NOT_MODERATOR,
    NOT_OPERATOR,
    NOT_OWNER,
    WHICH_ROOM,
    Refused,
)
from chatroom.model.events import Event
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import fold

_log = logger(__name__)

# Importing these modules registers their handlers.
_MODULES = (
    amendments,
    asking,
    commands,
    conversations,
    guest_names,
    hello,
    help,
    join_leave,
    login,
    login_sessions,
    marking,
    messaging,
    typing_notices,
    moderation,
    preferences,
    publishing,
    queries,
    sanctions,
    sealed,
    sealed_messages,
    search,
    sharing,
)

WITHOUT_HANDLER = [command.__name__ for command in ROWS if command not in HANDLERS]
if WITHOUT_HANDLER:
    raise TypeError(f"there is no handler for {', '.join(WITHOUT_HANDLER)}")


def do(chat: Chat, session: Session, command: Command) -> Deferred[None] | None:
    """Run a command.

    Returns:
        None if the session's next command may be run at once. Otherwise a Deferred that fires when the next command
        may be run, never with an error.
    """
    row = ROWS[type(command)]
    if session.pending and not row.pipelined:
        return Deferred.fromCoroutine(_when_idle(chat, session, command))
    if row.long and session.out.holds:
        return Deferred.fromCoroutine(_when_taken(chat, session, command))
    try:
        if not session.seated and not isinstance(command, Login | Takeover | Hello | Pong):
            raise chat.seats.full()
        if row.about_room:
            only = len(session.rooms) < 2 and not command.room  # type: ignore[attr-defined]
            room = session.room if only else room_meant(session, command)  # type: ignore[arg-type]
            check_allowed(row, session, room)
            outcome = HANDLERS[type(command)](chat, session, command, room)
        else:
            check_allowed(row, session)
            outcome = HANDLERS[type(command)](chat, session, command)
    except Exception as error:
        _refuse(session, error, command.ref)
        return None
    if outcome is None:
        return None
    if iscoroutine(outcome):
        return Deferred.fromCoroutine(_finish(session, outcome, command.ref))
    session.answer(outcome, command.ref)
    return None


def room_meant(session: Session, command: RoomCommand) -> Room | None:
    """Return the room that a command is about; None if it names no room and the session is in none.

    Raises:
        Refused: The session is not in that room; or it is a program in several rooms, and the command says none.
    """
    if command.room:
        folded = fold(command.room)
        for room in session.rooms:
            if fold(room.name) == folded:
                return room
        if command.elsewhere:
            return None
        raise NOT_IN_THAT_ROOM(room=command.room[:ROOM_CHARACTERS])
    if len(session.rooms) < 2 or session.person:
        return session.room
    if not command.needs_room:
        return None
    raise WHICH_ROOM(rooms=", ".join(room.name for room in session.rooms))


def check_allowed(row: CommandRow, session: Session, room: Room | None = None) -> None:
    """Check that the session may give a command now, or be asked for its arguments.

    Args:
        row: The command's row.
        session: The session.
        room: The room that the command is about, if any.

    Raises:
        Refused: The command needs TLS, a room, a login, no login, or a right that the user does not have.
    """
    if row.secret and session.host.rules.require_tls and not session.secure:
        raise LOGIN_NEEDS_TLS()
    if row.in_room and room is None:
        raise NOT_IN_ROOM()
    if row.needs is not Needs.NOTHING:
        _check(row.needs, session, room)


def _check(needs: Needs, session: Session, room: Room | None) -> None:
    """Raise ``Refused`` if the session's user is not what a command needs (a guest, an operator and so on)."""
    user = session.user
    if needs is Needs.GUEST and user.account is not None:
        raise LOG_OUT_FIRST(user=user.account.name)
    if needs is Needs.LOGIN and user.account is None:
        raise LOG_IN_FIRST()
    if needs is Needs.OPERATOR and not user.operator:
        raise NOT_OPERATOR()
    if needs is Needs.MODERATOR and (room is None or not room.record.moderated_by(user)):
        raise NOT_MODERATOR(room=room.name if room is not None else "it")
    if needs is Needs.OWNER and (room is None or not room.record.owned_by(user)):
        raise NOT_OWNER(room=room.name if room is not None else "it")


async def _when_idle(chat: Chat, session: Session, command: Command) -> None:
    """Run a command after the session's earlier messages are stored and shown to it, and its files are stored."""
    await session.idle()
    if not session.over:
        waiting = do(chat, session, command)
        if waiting is not None:
            await waiting


async def _when_taken(chat: Chat, session: Session, command: Command) -> None:
    """Run a command when the client has taken all that it was sent, so that no more than one long answer is held."""
    taken: Deferred[None] = Deferred()
    session.out.when_free(partial(taken.callback, None))
    await taken
    if not session.over:
        waiting = do(chat, session, command)
        if waiting is not None:
            await waiting


async def _finish(session: Session, outcome: Coroutine[Any, Any, Event | None], ref: Ref | None) -> None:
    """Wait for a handler that is a coroutine, and send its answer or its error to the session."""
    try:
        answer = await outcome
    except Exception as error:
        _refuse(session, error, ref)
    else:
        if answer is not None:
            session.answer(answer, ref)


def _refuse(session: Session, error: Exception, ref: Ref | None) -> None:
    """Tell the session why its command failed. If its arguments had been asked for, ask for them again."""
    if isinstance(error, Refused):
        session.refuse(error, ref)
    elif isinstance(error, Unavailable):
        session.refuse(NOT_CONFIRMED(), ref)
    else:
        _log.failure("a command of {name} failed", name=session.name)
        session.refuse(INTERNAL(), ref)
    ask_again, session.ask_again = session.ask_again, None
    if ask_again is not None and not session.over:
        ask_again(session)
