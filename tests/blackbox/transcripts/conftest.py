"""The daemon of transcripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.daemon import Daemon


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own, whose people are greeted as by any other."""
    with Daemon(tmp_path) as running:
        yield running
