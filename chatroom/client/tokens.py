"""The logins that are remembered: for each server and account a token that logs in without the password.

Whoever has the file has the accounts, so only its owner may read it. ``/sessions end`` makes a token worthless.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from chatroom.client.paths import write_private
from chatroom.names import fold

MOST_BYTES = 1 << 20
MOST = 200  # accounts of one server


class Tokens:
    """See the module.

    Args:
        path: The file, JSON: by server, by account, the one that was used last at the end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, server: str, user: str = "") -> tuple[str, str] | None:
        """Return an account and its token.

        Args:
            server: Host and port.
            user: The account, in any case; empty: the one that was used last.
        """
        accounts = self._read().get(server, {})
        names = [name for name in accounts if not user or fold(name) == fold(user)]
        return (names[-1], accounts[names[-1]]) if names else None

    def keep(self, server: str, user: str, token: str) -> None:
        """Remember a token, in place of the one before; an empty one: remember none of this account any more.

        Raises:
            OSError: It cannot be written.
        """
        known = self._read()
        accounts = {n: t for n, t in known.get(server, {}).items() if fold(n) != fold(user)}
        if token:
            accounts[user] = token
        known[server] = dict(list(accounts.items())[-MOST:])
        text = msgspec.json.format(msgspec.json.encode({s: a for s, a in known.items() if a})).decode()
        write_private(self.path, f"{text}\n")

    def _read(self) -> dict[str, dict[str, str]]:
        """What cannot be read is forgotten: a password does the same."""
        try:
            if self.path.stat().st_size > MOST_BYTES:
                return {}
            return msgspec.json.decode(self.path.read_bytes(), type=dict[str, dict[str, str]])
        except (OSError, ValueError):
            return {}
