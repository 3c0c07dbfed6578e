"""The file of remembered logins: for each server and account, a token that logs in without the password.

The file gives access to the accounts, so only its owner may read it. ``/sessions end`` makes a token worthless. Several
clients may change the file at the same time, and servers choose the tokens in it; neither a client nor a server may
destroy the tokens of other servers.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from pathlib import Path

import msgspec

from chatroom.client.paths import changing, write_private
from chatroom.model.names import fold

MOST_BYTES = 1 << 20  # of the file
MOST = 20  # accounts of one server
LONGEST_NAME = 64  # characters
LONGEST_TOKEN = 256  # characters

_decode = msgspec.json.Decoder(dict[str, dict[str, str]]).decode


class Tokens:
    """Finds and keeps tokens in the file.

    Args:
        path: The path of the file. It is JSON: by server, the tokens by account; the account used last is at the end.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def find(self, server: str, user: str = "") -> tuple[str, str] | None:
        """Return the name of an account and its token; None if no token is kept, or the file cannot be read.

        Args:
            server: Host and port.
            user: The name of the account, in any case; empty for the account that was used last.
        """
        try:
            accounts = self._read().get(server, {})
        except (OSError, ValueError):
            return None
        names = [name for name in accounts if not user or fold(name) == fold(user)]
        return (names[-1], accounts[names[-1]]) if names else None

    def keep(self, server: str, user: str, token: str) -> None:
        """Remember the token of an account, in place of an older token of that account.

        Args:
            server: Host and port.
            user: The name of the account.
            token: The token; an empty text forgets the account.

        Raises:
            OSError: The file cannot be read or written or is full, or the name or the token is too long. The file has
                not changed.
        """
        if token and (len(user) > LONGEST_NAME or len(token) > LONGEST_TOKEN):
            raise OSError(0, "the server gave a name or a token that is too long")
        with changing(self.path):
            known = self._whole()
            accounts = {n: t for n, t in known.get(server, {}).items() if fold(n) != fold(user)}
            if token:
                accounts[user] = token
            known[server] = dict(list(accounts.items())[-MOST:])
            text = msgspec.json.format(msgspec.json.encode({s: a for s, a in known.items() if a}))
            if token and len(text) >= MOST_BYTES:
                raise OSError(0, "it is full; remove servers that you do not use any more")
            write_private(self.path, f"{text.decode()}\n")

    def _read(self) -> dict[str, dict[str, str]]:
        """Return the tokens in the file, by account, by server; empty if there is no file.

        Raises:
            OSError: The file cannot be read.
            ValueError: The file is damaged.
        """
        try:
            if self.path.stat().st_size > MOST_BYTES:
                raise ValueError("too large")
            return _decode(self.path.read_bytes().removeprefix(BOM_UTF8))
        except FileNotFoundError:
            return {}

    def _whole(self) -> dict[str, dict[str, str]]:
        """Return the tokens in the file; rename a damaged file to ``<name>.broken``, for its owner to repair."""
        try:
            return self._read()
        except ValueError:
            os.replace(self.path, self.path.with_name(f"{self.path.name}.broken"))
            return {}
