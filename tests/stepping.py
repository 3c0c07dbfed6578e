"""An engine, and passwords, of which one step can be held or made to fail: the first, the second, and so on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from harness import QuickPasswords, World
from twisted.internet.defer import Deferred, fail

from chatroom.engines.memory import MemoryEngine
from chatroom.model.events import LogEvent
from chatroom.model.log import Done, Entry, Unavailable


class SteppingEngine(MemoryEngine):
    """An engine in memory whose steps are counted.

    Attributes:
        steps: How many steps there were since ``arm``.
        held: The step that is held, if there is one.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.steps = 0
        self.held: Callable[[], object] | None = None
        self._armed: int | None = None
        self._failing = False

    def arm(self, step: int | None, *, failing: bool = False) -> None:
        """Hold the step with this number from now on, or let it fail; None: nothing of that."""
        self.steps, self._armed, self._failing = 0, step, failing

    @property
    def reached(self) -> bool:
        """Whether the step came."""
        return self._armed is not None and self.steps > self._armed

    def let_go(self) -> None:
        """Do what is held, and hold no more."""
        held, self.held, self._armed = self.held, None, None
        if held is not None:
            held()

    def step(self, act: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        """Do it, or hold it, or fail."""
        self.steps += 1
        if self.steps - 1 != self._armed:
            return act()
        if self._failing:
            return fail(Unavailable("it is broken"))
        later: Deferred[Any] = Deferred()
        self.held = lambda: act().chainDeferred(later)
        return later

    def append(
        self, log: str, event: LogEvent, done: Done | None = None, *, once: bool = False, copy: str = ""
    ) -> None:
        self.steps += 1
        if self.steps - 1 != self._armed:
            super().append(log, event, done, once=once, copy=copy)
        elif self._failing:
            self._reactor.callLater(0, done or (lambda *_: None), Entry(log, event, b""), Unavailable("it is broken"))
        else:
            self.held = partial(super().append, log, event, done, once=once, copy=copy)

    def read(self, *args: Any, **options: Any) -> Deferred[Any]:
        return self.step(lambda: MemoryEngine.read(self, *args, **options))

    def get(self, *args: Any) -> Deferred[Any]:
        return self.step(lambda: MemoryEngine.get(self, *args))

    def change(self, *args: Any) -> Deferred[Any]:
        return self.step(lambda: MemoryEngine.change(self, *args))

    def drop(self, *args: Any) -> Deferred[Any]:
        return self.step(lambda: MemoryEngine.drop(self, *args))


class SteppingPasswords(QuickPasswords):
    """Each look at a password is a step of the engine's."""

    def __init__(self, engine: SteppingEngine) -> None:
        self._engine = engine

    def hash(self, password: str) -> Deferred[str]:
        return self._engine.step(lambda: QuickPasswords.hash(self, password))

    def verify(self, hashed: str, password: str) -> Deferred[bool]:
        return self._engine.step(lambda: QuickPasswords.verify(self, hashed, password))


class HeldPasswords(QuickPasswords):
    """Looks at passwords only when told to; ``waiting`` is what waits for that."""

    def __init__(self) -> None:
        self.holding = False
        self.waiting: list[Callable[[], object]] = []

    def _later(self, act: Callable[[], Deferred[Any]]) -> Deferred[Any]:
        if not self.holding:
            return act()
        later: Deferred[Any] = Deferred()
        self.waiting.append(lambda: act().chainDeferred(later))
        return later

    def hash(self, password: str) -> Deferred[str]:
        return self._later(lambda: QuickPasswords.hash(self, password))

    def verify(self, hashed: str, password: str) -> Deferred[bool]:
        return self._later(lambda: QuickPasswords.verify(self, hashed, password))

    def let_go(self) -> None:
        """Look at all of them."""
        self.holding = False
        waiting, self.waiting = self.waiting, []
        for look in waiting:
            look()


def nobody_is_left(world: World) -> None:
    """Assert that after everybody has gone no seat, no name, no user and no inbox is held by anybody."""
    for client in world.clients:
        client.drop()
    world.settle()
    chat = world.chat
    assert (chat.seats._shared, chat.seats._standing, chat.seats._own, chat.seats._accounts) == (0, 0, 0, {})
    assert (chat.names._by_folded, chat.names._by_look) == ({}, {})
    assert (chat.users, chat.sessions, chat.who(), chat.inboxes._marks) == ({}, {}, [], {})
    followed = {log for log in world.engine._followers._of if not log.startswith("server/")}  # type: ignore[attr-defined]
    assert followed == set()


def all_is_one(world: World) -> None:
    """Assert that what is known of each session agrees wherever it is known."""
    chat = world.chat
    present = sorted(presence.name for presence in chat.who())
    seated = {(session.user_id, session.name) for session in chat.sessions.values() if session.seated}
    assert present == sorted(name for _, name in seated)
    for session in chat.sessions.values():
        user = session.user
        assert session in user.sessions
        assert (session.name, session.user_id) == (user.name, user.id)
        assert chat.users.get(user.id) is user
        assert chat.names.get(user.name) is user
