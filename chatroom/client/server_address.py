"""Parses the address of a server as people write it: a name, an IPv4 or an IPv6 address, with or without a port.

``chat.example``, ``chat.example:9000``, ``::1``, ``[::1]:9000``, ``fe80::1%eth0`` (an address that is valid on one
network interface only, its zone), ``[fe80::1%eth0]:9000``. A zone holds no colon, so ``fe80::1%eth0:9000`` is clear.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from chatroom.client.config import BadConfig

LAST_PORT = 65535


def port_of(text: str) -> int:
    """Parse a port.

    Raises:
        ValueError: The text is no port; the error says what a port is.
    """
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= LAST_PORT):
        raise ValueError(f"{text} is no port; it is a number from 1 to {LAST_PORT}")
    return int(text)


def read_address(text: str, where: str) -> tuple[str, int | None]:
    """Return a server's host without brackets, and its port; None if no port was given.

    Args:
        text: The address.
        where: Where the address was written, such as the name of an option; the error begins with it.

    Raises:
        BadConfig: The text is no address of a server.
    """
    host, port = _split(text.strip())
    if not _is_host(host):
        raise BadConfig(f"{where}: give the name or the address of a server, such as chat.example or [::1]:8888.")
    try:
        return host, None if port is None else port_of(port)
    except ValueError as error:
        raise BadConfig(f"{where}: {error}.") from None


def _split(text: str) -> tuple[str, str | None]:
    """Split an address into host and port (None if it has none); the host is empty if the brackets are wrong."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        ends_well = text.endswith("]") or rest.startswith(":")
        return host if ":" in host and ends_well else "", rest[1:] if rest else None
    before, percent, after = text.partition("%")
    if not percent and text.count(":") > 1:
        return text, None  # an IPv6 address
    host, colon, port = (after if percent else text).partition(":")
    return f"{before}{percent}{host}" if percent else host, port if colon else None


def _is_host(host: str) -> bool:
    """Return whether a text can be a host. A text with a colon or a zone (``%``) has to be an IPv6 address."""
    if not host or not host.isprintable() or any(char.isspace() or char in "/[]" for char in host):
        return False
    return _is_ipv6(host) if ":" in host or "%" in host else True


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True
