"""The recovery key: it opens our user key, which the server keeps sealed."""

from __future__ import annotations

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.pickles import Random
from chatroom.client.crypto.recovery_key import new_recovery_key
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.own_devices import OwnDevices
from chatroom.client.encryption.refusals import as_rejected
from chatroom.client.errors import Rejected


class Recovery:
    """Makes recovery keys, and links this device with one.

    Args:
        ring: Our keys.
        server: Keeps the sealed user key.
        devices: Our devices.
        random: Returns so many random bytes.
    """

    def __init__(self, ring: KeyRing, server: KeyServer, devices: OwnDevices, random: Random) -> None:
        self._ring = ring
        self._server = server
        self._devices = devices
        self._random = random

    async def make(self) -> str:
        """Keep our user key on the server, sealed by a new recovery key, which is returned.

        Raises:
            Rejected: This device is not linked.
        """
        key = new_recovery_key(self._random)
        try:
            sealed = self._ring.identity.seal_user_key(key)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        await self._server.keep_backup(sealed)
        return key

    async def use(self, key: str) -> None:
        """Link this device with the recovery key.

        Raises:
            Rejected: The key is not the right one, or none is set.
        """
        sealed = await self._server.backup()
        if not sealed:
            raise Rejected("no-recovery", "No recovery key is set for this account; link this device on another one.")
        try:
            self._ring.identity.restore_user_key(sealed, key)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        await self._devices.refresh()
