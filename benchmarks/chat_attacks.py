"""Attacks by people and programs who only do what the chat lets them do, again and again, on many connections."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from itertools import count

PATIENCE = 30.0  # seconds
MANY = 200  # connections
CHUNK = 256 * 1024

Script = Callable[[int], Iterator[bytes]]
"""Gives what the connection of that number says, piece by piece, without end."""


def repeat(port: int, seconds: float, number: int, script: Script) -> None:
    """Let so many connections say what the script gives, as fast as the daemon takes it; new ones replace the dead.

    Args:
        port: Of the daemon, on 127.0.0.1.
        seconds: For how long.
        number: Connections at a time.
        script: What each says.
    """
    end = time.monotonic() + seconds
    numbers = count()
    clients: dict[socket.socket, Iterator[bytes]] = {}
    rest: dict[socket.socket, bytes] = {}
    while time.monotonic() < end:
        while len(clients) < number:
            client = socket.create_connection(("127.0.0.1", port), PATIENCE)
            client.setblocking(False)
            clients[client], rest[client] = script(next(numbers)), b""
        readable, writable, _ = select.select(clients, clients, (), 0.1)
        for client in {*readable, *writable}:
            try:
                if client in readable and not client.recv(1 << 18):
                    raise ConnectionResetError
                if client in writable:
                    said = rest[client] or next(clients[client])
                    rest[client] = said[client.send(said) :]
            except BlockingIOError:
                pass
            except OSError:
                client.close()
                del clients[client], rest[client]
        time.sleep(0.002)  # the attacker shares its processor with the bystanders


def lists(port: int, seconds: float) -> None:
    """Ask for the list of rooms and the list of files, of which there are ten thousand each."""
    repeat(port, seconds, MANY, lambda i: _after(b"/join room0\r\n", lambda n: b"/rooms\r\n/files\r\n"))


def bans(port: int, seconds: float) -> None:
    """Ban names in rooms of one's own, with the longest reasons, and change the topic."""
    reason = "\N{SNOWMAN}" * 200

    def act(number: int) -> bytes:
        return f"/ban nobody{number} {reason}\r\n/mute noisy{number} {reason}\r\n/topic {number} {reason}\r\n".encode()

    repeat(port, seconds, MANY, lambda i: _after(f"/join den{i}\r\n".encode(), act))


def rooms(port: int, seconds: float) -> None:
    """Make rooms: close every other one, and leave the rest empty."""

    def script(i: int) -> Iterator[bytes]:
        return _after(b"", lambda n: f"/join hole{i}x{n}\r\n{'/close' if n % 2 else 'leave'}\r\n".encode())

    repeat(port, seconds, MANY, script)


def mail(port: int, seconds: float) -> None:
    """Take one name after the other, and write to all who ever had one."""

    def act(i: int) -> Callable[[int], bytes]:
        return lambda n: f"/name n{i}x{n}\r\n/msg n{i}x{max(0, n - 1)} {'y' * 900}\r\n".encode()

    repeat(port, seconds, MANY, lambda i: _after(b"", act(i)))


def first_chunks(port: int, seconds: float) -> None:
    """Announce large files, send the first chunk of each, and come again."""

    def script(i: int) -> Iterator[bytes]:
        yield _record(do="hello", version=1) + _record(do="join", room=f"files{i % 10}")
        for n in count():
            yield _record(do="share", name=f"{i}x{n}", size=1 << 24, sha256=f"{i * 1000 + n:064x}")
            yield b""

    repeat(port, seconds, 64, script)


def flood(port: int, seconds: float) -> None:
    """Say so much that the database comes to its bound."""

    def act(n: int) -> bytes:
        return b"".join(b"/me %d %s\r\n" % (n * 20 + i, b"z" * 3000) for i in range(20))

    repeat(port, seconds, 8, lambda i: _after(f"/join flood{i}\r\n".encode(), act))


def _after(first: bytes, act: Callable[[int], bytes]) -> Iterator[bytes]:
    yield first
    for number in count():
        yield act(number)


def _record(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"
