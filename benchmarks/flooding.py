"""Packets over many connections, as fast as a daemon takes them: what attacks of all kinds are made of."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable

from OpenSSL import SSL

PATIENCE = 30.0  # seconds


class Flood:
    """Sends packets over some connections as fast as they are taken, and reads what comes back.

    Args:
        port: Where the daemon listens.
        number: Connections at a time; one that the daemon ends is replaced.
        begin: Makes the handshake over a new connection, and returns what makes each packet.
    """

    def __init__(self, port: int, number: int, begin: Callable[[socket.socket], Callable[[], bytes]]) -> None:
        self._port = port
        self._number = number
        self._begin = begin
        self._open: dict[socket.socket, Callable[[], bytes]] = {}
        self._rest: dict[socket.socket, bytes] = {}

    def run(self, seconds: float) -> None:
        """Flood for so long."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            while len(self._open) < self._number:
                self._connect()
            self._turn()

    def _connect(self) -> None:
        client = socket.create_connection(("127.0.0.1", self._port), PATIENCE)
        try:
            self._open[client] = self._begin(client)
            self._rest[client] = b""
            client.setblocking(False)
        except (OSError, SSL.Error, SystemExit):
            self._drop(client)

    def _turn(self) -> None:
        readable, writable, _ = select.select(self._open, self._open, (), 0.1)
        for client in {*readable, *writable}:
            try:
                if client in readable and not client.recv(65536):
                    self._drop(client)
                elif client in writable:
                    packet = self._rest[client] or self._open[client]()
                    self._rest[client] = packet[client.send(packet) :]
            except BlockingIOError:
                pass
            except OSError:
                self._drop(client)

    def _drop(self, client: socket.socket) -> None:
        client.close()
        self._open.pop(client, None)
        self._rest.pop(client, None)
