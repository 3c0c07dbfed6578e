"""The recovery key: it opens our user key, which the server keeps sealed. Somebody else may have erased it there."""

from __future__ import annotations

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.pickles import Random
from chatroom.client.crypto.recovery_key import new_recovery_key
from chatroom.client.encryption import words
from chatroom.client.encryption.backup_memory import BackupMemory, hash_of
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.own_devices import OwnDevices
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import as_rejected
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice


class Recovery:
    """Makes recovery keys, links this device with one, and notices if the backup is gone.

    Args:
        ring: Our keys.
        server: Keeps the sealed user key.
        devices: Our devices.
        port: Tells notices, and has the time.
        random: Returns so many random bytes.
    """

    def __init__(self, ring: KeyRing, server: KeyServer, devices: OwnDevices, port: Port, random: Random) -> None:
        self._ring = ring
        self._server = server
        self._devices = devices
        self._port = port
        self._random = random
        self._memory = BackupMemory(ring.store)

    async def make(self) -> str:
        """Keep our user key on the server, sealed by a new recovery key, which is returned.

        Raises:
            Rejected: This device is not linked, we are a guest, or the server refuses or cannot be asked.
        """
        self._refuse_guest()
        key = new_recovery_key(self._random)
        try:
            sealed = self._ring.identity.seal_user_key(key)
        except CryptoRefusal as refused:
            raise as_rejected(refused) from None
        self._devices.errands.leave_backup()
        await self._ring.store.commit()
        try:
            await self._server.keep_backup(sealed)
        except Rejected as refused:
            if refused.code != "lost":
                raise  # the one before is still there
            self._memory.forget()
            raise Rejected(refused.code, words.NO_NEW_RECOVERY_KEY) from None
        self._memory.note(sealed)
        await self._ring.store.commit()
        return key

    async def use(self, key: str) -> None:
        """Link this device with the recovery key.

        Raises:
            Rejected: The key is not the right one, none is set, or none is needed; or the server refuses to say.
        """
        self._refuse_guest()
        if self._devices.linked:
            raise Rejected("is-linked", words.NOTHING_TO_RECOVER)
        try:
            sealed = await self._server.backup()
        except Rejected as refused:
            raise refused if refused.code == "lost" else Rejected(refused.code, words.not_given(refused.text)) from None
        if not sealed:
            raise Rejected("no-recovery", words.NO_BACKUP)
        try:
            self._ring.identity.restore_user_key(sealed, key)
        except CryptoRefusal as refused:
            raise Rejected(refused.code, words.NOT_RECOVERED.get(refused.code, as_rejected(refused).text)) from None
        self._memory.note(sealed)
        await self._devices.refresh()

    def _refuse_guest(self) -> None:
        """Raise ``Rejected`` for a guest, who cannot log in anywhere else."""
        if self._port.guest:
            raise Rejected("guest", words.only_accounts("have a recovery key"))

    async def state(self) -> tuple[bool, str]:
        """Return whether a recovery key is set, and why the server refuses to say that; empty if it does say it.

        Raises:
            Rejected: The connection was lost.
        """
        try:
            return await self._is_set(), ""
        except Rejected as refused:
            if refused.code == "lost":
                raise
            return False, refused.text

    async def _is_set(self) -> bool:
        """Return whether the server has a backup; tell the user if it is another than before.

        Raises:
            Rejected: The server refuses to say, or the connection was lost.
        """
        sealed = await self._server.backup()
        before = self._memory.seen
        self._memory.note(sealed)
        await self._ring.store.commit()
        if before and before != hash_of(sealed) and self._devices.linked:
            self._port.tell(SecurityNotice(text=words.BACKUP_REPLACED if sealed else words.BACKUP_GONE, alarm=True))
        return bool(sealed)

    async def check(self) -> None:
        """See once a day whether the backup is still there, and tell the user once if there never was one."""
        if self._port.guest or not self._devices.linked or not self._memory.is_due(self._port.now()):
            return
        is_first = self._memory.seen is None
        recovery, refused = await self.state()
        if not recovery and not refused and is_first:
            self._port.tell(SecurityNotice(text=words.NO_RECOVERY_KEY))
