"""``/takeover``: logging in although the account is in use, for instance on a device left at home.

If an account has as many sessions or devices as it may have, a login is refused even with the right password or a valid
token. But for one minute, ``/takeover`` on the same connection ends what stands in the way of this login, and logs in.
Programs' sessions are pinged at once, so that dead connections end by themselves.
"""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.limits import ANSWER_WITHIN, TAKEOVER_WITHIN
from chatroom.chat.people import tokens
from chatroom.chat.people.session_limits import obstacle
from chatroom.chat.rooms.admission import check_everywhere
from chatroom.chat.session import Session, User
from chatroom.chat.session_parts import TakeoverOffer
from chatroom.model.account import AccountRecord
from chatroom.model.commands import Login
from chatroom.model.errors import NO_TAKEOVER, SESSION_TAKEN_OVER
from chatroom.model.names import user_name
from chatroom.model.replies import Ok
from chatroom.model.wording import TAKEOVERS


def offer(chat: Chat, session: Session, account: AccountRecord, token: str, login: Login, why: str) -> None:
    """Offer a session to take an account over within a minute, and ping the account's other sessions.

    Args:
        chat: The chat.
        session: The session whose login was refused because of the account's other sessions.
        account: The account.
        token: The id of the token that was used; empty if it was the password.
        login: The refused login command.
        why: The code of the refusal.
    """
    until = chat.scheduler.seconds() + TAKEOVER_WITHIN
    session.offer = TakeoverOffer(account, token, until, login.remember, login.client)
    user = chat.users.get(account.id)
    for other in user.sessions if user is not None else ():
        other.check_alive(ANSWER_WITHIN)
    session.answer(Ok(TAKEOVERS[why]))


async def accept(chat: Chat, session: Session) -> TakeoverOffer:
    """End sessions of the offered account so that this session can log in.

    Returns:
        The offer, with the account as it is now. The caller must log in at once, without waiting for anything else.

    Raises:
        Refused: The session has no valid offer; or the account is banned from the server or from a room of the session.
    """
    made = session.offer
    if made is None or chat.scheduler.seconds() >= made.until:
        raise NO_TAKEOVER()
    now = await chat.accounts.get(user_name(made.account.name))
    session.offer = None
    if now is None or not _holds(made, now):
        raise NO_TAKEOVER()
    if not session.over:
        _make_room(chat, session, now)
    return TakeoverOffer(now, made.token, made.until, made.remember, made.client)


def _holds(made: TakeoverOffer, now: AccountRecord) -> bool:
    """Return whether the password or token with which the offer was obtained is still valid for the account."""
    same = now.id == made.account.id and now.password == made.account.password
    return same and (not made.token or tokens.has(now, made.token))


def _make_room(chat: Chat, session: Session, account: AccountRecord) -> None:
    """End the sessions that stand in the way of one more session on this session's device.

    Raises:
        Refused: The account is banned from the server or from one of the session's rooms. Then no session is ended.
    """
    user = chat.users.get(account.id) or User(account.id, user_name(account.name), account)
    chat.bans.check(user.keys)
    check_everywhere(session, user)
    found = obstacle(chat.rules, user.name, user.sessions, session.device)
    for other in found.sessions if found is not None else ():
        chat.connections.put_out(other, SESSION_TAKEN_OVER(user=user.name))
