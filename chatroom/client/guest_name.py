"""The name that a guest has chosen, kept for the next start of the client.

The server recognises a guest by a secret (``guest_secret``), but only until it restarts; the file with the name stays.
Clients that run at the same time have different secrets, and so different names.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from chatroom.client.paths import write_private
from chatroom.model.names import BadName, user_name

LONGEST = 1024  # bytes of the file


def chosen(name: str) -> bool:
    """Return whether a guest's name was chosen by the user, and not made by the server."""
    try:
        user_name(name)  # raises BadName for the names that the server makes for guests
    except BadName:
        return False
    return True


class GuestName:
    """Keeps a guest's name in a file; if the file cannot be read or written, no name is kept.

    Args:
        folder: The folder for one server.
        secret: The guest's secret; each secret has a file of its own.
    """

    def __init__(self, folder: Path, secret: str) -> None:
        self._path = folder / f"name-{sha256(secret.encode()).hexdigest()[:16]}"

    def load(self) -> str:
        """Return the name that was kept; empty if there is none."""
        try:
            with self._path.open("rb") as file:
                name = file.read(LONGEST).decode().strip()
        except (OSError, ValueError):
            return ""
        return name if chosen(name) else ""

    def keep(self, name: str) -> None:
        """Keep a name for the next start; an empty name clears it."""
        if name != self.load():
            with suppress(OSError):
                write_private(self._path, f"{name}\n")
