"""How the settings that the server keeps are told: what each is, and for how long the server keeps it."""

from __future__ import annotations

from chatroom.answers import Settings
from chatroom.client.screen.lines import unused
from chatroom.words import ANSWERS


def told(settings: Settings, *, guest: bool) -> list[str]:
    """Return the lines about all of them, or about the one that was asked for or changed.

    Args:
        settings: The server's answer.
        guest: The user is a guest, whose settings the server forgets.
    """
    whose = "while you are connected" if guest else "with your account"
    lines = ANSWERS[Settings](unused, settings)
    if len(lines) == 1:
        return [f"{lines[0].removesuffix('.')} (the server keeps this {whose})."]
    shown = [line for line in lines if not line.startswith("Timestamps")]  # those are telnet's; the client has its own
    return [f"The server keeps {whose}:", *(f"  {line}" for line in shown)]
