"""Makes a backup the database of a data folder."""

from __future__ import annotations

import os
import sqlite3
from itertools import count
from pathlib import Path

from chatroom.admin.atomic_file import whole_file
from chatroom.admin.backup import copy_database
from chatroom.admin.database import BESIDE, NAME, check_usable, reading
from chatroom.admin.errors import CommandFailed
from chatroom.admin.folder_lock import holding
from chatroom.chat.keys.claiming import ONE_TIME


def restore(folder: Path, source: Path, *, force: bool = False) -> Path | None:
    """Put a backup into a data folder, which no daemon may be using.

    The backup is checked and copied before anything in the folder is moved. One-time keys are left out: some of them
    were given to somebody after the backup was made, and none may be given twice. Each device publishes new ones when
    it connects.

    Args:
        folder: The data folder; made if there is none.
        source: The backup.
        force: Whether to move an existing database aside, to ``chat.db.before-restore-N``.

    Returns:
        The new path of the database that was there before; None if there was none.

    Raises:
        CommandFailed: The backup is not chatroom's, was made by a newer chatroom, or is damaged; or the folder is in
            use, cannot be written, or has a database already.
    """
    if not source.is_file():
        raise CommandFailed(f"there is no file {source}; give a backup")
    with reading(source, "ro") as db:
        check_usable(db, source)
        with holding(folder):
            target = folder / NAME
            there = any(os.path.lexists(f"{target}{beside}") for beside in ("", *BESIDE))
            if there and not force:
                raise CommandFailed(f"there is a database in {folder}; --force moves it aside and restores")
            return _restore(db, target, there)


def _restore(db: sqlite3.Connection, target: Path, there: bool) -> Path | None:
    """Put a copy of the backup in the database's place; move an old database aside, and return its new path."""
    aside = None
    with whole_file(target, force=True) as made:
        copy_database(db, made)
        _drop_one_time_keys(made)
        if there:
            aside = _move_aside(target)
    return aside


def _drop_one_time_keys(path: Path) -> None:
    """Remove the one-time keys of all devices from a database that no daemon uses."""
    db = sqlite3.connect(path, isolation_level=None)
    try:
        if db.execute("SELECT 1 FROM sqlite_master WHERE name='record'").fetchone() is not None:
            db.execute("DELETE FROM record WHERE bucket=?", (ONE_TIME,))
    finally:
        db.close()


def _move_aside(target: Path) -> Path:
    """Move a database and its other files aside. Return its new path.

    A new database must never find the log (WAL) of the old one beside it, so the log is moved first.
    """
    names = (target.with_name(f"{NAME}.before-restore-{number}") for number in count(1))
    aside = next(name for name in names if not any(os.path.lexists(f"{name}{end}") for end in ("", *BESIDE)))
    for end in (*BESIDE, ""):
        old = Path(f"{target}{end}")
        if os.path.lexists(old):
            old.rename(f"{aside}{end}")
    return aside
