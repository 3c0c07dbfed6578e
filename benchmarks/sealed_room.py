"""An encrypted room against a plain one: messages a second, and the server's processor time for each delivery.

    python benchmarks/sealed_room.py [--members 100] [--rounds 3] [--text 64] [--mode full] [--mode memory]

All members are programs inside TLS, and each of them is in both rooms of the same server. They say as much in the plain
room as in the encrypted one, in turn: a text of 64 bytes with ``say``, and with ``say-sealed`` as many characters as
chatroom-client makes of such a text. The server opens nothing, so sealed messages are made up here. Keys are published
before anything is measured.

The senders read what they hear at once. The other members only take it from the network, and count its bytes by the
headers of the TLS records; it is decrypted and compared when the clock has stopped. Otherwise the load, which has one
processor for 100 members, would set the pace instead of the server.

Server on processor 0, load on processor 1; CPU by the server's own account. Prints a table in Markdown: for each way to
send, the messages a second of the best round of each room, and the median of the ratios of all rounds; then the CPU per
delivery, the median of all rounds, and the median of the ratios. In each round the plain room comes first and the
encrypted one right after it. Nothing is a result unless every member heard every message once and in order.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import select
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import to_builtins
from msgspec.structs import replace
from ports import free_port, wait_for
from tls import processor_time
from vodozemac import Account

from chatroom.model.device_keys import DeviceKeys, DeviceList, device_proof
from chatroom.model.signed_bytes import b64, device_id, to_sign
from chatroom.wire.tls_records import TLSRecords

PATIENCE = 60.0  # seconds
PLAIN, SEALED = "open", "den"  # the two rooms
TEXT = "The quick brown fox jumps over the lazy dog, and so does the cat"  # 64 bytes
SEALED_BYTES = 189  # of a message with a text of up to 67 bytes, as ``GroupSessions`` seals it
FLOWS = {  # senders, messages in flight of each, messages of each, and how many of them a second (0: as many as can be)
    "one sender, 100 a second": (1, 1, 200, 100),
    "one at a time": (1, 1, 400, 0),
    "ten senders, 1 each in flight": (10, 1, 100, 0),
    "ten senders, 16 each in flight": (10, 16, 200, 0),
}
AROUND = 22  # bytes that a TLS 1.3 record adds to what is in it
_IDS = re.compile(rb'"id":"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Rate:
    """What a round measured.

    Args:
        messages: Messages a second.
        cost: The server's CPU per delivery, in microseconds.
    """

    messages: float
    cost: float


class Member:
    """A program inside TLS that has keys, as a guest.

    Args:
        port: The server's port.
        name: The guest's name.
    """

    def __init__(self, port: int, name: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out)
        self._waits = bytearray()  # what came and is not decrypted
        self._records = TLSRecords()
        self.size = 0  # bytes of text that came since ``begin``, decrypted or not
        self.name = name
        self.heard = bytearray()
        self.lines = 0
        self.sent: list[str] = []
        self._minted = 0
        self._tail = 0
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
                self._in.write(self.socket.recv(65536))

    def _flush(self) -> None:
        self.socket.sendall(self._out.read())

    def _send(self, data: bytes) -> None:
        self._tls.write(data)
        self._flush()

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """Give a command and wait for its answer; what comes before it, as the greeting for people, is forgotten."""
        self._send(json.dumps({"do": do, "ref": "it", **fields}).encode() + b"\n")
        while True:
            end = self.heard.find(b"\n")
            if end < 0:
                self.take()
                self.decrypt()
                continue
            line = bytes(self.heard[: end + 1])
            del self.heard[: end + 1]
            if line.startswith(b"{") and (record := json.loads(line)).get("re") == "it":
                if record["event"] == "error":
                    raise SystemExit(f"{do}: {record}")
                return dict(record)

    def publish(self) -> None:
        """Say hello, and publish a device and the list of devices with it."""
        welcome = self.ask("hello", version=1, name=self.name)
        device, user = Account(), Ed25519PrivateKey.generate()
        ed25519 = device.ed25519_key.to_base64()
        whose = {"server": welcome["server_id"], "user_id": welcome["you_id"]}
        keys = {"device": device_id(ed25519), "ed25519": ed25519, "curve25519": device.curve25519_key.to_base64()}
        unsigned = DeviceKeys(**whose, **keys, label="", sig="")
        own = replace(unsigned, sig=device.sign(to_sign("device", unsigned)).to_base64())
        proof = device.sign(device_proof(own, welcome["nonce"])).to_base64()
        self.ask("keys-publish", device=to_builtins(own), proof=proof)
        listed = DeviceList(**whose, rev=1, user_key=b64(user.public_key().public_bytes_raw()), devices=(own,), sig="")
        sig = b64(user.sign(to_sign("device-list", listed)))
        self.ask("keys-list", list=to_builtins(replace(listed, sig=sig)))

    def take(self) -> None:
        """Take what the network has, and count its bytes."""
        try:
            data = self.socket.recv(65536)
        except BlockingIOError:
            return
        if not data:
            raise SystemExit("the server has closed a connection")
        self._waits += data
        self.size += len(data) - AROUND * self._records.pass_over(data, 0, len(data))[1]

    def decrypt(self) -> None:
        """Decrypt what was taken, and count the lines."""
        self._in.write(self._waits)
        self._waits.clear()
        before = len(self.heard)
        with suppress(ssl.SSLWantReadError):
            while True:
                self.heard += self._tls.read(65536)
        self.lines += self.heard.count(b"\n", before)

    def own_echoes(self) -> int:
        """Return how many of this member's own messages have come since the last call."""
        end = self.heard.rfind(b"\n") + 1
        echoes = self.heard.count(b'"by":"%s"' % self.name.encode(), self._tail, end)
        self._tail = end
        return echoes

    def begin(self) -> None:
        """Wait until all that the server has for this member is here, and forget it."""
        self.socket.setblocking(True)
        self.ask("member-ids", room=PLAIN)
        self.socket.setblocking(False)
        if self.heard:
            raise SystemExit(f"{self.name} heard something after the answer")
        self.lines = self._tail = self.size = 0
        self.sent.clear()

    def say(self, message: Callable[[str], bytes], count: int) -> None:
        """Say so many messages, each with an id of its own: what is said again with the same id is stored once."""
        ids = [f"{self.name}-{number:08}" for number in range(self._minted, self._minted + count)]
        self._minted += count
        self.sent += ids
        if ids:
            self._send(b"".join(map(message, ids)))


class Flow:
    """Members who say so many messages in a room, and listen to all of them.

    Args:
        members: All members of the room; the first ones are the senders.
        message: Makes a message with an id.
        senders: How many of the members send.
        window: How many messages of its own each sender may wait for.
        each: How many messages each sender says.
        pace: How many each sender says in a second, whatever it hears; 0 if it says one for each that it hears.
    """

    def __init__(
        self, members: list[Member], message: Callable[[str], bytes], senders: int, window: int, each: int, pace: int
    ) -> None:
        self._members = members
        self._senders = members[:senders]
        self._message = message
        self._window = window
        self._each = each
        self._pause = 1 / pace if pace else 0.0  # seconds

    def run(self, pid: int) -> Rate:
        """Say everything, and return the rate when all members have heard it.

        Args:
            pid: The server's process.
        """
        for member in self._members:
            member.begin()
        since, spent = time.perf_counter(), processor_time(pid)
        for sender in self._senders:
            self._say(sender, self._window)
        self._listen()
        took, spent = time.perf_counter() - since, processor_time(pid) - spent
        self._check()
        messages = len(self._senders) * self._each
        return Rate(messages / took, spent / (messages * len(self._members)) / 1000)

    def _say(self, sender: Member, count: int) -> None:
        """Let a sender say the next messages, as many as it still has."""
        sender.say(self._message, min(count, self._each - len(sender.sent)))

    def _listen(self) -> None:
        """Wait until everybody has heard everything; a sender that hears itself says more."""
        waiting = {member.socket.fileno(): member for member in self._members}
        size = 0  # bytes of everything; known when a sender has heard it
        end = time.monotonic() + PATIENCE
        due = time.monotonic() + self._pause
        with select.epoll() as poll:
            for number in waiting:
                poll.register(number, select.EPOLLIN)
            while waiting:
                if time.monotonic() > end:
                    raise SystemExit(f"{len(waiting)} members still wait")
                for number, _ in poll.poll(max(0.0, due - time.monotonic()) if self._pause else 1.0):
                    member = waiting[number]
                    member.take()
                    if member in self._senders:
                        member.decrypt()
                        self._say(member, 0 if self._pause else member.own_echoes())
                        if member.lines >= len(self._senders) * self._each:
                            size = member.size
                if self._pause and time.monotonic() >= due:
                    due += self._pause
                    for sender in self._senders:
                        self._say(sender, 1)
                if size:
                    waiting = {number: member for number, member in waiting.items() if member.size < size}

    def _check(self) -> None:
        """See that all members have heard the same, and that each message is there once and in its sender's order."""
        for member in self._members:
            member.decrypt()
        first = self._members[0].heard
        if any(member.heard != first for member in self._members):
            raise SystemExit("the members did not hear the same")
        ids = [id.decode() for id in _IDS.findall(first)]
        for sender in self._senders:
            own = [id for id in ids if id.startswith(f"{sender.name}-")]
            if own != sender.sent:
                raise SystemExit(f"messages of {sender.name} are lost, doubled or out of order")
        if len(ids) != len(self._senders) * self._each:
            raise SystemExit("there are messages that nobody has said")
        for member in self._members:
            member.heard.clear()


def made_up(size: int) -> str:
    """Return so many random bytes as base64 without padding."""
    return b64encode(os.urandom(size)).decode().rstrip("=")


@contextmanager
def server(mode: str) -> Iterator[tuple[int, int]]:
    """Run a server on processor 0; give its port and its process.

    Args:
        mode: ``full``, or ``memory`` to keep nothing.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as data:
        keeps = ["--ephemeral"] if mode == "memory" else ["--data", data]
        twistd = ["taskset", "-c", "0", str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "chatroom"]
        options = ["--port", str(port), "--interface", "127.0.0.1", "--rate", "0", "--replay", "0"]
        process = subprocess.Popen([*twistd, *options, *keeps], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def gather(port: int, number: int) -> list[Member]:
    """Return members with keys that are in both rooms, of which the second is encrypted."""
    members = [Member(port, f"m{each}") for each in range(number)]
    for member in members:
        member.publish()
        member.ask("join", room=PLAIN)
        member.ask("join", room=SEALED, stay=True)
        if member is members[0]:
            member.ask("encrypt", room=SEALED, yes=True)
    return members


def plain(size: int) -> Callable[[str], bytes]:
    """Return a function that makes records of plain messages with a text of so many bytes."""
    made = {"do": "say", "room": PLAIN, "text": (TEXT * (size // len(TEXT) + 1))[:size]}
    return lambda id: json.dumps({**made, "id": id}).encode() + b"\n"


def sealed_for(rev: int) -> Callable[[str], bytes]:
    """Return a function that makes records of sealed messages.

    Args:
        rev: What the server knows the present members by.
    """
    made = {"do": "say-sealed", "room": SEALED, "sid": made_up(32), "ct": made_up(SEALED_BYTES), "members": rev}
    return lambda id: json.dumps({**made, "id": id}).encode() + b"\n"


def measure(mode: str, number: int, rounds: int, size: int) -> None:
    """Run a server, and print a line of the table for each flow.

    Args:
        mode: As for ``server``.
        number: How many members.
        rounds: How many rounds.
        size: Bytes of the text of a plain message.
    """
    with server(mode) as (port, pid):
        members = gather(port, number)
        sealed = sealed_for(members[0].ask("member-ids", room=SEALED)["rev"])
        for name, flow_of in FLOWS.items():
            flows = [Flow(members, message, *flow_of) for message in (plain(size), sealed)]
            for flow in flows:
                flow.run(pid)  # not counted: whatever the first messages cost
            print(
                row(f"{name} | {mode}", [(flows[0].run(pid), flows[1].run(pid)) for _ in range(rounds)]),
                flush=True,
            )
        for member in members:
            member.socket.close()


def row(name: str, pairs: list[tuple[Rate, Rate]]) -> str:
    """Return a line of the table."""
    best = [max(pair[i].messages for pair in pairs) for i in (0, 1)]
    cost = [median(pair[i].cost for pair in pairs) for i in (0, 1)]
    ratios = sorted(sealed.messages / plain.messages for plain, sealed in pairs)
    costs = sorted(plain.cost / sealed.cost for plain, sealed in pairs)
    return (
        f"| {name} | {best[0]:.0f} | {best[1]:.0f} | {median(ratios):.2f} ({ratios[0]:.2f}-{ratios[-1]:.2f}) "
        f"| {cost[0]:.2f} | {cost[1]:.2f} | {median(costs):.2f} ({costs[0]:.2f}-{costs[-1]:.2f}) |"
    )


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--members", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--text", type=int, default=64)
    parser.add_argument("--mode", action="append", choices=["full", "memory"])
    args = parser.parse_args()
    os.sched_setaffinity(0, {1})
    print(
        "| messages | engine | plain messages/s | sealed messages/s | sealed over plain (range) "
        "| plain µs | sealed µs | plain µs over sealed µs (range) |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for mode in args.mode or ["full"]:
        measure(mode, args.members, args.rounds, args.text)


if __name__ == "__main__":
    main()
