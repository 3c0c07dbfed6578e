"""What is left to do after our device list has changed: other devices get the user key, an old backup goes.

It is noted in the commit that notes the change, and done again until it is done, also by later runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from chatroom.client.encryption.backup_memory import BackupMemory, hash_of
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.errors import Rejected
from chatroom.model.device_keys import DeviceKeys
from chatroom.model.signed_bytes import b64

TABLE = "own-errands"  # by device, the id of the message that gives it the user key
_ERASE = "backup"  # no device has this id


class OwnErrands:
    """Gives the user key to devices of ours, and removes the backup of a user key that is ours no more.

    Args:
        ring: Our keys.
        server: Takes envelopes, and has the backup.
        envelopes: Seals the user key.
        mint: Returns a new unique id.
    """

    def __init__(self, ring: KeyRing, server: KeyServer, envelopes: Envelopes, mint: Callable[[], str]) -> None:
        self._ring = ring
        self._server = server
        self._envelopes = envelopes
        self._mint = mint
        self._memory = BackupMemory(ring.store)

    def add(self, devices: Collection[str], *, erase: bool = False) -> None:
        """Note that devices are to get the user key; commit the store before ``run``.

        Args:
            devices: The ids of the devices.
            erase: Whether the backup goes.
        """
        for device in devices:
            self._ring.store.put(TABLE, device, self._mint().encode())
        if erase:
            self._ring.store.put(TABLE, _ERASE, (self._memory.seen or "").encode())
            self._memory.note("")

    def leave_backup(self) -> None:
        """Leave the backup alone: it is of the present user key now."""
        self._ring.store.delete(TABLE, _ERASE)

    async def run(self) -> None:
        """Do what is to be done. What fails is left for the next time."""
        for name in self._ring.store.keys(TABLE):
            try:
                done = await (self._erase() if name == _ERASE else self._give(name))
            except Rejected:
                continue
            if done:
                self._ring.store.delete(TABLE, name)
        await self._ring.store.commit()

    async def _erase(self) -> bool:
        """Remove the backup, unless it is another than the one that is to go: then a device has made a new one."""
        value = self._ring.store.get(TABLE, _ERASE)
        sealed = await self._server.backup()
        if sealed and value in (b"", hash_of(sealed).encode()):
            await self._server.keep_backup("")
        return True

    async def _give(self, name: str) -> bool:
        """Send the user key to a device. Returns whether nothing is left to do.

        The message has the same id each time, so that the device gets it once.
        """
        own = self._ring.contacts.get(self._ring.user_id).known
        device = own.keys_of(name) if own is not None and own.user_key == self._ring.identity.user_key else None
        id = self._ring.store.get(TABLE, name)
        if own is None or device is None or id is None:
            return True  # it is no device of ours any more
        return await self._send(device, id.decode(), own.rev)

    async def _send(self, device: DeviceKeys, id: str, rev: int) -> bool:
        body = {"seed": b64(self._ring.identity.user_seed())}
        envelopes = await self._envelopes.seal([device], "secret.usk", id, body)
        await self._ring.store.commit()
        sent = await self._server.send(id, envelopes, {self._ring.user_id: rev})
        return sent is not None and device.device not in sent.full
