"""The audit log: who did what to whom, one line an act, apart from the daemon's other lines by its namespace."""

from __future__ import annotations

from chatroom.logger import logger

NAMESPACE = "chatroom.audit"

_log = logger(NAMESPACE)


def audit(by: str, what: str, where: str = "") -> None:
    """Write down an act.

    Args:
        by: Whose act it was.
        what: What was done; never a password, never a message's text.
        where: The room, if it was in one.
    """
    _log.info("{by} {what}{where}", by=by, what=what, where=f" in {where}" if where else "")
