"""What encryption costs a client in an encrypted room: sealing, opening and sharing keys, on one core.

    python benchmarks/sealing.py [--messages 5000] [--devices 100] [--commit 20]

Prints messages per second of CPU: with rows in memory, and with rows that are stored in a vault after so many messages
each (the vault is in the folder for temporary files). Then the time of a first message to so many devices, each of
another user: their signed keys are checked, each gets the room key in an Olm session that begins with a one-time key,
and the message is sealed. Then the time of a new key for the same devices, as after somebody has left.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from chatroom.client.crypto.device_records import check_device
from chatroom.client.crypto.group_sessions import GroupSessions
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.olm_sessions import OlmSessions
from chatroom.client.crypto.room_messages import DeviceId, RoomCiphertext
from chatroom.client.crypto.rows import MemoryRows
from chatroom.client.vault.vault_file import VaultFile
from chatroom.client.vault.vault_key import KeyFile

SERVER = "server-1"
ROOM = "room-1"
ALICE, BOB = ("alice", "A"), ("bob", "B")
NOW = 1_800_000_000_000  # ms
BODY = {"text": "The quick brown fox jumps over the lazy dog, and the dog does not mind."}


class ChangedRows(MemoryRows):
    """Rows that know what was changed.

    Args:
        file: Stores the changes; None for rows in memory only.
    """

    def __init__(self, file: VaultFile | None) -> None:
        super().__init__()
        self._file = file
        self._changes: dict[tuple[str, str], bytes | None] = {}

    def put(self, table: str, key: str, value: bytes) -> None:
        """Set the value of a row."""
        super().put(table, key, value)
        self._changes[table, key] = value

    def commit(self) -> None:
        """Store what was changed."""
        if self._file is not None:
            self._file.store(self._changes, [])
        self._changes.clear()


class Sealer:
    """A device that seals for a room, and shares its keys with one reader.

    Args:
        devices: How many devices are in the room besides.
        file: Stores the rows of both; None to keep them in memory.
        commit: After how many messages rows are stored.
    """

    def __init__(self, devices: int, file: VaultFile | None, commit: int) -> None:
        self._rows = ChangedRows(file), ChangedRows(file)
        self._commit = commit
        self._writer = GroupSessions(self._rows[0], ALICE, 1, os.urandom)
        self._reader = GroupSessions(self._rows[1], BOB, 1, os.urandom)
        others: dict[DeviceId, str] = {(f"user {number}", "A"): f"key {number}" for number in range(devices - 1)}
        self._devices = {BOB: "key of bob", **others}

    def share(self, rev: int) -> None:
        """Share the key of the session with those who lack it, as before each message."""
        share = self._writer.outbound.prepare(ROOM, rev, self._devices, NOW)
        if share is not None:
            self._reader.requests.take_key(ALICE, share.body())
            self._writer.outbound.given(share, share.devices)

    def seal(self, number: int) -> RoomCiphertext:
        """Seal a message."""
        self.share(rev=1)
        message = {"id": str(number), "type": "msg", "ts": NOW, "body": BODY}
        sealed = self._writer.outbound.seal(ROOM, 1, message, NOW)
        if number % self._commit == 0:
            self._rows[0].commit()
        return RoomCiphertext(ROOM, str(number), ALICE, sealed.sid, sealed.ct)

    def open(self, sealed: RoomCiphertext) -> None:
        """Open a message."""
        self._reader.inbound.open(sealed)
        if int(sealed.id) % self._commit == 0:
            self._rows[1].commit()


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time that some work takes."""
    since = time.process_time()
    work()
    return time.process_time() - since


class FirstMessage:
    """A device, and many others that it has never written to.

    Args:
        devices: How many others.
    """

    def __init__(self, devices: int) -> None:
        rows = MemoryRows()
        own = _identity("alice", rows)
        self._olm = OlmSessions(rows, own, os.urandom)
        self._rooms = GroupSessions(rows, ("alice", own.device), 1, os.urandom)
        others = [_identity(f"user {number}", MemoryRows()) for number in range(devices)]
        self._keys = [other.device_keys("") for other in others]
        self._claimed = [other.one_time_keys(1)[0] for other in others]

    def send(self, rev: int, first: bool) -> None:
        """Seal a message, and before it the room's key for each device."""
        if first:
            for keys in self._keys:
                check_device(keys, SERVER, keys.user_id)
        devices = {(keys.user_id, keys.device): keys.ed25519 for keys in self._keys}
        share = self._rooms.outbound.prepare(ROOM, rev, devices, NOW)
        assert share is not None
        body = share.body()
        for number, (keys, claimed) in enumerate(zip(self._keys, self._claimed, strict=True)):
            key = claimed if first else None
            self._olm.seal(keys, type="room.key", id=str(number), ts=NOW, body=body, claimed=key)
        self._rooms.outbound.given(share, share.devices)
        self._rooms.outbound.seal(ROOM, rev, {"id": str(rev), "type": "msg", "ts": NOW, "body": BODY}, NOW)


def _identity(user_id: str, rows: MemoryRows) -> Identity:
    """Return a new user on a new device."""
    identity = Identity(rows, os.urandom)
    identity.act_as(SERVER, user_id)
    return identity


def measure(name: str, sealer: Sealer, messages: int) -> None:
    """Seal and open messages, and print how many were done in a second."""
    sealed: list[RoomCiphertext] = []
    sealing = seconds(lambda: sealed.extend(map(sealer.seal, range(messages))))
    opening = seconds(lambda: [sealer.open(one) for one in sealed])
    print(f"{name}: seal {messages / sealing:.0f}/s, open {messages / opening:.0f}/s")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--devices", type=int, default=100)
    parser.add_argument("--commit", type=int, default=20)
    options = parser.parse_args()
    measure("rows in memory", Sealer(options.devices, None, options.commit), options.messages)
    with TemporaryDirectory() as folder:
        file = VaultFile(Path(folder, "vault"), KeyFile(Path(folder, "key")), os.urandom)
        measure("rows in a vault", Sealer(options.devices, file, options.commit), options.messages)
        file.close()
    writer = FirstMessage(options.devices)
    first, again = (seconds(lambda rev=rev: writer.send(rev, rev == 1)) for rev in (1, 2))
    print(f"a first message to {options.devices} devices: {first * 1000:.0f} ms, with a new key: {again * 1000:.0f} ms")


if __name__ == "__main__":
    main()
