"""The keys of servers: remembered at the first connection, and compared at every later one.

A key for which a public authority vouches, together with its host, is of the kind ``ca``. Certificates are renewed with
new keys, so a new key is accepted if an authority vouches for it, too. Any other key is of the kind ``key``. Only
``--accept-new-key`` changes such a key, even if an authority vouches for the new one: an attacker would need to deceive
only one authority. A server that was once reached with TLS is never reached in plain text afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from chatroom.client.errors import Failed
from chatroom.client.paths import changing, write_private

MOST_BYTES = 1 << 20

Kind = Literal["ca", "key", ""]
"""Whether an authority vouched for a key (``ca``) or only the key itself counts; empty in lines of older versions."""


@dataclass(frozen=True, slots=True)
class KnownHost:
    """The remembered key of a server.

    Args:
        fingerprint: The fingerprint of the key.
        kind: Whether an authority vouched for the key; see ``Kind``.
    """

    fingerprint: str
    kind: Kind = ""


def spell(host: str, port: int) -> str:
    """Return host and port as ``chat.example:8888`` or ``[fe80::1%eth0]:8888``, in lower case except for the zone."""
    host, percent, zone = host.partition("%")
    host = host.lower() + percent + zone
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class KnownHosts:
    """Remembers the keys of servers in a file.

    Args:
        path: The file: a line for each server, ``chat.example:8888 SHA256:... ca``; ``#`` begins a comment.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def fingerprint(self, server: str) -> str:
        """Return the fingerprint of a server's key; empty if the server was never seen.

        Raises:
            Failed: The file cannot be read.
        """
        pin = self._read().get(server)
        return pin.fingerprint if pin is not None else ""

    def check(self, server: str, fingerprint: str, vouched: Callable[[], bool]) -> bool:
        """Check the key of a server against the remembered one, and remember it if it is new and acceptable.

        Args:
            server: Host and port, as ``spell`` returns them.
            fingerprint: The fingerprint of the server's key.
            vouched: Returns whether a public authority vouches for the key; called only when that matters.

        Returns:
            Whether the server was seen for the first time.

        Raises:
            Failed: The server has an unacceptable key, or the file cannot be read or written.
        """
        pin = self._read().get(server)
        if pin is not None and pin.fingerprint == fingerprint and pin.kind:
            return False
        is_vouched = vouched()
        if pin is not None and pin.fingerprint == fingerprint:
            with suppress(Failed):  # the key is right; its kind can be remembered another time
                self.remember(server, fingerprint, vouched=is_vouched)
            return False
        with self._writing(server):
            pin = self._read().get(server)  # another client may have remembered it just now
            if pin is not None and pin.fingerprint != fingerprint and (pin.kind != "ca" or not is_vouched):
                raise Failed(self._changed(server, pin, fingerprint, vouched=is_vouched), hopeless=True)
            self._write(server, fingerprint, vouched=is_vouched)
        return pin is None

    def remember(self, server: str, fingerprint: str, *, vouched: bool) -> None:
        """Remember the key of a server, in place of any other.

        Args:
            server: Host and port, as ``spell`` returns them.
            fingerprint: The fingerprint of the key.
            vouched: Whether a public authority vouches for the key.

        Raises:
            Failed: The file cannot be read or written.
        """
        with self._writing(server):
            self._read()  # raises rather than replace a file that cannot be read
            self._write(server, fingerprint, vouched=vouched)

    def _write(self, server: str, fingerprint: str, *, vouched: bool) -> None:
        """Replace the server's line in the file, or add one; the file must be locked by ``_writing``."""
        lines = self.path.read_text(encoding="utf-8-sig").splitlines() if self.path.exists() else []
        kept = [line for line in lines if line.split()[:1] != [server]]
        line = f"{server} {fingerprint} {'ca' if vouched else 'key'}"
        write_private(self.path, "".join(f"{line}\n" for line in [*kept, line]))

    @contextmanager
    def _writing(self, server: str) -> Iterator[None]:
        """Lock the file while it is changed, and raise ``Failed`` if it cannot be written."""
        try:
            with changing(self.path):
                yield
        except OSError as error:
            why = f"the key of {server} cannot be remembered in {self.path}: {error.strerror}"
            raise Failed(f"{why}; give a folder that can be written by XDG_STATE_HOME", hopeless=True) from None

    def allow_plain(self, server: str) -> None:
        """Check that a server may be reached in plain text.

        Raises:
            Failed: The server was reached with TLS before.
        """
        if self.fingerprint(server):
            raise Failed(
                f"{server} was reached by TLS before, so it is not spoken to in plain text; leave out --plain. If its"
                f" operator says that it has no TLS any more, remove its line from {self.path} first",
                hopeless=True,
            )

    def _read(self) -> dict[str, KnownHost]:
        """Return the remembered keys by server. Raises ``Failed`` if the file cannot be read or has a wrong line."""
        try:
            if not self.path.exists():
                return {}
            if self.path.stat().st_size > MOST_BYTES:
                raise Failed(f"{self.path} is too large to be what it should be; move it away", hopeless=True)
            lines = self.path.read_text(encoding="utf-8-sig").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise Failed(
                f"{self.path} cannot be read ({error}); put it right, or move it away", hopeless=True
            ) from None
        known = {}
        for number, line in enumerate(lines, 1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if len(words) not in (2, 3) or not words[1].startswith("SHA256:") or words[2:] not in ([], ["ca"], ["key"]):
                what = "not a server, its fingerprint, and ca or key"
                raise Failed(f"{self.path}, line {number}: {what}; put it right", hopeless=True)
            known[words[0]] = KnownHost(words[1], cast(Kind, words[2] if len(words) == 3 else ""))
        return known

    def _changed(self, server: str, pin: KnownHost, fingerprint: str, *, vouched: bool) -> str:
        """Return the message for a server whose key is not the remembered one."""
        host, _, port = server.rpartition(":")
        return (
            f"{server} has a different key than before, so nothing was sent to it. Either its operator has given it a"
            f" new one, or somebody may be intercepting the connection.{_AUTHORITY if vouched else ''}"
            f" Remembered: {pin.fingerprint}. Now: {fingerprint}. Ask the operator; if the new key is right,"
            f" accept it with: chatroom-client --accept-new-key {host.strip('[]')} {port}"
        )


_AUTHORITY = " A public authority vouches for the new key, but none did for the remembered one, so that is not enough."
