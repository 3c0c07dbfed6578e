"""Opens the listening socket before twistd forks or gives up root's rights, so that errors are seen at once."""

from __future__ import annotations

import errno
import socket

BACKLOG = 4096  # connections that may wait to be accepted; a whole school class may connect at once

_NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.EPROTONOSUPPORT}


class BadPort(Exception):
    """The daemon can't listen on a port; the text says why and what to do."""


def take_port(port: int, interface: str, options: str) -> socket.socket:
    """Return a socket that listens on a port and does not block.

    Args:
        port: The port; 0 for any.
        interface: The address or host name to listen on; empty for all addresses, IPv6 and IPv4.
        options: The options by which the operator can choose another port; the error names them.

    Raises:
        BadPort: The port is in use, or this user may not take it, or there is no such address.
    """
    try:
        if interface:
            family, _, _, _, address = socket.getaddrinfo(interface, port, type=socket.SOCK_STREAM)[0]
            return _listen(family, address)
        try:
            return _listen(socket.AF_INET6, ("::", port))
        except OSError as error:
            if error.errno not in _NO_IPV6:
                raise
            return _listen(socket.AF_INET, ("0.0.0.0", port))
    except OSError as error:
        where = f" of {interface}" if interface else ""
        raise BadPort(f"cannot listen on port {port}{where}: {error.strerror}; give another {options}") from None


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    taken = socket.socket(family, socket.SOCK_STREAM)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address[0] == "::":
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        taken.bind(address)
        taken.listen(BACKLOG)
        taken.setblocking(False)
    except OSError:
        taken.close()
        raise
    return taken
