"""Where the clients of a test run: folders for those in pipes, terminals for the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.piped import Folder
from blackbox.windows import Window, windows


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Folder]:
    """A folder in which clients keep what they remember; what is left of them is ended."""
    folder = Folder(tmp_path)
    yield folder
    folder.close()


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Callable[[str], Window]]:
    """Makes windows."""
    with windows(tmp_path) as make:
        yield make
