"""The page that says which test breaks with which rule of the encryption names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NAMED = re.findall(r"`(\S+)::(test_\w+)`", (ROOT / "docs/encryption-tests.md").read_text())


@pytest.mark.parametrize("path", sorted({path for path, _ in NAMED}))
def test_every_test_that_the_page_names_is_there(path: str) -> None:
    there = set(re.findall(r"^(?:async )?def (\w+)", (ROOT / f"tests/{path}.py").read_text(), re.MULTILINE))
    assert {name for where, name in NAMED if where == path} - there == set()


def test_the_page_names_many() -> None:
    assert len(NAMED) > 100
