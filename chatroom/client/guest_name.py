"""The name that a guest has chosen, kept from one start of the client to the next.

The server knows the guest again by the secret in ``myself``, but only until the server restarts; this file stays.
Clients that run at the same time have a secret each, and so a name each.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from chatroom.client.paths import write_private
from chatroom.model.names import BadName, user_name

LONGEST = 1024  # bytes of the file


def chosen(name: str) -> bool:
    """Return whether it is a name that somebody has chosen, and not one that the server has made up."""
    try:
        user_name(name)  # it refuses those of guests
    except BadName:
        return False
    return True


class GuestName:
    """Keeps the name; where no file can be read or written, there is none.

    Args:
        folder: Where the files for one server are.
        secret: By which the guest is known again.
    """

    def __init__(self, folder: Path, secret: str) -> None:
        self._path = folder / f"name-{sha256(secret.encode()).hexdigest()[:16]}"

    def load(self) -> str:
        """Return the name; empty if none is kept."""
        try:
            with self._path.open("rb") as file:
                name = file.read(LONGEST).decode().strip()
        except (OSError, ValueError):
            return ""
        return name if chosen(name) else ""

    def keep(self, name: str) -> None:
        """Keep the name for the next start; an empty one is forgotten."""
        if name != self.load():
            with suppress(OSError):
                write_private(self._path, f"{name}\n")
