"""What the terminal can do beyond drawing text, as far as the environment tells. An unknown terminal can do nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, get_args

Links = Literal["auto", "on", "off"]
Notify = Literal["auto", "osc9", "osc777", "off"]
LINKS: tuple[str, ...] = get_args(Links)
NOTIFY: tuple[str, ...] = get_args(Notify)

_PROGRAMS_WITH_LINKS = {"iTerm.app", "WezTerm", "ghostty", "vscode", "mintty", "contour", "rio", "Hyper", "Tabby"}
_TERMS_WITH_LINKS = ("xterm-kitty", "xterm-ghostty", "foot", "alacritty", "wezterm", "contour", "mlterm")
_PROGRAMS_WITH_OSC9 = {"iTerm.app", "WezTerm", "ghostty", "mintty"}
_TERMS_WITH_OSC9 = ("xterm-kitty", "xterm-ghostty", "wezterm")
_TERMS_WITH_OSC777 = ("foot", "rxvt-unicode", "contour")
_VTE_WITH_LINKS = 5000  # version 0.50
_KONSOLE_WITH_LINKS = 201200  # version 20.12
_TMUX_WITH_LINKS = (3, 4)


def has_links(environ: Mapping[str, str], wanted: Links = "auto") -> bool:
    """Return whether links are written as such (OSC 8).

    Args:
        environ: The environment variables of this process.
        wanted: What the user wants; ``auto`` if the terminal is known to follow links.
    """
    if wanted != "auto":
        return wanted == "on"
    if _multiplexed(environ):
        return _program(environ) == "tmux" and _version(environ) >= _TMUX_WITH_LINKS
    return (
        _program(environ) in _PROGRAMS_WITH_LINKS
        or _term(environ).startswith(_TERMS_WITH_LINKS)
        or _number(environ, "VTE_VERSION") >= _VTE_WITH_LINKS
        or _number(environ, "KONSOLE_VERSION") >= _KONSOLE_WITH_LINKS
        or bool(environ.get("WT_SESSION") or environ.get("DOMTERM"))
    )


def way_to_notify(environ: Mapping[str, str], wanted: Notify = "auto") -> Literal["osc9", "osc777", "off"]:
    """Return the escape sequence for notifications on the desktop, or ``off``.

    Args:
        environ: The environment variables of this process.
        wanted: What the user wants; ``auto`` for what the terminal is known to have. A terminal inside another program,
            such as tmux, gets none, because that program would not pass them on.
    """
    if wanted != "auto":
        return wanted
    if _multiplexed(environ):
        return "off"
    if _program(environ) in _PROGRAMS_WITH_OSC9 or _term(environ).startswith(_TERMS_WITH_OSC9):
        return "osc9"
    if _term(environ).startswith(_TERMS_WITH_OSC777) or _number(environ, "VTE_VERSION"):
        return "osc777"
    return "off"


def _multiplexed(environ: Mapping[str, str]) -> bool:
    """Return whether the terminal is inside tmux, screen or the like, which draw on the outer terminal themselves."""
    inside = any(environ.get(name) for name in ("TMUX", "STY", "ZELLIJ"))
    return inside or _term(environ).startswith(("tmux", "screen"))


def _term(environ: Mapping[str, str]) -> str:
    return environ.get("TERM", "")


def _program(environ: Mapping[str, str]) -> str:
    return environ.get("TERM_PROGRAM", "")


def _version(environ: Mapping[str, str]) -> tuple[int, ...]:
    """Return the version of the terminal, such as (3, 4) for ``3.4a``; empty if it is not told."""
    match = re.match(r"(\d{1,5})\.(\d{1,5})", environ.get("TERM_PROGRAM_VERSION", ""))
    return (int(match[1]), int(match[2])) if match is not None else ()


def _number(environ: Mapping[str, str], name: str) -> int:
    text = environ.get(name, "")
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0
