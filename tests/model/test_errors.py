"""The table of refusals: each has a name and a code of its own."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from chatroom.model import errors


def test_no_refusal_replaces_another_one() -> None:
    tree = ast.parse(Path(errors.__file__).read_text())
    names = [target.id for each in tree.body if isinstance(each, ast.Assign) for target in each.targets]  # type: ignore[attr-defined]
    assert [name for name, number in Counter(names).items() if number > 1] == []
    refusals = [each for each in vars(errors).values() if isinstance(each, errors.Refusal)]
    assert [code for code, number in Counter(each.code for each in refusals).items() if number > 1] == []
