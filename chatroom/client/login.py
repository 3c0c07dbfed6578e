"""How one logs in to an account: by password, or by a token from a login before. It never shows itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chatroom.model.replies import Account


@dataclass(frozen=True, slots=True)
class LoginState:
    """See the module.

    Args:
        user: Whose account.
        password: Its password; empty if only the token is known.
        token: Logs in without the password; empty if there is none.
        remember: Ask for a token.
        client: What the token's owner will see in the list of sessions.
    """

    user: str
    password: str = ""
    token: str = ""
    remember: bool = False
    client: str = ""

    def __repr__(self) -> str:
        return f"Login({self.user!r}, ...)"

    def by_token(self) -> dict[str, Any]:
        """Return the fields of the command that logs in by the token."""
        return {"user": self.user, "token": self.token}

    def by_password(self) -> dict[str, Any]:
        """Return the fields of the command that logs in by the password."""
        fields: dict[str, Any] = {"user": self.user, "password": self.password}
        return {**fields, "remember": True, "client": self.client[:100]} if self.remember else fields


class Credentials:
    """The login that holds now, and what is remembered of it beyond the end of the program.

    Args:
        login: How to log in on the next connection; None for a guest.
        client: What the owner of an account sees this login called, if it is to be remembered.
        keep: Given account and token of each login that is remembered from now on, and an empty token when it is not
            any more. If it is given, every login asks to be remembered.

    Attributes:
        login: See above.
    """

    def __init__(self, login: LoginState | None, client: str, keep: Callable[[str, str], None] | None) -> None:
        self.login = login
        self._client = client
        self._keep = keep
        self._in_use: dict[str, Any] = {}  # the last login that found its account in use

    def asking(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a command that logs in, so that it asks for what is kept here."""
        return fields if self._keep is None else {"remember": True, "client": self._client[:100], **fields}

    def logged_in(self, account: Account, record: dict[str, Any]) -> None:
        """By the command with that record we are that account's."""
        token = account.token or record.get("token", "")
        remember = self._keep is not None or bool(record.get("remember"))
        self.login = LoginState(account.name, record.get("password", ""), token, remember, record.get("client", ""))
        if account.token:
            self._remember(account.name, account.token)

    def found_in_use(self, record: dict[str, Any]) -> None:
        """Keep the login with that record: another session of the account may still be ended for it."""
        self._in_use = record

    def took_over(self, account: Account) -> None:
        """The session is the account's after all; the login that was kept is the one that holds."""
        record, self._in_use = self._in_use, {}
        self.logged_in(account, record)

    def change_password(self, new: str) -> None:
        """The account has a new one; that ends all that was remembered."""
        if self.login is not None:
            self.login = replace(self.login, password=new, token="")
            self._remember(self.login.user, "")

    def forget(self) -> None:
        """We are nobody's account any more, or its token is worth nothing."""
        login, self.login = self.login, None
        if login is not None and login.token:
            self._remember(login.user, "")

    def _remember(self, user: str, token: str) -> None:
        if self._keep is not None:
            self._keep(user, token)
