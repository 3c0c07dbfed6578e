"""Several daemons in memory on one store that they share."""

from __future__ import annotations

from typing import Any

from cluster.shared_store import LEASE, SharedStore
from harness import Client, World
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

ENOUGH = 2.0  # seconds in which all that is under way arrives, and all rosters are shown


class Nodes:
    """Daemons on one store.

    Args:
        seed: From which all delays follow.
        count: How many daemons.
        rules: The options of all.
    """

    def __init__(self, seed: int, count: int = 2, **rules: Any) -> None:
        self.clock = Clock()
        self.store = SharedStore(self.clock, seed)
        self._rules = rules
        self._started = 0
        self.worlds: list[World] = []
        for _ in range(count):
            self.start()

    def start(self) -> World:
        """Start one more daemon."""
        self._started += 1
        engine: Any = self.store.node(f"n{self._started}")
        world = World(engine, self.clock, first_id=self._started * 10**6, **self._rules)
        engine.instant = False
        self.worlds.append(world)
        return world

    def settle(self, seconds: float = ENOUGH) -> None:
        """Let time pass, in small steps, so that what is under way arrives."""
        until = self.clock.seconds() + seconds
        while calls := [call.getTime() for call in self.clock.getDelayedCalls() if call.getTime() <= until]:
            self.clock.advance(max(0.0, min(calls) - self.clock.seconds()))
        self.clock.advance(until - self.clock.seconds())

    def program(self, node: int, name: str, room: str = "", host: str = "127.0.0.1") -> Client:
        """Return a program on a daemon that is called so, has joined the room, and has heard all of it."""
        client = self.worlds[node].connect(host)
        client.record(do="hello", version=1, name=name)
        self.settle()
        if room:
            client.record(do="join", room=room)
            self.settle()
        client.records()
        return client

    def ask(self, client: Client, **fields: Any) -> list[dict[str, Any]]:
        """Give a command, let everything happen, and return what the client heard."""
        client.record(**fields)
        self.settle()
        return client.records()

    def kill(self, node: int) -> None:
        """Kill a daemon, and let the others know."""
        world = self.worlds[node]
        world.engine.die()  # type: ignore[attr-defined]
        self.settle(LEASE + ENOUGH)

    def close(self) -> None:
        """End all daemons; nothing is left."""
        for world in self.worlds:
            if world.engine.dead:  # type: ignore[attr-defined]
                world.engine.bury()  # type: ignore[attr-defined]
            for client in world.clients:
                client.drop()
            self.settle()
            stopped = Deferred.fromCoroutine(world.chat.stop())
            self.settle()
            assert stopped.called
            world.factory.stop()
        self.settle()
        assert not self.clock.getDelayedCalls()
