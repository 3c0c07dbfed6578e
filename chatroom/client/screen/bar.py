"""The bar below the input line: where one is, how safely, with how many, and how long the server takes."""

from __future__ import annotations

from typing import Protocol

from chatroom.client.screen.lines import Line
from chatroom.text import shortened

LONGEST = 32  # characters of a name that others choose


class Standing(Protocol):
    """What of a ``Link`` is shown."""

    @property
    def online(self) -> bool: ...
    @property
    def over(self) -> object: ...
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


def bar(link: Standing, address: str) -> Line:
    """Return the bar.

    Args:
        link: How one stands with the server.
        address: Host and port, as the user gave them.
    """
    if not link.online:
        return [("", f" {address} | not connected{'' if link.over else ', trying again'} ")]
    where = f"{_name(link.room)} ({_people(len(link.users))})" if link.room else "in no room"
    parts = [f"{_name(link.server)} {address}", link.security, _name(link.name), where]
    if link.unread:
        parts.append(f"{link.unread} private")
    if link.lag is not None:
        parts.append(f"lag {_lag(link.lag)}")
    return [("", f" {' | '.join(part for part in parts if part)} ")]


def _name(text: str) -> str:
    """Return it so that it can neither push the truth off the bar, nor look like another part of it."""
    return shortened(text.replace("|", "/"), LONGEST)


def _people(number: int) -> str:
    return "1 user" if number == 1 else f"{number} users"


def _lag(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
