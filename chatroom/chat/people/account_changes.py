"""Adding, changing and removing accounts, with the consequences for sessions that are logged in to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from chatroom.chat.connections import Connections
from chatroom.chat.files.store import FileStore
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.people.accounts_file import AccountLine
from chatroom.chat.people.authentication import with_password
from chatroom.chat.people.capacity import Capacity
from chatroom.chat.people.deleted_accounts import DeletedAccounts
from chatroom.chat.people.guest_mail import GuestMail
from chatroom.chat.people.mark_store import MarkStore
from chatroom.chat.session import User
from chatroom.chat.state import ChatState
from chatroom.model.account import AccountRecord
from chatroom.model.errors import PASSWORD_CHANGED, Refused
from chatroom.model.events import Deregistered, PasswordChanged, Registered
from chatroom.model.log import Unavailable
from chatroom.model.log_names import inbox_log, sent_log
from chatroom.model.logger import logger
from chatroom.model.names import Name, user_name
from chatroom.model.replies import Account
from chatroom.model.server_events import AccountChanged

_log = logger(__name__)


class AccountChanges:
    """Adds, changes and removes accounts.

    Args:
        state: What the parts of the chat share.
        accounts: The account records.
        connections: Opens, changes and ends sessions.
        seats: Counts the reserved seats.
        guests: The mail that waits for names of guests.
        files: The shared files.
        deleted: Remembers deleted accounts by address.
        marks: The read marks of accounts.
    """

    def __init__(
        self,
        state: ChatState,
        accounts: Accounts,
        connections: Connections,
        seats: Capacity,
        guests: GuestMail,
        files: FileStore,
        deleted: DeletedAccounts,
        marks: MarkStore,
    ) -> None:
        self._state = state
        self._accounts = accounts
        self._connections = connections
        self._seats = seats
        self._guests = guests
        self._files = files
        self._deleted = deleted
        self._marks = marks

    async def add(
        self,
        name: Name,
        hashed: str,
        *,
        by_id: str = "",
        operator: bool = False,
        reserved: bool = False,
        was: tuple[str, ...] = (),
    ) -> AccountRecord:
        """Add an account. A guest with the same name gets another name; mail that waited for the name is removed.

        Args:
            name: The account's name.
            hashed: The hash of its password.
            by_id: The id of the guest who registers the account, and may keep the name until logged in.
            operator: Whether its owner is an operator.
            reserved: Whether a seat is reserved for the account.
            was: Ids of the guests and accounts that its owner was before.

        Raises:
            Refused: An account has the name, or a name that looks like it.
        """
        state = self._state
        account = await self._accounts.add(name, hashed, operator=operator, reserved=reserved, was=was)
        self._seats.reserved += reserved
        await self._guests.take(name, account.id)
        event = Registered(state.next_id(), state.now(), account.name, by_id, name=account.name)
        try:
            await state.tell_all_surely(event)
        except Unavailable:  # the account exists all the same: here at once, on other daemons later
            self._connections.evict(name, by_id)
        return account

    async def remove(self, account: AccountRecord) -> bool:
        """Remove an account and its mail; its sessions become guest sessions. Return whether the account existed."""
        state = self._state
        if not await self._accounts.remove(account):
            return False
        self._seats.reserved -= account.reserved
        try:
            await state.tell_all_surely(Deregistered(state.next_id(), state.now(), account.name, account.id))
        except Unavailable:  # the account is removed all the same: here at once, on other daemons later
            self.removed(account.id)
        try:
            await state.engine.drop(inbox_log(account.id))
            await state.engine.drop(sent_log(account.id))
            await self._marks.forget(account.id)
            await self._files.remove_of(inbox_log(account.id))
        except Unavailable as error:
            _log.warn("the mail of {name} goes later: {why}", name=account.name, why=str(error))
        return True

    def removed(self, id: str) -> None:
        """Turn the sessions of a removed account into guest sessions; end those that get no guest's seat or slot."""
        user = self._state.users.get(id)
        for session in user.sessions if user is not None else ():
            name = session.name
            self._deleted.note(session.address, _ids_of(user))
            try:
                self._connections.log_out(session)
            except Refused as refused:
                self._connections.put_out(session, refused)
            else:
                session.answer(Account(name=session.name, guest=True, was=name, id=session.user_id))

    async def change_password(
        self, account: AccountRecord, hashed: str, *, before: str | None = None, session: str = ""
    ) -> bool:
        """Change an account's password; end its tokens and sessions, so that the old password keeps nobody logged in.

        Args:
            account: The account.
            hashed: The new password's hash.
            before: Change the password only if the present hash is this one.
            session: The id of the one session that stays logged in.

        Returns:
            True if the account has the new password now; False if it does not exist any more or ``before`` is wrong.
        """
        state = self._state
        changed = await self.amend(account, lambda now: _rekeyed(now, hashed, before))
        if changed is None or changed.password != hashed:
            return False
        event = PasswordChanged(state.next_id(), state.now(), changed.name, changed.id, session=session)
        try:
            await state.tell_all_surely(event)
        except Unavailable:  # the password is changed all the same: here at once, on other daemons later
            self.password_changed(changed.id, session)
        return True

    def password_changed(self, id: str, session: str) -> None:
        """End the sessions of an account whose password was changed, except one session.

        Args:
            id: The id of the account.
            session: The id of the one session that stays logged in.
        """
        user = self._state.users.get(id)
        for each in user.sessions if user is not None else ():
            each.token = ""
            if each.id != session:
                self._connections.put_out(each, PASSWORD_CHANGED(user=each.name))

    async def change(self, account: AccountRecord, **changes: object) -> AccountRecord | None:
        """Change fields of an account; see ``amend``."""
        return await self.amend(account, lambda now: replace(now, **changes))

    async def amend(
        self, account: AccountRecord, change: Callable[[AccountRecord], AccountRecord]
    ) -> AccountRecord | None:
        """Change an account's record, also where its sessions hold it. Return the account; None if it is removed."""
        changed = await self._accounts.change(account, change)
        if changed is not None:
            self._take(changed)
            if node := self._state.engine.node:
                about = self._state.next_id(), self._state.now(), changed.name, changed.id
                self._state.tell_all(AccountChanged(*about, node=node))
        return changed

    def _take(self, changed: AccountRecord) -> None:
        """Give the sessions of an account on this daemon the account's new record."""
        user = self._state.users.get(changed.id)
        if user is None or user.account is None:
            return
        before, user.account = user.account, changed
        if changed.preferences != before.preferences:
            user.away = changed.preferences.away
            for session in user.sessions:
                session.prefer(changed.preferences)

    def changed_elsewhere(self, event: AccountChanged) -> None:
        """Read the record of an account again, because another daemon has changed it."""
        if event.node != self._state.engine.node and event.by_id in self._state.users:
            Deferred.fromCoroutine(self._read_again(event)).addErrback(_not_read)

    async def _read_again(self, event: AccountChanged) -> None:
        account = await self._accounts.get(user_name(event.by))
        if account is not None and account.id == event.by_id:
            self._take(account)

    async def take_in(self, lines: Iterable[AccountLine], hash: Callable[[str], Awaitable[str]]) -> None:
        """Import the operator's accounts: add those that do not exist. The others get a reserved seat and keep their
        passwords.

        Args:
            lines: The accounts in the operator's file.
            hash: A function that hashes a password.
        """
        for line in lines:
            there = await self._accounts.get(line.name)
            if there is None:
                hashed = line.secret if line.hashed else await hash(line.secret)
                await self.add(line.name, hashed, reserved=True)
                _log.info("imported the account {name}", name=line.name.shown)
            elif not there.reserved:
                await self._accounts.change(there, lambda now: replace(now, reserved=True))
                self._seats.reserved += 1


def _not_read(failure: Any) -> None:
    failure.trap(Unavailable)
    _log.warn("an account that has changed could not be read: {why}", why=failure.getErrorMessage())


def _ids_of(user: User | None) -> tuple[str, ...]:
    """Return the ids of an account, and of the guests and accounts that its owner was before."""
    return (*user.account.was, user.id) if user is not None and user.account is not None else ()


def _rekeyed(account: AccountRecord, hashed: str, before: str | None) -> AccountRecord:
    """Return the account with another hash and no tokens; unchanged if ``before`` is given and not its present hash."""
    changed = with_password(account, hashed, before)
    return account if changed.password != hashed else replace(changed, tokens=())
