"""What encryption costs a client in an encrypted room: sealing, opening and sharing keys, on one core.

    python benchmarks/sealing.py [--messages 5000] [--devices 100]

State is kept in rows in memory; what a vault adds is measured by its own benchmark. Prints messages per second, and the
time of a first message: a new session, and its key for so many devices, without the Olm envelopes around it.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

from chatroom.client.crypto.group_sessions import GroupSessions
from chatroom.client.crypto.room_messages import DeviceId, RoomCiphertext
from chatroom.client.crypto.rows import MemoryRows

ROOM = "room-1"
ALICE, BOB = ("alice", "A"), ("bob", "B")
NOW = 1_800_000_000_000  # ms
BODY = {"text": "The quick brown fox jumps over the lazy dog, and the dog does not mind."}


class Sealer:
    """A device that seals for a room, and shares its keys with one reader.

    Args:
        devices: How many devices are in the room besides.
    """

    def __init__(self, devices: int) -> None:
        self._writer = GroupSessions(MemoryRows(), ALICE, 1, os.urandom)
        self.reader = GroupSessions(MemoryRows(), BOB, 1, os.urandom)
        others: dict[DeviceId, str] = {(f"user {number}", "A"): f"key {number}" for number in range(devices - 1)}
        self._devices = {BOB: "key of bob", **others}

    def share(self, rev: int) -> None:
        """Share the key of the session with those who lack it, as before each message."""
        share = self._writer.outbound.prepare(ROOM, rev, self._devices, NOW)
        if share is not None:
            self.reader.requests.take_key(ALICE, share.body())
            self._writer.outbound.given(share, share.devices)

    def seal(self, number: int) -> RoomCiphertext:
        """Seal a message."""
        self.share(rev=1)
        message = {"id": str(number), "type": "msg", "ts": NOW, "body": BODY}
        sealed = self._writer.outbound.seal(ROOM, 1, message, NOW)
        return RoomCiphertext(ROOM, str(number), ALICE, sealed.sid, sealed.ct)


def seconds(work: Callable[[], object]) -> float:
    """Return the CPU time that some work takes."""
    since = time.process_time()
    work()
    return time.process_time() - since


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--devices", type=int, default=100)
    options = parser.parse_args()
    sealer = Sealer(options.devices)
    sealed: list[RoomCiphertext] = []
    sealing = seconds(lambda: sealed.extend(map(sealer.seal, range(options.messages))))
    opening = seconds(lambda: [sealer.reader.inbound.open(one) for one in sealed])
    first = min(seconds(lambda rev=rev: sealer.share(rev)) for rev in range(2, 12))
    print(f"seal {options.messages / sealing:.0f}/s, open {options.messages / opening:.0f}/s")
    print(f"a new session for {options.devices} devices: {first * 1000:.2f} ms without Olm")


if __name__ == "__main__":
    main()
