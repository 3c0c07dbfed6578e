"""What operators do to the whole server, from the console or in the chat: one piece of code for both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from chatroom.chat.refusals import Refused

if TYPE_CHECKING:
    from chatroom.chat.chat import Chat


@dataclass(frozen=True, slots=True)
class UserRow:
    """Somebody online. ``seconds`` since the connection came; ``speaks`` is ``text`` or ``records``."""

    name: str
    account: bool
    operator: bool
    room: str
    away: str
    address: str
    speaks: str
    seconds: int


@dataclass(frozen=True, slots=True)
class RoomRow:
    """A room. ``slow``: seconds between two messages of one member, 0 for none."""

    name: str
    users: int
    owner: str
    topic: str
    locked: bool
    slow: int


@dataclass(frozen=True, slots=True)
class BanRow:
    """Somebody who is kept out of the server. ``until`` is in milliseconds since 1970; 0 for good."""

    what: str
    kind: str
    until: int
    by: str
    reason: str


class Operating(Protocol):
    """What an operator may do. Whatever cannot be done raises ``Refused``, whose text says why and what to do."""

    def users(self) -> list[UserRow]:
        """Return everybody connected to this daemon, by name."""

    async def rooms(self) -> list[RoomRow]:
        """Return all rooms, the fullest first."""

    async def accounts(self) -> list[tuple[str, bool, bool]]:
        """Return every account's name, whether it is an operator's, whether a seat is reserved for it."""

    async def kick(self, user: str, reason: str = "") -> str:
        """End all connections of a user. Returns a sentence that says what was done, as all that follow."""

    async def ban(self, what: str, duration: str = "", reason: str = "") -> str:
        """Keep out a user, an account or an address; duration such as ``10m``, ``2h``, ``7d``; empty for good."""

    async def unban(self, what: str) -> str:
        """Let it in again."""

    def bans(self) -> list[BanRow]:
        """Return who is kept out of the server."""

    async def close_room(self, room: str, reason: str = "") -> str:
        """End a room."""

    async def announce(self, text: str) -> str:
        """Say something to everybody."""

    async def add_account(self, name: str, password: str) -> str:
        """Make an account, with a seat reserved for it."""

    async def remove_account(self, name: str) -> str:
        """Remove an account and its mail; its name is free again, its id never."""

    async def set_operator(self, name: str, on: bool = True) -> str:
        """Make an account an operator's, or not."""

    async def set_password(self, name: str, password: str) -> str:
        """Give an account another password."""

    async def drain(self, on: bool = True) -> str:
        """Let nobody new in, and tell everybody; those who are here stay until they go. Off: as before."""

    def stats(self) -> dict[str, int | float | str]:
        """Return figures of this daemon by name."""


class Operations:
    """Stands in for the implementation of ``Operating``, which is under way elsewhere: knows who is there, no more.

    Args:
        chat: The chat.
        by: The operator's name.
    """

    def __init__(self, chat: Chat, by: str) -> None:
        self._chat = chat
        self._by = by

    def users(self) -> list[UserRow]:
        """See ``Operating``."""
        rows = [
            UserRow(
                name=str(session.name),
                account=False,
                operator=False,
                room=session.room.name if session.room is not None else "",
                away=session.away,
                address=session.address,
                speaks="text" if session.person else "records",
                seconds=0,
            )
            for session in self._chat.sessions.values()
        ]
        return sorted(rows, key=lambda row: row.name.casefold())

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)

        def not_yet(*arguments: object) -> NoReturn:
            raise Refused("not-yet", f"{name} cannot be done by this daemon yet.")

        return not_yet
