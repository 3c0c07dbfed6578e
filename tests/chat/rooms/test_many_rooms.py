"""However many rooms there are, and however many people they ban: nobody waits while one list of all is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from harness import Client, World, result, stored_records
from order import record_of, session_of
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.chat.files.record import FileRecord
from chatroom.chat.files.record_storage import changes as file_rows
from chatroom.chat.limits import LISTED, LISTS_AT_ONCE, SANCTION_BYTES
from chatroom.chat.rooms import record_storage
from chatroom.chat.rooms.record import RoomRecord
from chatroom.engines.memory import MemoryEngine
from chatroom.engines.sqlite.engine import SQLiteEngine
from chatroom.engines.sqlite.reader import PAGE_ROWS
from chatroom.model.log import Change

LONG = "\N{SNOWMAN}" * 200
OF_ROOMS = (record_storage.ROOMS, record_storage.NAMES, record_storage.PEOPLE)


class CountingEngine(MemoryEngine):
    """An engine that counts what it is asked for.

    Attributes:
        asked: How many records and pages were read.
        written: Bytes of the records that were written.
        pages: How many records each page had.
    """

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.asked = self.written = 0
        self.pages: list[int] = []

    def get(self, bucket: str, key: str) -> Any:
        self.asked += 1
        return super().get(bucket, key)

    def page(self, *args: Any) -> Any:
        self.asked += 1
        return super().page(*args).addCallback(self._counted)

    def last(self, *args: Any) -> Any:
        self.asked += 1
        return super().last(*args).addCallback(self._counted)

    def _counted(self, page: list[Any]) -> list[Any]:
        self.pages.append(len(page))
        return page

    def change(self, changes: Any) -> Any:
        self.written += sum(len(change.value or b"") for change in changes)
        return super().change(changes)


@pytest.fixture
def world() -> Iterator[World]:
    clock = Clock()
    with closing(World(CountingEngine(clock), clock)) as made:
        yield made


def many(world: World, number: int) -> None:
    """Make so many rooms in which nobody is."""
    for n in range(number):
        record = RoomRecord(f"id{n}", f"room{n:05}", 1, "zoe", "z1", topic="t" * 390)
        world.engine.change(record_storage.creation(record.name, record))


def test_the_list_of_rooms_reads_no_more_than_it_shows(world: World) -> None:
    alice = world.person("alice", "zoo")
    many(world, 3 * PAGE_ROWS)
    engine: Any = world.engine
    engine.asked = 0
    alice.say("/rooms")
    lines = alice.lines()
    assert lines[0] == f"Rooms ({3 * PAGE_ROWS + 1}):"
    assert lines[1].split() == ["zoo", "1", "user"]
    assert lines[2].split()[0] == "room00000"
    assert len(lines) == LISTED + 2
    assert engine.asked <= 2


def test_the_list_of_files_reads_no_more_than_it_shows(world: World) -> None:
    alice = world.person("alice", "zoo")
    log = world.chat.loaded_rooms.rooms()[0].log
    for n in range(3 * PAGE_ROWS):
        number = n + 1 if n % 3 else 0  # of a third not all has come yet
        record = FileRecord(
            f"f{n}", f"file{n}", 9, "0" * 64, 1, "zoe", "z1", "account:z1", "account:z1", log, number=number
        )
        world.engine.change(file_rows(None, record, 0))
    engine: Any = world.engine
    engine.pages.clear()
    alice.say("/files")
    lines = alice.lines()
    assert f"{2 * PAGE_ROWS}" in lines[0]
    assert f"file{3 * PAGE_ROWS - 1}" in lines[-2]
    assert sum(engine.pages) <= LISTED


@pytest.mark.parametrize("command", ["/rooms", "/files"])
def test_of_many_who_ask_for_a_list_few_are_served_at_once(world: World, command: str) -> None:
    """Else all lists that were read meanwhile would be made in one turn of the reactor, and everybody would wait."""
    engine: Any = world.engine
    people = [world.person(f"user{n}", "zoo") for n in range(3 * LISTS_AT_ONCE)]
    held: list[Deferred[int]] = []

    def count(*args: Any) -> Deferred[int]:
        held.append(Deferred())
        return held[-1]

    engine.count = count
    for person in people:
        person.say(command)
    served, most = 0, len(held)
    while held:
        assert len(held) <= LISTS_AT_ONCE
        held.pop(0).callback(1)
        world.settle()
        served += 1
    assert most == LISTS_AT_ONCE
    assert served >= len(people)
    assert all(person.lines() for person in people)


def test_the_rooms_with_people_are_listed_whatever_their_names(world: World) -> None:
    many(world, PAGE_ROWS)
    for number in range(3):
        world.person(f"zed{number}", "zz9")
    world.person("yan", "yy8")
    alice = world.person("alice")
    alice.say("/rooms")
    assert [line.split()[:3] for line in alice.lines()[1:3]] == [["zz9", "3", "users"], ["yy8", "1", "user"]]


def test_keeping_house_reads_the_rooms_page_by_page(world: World) -> None:
    many(world, 3 * PAGE_ROWS + 7)
    engine: Any = world.engine
    engine.pages.clear()
    world.pass_time(600)
    assert sum(engine.pages) >= 3 * PAGE_ROWS + 7
    assert max(engine.pages) <= PAGE_ROWS


def alice_in_den(world: World) -> Client:
    alice = world.program()
    alice.record(do="register", user="alice", password="secret")
    alice.record(do="join", room="den")
    alice.records()
    return alice


def ban(client: Client, name: str, reason: str = LONG, do: str = "ban") -> str:
    """Ban a name; return ``ok`` or why not."""
    client.record(do=do, user=name, reason=reason, ref=1)
    (answer,) = [record for record in client.records() if record.get("re") == 1]
    return str(answer.get("code", answer["event"]))


def test_a_ban_writes_itself_and_not_all_the_others(world: World) -> None:
    alice = alice_in_den(world)
    for number in range(40):
        assert ban(alice, f"nobody{number}") == "ok"
    engine: Any = world.engine
    engine.written = 0
    assert ban(alice, "one-more", "spam") == "ok"
    assert engine.written < 500
    assert len(stored_records(world)[record_storage.ROOMS, "den"][0]) < 300
    assert len(record_of(world, "den").bans) == 41


def test_the_bans_and_mutes_of_a_room_take_so_many_bytes_together(world: World) -> None:
    alice = alice_in_den(world)
    banned = muted = 0
    while ban(alice, f"nobody{banned}") == "ok":
        banned += 1
        assert ban(alice, f"noisy{muted}", do="mute") == "ok"
        muted += 1
        assert banned < 200
    assert ban(alice, "another") == "sanctions-full"
    record = record_of(world, "den")
    used = sum(one.size for one in (*record.bans, *record.mutes))
    assert used <= SANCTION_BYTES < used + 2 * (len(LONG.encode()) + 40)
    alice.record(do="unmute", user="noisy0", ref=1)
    alice.record(do="unban", user="nobody0", ref=1)
    alice.records()
    assert ban(alice, "another") == "ok"


def test_a_room_that_ends_leaves_nothing(world: World) -> None:
    alice = alice_in_den(world)
    before = {where for where in stored_records(world) if where[0] in OF_ROOMS}
    ban(alice, "bob")
    alice.record(do="op", user="alice")
    alice.record(do="invite", user="alice")
    assert len([where for where in stored_records(world) if where[0] == record_storage.PEOPLE]) == 3
    alice.record(do="close")
    assert before == {(record_storage.ROOMS, "den"), (record_storage.NAMES, session_id(before))}
    assert not [where for where in stored_records(world) if where[0] in OF_ROOMS]


def session_id(where: set[tuple[str, str]]) -> str:
    """Return the id of the only room."""
    (id,) = [key for bucket, key in where if bucket == record_storage.NAMES]
    return id


def test_whom_a_room_names_stands_in_the_same_order_when_it_is_loaded_again(world: World) -> None:
    alice = alice_in_den(world)
    for name in ("zed", "ann", "mia"):
        ban(alice, name, "spam")
        ban(alice, name, do="mute")
    other = world.program()
    other.record(do="register", user="aaa", password="secret")
    for user in ("alice", "aaa"):
        alice.record(do="op", user=user)
    alice.records()
    before = session_of(alice).room.record
    alice.record(do="leave")
    assert record_of(world, "den") == before
    assert [one.shown for one in before.bans] == ["zed", "ann", "mia"]
    assert list(before.moderators.values()) == ["alice", "aaa"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest_twisted.ensureDeferred
async def test_a_database_of_before_is_brought_up_to_date(path: Path) -> None:
    import sqlite3

    import msgspec

    from chatroom.chat.bans_and_mutes import Sanction
    from chatroom.engines.sqlite import schema

    bans = tuple(Sanction(f"name:b{n}", f"b{n}", "alice", n, reason=LONG) for n in range(12, 0, -1))
    mutes = (Sanction("address:2001:db8::/64", "an address", "alice", 5, until=7),)
    record = RoomRecord(
        "r1", "Den", 1, "alice", "a1", "a topic", {"a9": "zoe", "a2": "bob"}, {"a3": "ida"}, bans, mutes, slow=3
    )
    db = sqlite3.connect(path, isolation_level=None)
    steps = "".join(schema.LADDER[:2])
    db.executescript(f"{steps} PRAGMA application_id={schema.APPLICATION_ID}; PRAGMA user_version=2;")
    rows = [("room", "den", 7, msgspec.json.encode(record)), ("room", "gone", 9, None)]
    db.executemany("INSERT INTO record VALUES (?,?,?,?)", rows)
    db.close()
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    try:
        value, rev = await engine.get(record_storage.ROOMS, "den")
        assert len(value) < 200
        rows = await engine.page(record_storage.PEOPLE, "r1/")
        assert record_storage.assemble(record_storage.decode_head(value), rows) == record
        assert await engine.get(record_storage.NAMES, "r1") == (b"den", 7)
        assert await engine.page(record_storage.ROOMS) == [("den", value)]
        assert await engine.change([Change(record_storage.ROOMS, "den", value, rev)]) == 10
    finally:
        await engine.stop()


def test_the_list_is_whole_when_a_room_goes_meanwhile(world: World) -> None:
    alice = world.person("alice", "zoo")
    many(world, 3)
    record = result(world.chat.room_records.lookup("room00001"))

    async def gone(record: RoomRecord) -> bool:
        return True

    result(world.chat.directory.forget(record.id, "room00001", gone))
    alice.say("/rooms")
    assert [line.split()[0] for line in alice.lines()[1:]] == ["zoo", "room00000", "room00002"]
