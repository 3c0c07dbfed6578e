"""The operator's file of accounts, with ``name:password`` or ``name:$argon2id$…`` on each line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chatroom.chat.people.passwords import is_hash
from chatroom.model.names import BadName, Name, user_name
from chatroom.model.password_rules import BadPassword, prepared

MOST_BYTES = 1024 * 1024


class BadFile(Exception):
    """The file cannot be used. The text of the exception says where and why, and never shows a password."""


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account in the file. ``hashed``: whether ``secret`` is an Argon2id hash, not a password."""

    name: Name
    secret: str
    hashed: bool

    def __repr__(self) -> str:
        return f"AccountLine({self.name.shown!r})"


def read(path: Path) -> list[AccountLine]:
    """Return the accounts in a file. Empty lines and lines that begin with # are skipped.

    Raises:
        FileNotFoundError: There is no such file.
        BadFile: The file cannot be read or is too long, or one of its lines is invalid.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadFile(f"longer than {MOST_BYTES} bytes")
        # Only a line feed ends a line: other characters that can end a line may be part of a password.
        lines = path.read_bytes().decode("utf-8-sig").split("\n")
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise BadFile(str(getattr(error, "strerror", None) or "it is not UTF-8")) from None
    entries: list[AccountLine] = []
    taken: set[str] = set()
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            entry = _entry(line.removesuffix("\r"), number)
            keys = {f"name {entry.name.folded}", f"look {entry.name.look}"}
            if keys & taken:
                raise BadFile(
                    f"line {number}: {entry.name.shown} is listed twice, or looks like another name in the file"
                )
            taken |= keys
            entries.append(entry)
    return entries


def _entry(line: str, number: int) -> AccountLine:
    """Return the account in a line, or raise ``BadFile`` with the number of the line."""
    user, colon, secret = line.partition(":")
    if not colon or not secret:
        raise BadFile(f"line {number}: it is not name:password")
    hashed = secret.startswith("$")
    if hashed and not is_hash(secret):
        raise BadFile(f"line {number}: a password that begins with $ must be an Argon2id hash, and this is not one")
    try:
        return AccountLine(user_name(user.strip()), secret if hashed else prepared(secret), hashed)
    except (BadName, BadPassword) as error:
        raise BadFile(f"line {number}: {error}") from None
