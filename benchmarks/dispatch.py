"""What it costs until a ready connection is called: the daemon's reactor against Twisted's for epoll, in one process.

    python benchmarks/dispatch.py [--rounds 200]

Prints microseconds of CPU per event, the least and the median of the rounds; the two reactors take turns. A read takes
64 bytes from the socket and gives them to a protocol that does nothing.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.protocol import Protocol
from twisted.internet.tcp import Server

from chatroom.daemon.reactor import DirectReactor

KINDS = (EPollReactor, DirectReactor)
CONNECTIONS = 500


class Bench:
    """A reactor of its own with connections.

    Args:
        kind: The reactor's class.
    """

    def __init__(self, kind: type[Any]) -> None:
        self.reactor = kind()
        self.servers: list[Any] = []
        self.clients: list[socket.socket] = []
        for number in range(CONNECTIONS):
            ours, theirs = socket.socketpair()
            protocol = Protocol()
            server = Server(ours, protocol, ("127.0.0.1", 0), None, number, self.reactor)
            protocol.makeConnection(server)
            self.servers.append(server)
            self.clients.append(theirs)

    def read(self, connections: int) -> float:
        """Return the microseconds that one event costs when so many connections can be read."""
        for client in self.clients[:connections]:
            client.send(bytes(64))
        return self._turn() / connections

    def write(self) -> float:
        """Return the microseconds that one event costs when all connections can write, and have nothing to write."""
        for server in self.servers:
            server.startWriting()
        return self._turn() / CONNECTIONS

    def _turn(self) -> float:
        since = time.process_time()
        self.reactor.doIteration(0)
        return (time.process_time() - since) * 1e6


def main() -> None:
    """Measure all kinds of events, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    rounds = parser.parse_args().rounds
    benches = [Bench(kind) for kind in KINDS]
    events: dict[str, Callable[[Bench], float]] = {
        f"read, {CONNECTIONS} in a turn": lambda bench: bench.read(CONNECTIONS),
        "read, one in a turn": lambda bench: bench.read(1),
        f"write, {CONNECTIONS} in a turn": Bench.write,
    }
    print("| event | Twisted's: least, median | the daemon's: least, median |\n|---|---|---|")
    for name, measure in events.items():
        found = list(zip(*([measure(bench) for bench in benches] for _ in range(rounds)), strict=True))
        cells = [f"{min(costs):.2f}, {statistics.median(costs):.2f}" for costs in found]
        print(f"| {name} | {cells[0]} | {cells[1]} |")


if __name__ == "__main__":
    main()
