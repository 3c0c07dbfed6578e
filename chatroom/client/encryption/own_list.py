"""The list of our devices on its way to the server: signed, kept until the server has it, and believed only then.

If the server refuses it, nothing has changed: a new user key is ours only when the server has the list that it signed.
If the connection is lost or the client is killed meanwhile, the list is given again later, and the user is told whether
the server has taken it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.json import decode, encode

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.own_errands import OwnErrands
from chatroom.client.encryption.refusals import as_rejected
from chatroom.client.errors import Rejected
from chatroom.model.device_keys import DeviceKeys, DeviceList

TABLE = "own-list"
KEY = "unsent"


class ListChange(Struct, frozen=True):
    """What a new list is for.

    Args:
        reset: Whether a new user key signs it.
        gives: The ids of the devices that get the user key then.
        done: What the user is told if the server takes it later; empty for nothing.
        failed: What the user is told if the server refuses it later; the reason follows.
        ends: The ids of the devices that are logged out.
    """

    reset: bool = False
    gives: tuple[str, ...] = ()
    done: str = ""
    failed: str = ""
    ends: tuple[str, ...] = ()


class _Unsent(Struct, frozen=True):
    """A list that the server has not confirmed."""

    list: DeviceList
    change: ListChange = ListChange()


class OwnList:
    """Publishes lists of our devices.

    Args:
        ring: Our keys.
        server: Takes the lists.
        errands: Does what follows.
        name: Returns our name.
        warn: Tells the user a sentence.
    """

    def __init__(
        self,
        ring: KeyRing,
        server: KeyServer,
        errands: OwnErrands,
        name: Callable[[], str],
        warn: Callable[[str], None],
    ) -> None:
        self._ring = ring
        self._server = server
        self._errands = errands
        self._name = name
        self._warn = warn

    async def publish(self, devices: Sequence[DeviceKeys], base: DeviceList | None, change: ListChange) -> None:
        """Sign a list of our devices and give it to the server; it is stored before it leaves.

        Args:
            devices: The devices.
            base: The list that the server has; None if it has none.
            change: What the list is for. With ``reset``, a new user key is made.

        Raises:
            Rejected: A device may not be in it, or the server refuses, and nothing has changed; or the connection was
                lost (``lost``), and the list is given again later.
        """
        known = self._ring.contacts.get(self._ring.user_id).known
        rev = max(base.rev if base is not None else 0, known.rev if known is not None else 0) + 1
        if change.reset:
            self._ring.identity.proposed.make()
        try:
            listed = self._ring.identity.sign_list(devices, rev, base, proposed=change.reset)
        except CryptoRefusal as refused:
            await self._drop()
            raise as_rejected(refused) from None
        unsent = _Unsent(listed, change)
        self._ring.store.put(TABLE, KEY, encode(unsent))
        await self._ring.store.commit()
        await self._send(unsent)
        await self._errands.run()

    async def finish(self) -> None:
        """Give the server a list again that it has not confirmed, tell the user about it, and do what is left to do.

        Raises:
            Rejected: The server cannot be asked.
        """
        value = self._ring.store.get(TABLE, KEY)
        if value is not None:
            unsent = decode(value, type=_Unsent)
            try:
                await self._send(unsent)
                self._tell(unsent.change.done)
            except Rejected as refused:
                if refused.code == "lost":
                    raise
                if unsent.change.failed:
                    self._tell(f"{unsent.change.failed} {refused.text}")
        await self._errands.run()

    def _tell(self, text: str) -> None:
        if text:
            self._warn(text)

    async def _send(self, unsent: _Unsent) -> None:
        """Give the server a list.

        Raises:
            Rejected: The server refuses, and nothing has changed; or the connection was lost (``lost``).
        """
        try:
            await self._server.list_devices(unsent.list, reset=unsent.change.reset, ends=unsent.change.ends)
        except Rejected as refused:
            if refused.code == "lost":
                raise
            if not await self._was_taken(unsent):
                await self._drop()
                raise
        await self._took(unsent)

    async def _was_taken(self, unsent: _Unsent) -> bool:
        """Return whether the server has a list although it does not say so: it had failed after it stored the list.

        After a list by our new user key there may be a later one by that key.

        Raises:
            Rejected: The server cannot be asked.
        """
        (own,), _ = await self._server.query([f"id:{self._ring.user_id}"])
        if own.list is None or own.list == unsent.list:
            return own.list is not None
        return unsent.change.reset and own.list.user_key == unsent.list.user_key and own.list.rev > unsent.list.rev

    async def _took(self, unsent: _Unsent) -> None:
        """Believe a list that the server has, and with it a new user key."""
        with suppress(CryptoRefusal):  # it is our own; at most a newer one is known already
            self._ring.contacts.learn(self._ring.user_id, self._name(), unsent.list)
        self._errands.add(unsent.change.gives, erase=unsent.change.reset)
        self._ring.store.delete(TABLE, KEY)
        await self._ring.store.commit()

    async def _drop(self) -> None:
        """Forget a list that the server has refused, and the user key that was proposed for it."""
        self._ring.identity.proposed.drop()
        self._ring.store.delete(TABLE, KEY)
        await self._ring.store.commit()
