"""Texts that several transcripts hold."""

from __future__ import annotations

from unittest.mock import ANY

HELP = "What do you want to do? /help <topic> or /help <command> says more."
NO_ROOM = "Error: you are not in a room; join one with /join <room>."
IN_USE = "Error: username is already used; choose another with /name <name>."


def said(text: str, by: str = "pam", event: str = "said", room: str = "lobby") -> dict[str, object]:
    """Return the fields of something said in a room."""
    return {"event": event, "room": room, "seq": ANY, "id": ANY, "at": ANY, "by": by, "by_id": ANY, "text": text}
