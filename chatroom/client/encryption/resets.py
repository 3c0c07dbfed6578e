"""Messages that could not be opened: their senders are asked for them again, in a new session."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inner import Inner
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.peers import Peers
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.words import asked_again
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import DeviceKeys, Envelope
from chatroom.model.key_events import E2eFrom


class Resets:
    """Asks for what could not be opened, and sends again what others could not open.

    Args:
        ring: Our keys.
        server: Takes envelopes.
        peers: Learns device lists.
        envelopes: Claims one-time keys.
        port: Tells notices.
    """

    def __init__(self, ring: KeyRing, server: KeyServer, peers: Peers, envelopes: Envelopes, port: Port) -> None:
        self._ring = ring
        self._server = server
        self._peers = peers
        self._envelopes = envelopes
        self._port = port

    async def ask(self) -> None:
        """Ask every sender of lost messages for them, except those that were asked in the last minute."""
        now = self._port.now()
        for reset in self._ring.olm.resets():
            if reset.at > now:
                continue
            try:
                await self._ask(reset.user_id, reset.device)
            except CryptoRefusal:
                continue  # the sender's key has changed, or the device is gone

    async def _ask(self, user_id: str, device: str) -> None:
        """Ask one device.

        Raises:
            CryptoRefusal: It is no device of the user any more.
            Rejected: The server cannot be asked.
        """
        keys = self._ring.contacts.sender(user_id, device)
        claimed = await self._envelopes.one_key(keys)
        if claimed is None:
            return
        id = self._port.mint()
        envelope = self._ring.olm.seal_reset(keys, id=id, now=self._port.now(), claimed=claimed)
        if envelope is not None:
            await self._send(id, envelope)
            name = self._ring.contacts.get(user_id).name or user_id
            self._port.tell(SecurityNotice(text=asked_again(name), user=name))

    async def _send(self, id: str, envelope: Envelope) -> None:
        await self._ring.store.commit()
        known = self._ring.contacts.get(envelope.user_id).known
        await self._server.send(id, [envelope], {envelope.user_id: known.rev if known is not None else 0})

    def asked(self, inner: Inner, event: E2eFrom, device: DeviceKeys) -> None:
        """Send again what a device could not open, and only what was sealed for it."""
        ids = inner.body.get("ids")
        if isinstance(ids, list):
            Deferred.fromCoroutine(self._again(device, ids)).addErrback(self._not_sent)

    async def _again(self, device: DeviceKeys, ids: list[object]) -> None:
        words = [id for id in ids if isinstance(id, str)]
        for message in self._ring.olm.asked_again(device, words, self._port.now()):
            await self._send(message.id, self._ring.olm.seal_again(device, message))

    def _not_sent(self, failure: object) -> None:
        """Ignore that something could not be sent again: the device will ask again."""
        if not isinstance(getattr(failure, "value", None), Rejected | CryptoRefusal):
            self._port.failed(failure)  # type: ignore[arg-type]
