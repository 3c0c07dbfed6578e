"""Where the clients of a test run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.piped import Folder


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Folder]:
    """A folder in which clients keep what they remember; what is left of them is ended."""
    folder = Folder(tmp_path)
    yield folder
    folder.close()
