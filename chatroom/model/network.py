"""What counts as one place that connections come from."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address


def network(host: str) -> str:
    """Return what is counted, and banned, together.

    Args:
        host: An IP address as text; with a zone, perhaps.

    Returns:
        The address; for IPv6 its network of 64 bits, for that is given to one customer; empty for what is no address.
    """
    address = _address(host)
    if isinstance(address, IPv6Address) and not address.is_loopback:
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address or "")


def plain(host: str) -> str:
    """Return the address as people write it: IPv4 without the IPv6 that a socket for both may put around it."""
    return str(_address(host) or host)


def is_local(host: str) -> bool:
    """Return whether it is this machine, or what has no address at all (a socket pair)."""
    address = _address(host)
    return address is None or address.is_loopback


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host.partition("%")[0].partition("/")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
