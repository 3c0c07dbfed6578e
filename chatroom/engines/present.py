"""Who is present, on an engine that has one node: a table that ends with its process."""

from __future__ import annotations

from chatroom.log import Presence


class Present:
    """Presence for engines of one node. Keys are ``user/<session id>``."""

    def __init__(self) -> None:
        self._present: dict[str, Presence] = {}

    def announce(self, key: str, presence: Presence) -> None:
        """Say that somebody is present; what was said under that key before is replaced."""
        self._present[key] = presence

    def withdraw(self, key: str) -> None:
        """Take it back; unknown keys are ignored."""
        self._present.pop(key, None)

    def who(self, prefix: str) -> list[Presence]:
        """Return everybody whose key begins so, in the order in which they came."""
        return [presence for key, presence in self._present.items() if key.startswith(prefix)]
