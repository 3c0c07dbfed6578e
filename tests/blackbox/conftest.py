"""Terminals for the tests of the client's screen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.windows import Window, windows


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Callable[[str], Window]]:
    """Makes windows."""
    with windows(tmp_path) as make:
        yield make
