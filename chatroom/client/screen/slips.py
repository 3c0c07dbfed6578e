"""Lines that somebody hardly means for the room: a login whose slash was forgotten, with the password in it."""

from __future__ import annotations

from chatroom.client.screen.commands import BY_WORD


def forgotten_slash(line: str) -> str | None:
    """Return the command that the line looks like, as ``/login``, if a password would stand in it.

    Args:
        line: What was typed. ``login alice secret``, ``register alice,secret`` and `` /password old new`` look like
            commands; ``login does not work for me`` does not, for it has more words than the command takes.

    Returns:
        The command with its slash; None if the line does not look like one.
    """
    words = line.strip().lstrip("/\\").lower().split()
    for count in (2, 1):
        name = " ".join(words[:count])
        row = BY_WORD.get(name) if len(words) >= count else None
        if row is not None and row.secret:
            given = words[count:]
            pair = any("," in word for word in given[:2])
            return f"/{name}" if len(given) <= len(row.args) + pair else None
    return None
