"""The listening port. It accepts a few connections each turn of the reactor; the others wait in the system's backlog.

Twisted would accept a hundred or more at once. The first bytes of a connection are read a turn after it was accepted,
so a flood would use up the descriptors before the server could tell the flood from the people who connect meanwhile.
"""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import tcp
from twisted.internet.protocol import Factory

ACCEPTS = 16  # connections in one turn of the reactor


class ListeningPort(tcp.Port):
    """Twisted's port, except that it never accepts more than ``ACCEPTS`` connections at once."""

    @property
    def numberAccepts(self) -> int:  # noqa: N802
        """How many connections are accepted at once."""
        return ACCEPTS

    @numberAccepts.setter
    def numberAccepts(self, number: int) -> None:  # noqa: N802
        """Ignore the new number, which Twisted computes after each turn."""


def listen(reactor: Any, listening: socket.socket, factory: Factory) -> Any:
    """Return a port that accepts connections from a socket that listens already. The port duplicates the descriptor.

    Args:
        reactor: The reactor that reads the port.
        listening: The socket, which must not block.
        factory: Makes the protocols of the connections.
    """
    port = ListeningPort._fromListeningDescriptor(reactor, listening.fileno(), listening.family, factory)
    port.startListening()
    return port
