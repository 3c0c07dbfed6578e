"""Texts that several transcripts hold."""

from __future__ import annotations

from unittest.mock import ANY

HELP = "What do you want to do? /help <topic> or /help <command> says more."
NO_ROOM = "Error: you are not in a room; join one with /join <room>."
IN_USE = "Error: username is already used; choose another with /name <name>."


def said(text: str, by: str = "pam", event: str = "said") -> dict[str, object]:
    """Return the fields of something said in the lobby."""
    return {"event": event, "room": "lobby", "seq": ANY, "id": ANY, "at": ANY, "by": by, "by_id": ANY, "text": text}
