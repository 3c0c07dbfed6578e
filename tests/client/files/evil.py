"""A server with ill will, in memory: it lets the client in as others do, and then says what a test makes up."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from client.files.friends import Work, result_of
from client.network import Transport
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from chatroom.client.client import Client
from chatroom.client.connection import ServerConnection
from chatroom.client.files.transfers import Transfers
from chatroom.model.shared_files import CHUNK

LIMITS = {"record": 16384, "text": 4096, "name": 32, "room": 64, "rate": 2.0}
WELCOME = {"event": "welcome", "server": "evil", "version": 1, "you": "me", "guest": True, "features": []}
ENTERED = {"event": "entered", "room": "lobby", "room_id": "r", "topic": "", "users": ["me"], "complete": True}
ABOUT = {"event": "download", "file": "f1", "number": 1, "name": "notes.txt", "chunk": CHUNK}


class Evil:
    """See the module; with the client that is on it.

    Args:
        work: What the client does in threads.

    Attributes:
        told: What the client's user is told.
    """

    def __init__(self, work: Work = maybeDeferred) -> None:
        self.clock = Clock()
        self.told: list[Any] = []
        ids = (str(number) for number in itertools.count(1))
        mint = ids.__next__
        self.client = Client(self._dial, self.clock, mint, self.told.append, name="me", room="lobby")
        self.transfers = Transfers(self.client, "evil:1", self.clock, work)
        self.client.start()
        self.let_in()

    def _dial(self) -> Deferred[ServerConnection]:
        self.transport = Transport()
        self.connection = ServerConnection("evil:1")
        self.connection.makeConnection(self.transport)
        return succeed(self.connection)

    def let_in(self) -> None:
        """Do what is done with everybody who comes."""
        self.answer("hello", WELCOME, limits=LIMITS)
        self.answer("join", ENTERED, seq=1)
        self.answer("pong", {"event": "ok"})
        assert self.transfers.online

    def hear(self) -> list[dict[str, Any]]:
        """Return the records that have come since the last time; what follows a chunk's is its field ``raw``."""
        stream, found = self.transport.value(), []
        self.transport.clear()
        while stream:
            line, _, stream = stream.partition(b"\n")
            record = json.loads(line)
            if record["do"] == "chunk":
                record["raw"], stream = stream[: record["bytes"]], stream[record["bytes"] :]
            found.append(record)
        return found

    def answer(self, do: str, event: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Answer the command that has just come, and return it."""
        (record,) = (record for record in self.hear() if record["do"] == do)
        self.say({**event, **more, "re": record["ref"]})
        return record

    def say(self, record: dict[str, Any], data: bytes = b"") -> None:
        """Say anything at all."""
        self.send(json.dumps(record).encode() + b"\r\n" + data)

    def send(self, data: bytes) -> None:
        """Send any bytes, unless the client has hung up."""
        if not self.transport.aborted:
            self.connection.dataReceived(data)

    def piece(self, index: int, data: bytes, file: str = "f1") -> None:
        """Send a chunk of a file."""
        self.say({"event": "chunk", "file": file, "index": index, "bytes": len(data)}, data)

    def lose(self) -> None:
        """End the connection; the client dials again."""
        self.connection.connectionLost(Failure(ConnectionLost()))
        self.clock.advance(60)

    def cut(self) -> None:
        """End the connection, and let the client come again."""
        self.lose()
        self.let_in()

    def close(self) -> None:
        """It is over."""
        self.connection.connectionLost(Failure(ConnectionLost()))
        Deferred.fromCoroutine(self.client.stop())
        assert not self.clock.getDelayedCalls()

    def get(self, wanted: Path, number: int = 1, **more: bool) -> list[Any]:
        """Let the client fetch a file; what comes of it will be in the list."""
        return result_of(self.transfers.get(number, wanted, **more))

    def begin(self, wanted: Path, data: bytes, **about: Any) -> list[Any]:
        """Let the client fetch that file, up to where it waits for its pieces."""
        what = {**ABOUT, "size": len(data), "sha256": "0" * 64, **about}
        box = self.get(wanted, what["number"])
        self.answer("get", what)
        self.answer("get", what)
        assert not box
        return box
