"""Completion by Tab: functions of the console, the operator's variables, and their attributes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from chatroom.admin.console import ConsoleRoom, ConsoleUser

_OF_CALL = re.compile(r"\b(user|room)\([^()]*\)\.(\w*)\Z")
_OF_NAME = re.compile(r"\b([^\W\d]\w*)\.(\w*)\Z")
_NAME = re.compile(r"(?<![\w.'\"])([^\W\d]\w*)\Z")


def candidates(before: str, namespace: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Return the word at the cursor, and the words that it may become.

    Args:
        before: The line up to the cursor.
        namespace: The names that the operator can use.
    """
    if match := _OF_CALL.search(before):
        return _fitting(match[2], dir(ConsoleUser if match[1] == "user" else ConsoleRoom))
    if (match := _OF_NAME.search(before)) and match[1] in namespace:
        return _fitting(match[2], dir(namespace[match[1]]))
    if match := _NAME.search(before):
        return _fitting(match[1], namespace)
    return "", []


def _fitting(word: str, names: Iterable[str]) -> tuple[str, list[str]]:
    return word, sorted(name for name in names if name.startswith(word) and not name.startswith("_"))
