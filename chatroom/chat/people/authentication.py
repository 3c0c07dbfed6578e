"""Checking a name and a password, with a ``twisted.cred`` portal.

The operator's checkers (``--auth``) are asked first. If a checker accepts a user, the user owns the name and gets an
account if the name has none. If the name has an account with a password of its own, that password and the sessions that
used it end, unless the account has a reserved seat. If no checker accepts the user, the account's own password decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

import msgspec
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import LoginFailed
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred
from zope.interface import Interface, implementer

from chatroom.chat.limits import Rules
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.people.credential_checkers import Checkers
from chatroom.chat.people.passwords import Busy, Passwords
from chatroom.model.account import AccountRecord
from chatroom.model.errors import BAD_PASSWORD, BUSY, WRONG_PASSWORD
from chatroom.model.logger import logger
from chatroom.model.names import BadName, Name, user_name
from chatroom.model.password_rules import BadLength, BadPassword, new_password, prepared, spellings

_log = logger(__name__)


Disown = Callable[[AccountRecord, str], Awaitable[object]]


class IAccountAvatar(Interface):
    """What the portal returns for a successful login: an account."""


@dataclass(frozen=True, slots=True)
class AccountAvatar:
    """An account that a user logs in to. ``ours``: whether the account's own password was right, not a checker's."""

    account: AccountRecord
    ours: bool


@implementer(ICredentialsChecker)
class AccountChecker:
    """Asks the operator's checkers and the accounts whether a name and a password are right.

    Args:
        accounts: The accounts.
        passwords: Verifies passwords; this takes the same time for a name without an account.
        others: The operator's checkers.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, accounts: Accounts, passwords: Passwords, others: Checkers) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._others = others

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """Return the avatar id: the folded name, the id of its account, and the hash of the account's password, with
        spaces between them.

        The id is empty if there is no account; the hash is empty if a checker has accepted the user. The Deferred fails
        with ``LoginFailed``, or with ``Busy`` if too many passwords are being verified.
        """
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: Any) -> bytes | tuple[()]:
        name = _parse(credentials.username.decode("utf-8", "replace"))
        account = await self._accounts.get(name) if name is not None else None
        hashed = account.password if account is not None else ""
        right = await self._passwords.verify(hashed, credentials.password.decode())
        theirs = name is not None and await self._others.accept(credentials)
        if name is None or not (theirs or right):
            raise LoginFailed()
        id = account.id if account is not None else ""
        return f"{name.folded} {id} {'' if theirs else hashed}".encode()


@implementer(IRealm)
class Realm:
    """Returns the account of a user who may log in; adds one if a checker accepted the user and there is none.

    Args:
        accounts: The accounts.
        disown: Removes an account's own password, and ends all sessions that used it.
    """

    def __init__(self, accounts: Accounts, disown: Disown) -> None:
        self._accounts = accounts
        self._disown = disown

    def requestAvatar(
        self, avatarId: bytes | tuple[()], mind: object, *interfaces: Any
    ) -> Deferred[tuple[type[Interface], object, Callable[[], None]]]:
        """Return the account of an avatar id, with a function for logging out that does nothing."""
        if IAccountAvatar not in interfaces or not isinstance(avatarId, bytes):
            raise NotImplementedError("accounts are the only avatars")
        return Deferred.fromCoroutine(self._avatar(avatarId.decode()))

    async def _avatar(self, avatar: str) -> tuple[type[Interface], object, Callable[[], None]]:
        """Return what ``requestAvatar`` returns, or fail if the account has changed since the password was checked."""
        folded, id, hashed = avatar.split(" ", 2)
        name = user_name(folded)
        account = await self._accounts.get(name)
        if (account.id if account is not None else "") != id:
            raise LoginFailed()  # the account was removed, or registered again, after the password was checked
        if account is None:
            return IAccountAvatar, AccountAvatar(await self._accounts.add(name, ""), ours=False), lambda: None
        if not hashed:
            return IAccountAvatar, AccountAvatar(await self._theirs(account), ours=False), lambda: None
        if account.password != hashed:
            raise LoginFailed()  # the password was changed after it was checked
        return IAccountAvatar, AccountAvatar(account, ours=True), lambda: None

    async def _theirs(self, account: AccountRecord) -> AccountRecord:
        """Return the account of a user that a checker accepted. Unless its seat is reserved, remove its password."""
        if account.password and not account.reserved:
            await self._disown(account, "")
            _log.info("the account {name} is the one that a checker knows from now on", name=account.name)
        now = await self._accounts.get(user_name(account.name))
        if now is None or now.id != account.id:
            raise LoginFailed()
        return now


class Authenticator:
    """Finds the account for a name and a password.

    Args:
        accounts: The accounts.
        passwords: Verifies and makes hashes.
        checkers: The operator's checkers.
        disown: Given an account and an empty hash, removes its own password and ends all sessions that used it.
    """

    def __init__(self, accounts: Accounts, passwords: Passwords, checkers: Checkers, disown: Disown) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._portal = Portal(Realm(accounts, disown), [AccountChecker(accounts, passwords, checkers)])

    async def authenticate(self, user: str, password: str) -> AccountRecord:
        """Return the account for a name and a password; update the hash of its password if that is outdated.

        The time this takes depends on the password alone, not on whether there is such an account.

        Raises:
            Refused: The name or the password is wrong; or the password has characters that it may not have; or too
                many passwords are being checked.
        """
        try:
            for form in spellings(password):
                member = await self._owner(user, form)
                if member is not None:
                    return await self._up_to_date(member.account, form, password) if member.ours else member.account
            prepared(password)
        except BadLength:
            raise WRONG_PASSWORD() from None
        except BadPassword as error:
            raise BAD_PASSWORD(why=error) from None
        raise WRONG_PASSWORD()

    async def hash(self, password: str) -> str:
        """Return the hash of a password in its RFC 8265 form.

        Raises:
            Refused: The password has characters that it may not have; or too many passwords are being hashed.
        """
        try:
            return await self._passwords.hash(prepared(password))
        except BadPassword as error:
            raise BAD_PASSWORD(why=error) from None
        except Busy:
            raise BUSY() from None

    async def _owner(self, user: str, password: str) -> AccountAvatar | None:
        """Return the account for a name and exactly this spelling of its password; None if one of them is wrong.

        Raises:
            Refused: Too many passwords are being checked.
        """
        credentials = UsernamePassword(user.encode("utf-8", "replace"), password.encode())
        try:
            member: Any = (await self._portal.login(credentials, None, IAccountAvatar))[1]
        except LoginFailed:
            return None
        except Busy:
            raise BUSY() from None
        return cast(AccountAvatar, member)

    async def _up_to_date(self, account: AccountRecord, form: str, password: str) -> AccountRecord:
        """Return the account; hash its password again if the hash has old parameters or is not of the RFC 8265 form.

        Args:
            account: The account.
            form: The spelling of the password that the present hash is of.
            password: The password as the user typed it.

        Raises:
            Refused: The account was deleted, or its password changed, meanwhile; or too many passwords are being
                hashed.
        """
        try:
            wanted = prepared(password)
        except BadPassword:
            wanted = form  # an old password that today's rules would refuse stays as it is
        if wanted == form and not self._passwords.outdated(account.password):
            return account
        try:
            hashed = await self._passwords.hash(wanted)
        except Busy:
            raise BUSY() from None
        before = account.password
        changed = await self._accounts.change(account, lambda now: with_password(now, hashed, before))
        if changed is None or changed.password != hashed:
            raise WRONG_PASSWORD()
        return changed


def checked_password(rules: Rules, password: str) -> str:
    """Return a new password in its RFC 8265 form, which is the form that is hashed.

    Raises:
        Refused: The password is too short, or has characters that a password may not have.
    """
    try:
        return new_password(password, rules.min_password)
    except BadPassword as error:
        raise BAD_PASSWORD(why=error) from None


def with_password(account: AccountRecord, hashed: str, before: str | None = None) -> AccountRecord:
    """Return the account with another hash; unchanged if ``before`` is given and is not the present hash."""
    if before is not None and account.password != before:
        return account
    return msgspec.structs.replace(account, password=hashed)


def _parse(text: str) -> Name | None:
    try:
        return user_name(text)
    except BadName:
        return None
