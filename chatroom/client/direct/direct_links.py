"""The direct links of a client, by device of the other user: asked for, agreed to, connected, used, and lost.

It knows nothing about encryption: what it has for another device is sealed and sent by the server elsewhere, and what
it carries over links is sealed already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from twisted.internet.defer import Deferred, fail

from chatroom.client.direct.candidates import is_loopback, own_addresses, source_address
from chatroom.client.direct.channel import LinkChannel, SeenMessages, UseRelay
from chatroom.client.direct.offer import (
    ANSWER,
    ASK,
    ASK_WITHIN,
    OFFER,
    OFFER_WITHIN,
    REFUSE,
    LinkAsk,
    LinkOffer,
    LinkPeer,
    LinkRefusal,
    ours_stands,
    read,
)
from chatroom.model.device_keys import Envelope

if TYPE_CHECKING:
    from chatroom.client.direct.link import DirectLink
    from chatroom.client.direct.race import Race

MOST_PEERS = 32  # devices with a link, or an ask for one, at once
NO_TLS = "direct links need TLS; start chatroom-client without --plain"


class LinkState(StrEnum):
    """How far a link with a device is. After ``RELAYED`` there is none, and messages go by the server."""

    ASKING = "asking"
    ASKED = "asked"
    CONNECTING = "connecting"
    DIRECT = "direct"
    RELAYED = "relayed"


class LinkEvents(Protocol):
    """What the client does when something happens to its links."""

    def send(self, peer: LinkPeer, kind: str, body: dict[str, Any]) -> None:
        """Seal a message for a device, and send it by the server, in order.

        Args:
            peer: The device.
            kind: The type of the message, such as ``p2p.ask``.
            body: Its body: texts, integers and lists.
        """
        ...

    def state_changed(self, peer: LinkPeer, state: LinkState, why: str) -> None:
        """Show the new state.

        Args:
            peer: The device.
            state: The state; if it is ``ASKED``, the user should say whether to agree.
            why: The reason, as the end of a sentence, if it is ``RELAYED``.
        """
        ...

    def envelope(self, peer: LinkPeer, key: str, envelope: Envelope) -> Any:
        """Handle a sealed message. It is acknowledged afterwards, unless this fails; the result may be a Deferred."""
        ...

    def chunk(self, peer: LinkPeer, data: bytes) -> Any:
        """Handle bytes of a file, in the same way as a message."""
        ...


@dataclass(slots=True, eq=False, repr=False)
class _Attempt:
    """A link with a device, or the attempt to get one.

    Args:
        id: The id of the ask.
        state: The state.
        offered: Whether our side made the offer.
        timer: Ends the ask.
        race: Connects.
        channel: Carries messages, once there is a link.
    """

    id: str
    state: LinkState
    offered: bool = False
    timer: Any = None
    race: Race | None = None
    channel: LinkChannel | None = None


class DirectLinks:
    """All direct links of this client.

    Args:
        reactor: Listens, dials, and makes delayed calls.
        me: Our own user and device.
        events: What the client does when something happens.
        server: Returns the IP address of the server as our connection to it has it; empty without a connection.
        now: Returns the seconds since 1970.
        random: Returns that many random bytes.
        source: Returns our address on the route to another; see ``candidates.source_address``.
    """

    def __init__(
        self,
        reactor: Any,
        me: LinkPeer,
        events: LinkEvents,
        *,
        server: Callable[[], str],
        now: Callable[[], float],
        random: Callable[[int], bytes],
        source: Callable[[str], str] = source_address,
    ) -> None:
        self._reactor = reactor
        self._me = me
        self._events = events
        self._server = server
        self._now = now
        self._random = random
        self._source = source
        self._attempts: dict[LinkPeer, _Attempt] = {}
        self._seen: dict[LinkPeer, SeenMessages] = {}
        self._bytes = [0, 0]  # sent and received over links that have ended

    # ---- what the user sees and says ---------------------------------------------------------------------------------

    def addresses(self) -> list[str]:
        """Return our addresses that an offer or answer would name now, to show them before the user agrees."""
        return own_addresses(self._server(), self._source)

    def state(self, peer: LinkPeer) -> LinkState | None:
        """Return the state of the link with a device; None if there is none, and nobody has asked for one."""
        attempt = self._attempts.get(peer)
        return attempt.state if attempt is not None else None

    @property
    def bytes_sent(self) -> int:
        """The bytes sent over all links so far."""
        return self._bytes[0] + sum(it.channel.bytes_sent for it in self._attempts.values() if it.channel)

    @property
    def bytes_received(self) -> int:
        """The bytes received over all links so far."""
        return self._bytes[1] + sum(it.channel.bytes_received for it in self._attempts.values() if it.channel)

    def ask(self, peer: LinkPeer) -> None:
        """Ask for a link, or agree if the other user asked already. Only call this when our user has agreed.

        Nothing but the question is sent: our addresses follow when the other user has agreed.
        """
        if self.state(peer) is LinkState.ASKED:
            self.agree(peer)
        elif peer in self._attempts or peer == self._me:
            return
        elif not _has_tls():
            self._events.state_changed(peer, LinkState.RELAYED, NO_TLS)
        elif len(self._attempts) >= MOST_PEERS:
            self._events.state_changed(peer, LinkState.RELAYED, "there are too many direct links")
        else:
            attempt = self._begin(peer, self._random(16).hex(), LinkState.ASKING)
            self._send(peer, ASK, LinkAsk(id=attempt.id, exp=int(self._now() + ASK_WITHIN)))
            self._events.state_changed(peer, LinkState.ASKING, "")

    def agree(self, peer: LinkPeer) -> None:
        """Agree to the link that another user asked for: listen, and tell that device where. Else do nothing."""
        attempt = self._attempts.get(peer)
        if attempt is not None and attempt.state is LinkState.ASKED:
            self._connect(peer, attempt, OFFER)

    def refuse(self, peer: LinkPeer) -> None:
        """Refuse the link that another user asked for."""
        if self.state(peer) is LinkState.ASKED:
            self._give_up(peer, "you refused")

    def close(self, peer: LinkPeer) -> None:
        """End the link with a device, or the attempt to get one."""
        attempt = self._attempts.get(peer)
        if attempt is None:
            return
        if attempt.channel is not None:
            attempt.channel.close("you ended it")
        else:
            self._give_up(peer, "you ended it")

    def stop(self) -> None:
        """End everything, because the client ends."""
        for peer in list(self._attempts):
            self.close(peer)

    # ---- what goes over a link ---------------------------------------------------------------------------------------

    def send_envelope(self, peer: LinkPeer, key: str, envelope: Envelope) -> Deferred[None]:
        """Send a sealed message over the link with a device.

        Args:
            peer: The device.
            key: The id of the message.
            envelope: The sealed message.

        Returns:
            A Deferred that fires when the device has acknowledged it. It fails with ``UseRelay`` if there is no link or
            no acknowledgement; the message may have arrived all the same, so it must go by the server under its old id.
        """
        channel = self._channel(peer)
        return channel.send(key, envelope) if channel is not None else fail(UseRelay("there is no link"))

    def send_chunk(self, peer: LinkPeer, data: bytes) -> Deferred[None]:
        """Send bytes of a file over the link with a device; see ``send_envelope``. Chunks arrive in order."""
        channel = self._channel(peer)
        return channel.send_chunk(data) if channel is not None else fail(UseRelay("there is no link"))

    def _channel(self, peer: LinkPeer) -> LinkChannel | None:
        attempt = self._attempts.get(peer)
        return attempt.channel if attempt is not None else None

    # ---- what another device says ------------------------------------------------------------------------------------

    def received(self, peer: LinkPeer, kind: str, body: Mapping[str, Any]) -> None:
        """Take in a message that another device sent sealed.

        Args:
            peer: The device, as the encryption has proved it.
            kind: The type of the message, such as ``p2p.offer``.
            body: Its body; anything may be in it.
        """
        attempt = self._attempts.get(peer)
        message = read(kind, body, self._now())
        if message is None:
            self._on_invalid(peer, attempt, kind, body.get("id"))
        elif isinstance(message, LinkAsk):
            self._on_ask(peer, attempt, message)
        elif attempt is None or attempt.id != message.id:
            return  # of an attempt that has ended, or that there never was
        elif isinstance(message, LinkRefusal):
            self._on_refusal(peer, attempt)
        elif kind == OFFER and attempt.state is LinkState.ASKING:
            self._connect(peer, attempt, ANSWER, message)
        elif kind == ANSWER and attempt.state is LinkState.CONNECTING and attempt.race is not None:
            attempt.race.meet(message.fp, message.cand)

    def _on_invalid(self, peer: LinkPeer, attempt: _Attempt | None, kind: str, of: object) -> None:
        """Give up if what should have been an offer or answer for us is not valid."""
        if attempt is None or attempt.id != of:
            return
        waiting = attempt.state is (LinkState.ASKING if kind == OFFER else LinkState.CONNECTING)
        if kind in (OFFER, ANSWER) and waiting:
            self._give_up(peer, "what the other client sent was not valid, or came too late")

    def _on_ask(self, peer: LinkPeer, attempt: _Attempt | None, ask: LinkAsk) -> None:
        """Let the user decide; if both users asked at once, both have agreed, and one of the asks stands."""
        if peer == self._me or (attempt is None and len(self._attempts) >= MOST_PEERS):
            return
        if attempt is not None and attempt.id == ask.id:
            return  # the same ask again
        if not _has_tls():
            self._send(peer, REFUSE, LinkRefusal(id=ask.id))
        elif attempt is None:
            self._ask_user(peer, ask.id)
        elif attempt.state is LinkState.ASKING:
            if not ours_stands(self._me, peer):
                attempt.id = ask.id
                self._connect(peer, attempt, OFFER)
        elif attempt.state is LinkState.ASKED:
            attempt.id = ask.id  # the user is being asked already
            self._end_within(peer, attempt)
        else:
            self._end(peer, attempt, "the other client has lost it")
            self._ask_user(peer, ask.id)

    def _ask_user(self, peer: LinkPeer, of: str) -> None:
        self._begin(peer, of, LinkState.ASKED)
        self._events.state_changed(peer, LinkState.ASKED, "")

    def _on_refusal(self, peer: LinkPeer, attempt: _Attempt) -> None:
        whys = {
            LinkState.ASKING: "the other user refused, or runs a client without direct links",
            LinkState.ASKED: "the other user took it back",
            LinkState.CONNECTING: "the other client gave up",
        }
        if attempt.state in whys:
            self._end(peer, attempt, whys[attempt.state])

    # ---- attempts ----------------------------------------------------------------------------------------------------

    def _send(self, peer: LinkPeer, kind: str, message: LinkAsk | LinkOffer | LinkRefusal) -> None:
        self._events.send(peer, kind, msgspec.json.decode(msgspec.json.encode(message)))  # lists, as the receiver gets

    def _begin(self, peer: LinkPeer, of: str, state: LinkState) -> _Attempt:
        attempt = self._attempts[peer] = _Attempt(of, state)
        self._end_within(peer, attempt)
        return attempt

    def _end_within(self, peer: LinkPeer, attempt: _Attempt) -> None:
        """Let an ask end when it is too old."""
        _cancel(attempt.timer)
        why = f"nobody agreed within {ASK_WITHIN / 60:.0f} minutes"
        attempt.timer = self._reactor.callLater(ASK_WITHIN, self._give_up, peer, why)

    def _connect(self, peer: LinkPeer, attempt: _Attempt, kind: str, offer: LinkOffer | None = None) -> None:
        """Listen, tell the other device where, and dial it if we know where it listens.

        Args:
            peer: The device.
            attempt: The attempt; both users have agreed to it.
            kind: ``p2p.offer`` or ``p2p.answer``.
            offer: The offer that is answered.
        """
        from chatroom.client.direct.certificate import new_certificate
        from chatroom.client.direct.race import Race  # loads OpenSSL

        _cancel(attempt.timer)
        certificate = new_certificate(self._now())
        attempt.state, attempt.offered = LinkState.CONNECTING, offer is None
        attempt.race = Race(
            self._reactor,
            certificate,
            offered=attempt.offered,
            loopback=is_loopback(self._server()),
            won=partial(self._won, peer, attempt),
            failed=partial(self._end, peer, attempt),
        )
        race = attempt.race
        where = race.listen(self.addresses())
        until = int(self._now() + OFFER_WITHIN)
        self._events.state_changed(peer, LinkState.CONNECTING, "")
        self._send(peer, kind, LinkOffer(id=attempt.id, fp=certificate.pin, cand=where, exp=until))
        if offer is not None:
            race.meet(offer.fp, offer.cand)

    def _won(self, peer: LinkPeer, attempt: _Attempt, link: DirectLink) -> None:
        """Use the link that won the race."""
        seen = self._seen.setdefault(peer, SeenMessages())
        if len(self._seen) > MOST_PEERS:
            del self._seen[next(iter(self._seen))]
        attempt.state = LinkState.DIRECT
        attempt.channel = LinkChannel(
            link,
            self._reactor,
            seen,
            partial(self._events.envelope, peer),
            partial(self._events.chunk, peer),
            partial(self._end, peer, attempt),
        )
        self._events.state_changed(peer, LinkState.DIRECT, "")

    def _give_up(self, peer: LinkPeer, why: str) -> None:
        """End an attempt, and tell the other device."""
        attempt = self._attempts[peer]
        self._send(peer, REFUSE, LinkRefusal(id=attempt.id))
        self._end(peer, attempt, why)

    def _end(self, peer: LinkPeer, attempt: _Attempt, why: str) -> None:
        """End an attempt, or a link, unless it has ended already."""
        if self._attempts.get(peer) is not attempt:
            return
        del self._attempts[peer]
        _cancel(attempt.timer)
        if attempt.race is not None:
            attempt.race.stop()
        if attempt.channel is not None:
            self._bytes[0] += attempt.channel.bytes_sent
            self._bytes[1] += attempt.channel.bytes_received
            attempt.channel.close(why)
        self._events.state_changed(peer, LinkState.RELAYED, why)


def _cancel(timer: Any) -> None:
    if timer is not None and timer.active():
        timer.cancel()


def _has_tls() -> bool:
    """Return whether OpenSSL can be loaded; the client with ``--plain`` does without it."""
    try:
        import chatroom.client.direct.race  # noqa: F401
    except ImportError:
        return False
    return True
