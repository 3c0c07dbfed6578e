"""Formats results for the operator, and typed statements for the log: harmless to terminals, and without secrets."""

from __future__ import annotations

import ast
import re
from typing import Any

from chatroom.admin.console import Text, explain
from chatroom.admin.tables import Table
from chatroom.model.text import clean

MOST = 1_000_000  # characters of one result
_TAKE_PASSWORD = {"add_account", "set_password"}  # their first argument is a name
_SECRET = re.compile("add_account|password", re.IGNORECASE)
_LONGEST = 500  # characters of a statement that are logged


def shown(value: Any, width: int) -> str:
    """Return a result as lines that are harmless to a terminal.

    Args:
        value: The result.
        width: The columns of the terminal.

    Raises:
        Exception: The value's own ``repr`` has failed.
    """
    if isinstance(value, Table):
        text = value.render(width)
    elif isinstance(value, list | tuple) and value and all(isinstance(each, Text) for each in value):
        text = "\n".join(value)
    else:
        text = (explain(value) if callable(value) else None) or repr(value)
    if len(text) > MOST:
        text = f"{text[:MOST]}\n(cut: {len(text)} characters)"
    return "\n".join(map(clean, text.split("\n")))


def tells_a_secret(source: str) -> bool:
    """Return whether a statement may contain a password."""
    return bool(_SECRET.search(source))


def for_the_log(source: str) -> str:
    """Return a statement for the log, without anything that may be a password."""
    if not tells_a_secret(source):
        return source if len(source) <= _LONGEST else f"{source[:_LONGEST]}... ({len(source)} characters)"
    return _called(source) or "(not logged: there may be a password in it)"


def _called(source: str) -> str:
    """Return a statement that calls a function that takes a password, with only the first argument shown.

    Return an empty text if the statement is anything else.
    """
    try:
        [statement] = ast.parse(source).body  # of several, the others must not be hidden behind the first
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    call = getattr(statement, "value", None)
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in _TAKE_PASSWORD):
        return ""
    first = call.args[0] if call.args else None
    return f"{call.func.id}({first.value!r}, ...)" if isinstance(first, ast.Constant) else f"{call.func.id}(...)"
