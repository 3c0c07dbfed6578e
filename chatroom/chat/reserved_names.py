"""Names that nobody may choose, because their messages could be mistaken for those of the server or an operator.

A message is shown as ``alice: hello``, so a user called ``Error`` could write lines that look like the server's.
Operators may give such a name to an account, and an account that already has one keeps it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import ip_address
from string import digits
from unicodedata import name as character
from unicodedata import normalize

from chatroom.model.names import BadName, Name, skeleton, user_looks, user_name

# Names of authorities and of the server.
AUTHORITIES = (
    "admin", "administrator", "administrators", "admins", "alert", "alerts", "announcement", "announcements",
    "chatroom", "console", "daemon", "error", "errors", "everyone", "host", "info", "information", "mod",
    "moderator", "moderators", "mods", "motd", "notice", "notices", "op", "operator", "operators", "ops",
    "owner", "root", "security", "server", "service", "services", "staff", "superuser", "support", "sysadmin",
    "sysop", "system", "warning", "warnings",
)  # fmt: skip
# Words that begin a line of the server. tests/chat/test_reserved_names.py looks for them in the code.
BEGINNINGS = (
    "all", "attention", "banned", "cancelled", "caution", "choose", "closed", "commands", "connection",
    "conversations", "current", "did", "disconnected", "echo", "everybody", "file", "files", "from", "goodbye", "guest",
    "guests", "hello", "help", "here", "hint", "hints", "important", "in", "invalid", "invitation", "joined",
    "kicked", "left", "login", "logout", "message", "messages", "muted", "name", "no", "nobody", "note",
    "notes", "password", "people", "private", "reactions", "register", "reminder", "room", "rooms", "searched",
    "searching", "seats", "session", "sessions", "shutdown", "spellings", "the", "there", "this",
    "timestamps", "tip", "tips", "to", "topic", "try", "type", "usage", "user", "username", "users",
    "welcome", "what", "you", "your",
)  # fmt: skip

_DIGITS = str.maketrans("0123456789", "olzeasbtbg")
_WORDS = re.compile(r"[-_.]+")


def chosen_name(text: str, server: str = "") -> Name:
    """Return a name that a user chooses.

    Args:
        text: The name as it was given; it may contain anything.
        server: The server's name.

    Returns:
        The name in its three forms.

    Raises:
        BadName: The text is not a valid user name, is an address, or looks like a name of the server or an operator.
    """
    name = user_name(text)
    check_new(name)
    if _is_address(name.shown):
        raise BadName("an address is not a name")
    reserved = _reserved(server)
    words = _WORDS.split(name.shown)
    if (
        any(_pose(text) in reserved for text in (name.shown, *user_looks(name)))
        or all(_pose(word) in reserved for word in words)
        or _pose(words[0].rstrip(digits)) in _AUTHORITIES
    ):
        raise BadName("this name, or one that looks like it, could be taken for the server's")
    return name


def check_new(name: Name) -> None:
    """Check a new name of a user or a room by rules that names of older versions need not fulfil.

    Raises:
        BadName: The name ends with a full stop, which readers would take for the end of a sentence; or the name has
            small capitals, which look like other letters.
    """
    if name.shown.endswith("."):
        raise BadName("a name does not end with a full stop")
    if not name.shown.isascii() and any("SMALL CAPITAL" in character(char, "") for char in name.shown):
        raise BadName("a name has no small capitals, for they look like other letters")


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@lru_cache(8)
def _reserved(server: str) -> frozenset[str]:
    """Return all reserved names, and the server's, in the form that ``_pose`` returns."""
    return _AUTHORITIES | frozenset(map(_pose, (*BEGINNINGS, *([server] if server else []))))


def _pose(text: str) -> str:
    """Return a name as a hasty reader sees it, so that names that look alike become equal.

    It has no accents, hyphens or case, it has letters for digits, and the same letter for I, l and 1.

    Digits at the end stay, except 0 and 1: ``user5`` is a user with a number, not ``users``.
    """
    look = skeleton("".join(char for char in normalize("NFD", text) if char.isalnum()))
    word = look.rstrip(digits)
    look = word.translate(_DIGITS) + look[len(word) :]
    return look.replace("vv", "w").replace("i", "l")


_AUTHORITIES = frozenset(map(_pose, AUTHORITIES))
