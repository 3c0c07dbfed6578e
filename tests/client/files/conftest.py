"""A network whose people leave at the end of each test, and a folder to fetch to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from client.files.friends import Friend
from client.network import Network


@pytest.fixture
def network(network: Network) -> Iterator[Network]:
    """What clients dial; those who are there at the end leave."""
    Friend.there = []
    yield network
    network.cut_after = None
    for friend in Friend.there:
        friend.leave()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Where files are fetched to."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder
