"""A server whose engine does what a test says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fakes import MoodyEngine
from harness import World
from twisted.internet.task import Clock


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
