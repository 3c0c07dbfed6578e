"""A folder of vaults for each test; those that are left open are closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from client.vault.pump import Vaults


@pytest.fixture
def vaults(tmp_path: Path) -> Iterator[Vaults]:
    """Opens vaults."""
    made = Vaults(tmp_path)
    yield made
    made.close_all()
