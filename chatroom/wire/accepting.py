"""The listening port: it takes in a few connections each turn of the reactor; the others wait in the system's backlog.

Twisted would take in a hundred and more at once. Nothing is known of a connection before its first bytes are read, a
turn later, so a flood would use up the descriptors before any of it can be told from the people who come meanwhile.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import tcp
from twisted.internet.protocol import Factory

ACCEPTS = 16  # connections in one turn


class ListeningPort(tcp.Port):
    """As Twisted's, but that it never takes in more than ``ACCEPTS`` connections at once."""

    @property
    def numberAccepts(self) -> int:  # noqa: N802
        """How many connections are taken in at once; Twisted would change it after each turn."""
        return ACCEPTS

    @numberAccepts.setter
    def numberAccepts(self, number: int) -> None:  # noqa: N802
        """Leave it as it is."""


def listen(reactor: Any, listening: socket.socket, factory: Factory) -> Any:
    """Open a port over a socket that listens already, and return it; it has a descriptor of its own.

    Args:
        reactor: Reads it.
        listening: It does not block.
        factory: Makes the protocols of its connections.
    """
    port = ListeningPort._fromListeningDescriptor(reactor, listening.fileno(), listening.family, factory)
    port.startListening()
    return port
