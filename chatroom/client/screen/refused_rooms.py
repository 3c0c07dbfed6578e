"""Showing that a first room was refused also in the windows that come to the front while the client arrives."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.client.screen.window_list import Windows
from chatroom.client.status import Denied
from chatroom.model import replies as a

MOST = 20  # refusals


class RefusedRooms:
    """Remembers refusals until the user types something.

    Args:
        windows: The windows.
        complain: Shows an error in the window in front.
    """

    def __init__(self, windows: Windows, complain: Callable[[str], None]) -> None:
        self._windows = windows
        self._complain = complain
        self._texts: list[str] = []

    def told(self, event: object) -> None:
        """Remember a refusal; after a room was joined, show those that the window in front lacks."""
        if isinstance(event, Denied) and event.what == "room":
            self._texts = [*self._texts, event.text][-MOST:]
        elif isinstance(event, a.Entered):
            for text in self._texts:
                if not any(line.text.endswith(text) for line in self._windows.front.lines):
                    self._complain(text)

    def forget(self) -> None:
        """Forget the refusals: the user has seen them."""
        self._texts = []
