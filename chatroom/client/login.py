"""How one logs in to an account: by password, or by a token from a login before. It never shows itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Login:
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
