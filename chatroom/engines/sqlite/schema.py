"""The SQLite file: its tables, how an older file is migrated, and which files are refused.

``PRAGMA user_version`` says how many steps of ``LADDER`` a file has; the daemon runs the missing ones when it starts.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from urllib.parse import quote

APPLICATION_ID = 0x63686174  # "chat": marks the file as ours

LADDER = (
    # 1: logs and records. There is one table for all logs: seqs come from one counter, so they grow within each log.
    """
    CREATE TABLE logs(no INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, floor INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE log(
        seq INTEGER PRIMARY KEY, log INTEGER NOT NULL, message INTEGER NOT NULL, at INTEGER NOT NULL,
        key TEXT, body BLOB NOT NULL);
    CREATE INDEX log_place ON log(log, message, seq);
    CREATE UNIQUE INDEX log_key ON log(key) WHERE key IS NOT NULL;
    CREATE TABLE record(
        bucket TEXT NOT NULL, key TEXT NOT NULL, rev INTEGER NOT NULL, value BLOB, PRIMARY KEY(bucket, key)
    ) WITHOUT ROWID;
    """,
    # 2: search. Messages are indexed some time after they are stored; `upto` is the last seq indexed.
    """
    CREATE VIRTUAL TABLE words USING fts5(log, text, content='', tokenize="unicode61 remove_diacritics 2");
    CREATE TABLE indexed(upto INTEGER NOT NULL);
    INSERT INTO indexed VALUES (0);
    """,
    # 3: a removed record leaves no row. Revisions of all records come from one counter, so that none comes twice.
    # The bans, mutes, moderators and invited users in a room's record become records of their own. A number in each
    # value keeps their order.
    """
    CREATE TABLE revision(last INTEGER NOT NULL);
    INSERT INTO revision SELECT coalesce(max(rev), 0) FROM record;
    ALTER TABLE record RENAME TO old_record;
    CREATE TABLE record(
        bucket TEXT NOT NULL, key TEXT NOT NULL, rev INTEGER NOT NULL, value BLOB NOT NULL, PRIMARY KEY(bucket, key)
    ) WITHOUT ROWID;
    INSERT INTO record SELECT bucket, key, rev, value FROM old_record WHERE value IS NOT NULL;
    DROP TABLE old_record;
    CREATE TEMP VIEW old_room AS
        SELECT key, rev, CAST(value AS TEXT) AS value FROM record
        WHERE bucket='room' AND json_valid(CAST(value AS TEXT));
    INSERT INTO record
        SELECT 'room-people', json_extract(room.value, '$.id') || '/' || kind.column2 || '/' ||
            json_extract(one.value, '$.key'),
            room.rev, CAST(json_array(one.id, json(one.value)) AS BLOB)
        FROM old_room AS room,
            (VALUES ('$.bans', 'ban'), ('$.mutes', 'mute')) AS kind, json_each(room.value, kind.column1) AS one
        WHERE true
        ON CONFLICT DO UPDATE SET value=excluded.value;
    INSERT INTO record
        SELECT 'room-people', json_extract(room.value, '$.id') || '/' || kind.column2 || '/' || one.key,
            room.rev, CAST(json_array(one.id, one.value) AS BLOB)
        FROM old_room AS room,
            (VALUES ('$.moderators', 'moderator'), ('$.invited', 'invited')) AS kind,
            json_each(room.value, kind.column1) AS one;
    INSERT INTO record
        SELECT 'room-name', json_extract(value, '$.id'), rev, CAST(key AS BLOB) FROM old_room;
    UPDATE record SET value =
        CAST(json_remove(CAST(value AS TEXT), '$.bans', '$.mutes', '$.moderators', '$.invited') AS BLOB)
        WHERE bucket='room' AND json_valid(CAST(value AS TEXT));
    DROP VIEW old_room;
    """,
    # 4: another index for search, see ``indexer.py``. All messages are indexed again while the daemon runs; the tables
    # of the old index are removed meanwhile, in small steps.
    """
    CREATE VIRTUAL TABLE terms USING fts5(tokens, content='', detail=none, tokenize="ascii tokenchars '_'");
    UPDATE indexed SET upto=0;
    """,
    # 5: the approximate size of each log, counted in memory and stored now and then. A usual entry takes 200 bytes.
    """
    ALTER TABLE logs ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
    UPDATE logs SET bytes=200 * (SELECT count(*) FROM log WHERE log.log=logs.no);
    """,
    # 6: events that are about a message of the same log: `about` is its seq. The column `message` has the kind of the
    # row (``amending.py``). Deletions that are in the file stay what they are, and expire by their own age. `stale` is
    # how many texts have left the index whose words may still be in the file (``purger.py``).
    """
    ALTER TABLE log ADD COLUMN about INTEGER;
    CREATE INDEX log_about ON log(about, message) WHERE about IS NOT NULL;
    ALTER TABLE indexed ADD COLUMN stale INTEGER NOT NULL DEFAULT 0;
    """,
)


_OF_A_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)  # SQLite's errors when a disk is full or broken


class BadDatabase(Exception):
    """The file can't be used; the text says why and what to do."""


def open_database(path: Path) -> sqlite3.Connection:
    """Open the database file for writing; make the file if there is none, and migrate an older one.

    Raises:
        BadDatabase: The file is not a chatroom database, is newer than this program, or can't be written.
    """
    try:
        # Other users of the machine may not read the file. SQLite gives the files that it puts beside it the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        db = connect(path)
        _check(db, path)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("PRAGMA secure_delete=ON")  # overwrites what is deleted; not every build of SQLite does so by itself
        db.execute(f"PRAGMA journal_size_limit={64 * 1024 * 1024}")
        _climb(db)
        return db
    except (sqlite3.DatabaseError, OSError) as error:
        raise _unusable(path, error) from error


def look(path: Path) -> sqlite3.Connection:
    """Open a file that no daemon uses, for reading, without changing anything in its folder.

    What a crash left in the write-ahead log is not seen; the next start of the daemon moves that into the file.

    Raises:
        BadDatabase: The file is not a chatroom database, is newer than this program, or can't be read or written.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))
        db = sqlite3.connect(f"file:{quote(str(path.absolute()))}?immutable=1", uri=True, isolation_level=None)
        _check(db, path)
        return db
    except (sqlite3.DatabaseError, OSError) as error:
        raise _unusable(path, error) from error


def _unusable(path: Path, error: Exception) -> BadDatabase:
    """Return the error that tells the operator why the file can't be used: a full disk, or what SQLite says."""
    if getattr(error, "sqlite_errorcode", 0) & 0xFF in _OF_A_DISK and os.statvfs(path.parent).f_bavail == 0:
        return BadDatabase(f"{path} cannot be used: no space is left on its disk; make room there")
    return BadDatabase(f"{path} cannot be used ({error}); check the file and its folder, or give another --data")


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that may be handed to another thread, and that begins transactions only explicitly."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)


def _check(db: sqlite3.Connection, path: Path) -> None:
    """Raise BadDatabase if the file is not a chatroom database, or was made by a newer program."""
    ours = db.execute("PRAGMA application_id").fetchone()[0]
    version = db.execute("PRAGMA user_version").fetchone()[0]
    empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
    if ours != APPLICATION_ID and not empty:
        raise BadDatabase(f"{path} is not a chatroom database; give another --data")
    if version > len(LADDER):
        raise BadDatabase(
            f"{path} was made by a newer chatroom (schema {version}, this one knows {len(LADDER)}); upgrade chatroom"
        )


def _climb(db: sqlite3.Connection) -> None:
    """Run the steps of ``LADDER`` that the file does not have yet, each in its own transaction."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    for rung in range(version, len(LADDER)):
        db.executescript(
            f"BEGIN IMMEDIATE; {LADDER[rung]} PRAGMA application_id={APPLICATION_ID};"
            f" PRAGMA user_version={rung + 1}; COMMIT;"
        )
