"""Durations as people write them (``10m``, ``2h``, ``7d``) and as they read them (``10 minutes``)."""

from __future__ import annotations

import re

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_NAMES = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))
_DURATION = re.compile(r"([0-9]{1,6})([smhdw])", re.IGNORECASE)

_LIKE_ONE = re.compile(r"[0-9]+([.,][0-9]+)?(?!(?:st|nd|rd|th)$)[a-z][a-z0-9]*", re.IGNORECASE)


def parse(text: str) -> int | None:
    """Return the number of seconds in ``30s``, ``10m``, ``2h``, ``7d`` or ``1w``; None for any other text."""
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNITS[match[2].lower()] if match else None


def is_meant(text: str) -> bool:
    """Return whether a text such as ``5q`` or ``1h30m`` is a misspelled duration, and not the beginning of a reason."""
    return _LIKE_ONE.fullmatch(text) is not None


def spell(seconds: float) -> str:
    """Return a duration in words, in the largest unit that is not far off, such as ``90 seconds`` or ``2 hours``.

    Args:
        seconds: The duration.
    """
    whole = max(1, round(seconds))
    for name, size in _NAMES:
        if whole % size == 0 or whole >= 3 * size:
            number = round(whole / size)
            if number * size != whole:
                return spell(number * size)  # 7199 seconds are 120 minutes, which are 2 hours
            return f"{number} {name}" if number == 1 else f"{number} {name}s"
    raise AssertionError("every number of seconds is one of seconds")
