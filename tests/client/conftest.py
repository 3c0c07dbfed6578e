"""A network in memory for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.network import Network
from harness import World


@pytest.fixture
def network(world: World) -> Iterator[Network]:
    """What clients dial; cut at the end."""
    made = Network(world)
    yield made
    for line in made.lines:
        line.end()
