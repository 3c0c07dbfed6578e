"""What a guard of the encryption is: something that a test must miss when it is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Guard(NamedTuple):
    """A guard.

    Args:
        file: The file that has it.
        what: What it guards against.
        text: Its text, which is in the file exactly once.
        instead: What replaces it.
        tests: Of these tests, one must fail then.
    """

    file: str
    what: str
    text: str
    instead: str
    tests: tuple[str, ...]


def guards(module: str, found: Sequence[tuple[str, str, str]], *tests: str) -> list[Guard]:
    """Return the guards of a module of the package; without ``tests``, they are in the module's own test.

    Args:
        module: Its path, as ``client/crypto/identity``.
        found: For each guard, what it guards against, its text, and what replaces it.
        tests: Paths in ``tests``, without ``.py``, or of folders there.
    """
    folder, name = module.rsplit("/", 1)
    paths = tuple(
        f"tests/{test}" if test.endswith("/") else f"tests/{test}.py" for test in tests or (f"{folder}/test_{name}",)
    )
    return [Guard(f"chatroom/{module}.py", *guard, paths) for guard in found]
