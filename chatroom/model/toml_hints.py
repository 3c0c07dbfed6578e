"""What to say of a TOML file whose text stands without quotes, as many other kinds of config files have it."""

from __future__ import annotations

import re

_AT = re.compile(r"\(at line (\d+), column \d+\)$")
_BARE = re.compile(r"\s*([\w.-]+)\s*=\s*([^\s\"'\[{#][^\"'\[\]{}#]*?)\s*(?:#.*)?")
_SWITCHES = {"yes", "no", "on", "off"}


def hint(text: str, error: str) -> str:
    """Return what is to be done, to be put behind what ``tomllib`` says; empty if the fault is another.

    Args:
        text: The whole file.
        error: What ``tomllib`` says is wrong with it; it names the line.
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
