"""Changes records in the SQLite file, inside a transaction of the ``Writer``.

Revisions of all records come from one counter. So a removed record leaves nothing behind, and an old revision never
fits a record that is made later under the same key.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from chatroom.model.log import Change, Conflict


def make(db: sqlite3.Connection, changes: Sequence[Change]) -> int | Conflict:
    """Make all changes if each record has the revision that its change expects.

    Returns:
        The new revision of the records; or the conflict because of which no change was made.
    """
    for change in changes:
        if not _fits(db, change):
            return Conflict(f"{change.bucket}/{change.key}")
    rev = int(db.execute("UPDATE revision SET last=last+1 RETURNING last").fetchone()[0])
    for change in changes:
        _write(db, change, rev)
    return rev


def _fits(db: sqlite3.Connection, change: Change) -> bool:
    """Return whether the record has the revision that a change expects."""
    if change.rev is None:
        return True
    where = change.bucket, change.key
    row = db.execute("SELECT rev FROM record WHERE bucket=? AND key=?", where).fetchone()
    return change.rev == (row[0] if row else 0)


def _write(db: sqlite3.Connection, change: Change, rev: int) -> None:
    """Write or remove one record, without a look at its old revision."""
    where = change.bucket, change.key
    if change.value is None:
        db.execute("DELETE FROM record WHERE bucket=? AND key=?", where)
    else:
        db.execute(
            "INSERT INTO record(bucket, key, rev, value) VALUES (?1,?2,?3,?4)"
            " ON CONFLICT DO UPDATE SET rev=?3, value=?4",
            (*where, rev, change.value),
        )
