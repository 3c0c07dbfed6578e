"""``/sessions``: where a user is logged in, or can log in without the password; and ending one of these sessions."""

from __future__ import annotations

from dataclasses import dataclass

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.people import tokens
from chatroom.chat.session import Session
from chatroom.model.commands import EndSession, ListSessions
from chatroom.model.errors import NO_SESSION, Refused
from chatroom.model.events import Event
from chatroom.model.replies import Account, Ok, SessionLine, Sessions


@dataclass(frozen=True, slots=True)
class _Place:
    """One line of the list: a login token with the sessions that logged in by it, or one session without such a token.

    Args:
        line: The line as it is shown.
        token: The token's id; empty for a session without one.
        sessions: The open connections that belong to the line.
    """

    line: SessionLine
    token: str
    sessions: tuple[Session, ...]


@handles(ListSessions)
def show(chat: Chat, session: Session, command: ListSessions) -> Event:
    """List the user's sessions."""
    return Sessions([place.line for place in _places(session)])


@handles(EndSession)
async def end(chat: Chat, session: Session, command: EndSession) -> Event:
    """End a session: its connections and its token."""
    places = _places(session)
    if not 0 < command.number <= len(places):
        raise NO_SESSION(number=command.number)
    place, account = places[command.number - 1], session.user.account
    if place.token and account is not None:
        await chat.account_changes.amend(account, lambda now: tokens.without(now, place.token))
    for other in place.sessions:
        if other is not session:
            other.refuse(Refused("session-ended", "this session was ended from another one."))
            chat.connections.hang_up(other)
    if session in place.sessions and not session.over:
        _end_own(chat, session)
    return Ok(f"Session {command.number} has been ended.")


def _end_own(chat: Chat, session: Session) -> None:
    """Make the session a guest session, as ``/logout`` does; if the server has no place for another guest, end it."""
    name = session.name
    try:
        chat.connections.log_out(session)
    except Refused as refused:
        chat.connections.put_out(session, refused)
    else:
        session.answer(Account(name=session.name, guest=True, was=name))


def _places(session: Session) -> list[_Place]:
    """Return the lines of the user's list: the account's tokens, oldest first, then the sessions without a token."""
    user = session.user
    account = user.account
    places = []
    for token in account.tokens if account is not None else ():
        here = tuple(other for other in user.sessions if other.token == token.id)
        line = SessionLine(token.client, token.made, token.used, bool(here), session in here)
        places.append(_Place(line, token.id, here))
    known = {token.id for token in account.tokens} if account is not None else set()
    for other in user.sessions:
        if other.token not in known:
            where = f"{'text' if other.person else 'records'} from {other.address}"
            places.append(_Place(SessionLine(where, other.since, other.since, True, other is session), "", (other,)))
    return places
