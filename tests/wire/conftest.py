"""Servers with other bounds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from harness import World


@pytest.fixture
def paced() -> Iterator[World]:
    """A server with the usual flood control."""
    with closing(World(rate=2.0)) as world:
        yield world
