"""Makes an account while no daemon runs. The console of a running daemon makes the same account (``add_account``)."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from pathlib import Path

from chatroom.admin.database import NAME
from chatroom.admin.errors import CommandFailed
from chatroom.admin.folder_lock import holding
from chatroom.chat.people.passwords import Argon2
from chatroom.engines.sqlite.reader import Reader
from chatroom.engines.sqlite.schema import BadDatabase, connect, open_database
from chatroom.engines.sqlite.writer import Writer
from chatroom.model.account import (
    ALL_MADE,
    BUCKET,
    LOOK_RULES,
    LOOKS,
    AccountRecord,
    decode,
    decode_look,
    encode,
    encode_look,
)
from chatroom.model.log import Change
from chatroom.model.names import BadName, Name, user_looks, user_name
from chatroom.model.password_rules import LEAST, BadPassword, new_password
from chatroom.model.text import clean

ID_CHARACTERS = 12
_ALPHABET = string.digits + string.ascii_lowercase

Mint = Callable[[], str]


def mint() -> str:
    """Return a random id, which nobody can guess and which is never returned twice."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_CHARACTERS))


def check_name(text: str) -> Name:
    """Return the name of a new account, made of a text that the operator typed.

    Raises:
        CommandFailed: The text is not allowed as a name.
    """
    try:
        return user_name(text)
    except BadName as error:
        raise CommandFailed(f"{clean(text)!r} cannot be a name: {error}") from None


def checked_password(password: str, least: int = LEAST) -> str:
    """Check the password of a new account, and return the form of the password that is hashed.

    Args:
        password: The password as it was given.
        least: The least number of characters.

    Raises:
        CommandFailed: The password is too short or not allowed. The text of the error does not show the password.
    """
    try:
        return new_password(password, least)
    except BadPassword as error:
        raise CommandFailed(str(error)) from None


def add_account(
    folder: Path,
    name: Name,
    password: str,
    *,
    operator: bool = False,
    least: int = LEAST,
    mint: Mint = mint,
    clock: Callable[[], float] = time.time,
    argon2: Argon2 | None = None,
) -> None:
    """Make an account in a data folder that no daemon uses, with a reserved seat (one of the ``--max-users`` places).

    Args:
        folder: The data folder; made if there is none.
        name: The name of the account.
        password: The password of the account.
        operator: Whether the account is an operator's.
        least: The least number of characters of the password.
        mint: Returns the id of the account.
        clock: Returns the time in seconds since 1970.
        argon2: Hashes the password.

    Raises:
        CommandFailed: The password is not allowed, an account has the name or one that looks like it, or the folder is
            in use or cannot be used.
    """
    password = checked_password(password, least)
    account = AccountRecord(
        id=mint(),
        name=name.shown,
        made=int(clock() * 1000),
        password=(argon2 or Argon2()).hash(password),
        operator=operator,
        reserved=True,
    )
    with holding(folder, ", or use add_account on its console"):
        _put(folder / NAME, name, account)


def _put(path: Path, name: Name, account: AccountRecord) -> None:
    """Store an account and the looks of its name in the database at ``path``."""
    try:
        db = open_database(path)
    except BadDatabase as error:
        raise CommandFailed(str(error)) from None
    reading = connect(path)
    try:
        looks = _claims(Reader(reading), name)
        Writer(db).change((*looks, Change(BUCKET, name.folded, encode(account), 0)))
    finally:
        reading.close()
        db.close()


def _claims(reader: Reader, name: Name) -> list[Change]:
    """Return the changes that reserve the looks of a name for its account. Names that look alike have a look in common.

    Raises:
        CommandFailed: An account has this name, or one that looks like it.
    """
    if reader.get(BUCKET, name.folded) is not None:
        raise CommandFailed(f"there is an account {name.shown} already; choose another name")
    changes = []
    for look in user_looks(name):
        held = reader.get(LOOKS, look)
        other = decode_look(held[0]) if held is not None else ""
        if other and reader.get(BUCKET, other) is not None:
            raise _alike(name, other)
        changes.append(Change(LOOKS, look, encode_look(name.folded), held[1] if held is not None else 0))
    if reader.get(LOOK_RULES, ALL_MADE) is None:
        _check_older(reader, name)
    return changes


def _check_older(reader: Reader, name: Name) -> None:
    """Check a name against accounts that do not have records for all their looks yet.

    Raises:
        CommandFailed: The name looks like the name of such an account.
    """
    looks = set(user_looks(name))
    for other, value in reader.all(BUCKET):
        if not looks.isdisjoint(user_looks(user_name(decode(value).name))):
            raise _alike(name, other)


def _alike(name: Name, other: str) -> CommandFailed:
    return CommandFailed(f"the name {name.shown} looks like that of the account {other}; choose another")
