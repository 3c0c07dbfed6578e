"""How the record of a room is stored: a small head, and a row for each ban, mute, moderator and invited user.

Lists of rooms read heads alone, so a head stays small however many users are banned. A change writes the head and the
rows that differ, all or nothing, and conflicts if another change has written the head since it was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from chatroom.chat.bans_and_mutes import Sanction
from chatroom.chat.rooms.record import RoomRecord
from chatroom.model.log import Change

ROOMS = "room"  # heads, by folded name of the room
NAMES = "room-name"  # folded names, by room id
PEOPLE = "room-people"  # rows, by ``<room id>/<kind>/<key>``

Rows = Iterable[tuple[str, bytes]]

decode_head = msgspec.json.Decoder(RoomRecord).decode
_decode_row = msgspec.json.Decoder(tuple[int, Sanction | str]).decode
_encode = msgspec.json.Encoder().encode


def creation(folded: str, record: RoomRecord) -> list[Change]:
    """Return the changes that store the record of a new room; they conflict if there is a room of that name."""
    return [
        Change(ROOMS, folded, _head(record), 0),
        Change(NAMES, record.id, folded.encode()),
        *_row_changes(replace(record, bans=(), mutes=(), moderators={}, invited={}), record),
    ]


def update(folded: str, rev: int, before: RoomRecord, after: RoomRecord) -> list[Change]:
    """Return the changes that replace a record.

    Args:
        folded: The room's folded name.
        rev: The revision of the stored head; the changes conflict if it has another one by then.
        before: The stored record.
        after: The new record.
    """
    return [Change(ROOMS, folded, _head(after), rev), *_row_changes(before, after)]


def removal(folded: str, rev: int, record: RoomRecord) -> list[Change]:
    """Return the changes that remove a record and its rows; they conflict if the head has another revision."""
    rows = [Change(PEOPLE, key, None) for key, _ in _rows(record)]
    return [Change(ROOMS, folded, None, rev), Change(NAMES, record.id, None), *rows]


def assemble(head: RoomRecord, rows: Rows) -> RoomRecord:
    """Put a head and its rows together to a whole record, with bans and users in the order in which they were written.

    A head of an older chatroom has no rows, and contains the bans and users itself.
    """
    if not (rows := list(rows)):
        return head
    sanctions: dict[str, list[Sanction]] = {"ban": [], "mute": []}
    people: dict[str, dict[str, str]] = {"moderator": {}, "invited": {}}
    for (_, said), key in sorted(((_decode_row(value), key) for key, value in rows), key=lambda row: row[0][0]):
        _, kind, rest = key.split("/", 2)
        if isinstance(said, Sanction):
            sanctions[kind].append(said)
        else:
            people[kind][rest] = said
    return replace(
        head,
        bans=tuple(sanctions["ban"]),
        mutes=tuple(sanctions["mute"]),
        moderators=people["moderator"],
        invited=people["invited"],
    )


def _head(record: RoomRecord) -> bytes:
    """Return the bytes that are stored as the head of a record: the record without what is in its rows."""
    return _encode(replace(record, bans=(), mutes=(), moderators={}, invited={}))


def _row_changes(before: RoomRecord, after: RoomRecord) -> list[Change]:
    """Return the changes of the rows that differ. With each row, the number of the record's change is stored."""
    if all(getattr(before, field) is getattr(after, field) for field in ("bans", "mutes", "moderators", "invited")):
        return []
    old, new = dict(_rows(before)), dict(_rows(after))
    gone = [Change(PEOPLE, key, None) for key in old if key not in new]
    written = [(key, said) for key, said in new.items() if old.get(key) != said]
    return [*gone, *(Change(PEOPLE, key, _encode((after.changes, said))) for key, said in written)]


def _rows(record: RoomRecord) -> Iterator[tuple[str, Sanction | str]]:
    """Yield the keys and contents of a record's rows: its bans and mutes, and the names of users."""
    for kind, sanctions in (("ban", record.bans), ("mute", record.mutes)):
        for one in sanctions:
            yield f"{record.id}/{kind}/{one.key}", one
    for kind, people in (("moderator", record.moderators), ("invited", record.invited)):
        for id, name in people.items():
            yield f"{record.id}/{kind}/{id}", name
