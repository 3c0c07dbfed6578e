"""The daemon of these tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.daemon import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running
