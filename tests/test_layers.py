"""Which package imports which: the code against the table in ``chatroom/__init__.py``."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import chatroom

ROOT = Path(chatroom.__file__).parent
MAY = {
    "model": {"model"},
    "chat": {"chat", "model"},
    "engines": {"engines", "model"},
    "wire": {"wire", "chat", "model"},
    "client": {"client", "model", "__version__"},
    "admin": {"admin", "chat", "engines", "model", "__version__"},
    "daemon": {"daemon", "admin", "chat", "engines", "wire", "model", "__version__"},
    "tap": {"daemon"},
    "__init__": set[str](),
}
FILES = sorted(ROOT.rglob("*.py"))


def imports(path: Path) -> set[str]:
    """Return which parts of ours a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in names if name.startswith("chatroom.")}
    return found


def layer(path: Path) -> str:
    """Return the package that a file belongs to, or the name of a file that stands beside the packages."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    assert imports(path) <= MAY[layer(path)]


def test_there_is_nothing_beside_the_packages_and_tap() -> None:
    assert {layer(path) for path in FILES} == set(MAY)
    assert {path.name for path in ROOT.iterdir() if path.suffix == ".py"} == {"__init__.py", "tap.py"}


def test_the_check_sees_an_import_inside_a_function(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from chatroom.engines import sqlite\n    import chatroom.wire.detect\n")
    assert imports(module) == {"engines", "wire"}


@pytest.mark.parametrize("path", [p for p in FILES if layer(p) == "chat"], ids=lambda path: path.name)
def test_the_chat_has_no_clock_reactor_or_randomness_of_its_own(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert (node.module, "reactor") not in {(node.module, alias.name) for alias in node.names}, path
        if isinstance(node, ast.Import):
            assert not {alias.name for alias in node.names} & {"time", "random", "secrets", "socket", "sqlite3"}, path
