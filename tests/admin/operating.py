"""A stand-in for what operators can do: it remembers what was asked for, and waits when told."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from chatroom.chat.operators.service import BanRow, RoomRow, UserRow
from chatroom.model.errors import NO_USER

BOB = UserRow("bob", True, False, "lobby", "", "192.0.2.7", "text", 3723)
EVE = UserRow("eve\x1b[31m\u202e", False, False, "", "\x07lunch", "2001:db8::1", "records", 5)


class FakeOperating:
    """See the module.

    Attributes:
        done: What was asked for, in order.
        waits: If set, a kick waits for it.
        online: Who is there.
    """

    def __init__(self) -> None:
        self.done: list[tuple[Any, ...]] = []
        self.waits: Deferred[None] | None = None
        self.online = [BOB, EVE]

    def users(self) -> list[UserRow]:
        return self.online

    async def rooms(self) -> list[RoomRow]:
        return [RoomRow("lobby", 12, "bob", "日本語 and \x1b]0;x\x07more", False, 5, True)]

    async def accounts(self) -> list[tuple[str, bool, bool]]:
        return [("bob", True, False)]

    def bans(self) -> list[BanRow]:
        return [BanRow("mallory", "user", 0, "bob", "spam")]

    def stats(self) -> dict[str, int | float | str]:
        raise KeyError("a fault of the daemon's own")

    async def kick(self, user: str, reason: str = "") -> str:
        self.done.append(("kick", user, reason))
        if self.waits is not None:
            await self.waits
        if user == "nobody":
            raise NO_USER(user=user)
        return f"{user} was put out."

    def __getattr__(self, name: str) -> Any:
        async def act(*arguments: Any) -> str:
            self.done.append((name, *arguments))
            return f"{name} is done."

        return act
