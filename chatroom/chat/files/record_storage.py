"""How the record of a shared file is stored: the record, and rows by which it is found without reading all others.

One atomic change writes the record and the rows that differ. It fails if the record's revision is not the expected one,
so the rows need no revision of their own.
"""

from __future__ import annotations

import hashlib

import msgspec

from chatroom.chat.files.record import FileRecord
from chatroom.model.log import Change

FILES = "file"  # records, by file id
IN_LOG = "file-in"  # lines of lists, by ``<log>/<number>/<id>``; the number is 0 until the file is complete
BY_USER = "file-by"  # name and time of each file, by ``<user id>/<file id>``
SAME = "file-same"  # file ids, by ``same_key``

_encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(FileRecord).decode
decode_name = msgspec.json.Decoder(tuple[str, int]).decode


def in_log(log: str, number: int | None = None) -> str:
    """Return the beginning of the ``IN_LOG`` keys of a log's files, or of the file with that number."""
    return f"{log}/" if number is None else f"{log}/{number:010}/"


def same_key(record: FileRecord) -> str:
    """Return a key that is the same for the same file of the same owner in the same log, and for no other."""
    return hashlib.sha256(_encode((record.name, record.size, record.sha256, record.owner, record.log))).hexdigest()


def changes(before: FileRecord | None, after: FileRecord | None, rev: int) -> list[Change]:
    """Return the changes that replace one record by another.

    Args:
        before: The stored record; None if there is none.
        after: The new record; None to remove it.
        rev: The revision of the stored record; 0 if there is none.
    """
    old, new = _rows(before), _rows(after)
    first = (FILES, (after or before).id)  # type: ignore[union-attr]
    rows = [
        Change(*where, new.get(where))
        for where in {**old, **new}
        if where != first and old.get(where) != new.get(where)
    ]
    return [Change(*first, new.get(first), rev), *rows]


def _rows(record: FileRecord | None) -> dict[tuple[str, str], bytes]:
    """Return what is stored for a record, by bucket and key: the record itself and the rows that lead to it."""
    if record is None:
        return {}
    return {
        (FILES, record.id): _encode(record),
        (IN_LOG, in_log(record.log, record.number) + record.id): _encode(record.line()),
        (BY_USER, f"{record.by_id}/{record.id}"): _encode((record.name, record.at)),
        (SAME, same_key(record)): record.id.encode(),
    }
