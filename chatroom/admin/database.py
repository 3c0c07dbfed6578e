"""A database file looked at from outside: opened without changing it, and what is wrong with it.

A daemon may be at work on the same file. Reading does not hold it up (WAL); but while a read transaction is open, what
the daemon writes gathers in the file ``chat.db-wal``, so none should be open for longer than it must.
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
BESIDE = ("-wal", "-shm")  # what SQLite puts beside a database; these belong to it and go where it goes
MOST_FAULTS = 20  # of one kind; a broken file has as many as it has pages


def database_in(folder: Path) -> Path:
    """Return the database of a data folder.

    Raises:
        Cannot: There is none, or this user may not see it.
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
        path: The file, which must be there.
        mode: ``rw`` tidies up after a crash and leaves nothing beside the file; ``ro`` does not even do that.

    Raises:
        Cannot: The file cannot be read, or is broken.
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
    """Let everything that is read inside be of one and the same moment, whoever writes meanwhile."""
    db.execute("BEGIN")
    db.execute("SELECT count(*) FROM sqlite_master").fetchone()  # only the first look begins it
    try:
        yield
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def version(db: sqlite3.Connection) -> int:
    """Return how far up the ladder the database is."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def stranger(db: sqlite3.Connection, path: Path) -> str:
    """Return why this is no database that we can use, as a sentence; empty if it is one."""
    if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        return f"{path} is not a chatroom database; give another file"
    made_by = version(db)
    if made_by > len(LADDER):
        return f"{path} was made by a newer chatroom (schema {made_by}, this one knows {len(LADDER)}); upgrade chatroom"
    return ""


def damages(db: sqlite3.Connection) -> list[str]:
    """Return what SQLite itself finds wrong with the file."""
    found = [row[0] for row in db.execute(f"PRAGMA integrity_check({MOST_FAULTS})")]
    return [] if found == ["ok"] else found


def check_usable(db: sqlite3.Connection, path: Path) -> None:
    """Raise ``CommandFailed`` unless the database is ours, not newer than we are, and whole."""
    why = stranger(db, path)
    if why:
        raise CommandFailed(why)
    found = damages(db)
    if found:
        raise CommandFailed(f"{path} is damaged ({found[0]}); take another backup")
