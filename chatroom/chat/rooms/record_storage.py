"""How a room's record is stored: a small head, and a row for each person or address that it names.

The head alone is read to list rooms, so it stays small however many people are banned. A change writes the head and the
rows that differ, all or nothing; the head's revision guards the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec
from msgspec.structs import replace

from chatroom.chat.bans_and_mutes import Sanction
from chatroom.chat.rooms.record import RoomRecord
from chatroom.model.log import Change

ROOMS = "room"  # heads, by the room's folded name
NAMES = "room-name"  # the folded name of each room, by its id
PEOPLE = "room-people"  # rows, by ``<room id>/<kind>/<key>``

Rows = Iterable[tuple[str, bytes]]

decode_head = msgspec.json.Decoder(RoomRecord).decode
_decode_row = msgspec.json.Decoder(tuple[int, Sanction | str]).decode
_encode = msgspec.json.Encoder().encode


def creation(folded: str, record: RoomRecord) -> list[Change]:
    """Return the changes that make a room's record; they fail when there is one of that name."""
    return [
        Change(ROOMS, folded, _head(record), 0),
        Change(NAMES, record.id, folded.encode()),
        *_row_changes(replace(record, bans=(), mutes=(), moderators={}, invited={}), record),
    ]


def update(folded: str, rev: int, before: RoomRecord, after: RoomRecord) -> list[Change]:
    """Return the changes that make of one record another; they fail when the head's revision is another one."""
    return [Change(ROOMS, folded, _head(after), rev), *_row_changes(before, after)]


def removal(folded: str, rev: int, record: RoomRecord) -> list[Change]:
    """Return the changes that remove a record, all its rows included."""
    rows = [Change(PEOPLE, key, None) for key, _ in _rows(record)]
    return [Change(ROOMS, folded, None, rev), Change(NAMES, record.id, None), *rows]


def assemble(head: RoomRecord, rows: Rows) -> RoomRecord:
    """Return the whole record, with what its rows say in the order in which it was written.

    A head that an older chatroom wrote has no rows, and names people itself.
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
    return _encode(replace(record, bans=(), mutes=(), moderators={}, invited={}))


def _row_changes(before: RoomRecord, after: RoomRecord) -> list[Change]:
    """Return what differs in the rows; each is numbered by the change that wrote it."""
    if all(getattr(before, field) is getattr(after, field) for field in ("bans", "mutes", "moderators", "invited")):
        return []
    old, new = dict(_rows(before)), dict(_rows(after))
    gone = [Change(PEOPLE, key, None) for key in old if key not in new]
    written = [(key, said) for key, said in new.items() if old.get(key) != said]
    return [*gone, *(Change(PEOPLE, key, _encode((after.changes, said))) for key, said in written)]


def _rows(record: RoomRecord) -> Iterator[tuple[str, Sanction | str]]:
    for kind, sanctions in (("ban", record.bans), ("mute", record.mutes)):
        for one in sanctions:
            yield f"{record.id}/{kind}/{one.key}", one
    for kind, people in (("moderator", record.moderators), ("invited", record.invited)):
        for id, name in people.items():
            yield f"{record.id}/{kind}/{id}", name
