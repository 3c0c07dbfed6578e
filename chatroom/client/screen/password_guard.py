"""Recognizing lines with a password that the user probably does not want to say to the room, such as a login without
slash."""

from __future__ import annotations

import re

from chatroom.client.screen.parser import holds_secret
from chatroom.model.commands import BY_SLASH, CommandRow
from chatroom.model.suggestions import nearest

_SECRET = {word: row for word, row in BY_SLASH.items() if row.secret}
_OTHER_WORDS = {"log in": "login", "log-in": "login", "passwd": "password", "pwd": "password", "pw": "password"}
_SEPARATORS = ",:="
_WORD = re.compile(rf"[^\s{_SEPARATORS}]+")
_RECOVERY_KEY = re.compile(r"\s*/keys\s+recover\s+\S", re.IGNORECASE)  # it is asked for, but may be typed there
_TOLD = re.compile(
    r"\b(?:password|passwd|passphrase|pwd|pw|pass)\b"
    r"(?:(?:'s|\s+is|\s+was)?\s*[:=]\s*\S"  # password: hunter22
    r"|(?:'s|\s+is|\s+was)?\s+(?=\S*\d)(?=\S*[^\W\d])\S{4})"  # password is hunter22, but not: password is wrong
)


def forgotten_slash(line: str) -> str | None:
    """Return the command that a line looks like, such as ``/login``, if the line seems to contain a password.

    Args:
        line: What was typed. ``login alice secret``, ``Login: alice,secret``, `` /password old new`` and ``my password
            is s3cret`` seem to contain a password; ``login does not work for me`` does not: it has too many words.

    Returns:
        The command with its slash; None if the line does not look like one.
    """
    text = line.strip().lstrip("/\\").lower()
    for count in (2, 1):
        words = list(_WORD.finditer(text))[:count]
        if len(words) == count and (name := _command(" ".join(word[0] for word in words), text[words[-1].end() :])):
            return f"/{name}"
    return "/password" if _TOLD.search(text) else None


def kept_nowhere(line: str) -> bool:
    """Return whether a typed line, or one of several, may hold a password, so that the history must not keep it."""
    return any(
        holds_secret(part) or forgotten_slash(part) is not None or _RECOVERY_KEY.match(part)
        for part in line.split("\n")
    )


def _command(word: str, rest: str) -> str | None:
    """Return the name of the command that a word means, even if misspelled, if the rest looks like its arguments."""
    row = _SECRET.get(word)
    if row is not None:
        return word if _fits(row, rest) else None
    if not _looks_secret(rest):  # checked first, because ``nearest`` takes longer
        return None
    name = _OTHER_WORDS.get(word) or nearest(word, _SECRET)
    return name if name is not None and _fits(_SECRET[name], rest) else None


def _fits(row: CommandRow, rest: str) -> bool:
    """Return whether the text has no more words than the command has arguments, or one more if it has a separator."""
    return len(_WORD.findall(rest)) <= len(row.args) + any(mark in rest.strip(_SEPARATORS) for mark in _SEPARATORS)


def _looks_secret(rest: str) -> bool:
    """Return whether the text is two words with a separator, or has a word that mixes letters and digits."""
    words = _WORD.findall(rest)
    mixed = any(any(map(str.isdigit, word)) and any(map(str.isalpha, word)) for word in words)
    return mixed or (len(words) == 2 and any(mark in rest for mark in _SEPARATORS))


def is_pair(line: str) -> bool:
    """Return whether the line is one word with a comma inside, such as ``alice,secret``."""
    name, _, password = line.strip().partition(",")
    return bool(name and password) and len(line.split()) == 1
