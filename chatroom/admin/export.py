"""Exports what a database keeps as JSON lines for other programs: accounts, rooms, and what happened in them.

Each line is an object with a ``type``:

    {"type":"account","record":{...}}       without the password's hash
    {"type":"room","record":{...}}
    {"type":"entry","log":"room/<id>","room":"lobby","seq":7,"event":{...}}     in the order of seq

``event`` is as in docs/protocol.md. ``room`` is empty if the log is not a room's, or its room is gone. A private
message is an entry of two logs: of the reader's inbox, and of the log of what the writer has sent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Raw, Struct

from chatroom.admin.database import database_in, one_moment, reading, stranger
from chatroom.admin.errors import CommandFailed
from chatroom.chat.rooms import record_storage
from chatroom.chat.rooms.record import RoomRecord
from chatroom.engines.amending import SPENT
from chatroom.engines.sqlite.reader import Reader
from chatroom.model import account
from chatroom.model.account import AccountRecord
from chatroom.model.log_names import ROOM, room_log
from chatroom.model.names import BadName, room_name
from chatroom.model.text import clean
from chatroom.model.wording import SEALED

_SEALED = b'{"event":"sealed"'  # the beginning of the JSON of a sealed message


class ExportedAccount(Struct, frozen=True, tag_field="type", tag="account"):
    """An account, without the hash of its password."""

    record: AccountRecord


class ExportedRoom(Struct, frozen=True, tag_field="type", tag="room"):
    """A room's whole record, in the JSON form in which the database stores records."""

    record: Raw


class ExportedEntry(Struct, frozen=True, tag_field="type", tag="entry"):
    """An entry of a log. ``event`` is the JSON that the database stores; of a sealed message, without ``ct``."""

    log: str
    room: str
    seq: int
    event: Raw


def export(folder: Path, *, room: str | None = None, private: bool = False) -> Iterator[bytes]:
    """Yield the lines of the export one at a time, all as the database was at one moment.

    Args:
        folder: The data folder; a daemon may be using it.
        room: The name of the only room to export, with its record and entries; None for everything.
        private: Whether to export all logs, private messages included; otherwise only the logs of rooms.

    Raises:
        CommandFailed: There is no database or no such room, or the database cannot be read.
    """
    path = database_in(folder)
    encode = msgspec.json.Encoder().encode
    with reading(path) as db:
        why = stranger(db, path)
        if why:
            raise CommandFailed(why)
        with one_moment(db):
            lines = _everything(db, private) if room is None else _one_room(db, room)
            for line in lines:
                yield encode(line) + b"\n"


def _everything(db: sqlite3.Connection, private: bool) -> Iterator[Struct]:
    for _, value in _records(db, account.BUCKET):
        yield ExportedAccount(msgspec.structs.replace(account.decode(value), password=""))
    names: dict[str, str] = {}
    for _, value in _records(db, record_storage.ROOMS):
        names[_log_of(value)] = _record(value).name
        yield _room_line(db, value)
    logs: dict[int, tuple[str, str]] = {
        number: (log, names.get(log, ""))
        for number, log in db.execute("SELECT no, name FROM logs")
        if private or log.startswith(ROOM)
    }
    for seq, number, body in db.execute("SELECT seq, log, body FROM log WHERE message<>? ORDER BY seq", (SPENT,)):
        if number in logs:
            yield ExportedEntry(*logs[number], seq, _readable(body))


def _one_room(db: sqlite3.Connection, room: str) -> Iterator[Struct]:
    try:
        folded = room_name(room).folded
    except BadName as error:
        raise CommandFailed(f"--room {clean(room)}: {error}") from None
    value = next((value for key, value in _records(db, record_storage.ROOMS) if key == folded), None)
    if value is None:
        raise CommandFailed(f"there is no room {room}; without --room all are exported")
    yield _room_line(db, value)
    log = _log_of(value)
    # NOT INDEXED: read the entries of all logs in order. With its index, SQLite would have to sort the room's entries,
    # and so hold all of them at once.
    rows = db.execute(
        "SELECT seq, body FROM log NOT INDEXED"
        " WHERE log=(SELECT no FROM logs WHERE name=?) AND message<>? ORDER BY seq",
        (log, SPENT),
    )
    for seq, body in rows:
        yield ExportedEntry(log, _record(value).name, seq, _readable(body))


def _readable(body: bytes) -> Raw:
    """Return the JSON of an event; for a sealed message, which nobody can read here, words instead of ``ct``."""
    if not body.startswith(_SEALED):
        return Raw(body)
    event = msgspec.json.decode(body)
    if event.pop("ct"):
        event["text"] = SEALED
    return Raw(msgspec.json.encode(event))


def _records(db: sqlite3.Connection, bucket: str) -> Iterator[Any]:
    return Reader(db).all(bucket)


def _room_line(db: sqlite3.Connection, head: bytes) -> ExportedRoom:
    """Return a room's whole record, put together from its head and the rows about people.

    In a database of an older chatroom the head holds everything.
    """
    record = _record(head)
    rows = Reader(db).all(record_storage.PEOPLE, f"{record.id}/")
    return ExportedRoom(Raw(msgspec.json.encode(record_storage.assemble(record, rows))))


def _record(value: bytes) -> RoomRecord:
    return record_storage.decode_head(value)


def _log_of(value: bytes) -> str:
    return room_log(_record(value).id)
