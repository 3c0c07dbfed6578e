"""An account made while no daemon runs, the same as the console of a running one would make."""

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
    """Return an id that nobody guesses and that never comes twice."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(ID_CHARACTERS))


def check_name(text: str) -> Name:
    """Return the name of an account to be.

    Raises:
        Cannot: It is none.
    """
    try:
        return user_name(text)
    except BadName as error:
        raise CommandFailed(f"{clean(text)!r} cannot be a name: {error}") from None


def checked_password(password: str, least: int = LEAST) -> str:
    """Return the form of a password that is hashed.

    Args:
        password: As it was given.
        least: Characters that it must have.

    Raises:
        Cannot: It is too short, or cannot be a password; the text does not show it.
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
    """Make an account, with a seat reserved for it, in a data folder that no daemon uses.

    Args:
        folder: The data folder; made if there is none.
        name: What the account shall be called.
        password: What its owner will log in with.
        operator: It may do everything everywhere.
        least: Characters that the password must have.
        mint: Makes its id.
        clock: Seconds since 1970.
        argon2: Makes the password's hash.

    Raises:
        Cannot: It cannot be a password, or the name is an account's or looks like one; or the folder is in use or
            cannot be used.
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
    """Return the changes that keep the looks of a name for its account, if the name is free.

    Raises:
        Cannot: There is an account of this name, or one that looks like it.
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
    """Refuse a name that looks like that of an account which does not have all records of its looks yet."""
    looks = set(user_looks(name))
    for other, value in reader.all(BUCKET):
        if not looks.isdisjoint(user_looks(user_name(decode(value).name))):
            raise _alike(name, other)


def _alike(name: Name, other: str) -> CommandFailed:
    return CommandFailed(f"the name {name.shown} looks like that of the account {other}; choose another")
