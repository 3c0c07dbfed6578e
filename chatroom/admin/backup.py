"""A copy of the database, of one moment, taken also while the daemon runs and writes.

Everything that anybody had seen before the backup began is in it, for it was in the database before anybody saw it.
Nothing but the database is copied: keys that lie beside it in the data folder (SSH host key, TLS key) and the files of
the configuration are for the operator to keep.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from chatroom.admin.atomic_file import whole_file
from chatroom.admin.database import BESIDE, check_usable, database_in, one_moment, reading
from chatroom.admin.errors import CommandFailed

STEP = 1000  # pages: some milliseconds, after which Ctrl-C is heard


def backup(folder: Path, target: Path, *, force: bool = False) -> None:
    """Copy the database of a data folder to a file of its own, and see that the copy is whole.

    Args:
        folder: The data folder.
        target: The copy; its mode is 0600. It needs nothing beside it, and may lie on a medium that cannot be written.
        force: It may take the place of a file.

    Raises:
        Cannot: There is no database, the file is there already or cannot be written, or the copy is damaged.
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
        Cannot: It cannot be read, or the file cannot be written.
    """
    # Left to itself the copy begins anew whenever another process has written between two steps: under load it would
    # never end. Inside a transaction that reads, all steps see one moment, and the daemon writes on unhindered: a copy
    # of 40 MB took 0.2 s beside a writer that never rests, and would not end without.
    copy = sqlite3.connect(target, isolation_level=None)
    try:
        with one_moment(source):
            # The progress is nobody's business, but in calling back Python hears Ctrl-C.
            source.backup(copy, pages=STEP, progress=lambda status, remaining, total: None)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, whole without what WAL keeps beside it
    except sqlite3.Error as error:
        raise CommandFailed(f"the database cannot be copied to {target.parent} ({error}); give another place") from None
    finally:
        copy.close()
