"""Publishing the keys of this device, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence

from chatroom.client.encryption.device_labels import shown_label
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.port import Port
from chatroom.client.errors import Rejected
from chatroom.model.device_keys import DeviceKeys, SignedKey
from chatroom.model.key_replies import KeysPublished

TABLE = "own-device"
LABEL = "label"
FEW = 25  # one-time keys on the server; with fewer, more are published
ENOUGH = 50


class StaleVault(Rejected):
    """Another copy of our store has published the keys of this device; so it may have used its sessions, too."""

    def __init__(self) -> None:
        super().__init__("stale-vault", "Another copy of this device's keys is in use, so it needs new keys.")


class OwnPublication:
    """Keeps the server's record of this device as it should be.

    Args:
        ring: Our keys.
        server: Keeps the record.
        port: Has the time.
        label: What this device is called until the user gives it a name.

    Attributes:
        label: What this device is called.
    """

    def __init__(self, ring: KeyRing, server: KeyServer, port: Port, label: str) -> None:
        self._ring = ring
        self._server = server
        self._port = port
        self.label = (ring.store.get(TABLE, LABEL) or shown_label(label).encode()).decode()

    def device(self) -> DeviceKeys:
        """Return the signed keys of this device."""
        return self._ring.identity.device_keys(self.label)

    def take_label(self, label: str) -> None:
        """Call this device something else from now on; commit the store."""
        if label != self.label:
            self.label = label
            self._ring.store.put(TABLE, LABEL, label.encode())

    async def publish(self, one_time: Sequence[SignedKey] = (), fallback: SignedKey | None = None) -> KeysPublished:
        """Publish this device, and take its mailbox.

        Raises:
            StaleVault: Another copy of our store has published these keys.
            Rejected: The server refuses, or cannot be asked.
        """
        try:
            proof = self._ring.identity.prove_device(self._port.nonce)
            answer = await self._server.publish(self.device(), proof, self._ring.generation, one_time, fallback)
        except Rejected as refused:
            if refused.code == "stale-vault":
                raise StaleVault from None
            raise
        if self._ring.is_copied(answer.generation):
            raise StaleVault
        return answer

    async def refill(self) -> None:
        """Publish more one-time keys, and a fallback key if it is time. They are stored before they leave."""
        identity = self._ring.identity
        keys, fallback = identity.one_time_keys(ENOUGH), identity.fallback_key(self._port.now())
        await self._ring.store.commit()
        await self.publish(keys, fallback)
        identity.mark_published()
        await self._ring.store.commit()
