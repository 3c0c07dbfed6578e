"""Reading, adding, changing and removing the records of accounts. Two daemons never undo each other's changes."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.people import account_lookalikes
from chatroom.chat.people.device_marks import BUCKET as DEVICES
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.model.account import BUCKET, AccountRecord, decode, encode
from chatroom.model.errors import NAME_IN_USE
from chatroom.model.log import Change, Conflict
from chatroom.model.names import Name, user_name


class Accounts:
    """The records of all accounts.

    Args:
        engine: Stores the records.
        mint: Makes ids.
        now: Returns the time, in milliseconds since 1970.
    """

    def __init__(self, engine: Engine, mint: Mint, now: Callable[[], int]) -> None:
        self._engine = engine
        self._mint = mint
        self._now = now

    async def start(self) -> None:
        """Add the look-alike records that accounts of an older version lack."""
        await account_lookalikes.complete(self._engine)

    async def get(self, name: Name) -> AccountRecord | None:
        """Return the account with exactly this name, after folding; None if there is none."""
        held = await self._engine.get(BUCKET, name.folded)
        return decode(held[0]) if held is not None else None

    async def owns(self, name: Name) -> bool:
        """Return whether an account has the name, or a name that looks like it."""
        return (
            await self._engine.get(BUCKET, name.folded) is not None
            or await account_lookalikes.owner(self._engine, name) != ""
        )

    async def all(self) -> list[AccountRecord]:
        """Return all accounts, by name. They are read page by page, so that other work can run in between."""
        return [decode(value) async for page in pages(self._engine, BUCKET) for _, value in page]

    async def add(
        self, name: Name, password: str, *, operator: bool = False, reserved: bool = False, was: tuple[str, ...] = ()
    ) -> AccountRecord:
        """Add an account.

        Args:
            name: The account's name.
            password: The hash of its password; empty if an operator's checker (``--auth``) decides about logins.
            operator: Whether its owner is an operator.
            reserved: Whether a seat is reserved for the account.
            was: Ids of the guests and accounts that its owner was before.

        Raises:
            Refused: An account has the name, or a name that looks like it.
        """
        account = AccountRecord(self._mint(12), name.shown, self._now(), password, operator, reserved, was=was)
        changes = [
            *await account_lookalikes.claims(self._engine, name),
            Change(BUCKET, name.folded, encode(account), 0),
        ]
        try:
            await self._engine.change(changes)
        except Conflict:
            raise NAME_IN_USE() from None
        return account

    @retried_on_conflict
    async def change(
        self, account: AccountRecord, change: Callable[[AccountRecord], AccountRecord]
    ) -> AccountRecord | None:
        """Change an account's record; retry if another daemon changed it at the same time.

        Returns:
            The new record; None if the account does not exist any more.
        """
        folded = user_name(account.name).folded
        held = await self._engine.get(BUCKET, folded)
        if held is None or (now := decode(held[0])).id != account.id:
            return None
        changed = change(now)
        await self._engine.put(BUCKET, folded, encode(changed), held[1])
        return changed

    @retried_on_conflict
    async def remove(self, account: AccountRecord) -> bool:
        """Remove an account and the marks of its devices; return whether the account existed.

        Its name is free again; its id is never used again.
        """
        name = user_name(account.name)
        held = await self._engine.get(BUCKET, name.folded)
        if held is None or decode(held[0]).id != account.id:
            return False
        gone = Change(BUCKET, name.folded, None, held[1]), Change(DEVICES, account.id, None)
        await self._engine.change([*gone, *await account_lookalikes.releases(self._engine, name)])
        return True
