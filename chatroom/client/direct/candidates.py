"""Addresses for a direct link: which of ours we name, and which of the other side's we dial."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Annotated

from msgspec import Meta, Struct

MOST_CANDIDATES = 8
LOWEST_PORT = 1024  # below are the services of a machine, which nobody may make us dial
HIGHEST_PORT = 65535
LONGEST_ADDRESS = 45  # characters

TOWARDS = ("192.0.2.1", "2001:db8::1", "192.168.0.1", "10.0.0.1", "172.16.0.1", "100.64.0.1", "fd00::1")
"""Where our routes are looked up, besides the server's address: the internet, and the networks of homes and VPNs."""

_NEVER: tuple[IPv4Network | IPv6Network, ...] = (
    IPv4Network("0.0.0.0/8"),  # "this machine" for some systems
    IPv6Network("::ffff:0:0/96"),  # these five hold an IPv4 address, which would escape the rules for IPv4
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("fec0::/10"),  # of one site, long out of use
)
_DISCARD = 9  # a port for the look-up of a route; nothing is sent


class Candidate(Struct, frozen=True, kw_only=True):
    """An address at which a client listens for the other one.

    Args:
        ip: An IP address as text; never a name, so that nothing is looked up.
        port: The TCP port.
    """

    ip: Annotated[str, Meta(max_length=LONGEST_ADDRESS)]
    port: Annotated[int, Meta(ge=LOWEST_PORT, le=HIGHEST_PORT)]


def usable(ip: str, *, loopback: bool) -> str:
    """Return an address as it is dialled, or an empty text if it must not be dialled.

    Args:
        ip: What should be an IP address. A name, or an address with a zone, is none.
        loopback: Whether addresses of this machine itself are usable.
    """
    try:
        address = ip_address(ip) if "%" not in ip else None
    except ValueError:
        return ""
    return str(address) if address is not None and _is_usable(address, loopback) else ""


def _is_usable(address: IPv4Address | IPv6Address, loopback: bool) -> bool:
    if any(address in network for network in _NEVER):
        return False
    if address.is_loopback:
        return loopback
    return not (address.is_unspecified or address.is_multicast or address.is_reserved or address.is_link_local)


def dialable(candidates: Iterable[Candidate], *, loopback: bool) -> list[Candidate]:
    """Return the other side's candidates that we may dial, each once, and at most ``MOST_CANDIDATES``.

    Args:
        candidates: What the other side named.
        loopback: Whether we reached the server over loopback ourselves, so that the other client may be on this
            machine, too.
    """
    allowed = [
        Candidate(ip=ip, port=candidate.port)
        for candidate in candidates
        if LOWEST_PORT <= candidate.port <= HIGHEST_PORT and (ip := usable(candidate.ip, loopback=loopback))
    ]
    return list(dict.fromkeys(allowed))[:MOST_CANDIDATES]


def is_loopback(ip: str) -> bool:
    """Return whether an address is one of this machine itself; a server at it is reached over loopback."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def source_address(towards: str) -> str:
    """Return our address on the route to another address, or an empty text if there is no route. Nothing is sent.

    Args:
        towards: An IP address.
    """
    try:
        family = socket.AF_INET6 if ip_address(towards).version == 6 else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((towards, _DISCARD))
            return str(probe.getsockname()[0])
    except (ValueError, OSError):
        return ""


def own_addresses(server: str, source: Callable[[str], str] = source_address) -> list[str]:
    """Return our own addresses that the other side may be able to dial, at most ``MOST_CANDIDATES``.

    They are those from which packets to the server, to the internet and to private networks would start. An address
    that no such route uses, such as that of a bridge of virtual machines, stays secret.

    Args:
        server: The IP address of the server as the connection has it; empty without a connection. Addresses of this
            machine itself are only named if the server is at such an address.
        source: Returns our address on the route to another; see ``source_address``.
    """
    loopback = is_loopback(server)
    found = [usable(source(towards), loopback=loopback) for towards in (server, *TOWARDS) if towards]
    return list(dict.fromkeys(filter(None, found)))[:MOST_CANDIDATES]
