"""What every test gets: a check, after it, that nothing was left behind and no error went unseen."""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import World
from twisted.internet import reactor
from twisted.internet.task import Clock
from twisted.logger import globalLogPublisher


def _take_back_ignored_signals() -> None:
    """Let no process of ours inherit that a signal is ignored, as those in the background of a script do."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            # What is caught here is at its default in a new program, and we go on ignoring it.
            signal.signal(number, lambda number, frame: None)


_take_back_ignored_signals()


class Errors:
    """The errors that were logged while a test ran; a test that means to cause one takes it out by ``expect``."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any]) -> None:
        if event.get("isError") or event.get("log_failure") is not None:
            self.events.append(event)

    def expect(self, kind: type[BaseException]) -> None:
        """Assert that errors of this kind, and at least one, were logged; forget them."""
        gc.collect()
        failures = [(event.get("log_failure") or event.get("failure"), event) for event in self.events]  # new and old
        found = [event for failure, event in failures if failure is not None and failure.check(kind)]
        assert found, f"no {kind.__name__} was logged"
        self.events = [event for event in self.events if event not in found]


def open_readers() -> set[Any]:
    """Return what the reactor reads, but for what it wakes itself with."""
    readers: list[Any] = reactor.getReaders()  # type: ignore[attr-defined]
    return {reader for reader in readers if type(reader).__module__ != "twisted.internet._signals"}


@contextmanager
def watched() -> Iterator[Errors]:
    """Give the errors that are logged up to the end, and those of what is garbage then; fail if there are any."""
    seen = Errors()
    globalLogPublisher.addObserver(seen)
    try:
        yield seen
    finally:
        gc.collect()
        globalLogPublisher.removeObserver(seen)
    assert not seen.events, f"errors were logged: {[str(e.get('log_failure') or e) for e in seen.events]}"


@pytest.fixture(autouse=True, scope="module")
def lasting() -> None:
    """What is there before a module's tests need not be looked through after each of them, which takes long."""
    with watched():
        pass  # what only now is garbage is looked through for the last time
    gc.freeze()


@pytest.fixture(autouse=True)
def errors() -> Iterator[Errors]:
    """Fail a test that leaves a delayed call, an open port or connection, or an error in a Deferred or a log."""
    readers = open_readers()
    with watched() as seen:
        yield seen
        late = [str(call) for call in reactor.getDelayedCalls() if call.active()]  # type: ignore[attr-defined]
        for call in reactor.getDelayedCalls():  # type: ignore[attr-defined]
            call.cancel()
        opened = [str(reader) for reader in open_readers() - readers]
    assert not late, f"delayed calls are left: {late}"
    assert not opened, f"ports or connections are left open: {opened}"


@pytest.fixture
def world() -> Iterator[World]:
    """A server in memory, with a clock that stands still unless told; closed at the end."""
    made = World()
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    """Of the server."""
    return Clock()


@pytest.fixture
def engine(clock: Clock) -> MoodyEngine:
    """It can be made to wait and to fail."""
    return MoodyEngine(clock)


@pytest.fixture
def moody(engine: MoodyEngine, clock: Clock) -> Iterator[World]:
    """A server over that engine."""
    world = World(engine, clock)
    yield world
    engine.let_go()
    world.close()
