"""Clients that are killed at a moment of the test's choice, and stores that take time to store."""

from __future__ import annotations

import copy
import json
from base64 import b64decode
from typing import Any

import harness
import pytest
from client.encryption.people import KeyPerson
from client.network import Line, Network, Transport
from twisted.internet.defer import Deferred, fail

from chatroom.client.connection import ServerConnection
from chatroom.client.encryption.store import MemoryStore
from chatroom.client.errors import Failed

Record = dict[str, Any]

_for_ever: list[Deferred[None]] = []  # the commits of dead clients; what waits for them must not end, as garbage does


class SlowStore(MemoryStore):
    """A store whose commits take time, and that can end a client at one of them.

    Args:
        clock: The time.

    Attributes:
        kill_at: The number of the commit at which the client is killed; None: at none.
        stored: Whether what that commit stores is stored when the client is killed.
        on_kill: Called when the client is to be killed.
        held: While it is true, no commit comes to an end.
    """

    def __init__(self, clock: Any) -> None:
        super().__init__()
        self._clock = clock
        self.kill_at: int | None = None
        self.stored = True
        self.on_kill = lambda: None
        self.held = False
        self._waiting: list[Deferred[None]] = []
        self._durable = self._snapshot()

    def _snapshot(self) -> Any:
        return copy.deepcopy((self._tables, self._history, self.generation))

    def commit(self) -> Deferred[None]:
        """Store everything; the Deferred fires in the clock's next turn."""
        self.commits += 1
        done: Deferred[None] = Deferred()
        if self.kill_at is not None and self.commits >= self.kill_at:
            if self.stored and self.commits == self.kill_at:
                self._durable = self._snapshot()
            self.on_kill()
            _for_ever.append(done)
            return done
        snapshot = self._snapshot()
        self._waiting.append(done)
        done.addCallback(lambda result: setattr(self, "_durable", snapshot))
        if not self.held:
            self._clock.callLater(0, self._fire, done)
        return done

    def release(self) -> None:
        """Let all commits come to an end."""
        self.held = False
        for done in list(self._waiting):
            self._fire(done)

    def _fire(self, done: Deferred[None]) -> None:
        if done in self._waiting:
            self._waiting.remove(done)
            done.callback(None)

    def close(self) -> Deferred[None]:
        """Store everything; what a dead client closes is not stored."""
        if self.kill_at is None or self.commits < self.kill_at:
            self._durable = self._snapshot()
        return super().close()

    def reopened(self) -> SlowStore:
        """Return the store as another run finds it."""
        other = SlowStore(self._clock)
        tables, history, generation = copy.deepcopy(self._durable)
        other._tables, other._history, other.generation = tables, history, generation
        other._durable = copy.deepcopy((tables, history, generation + 1))  # counted durably before an opening answers
        return other


class SlowStores(dict[str, MemoryStore]):
    """The stores of one client by user id, made when they are missing.

    Args:
        clock: The time.
        kill_at: See ``SlowStore``.
        stored: See ``SlowStore``.
    """

    def __init__(self, clock: Any, kill_at: int | None = None, *, stored: bool = True) -> None:
        super().__init__()
        self._clock = clock
        self._kill_at, self._stored = kill_at, stored
        self.on_kill = lambda: None

    def setdefault(self, user_id: str, default: Any = None) -> Any:
        """Return the store of a user."""
        if user_id not in self:
            store = self[user_id] = SlowStore(self._clock)
            store.kill_at, store.stored = self._kill_at, self._stored
            store.on_kill = lambda: self.on_kill()
        return self[user_id]

    def reopened(self) -> SlowStores:
        """Return the stores as another run finds them."""
        other = SlowStores(self._clock)
        for user_id, store in self.items():
            assert isinstance(store, SlowStore)
            opened = other[user_id] = store.reopened()
            opened.on_kill = lambda: other.on_kill()
        return other


class _Gone:
    """The client's end of a line whose client is dead."""

    def __init__(self, client: ServerConnection) -> None:
        self.connectionLost = client.connectionLost

    def dataReceived(self, data: bytes) -> None:
        """Ignore what comes."""


class MortalNetwork:
    """The network as one client sees it, which can be killed.

    Args:
        network: The network.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._line: Line | None = None
        self.dead = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def dial(self) -> Deferred[ServerConnection]:
        """Connect the client, unless it is dead."""
        if self.dead:
            return fail(Failed("it is dead", hopeless=True))
        dialled = self._network.dial()
        self._line = self._network.lines[-1]
        return dialled

    def kill(self) -> None:
        """Let nothing more leave the client or come to it; what it has written before is delivered."""
        self.dead = True
        line = self._line
        if line is not None and line.open and not isinstance(line.client, _Gone):
            written, line.transport = line.transport.value(), Transport()
            line.transport.write(written)
            line.client = _Gone(line.client)  # type: ignore[assignment]

    def bury(self) -> None:
        """End the line of the dead client."""
        if self._line is not None:
            self._line.end()
        self._network.pass_time(3)


def mortal(network: Network, stores: SlowStores, **fields: Any) -> KeyPerson:
    """Return somebody whose client can be killed, and who is there."""
    own = MortalNetwork(network)
    person = KeyPerson(own, stores, **fields)  # type: ignore[arg-type]
    stores.on_kill = own.kill
    person.come()
    return person


# ---- what left -----------------------------------------------------------------------------------------------------


class Wiretap:
    """Notes everything that clients send, and fails if a key seals two messages.

    Attributes:
        records: All records.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.records: list[Record] = []
        self._sealed: dict[tuple[bytes, int], bytes] = {}
        send = harness.Client.send

        def tapped(client: harness.Client, data: bytes) -> None:
            for line in data.splitlines():
                if line.startswith(b"{"):
                    self._note(json.loads(line))
            send(client, data)

        monkeypatch.setattr(harness.Client, "send", tapped)

    def of(self, *kinds: str) -> list[Record]:
        """Return the records of commands."""
        return [record for record in self.records if record.get("do") in kinds]

    @property
    def sealed(self) -> int:
        """How many different ciphertexts left."""
        return len(self._sealed)

    def _note(self, record: Record) -> None:
        self.records.append(record)
        for envelope in record.get("envelopes", ()):
            raw = unpadded(envelope["body"])
            self._once(_olm_key(raw if envelope["kind"] == 1 else _field(raw[1:], 4)), raw)
        if "ct" in record:
            raw = unpadded(record["ct"])
            self._once((record["sid"].encode(), _number(raw[1:], 1)), raw)

    def _once(self, key: tuple[bytes, int], ciphertext: bytes) -> None:
        known = self._sealed.setdefault(key, ciphertext)
        assert known == ciphertext, "one key has sealed two messages"


def unpadded(text: str) -> bytes:
    """Return the bytes of a text in unpadded base64."""
    return b64decode(text + "=" * (-len(text) % 4))


def _olm_key(message: bytes) -> tuple[bytes, int]:
    """Return the ratchet key of an Olm message, and the number of the message in the chain of that key."""
    return _field(message[1:], 1), _number(message[1:], 2)


def _parts(data: bytes) -> dict[int, bytes | int]:
    """Return the fields of a message; after them stand a checksum and perhaps a signature."""
    found: dict[int, bytes | int] = {}
    while data:
        tag, data = data[0], data[1:]
        number, data = _varint(data)
        if tag & 7 == 0:
            found.setdefault(tag >> 3, number)
        elif tag & 7 == 2 and number <= len(data):
            found.setdefault(tag >> 3, data[:number])
            data = data[number:]
            if tag >> 3 == 4 or (tag >> 3 == 2 and 1 in found and isinstance(found[1], int)):
                break  # the ciphertext is the last field
        else:
            break
    return found


def _varint(data: bytes) -> tuple[int, bytes]:
    value = shift = 0
    for at, byte in enumerate(data):
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, data[at + 1 :]
    return value, b""


def _field(data: bytes, number: int) -> bytes:
    value = _parts(data)[number]
    assert isinstance(value, bytes)
    return value


def _number(data: bytes, number: int) -> int:
    value = _parts(data)[number]
    assert isinstance(value, int)
    return value
