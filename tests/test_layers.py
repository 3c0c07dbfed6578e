"""Who may know whom: the code's imports against the rules in ``chatroom/__init__.py``."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import chatroom

ROOT = Path(chatroom.__file__).parent
PLAIN = {
    "account",
    "accounts_file",
    "answers",
    "arguments",
    "counters",
    "durations",
    "events",
    "fingerprint",
    "log",
    "logger",
    "message_format",
    "moments",
    "names",
    "nearest",
    "network",
    "plain_file",
    "password_text",
    "passwords",
    "posing",
    "raw_bytes",
    "shared_files",
    "text",
    "tokenizer",
    "unquoted",
    "words",
}
MAY = {
    "plain": PLAIN,
    "chat": PLAIN | {"chat"},
    "client": PLAIN | {"client", "__version__"},
    "engines": PLAIN | {"engines"},
    "wire": PLAIN | {"chat", "wire"},
    "admin": PLAIN | {"chat", "engines", "admin", "data_folder", "listening", "options"},
    "top": PLAIN
    | {"admin", "chat", "engines", "wire"}
    | {"assembly", "audit_file", "data_folder", "listening", "log_file", "operator_services", "options", "pid_file"}
    | {"privileges", "reloading", "service", "start_check", "tls_files", "twistd_start"},
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
    """Return the layer that a file belongs to."""
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return "plain" if first in PLAIN else first if first in MAY else "top"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_file_imports_only_what_its_layer_may(path: Path) -> None:
    assert imports(path) <= MAY[layer(path)]


def test_the_layers_are_all_there() -> None:
    assert {layer(path) for path in FILES} == set(MAY)


def test_the_check_sees_an_import_inside_a_function(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from chatroom.engines import sqlite\n    import chatroom.wire.door\n")
    assert imports(module) == {"engines", "wire"}


@pytest.mark.parametrize("path", [p for p in FILES if layer(p) == "chat"], ids=lambda path: path.name)
def test_the_chat_has_no_clock_reactor_or_randomness_of_its_own(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert (node.module, "reactor") not in {(node.module, alias.name) for alias in node.names}, path
        if isinstance(node, ast.Import):
            assert not {alias.name for alias in node.names} & {"time", "random", "secrets", "socket", "sqlite3"}, path
