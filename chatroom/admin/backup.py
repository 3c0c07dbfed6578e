"""Copies the database as it is at one moment, even while the daemon runs and writes.

The backup contains everything that anybody saw before it began, because events are stored before they are shown. Only
the database is copied. The operator must keep the keys beside it in the data folder (SSH host key, TLS key) and the
configuration.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from chatroom.admin.atomic_file import whole_file
from chatroom.admin.database import BESIDE, check_usable, database_in, one_moment, reading
from chatroom.admin.errors import CommandFailed

STEP = 1000  # pages that are copied at a time, in some milliseconds; Ctrl-C works after each step


def backup(folder: Path, target: Path, *, force: bool = False) -> None:
    """Copy the database of a data folder to a file, and check the copy.

    Args:
        folder: The data folder.
        target: The path of the copy, which gets mode 0600. The copy is one file, and may later be read from a read-only
            medium.
        force: Whether to replace an existing file.

    Raises:
        CommandFailed: There is no database, the file exists already or cannot be written, or the copy is damaged.
    """
    source = database_in(folder)
    if target.resolve() in {Path(f"{source.resolve()}{beside}") for beside in ("", *BESIDE)}:
        raise CommandFailed(f"{target} is the database itself; give another file")
    with whole_file(target, force=force) as made:
        with reading(source) as db:
            copy_database(db, made)
        with reading(made) as copy:
            check_usable(copy, made)


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """Copy a database, as it is at this moment, into an empty file.

    Raises:
        CommandFailed: The database cannot be read, or the file cannot be written.
    """
    # Without a transaction the copy starts again whenever another process has written between two steps, so under load
    # it would never end. Inside a read transaction all steps see the same moment, and the daemon can go on writing: a
    # copy of 40 MB took 0.2 s beside a writer that never paused.
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        with one_moment(source):
            # The callback does nothing, but Python handles Ctrl-C each time SQLite calls it.
            source.backup(copy, pages=STEP, progress=lambda status, remaining, total: None)
        copy.execute("PRAGMA journal_mode=DELETE")  # so that the copy needs no file beside it
    except sqlite3.Error as error:
        raise CommandFailed(f"the database cannot be copied to {target.parent} ({error}); give another place") from None
    finally:
        copy.close()
