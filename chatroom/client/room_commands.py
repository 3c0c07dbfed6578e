"""Which commands are about a room. The client names the room in each of them, as it was when the command was given."""

from __future__ import annotations

from typing import Any

_MODERATION = {
    "topic",
    "kick",
    "ban",
    "unban",
    "mute",
    "unmute",
    "op",
    "deop",
    "owner",
    "invite",
    "lock",
    "unlock",
    "close",
}
_FILES = {"share", "get", "unshare", "files"}
_TALK = {"say", "me", "history", "search", "quote", "edit", "react", "typing", "read", "delete"}
_SEALED = {"encrypt", "say-sealed", "member-ids"}
_ABOUT_ROOM = frozenset({"leave", "names", "slow", *_MODERATION, *_FILES, *_TALK, *_SEALED})
_OF_A_MESSAGE = frozenset({"quote", "edit", "react", "delete"})
# Commands that are about a person instead, if they name a user.
_OR_PERSON = frozenset({"history", "search", "share", "typing", "read", *_OF_A_MESSAGE})
MAY_BE_PRIVATE = frozenset({"history", "search"})  # without a room in front they are about all private messages
_OF_A_FILE = frozenset({"get", "unshare"})  # the server finds most files without the room


def is_about_room(do: str, fields: dict[str, Any]) -> bool:
    """Return whether a command is about a room.

    Args:
        do: The command's name.
        fields: The other fields of its record.
    """
    return do in _ABOUT_ROOM and not (do in _OR_PERSON and fields.get("user"))


def lacks_room(do: str, fields: dict[str, Any]) -> bool:
    """Return whether a command must name a room, and names none; the arguments are those of ``is_about_room``."""
    return is_about_room(do, fields) and do not in _OF_A_FILE and not fields.get("room")


def is_about_sealed(do: str, fields: dict[str, Any]) -> bool:
    """Return whether a command is about a sealed private message, so that no server can carry it out."""
    return do in _OF_A_MESSAGE and bool(fields.get("user"))
