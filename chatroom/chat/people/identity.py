"""Registering, logging in and out, changing the password, deleting the account. Each is done before the next line."""

from __future__ import annotations

from chatroom.chat.bans_and_mutes import name_key
from chatroom.chat.limits import LISTED
from chatroom.chat.people import membership, takeover, tokens
from chatroom.chat.people.authentication import checked_password
from chatroom.chat.people.nicknames import parse_chosen_name, parse_user_name
from chatroom.chat.session import Session
from chatroom.model.account import AccountRecord as Record
from chatroom.model.commands import ChangePassword, DeleteAccount, Login, Logout, Register, ShowAccount, Takeover
from chatroom.model.errors import (
    ALREADY_LOGGED_IN,
    BAD_PASSWORD,
    NAME_IN_USE,
    NO_REGISTRATION,
    PASSWORD_ELSEWHERE,
    WRONG_PASSWORD,
    WRONG_TOKEN,
    Refused,
)
from chatroom.model.events import Event
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import fold
from chatroom.model.replies import Account, Ok, Unchanged
from chatroom.model.text import clean

_log = logger(__name__)


async def register(session: Session, command: Register) -> None:
    """Make an account, and log in."""
    chat = session.chat
    if not chat.rules.register:
        raise NO_REGISTRATION()
    name = parse_chosen_name(command.user, chat.rules.name, "choose another with /register <user> <password>")
    password = checked_password(chat.rules, command.password)
    await chat.checkers.check_free(name)
    if await chat.accounts.owns(name):
        raise NAME_IN_USE()
    chat.bans.check((name_key(name.folded),))
    if session.room is not None:
        session.room.record.check_name(session, name)
    chat.throttles.register(session.address)
    try:
        hashed = await chat.authenticator.hash(password)
        was = (*session.was, session.guest_id)
        account = await membership.add_account(chat, name, hashed, by_id=session.user_id, was=was)
    except BaseException:
        chat.throttles.unregister(session.address)
        raise
    _log.info("{name} registered the account {account}", name=session.name, account=account.name)
    if not session.over:
        membership.log_in(session, account)
        secret = await _remember(session, account, command.client) if command.remember else ""
        await _greet(session, command.ref, secret)


async def login(session: Session, command: Login) -> None:
    """Log the session in to an account, by its password or a token."""
    if command.token:
        account, token = await _by_token(session, command.user, command.token)
    else:
        account, token = await _authenticated(session, command.user, command.password), ""
    if session.over:
        return
    try:
        membership.log_in(session, account)
    except Refused as refused:
        if refused.code != ALREADY_LOGGED_IN.code:
            raise
        session.refuse(refused, command.ref)
        takeover.offer(session, account, token, command)
        return
    session.token = token
    secret = await _remember(session, account, command.client) if command.remember else ""
    await _greet(session, command.ref, secret)


async def take_over(session: Session, command: Takeover) -> None:
    """Log in to the account that a login found in use, ending its oldest session."""
    offer = await takeover.accept(session)
    if session.over:
        return
    membership.log_in(session, offer.account)
    session.token = offer.token
    secret = await _remember(session, offer.account, offer.client) if offer.remember else ""
    await _greet(session, command.ref, secret)


async def _remember(session: Session, account: Record, client: str) -> str:
    """Return the secret of a new token, stored by now; empty if it cannot be."""
    chat, secret = session.chat, session.chat.mint(32)
    name, now = clean(client).strip() or "a program", chat.now()

    def remember(it: Record) -> Record:
        return tokens.remembered(it, secret, name, now) if it.password == account.password else it

    try:
        amended = await membership.amend_account(chat, account, remember)
    except Unavailable as error:
        _log.warn("a session of {name} could not be remembered: {why}", name=account.name, why=str(error))
        return ""
    if amended is None or amended.password != account.password:
        return ""  # it was deleted, or its password changed, meanwhile
    session.token = tokens.digest(secret)
    return secret


async def _greet(session: Session, ref: int | str | None, secret: str = "") -> None:
    """Tell a session that has just logged in who is online, then give it the messages that waited."""
    if session.over:
        return
    user = session.user
    names = sorted({presence.name for presence in session.chat.who()}, key=fold)
    more = max(0, len(names) - LISTED)
    answer = Account(name=user.name, operator=user.operator, users=names[:LISTED], more=more, token=secret)
    session.answer(answer, ref)
    await membership.open_inbox(session)


async def logout(session: Session, command: Logout) -> Event | None:
    """Make the session a guest's again and its token worthless; without a seat for a guest it ends.

    Raises:
        Unavailable: The token may still be worth something; the session is logged in as before.
    """
    account = session.user.account
    if session.token and account is not None:
        await membership.amend_account(session.chat, account, lambda now: tokens.without(now, session.token))
    if session.over:
        return None
    name = session.name
    if session.user.account is None:  # the account was deleted meanwhile
        return Account(name=name, guest=True)
    try:
        membership.log_out(session)
    except Refused as refused:
        session.refuse(refused, command.ref)
        session.chat.close_session(session)
        session.out.close()
        return None
    return Account(name=session.name, guest=True, was=name)


async def password(session: Session, command: ChangePassword) -> Event:
    """Change the password, given the old one; all other sessions and tokens of the account end."""
    new = checked_password(session.chat.rules, command.new)
    session.chat.throttles.change(session.user_id)
    account = await _owner(session, command.old)
    if not account.password:
        raise PASSWORD_ELSEWHERE()
    hashed = await session.chat.authenticator.hash(new)
    if not await membership.change_password(session.chat, account, hashed, before=account.password, session=session.id):
        raise WRONG_PASSWORD()  # somebody else has changed it, or deleted the account, since it was looked at
    return Ok("Your password has been changed.")


async def delete(session: Session, command: DeleteAccount) -> Event:
    """Delete the account; its name is free, its id is never used again."""
    account = await _owner(session, command.password)
    await membership.remove_account(session.chat, account)
    return Ok(f"The account {account.name} has been deleted.")


def show(session: Session, command: ShowAccount) -> Event:
    """Answer whose session this is."""
    user = session.user
    return Unchanged(name=user.name, guest=user.account is None, operator=user.operator)


async def _authenticated(session: Session, user: str, password: str) -> Record:
    """Return the account of a name and a password; failures are counted.

    Raises:
        Refused: They do not belong together; or there were too many failures; or too many are asking.
    """
    over = session.chat.throttles.attempt(session.address, session.id, user)
    right: bool | None = None
    try:
        account = await session.chat.authenticator.authenticate(user, password)
        right = True
        return account
    except Refused as refused:
        if refused.code in (WRONG_PASSWORD.code, BAD_PASSWORD.code):
            right = False
        raise
    finally:
        over(right)


async def _by_token(session: Session, user: str, secret: str) -> tuple[Record, str]:
    """Return the account of a token's secret, and the token's id; only those that are wrong are counted.

    Raises:
        Refused: It is not the account's, or not any more; or there were too many like it.
    """
    chat = session.chat
    account = await chat.accounts.get(parse_user_name(user))
    found = tokens.find(account, secret, chat.now()) if account is not None else None
    if account is not None and found is not None:
        id = found.id
        amended = await membership.amend_account(chat, account, lambda it: tokens.used(it, id, chat.now()))
        if amended is not None and tokens.find(amended, secret, chat.now()) is not None:
            return amended, id
    chat.throttles.wrong_token(session.address, user)
    raise WRONG_TOKEN()


async def _owner(session: Session, password: str) -> Record:
    """Return the session's account if the password is right.

    Raises:
        Refused: It is wrong; see ``_authenticated``.
    """
    account = await _authenticated(session, session.name, password)
    if account.id != session.user_id:
        raise WRONG_PASSWORD()
    return account
