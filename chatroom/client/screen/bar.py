"""The bar below the input line: the windows or the room, the user's name, the security, the server, its lag.

The most important part comes first, and only as many parts are shown as there are columns for. If not all windows fit,
the one in front and those with something unread do.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Protocol

from prompt_toolkit.utils import get_cwidth

from chatroom.client.screen.formatter import Line
from chatroom.client.screen.reconnect_countdown import whole_seconds
from chatroom.client.screen.window_list import ChatWindow, WindowKind, Windows
from chatroom.model.text import clean

LONGEST = 32  # columns of a name that others choose
NARROW = 60  # columns; a narrower bar has short forms
SEPARATOR = " | "
MOST_SHOWN = 999  # unread messages; more are shown as 999+
FRONT = "class:bar.front"
MARKED = 8  # characters considered for each column, because some have no width


class BarState(Protocol):
    """The part of a ``Client`` that the bar shows."""

    @property
    def online(self) -> bool: ...
    @property
    def over(self) -> object: ...
    @property
    def retry_in(self) -> float | None: ...
    @property
    def name(self) -> str: ...
    @property
    def server(self) -> str: ...
    @property
    def room(self) -> str: ...
    @property
    def users(self) -> list[str]: ...
    @property
    def security(self) -> str: ...
    @property
    def lag(self) -> float | None: ...


def bar(client: BarState, address: str, columns: int, windows: Windows, notice: str = "", secrecy: str = "") -> Line:
    """Return the bar as one line of styled text.

    Args:
        client: The client whose state the bar shows.
        address: Host and port, as the user gave them.
        columns: The terminal's width.
        windows: The windows; they are listed if there are several.
        notice: What is happening in the window in front, such as ``bob is typing``; empty for nothing.
        secrecy: Who can read what is said in the window in front, as ``encrypted``; it always has its place.
    """
    if not client.online:
        return _joined([[("", part)] for part in (_offline(client, columns), address)], columns)
    name = partial(_name, columns=min(LONGEST, columns // 4))
    listed = [window for window in windows.shown if window.number or window is windows.front]
    users = _people(len(client.users), columns)
    kept = len(SEPARATOR) + len(secrecy) if secrecy else 0
    if len(listed) > 1:
        where = [_list(listed, windows.front, columns - 2 - kept), [("", users if client.room else "")]]
    elif windows.front.kind is WindowKind.PERSON:
        where = [[("", name(windows.front.label))]]
    else:
        where = [[("", f"{name(client.room)} ({users})" if client.room else "in no room")]]
    where.insert(1, [("", secrecy)])
    rest = [
        notice,
        name(client.name),
        client.security,
        f"{name(client.server)} {address}",
        f"lag {_lag(client.lag)}" if client.lag is not None else "",
    ]
    return _joined([*where, *([("", part)] for part in rest)], columns)


def _list(windows: list[ChatWindow], front: ChatWindow, columns: int) -> Line:
    """Return the windows that fit into the columns, by number, and how many are left out."""
    room = min(LONGEST, max(columns // 4, len("x...")))
    shown = {window: _window(window, room) for window in windows}
    kept: list[ChatWindow] = []
    if _width(shown.values()) > columns:
        loud = [text for window, text in shown.items() if window is front or window.mentions]
        columns -= len(" +99") + (_width(loud) > columns - len(" +99"))  # a "!" if not all of these fit
    for window in sorted(windows, key=lambda one: (one is not front, not one.mentions, not one.unread, one.number)):
        columns -= get_cwidth(shown[window]) + (1 if kept else 0)
        if columns < 0:
            break
        kept.append(window)
    pieces: Line = []
    for window in sorted(kept, key=lambda one: one.number):
        pieces += [("", " " if pieces else ""), (FRONT if window is front else "", shown[window])]
    left = [window for window in windows if window not in kept]
    mark = "!" if any(window.mentions for window in left) else ""
    return [*pieces, ("", f" +{len(left)}{mark}")] if left else pieces


def _width(texts: Collection[str]) -> int:
    """Return the columns that the texts take with a blank between them."""
    return sum(map(get_cwidth, texts)) + len(texts) - 1


def _window(window: ChatWindow, columns: int) -> str:
    """Return a window as the bar lists it: ``2:work(3)``; ``!`` says that a message is private or mentions the user."""
    number = str(window.unread) if window.unread <= MOST_SHOWN else f"{MOST_SHOWN}+"
    count = f"({number}{'!' if window.mentions else ''})" if window.unread else ""
    return f"{window.number}:{_name(window.label, columns)}{count}"


def _joined(parts: list[Line], columns: int) -> Line:
    """Return the parts that fit into the columns together with their separators; earlier parts come first."""
    line: Line = []
    left = columns - 2
    for part in parts:
        width = sum(get_cwidth(text) for _, text in part)
        if 0 < width <= left:
            left -= width + len(SEPARATOR)
            line += [("", SEPARATOR if line else " "), *part]
    return [*line, ("", " ")]


def fitted(text: str, columns: int) -> str:
    """Return the text, shortened with ``...`` if it is wider than so many columns."""
    if len(text) <= MARKED * columns and get_cwidth(text) <= columns:
        return text
    kept, left = "", columns - len("...")
    for char in text[: MARKED * columns]:
        left -= get_cwidth(char)
        if left < 0:
            break
        kept += char
    return f"{kept}..."


def _name(text: str, columns: int) -> str:
    """Return a name that others chose, made harmless: it cannot hide other parts of the bar, or imitate them."""
    return fitted(clean(text).replace("|", "/"), columns)


def _offline(client: BarState, columns: int) -> str:
    """Say that there is no connection, and when the next attempt is made."""
    if client.over:
        return "not connected"
    if client.retry_in is None:
        return "not connected, trying now"
    seconds = whole_seconds(client.retry_in)
    if columns < NARROW:
        return f"again in {seconds} s"
    return f"not connected, trying again in {seconds} s (Enter: now)"


def _people(number: int, columns: int) -> str:
    if columns < NARROW:
        return str(number)
    return "1 user" if number == 1 else f"{number} users"


def _lag(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
