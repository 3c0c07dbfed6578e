"""Which servers know keys for encryption. A server that did and says that it does not is not believed."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from chatroom.client.paths import is_there, write_private

FILE = "knows_keys"


def knows_keys(folder: Path, features: Collection[str]) -> bool:
    """Return whether a server knows keys, or did at an earlier time.

    Args:
        folder: What the client remembers of the server.
        features: What the server says that it can do.
    """
    if "keys" not in features:
        return is_there(folder / FILE)
    if not is_there(folder / FILE):
        with suppress(OSError):  # the vault cannot be kept either, then, and says so
            write_private(folder / FILE, "yes\n")
    return True
