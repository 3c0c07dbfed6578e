"""``/sessions``: where a user is logged in, or can log in without the password; and ending one of these sessions."""

from __future__ import annotations

from dataclasses import dataclass

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.people import tokens
from chatroom.chat.session import Session
from chatroom.model.commands import EndSession, ListSessions
from chatroom.model.errors import NO_SESSION, SESSION_ENDED, Refused
from chatroom.model.events import Event
from chatroom.model.replies import Account, Ok, SessionLine, Sessions


@dataclass(frozen=True, slots=True)
class _Place:
    """One line of the list: a login token with the sessions that logged in by it, or sessions without such a token.

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
            other.refuse(SESSION_ENDED())
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
        session.answer(Account(name=session.name, guest=True, was=name, id=session.user_id))


def _places(session: Session) -> list[_Place]:
    """Return the lines of the user's list: the account's tokens, oldest first, then the devices and the sessions that
    have neither a token nor a device."""
    user = session.user
    account = user.account
    places = []
    for token in account.tokens if account is not None else ():
        here = tuple(other for other in user.sessions if other.token == token.id)
        device = here[0].device.name if here else ""
        line = SessionLine(token.client, token.made, token.used, bool(here), session in here, device, len(here))
        places.append(_Place(line, token.id, here))
    known = {token.id for token in account.tokens} if account is not None else set()
    by_device: dict[str, list[Session]] = {}
    for other in user.sessions:
        if other.token not in known:
            by_device.setdefault(other.device.name or f"/{other.id}", []).append(other)
    return [*places, *(_without_token(tuple(here), session) for here in by_device.values())]


def _without_token(here: tuple[Session, ...], session: Session) -> _Place:
    """Return the line of the sessions on one device, or of one session without a device."""
    first = here[0]
    where = f"{'text' if first.person else 'records'} from {first.address}"
    line = SessionLine(where, first.since, first.since, True, session in here, first.device.name, len(here))
    return _Place(line, "", here)
