"""What a bystander feels while somebody attacks the daemon, beside the same daemon left in peace.

    python benchmarks/attacks.py [--seconds 30] [--only key-updates ...]

Every attack has a daemon of its own, with the limits that it has by default. First nobody attacks, then somebody does,
for at most 30 seconds each. Meanwhile one bystander asks ``/hello`` 200 times a second and another joins a room four
times a second, each in a process of its own. A wait counts from the moment at which the question was due, so that a
daemon that stands still for a second is charged with all that should have been asked in it. All come from 127.0.0.1,
where nothing is counted by address: the daemon has nothing but its other limits to help it.

To add an attack, write a function that attacks a port for some seconds, and give it a row in ``ATTACKS``.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import bounds
import chat_attacks
import tls_attacks
from many import Server, greeted

LONGEST = 30.0  # seconds of an attack
ASKED = 200  # questions a second
ASKERS = 128  # connections that ask in turn: each stays below two lines a second
JOINS = 4  # a second
WARMING_UP = 1.0  # seconds of an attack before the bystanders look
PATIENCE = 30.0  # seconds until a bystander gives up

_spawned = multiprocessing.get_context("spawn")  # a fork would hold our connections open, too


@dataclass(frozen=True, slots=True)
class Attack:
    """One way to annoy everybody.

    Args:
        run: Attacks a port of 127.0.0.1 for so many seconds. It runs in a process of its own and must end by itself.
        prepare: Brings the daemon into the state that is attacked, before anything is measured.
        options: Of the daemon.
        descriptors: The most that the daemon may have open; 0 for what the system allows.
        database: Writes the database that the daemon starts with.
        room: The room that a bystander joins; it must exist where no more rooms can be made.
    """

    run: Callable[[int, float], None]
    prepare: Callable[[int], None] | None = None
    options: Sequence[str] = ()
    descriptors: int = 0
    database: Callable[[Path], None] | None = None
    room: str = "hall"


@dataclass(frozen=True, slots=True)
class Felt:
    """What the bystanders felt: waits in seconds, and how much of a processor the daemon used."""

    asking: list[float]
    joining: list[float]
    processor: float


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=LONGEST, help="of each run, at most 30 (30)")
    parser.add_argument("--only", action="append", choices=list(ATTACKS))
    args = parser.parse_args()
    seconds = min(args.seconds, LONGEST)
    print("| attack | CPU | wait for the reactor: median, 99.9%, longest | join: median, longest |")
    print("|---|---|---|---|")
    for name in args.only or ATTACKS:
        for what, felt in measure(name, seconds):
            print(
                f"| {name}, {what} | {felt.processor:.0%} | {waits(felt.asking)} | {joins(felt.joining)} |", flush=True
            )


def measure(name: str, seconds: float) -> Iterator[tuple[str, Felt]]:
    """Return what is felt without the attack and with it."""
    attack = ATTACKS[name]
    with Server("0-255", bounds=attack.options, descriptors=attack.descriptors, database=attack.database) as server:
        if attack.prepare is not None:
            attack.prepare(server.port)
        yield "unattacked", watch(server, seconds, attack.room)
        yield "attacked", watch(server, seconds, attack.room, name)


def run(name: str, port: int, seconds: float) -> None:
    """Attack; whatever the daemon does to the attacker's connections is no error."""
    os.nice(5)  # the bystanders should not have to wait for the attacker itself
    with contextlib.suppress(OSError):
        ATTACKS[name].run(port, seconds)


# ---- bystanders -------------------------------------------------------------------------------------------------


def watch(server: Server, seconds: float, room: str, attack: str = "") -> Felt:
    """Let the bystanders watch for a while, during the attack of that name if there is one."""
    pipes, processes = [], []
    for bystander in (stand_by_asking, stand_by_joining):
        ours, theirs = multiprocessing.Pipe()
        pipes.append(ours)
        processes.append(_spawned.Process(target=bystander, args=(server.port, seconds, theirs, room)))
        processes[-1].start()
    for pipe in pipes:
        pipe.recv()
    if attack:
        processes.append(_spawned.Process(target=run, args=(attack, server.port, seconds + WARMING_UP)))
        processes[-1].start()
        time.sleep(WARMING_UP)
    cpu, began = server.cpu(), time.monotonic()
    for pipe in pipes:
        pipe.send("begin")
    asking, joining = (pipe.recv() for pipe in pipes)
    processor = (server.cpu() - cpu) / (time.monotonic() - began)
    for process in processes:
        process.join(PATIENCE)
        process.kill()
    return Felt(asking, joining, processor)


def stand_by_asking(port: int, seconds: float, pipe: Connection, room: str) -> None:
    """Ask ``/hello`` on many connections in turn, whether the last was answered or not; tell how long each took."""
    hurry()
    askers = [greeted(port) for _ in range(ASKERS)]
    time.sleep(5)  # until each may say ten lines at once again
    pipe.send("ready")
    pipe.recv()
    pipe.send(Asking(askers).run(seconds))


class Asking:
    """Questions that are asked when they are due, and answers that come when they come.

    Args:
        askers: Connections that have been greeted.
    """

    def __init__(self, askers: list[socket.socket]) -> None:
        self._askers = askers
        self._asked: dict[socket.socket, deque[float]] = {asker: deque() for asker in askers}
        self._waits: list[float] = []
        self._poll = select.epoll()
        self._by_number = {asker.fileno(): asker for asker in askers}
        for number in self._by_number:
            self._poll.register(number, select.EPOLLIN)

    def run(self, seconds: float) -> list[float]:
        """Return the seconds that each question waited for its answer; infinite for those never answered."""
        began = time.perf_counter()
        for i in range(int(ASKED * seconds)):
            due = began + i / ASKED
            self._listen_until(due)
            asker = self._askers[i % len(self._askers)]
            with contextlib.suppress(OSError):
                asker.send(b"/hello\r\n")
            self._asked[asker].append(due)
        end = time.perf_counter() + PATIENCE
        while any(self._asked.values()) and time.perf_counter() < end:
            self._listen_until(time.perf_counter() + 0.1)
        return self._waits + [float("inf")] * sum(map(len, self._asked.values()))

    def _listen_until(self, end: float) -> None:
        while (left := end - time.perf_counter()) > 0:
            for number, _ in self._poll.poll(left):
                self._hear(self._by_number[number])

    def _hear(self, asker: socket.socket) -> None:
        try:
            data = asker.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._poll.unregister(asker)
        for _ in range(data.count(b"Hello, ")):
            self._waits.append(time.perf_counter() - self._asked[asker].popleft())


def stand_by_joining(port: int, seconds: float, pipe: Connection, room: str) -> None:
    """Connect and join a room, again and again; tell how long it took each time."""
    hurry()
    pipe.send("ready")
    pipe.recv()
    pipe.send([timed(due, join, port, room) for due in schedule(JOINS, seconds)])


def hurry() -> None:
    """Go ahead of whoever else is on this processor, if that is allowed."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def schedule(often: float, seconds: float) -> Iterator[float]:
    """Return, each time it has come, when the next question is due; so many a second."""
    began = time.perf_counter()
    for number in range(int(often * seconds)):
        due = began + number / often
        if due - began > seconds or time.perf_counter() - began > seconds + PATIENCE:
            return
        time.sleep(max(0.0, due - time.perf_counter()))
        yield due


def timed(due: float, act: Callable[..., None], *arguments: object) -> float:
    """Return the seconds from when it was due until it is done; infinite if it failed."""
    try:
        act(*arguments)
    except (OSError, SystemExit):
        return float("inf")
    return time.perf_counter() - due


def join(port: int, room: str) -> None:
    """Come, join a room, and go again."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(f"/join {room}\r\n".encode())
        heard = b""
        while b"Current users: " not in heard:
            data = client.recv(65536)
            if not data:
                raise SystemExit("the daemon has hung up")
            heard += data


# ---- the table --------------------------------------------------------------------------------------------------


def waits(times: list[float]) -> str:
    """Return the median, the 99.9th percentile and the longest, in milliseconds."""
    return ", ".join(spell(times, part) for part in (0.5, 0.999, 1))


def joins(times: list[float]) -> str:
    """Return the median and the longest, in milliseconds."""
    return ", ".join(spell(times, part) for part in (0.5, 1))


def spell(times: list[float], part: float) -> str:
    """Return the time that this part of all times does not exceed."""
    at = sorted(times)[min(len(times) - 1, int(part * len(times)))]
    return "never" if at == float("inf") else f"{at * 1000:.1f} ms"


ATTACKS: dict[str, Attack] = {
    "key-updates": Attack(tls_attacks.key_updates),
    "empty-records": Attack(tls_attacks.empty_records),
    "tiny-records": Attack(tls_attacks.tiny_records),
    "renegotiations": Attack(tls_attacks.renegotiations),
    "unfinished-handshakes": Attack(tls_attacks.unfinished_handshakes),
    "topics": Attack(chat_attacks.change_topics, options=("--rate", "0")),
    "empty-rooms": Attack(chat_attacks.make_rooms, options=("--rate", "0")),
    "names-and-mail": Attack(chat_attacks.take_names, options=("--rate", "0")),
    "searches-in-tiny-rooms": Attack(chat_attacks.search_tiny_rooms, chat_attacks.say_much, ("--rate", "0")),
    "searches-in-large-rooms": Attack(chat_attacks.search_large_rooms, chat_attacks.say_much, ("--rate", "0")),
    "lists": Attack(chat_attacks.lists, database=bounds.prepare, room="room1"),
    "unread-counts": Attack(chat_attacks.count_unread, chat_attacks.say_to_readers, ("--rate", "0")),
    "bans": Attack(chat_attacks.bans),
    "first-chunks": Attack(chat_attacks.first_chunks),
    "full-database": Attack(chat_attacks.flood, chat_attacks.fill, ("--disk", "20000000")),
}

if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    main()
