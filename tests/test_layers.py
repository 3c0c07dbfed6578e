"""Which package imports which: the code against the table in ``chatroom/__init__.py``."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection
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
LONGEST_FILE = 450  # lines
LONGEST_FUNCTION = 50
LONGEST_CLASS = 300
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


# ---- no circles, no name twice ---------------------------------------------------------------------------------------

MODULES = {".".join(("chatroom", *path.relative_to(ROOT).with_suffix("").parts)): path for path in FILES}


def imported_modules(source: str, modules: Collection[str]) -> set[str]:
    """Return which of the modules a file imports, also for types alone."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found & set(modules)


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return modules of which each can be reached from all others of them; empty if there is no circle."""
    left = dict(graph)
    while leaves := [name for name, needs in left.items() if not needs & left.keys()]:
        for name in leaves:
            del left[name]
    return sorted(left)


def test_no_import_goes_round_in_a_circle() -> None:
    assert circle({name: imported_modules(path.read_text(), MODULES) for name, path in MODULES.items()}) == []


def test_the_check_sees_a_circle_of_types() -> None:
    sources = {
        "a": "if TYPE_CHECKING:\n    from b import B\n",
        "b": "def f():\n    import c\n",
        "c": "from a import A\n",
        "d": "import a\n",
    }
    graph = {name: imported_modules(source, sources) for name, source in sources.items()}
    assert circle(graph) == ["a", "b", "c", "d"]
    assert circle({**graph, "c": set()}) == []


def classes(path: Path) -> list[str]:
    """Return the public classes of a file."""
    found = [node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)]
    return [name for name in found if not name.startswith("_")]


def test_no_two_classes_share_a_name() -> None:
    names = Counter(name for path in FILES for name in classes(path))
    assert {name for name, number in names.items() if number > 1} == set()


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Return all functions and methods of a file."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(node: ast.AST) -> int:
    """Return how many lines something takes."""
    return (node.end_lineno or 0) - node.lineno + 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_functions_and_classes_are_short(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    assert text.count("\n") <= LONGEST_FILE
    assert [node.name for node in functions(tree) if length(node) > LONGEST_FUNCTION] == []
    assert [node.name for node in tree.body if isinstance(node, ast.ClassDef) and length(node) > LONGEST_CLASS] == []
