"""Who is typing in which window. A notice is valid for a few seconds, because nobody says that they have stopped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.client.screen.window_list import ChatWindow

WITHIN = 6.0  # seconds that a notice is shown, unless another comes
MOST = 200  # people; further ones are not noted


class TypingPeople:
    """Remembers who is typing.

    Args:
        reactor: Tells the time and makes delayed calls.
        changed: Called when a notice has ended, to have the screen drawn.
    """

    def __init__(self, reactor: Any, changed: Callable[[], None]) -> None:
        self._reactor = reactor
        self._changed = changed
        self._until: dict[tuple[ChatWindow, str], float] = {}
        self._call: Any = None

    @property
    def anybody(self) -> bool:
        """Whether anybody is typing anywhere."""
        return bool(self._until)

    def typing(self, window: ChatWindow, name: str) -> None:
        """Note that somebody is typing in a window."""
        if len(self._until) < MOST or (window, name) in self._until:
            self._until[window, name] = self._reactor.seconds() + WITHIN
        if self._call is None:
            self._call = self._reactor.callLater(WITHIN, self._look)

    def stopped(self, window: ChatWindow, name: str) -> None:
        """Note that somebody has said what was being typed, or has gone."""
        self._until.pop((window, name), None)

    def notice(self, window: ChatWindow) -> str:
        """Return who is typing in a window, as ``bob is typing``; empty if nobody is."""
        now = self._reactor.seconds()
        names = [name for (where, name), until in self._until.items() if where is window and until > now]
        if len(names) > 2:
            return f"{len(names)} are typing"
        return f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} typing" if names else ""

    def end(self) -> None:
        """Forget everything, because the client ends."""
        self._until.clear()
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _look(self) -> None:
        """Drop the notices that have ended, and look again when the next one ends."""
        now = self._reactor.seconds()
        self._until = {key: until for key, until in self._until.items() if until > now}
        wait = min(self._until.values(), default=now) - now
        self._call = self._reactor.callLater(wait, self._look) if self._until else None
        self._changed()
