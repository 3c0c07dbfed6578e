"""The bar below the input line: the room, the user's name, unread messages, the security, the server, its lag.

The most important part comes first, and only as many parts are shown as there are columns for.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Protocol

from prompt_toolkit.utils import get_cwidth

from chatroom.client.screen.formatter import Line
from chatroom.client.screen.reconnect_countdown import whole_seconds
from chatroom.model.text import clean

LONGEST = 32  # columns of a name that others choose
NARROW = 60  # columns; a narrower bar has short forms
SEPARATOR = " | "
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
    @property
    def unread(self) -> int: ...


def bar(client: BarState, address: str, columns: int) -> Line:
    """Return the bar as one line of styled text.

    Args:
        client: The client whose state the bar shows.
        address: Host and port, as the user gave them.
        columns: The terminal's width.
    """
    if not client.online:
        parts = [_offline(client, columns), address]
    else:
        name = partial(_name, columns=min(LONGEST, columns // 4))
        parts = [
            f"{name(client.room)} ({_people(len(client.users), columns)})" if client.room else "in no room",
            name(client.name),
            f"{client.unread} private" if client.unread else "",
            client.security,
            f"{name(client.server)} {address}",
            f"lag {_lag(client.lag)}" if client.lag is not None else "",
        ]
    return [("", f" {SEPARATOR.join(_that_fit(parts, columns - 2))} ")]


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


def _that_fit(parts: list[str], columns: int) -> Iterator[str]:
    """Yield the parts that fit into the columns together with their separators; earlier parts come first."""
    for part in filter(None, parts):
        if get_cwidth(part) <= columns:
            columns -= get_cwidth(part) + len(SEPARATOR)
            yield part


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
