"""Reads a database file from outside the daemon, without changing it, and finds what is wrong with it.

A daemon may be using the same file. Reading does not block it (WAL), but while a read transaction is open, everything
that the daemon writes stays in the file ``chat.db-wal``. So no transaction should be open for longer than necessary.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from chatroom.admin.errors import CommandFailed
from chatroom.engines.sqlite.schema import APPLICATION_ID, LADDER

NAME = "chat.db"  # in the data folder
BESIDE = ("-wal", "-shm")  # endings of the files that SQLite puts beside a database; they must move with it
MOST_FAULTS = 20  # of one kind; a damaged file may have one for each page


def database_in(folder: Path) -> Path:
    """Return the path of the database in a data folder.

    Raises:
        CommandFailed: There is no database, or this user may not see it.
    """
    path = folder / NAME
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        mode = 0
    except OSError as error:
        raise CommandFailed(f"{path}: {error.strerror}; run this as the user that the daemon runs as") from None
    if not stat.S_ISREG(mode):
        raise CommandFailed(f"there is no database in {folder}; give the daemon's folder with --data")
    return path


@contextmanager
def reading(path: Path, mode: str = "rw") -> Iterator[sqlite3.Connection]:
    """Give a connection that changes nothing in the database.

    Args:
        path: The file, which must exist.
        mode: ``rw`` cleans up after a crash and leaves no files beside the database; ``ro`` writes nothing at all.

    Raises:
        CommandFailed: The file cannot be read, or is damaged.
    """
    try:
        db = sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode={mode}", uri=True, isolation_level=None)
    except sqlite3.Error as error:
        raise _unreadable(path, error) from None
    try:
        db.execute("PRAGMA query_only=1")
        yield db
    except sqlite3.Error as error:
        raise _unreadable(path, error) from None
    finally:
        db.close()


def _unreadable(path: Path, error: sqlite3.Error) -> CommandFailed:
    return CommandFailed(f"{path} cannot be read ({error}); check the file, who owns it, and the space on its disk")


@contextmanager
def one_moment(db: sqlite3.Connection) -> Iterator[None]:
    """Let the block read the whole database as it is at one moment, even if the daemon writes to it meanwhile."""
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the transaction begins with the first read
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def version(db: sqlite3.Connection) -> int:
    """Return the version of the database's schema: how many steps of ``LADDER`` were applied to it."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def stranger(db: sqlite3.Connection, path: Path) -> str:
    """Return why this chatroom cannot use the database, as a sentence; empty if it can."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return f"{path} is not a chatroom database; give another file"
    made_by = version(db)
    if made_by > len(LADDER):
        return f"{path} was made by a newer chatroom (schema {made_by}, this one knows {len(LADDER)}); upgrade chatroom"
    return ""


def damages(db: sqlite3.Connection) -> list[str]:
    """Return the faults that SQLite finds in the file."""
    found = [row[0] for row in db.execute(f"PRAGMA integrity_check({MOST_FAULTS})")]
    return [] if found == ["ok"] else found


def check_usable(db: sqlite3.Connection, path: Path) -> None:
    """Check that a database can be used.

    Raises:
        CommandFailed: The database is not chatroom's, was made by a newer chatroom, or is damaged.
    """
    why = stranger(db, path)
    if why:
        raise CommandFailed(why)
    found = damages(db)
    if found:
        raise CommandFailed(f"{path} is damaged ({found[0]}); take another backup")
