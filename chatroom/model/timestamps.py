"""Times as people read them. A hostile server may send any number, so this never fails.

It has a file of its own because the server, the client and chatroom-admin all show times.
"""

from __future__ import annotations

import re
from datetime import datetime

DAY = "%Y-%m-%d"
TIME = "%H:%M"
DAY_AND_TIME = f"{DAY} {TIME}"
UNKNOWN = "??"


def spell_moment(at: int, form: str = DAY_AND_TIME) -> str:
    """Return a time in words, as local time.

    Args:
        at: The time in milliseconds since 1970.
        form: The format, as for ``strftime``.

    Returns:
        The time; with ``??`` for each field if the calendar has no such time.
    """
    try:
        return datetime.fromtimestamp(at / 1000).strftime(form)
    except (OverflowError, ValueError, OSError):
        return re.sub("%.", UNKNOWN, form)
