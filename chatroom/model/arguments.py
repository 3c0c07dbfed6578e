"""The arguments of typed commands: what they are, how usage shows them, and how they are read from a line.

Both the daemon, for people on telnet, and chatroom-client use this.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any

from chatroom.model import durations

BLANKS = " \t"  # stripped around an argument; other control characters may be part of a password
_SPACE = re.compile("[ \n]")
_SWITCHES = {"on": True, "off": False}
_BACK = re.compile("-[0-9]{1,9}")


def first_word(text: str) -> tuple[str, str]:
    """Return the first word of a text, and the rest. A word ends at a space or at the end of a line."""
    word, *rest = _SPACE.split(text, maxsplit=1)
    return word, rest[0].strip(BLANKS) if rest else ""


class Misread(Exception):
    """An argument is wrong. The error's text says what is expected; if it is empty, show the usage instead."""


class Kind(Enum):
    """How an argument is read from a line."""

    WORD = "one word"
    REST = "the rest of the line"
    COUNT = "a number"
    BACK = "a minus and a number, as -2; left out if it is something else"
    SWITCH = "on or off"
    YES = "the word yes"
    DURATION = "a number with its unit, as 10m, 2h, 7d; left out if it is something else"
    SECRET = "a password: one word, or as the last argument the rest of the line"


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument of a command.

    Args:
        field: The field of the command's record that gets the value.
        kind: How the argument is read.
        label: The name that usage shows; the name of the field if empty.
        required: Whether the argument must be given.
        ask: What telnet asks if the argument is left out; if empty, leaving it out is an error.
        prompt: What the client asks if the argument is left out.
        twice: Whether the client asks for it a second time, because what is typed is hidden.
        lines: Whether it may have several lines; if so, it is the last argument.
    """

    field: str
    kind: Kind = Kind.WORD
    label: str = ""
    required: bool = True
    ask: str = ""
    prompt: str = ""
    twice: bool = False
    lines: bool = False

    @property
    def usage(self) -> str:
        """The argument as usage shows it: ``<room>``, or ``[messages]`` if it may be left out."""
        label = self.label or self.field
        return f"<{label}>" if self.required else f"[{label}]"


def read(arg: Arg, rest: str, *, last: bool) -> tuple[Any, str]:
    """Read an argument from a line.

    Args:
        arg: The argument.
        rest: The line from the argument on; it is not empty.
        last: Whether this is the last argument.

    Returns:
        The value of the argument, which is None if it is left out, and the rest of the line.

    Raises:
        Misread: The argument is wrong.
    """
    if arg.kind is Kind.REST or (arg.kind is Kind.SECRET and last):
        return rest, ""
    line = rest
    word, rest = first_word(rest)
    if arg.kind is Kind.BACK and (_BACK.fullmatch(word) or not arg.required):
        return (int(word[1:]), rest) if _BACK.fullmatch(word) else (None, line)
    if arg.kind in (Kind.WORD, Kind.SECRET):
        return word, rest
    if arg.kind is Kind.DURATION:
        seconds = durations.parse(word)
        if seconds is None and durations.is_meant(word):  # else the word would become the reason of an endless ban
            raise Misread(f"{word} is no duration; write it as 10m, 2h or 7d.")
        return (seconds, rest) if seconds is not None else (None, f"{word} {rest}".strip())
    if arg.kind is Kind.COUNT and word.isascii() and word.isdigit() and len(word) < 10:
        return int(word), rest
    if arg.kind is Kind.SWITCH and word.lower() in _SWITCHES:
        return _SWITCHES[word.lower()], rest
    if arg.kind is Kind.YES and word.lower() == "yes":
        return True, rest
    raise Misread
