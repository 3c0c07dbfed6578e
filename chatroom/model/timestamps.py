"""Moments in time as people read them. A hostile server may send any number; spelling it never fails."""

from __future__ import annotations

import re
from datetime import datetime

DAY = "%Y-%m-%d"
TIME = "%H:%M"
DAY_AND_TIME = f"{DAY} {TIME}"
UNKNOWN = "??"


def spell_moment(at: int, form: str = DAY_AND_TIME) -> str:
    """Return a moment in local time.

    Args:
        at: Milliseconds since 1970.
        form: As for ``strftime``.

    Returns:
        The moment; with ``??`` in place of each figure if no calendar has such a moment.
    """
    try:
        return datetime.fromtimestamp(at / 1000).strftime(form)
    except (OverflowError, ValueError, OSError):
        return re.sub("%.", UNKNOWN, form)
