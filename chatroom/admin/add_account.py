"""An account made while no daemon runs, the same as the console of a running one would make."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from chatroom.account import BUCKET, LOOKS, Account, encode
from chatroom.admin.cannot import Cannot
from chatroom.admin.database import NAME
from chatroom.admin.holding import holding
from chatroom.engines.reading import Reader
from chatroom.engines.schema import BadDatabase, connect, open_database
from chatroom.engines.writing import Writer
from chatroom.log import Change
from chatroom.names import BadName, Name, user_name
from chatroom.password_text import LEAST, BadPassword, new_password
from chatroom.passwords import Argon2
from chatroom.text import clean

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
        raise Cannot(f"{clean(text)!r} cannot be a name: {error}") from None


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
        raise Cannot(str(error)) from None


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
    account = Account(
        id=mint(),
        name=name.shown,
        made=int(clock() * 1000),
        password=(argon2 or Argon2()).hash(password),
        operator=operator,
        reserved=True,
    )
    with holding(folder, ", or use add_account on its console"):
        _put(folder / NAME, name, account)


def _put(path: Path, name: Name, account: Account) -> None:
    try:
        db = open_database(path)
    except BadDatabase as error:
        raise Cannot(str(error)) from None
    reading = connect(path)
    try:
        revision = _look_revision(Reader(reading), name)
        writer = Writer(db)
        look = Change(LOOKS, name.look, msgspec.json.encode(name.folded), revision)
        writer.change((look, Change(BUCKET, name.folded, encode(account), 0)))
    finally:
        reading.close()
        db.close()


def _look_revision(reader: Reader, name: Name) -> int:
    """Return the revision of the look's record, 0 for none, if the name is free."""
    if reader.get(BUCKET, name.folded) is not None:
        raise Cannot(f"there is an account {name.shown} already; choose another name")
    held = reader.get(LOOKS, name.look)
    if held is None:
        return 0
    other = msgspec.json.decode(held[0], type=str)
    if reader.get(BUCKET, other) is not None:
        raise Cannot(f"the name {name.shown} looks like that of the account {other}; choose another")
    return held[1]
