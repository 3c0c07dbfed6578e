"""Which key each server has: remembered when it is first seen, and asked about when it is another one later.

A certificate that a public authority vouches for, for that very host, needs no memory. Whoever was reached by TLS once
is never spoken to in plain text afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chatroom.client.paths import write_private
from chatroom.client.reasons import Failed

MOST_BYTES = 1 << 20


def spell(host: str, port: int) -> str:
    """Return ``chat.example:8888`` or ``[::1]:8888``."""
    host = host.lower()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class KnownServers:
    """See the module.

    Args:
        path: The file: a line for each server, ``chat.example:8888 SHA256:...``; ``#`` begins a comment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def fingerprint(self, server: str) -> str:
        """Return the fingerprint of a server's key; empty if it was never seen.

        Raises:
            Failed: The file cannot be read.
        """
        return self._read().get(server, "")

    def check(self, server: str, fingerprint: str, vouched: Callable[[], bool]) -> bool:
        """See that a server has the key that it had.

        Args:
            server: Host and port, as of ``spell``.
            fingerprint: Of the key that it has now.
            vouched: Says whether a public authority vouches for it; asked if it is another key than before.

        Returns:
            Whether it was seen for the first time.

        Raises:
            Failed: It has another key, or what is known can be neither read nor written.
        """
        known = self.fingerprint(server)
        if known == fingerprint:
            return False
        if known and not vouched():
            raise Failed(self._changed(server, known, fingerprint), hopeless=True)
        self.remember(server, fingerprint)
        return not known

    def remember(self, server: str, fingerprint: str) -> None:
        """From now on the server has this key.

        Raises:
            Failed: The file cannot be written.
        """
        self._read()  # what cannot be read must not be replaced
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
            kept = [line for line in lines if line.split()[:1] != [server]]
            write_private(self.path, "".join(f"{line}\n" for line in [*kept, f"{server} {fingerprint}"]))
        except OSError as error:
            why = f"the key of {server} cannot be remembered in {self.path}: {error.strerror}"
            raise Failed(f"{why}; give a folder that can be written by XDG_STATE_HOME", hopeless=True) from None

    def allow_plain(self, server: str) -> None:
        """See that a server may be spoken to in plain text.

        Raises:
            Failed: It was reached by TLS before.
        """
        if self.fingerprint(server):
            raise Failed(
                f"{server} was reached by TLS before, so it is not spoken to in plain text; leave out --plain, or if it"
                f" really has no TLS any more, remove its line from {self.path}",
                hopeless=True,
            )

    def _read(self) -> dict[str, str]:
        try:
            if not self.path.exists():
                return {}
            if self.path.stat().st_size > MOST_BYTES:
                raise Failed(f"{self.path} is too large to be what it should be; move it away", hopeless=True)
            words = [line.split() for line in self.path.read_text(encoding="utf-8").splitlines()]
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(
                f"{self.path} cannot be read ({error}); put it right, or move it away", hopeless=True
            ) from None
        known = {}
        for number, line in enumerate(words, 1):
            if not line or line[0].startswith("#"):
                continue
            if len(line) != 2 or not line[1].startswith("SHA256:"):
                raise Failed(
                    f"{self.path}, line {number}: not a server and its fingerprint; put it right", hopeless=True
                )
            known[line[0]] = line[1]
        return known

    def _changed(self, server: str, known: str, fingerprint: str) -> str:
        host, _, port = server.rpartition(":")
        return (
            f"{server} has another key than before, so nothing was sent to it. Either its operator has given it a new"
            f" one, or somebody is between you and it. Remembered: {known}. Now: {fingerprint}. Ask the operator; if"
            f" the second is right, accept it with: chatroom-client --accept-new-key {host.strip('[]')} {port}"
        )
