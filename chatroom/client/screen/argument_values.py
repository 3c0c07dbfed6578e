"""Which values an argument may have, derived from a command's usage such as ``/ban [user] [duration] [reason]``."""

from __future__ import annotations

import re

DURATIONS = ("10m", "1h", "1d", "7d")
FREE = frozenset({"text", "reason", "words"})  # free text: names of people in the room are offered
# Kinds of any value:
_OPEN = FREE | {
    "code",
    "device",
    "messages",
    "name",
    "new",
    "number",
    "old",
    "password",
    "seconds",
}  # kinds of any value
_ARGUMENT = re.compile(r"[<\[]([^>\]]*)[>\]]")


def argument_at(usage: str, given: int) -> list[str]:
    """Return what an argument may be: kinds such as ``user``, and literal words such as ``off``.

    Args:
        usage: How the command is used, as ``/focus [user ...|off]``.
        given: How many arguments stand before this argument.
    """
    arguments: list[str] = _ARGUMENT.findall(usage)
    if given >= len(arguments) and not (arguments and (arguments[-1] in FREE or "..." in arguments[-1])):
        return []
    argument = arguments[min(given, len(arguments) - 1)]
    return [kind.removesuffix("...").strip() for kind in re.split(r"\||\bor\b", argument)]


def words_of(kinds: list[str]) -> list[str]:
    """Return the words that can be offered as they are: literal words such as ``off``, and some durations."""
    known = {*_OPEN, "command", "path", "room", "topic", "user"}
    return [word for kind in kinds for word in (DURATIONS if kind == "duration" else [kind]) if word not in known]
