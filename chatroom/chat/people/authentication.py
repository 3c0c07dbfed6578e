"""Who somebody is, by ``twisted.cred``: a portal with our own checker, and behind it those that the operator adds.

An account with a password of ours is decided by that password alone. A name that has none, or no account at all, is
for the operator's checkers; whom one of them knows is given an account.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

import msgspec
from twisted.cred.checkers import ICredentialsChecker
from twisted.cred.credentials import IUsernamePassword, UsernamePassword
from twisted.cred.error import LoginFailed, UnhandledCredentials
from twisted.cred.portal import IRealm, Portal
from twisted.internet.defer import Deferred, maybeDeferred
from zope.interface import Interface, implementer

from chatroom.account import Account
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.refusals import BUSY, WRONG_PASSWORD
from chatroom.logger import logger
from chatroom.names import BadName, Name, user_name
from chatroom.passwords import Busy, Passwords

_log = logger(__name__)


class IMember(Interface):
    """An account, as an avatar."""


@implementer(ICredentialsChecker)
class AccountChecker:
    """Holds a name and a password against the accounts, then asks the operator's checkers.

    Args:
        accounts: The accounts.
        passwords: Looks at hashes, in equal time for a name that is none.
        others: The operator's checkers.
    """

    credentialInterfaces = (IUsernamePassword,)

    def __init__(self, accounts: Accounts, passwords: Passwords, others: Sequence[Any]) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._others = others

    def requestAvatarId(self, credentials: Any) -> Deferred[bytes | tuple[()]]:
        """Return the folded name and the account's id, if there is one; fails with ``LoginFailed``, or ``Busy``."""
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: Any) -> bytes | tuple[()]:
        name = _parse(credentials.username.decode("utf-8", "replace"))
        account = await self._accounts.get(name) if name is not None else None
        hashed = account.password if account is not None else ""
        right = await self._passwords.verify(hashed, credentials.password.decode("utf-8", "replace"))
        if name is None or (hashed and not right):
            raise LoginFailed()
        if not hashed:
            await self._ask_others(credentials)
        return f"{name.folded} {account.id if account is not None else ''}".encode()

    async def _ask_others(self, credentials: Any) -> None:
        """A checker that fails knows nobody."""
        for checker in self._others:
            try:
                await maybeDeferred(checker.requestAvatarId, credentials)
                return
            except (LoginFailed, UnhandledCredentials):
                continue
            except Exception:
                _log.failure("the checker {checker} failed", checker=type(checker).__name__)
        raise LoginFailed()


@implementer(IRealm)
class Realm:
    """Gives the account of a name, made now if an operator's checker knows the name and we do not.

    Args:
        accounts: The accounts.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def requestAvatar(
        self, avatarId: bytes | tuple[()], mind: object, *interfaces: Any
    ) -> Deferred[tuple[type[Interface], object, Callable[[], None]]]:
        """Return the account; logging out is the session's affair."""
        if IMember not in interfaces or not isinstance(avatarId, bytes):
            raise NotImplementedError("accounts are the only avatars")
        return Deferred.fromCoroutine(self._avatar(avatarId.decode()))

    async def _avatar(self, avatar: str) -> tuple[type[Interface], object, Callable[[], None]]:
        folded, _, id = avatar.partition(" ")
        name = user_name(folded)
        account = await self._accounts.get(name)
        if (account.id if account is not None else "") != id:
            raise LoginFailed()  # the name is somebody else's, or nobody's, since the password was looked at
        return IMember, account or await self._accounts.add(name, ""), lambda: None


class Authenticator:
    """Tells whose a name and a password are.

    Args:
        accounts: The accounts.
        passwords: Looks at hashes.
        checkers: What the operator adds.
    """

    def __init__(self, accounts: Accounts, passwords: Passwords, checkers: Sequence[Any]) -> None:
        self._accounts = accounts
        self._passwords = passwords
        self._portal = Portal(Realm(accounts), [AccountChecker(accounts, passwords, checkers)])

    async def authenticate(self, user: str, password: str) -> Account:
        """Return the account.

        Raises:
            Refused: It is not theirs; or too many are asking.
        """
        credentials = UsernamePassword(user.encode("utf-8", "replace"), password.encode("utf-8", "replace"))
        try:
            account: Any = (await self._portal.login(credentials, None, IMember))[1]
        except LoginFailed:
            raise WRONG_PASSWORD() from None
        except Busy:
            raise BUSY() from None
        if account.password and self._passwords.outdated(account.password):
            account = await self._rehashed(account, password)
        if account is None:
            raise WRONG_PASSWORD()  # it has been deleted meanwhile
        return cast(Account, account)

    async def hash(self, password: str) -> str:
        """Return the password's hash.

        Raises:
            Refused: Too many are asking.
        """
        try:
            return await self._passwords.hash(password)
        except Busy:
            raise BUSY() from None

    async def _rehashed(self, account: Account, password: str) -> Account | None:
        """Keep the hash up with today's parameters. None: the account is no more."""
        hashed = await self.hash(password)
        before = account.password
        return await self._accounts.change(account, lambda now: with_password(now, hashed, before))


def with_password(account: Account, hashed: str, before: str | None = None) -> Account:
    """Return the account with another hash; the same when ``before`` is given and not what it has."""
    if before is not None and account.password != before:
        return account
    return msgspec.structs.replace(account, password=hashed)


def _parse(text: str) -> Name | None:
    try:
        return user_name(text)
    except BadName:
        return None
