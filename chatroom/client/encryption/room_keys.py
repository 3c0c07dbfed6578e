"""The keys of encrypted rooms: taken when they come, asked for when they are missing, and given to who asks."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inner import Inner
from chatroom.client.crypto.room_messages import RoomCiphertext
from chatroom.client.encryption.envelopes import Envelopes
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.keyring import KeyRing
from chatroom.client.encryption.peers import Peers
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import sentence
from chatroom.client.encryption.room_opening import RoomOpening
from chatroom.client.errors import Rejected
from chatroom.client.status import Notice, SecurityNotice
from chatroom.model.device_keys import DeviceKeys
from chatroom.model.events import Event
from chatroom.model.key_events import E2eFrom

QUIET = frozenset({"not-given", "no-key", "not-yours", "unasked"})  # refusals of which the user need not know


class RoomKeys:
    """Takes, asks for and gives keys.

    Args:
        ring: Our keys.
        server: Takes envelopes.
        peers: Learns device lists.
        envelopes: Seals for devices.
        news: Opens the messages that waited for a key.
        show: Called with what a key that came has opened.
        port: Tells notices.
    """

    def __init__(
        self,
        ring: KeyRing,
        server: KeyServer,
        peers: Peers,
        envelopes: Envelopes,
        news: RoomOpening,
        show: Callable[[list[Event | Notice]], None],
        port: Port,
    ) -> None:
        self._ring = ring
        self._server = server
        self._peers = peers
        self._envelopes = envelopes
        self._news = news
        self._port = port
        self._show = show

    def take(self, inner: Inner, event: E2eFrom, device: DeviceKeys) -> None:
        """Take a key that a device has sent; open the messages that waited for it."""
        try:
            name = self._ring.groups.requests.take_key(inner.sender, inner.body)
        except CryptoRefusal as refused:
            if refused.code not in QUIET:
                self._port.tell(SecurityNotice(text=f"{sentence(refused.text)} It came from {event.by}.", alarm=True))
            return
        if name is not None:
            answer = inner.body.get("owner") is not None
            self._show(self._news.came(name) if answer else self._news.given(name))

    async def ask(self) -> None:
        """Ask for the keys of messages that wait: their authors' devices, and our own other devices."""
        wanted, self._news.wanted = self._news.wanted, []
        for sealed in wanted:
            body = self._ring.groups.requests.ask(sealed, self._port.now())
            if body is not None:
                await self._request(sealed, body)

    async def _request(self, sealed: RoomCiphertext, body: dict[str, object]) -> None:
        contacts = self._ring.contacts
        if contacts.get(sealed.sender[0]).known is None:
            await self._peers.learn([f"id:{sealed.sender[0]}"])
        try:
            devices = [contacts.sender(*sealed.sender), *contacts.recipients(self._ring.user_id)]
        except CryptoRefusal:
            return
        await self._send(devices, "room.key.request", body)

    def asked(self, inner: Inner, event: E2eFrom, device: DeviceKeys) -> None:
        """Answer a device that asks for a key, if it may have the key."""
        own = self._ring.contacts.get(self._ring.user_id).known
        signed = {each.device for each in (own.devices if own is not None else ())}
        try:
            body = self._ring.groups.requests.answer(inner.sender, inner.sender_key, inner.body, signed)
        except CryptoRefusal:
            return
        Deferred.fromCoroutine(self._send([device], "room.key", body)).addErrback(self._not_sent)

    async def _send(self, devices: list[DeviceKeys], kind: str, body: dict[str, object]) -> None:
        id = self._port.mint()
        envelopes = await self._envelopes.seal(devices, kind, id, body)
        await self._ring.store.commit()
        revs = {}
        for device in devices:
            known = self._ring.contacts.get(device.user_id).known
            revs[device.user_id] = known.rev if known is not None else 0
        await self._server.send(id, envelopes, revs)

    def _not_sent(self, failure: object) -> None:
        """Ignore that an answer could not be sent: the device will ask again."""
        if not isinstance(getattr(failure, "value", None), Rejected | CryptoRefusal):
            self._port.failed(failure)  # type: ignore[arg-type]
