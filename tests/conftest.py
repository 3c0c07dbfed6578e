"""What every test gets: a check, after it, that nothing was left behind and no error went unseen."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from harness import World
from twisted.internet import reactor
from twisted.logger import globalLogPublisher


def pytest_collection_finish() -> None:
    """What the interpreter, pytest and all that was imported hold need not be looked through after each test."""
    gc.collect()
    gc.freeze()


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
        found = [event for event in self.events if event.get("log_failure") and event["log_failure"].check(kind)]
        assert found, f"no {kind.__name__} was logged"
        self.events = [event for event in self.events if event not in found]


def open_readers() -> set[Any]:
    """Return what the reactor reads, but for what it wakes itself with."""
    readers: list[Any] = reactor.getReaders()  # type: ignore[attr-defined]
    return {reader for reader in readers if type(reader).__module__ != "twisted.internet._signals"}


@pytest.fixture(autouse=True)
def errors() -> Iterator[Errors]:
    """Fail a test that leaves a delayed call, an open port or connection, or an error in a Deferred or a log."""
    seen = Errors()
    readers = open_readers()
    globalLogPublisher.addObserver(seen)
    yield seen
    gc.collect()
    globalLogPublisher.removeObserver(seen)
    late = [str(call) for call in reactor.getDelayedCalls() if call.active()]  # type: ignore[attr-defined]
    for call in reactor.getDelayedCalls():  # type: ignore[attr-defined]
        call.cancel()
    opened = [str(reader) for reader in open_readers() - readers]
    assert not late, f"delayed calls are left: {late}"
    assert not opened, f"ports or connections are left open: {opened}"
    assert not seen.events, f"errors were logged: {[str(e.get('log_failure') or e) for e in seen.events]}"


@pytest.fixture
def world() -> Iterator[World]:
    """A server in memory, with a clock that stands still unless told; closed at the end."""
    made = World()
    yield made
    made.close()
