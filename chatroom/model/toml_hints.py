"""A hint for the author of a TOML file who left out quotes, as many other kinds of configuration files allow.

It has a file of its own because the daemon and the client read such files.
"""

from __future__ import annotations

import re

_AT = re.compile(r"\(at line (\d+), column \d+\)$")
_BARE = re.compile(r"\s*([\w.-]+)\s*=\s*([^\s\"'\[{#][^\"'\[\]{}#]*?)\s*(?:#.*)?")
_SWITCHES = {"yes", "no", "on", "off"}


def hint(text: str, error: str) -> str:
    """Return what to add to an error message of ``tomllib``; empty if missing quotes are not its cause.

    Args:
        text: The whole file.
        error: The error message of ``tomllib``, which names the line; if it names none, the last line is looked at.
    """
    at = _AT.search(error)
    lines = text.split("\n")
    line = lines[min(int(at[1]), len(lines)) - 1] if at is not None else lines[-1]
    bare = _BARE.fullmatch(line.rstrip("\r"))
    if bare is None:
        return ""
    key, value = bare.groups()
    if value.lower() in {"true", "false"}:
        return "; give true or false"
    switch = ", and a switch is true or false" if value.lower() in _SWITCHES else ""
    return f'; text needs quotes: {key} = "{value}"{switch}'
