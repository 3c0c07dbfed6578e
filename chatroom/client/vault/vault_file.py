"""The vault's file: an SQLite database that holds ciphertext and keyed hashes only. It is used on the vault's thread.

Each row has a nonce of its own. The sealed head holds the sum of secret numbers, one for each row and nonce, so that a
row that was put back or removed by another program is noticed when the vault is opened, without decrypting any row.
A whole file that was put back is noticed by the server, from the generation.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import msgspec

from chatroom.client.vault.errors import VaultDamaged, VaultError, VaultTooNew, in_words
from chatroom.client.vault.sealing import KEY, NONCE, Random, Sealer, text
from chatroom.client.vault.vault_history import HistoryChange, HistoryRows
from chatroom.client.vault.vault_key import Header, Unlock, decode_header, encode_header, unwrap, wrap
from chatroom.client.vault.vault_lock import VaultLock

FORMAT = 1  # of the file; a client refuses a greater one
APPLICATION = 0x43525654  # says that an SQLite file is a vault of chatroom
ID = 16  # bytes of a vault's id
SUM = 1 << 256

SCHEMA = (
    "CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    "CREATE TABLE rows(no INTEGER PRIMARY KEY, place BLOB NOT NULL, name BLOB NOT NULL UNIQUE, nonce BLOB NOT NULL,"
    " label BLOB NOT NULL, value BLOB NOT NULL)",
    # The index has all that is read when the vault is opened and when keys are listed, and none of the long values.
    "CREATE INDEX rows_of ON rows(place, name, nonce, label)",
    "CREATE TABLE history(no INTEGER PRIMARY KEY, place BLOB NOT NULL, name BLOB NOT NULL UNIQUE, label BLOB NOT NULL,"
    " value BLOB NOT NULL)",
    "CREATE INDEX history_of ON history(place)",
    f"PRAGMA application_id={APPLICATION}",
    f"PRAGMA user_version={FORMAT}",
)
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA fullfsync=ON",
    "PRAGMA secure_delete=ON",  # an old key must not be left in free pages
    "PRAGMA temp_store=MEMORY",
    "PRAGMA wal_autocheckpoint=200",  # pages
    "PRAGMA trusted_schema=OFF",
    "PRAGMA cell_size_check=ON",
)

RowChanges = Mapping[tuple[str, str], bytes | None]
"""By table and key: the new value, or None if the row is removed."""


class Head(msgspec.Struct, frozen=True):
    """What is sealed about the file as a whole.

    Attributes:
        generation: How often the vault was opened.
        sum: The sum of the marks of all rows, in hex.
    """

    generation: int
    sum: str


class VaultFile:
    """An open vault file.

    Args:
        path: The file; it is made if it is missing or empty.
        unlock: The passphrase or the key file.
        random: Returns so many random bytes.

    Attributes:
        sealer: Seals and opens the values.
        generation: How often the vault was opened, this time included. It is durable.
        reads: A second connection, for the reactor thread, which only reads.
        history: The local history.

    Raises:
        VaultError: The file cannot be used.
    """

    def __init__(self, path: Path, unlock: Unlock, random: Random) -> None:
        self._random = random
        self._db: sqlite3.Connection | None = None
        self._lock = VaultLock(path)
        try:
            with _explained(self._lock.path):
                self._open(unlock)
        except BaseException:
            self._close()
            raise

    def _open(self, unlock: Unlock) -> None:
        path = self._lock.path
        if self._lock.size:
            self._lock.check_beginning()
            _check_format(path)
        self._lock.make_private()
        self._db = _connect(path, "rw")
        self._lock.check_same()
        for pragma in PRAGMAS:
            self._db.execute(pragma)
        if self._db.execute("PRAGMA user_version").fetchone()[0]:
            self._enter(unlock)
        else:
            self._make(unlock)
        self.history = HistoryRows(self._db, self.sealer)
        self.reads = _connect(path, "ro")

    def _make(self, unlock: Unlock) -> None:
        """Make a new vault in an empty file."""
        vault_id, self._data_key = self._random(ID), self._random(KEY)
        header = wrap(vault_id, self._data_key, unlock, self._random)
        self.sealer = Sealer(vault_id, self._data_key, self._random)
        self.generation, self._sum = 1, 0
        with self._transaction() as db:
            for statement in SCHEMA:
                db.execute(statement)
            _set(db, "header", encode_header(header))
            self._set_head(db, self._sum)

    def _enter(self, unlock: Unlock) -> None:
        """Unlock the file, check that no row was put back or removed, and count the generation up."""
        header = decode_header(self._meta("header"))
        self._data_key = unwrap(header, unlock)
        self.sealer = Sealer(header.id, self._data_key, self._random)
        with self._transaction() as db:
            head = msgspec.json.decode(self.sealer.open(self._meta("head"), "head"), type=Head)
            marks = (self.sealer.mark(*row) for row in db.execute("SELECT name, nonce FROM rows INDEXED BY rows_of"))
            self._sum = sum(marks) % SUM
            if f"{self._sum:x}" != head.sum:
                raise VaultDamaged("the vault is damaged: another program has removed rows or put old ones back")
            self.generation = head.generation + 1
            self._set_head(db, self._sum)

    def _meta(self, name: str) -> bytes:
        assert self._db is not None
        row = self._db.execute("SELECT value FROM meta WHERE name=?", (name,)).fetchone()
        if row is None:
            raise VaultDamaged(f"the vault is damaged: its {name} is missing")
        return bytes(row[0])

    def _set_head(self, db: sqlite3.Connection, marks: int) -> None:
        head = msgspec.json.encode(Head(self.generation, f"{marks:x}"))
        _set(db, "head", self.sealer.seal(head, "head"))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what the ``with`` block writes, durably; if the block raises, undo all of it."""
        db = self._db
        assert db is not None
        db.execute("BEGIN IMMEDIATE")
        try:
            yield db
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    # ---- used while the vault is open ----------------------------------------------------------------------------

    def store(self, changes: RowChanges, history: Sequence[HistoryChange]) -> None:
        """Make changes to rows and to the history, all of them or none; return when they are durable."""
        marks = self._sum
        with self._transaction() as db:
            for (table, key), value in changes.items():
                marks += self._store_row(db, table, key, value)
            if changes:
                self._set_head(db, marks % SUM)
            self.history.apply(history)
        self._sum = marks % SUM

    def _store_row(self, db: sqlite3.Connection, table: str, key: str, value: bytes | None) -> int:
        """Store or remove one row; return by how much the sum of the marks changes."""
        name = self.sealer.name("row", table, key)
        old = db.execute("SELECT nonce FROM rows WHERE name=?", (name,)).fetchone()
        change = -self.sealer.mark(name, old[0]) if old else 0
        if value is None:
            db.execute("DELETE FROM rows WHERE name=?", (name,))
            return change
        sealed = self.sealer.seal(value, "row", table, key)
        nonce, rest = sealed[:NONCE], sealed[NONCE:]
        if old:
            db.execute("UPDATE rows SET nonce=?, value=? WHERE name=?", (nonce, rest, name))
        else:
            label = self.sealer.seal(text(key), "label", table, name.hex())
            row = (self.sealer.name("table", table), name, nonce, label, rest)
            db.execute("INSERT INTO rows(place, name, nonce, label, value) VALUES (?,?,?,?,?)", row)
        return change + self.sealer.mark(name, nonce)

    def rewrap(self, unlock: Unlock) -> None:
        """Let another passphrase or key file unlock the vault from now on; no row changes."""
        assert self._db is not None
        with _explained(self._lock.path):
            header = wrap(decode_header(self._meta("header")).id, self._data_key, unlock, self._random)
            with self._transaction() as db:
                _set(db, "header", encode_header(header))
            self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the old header must not be left in SQLite's log

    def close(self) -> None:
        """Close the file and give its lock back. ``reads`` must have been closed before."""
        with suppress(sqlite3.Error):  # what was committed is durable in SQLite's log as well
            if self._db is not None:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._close()

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None
        self._lock.release()  # only now: closing the descriptor takes away the locks that SQLite has


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    uri = f"file:{quote(os.fsencode(path))}?mode={mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=32)


def _check_format(path: Path) -> None:
    """Check that a file is a vault of a known format, by a connection that cannot write.

    Raises:
        VaultDamaged: The file is another database.
        VaultTooNew: A newer client has made it.
    """
    db = _connect(path, "ro")
    try:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        (application,) = db.execute("PRAGMA application_id").fetchone()
        tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    finally:
        db.close()
    if application != APPLICATION and (application or version or tables):
        raise VaultDamaged(f"{path} is no vault")
    if version > FORMAT:
        raise VaultTooNew(f"the vault {path} was made by a newer chatroom-client; update this one")


def stored_header(path: Path) -> Header:
    """Return the header of a vault that may be open elsewhere; it is only read.

    Raises:
        VaultError: It is no vault, or cannot be read.
    """
    with _explained(path):
        _check_format(path)
        db = _connect(path, "ro")
        try:
            row = db.execute("SELECT value FROM meta WHERE name='header'").fetchone()
        finally:
            db.close()
    if row is None:
        raise VaultDamaged(f"{path} is no vault")
    return decode_header(bytes(row[0]))


def _set(db: sqlite3.Connection, name: str, value: bytes) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, value))


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn errors of the disk and of the file into errors for the user."""
    try:
        yield
    except sqlite3.Error as error:
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode != sqlite3.SQLITE_ERROR:
            raise VaultError(f"the vault {path} cannot be used: {in_words(error)}") from None
        raise VaultDamaged(f"the vault {path} is damaged: {in_words(error)}") from None  # such as "no such table"
    except (msgspec.MsgspecError, TypeError) as error:
        raise VaultDamaged(f"the vault {path} is damaged: {type(error).__name__}") from None
    except OSError as error:
        raise VaultError(f"the vault {path} cannot be used: {in_words(error)}") from None
