"""What happens when a session logs in or out, and when accounts are made, changed or removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from chatroom.chat.bans_and_mutes import user_keys
from chatroom.chat.people.accounts_file import AccountLine
from chatroom.chat.people.authentication import with_password
from chatroom.chat.people.user import User
from chatroom.chat.rooms.record import RoomRecord
from chatroom.model.account import AccountRecord, Preferences
from chatroom.model.errors import ALREADY_LOGGED_IN, PASSWORD_CHANGED, TOO_MANY_CONNECTIONS, Refused
from chatroom.model.events import Arrived, Deregistered, PasswordChanged, Registered, Renamed
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import Name, fold, user_name
from chatroom.model.replies import Account as WhoYouAre

if TYPE_CHECKING:
    from chatroom.chat.chat import Chat
    from chatroom.chat.session import Session

_log = logger(__name__)


# ---- sessions ----------------------------------------------------------------------------------------------------


def log_in(session: Session, account: AccountRecord) -> User:
    """Make the session one of the account's.

    Raises:
        Refused: The account has as many as it may; or it is banned; or there is no seat.
    """
    chat = session.chat
    user = chat.users.get(account.id)
    if user is not None and chat.rules.sessions and len(user.sessions) >= chat.rules.sessions:
        raise ALREADY_LOGGED_IN(user=account.name)
    arriving = user is None
    if user is None:
        user = User(account.id, user_name(account.name), account)
    chat.bans.check(user_keys(user))
    if session.room is not None:
        session.room.record.admit(session, user)
    guest = session.user
    _become(session, user)
    if session.room is not None:
        _keep_rights(session, guest, session.room.record)
    if arriving:
        chat.counters.logins += 1
        if chat.announces(user):
            chat.tell_all(Arrived(chat.next_id(), chat.now(), user.name, user.id))
    _log.info("{name} logged in as {account}", name=guest.name, account=user.name)
    return user


def log_out(session: Session) -> None:
    """Make the session a guest's.

    Raises:
        Refused: There is no seat for another guest, or no slot for one at the session's address.
    """
    chat = session.chat
    chat.seats.check(session)
    if session.place is not None and not session.place.claim():
        raise TOO_MANY_CONNECTIONS()
    _log.info("{name} logged out", name=session.name)
    _become(session, chat.new_guest(session))


def _become(session: Session, user: User) -> None:
    """The session is another user's from now on; its room is told, whenever the log takes it."""
    chat = session.chat
    chat.seats.change(session, user)
    old, first = session.user, not user.online
    user.sessions = (*user.sessions, session)
    session.sit(user)
    session.token, session.offer = "", None
    if old.account is not None:
        session.was_also(old.id)
    if session.place is not None and user.account is not None:
        session.place.recognise()
        session.place.release()
    chat.take_leave(session, old)
    if first:
        chat.users[user.id] = user
        chat.evict(user.handle, user.id)
        chat.names.claim(user, user.handle)
        user.away = user.account.preferences.away if user.account is not None else ""
    prefer(session, user.account.preferences if user.account is not None else Preferences())
    chat.announce(session)
    room = session.room or session.heading
    if room is not None:
        event = Renamed(
            session.next_id(), chat.now(), old.name, old.id, session=session.id, name=user.name, user_id=user.id
        )
        chat.owe(room.log, event)


def prefer(session: Session, preferences: Preferences) -> None:
    """Let the session hear what is preferred, and how."""

    def change() -> None:
        session.echo = preferences.echo
        session.ignored = MappingProxyType({fold(shown): (shown, id) for _, shown, id in preferences.ignored})
        session.dialect = session.dialect.with_stamps(preferences.timestamps)

    session.reseat(change)


def _keep_rights(session: Session, guest: User, record: RoomRecord) -> None:
    """Who made or moderated the room as a guest does so as the owner of an account."""
    if guest.account is None and (record.owner_id == guest.id or guest.id in record.moderators):
        user = session.user
        Deferred.fromCoroutine(session.chat.directory.hand_over(record, guest, user)).addErrback(
            lambda failure: _log.warn("a guest's rights were lost: {why}", why=failure.getErrorMessage())
        )


async def open_inbox(session: Session) -> None:
    """Give the owner of an account what waited; when it cannot be read now, it goes on waiting."""
    try:
        await session.chat.inbox(session.user).open()
    except Unavailable as error:
        _log.warn("the inbox of {name} could not be read: {why}", name=session.name, why=str(error))


# ---- accounts ----------------------------------------------------------------------------------------------------


async def add_account(
    chat: Chat,
    name: Name,
    hashed: str,
    *,
    by_id: str = "",
    operator: bool = False,
    reserved: bool = False,
    was: tuple[str, ...] = (),
) -> AccountRecord:
    """Make an account. A guest who has its name gets another one; mail that waited for that name is dropped.

    Args:
        chat: The chat.
        name: Its name.
        hashed: Its password's hash.
        by_id: The guest who makes it, and may keep the name until logged in.
        operator: May it do everything?
        reserved: Is a seat kept for it?
        was: Ids of the guests and accounts that its owner was before.

    Raises:
        Refused: The name, or one like it, is an account's.
    """
    account = await chat.accounts.add(name, hashed, operator=operator, reserved=reserved, was=was)
    chat.seats.reserved += reserved
    await chat.guests.take(name, account.id)
    event = Registered(chat.next_id(), chat.now(), account.name, by_id, name=account.name)
    try:
        await chat.tell_all_surely(event)
    except Unavailable:  # it is an account all the same: here at once, elsewhere when the log works again
        chat.evict(name, by_id)
    return account


async def remove_account(chat: Chat, account: AccountRecord) -> bool:
    """Remove an account and its mail; its sessions become guests'. Returns whether the account was there."""
    if not await chat.accounts.remove(account):
        return False
    chat.seats.reserved -= account.reserved
    try:
        await chat.tell_all_surely(Deregistered(chat.next_id(), chat.now(), account.name, account.id))
    except Unavailable:  # it is none all the same: here at once, elsewhere when the log works again
        deregister(chat, account.id)
    try:
        await chat.engine.drop(f"inbox/{account.id}")
        await chat.files.remove_of(f"inbox/{account.id}")
    except Unavailable as error:
        _log.warn("the mail of {name} goes later: {why}", name=account.name, why=str(error))
    return True


def _ids_of(user: User | None) -> tuple[str, ...]:
    """Return the ids of an account, and of what its owner was before."""
    return (*user.account.was, user.id) if user is not None and user.account is not None else ()


def deregister(chat: Chat, id: str) -> None:
    """Make the sessions of a removed account guests' again, or end them when there is no seat for a guest."""
    user = chat.users.get(id)
    for session in user.sessions if user is not None else ():
        name = session.name
        chat.deleted.note(session.address, _ids_of(user))
        try:
            log_out(session)
        except Refused as refused:
            chat.put_out(session, refused)
        else:
            session.answer(WhoYouAre(name=session.name, guest=True, was=name))


async def change_password(
    chat: Chat, account: AccountRecord, hashed: str, *, before: str | None = None, session: str = ""
) -> bool:
    """Give an account another password; its tokens and its sessions end, so that nobody stays by the old one.

    Args:
        chat: The chat.
        account: The account.
        hashed: The new password's hash.
        before: Change it only if the hash is this one.
        session: The id of the session that goes on.

    Returns:
        Whether the account has that password now.
    """
    changed = await amend_account(chat, account, lambda now: _rekeyed(now, hashed, before))
    if changed is None or changed.password != hashed:
        return False
    event = PasswordChanged(chat.next_id(), chat.now(), changed.name, changed.id, session=session)
    try:
        await chat.tell_all_surely(event)
    except Unavailable:  # it is changed all the same: here at once, elsewhere when the log works again
        sign_out(chat, changed.id, session)
    return True


def _rekeyed(account: AccountRecord, hashed: str, before: str | None) -> AccountRecord:
    changed = with_password(account, hashed, before)
    return account if changed.password != hashed else replace(changed, tokens=())


def sign_out(chat: Chat, id: str, session: str) -> None:
    """End the sessions of an account whose password was changed, but for one.

    Args:
        chat: The chat.
        id: The account's.
        session: The id of the session that goes on.
    """
    user = chat.users.get(id)
    for each in user.sessions if user is not None else ():
        each.token = ""
        if each.id != session:
            chat.put_out(each, PASSWORD_CHANGED(user=each.name))


async def change_account(chat: Chat, account: AccountRecord, **changes: object) -> AccountRecord | None:
    """Change fields of an account; see ``amend_account``."""
    return await amend_account(chat, account, lambda now: replace(now, **changes))


async def amend_account(
    chat: Chat, account: AccountRecord, change: Callable[[AccountRecord], AccountRecord]
) -> AccountRecord | None:
    """Change an account, and let who is online feel it. Returns the account; None if it is no more."""
    changed = await chat.accounts.change(account, change)
    user = chat.users.get(account.id)
    if changed is not None and user is not None:
        user.account = changed
    return changed


async def import_accounts(chat: Chat, entries: Iterable[AccountLine]) -> None:
    """Make the operator's accounts, or keep a seat for those that are there already; their passwords stay."""
    for entry in entries:
        there = await chat.accounts.get(entry.name)
        if there is None:
            hashed = entry.secret if entry.hashed else await chat.authenticator.hash(entry.secret)
            await add_account(chat, entry.name, hashed, reserved=True)
            _log.info("imported the account {name}", name=entry.name.shown)
        elif not there.reserved:
            await chat.accounts.change(there, lambda now: replace(now, reserved=True))
            chat.seats.reserved += 1
