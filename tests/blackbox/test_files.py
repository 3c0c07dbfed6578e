"""Files through the real daemon: large ones while a room chats, memory that stays flat, ``kill -9`` in the middle."""

from __future__ import annotations

import hashlib
import json
import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from blackbox.daemon import Daemon, Peer

CHUNK = 256 * 1024
WINDOW = 8
SIZE = 16 * 1024 * 1024
MEMORY = 2 * 1024 * 1024  # bytes that the daemon may grow by ...
SLACK = 2  # ... times this: what the allocator keeps is not ours to say


@pytest.fixture(scope="module")
def data() -> bytes:
    """What is shared: nothing that could be compressed, or be mistaken for something that stayed."""
    return random.Random(4).randbytes(SIZE)


def resident(daemon: Daemon) -> int:
    """Return how many bytes of memory the daemon has."""
    return int(Path(f"/proc/{daemon.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def offer(peer: Peer, data: bytes) -> dict[str, Any]:
    """Say what will come; return the answer."""
    peer.record(do="share", name="large.bin", size=len(data), sha256=hashlib.sha256(data).hexdigest())
    return peer.event(event="upload", chunk=CHUNK)


def upload(peer: Peer, file: str, data: bytes, start: int = 0, stop: int | None = None) -> None:
    """Send the chunks in a window; return when all are acknowledged."""
    stop = -(-len(data) // CHUNK) if stop is None else stop
    sent = start
    for index in range(start, stop):
        while sent < min(stop, index + WINDOW):
            raw = data[sent * CHUNK : (sent + 1) * CHUNK]
            head = json.dumps({"do": "chunk", "file": file, "index": sent, "bytes": len(raw)}).encode()
            peer.send(head + b"\n" + raw)
            sent += 1
        peer.event(event="chunk", file=file, index=index)


def download(peer: Peer, start: int = 0) -> bytes:
    """Fetch file 1, acknowledging each chunk when it is here."""
    peer.record(do="get", number=1, **{"from": start})
    about = peer.event(event="download", chunk=CHUNK)
    got = bytearray()
    while start * CHUNK + len(got) < about["size"]:
        record = peer.event(event="chunk", file=about["file"])
        while len(peer._data) < record["bytes"]:
            peer._data += peer._receive()
        got += peer._data[: record["bytes"]]
        peer._data = peer._data[record["bytes"] :]
        peer.record(do="got", file=about["file"], index=record["index"])
    return bytes(got)


class Bystander:
    """Somebody who says something over and over, and measures how long the echo takes."""

    def __init__(self, daemon: Daemon) -> None:
        self._peer = daemon.program("bystander", "talk")
        self.waits: list[float] = []

    def start(self) -> None:
        """Begin, on a thread."""
        self.waits.clear()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._talk)
        self._thread.start()

    def _talk(self) -> None:
        while not self._over.is_set():
            self.talk(1)

    def talk(self, times: int) -> None:
        """Say something so many times."""
        for _ in range(times):
            before = time.monotonic()
            self._peer.record(do="say", text="hello")
            self._peer.event(event="said")
            self.waits.append(time.monotonic() - before)

    def stop(self) -> float:
        """Return the longest wait in seconds."""
        self._over.set()
        self._thread.join()
        return max(self.waits)


def test_16_mib_up_and_down_while_a_room_chats(tmp_path: Path, data: bytes) -> None:
    with Daemon(tmp_path) as daemon:
        alice, bob = daemon.program("alice", "lobby"), daemon.program("bob", "lobby")
        alice.event(event="joined")
        bystander = Bystander(daemon)
        bystander.talk(500)  # whatever memory talk takes is taken before
        quiet, before = max(bystander.waits), resident(daemon)
        bystander.start()
        began = time.monotonic()
        answer = offer(alice, data)
        upload(alice, answer["file"], data)
        alice.event(event="shared", number=1)
        up = time.monotonic() - began
        bob.event(event="shared", number=1)
        after_up = resident(daemon)
        began = time.monotonic()
        assert download(bob) == data
        down = time.monotonic() - began
        after_down = resident(daemon)
        longest = bystander.stop()
        print(
            f"\nup {up:.2f} s, down {down:.2f} s; longest wait {longest * 1000:.1f} ms (without files"
            f" {quiet * 1000:.1f}) of {len(bystander.waits)}; memory +{(after_up - before) / 1024:.0f} KiB,"
            f" +{(after_down - before) / 1024:.0f} KiB"
        )
        assert max(after_up, after_down) - before < SLACK * MEMORY


def test_kill_9_in_the_middle_and_on_it_goes(tmp_path: Path, data: bytes) -> None:
    options = ("--accounts", str(tmp_path / "accounts"))
    (tmp_path / "accounts").write_text("alice:secret\n")

    def log_in(daemon: Daemon) -> Peer:
        alice = daemon.program("a", "lobby")
        alice.record(do="login", user="alice", password="secret")
        alice.event(event="account", name="alice")
        return alice

    daemon = Daemon(tmp_path, *options)
    alice = log_in(daemon)
    answer = offer(alice, data)
    upload(alice, answer["file"], data, 0, 20)
    daemon.kill()
    with Daemon(tmp_path, *options) as daemon:
        alice = log_in(daemon)
        again = offer(alice, data)
        assert again["file"] == answer["file"]
        assert again["have"] >= 20, "what was acknowledged is there"
        upload(alice, again["file"], data, again["have"])
        alice.event(event="shared", number=1)
    with Daemon(tmp_path, *options) as daemon:
        reader = daemon.program("bob", "lobby")
        assert download(reader, 30) == data[30 * CHUNK :]


def test_a_refused_or_wrong_file_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--max-file", "1000000") as daemon:
        alice = daemon.program("alice", "lobby")
        alice.record(do="share", name="x", size=1000001, sha256="0" * 64)
        alice.event(event="error", code="file-too-big")
        assert not (daemon.data / "files").exists()
        alice.record(do="share", name="x", size=300_000, sha256="0" * 64)
        file = alice.event(event="upload")["file"]
        upload(alice, file, b"x" * 300_000)
        alice.event(event="error", code="wrong-hash", file=file)
        assert os.listdir(daemon.data / "files") == []
