"""The list of our devices on its way to the server: signed, kept until the server has it, and believed only then.

If the client is killed meanwhile, the next run gives the server the same list again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from msgspec import Struct
from msgspec.json import decode, encode

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.refusals import as_rejected
from chatroom.client.errors import Rejected
from chatroom.model.device_keys import DeviceKeys, DeviceList

TABLE = "own-list"
KEY = "unsent"


class _Unsent(Struct, frozen=True):
    """A list that the server has not confirmed, and whether another user key signs it than the one before."""

    list: DeviceList
    reset: bool


class OwnList:
    """Publishes lists of our devices.

    Args:
        ring: Our keys.
        server: Takes the lists.
        name: Returns our name.
    """

    def __init__(self, ring: KeyRing, server: KeyServer, name: Callable[[], str]) -> None:
        self._ring = ring
        self._server = server
        self._name = name

    async def publish(self, devices: Sequence[DeviceKeys], base: DeviceList | None, *, reset: bool = False) -> None:
        """Sign a list of our devices and give it to the server; it is stored before it leaves.

        Args:
            devices: The devices.
            base: The list that the server has; None if it has none.
            reset: Whether our user key is another one than that of ``base``.

        Raises:
            Rejected: A device may not be in it, or the server refuses. A list with another user key is given again
                later, because our user key has changed.
        """
        known = self._ring.contacts.get(self._ring.user_id).known
        rev = max(base.rev if base is not None else 0, known.rev if known is not None else 0) + 1
        try:
            listed = self._ring.identity.sign_list(devices, rev, base)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        unsent = _Unsent(listed, reset)
        self._ring.store.put(TABLE, KEY, encode(unsent))
        await self._ring.store.commit()
        await self._send(unsent)

    async def finish(self) -> None:
        """Give the server a list again that it has not confirmed.

        Raises:
            Rejected: The server refuses, or cannot be asked.
        """
        value = self._ring.store.get(TABLE, KEY)
        if value is None:
            return
        unsent = decode(value, type=_Unsent)
        try:
            await self._send(unsent)
        except Rejected as refused:
            if refused.code not in ("stale-devices", "bad-keys"):
                raise
            if unsent.reset:
                (own,), _ = await self._server.query([f"id:{self._ring.user_id}"])
                await self.publish(unsent.list.devices, own.list, reset=True)

    async def _send(self, unsent: _Unsent) -> None:
        try:
            await self._server.list_devices(unsent.list, reset=unsent.reset)
        except Rejected as refused:
            if refused.code in ("stale-devices", "bad-keys") and not unsent.reset:
                self._ring.store.delete(TABLE, KEY)
            raise
        with suppress(CryptoRefusal):  # it is our own; at most a newer one is known already
            self._ring.contacts.learn(self._ring.user_id, self._name(), unsent.list)
        self._ring.store.delete(TABLE, KEY)
        await self._ring.store.commit()
