"""The arguments of a command that is typed: what each is, how usage names it, how it is read from a line.

The daemon reads what people type on telnet by this, and chatroom-client what is typed into it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from chatroom.model import durations

BLANKS = " \t"  # what is around an argument and not part of it; a control character may be part of a password
_SWITCHES = {"on": True, "off": False}


class Misread(Exception):
    """An argument is not what it should be; its text says what it should, if usage does not."""


class Kind(Enum):
    """How an argument is read from a line."""

    WORD = "one word"
    REST = "the rest of the line"
    COUNT = "a number"
    SWITCH = "on or off"
    DURATION = "a number with its unit, as 10m, 2h, 7d; left out if it is something else"
    SECRET = "a password: one word, or as the last argument the rest of the line"


@dataclass(frozen=True, slots=True)
class Arg:
    """One argument of a command.

    Args:
        field: The field of the command's record.
        kind: How it is read.
        label: What usage calls it; the field's name if empty.
        required: Whether the command means nothing without it.
        ask: What telnet asks if it is left out; empty: leaving it out is an error.
        prompt: What the client asks then.
        twice: The client asks for it a second time, because what is typed is hidden.
    """

    field: str
    kind: Kind = Kind.WORD
    label: str = ""
    required: bool = True
    ask: str = ""
    prompt: str = ""
    twice: bool = False

    @property
    def usage(self) -> str:
        """``<room>`` or ``[messages]``."""
        label = self.label or self.field
        return f"<{label}>" if self.required else f"[{label}]"


def read(arg: Arg, rest: str, *, last: bool) -> tuple[Any, str]:
    """Read an argument.

    Args:
        arg: Which.
        rest: The line from there on, which is not empty.
        last: No argument comes after it.

    Returns:
        Its value, None if it is left out, and what is left of the line.

    Raises:
        Misread: It is something else.
    """
    if arg.kind is Kind.REST or (arg.kind is Kind.SECRET and last):
        return rest, ""
    word, _, rest = rest.partition(" ")
    rest = rest.strip(BLANKS)
    if arg.kind in (Kind.WORD, Kind.SECRET):
        return word, rest
    if arg.kind is Kind.DURATION:
        seconds = durations.parse(word)
        if seconds is None and durations.is_meant(word):  # as a reason it would be for good
            raise Misread(f"{word} is no duration; write it as 10m, 2h or 7d.")
        return (seconds, rest) if seconds is not None else (None, f"{word} {rest}".strip())
    if arg.kind is Kind.COUNT and word.isascii() and word.isdigit() and len(word) < 10:
        return int(word), rest
    if arg.kind is Kind.SWITCH and word.lower() in _SWITCHES:
        return _SWITCHES[word.lower()], rest
    raise Misread
