"""The client's own commands for windows: ``/window``, ``/query`` and ``/close-window``."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from chatroom.client.screen.local_commands import LocalCommand
from chatroom.client.screen.parser import Misuse
from chatroom.client.screen.switching import Switcher
from chatroom.client.screen.window_list import ChatWindow, WindowKind, Windows

WINDOW = "/window [number|name|next|previous]"
CLOSE = "/close-window [number|name]"


class WindowCommands:
    """Carries out the commands.

    Args:
        windows: The windows.
        switcher: Goes from one to another.
        tell: Shows a sentence.
        find: Checks that a user with a name exists; raises ``Rejected`` if not.
        say: Says a text to the person of a window.
        start: Starts a coroutine, and shows its error.
    """

    def __init__(
        self,
        windows: Windows,
        switcher: Switcher,
        tell: Callable[[str], None],
        find: Callable[[str], Coroutine[Any, Any, None]],
        say: Callable[[str, ChatWindow], Coroutine[Any, Any, None]],
        start: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._windows = windows
        self._switcher = switcher
        self._tell = tell
        self._find = find
        self._say = say
        self._start = start

    def commands(self) -> list[LocalCommand]:
        """Return the commands."""
        window = "go to a window, as Alt and its number do; alone, it lists the windows"
        query = "open a window for a private conversation, in which what you type goes to that person"
        close = "close this window or another; the window of a room you are in shows again with the next message there"
        return [
            LocalCommand(WINDOW, window, self._window),
            LocalCommand("/query <user> [text]", query, self._query, "talk"),
            LocalCommand(CLOSE, close, self._close),
        ]

    def _window(self, rest: str) -> None:
        word = rest.strip().lower()
        if not word:
            self._list()
        elif word in ("next", "previous"):
            self._switcher.go_beside(1 if word == "next" else -1)
        elif word.split()[0] in ("next", "previous"):
            raise Misuse(f"usage: {WINDOW}.")
        else:
            self._switcher.go(self._meant(rest))

    def _meant(self, rest: str) -> ChatWindow:
        """Return the window that was named. Raises ``Misuse`` if there is none."""
        found = self._windows.meant(rest.strip())
        if found is None:
            raise Misuse(f"there is no window {rest.strip()[:64]}; /window lists them.")
        return found

    def _list(self) -> None:
        """List the windows, with what is unread in them."""
        self._switcher.count()
        self._tell("\n".join(["windows:", *map(self._line, self._windows)]))

    def _line(self, window: ChatWindow) -> str:
        unread = f"  {window.unread} unread" if window.unread else ""
        front = "  this one" if window is self._windows.front else ""
        return f"  {window.number}  {window.label}{'  hidden' if window.hidden else ''}{unread}{front}"

    def _query(self, rest: str) -> None:
        name, _, text = rest.strip().partition(" ")
        if not name:
            raise Misuse("usage: /query <user> [text].")
        self._start(self._open(name.removeprefix("@"), text.strip()))

    async def _open(self, name: str, text: str) -> None:
        """Go to the window of a person, and say a text if one is given.

        Raises:
            Rejected: There is no such person.
        """
        if self._windows.find(WindowKind.PERSON, name) is None:
            await self._find(name)
        window = self._windows.open(WindowKind.PERSON, name)
        self._switcher.go(window)
        if text:
            await self._say(text, window)

    def _close(self, rest: str) -> None:
        if len(rest.split()) > 1:
            raise Misuse(f"usage: {CLOSE}.")
        window = self._meant(rest) if rest.strip() else self._windows.front
        if window is self._windows.server:
            raise Misuse("the server's window stays.")
        self._switcher.close(window)
