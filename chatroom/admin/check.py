"""Checks that a database is chatroom's, undamaged, and consistent. Changes nothing."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from chatroom.admin.database import MOST_FAULTS, damages, database_in, one_moment, reading, stranger, version
from chatroom.admin.folder_lock import InUse, holding
from chatroom.chat.rooms import record_storage
from chatroom.engines.amending import AMENDMENT, MESSAGE
from chatroom.engines.sqlite.reader import Reader
from chatroom.engines.sqlite.schema import LADDER, connect
from chatroom.model import account
from chatroom.model.names import BadName, user_looks, user_name


@dataclass(frozen=True, slots=True)
class Findings:
    """What a check found.

    Attributes:
        faults: The faults, a sentence each.
        remarks: Other remarks, a sentence each.
    """

    faults: list[str]
    remarks: list[str]


def check(folder: Path) -> Findings:
    """Check the database of a data folder. If no daemon runs, the search index is checked as well.

    Raises:
        CommandFailed: There is no database, or it cannot be read.
    """
    path = database_in(folder)
    try:
        with holding(folder):
            found = _check(path)
            if not found.faults:
                found.faults.extend(_index_faults(path))
    except InUse:
        found = _check(path)
        found.remarks.append("a daemon is running, so the inside of the search index was not looked at")
    return found


def _check(path: Path) -> Findings:
    """Check everything but the inside of the search index, all as it is at one moment."""
    with reading(path) as db, one_moment(db):
        why = stranger(db, path)
        if why:
            return Findings([why], [])
        faults = [f"{path} is damaged: {fault}; restore a backup" for fault in damages(db)]
        if faults:  # other faults would only be consequences of these
            return Findings(faults, [])
        reader = Reader(db)
        remarks = [_counts(db, reader)]
        if version(db) < len(LADDER):
            remarks.append(f"schema {version(db)} is older than this chatroom's ({len(LADDER)}); a start upgrades it")
        else:
            faults += _words_faults(db) + _amendment_faults(db)
        return Findings(faults + _account_faults(reader), remarks)


def _counts(db: sqlite3.Connection, reader: Reader) -> str:
    messages = db.execute("SELECT count(*) FROM log WHERE message=?", (MESSAGE,)).fetchone()[0]
    accounts, rooms = reader.count(account.BUCKET), reader.count(record_storage.ROOMS)
    return f"schema {version(db)}; accounts: {accounts}, rooms: {rooms}, messages: {messages}"


def _amendment_faults(db: sqlite3.Connection) -> list[str]:
    """Return the fault that edits, reactions or deletions are about messages that are gone: nothing removes these."""
    number = db.execute(
        "SELECT count(*) FROM log AS amendment WHERE about IS NOT NULL AND message>=?"
        " AND NOT EXISTS (SELECT 1 FROM log WHERE seq=amendment.about AND message=?)",
        (AMENDMENT, MESSAGE),
    ).fetchone()[0]
    return [f"{number} edits, reactions or deletions are about messages that are gone"] if number else []


# ---- search -----------------------------------------------------------------------------------------------------


def _words_faults(db: sqlite3.Connection) -> list[str]:
    """Return the faults of the search index: messages that it lacks, and messages that are gone from the log.

    The table ``terms_docsize`` has a row for each message in the index.
    """
    lost = db.execute(
        "SELECT count(*) FROM log WHERE message=? AND seq<=(SELECT upto FROM indexed)"
        " AND seq NOT IN (SELECT id FROM terms_docsize)",
        (MESSAGE,),
    ).fetchone()[0]
    stray = db.execute(
        "SELECT count(*) FROM terms_docsize WHERE id NOT IN (SELECT seq FROM log WHERE message=?)", (MESSAGE,)
    ).fetchone()[0]
    faults = []
    if lost:
        faults.append(f"the search index lacks {lost} messages: a search does not find them")
    if stray:
        faults.append(f"the search index holds {stray} messages that are gone: a search passes over them")
    return faults


def _index_faults(path: Path) -> list[str]:
    """Let SQLite check the search index; return its fault, if any, as a sentence.

    The check takes a write lock, although it changes nothing, so no daemon may run.
    """
    db = connect(path)
    try:
        if version(db) < len(LADDER):
            return []
        db.execute("BEGIN IMMEDIATE")
        try:
            db.execute("INSERT INTO terms(terms) VALUES ('integrity-check')")
        finally:
            db.execute("ROLLBACK")
    except sqlite3.Error as error:
        return [f"the search index is damaged ({error}): a search may miss messages; restore a backup"]
    finally:
        db.close()
    return []


# ---- accounts ---------------------------------------------------------------------------------------------------


def _account_faults(reader: Reader) -> list[str]:
    """Return the faults of the accounts: each account needs its looks, and each reserved look needs an account.

    A name's looks are reserved for its account, so that nobody can register a name that looks the same.
    """
    looks = {look: account.decode_look(value) for look, value in reader.all(account.LOOKS)}
    whole = reader.get(account.LOOK_RULES, account.ALL_MADE) is not None  # else the daemon's next start adds the rest
    accounts = {key: account.decode(value).name for key, value in reader.all(account.BUCKET)}
    faults = [fault for key, shown in accounts.items() if (fault := _name_fault(key, shown, looks, whole))]
    faults += [
        f"the look {look!r} is kept for the account {owner}, which there is not: nobody can register such a name"
        for look, owner in looks.items()
        if owner not in accounts
    ]
    return faults[:MOST_FAULTS]


def _name_fault(key: str, shown: str, looks: dict[str, str], whole: bool) -> str:
    """Return what is wrong with an account's name or its looks, as a sentence; empty if nothing is."""
    try:
        name = user_name(shown)
    except BadName as error:
        return f"the account {key} is called {shown!r}: {error}"
    if name.folded != key:
        return f"the account {shown} is kept under {key!r} instead of {name.folded!r}: its owner cannot log in"
    # Other looks may be another account's: old accounts, from before the records of looks, may look alike.
    if looks.get(name.look) != key or (whole and not all(look in looks for look in user_looks(name))):
        return f"the look of the account {shown} is not kept for it: somebody could register a name that looks the same"
    return ""
