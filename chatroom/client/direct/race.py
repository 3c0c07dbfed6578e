"""The race for one connection between two clients: both listen and dial, and the side that made the offer picks one.

Imported late, because it loads OpenSSL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from chatroom.client.direct.candidates import Candidate, dialable
from chatroom.client.direct.certificate import LinkCertificate
from chatroom.client.direct.link import DirectLink
from chatroom.client.direct.pinned_tls import PinnedTLS, link_of

WITHIN = 5.0  # seconds until the race is given up
AGAIN = 0.3  # seconds until an address is dialled again: the other side may not know our certificate yet
MOST_LINKS = 8  # connections at once while racing ...
MOST_CALLERS = 4  # ... of which so many may have been dialled by others, so that strangers can't take all places


class Race:
    """An attempt to connect to one client. It ends with ``won`` or ``failed``, unless ``stop`` ends it before.

    Args:
        reactor: Listens, dials, and makes delayed calls.
        certificate: Our certificate, made for this attempt.
        offered: Whether our side made the offer, and so picks the link.
        loopback: Whether addresses of this machine itself may be dialled.
        won: Called with the link that won; it carries frames from then on.
        failed: Called with the reason if none did in time.
    """

    def __init__(
        self,
        reactor: Any,
        certificate: LinkCertificate,
        *,
        offered: bool,
        loopback: bool,
        won: Callable[[DirectLink], None],
        failed: Callable[[str], None],
    ) -> None:
        self.offered = offered
        self.over = False
        self._reactor = reactor
        self._certificate = certificate
        self._loopback = loopback
        self._won = won
        self._failed = failed
        self._tls: PinnedTLS | None = None
        self._winner: DirectLink | None = None
        self._links: set[DirectLink] = set()
        self._callers: set[DirectLink] = set()
        self._ports: list[Any] = []
        self._dials: list[_Dial] = []
        self._timer = reactor.callLater(WITHIN, self._give_up)

    def listen(self, addresses: Iterable[str]) -> tuple[Candidate, ...]:
        """Listen at our own addresses, each on a port that the system picks.

        Returns:
            Where we listen. An address that has gone meanwhile is left out.
        """
        for address in addresses:
            try:
                self._ports.append(self._reactor.listenTCP(0, _Gate(self), interface=address))
            except CannotListenError:
                continue
        return tuple(Candidate(ip=host.host, port=host.port) for host in (port.getHost() for port in self._ports))

    def meet(self, pin: str, candidates: Iterable[Candidate]) -> None:
        """Let in and dial the other side, now that we know its certificate.

        Args:
            pin: The fingerprint of its certificate.
            candidates: Where it says that it listens; only what ``dialable`` allows is dialled.
        """
        if self._tls is not None:
            return
        self._tls = tls = PinnedTLS(self._certificate, pin)
        self._dials = [_Dial(self._reactor, self, tls, at) for at in dialable(candidates, loopback=self._loopback)]
        for dial in self._dials:
            dial.dial()

    def stop(self) -> None:
        """End the race: close all but the winner."""
        self.over = True
        if self._timer.active():
            self._timer.cancel()
        for port in self._ports:
            port.stopListening()
        self._ports.clear()
        for dial in self._dials:
            dial.stop()
        for link in self._links - {self._winner}:
            if self._winner is not None:
                link.give_way()
            else:
                link.abort("the attempt has ended")

    def _give_up(self) -> None:
        self.stop()
        self._failed(f"no connection within {WITHIN:.0f} seconds")

    # ---- links -------------------------------------------------------------------------------------------------------

    @property
    def full(self) -> bool:
        """Whether no further connection may be made now."""
        return self.over or self._tls is None or len(self._links) >= MOST_LINKS

    @property
    def crowded(self) -> bool:
        """Whether a connection that was just made is one too many; several may have been on their way at once."""
        return self.over or len(self._links) > MOST_LINKS

    def let_in(self, address: IAddress | None) -> Protocol | None:
        """Return the protocol for a caller, or None to hang up."""
        if self.full or len(self._callers) >= MOST_CALLERS:
            return None
        assert self._tls is not None
        factory = self._tls.wrapped(_Links(self, self._callers), self._reactor, dials=False)
        return factory.buildProtocol(address)

    def new_link(self, kept: set[DirectLink]) -> DirectLink:
        """Return a link for a connection that was just made; ``kept`` has it until it ends."""
        link = DirectLink(self._reactor, self)
        self._links.add(link)
        kept.add(link)
        return link

    def accepts(self, transport: Any) -> bool:
        """See ``Referee``."""
        return self._tls is not None and self._tls.accepts(transport)

    def claim(self, link: DirectLink) -> bool:
        """See ``Referee``."""
        if self.over or self._winner is not None:
            return False
        self._winner = link
        return True

    def opened(self, link: DirectLink) -> None:
        """See ``Referee``."""
        self.stop()
        self._won(link)

    def ended(self, link: DirectLink) -> None:
        """See ``Referee``."""
        self._links.discard(link)
        self._callers.discard(link)
        for dial in self._dials:
            dial.ended(link)


class _Gate(Factory):
    """Lets callers in, or hangs up. It is outside TLS, whose factory does not hang up if the one inside wants that."""

    noisy = False

    def __init__(self, race: Race) -> None:
        self._race = race

    def buildProtocol(self, addr: IAddress | None) -> Protocol | None:
        return self._race.let_in(addr)


class _Links(Factory):
    """Makes links of a race, inside TLS.

    Args:
        race: The race.
        kept: Has each link until it ends.
    """

    noisy = False

    def __init__(self, race: Race, kept: set[DirectLink]) -> None:
        self._race = race
        self._kept = kept

    def buildProtocol(self, addr: IAddress | None) -> Protocol:
        return self._race.new_link(self._kept)


class _Dial:
    """Dials one address, again and again until the race is over, or until another certificate answered there.

    Args:
        reactor: Dials, and makes delayed calls.
        race: The race.
        tls: Makes our side of TLS.
        at: The address.
    """

    def __init__(self, reactor: Any, race: Race, tls: PinnedTLS, at: Candidate) -> None:
        self._reactor = reactor
        self._race = race
        endpoint = TCP6ClientEndpoint if ":" in at.ip else TCP4ClientEndpoint
        self._endpoint = endpoint(reactor, at.ip, at.port, timeout=WITHIN)
        self._links: set[DirectLink] = set()
        self._factory = tls.wrapped(_Links(race, self._links), reactor, dials=True)
        self._dialling: Deferred[Any] | None = None
        self._tls: Any = None
        self._timer: Any = None

    def dial(self) -> None:
        """Dial now, or a little later if there are too many connections."""
        if self._race.full:
            self._again()
            return
        self._dialling = dialling = self._endpoint.connect(self._factory)
        dialling.addCallbacks(self._connected, self._not_connected)

    def stop(self) -> None:
        """Dial no more."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._dialling is not None:
            self._dialling.cancel()

    def ended(self, link: DirectLink) -> None:
        """Dial again after a while if the link was made here, unless a wrong certificate was shown."""
        if link in self._links:
            self._links.discard(link)
            if not (self._tls is not None and self._tls.distrusted):
                self._again()

    def _connected(self, tls: Any) -> None:
        self._dialling = None
        self._tls = tls
        if self._race.crowded:
            link_of(tls).abort("there are too many connections")

    def _not_connected(self, failure: Failure) -> None:
        self._dialling = None
        self._again()

    def _again(self) -> None:
        if not self._race.over:
            self._timer = self._reactor.callLater(AGAIN, self.dial)
