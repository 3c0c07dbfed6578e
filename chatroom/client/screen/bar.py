"""The bar below the input line: where one is, how safely, with how many, and how long the server takes."""

from __future__ import annotations

from typing import Protocol

from chatroom.client.screen.lines import Line


class Standing(Protocol):
    """What of a ``Link`` is shown."""

    @property
    def online(self) -> bool: ...
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
        return [("", f" {address} | not connected, trying again ")]
    where = f"{link.room} ({_people(len(link.users))})" if link.room else "in no room"
    parts = [f"{link.server} {address}", link.security, link.name, where]
    if link.unread:
        parts.append(f"{link.unread} private")
    if link.lag is not None:
        parts.append(f"lag {_lag(link.lag)}")
    return [("", f" {' | '.join(part for part in parts if part)} ")]


def _people(number: int) -> str:
    return "1 user" if number == 1 else f"{number} users"


def _lag(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
