"""Showing together who comes and goes, for each window by itself."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.client.screen.join_coalescing import JoinCoalescing
from chatroom.client.screen.window_list import ChatWindow, Windows
from chatroom.model import events as e


class Crowds:
    """Has a ``JoinCoalescing`` for each window in which somebody came or went.

    Args:
        windows: The windows.
        make: Makes the ``JoinCoalescing`` of a window.
    """

    def __init__(self, windows: Windows, make: Callable[[ChatWindow], JoinCoalescing]) -> None:
        self._windows = windows
        self._make = make
        self._crowds: dict[ChatWindow, JoinCoalescing] = {}

    def of(self, window: ChatWindow) -> JoinCoalescing:
        """Return the one of a window."""
        crowd = self._crowds.get(window)
        if crowd is None:
            self._forget_closed()
            crowd = self._crowds[window] = self._make(window)
        return crowd

    def before(self, event: e.Event, window: ChatWindow) -> None:
        """Show the waiting events of a window, and of the one in front, that are about somebody in the next event."""
        for one in (window, self._windows.front):
            if one in self._crowds:
                self._crowds[one].before(event)

    def flush(self) -> None:
        """Show all waiting events."""
        for crowd in list(self._crowds.values()):
            crowd.flush()

    def _forget_closed(self) -> None:
        for window in set(self._crowds) - set(self._windows):
            self._crowds.pop(window).flush()
