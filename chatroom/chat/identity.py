"""Who one is: register, log in and out, change the password, delete the account. Each ends before the next line."""

from __future__ import annotations

from chatroom.account import Account as Record
from chatroom.chat import membership
from chatroom.chat.commands import ChangePassword, DeleteAccount, Login, Logout, Register, ShowAccount
from chatroom.chat.limits import LISTED, PASSWORD_CHARACTERS
from chatroom.chat.refusals import BAD_PASSWORD, LOG_OUT_FIRST, NAME_IN_USE, WRONG_PASSWORD, Refused
from chatroom.chat.registry import parse_user_name
from chatroom.chat.session import Session
from chatroom.events import Account, Event, Ok
from chatroom.logger import logger

_log = logger(__name__)


async def register(session: Session, command: Register) -> None:
    """Make an account, and log in."""
    _must_be_guest(session)
    name = parse_user_name(command.user)
    check_password(command.password)
    chat = session.chat
    if await chat.accounts.owns(name):
        raise NAME_IN_USE()
    chat.throttles.register(session.address)
    try:
        hashed = await chat.authenticator.hash(command.password)
        account = await membership.add_account(chat, name, hashed, by_id=session.user_id)
    except BaseException:
        chat.throttles.unregister(session.address)
        raise
    _log.info("{name} registered the account {account}", name=session.name, account=account.name)
    await _log_in(session, account, command.ref)


async def login(session: Session, command: Login) -> None:
    """Become the owner of an account."""
    _must_be_guest(session)
    account = await _authenticated(session, command.user, command.password)
    await _log_in(session, account, command.ref)


async def _log_in(session: Session, account: Record, ref: int | str | None) -> None:
    """Log in, see who is online, and then what has come meanwhile."""
    if session.over:
        return
    user = membership.log_in(session, account)
    names = sorted({presence.name for presence in session.chat.who()}, key=str.casefold)
    more = max(0, len(names) - LISTED)
    session.answer(Account(name=user.name, operator=user.operator, users=names[:LISTED], more=more), ref)
    await membership.open_inbox(session)


def logout(session: Session, command: Logout) -> Event | None:
    """Be a guest again; who has no seat as a guest has to go."""
    name = session.name
    try:
        membership.log_out(session)
    except Refused as refused:
        membership.put_out(session, refused, command.ref)
        return None
    return Account(name=session.name, guest=True, was=name)


async def password(session: Session, command: ChangePassword) -> Event:
    """Change the password; the old one has to be known."""
    check_password(command.new)
    account = await _owner(session, command.old)
    hashed = await session.chat.authenticator.hash(command.new)
    if await membership.change_account(session.chat, account, password=hashed) is None:
        raise WRONG_PASSWORD()  # it has been deleted meanwhile
    return Ok("Your password has been changed.")


async def delete(session: Session, command: DeleteAccount) -> Event:
    """Delete the account; its name is free, its id is never used again."""
    account = await _owner(session, command.password)
    await membership.remove_account(session.chat, account)
    return Ok(f"The account {account.name} has been deleted.")


def show(session: Session, command: ShowAccount) -> Event:
    """Say who one is."""
    user = session.user
    return Account(name=user.name, guest=user.account is None, operator=user.operator)


def check_password(password: str) -> None:
    """See that it can be one.

    Raises:
        Refused: It is empty, or too long.
    """
    if not 0 < len(password) <= PASSWORD_CHARACTERS:
        raise BAD_PASSWORD(most=PASSWORD_CHARACTERS)


async def _authenticated(session: Session, user: str, password: str) -> Record:
    """Return whose name and password that are; failures are counted.

    Raises:
        Refused: Nobody's; or there were too many failures; or too many are asking.
    """
    over = session.chat.throttles.attempt(session.address, user)
    failed = False
    try:
        return await session.chat.authenticator.authenticate(user, password[: PASSWORD_CHARACTERS + 1])
    except Refused as refused:
        failed = refused.code == WRONG_PASSWORD.code
        raise
    finally:
        over(not failed)


async def _owner(session: Session, password: str) -> Record:
    """Return the session's account if the password is its owner's."""
    account = await _authenticated(session, session.name, password)
    if account.id != session.user_id:
        raise WRONG_PASSWORD()
    return account


def _must_be_guest(session: Session) -> None:
    account = session.user.account
    if account is not None:
        raise LOG_OUT_FIRST(user=account.name)
