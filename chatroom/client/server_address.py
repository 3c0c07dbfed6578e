"""The address of a server as people write it: a name, an IPv4 or an IPv6 address, with or without its port.

``chat.example``, ``chat.example:9000``, ``::1``, ``[::1]:9000``, ``fe80::1%eth0`` (an address that holds on one network
interface alone, its zone), ``[fe80::1%eth0]:9000``; a zone holds no colon, so ``fe80::1%eth0:9000`` is clear, too.
"""

from __future__ import annotations

from ipaddress import IPv6Address

from chatroom.client.config import BadConfig

LAST_PORT = 65535


def port_of(text: str) -> int:
    """Return a port.

    Raises:
        ValueError: It is none; the text says so.
    """
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= LAST_PORT):
        raise ValueError(f"{text} is no port; it is a number from 1 to {LAST_PORT}")
    return int(text)


def read_address(text: str, where: str) -> tuple[str, int | None]:
    """Return a server's host without brackets, and its port if there is one.

    Args:
        text: What was written.
        where: Where it stands, for the error.

    Raises:
        BadConfig: It is no address of a server.
    """
    host, port = _split(text.strip())
    if not _is_host(host):
        raise BadConfig(f"{where}: give the name or the address of a server, such as chat.example or [::1]:8888.")
    try:
        return host, None if port is None else port_of(port)
    except ValueError as error:
        raise BadConfig(f"{where}: {error}.") from None


def _split(text: str) -> tuple[str, str | None]:
    """Return host and port; an empty host if the text is no address."""
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
    """Return whether it can be a host: what holds a colon or a zone has to be an IPv6 address."""
    if not host or not host.isprintable() or any(char.isspace() or char in "/[]" for char in host):
        return False
    return _is_ipv6(host) if ":" in host or "%" in host else True


def _is_ipv6(host: str) -> bool:
    try:
        IPv6Address(host)
    except ValueError:
        return False
    return True
