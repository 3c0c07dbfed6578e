"""The commands for registering, logging in and out, changing the password and deleting the account."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.bans_and_mutes import name_key
from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import LISTED
from chatroom.chat.people import takeover, tokens
from chatroom.chat.people.authentication import checked_password
from chatroom.chat.people.marking import begin_marks
from chatroom.chat.people.nicknames import parse_chosen_name, parse_user_name
from chatroom.chat.people.sent_log import follow_sent
from chatroom.chat.people.session_limits import obstacle, same_program
from chatroom.chat.rooms.admission import check_everywhere, check_name
from chatroom.chat.session import Session, User
from chatroom.model.account import AccountRecord
from chatroom.model.commands import ChangePassword, DeleteAccount, Login, Logout, Register, ShowAccount, Takeover
from chatroom.model.errors import (
    BAD_PASSWORD,
    IN_USE,
    NAME_IN_USE,
    NO_REGISTRATION,
    PASSWORD_ELSEWHERE,
    SESSION_TAKEN_OVER,
    WRONG_PASSWORD,
    WRONG_TOKEN,
    Refused,
)
from chatroom.model.events import Arrived, Event
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import fold, user_name
from chatroom.model.replies import Account, Ok, Unchanged
from chatroom.model.text import clean

_log = logger(__name__)


@handles(Register)
async def register(chat: Chat, session: Session, command: Register) -> None:
    """Add an account and log in."""
    if not chat.rules.register:
        raise NO_REGISTRATION()
    name = parse_chosen_name(command.user, chat.rules.name, "choose another with /register <user> <password>")
    password = checked_password(chat.rules, command.password)
    await chat.checkers.check_free(name)
    if await chat.accounts.owns(name):
        raise NAME_IN_USE()
    chat.bans.check((name_key(name.folded),))
    check_name(session, name)
    chat.throttles.register(session.address)
    try:
        hashed = await chat.authenticator.hash(password)
        was = (*session.was, session.guest_id)
        account = await chat.account_changes.add(name, hashed, by_id=session.user_id, was=was)
    except BaseException:
        chat.throttles.unregister(session.address)
        raise
    _log.info("{name} registered the account {account}", name=session.name, account=account.name)
    if not session.over:
        await _enter(chat, session, account)
        secret = await _remember(chat, session, account, command.client) if command.remember else ""
        await _greet(chat, session, command.ref, secret)


@handles(Login)
async def login(chat: Chat, session: Session, command: Login) -> None:
    """Log the session in to an account, by its password or a token."""
    if command.token:
        account, token = await _by_token(chat, session, command.user, command.token)
    else:
        account, token = await _authenticated(chat, session, command.user, command.password), ""
    if session.over:
        return
    try:
        await _enter(chat, session, account)
    except Refused as refused:
        if refused.code not in IN_USE:
            raise
        session.refuse(refused, command.ref)
        takeover.offer(chat, session, account, token, command, refused.code)
        return
    session.token = token
    secret = await _remember(chat, session, account, command.client) if command.remember else ""
    await _greet(chat, session, command.ref, secret)


@handles(Takeover)
async def take_over(chat: Chat, session: Session, command: Takeover) -> None:
    """Log in to the account that this session's last login found in use; end the sessions that stand in the way."""
    offer = await takeover.accept(chat, session)
    if session.over:
        return
    await _enter(chat, session, offer.account, instead=True)
    session.token = offer.token
    secret = await _remember(chat, session, offer.account, offer.client) if offer.remember else ""
    await _greet(chat, session, command.ref, secret)


async def _enter(chat: Chat, session: Session, account: AccountRecord, *, instead: bool = False) -> None:
    """Log a session in to an account, also for all other daemons; see ``log_in``.

    With ``instead``, it replaces the sessions on other daemons that stand in its way.

    Raises:
        Refused: As ``log_in`` says; the account's sessions on all daemons count.
        Unavailable: The other daemons cannot be told.
    """
    if not chat.engine.node:
        log_in(chat, session, account)
        return
    entrance = await chat.shared_sessions.enter(session, account, instead=instead)
    try:
        if not session.over:
            log_in(chat, session, account, arriving=entrance.first)
    finally:
        if session.user_id != account.id:
            chat.shared_sessions.leave(session, User(account.id, user_name(account.name), account))
    chat.shared_sessions.end(account, entrance.replaced)


def log_in(chat: Chat, session: Session, account: AccountRecord, arriving: bool | None = None) -> None:
    """Make the session a session of the account. It ends an earlier session of the same program.

    Args:
        chat: The chat.
        session: The session.
        account: The account.
        arriving: Whether the account was not online before; None to look on this daemon.

    Raises:
        Refused: The account has too many sessions or devices; or it is banned from the server or a room; or no seat
            is free.
    """
    user = chat.users.get(account.id)
    found = obstacle(chat.rules, user.name, user.sessions, session.device) if user is not None else None
    if found is not None:
        raise found.why
    if arriving is None:
        arriving = user is None
    if user is None:
        user = User(account.id, user_name(account.name), account)
    chat.bans.check(user.keys)
    check_everywhere(session, user)
    guest, former = session.user, same_program(user.sessions, session.device)
    chat.connections.become(session, user)
    for other in former:
        chat.connections.put_out(other, SESSION_TAKEN_OVER(user=user.name))
    if guest.account is None:
        Deferred.fromCoroutine(_keep_rights(chat, session, guest)).addErrback(_rights_lost)
    if arriving:
        chat.counters.logins += 1
        if chat.connections.announces(user.id):
            chat.tell_all(Arrived(chat.next_id(), chat.now(), user.name, user.id))
    _log.info("{name} logged in as {account}", name=guest.name, account=user.name)


async def _keep_rights(chat: Chat, session: Session, guest: User) -> None:
    """Give the session's account the rights that the user had as a guest, in its rooms and in rooms the guest made."""
    user = session.user
    for room in session.rooms:
        if room.record.owner_id == guest.id or guest.id in room.record.moderators:
            await chat.room_changes.hand_over(room.record, guest, user)
    await chat.room_changes.hand_over_all(guest, session.address, user)


def _rights_lost(failure: Failure) -> None:
    _log.warn("a guest's rights were lost: {why}", why=failure.getErrorMessage())


async def _remember(chat: Chat, session: Session, account: AccountRecord, client: str) -> str:
    """Store a new login token for the account and return its secret; empty if the token cannot be stored.

    Args:
        chat: The chat.
        session: The session that has logged in to the account.
        account: The account.
        client: The program's name for itself.
    """
    secret = chat.mint(32)
    name, now = clean(client).strip() or "a program", chat.now()

    def remember(it: AccountRecord) -> AccountRecord:
        return tokens.remembered(it, secret, name, now) if it.password == account.password else it

    try:
        amended = await chat.account_changes.amend(account, remember)
    except Unavailable as error:
        _log.warn("a session of {name} could not be remembered: {why}", name=account.name, why=str(error))
        return ""
    if amended is None or amended.password != account.password:
        return ""  # the account was deleted, or its password changed, meanwhile
    session.token = tokens.digest(secret)
    return secret


async def _greet(chat: Chat, session: Session, ref: int | str | None, secret: str = "") -> None:
    """Tell a session that has just logged in who is online, then give it the private messages that waited.

    ``secret`` is the secret of a new login token, which the answer gives to the program; empty if there is none.
    """
    if session.over:
        return
    user = session.user
    names = sorted({presence.name for presence in chat.who()}, key=fold)
    more = max(0, len(names) - LISTED)
    answer = Account(name=user.name, operator=user.operator, users=names[:LISTED], more=more, token=secret, id=user.id)
    session.answer(answer, ref)
    follow_sent(chat, session.user)
    await chat.inboxes.enter(session)
    if session.rooms:
        await begin_marks(chat, session)


@handles(Logout)
async def logout(chat: Chat, session: Session, command: Logout) -> Event | None:
    """Revoke the session's login token, then make the session a guest session. End it if no seat or slot is free.

    Raises:
        Unavailable: It is unknown whether the token is revoked; the session stays logged in.
    """
    account = session.user.account
    if session.token and account is not None:
        await chat.account_changes.amend(account, lambda now: tokens.without(now, session.token))
    if session.over:
        return None
    name = session.name
    if session.user.account is None:  # the account was deleted meanwhile
        return Account(name=name, guest=True, id=session.user_id)
    try:
        chat.connections.log_out(session)
    except Refused as refused:
        session.refuse(refused, command.ref)
        chat.connections.hang_up(session)
        return None
    return Account(name=session.name, guest=True, was=name, id=session.user_id)


@handles(ChangePassword)
async def password(chat: Chat, session: Session, command: ChangePassword) -> Event:
    """Change the password if the old one is right; end all other sessions and tokens of the account."""
    new = checked_password(chat.rules, command.new)
    chat.throttles.change(session.user_id)
    account = await _owner(chat, session, command.old)
    if not account.password:
        raise PASSWORD_ELSEWHERE()
    hashed = await chat.authenticator.hash(new)
    if not await chat.account_changes.change_password(account, hashed, before=account.password, session=session.id):
        raise WRONG_PASSWORD()  # the password was changed, or the account deleted, after it was checked
    return Ok("Your password has been changed.")


@handles(DeleteAccount)
async def delete(chat: Chat, session: Session, command: DeleteAccount) -> Event:
    """Delete the account. Its name is free again; its id is never used again."""
    account = await _owner(chat, session, command.password)
    await chat.account_changes.remove(account)
    return Ok(f"The account {account.name} has been deleted.")


@handles(ShowAccount)
def show(chat: Chat, session: Session, command: ShowAccount) -> Event:
    """Answer with the name of the session's user, and whether the user is a guest or an operator."""
    user = session.user
    return Unchanged(name=user.name, guest=user.account is None, operator=user.operator, id=user.id)


async def _authenticated(chat: Chat, session: Session, user: str, password: str) -> AccountRecord:
    """Return the account for a name and a password; count the attempt if it fails.

    Raises:
        Refused: The name or the password is wrong; or there were too many failures; or too many logins are being
            checked.
    """
    over = chat.throttles.attempt(session.address, session.id, user)
    right: bool | None = None
    try:
        account = await chat.authenticator.authenticate(user, password)
        right = True
        return account
    except Refused as refused:
        if refused.code in (WRONG_PASSWORD.code, BAD_PASSWORD.code):
            right = False
        raise
    finally:
        over(right)


async def _by_token(chat: Chat, session: Session, user: str, secret: str) -> tuple[AccountRecord, str]:
    """Return the account of a user, and the id of its login token with this secret; count wrong secrets only.

    Raises:
        Refused: The token is not valid for the account; or there were too many wrong tokens.
    """
    account = await chat.accounts.get(parse_user_name(user))
    found = tokens.find(account, secret, chat.now()) if account is not None else None
    if account is not None and found is not None:
        id = found.id
        amended = await chat.account_changes.amend(account, lambda it: tokens.used(it, id, chat.now()))
        if amended is not None and tokens.find(amended, secret, chat.now()) is not None:
            return amended, id
    chat.throttles.wrong_token(session.address, user)
    raise WRONG_TOKEN()


async def _owner(chat: Chat, session: Session, password: str) -> AccountRecord:
    """Return the session's account if the password is right.

    Raises:
        Refused: The password is wrong; see ``_authenticated``.
    """
    account = await _authenticated(chat, session, session.name, password)
    if account.id != session.user_id:
        raise WRONG_PASSWORD()
    return account
