"""Which IP addresses count as one address when connections are counted, or when an address is banned."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


def network(host: str) -> str:
    """Return the network that an address is counted and banned with.

    Args:
        host: An IP address as text; it may have a zone.

    Returns:
        The address itself for IPv4; the /64 network for IPv6, because one customer gets a whole one; an empty text if
        ``host`` is no address.
    """
    address = _address(host)
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address or "")


def plain(host: str) -> str:
    """Return an address as people write it: an IPv4 address in IPv6 form, as from a dual-stack socket, becomes IPv4."""
    return str(_address(host) or host)


def is_local(host: str) -> bool:
    """Return whether a host is a loopback address of this machine, or no IP address at all, as of a socket pair."""
    address = _address(host)
    return address is None or address.is_loopback


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0].partition("/")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
