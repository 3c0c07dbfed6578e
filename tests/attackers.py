"""What those need who attack a server in memory: passwords and records that wait, and short ways to do much."""

from __future__ import annotations

from typing import Any

from fakes import MoodyEngine
from harness import QuickPasswords, World
from twisted.internet.defer import Deferred, succeed

from chatroom.chat.operators.service import Operations


def at(world: World, host: str, name: str, room: str = ""):
    """Return a person who comes from there."""
    client = world.connect(host)
    world.pass_time(0.3)
    client.say(f"/name {name}")
    if room:
        client.say(f"/join {room}")
    client.lines()
    return client


def account(world: World, name: str):
    """Return a person with an account of that name, logged in."""
    client = world.person()
    client.say(f"/register {name} secret")
    client.lines()
    return client


def operate(world: World, what: str, *arguments: Any) -> Any:
    """Do what the console can, and return what it says."""
    box: list[Any] = []
    Deferred.fromCoroutine(getattr(Operations(world.chat, "console"), what)(*arguments)).addBoth(box.append)
    world.settle()
    return box[0]


def left_with_mail(world: World):
    """Return who has written to bob, a guest who was here and is not."""
    world.person("bob").drop()
    alice = world.person("alice")
    alice.say("/msg bob hi")
    alice.lines()
    return alice


class SlowPasswords(QuickPasswords):
    """Looks at a password only when told; a hash that is ``old`` should be made anew."""

    def __init__(self) -> None:
        self.waiting: list[Any] | None = None
        self.stale = False

    def _late(self, result: Any) -> Deferred[Any]:
        if self.waiting is None:
            return succeed(result)
        later: Deferred[Any] = Deferred()
        self.waiting.append(lambda: later.callback(result))
        return later

    def hash(self, password: str) -> Deferred[str]:
        """As told."""
        return self._late(f"hash of {password}")

    def verify(self, hashed: str, password: str) -> Deferred[bool]:
        """As told."""
        return self._late(hashed == f"hash of {password}")

    def outdated(self, hashed: str) -> bool:
        """As told."""
        return self.stale

    def next(self) -> None:
        """Let one be looked at."""
        assert self.waiting
        self.waiting.pop(0)()


class StepEngine(MoodyEngine):
    """Looks up and stores records one at a time, when told."""

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.stepping = False
        self.steps: list[Any] = []

    def _unless_broken(self, act: Any) -> Deferred[Any]:
        if not self.stepping:
            return act()
        later: Deferred[Any] = Deferred()
        self.steps.append(lambda: act().chainDeferred(later))
        return later
