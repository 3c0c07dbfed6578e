"""Direct links with people: which device, agreed to by whom, and what goes over them; ``UserLinks`` and ``FileLinks``.

A link is with one device of a person. All devices of the person are asked, and the one where the person agrees gets the
link; the others are told that it is no longer wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_offers import FileOffer
from chatroom.client.crypto.inner import Inner
from chatroom.client.direct.direct_links import DirectLinks, LinkState
from chatroom.client.direct.offer import LinkPeer
from chatroom.client.encryption import words
from chatroom.client.encryption.interface import LinkPath
from chatroom.client.encryption.parts import EncryptionParts
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice
from chatroom.model.device_keys import DeviceKeys, Envelope
from chatroom.model.key_events import E2eFrom
from chatroom.model.shared_files import spell_size

MOST_WANTED = 200  # people of whom it is remembered that a link was wanted
TYPES = ("p2p.ask", "p2p.offer", "p2p.answer", "p2p.refuse")


class LinkFiles(Protocol):
    """What takes files that come over links; see ``DirectFiles``."""

    def offered(self, peer: tuple[str, str], offer: FileOffer) -> int: ...

    def received(self, peer: tuple[str, str], data: bytes) -> Deferred[None] | None: ...

    def lost(self, peer: tuple[str, str]) -> None: ...


class Links:
    """The direct links of a user; it implements ``UserLinks``, ``FileLinks`` and ``LinkEvents``.

    Args:
        parts: Our keys, and what seals and opens.
        reactor: Twisted's reactor.
        server: Returns the address of the chat server, to which our side of a link is found.
        take: Takes a sealed message that has come over a link; its Deferred fires when the message is stored.
        files: Returns what takes files that come over links; None if nothing does.
        random: Returns so many random bytes.
    """

    def __init__(
        self,
        parts: EncryptionParts,
        reactor: Any,
        server: Callable[[], str],
        take: Callable[[E2eFrom], Deferred[None]],
        files: Callable[[], LinkFiles | None],
        random: Callable[[int], bytes],
    ) -> None:
        self._parts = parts
        self._take = take
        ring = parts.ring
        me = LinkPeer(ring.user_id, ring.identity.device)
        port = parts.port
        self._links = DirectLinks(reactor, me, self, server=server, now=lambda: port.now() / 1000, random=random)
        self._queue: list[tuple[LinkPeer, str, dict[str, Any]]] = []
        self._sending = False
        self._files = files
        self._wanted: dict[str, None] = {}  # the ids of people with whom the user has agreed to a link in this run
        parts.private.carry = self.carry
        parts.on_offer = self._offered
        for kind in TYPES:
            parts.mail.takers[kind] = self._came

    # ---- what the user does ----------------------------------------------------------------------------------------

    def path(self, user: str) -> LinkPath:
        states = [state for _, state in self._states(user)]
        if LinkState.DIRECT in states:
            return LinkPath.DIRECT
        wanted = self._parts.ring.contacts.id_of(user) in self._wanted
        return LinkPath.RELAYED if states or wanted else LinkPath.NONE

    async def addresses(self, user: str) -> list[str]:
        await self._devices_of(user)
        return self._links.addresses()

    async def _devices_of(self, user: str) -> Sequence[DeviceKeys]:
        """Return the devices of a person, for a link.

        Raises:
            Rejected: There can be no link: the person has no keys, or this device is not linked.
        """
        peer = await self._parts.peers.find(user)
        devices = self._parts.peers.recipients(peer)
        if not devices:
            raise Rejected("no-keys", f"{user} has no keys, so there can be no direct link with {user}.")
        return devices

    async def agree(self, user: str, addresses: list[str]) -> None:
        devices = await self._devices_of(user)
        self._wanted[devices[0].user_id] = None
        if len(self._wanted) > MOST_WANTED:
            del self._wanted[next(iter(self._wanted))]
        asked = [peer for peer, state in self._states(user) if state is LinkState.ASKED]
        for device in devices:
            to = LinkPeer(device.user_id, device.device)
            if not asked or to in asked:
                self._links.ask(to)

    async def refuse(self, user: str) -> None:
        for peer, _ in self._states(user):
            self._links.refuse(peer)

    async def end(self, user: str) -> None:
        for peer, _ in self._states(user):
            self._links.close(peer)

    def stop(self) -> None:
        """End all links."""
        self._links.stop()

    def _states(self, user: str) -> list[tuple[LinkPeer, LinkState]]:
        """Return the links with the devices of a person, also those that are only asked for."""
        contacts = self._parts.ring.contacts
        known = contacts.get(contacts.id_of(user)).known
        peers = [LinkPeer(device.user_id, device.device) for device in (known.devices if known is not None else ())]
        found = [(peer, self._links.state(peer)) for peer in peers]
        return [(peer, state) for peer, state in found if state is not None]

    # ---- what goes over a link -------------------------------------------------------------------------------------

    async def carry(self, id: str, envelopes: Sequence[Envelope]) -> list[Envelope]:
        """Send sealed messages over the links that there are. Returns those that must go by the server."""
        direct = [each for each in envelopes if self.is_open((each.user_id, each.device))]
        results = await DeferredList([self._send_one(id, each) for each in direct], consumeErrors=True)
        done = {(each.user_id, each.device) for each, (sent, _) in zip(direct, results, strict=True) if sent}
        return [each for each in envelopes if (each.user_id, each.device) not in done]

    def _send_one(self, id: str, envelope: Envelope) -> Deferred[None]:
        peer = LinkPeer(envelope.user_id, envelope.device)
        return self._links.send_envelope(peer, id, envelope)

    def peer(self, user: str) -> tuple[str, str] | None:
        """Return the device of a user to which a link is open; None if there is none."""
        open = (peer for peer, state in self._states(user) if state is LinkState.DIRECT)
        peer = next(open, None)
        return (peer.user_id, peer.device) if peer is not None else None

    def is_open(self, peer: tuple[str, str]) -> bool:
        """Return whether a link to a device is open."""
        return self._links.state(LinkPeer(*peer)) is LinkState.DIRECT

    def send_chunk(self, peer: tuple[str, str], data: bytes) -> Deferred[None]:
        """Send bytes of a file to a device."""
        return self._links.send_chunk(LinkPeer(*peer), data)

    # ---- ``LinkEvents`` documents these ----------------------------------------------------------------------------

    def send(self, peer: LinkPeer, kind: str, body: dict[str, Any]) -> None:
        self._queue.append((peer, kind, body))
        if not self._sending:
            self._sending = True
            Deferred.fromCoroutine(self._send_all()).addErrback(self._not_sent)

    async def _send_all(self) -> None:
        """Seal and send what waits, in order."""
        try:
            while self._queue:
                peer, kind, body = self._queue.pop(0)
                await self._parts.to_device(self._keys_of(peer), kind, body)
        finally:
            self._sending = False

    def _keys_of(self, peer: LinkPeer) -> DeviceKeys:
        return self._parts.ring.contacts.sender(peer.user_id, peer.device)

    def _not_sent(self, failure: Failure) -> None:
        """Ignore that something could not be sent: the other side gives up by itself."""
        self._queue.clear()
        if not failure.check(Rejected, CryptoRefusal):
            self._parts.port.failed(failure)

    def state_changed(self, peer: LinkPeer, state: LinkState, why: str) -> None:
        name = self._parts.ring.contacts.get(peer.user_id).name
        tell = self._parts.port.tell
        if state is LinkState.ASKED:
            tell(SecurityNotice(text=words.asks_for_link(name)))
        elif state is LinkState.DIRECT:
            tell(SecurityNotice(text=words.link_words(name, LinkPath.DIRECT), user=name))
            for other, other_state in self._states(name):
                if other != peer and other_state is LinkState.ASKING:
                    self._links.close(other)
        elif state is LinkState.RELAYED:
            files = self._files()
            if files is not None:
                files.lost((peer.user_id, peer.device))
            if self.path(name) is not LinkPath.DIRECT:
                said = words.link_words(name, LinkPath.RELAYED)
                tell(SecurityNotice(text=f"{said.rstrip('.')} ({why})." if why else said, user=name))

    def envelope(self, peer: LinkPeer, key: str, envelope: Envelope) -> Any:
        contact = self._parts.ring.contacts.get(peer.user_id)
        event = E2eFrom(
            id=key,
            at=self._parts.port.now(),
            by=contact.name,
            by_id=peer.user_id,
            device=peer.device,
            kind=envelope.kind,
            body=envelope.body,
        )
        return self._take(event)

    def chunk(self, peer: LinkPeer, data: bytes) -> Any:
        files = self._files()
        return files.received((peer.user_id, peer.device), data) if files is not None else None

    def _offered(self, peer: tuple[str, str], name: str, offer: FileOffer) -> None:
        """Tell the user of a file that is offered over a link; one on the server shows itself."""
        files = self._files()
        number = files.offered(peer, offer) if files is not None else 0
        if number:
            what = f"{offer.name} ({spell_size(offer.size)})"
            text = f"{name} offers you {what} over the direct link; /get d{number} fetches it."
            self._parts.port.tell(SecurityNotice(text=text, user=name))

    def _came(self, inner: Inner, event: E2eFrom, device: DeviceKeys) -> None:
        self._links.received(LinkPeer(*inner.sender), inner.type, inner.body)
