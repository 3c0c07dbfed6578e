"""Reading the bodies of opened messages. The server has checked nothing of them, so all checks are here."""

from __future__ import annotations

from typing import Any

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.model.emoji import is_emoji
from chatroom.model.text import MOST_LINES, clean_lines, is_blank


def text_of(body: dict[str, Any]) -> str:
    """Return the text of a message, without the characters that must not be shown.

    Raises:
        CryptoRefusal: There is none, or it has too many lines.
    """
    text = body.get("text")
    cleaned = clean_lines(text) if isinstance(text, str) else ""
    if not cleaned or is_blank(cleaned) or cleaned.count("\n") >= MOST_LINES:
        raise CryptoRefusal("forged", "an encrypted message has no proper text")
    return cleaned


def emoji_of(body: dict[str, Any]) -> tuple[str, bool]:
    """Return the emoji of a reaction, and whether it is added, not taken back.

    Raises:
        CryptoRefusal: It is no emoji.
    """
    emoji = body.get("emoji")
    if not isinstance(emoji, str) or not is_emoji(emoji):
        raise CryptoRefusal("forged", "an encrypted reaction has no emoji")
    return emoji, body.get("on", True) is True
