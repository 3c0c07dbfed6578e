"""The accounts: found by name, made once whoever else tries at the same time, changed without losing a change."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chatroom.account import BUCKET, LOOKS, Account, decode, encode
from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.records import pages
from chatroom.chat.refusals import NAME_IN_USE
from chatroom.log import Conflict, Unavailable
from chatroom.names import Name, user_name


class Accounts:
    """See the module.

    Args:
        engine: Keeps the records.
        mint: Makes ids.
        now: Milliseconds since 1970.
    """

    def __init__(self, engine: Engine, mint: Mint, now: Callable[[], int]) -> None:
        self._engine = engine
        self._mint = mint
        self._now = now

    async def get(self, name: Name) -> Account | None:
        """Return the account of that name."""
        held = await self._engine.get(BUCKET, name.folded)
        return decode(held[0]) if held is not None else None

    async def owns(self, name: Name) -> bool:
        """Return whether the name, or one that looks like it, is an account's."""
        if await self._engine.get(BUCKET, name.folded) is not None:
            return True
        held = await self._engine.get(LOOKS, name.look)
        # A crash may have left a look without its account.
        return held is not None and await self._engine.get(BUCKET, decode_look(held[0])) is not None

    async def all(self) -> list[Account]:
        """Return all accounts, by name. They are read page by page, so that others get their turns between."""
        return [decode(value) async for page in pages(self._engine, BUCKET) for _, value in page]

    async def add(
        self, name: Name, password: str, *, operator: bool = False, reserved: bool = False, was: tuple[str, ...] = ()
    ) -> Account:
        """Make an account.

        Args:
            name: Its name.
            password: Its hash; empty when another checker decides.
            operator: May it do everything?
            reserved: Is a seat kept for it?
            was: Ids of the guests and accounts that its owner was before.

        Raises:
            Refused: The name, or one that looks like it, is an account's.
        """
        account = Account(self._mint(12), name.shown, self._now(), password, operator, reserved, was=was)
        await self._take_look(name)
        try:
            await self._engine.put(BUCKET, name.folded, encode(account), 0)
        except Conflict:
            await self._free_look(name)
            raise NAME_IN_USE() from None
        held = await self._engine.get(LOOKS, name.look)
        if held is None or decode_look(held[0]) != name.folded:
            await self.remove(account)  # somebody took the look for one that a crash had left behind
            raise NAME_IN_USE()
        return account

    async def change(self, account: Account, change: Callable[[Account], Account]) -> Account | None:
        """Change an account's record, whatever others change in it meanwhile.

        Returns:
            The new record; None when the account is there no more.
        """
        folded = user_name(account.name).folded
        while True:
            held = await self._engine.get(BUCKET, folded)
            if held is None or (now := decode(held[0])).id != account.id:
                return None
            changed = change(now)
            try:
                await self._engine.put(BUCKET, folded, encode(changed), held[1])
            except Conflict:
                continue
            return changed

    async def remove(self, account: Account) -> bool:
        """Remove an account; its name is free. Its id is not used again. Returns whether it was there."""
        name = user_name(account.name)
        while True:
            held = await self._engine.get(BUCKET, name.folded)
            if held is None or decode(held[0]).id != account.id:
                return False
            try:
                await self._engine.put(BUCKET, name.folded, None, held[1])
            except Conflict:
                continue
            await self._free_look(name)
            return True

    # ---- looks -------------------------------------------------------------------------------------------------

    async def _take_look(self, name: Name) -> None:
        """Let nobody else register what looks alike. A crash may have left a look without its account: that is free.

        Or its account is only about to be: whoever makes it looks again then, and so do we, so that one of the two
        sees the other.
        """
        held = await self._engine.get(LOOKS, name.look)
        owner = decode_look(held[0]) if held is not None else name.folded
        if held is not None and await self._engine.get(BUCKET, owner) is not None:
            raise NAME_IN_USE()
        try:
            rev = await self._engine.put(LOOKS, name.look, msgspec.json.encode(name.folded), held[1] if held else 0)
        except Conflict:
            raise NAME_IN_USE() from None
        if await self._engine.get(BUCKET, owner) is not None:
            await self._engine.put(LOOKS, name.look, msgspec.json.encode(owner), rev)
            raise NAME_IN_USE()

    async def _free_look(self, name: Name) -> None:
        """Free the look of a name that is no account's; of one that just became an account's it stays."""
        try:
            held = await self._engine.get(LOOKS, name.look)
            if held is None or decode_look(held[0]) != name.folded:
                return  # it is another's
            if await self._engine.get(BUCKET, name.folded) is None:
                await self._engine.put(LOOKS, name.look, None, held[1])
        except (Conflict, Unavailable):
            return  # somebody else has it now; or it stays, and is free all the same


decode_look = msgspec.json.Decoder(str).decode
