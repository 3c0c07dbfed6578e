"""Functions that treat each kind of transport as it needs: plain TCP, TLS over TCP, and the transports of tests."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import ISSLTransport

KEEPALIVE_IDLE = 120  # seconds of silence before TCP sends its first probe
KEEPALIVE_INTERVAL = 30  # seconds between probes
KEEPALIVE_PROBES = 4  # unanswered probes after which TCP gives the connection up


def is_secure(transport: Any) -> bool:
    """Return whether the transport encrypts, so that nobody on the network can read what it carries."""
    return bool(ISSLTransport.providedBy(transport))


def send_function(transport: Any) -> Callable[[bytes], int]:
    """Return a function that sends bytes over a transport, and returns how many bytes were taken.

    For plain TCP the function is the socket's own ``send``. TLS and the transports of tests have no ``send``, or one
    that would bypass them; for these the function calls ``write``, which takes everything.
    """
    handle: Any = transport.getHandle() if hasattr(transport, "getHandle") else None
    if hasattr(handle, "send") and not hasattr(handle, "get_peer_certificate"):
        send: Callable[[bytes], int] = handle.send
        return send

    def write(data: bytes) -> int:
        transport.write(data)
        return len(data)

    return write


def keep_alive(transport: Any) -> None:
    """Let TCP notice within a few minutes that the other machine is gone, and read urgent bytes among the others."""
    transport = getattr(transport, "bare", transport)  # the TCP transport under TLS
    transport.setTcpKeepAlive(True)
    handle = transport.getHandle() if hasattr(transport, "getHandle") else None
    if isinstance(handle, socket.socket):
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE)
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_INTERVAL)
        handle.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
