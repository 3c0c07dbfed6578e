"""Colours a line of Python while it is typed, even if it is incomplete or wrong."""

from __future__ import annotations

import builtins
import keyword
import re
from re import Match

from chatroom.admin.console import HELP

RESET = "\x1b[0m"
BOLD = "\x1b[1m"
RED = "\x1b[31m"
GREEN = "\x1b[32m"
YELLOW = "\x1b[33m"
BLUE = "\x1b[34m"
MAGENTA = "\x1b[35m"
CYAN = "\x1b[36m"

_TOKEN = re.compile(
    r"""
      (?P<comment> \#.* )
    | (?P<string> [rbfuRBFU]{0,2} (?: \"(?:\\.|[^"\\])*+\"? | '(?:\\.|[^'\\])*+'? ) )
    | (?P<number> \b \d [\w.]*+ )
    | (?P<word> [^\W\d] \w*+ )
    """,
    re.VERBOSE,
)
_KINDS = {"comment": CYAN, "string": GREEN, "number": MAGENTA}


def coloured(line: str) -> str:
    """Return the line with colours; its characters stay the same."""
    return _TOKEN.sub(_paint, line)


def _paint(token: Match[str]) -> str:
    text = token[0]
    colour = _KINDS.get(token.lastgroup or "", "")
    if token.lastgroup == "word":
        if keyword.iskeyword(text):
            colour = YELLOW
        elif text in HELP:
            colour = BOLD + BLUE
        elif hasattr(builtins, text):
            colour = CYAN
    return f"{colour}{text}{RESET}" if colour else text
