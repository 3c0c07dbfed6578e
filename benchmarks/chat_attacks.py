"""Attacks by people and programs who only do what the chat lets them do, again and again, on many connections."""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count

from flooding import PATIENCE, Flood
from many import Crowd, some_messages

MANY = 200  # connections
READERS = 30  # connections of those who count what is unread
CHUNK = 256 * 1024  # bytes
ENDS = ("upload", "error")  # what answers an announcement


def lists(port: int, seconds: float) -> None:
    """Ask for the list of rooms and the list of files, of which there are ten thousand each."""
    say_again(port, seconds, MANY, lambda i: _after(b"/join room0\r\n", lambda n: b"/rooms\r\n/files\r\n"))


def bans(port: int, seconds: float) -> None:
    """Ban names in rooms of one's own, with the longest reasons, and change the topic."""
    reason = "\N{SNOWMAN}" * 200

    def act(number: int) -> bytes:
        return f"/ban nobody{number} {reason}\r\n/mute noisy{number} {reason}\r\n/topic {number} {reason}\r\n".encode()

    say_again(port, seconds, MANY, lambda i: _after(f"/join den{i}\r\n".encode(), act))


def first_chunks(port: int, seconds: float) -> None:
    """Announce large files, send the first chunk of each, and hang up."""
    end, numbers = time.monotonic() + seconds, count()
    while time.monotonic() < end:
        n = next(numbers)
        with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
            client.sendall(_record(do="hello", version=1) + _record(do="join", room=f"files{n % 10}"))
            client.sendall(_record(do="share", name=f"file{n}", size=1 << 24, sha256=f"{n:064x}"))
            heard = client.makefile("rb")
            answer = next((record for line in heard if (record := json.loads(line))["event"] in ENDS), {})
            if "file" in answer:
                client.sendall(_record(do="chunk", file=answer["file"], index=0, bytes=CHUNK) + bytes(CHUNK))
                heard.readline()


def say_to_readers(port: int) -> None:
    """Let the readers join a room once, then say a thousand long messages there, and send them to each reader."""
    almost = " ".join(f"st\xe9eve{i}x" for i in range(READERS)) * 8  # words that hold the readers' names
    clients = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(READERS)]
    for i, client in enumerate(clients):
        client.sendall(_reader(i) + _record(do="join", room="hall-of-words", ref="in"))
        _until(client, b'"re":"in"')
    for i, client in enumerate(clients):
        said = _record(do="say", text=almost) * (1200 // READERS)
        client.sendall(said + _record(do="message", user=f"eve{i}", text=almost) * 90 + _record(do="pong", ref="out"))
        for other in clients:
            _until(other, b'"re":"out"' if other is client else b'"said"')
    for client in clients:
        client.close()


def count_unread(port: int, seconds: float) -> None:
    """Come back to a room where a thousand long messages are unread, and ask for conversations."""
    join = _record(do="join", room="hall-of-words")

    def script(i: int) -> Iterator[bytes]:
        ask = _record(do="conversations") + _record(do="history", user=f"eve{i}", messages=200)
        return _after(_reader(i) + join, lambda n: _record(do="leave") + join + ask)

    say_again(port, seconds, READERS, script)


def _reader(number: int) -> bytes:
    """Return what makes a program the reader with a number, again if it was here before."""
    return _record(do="hello", version=1, name=f"eve{number}", resume=f"the secret of reader {number}")


def _until(client: socket.socket, wanted: bytes) -> None:
    """Read until something comes."""
    heard = b""
    while wanted not in heard:
        heard = heard[-100:] + client.recv(1 << 20)


def fill(port: int) -> None:
    """Say about as much as there is room for."""
    flood(port, 30)


def flood(port: int, seconds: float) -> None:
    """Say so much that the database comes to its bound."""

    def act(n: int) -> bytes:
        return b"".join(b"/me %d %s\r\n" % (n * 20 + i, b"z" * 3000) for i in range(20))

    say_again(port, seconds, MANY, lambda i: _after(f"/join flood{i % 8}\r\n".encode(), act))


def say_again(port: int, seconds: float, number: int, script: Callable[[int], Iterator[bytes]]) -> None:
    """Let so many connections say what the script gives to each, by its number."""
    numbers = count()

    def begin(client: socket.socket) -> Callable[[], bytes]:
        return partial(next, script(next(numbers)))

    Flood(port, number, begin).run(seconds)


def _after(first: bytes, act: Callable[[int], bytes]) -> Iterator[bytes]:
    yield first
    for number in count():
        yield act(number)


def _record(**fields: object) -> bytes:
    return json.dumps(fields).encode() + b"\n"


# ---- attacks: searching -------------------------------------------------------------------------------------------

TALKERS = 10  # each says so many thousand messages in a room of its own
THOUSANDS = 50
SEARCHERS = 30  # connections
SEARCH = b"/search mes has som wor alp bet gam ess ord lph\r\n"  # ten words of three letters


def say_much(port: int) -> None:
    """Say half a million messages without a pause."""
    with Crowd(port) as crowd:
        crowd.join(TALKERS, TALKERS)
        for start in range(0, THOUSANDS * 1000, 1000):
            crowd.say(lambda _, start=start: some_messages(start))  # type: ignore[misc]
            crowd.wait(b"gamma\r\n", 1000)


def search_tiny_rooms(port: int, seconds: float) -> None:
    """Search in rooms where next to nothing was said."""
    search_again([in_a_room(port, f"tiny{i}") for i in range(SEARCHERS)], seconds)


def search_large_rooms(port: int, seconds: float) -> None:
    """Search in the rooms where most was said."""
    search_again([in_a_room(port, f"room{i % TALKERS}") for i in range(SEARCHERS)], seconds)


def in_a_room(port: int, room: str) -> socket.socket:
    """Return a connection that is in a room."""
    client = socket.create_connection(("127.0.0.1", port), PATIENCE)
    client.sendall(f"/join {room}\r\n".encode())
    heard = b""
    while b"Current users: " not in heard:
        heard += client.recv(65536)
    return client


def search_again(clients: list[socket.socket], seconds: float) -> None:
    """Search on all connections, again as soon as there is an answer."""
    end = time.monotonic() + seconds
    for client in clients:
        client.sendall(SEARCH)
    while time.monotonic() < end:
        for client in select.select(clients, (), (), 0.1)[0]:
            if b" found" in client.recv(1 << 20):
                client.sendall(SEARCH)


GUESTS = 16  # connections


def change_topics(port: int, seconds: float) -> None:
    """Change the topics of one's own rooms, so that the audit log grows."""

    def begin(client: socket.socket) -> Callable[[], bytes]:
        client.sendall(f"/join mine{client.fileno()}\r\n".encode())
        return lambda: b"/topic " + b"x" * 380 + b"\r\n"

    Flood(port, GUESTS, begin).run(seconds)


def make_rooms(port: int, seconds: float) -> None:
    """Make rooms and leave them at once, also when there may be no more of them."""
    numbers = count()

    def begin(client: socket.socket) -> Callable[[], bytes]:
        return lambda: f"/create empty{next(numbers)}\r\n/leave\r\n".encode()

    Flood(port, GUESTS, begin).run(seconds)


def take_names(port: int, seconds: float) -> None:
    """Take one name after the other, and write to all of them."""
    numbers = count()

    def begin(client: socket.socket) -> Callable[[], bytes]:
        def packet() -> bytes:
            number = next(numbers)
            return f"/name cycled{number}\r\n/msg cycled{max(0, number - GUESTS * 2)} hello\r\n".encode()

        return packet

    Flood(port, GUESTS, begin).run(seconds)
