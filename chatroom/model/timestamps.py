"""Times as people read them. A hostile server may send the client any number, so ``spell_moment`` never raises.

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
    """Return a time as people read it, in the local time zone.

    Args:
        at: The time in milliseconds since 1970.
        form: The format, as for ``strftime``.

    Returns:
        The time; ``??`` stands for each field of ``form`` if the calendar has no such time.
    """
    try:
        return datetime.fromtimestamp(at / 1000).strftime(form)
    except (OverflowError, ValueError, OSError):
        return re.sub("%.", UNKNOWN, form)
