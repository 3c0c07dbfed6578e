"""How the client logs in to an account: by password, or by a token from an earlier login."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chatroom.model.replies import Account

REMOVED = "device-removed"  # the error that ends a session because its user has removed the device


@dataclass(frozen=True, slots=True)
class LoginState:
    """What is needed to log in. Its ``repr`` shows no secret.

    Args:
        user: The name of the account.
        password: Its password; empty if only the token is known.
        token: Logs in without the password; empty if there is none.
        remember: Whether to ask the server for a token.
        client: How the account's list of sessions is to call this client.
    """

    user: str
    password: str = ""
    token: str = ""
    remember: bool = False
    client: str = ""

    def __repr__(self) -> str:
        return f"LoginState({self.user!r}, ...)"

    def by_token(self) -> dict[str, Any]:
        """Return the fields of a ``login`` by the token."""
        return {"user": self.user, "token": self.token}

    def by_password(self) -> dict[str, Any]:
        """Return the fields of a ``login`` by the password."""
        fields: dict[str, Any] = {"user": self.user, "password": self.password}
        return {**fields, "remember": True, "client": self.client[:100]} if self.remember else fields


class Credentials:
    """Keeps the current login, and saves the tokens that are to outlive the program.

    Args:
        login: How to log in on the next connection; None for a guest.
        client: How the account's list of sessions is to call this client, if the login is remembered.
        keep: Saves the token of an account, or forgets it if the token is empty. If this is given, every login asks the
            server for a token.

    Attributes:
        login: How to log in on the next connection; None for a guest.
    """

    def __init__(self, login: LoginState | None, client: str, keep: Callable[[str, str], None] | None) -> None:
        self.login = login
        self._client = client
        self._keep = keep
        self._in_use: dict[str, Any] = {}  # the last login that found its account in use

    def asking(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a ``login`` or ``register``, with a request for a token if tokens are saved."""
        return fields if self._keep is None else {"remember": True, "client": self._client[:100], **fields}

    def logged_in(self, account: Account, record: dict[str, Any]) -> None:
        """Note that a command has logged us in.

        Args:
            account: The server's answer.
            record: The fields of the command that was sent.
        """
        token = account.token or record.get("token", "")
        remember = self._keep is not None or bool(record.get("remember"))
        self.login = LoginState(account.name, record.get("password", ""), token, remember, record.get("client", ""))
        if account.token:
            self._remember(account.name, account.token)

    def found_in_use(self, record: dict[str, Any]) -> None:
        """Keep a login that was refused because the account is in use: a ``takeover`` may still complete it."""
        self._in_use = record

    def took_over(self, account: Account) -> None:
        """Note that a ``takeover`` has completed the refused login."""
        record, self._in_use = self._in_use, {}
        self.logged_in(account, record)

    def change_password(self, new: str) -> None:
        """Note the account's new password; the server has made all tokens of the account invalid."""
        if self.login is not None:
            self.login = replace(self.login, password=new, token="")
            self._remember(self.login.user, "")

    def forget(self) -> None:
        """Drop the login: we have logged out, or the server does not accept it any more."""
        login, self.login = self.login, None
        if login is not None and login.token:
            self._remember(login.user, "")

    def ended(self, code: str) -> None:
        """Drop the login if a session ended because its user has removed the device.

        Whoever has the device now must not come back by the password that was typed before.
        """
        if code == REMOVED:
            self.forget()

    def _remember(self, user: str, token: str) -> None:
        """Save the token of an account, if tokens are saved; an empty token forgets it."""
        if self._keep is not None:
            self._keep(user, token)
