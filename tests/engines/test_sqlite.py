"""What only the SQLite engine promises: its file, its ladder, its quiet indexing, its recovery."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from engines.test_conformance import BOX, LOBBY, OWN, fill, found, joined, paired, said, stored, texts
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import Clock

from chatroom.engines.sqlite import schema, writer
from chatroom.engines.sqlite.engine import INDEX_AFTER, SQLiteEngine
from chatroom.engines.sqlite.indexer import INDEX_STEP
from chatroom.engines.sqlite.schema import LADDER, BadDatabase, open_database
from chatroom.model.events import decode, encode
from chatroom.model.log import Change, Entry, Unavailable


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "chat.db"


@pytest_twisted.async_yield_fixture
async def engine(path: Path) -> AsyncIterator[SQLiteEngine]:
    made = SQLiteEngine(reactor, path)
    await made.start()
    yield made
    if made._stopping is None:
        await made.stop()


@pytest.mark.parametrize(("free", "why"), [(0, "no space is left on its disk; make room there"), (5, "disk I/O error")])
def test_a_full_disk_is_called_so(path: Path, monkeypatch: pytest.MonkeyPatch, free: int, why: str) -> None:
    """SQLite calls it an error of the disk, as it does when the disk is broken."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_WRITE

    def connect(path: Path) -> sqlite3.Connection:
        raise error

    monkeypatch.setattr(schema, "connect", connect)
    monkeypatch.setattr(os, "statvfs", lambda folder: os.statvfs_result((4096, 4096, 100, free, free, 9, 9, 9, 0, 255)))
    with pytest.raises(BadDatabase, match=why):
        open_database(path)


# ---- the file ---------------------------------------------------------------------------------------------------


def test_commits_are_on_the_disk_when_they_return(path: Path) -> None:
    db = open_database(path)
    assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
    assert db.execute("PRAGMA synchronous").fetchone()[0] == 2, "FULL"
    db.close()


async def test_an_old_file_is_brought_up_to_date_and_nothing_is_lost(path: Path) -> None:
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(f"{LADDER[0]} PRAGMA application_id={schema.APPLICATION_ID}; PRAGMA user_version=1;")
    db.execute("INSERT INTO logs(no, name) VALUES (7, ?)", (LOBBY,))
    for seq, event in enumerate([said("old words"), joined(), said("more of them")], 1):
        message = not isinstance(event, type(joined()))
        db.execute("INSERT INTO log VALUES (?,7,?,1000,NULL,?)", (seq, message, encode(event)))
    db.execute("INSERT INTO record VALUES ('other', 'lobby', 3, CAST('kept' AS BLOB)), ('other', 'gone', 9, NULL)")
    db.close()
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    new = await stored(engine, LOBBY, said("new words"))
    assert new.seq == 4
    assert texts((await engine.read(LOBBY, limit=9, messages=True)).entries) == [
        "old words",
        "more of them",
        "new words",
    ]
    assert await found(engine, LOBBY, "words", 9) == ["old words", "new words"]
    assert await engine.get("other", "lobby") == (b"kept", 3)
    assert await engine.get("other", "gone") is None
    assert await engine.put("other", "gone", b"back", 0) == 10, "revisions go on after those of removed records"
    await engine.stop()
    assert sqlite3.connect(path).execute("PRAGMA user_version").fetchone()[0] == len(LADDER)


def test_a_step_of_the_ladder_that_fails_leaves_the_file_as_it_was(path: Path, monkeypatch: Any) -> None:
    open_database(path).close()
    monkeypatch.setattr(schema, "LADDER", (*LADDER, "CREATE TABLE half(x); CREATE TABLE log(x);"))
    with pytest.raises(BadDatabase, match="already exists"):
        open_database(path)
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone()[0] == len(LADDER)
    assert not db.execute("SELECT * FROM sqlite_master WHERE name='half'").fetchall()
    db.close()


def test_a_newer_file_is_refused_and_left_alone(path: Path) -> None:
    db = open_database(path)
    db.execute(f"PRAGMA user_version={len(LADDER) + 1}")
    db.close()
    before = path.read_bytes()
    with pytest.raises(BadDatabase, match="made by a newer chatroom"):
        open_database(path)
    assert path.read_bytes() == before


def test_a_foreign_file_is_refused_and_left_alone(path: Path) -> None:
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE recipes(x)")
    db.commit()
    db.close()
    before = path.read_bytes()
    with pytest.raises(BadDatabase, match="not a chatroom database"):
        open_database(path)
    assert path.read_bytes() == before


def test_what_is_no_database_is_refused(path: Path) -> None:
    path.write_text("dear diary " * 100)
    with pytest.raises(BadDatabase, match="not a database"):
        open_database(path)


async def test_seqs_go_on_after_a_restart_even_if_the_newest_entries_have_expired(path: Path) -> None:
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    last = (await fill(engine, 3))[-1].seq
    assert await engine.expire(LOBBY, 5000, 0) == 3
    await engine.stop()
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    assert (await stored(engine, LOBBY, said("next"))).seq == last + 1
    await engine.stop()


async def test_changes_that_wait_share_one_transaction(engine: SQLiteEngine) -> None:
    """A disk that needs a moment for each commit must not make those who change records wait for each other."""
    commits: list[int] = []
    done = engine._writer.change_all
    engine._writer.change_all = lambda several: commits.append(0) or done(several)  # type: ignore
    gate = threading.Event()
    engine._writer_thread.post(lambda: gate.wait(5) and None)
    changes = [engine.put("room", f"r{number}", b"x", 0) for number in range(50)]
    changes += [
        engine.put("room", "r7", b"y", 0),
        engine.change([Change("room", "new", b"z"), Change("x", "x", b"x", 9)]),
    ]
    gate.set()
    made = await DeferredList(changes, consumeErrors=True)
    assert [success for success, _ in made] == [True] * 50 + [False, False]
    assert len({rev for success, rev in made if success}) == 50
    assert len(commits) == 1
    assert await engine.get("room", "r7") == (b"x", made[7][1])
    assert await engine.get("room", "new") is None


async def test_an_id_is_remembered_over_a_restart(path: Path) -> None:
    for attempt in (False, True):
        engine = SQLiteEngine(reactor, path)
        await engine.start()
        entry = await stored(engine, LOBBY, said(f"try {attempt}", "x"), once=True)
        assert (entry.repeated, entry.event.text) == (attempt, "try False")  # type: ignore[union-attr]
        await engine.stop()


# ---- searching behind the log ------------------------------------------------------------------------------------


def indexed(path: Path) -> int:
    """Return how far the words are indexed."""
    db = sqlite3.connect(path)
    upto: int = db.execute("SELECT upto FROM indexed").fetchone()[0]
    db.close()
    return upto


class ThreadClock(Clock):
    """A clock whose calls from threads still go through the reactor."""

    def callFromThread(self, function: Any, *args: Any) -> None:
        reactor.callFromThread(function, *args)  # type: ignore[attr-defined]


async def test_words_are_indexed_in_steps_when_it_is_quiet_and_not_before(path: Path) -> None:
    clock = ThreadClock()
    engine = SQLiteEngine(clock, path)
    await engine.start()
    stored_all = [stored(engine, LOBBY, said(f"m{i}")) for i in range(INDEX_STEP * 2 + 5)]
    clock.advance(0)
    entries = [await one for one in stored_all]
    await engine._writer_thread.run(lambda: None)  # out of the call that said so
    assert indexed(path) == 0, "a commit indexes nothing"
    clock.advance(INDEX_AFTER)
    for step in (INDEX_STEP, INDEX_STEP * 2, INDEX_STEP * 2 + 5):
        await engine._writer_thread.run(lambda: None)  # the step is done
        assert indexed(path) == entries[step - 1].seq
        await engine._writer_thread.run(lambda: None)
        clock.advance(0)
    await engine.stop()


async def test_words_are_indexed_every_now_and_then_when_it_is_never_quiet(path: Path) -> None:
    clock = ThreadClock()
    engine = SQLiteEngine(clock, path)
    await engine.start()
    stored_all = [stored(engine, LOBBY, said(f"m{i}")) for i in range(INDEX_STEP * 2 + 5)]
    clock.advance(0)
    entries = [await one for one in stored_all]
    await engine._writer_thread.run(lambda: None)  # out of the call that said so
    engine._busy = True  # as it is while the next batch is being stored
    before = 0
    clock.advance(INDEX_AFTER)
    for step in (INDEX_STEP, INDEX_STEP * 2):
        await engine._writer_thread.run(lambda: None)
        assert indexed(path) == before, "what is to be stored goes first"
        clock.advance(INDEX_AFTER)
        await engine._writer_thread.run(lambda: None)
        before = entries[step - 1].seq
        assert indexed(path) == before
        await engine._writer_thread.run(lambda: None)
        clock.advance(0)
    engine._busy = False
    await engine.stop()


async def test_what_is_stored_while_a_step_is_taken_is_indexed_later(path: Path) -> None:
    clock = ThreadClock()
    engine = SQLiteEngine(clock, path)
    await engine.start()
    clock.advance(INDEX_AFTER)  # there is nothing to index yet
    await engine._writer_thread.run(lambda: None)
    engine._index_step = True
    stored_one = stored(engine, LOBBY, said("meanwhile"))
    clock.advance(0)
    entry = await stored_one
    await engine._writer_thread.run(lambda: None)
    engine._indexed(False)
    clock.advance(INDEX_AFTER)
    await engine._writer_thread.run(lambda: None)
    assert indexed(path) == entry.seq
    await engine.stop()


# ---- when the disk will not ----------------------------------------------------------------------------------------


class Broken:
    """A connection that cannot commit while told so."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self.full = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    def execute(self, sql: str, *args: Any) -> Any:
        if sql == "COMMIT" and self.full:
            raise sqlite3.OperationalError("database or disk is full")
        return self._db.execute(sql, *args)


async def test_a_full_disk_refuses_tells_nobody_and_recovers(engine: SQLiteEngine) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    first = await stored(engine, LOBBY, said("before"))
    broken = engine._writer.db = Broken(engine._writer.db)  # type: ignore[assignment]
    outcome: Any = await stored(engine, LOBBY, said("lost", "x"), once=True)
    assert isinstance(outcome, Unavailable)
    assert engine.state == "degraded"
    with pytest.raises(Unavailable):
        await engine.put("room", "x", b"1", 0)
    with pytest.raises(Unavailable):
        await engine.expire(LOBBY, 5000, 0)
    assert await found(engine, LOBBY, "before") == ["before"], "a search writes nothing"
    broken.full = False  # type: ignore[attr-defined]
    again = await stored(engine, LOBBY, said("again", "x"), once=True)
    assert (again.repeated, engine.state) == (False, "ok")
    assert texts(seen) == ["before", "again"] == texts((await engine.read(LOBBY, limit=9)).entries)
    assert again.seq > first.seq
    assert await found(engine, LOBBY, "again", 1) == ["again"]


async def test_new_logs_of_a_batch_that_failed_are_made_again(engine: SQLiteEngine) -> None:
    broken = engine._writer.db = Broken(engine._writer.db)  # type: ignore[assignment]
    assert isinstance(await stored(engine, "room/new", said("lost")), Unavailable)
    broken.full = False  # type: ignore[attr-defined]
    await stored(engine, "room/new", said("kept"))
    assert texts((await engine.read("room/new", limit=9)).entries) == ["kept"]


async def test_a_pair_that_cannot_be_committed_leaves_neither_half(engine: SQLiteEngine) -> None:
    seen: list[Entry] = []
    for log in (BOX, OWN):
        await engine.follow(log, seen.extend)
    broken = engine._writer.db = Broken(engine._writer.db)  # type: ignore[assignment]
    assert isinstance(await paired(engine, said("lost", at=9000)), Unavailable)
    broken.full = False  # type: ignore[attr-defined]
    await paired(engine, said("kept", at=1000))
    assert texts(seen) == ["kept", "kept"]
    for log in (BOX, OWN):
        entries = (await engine.read(log, limit=9)).entries
        assert [(entry.event.text, entry.event.at) for entry in entries] == [("kept", 1000)]  # type: ignore[union-attr]


# ---- time -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [said("noon", at=43_200_000), joined(at=43_200_000)], ids=["message", "other"])
async def test_time_does_not_go_back_over_a_restart(path: Path, last: Any) -> None:
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    await stored(engine, LOBBY, said("morning", at=40_000_000))
    await stored(engine, LOBBY, last)
    await engine.stop()
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    entry = await stored(engine, LOBBY, said("an hour before", at=39_600_000))
    assert entry.event.at == 43_200_000 == decode(entry.body).at
    await engine.stop()


async def test_time_does_not_go_back_within_a_conversation_over_a_restart(path: Path) -> None:
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    await paired(engine, said("from alice", at=9000))
    await engine.stop()
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    assert (await stored(engine, "inbox/alice", said("to alice", at=1000))).event.at == 9000
    await engine.stop()


async def test_times_of_more_logs_than_are_kept_in_memory_do_not_go_back(
    engine: SQLiteEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_PLACES", 3)
    for at in (5000, 1000):
        for waiting in [stored(engine, f"room/{number}", said(f"{at}{number}", at=at)) for number in range(9)]:
            assert (await waiting).event.at == 5000
    assert len(engine._writer._places) == 9, "of one batch"
    await stored(engine, LOBBY, said("last"))
    assert len(engine._writer._places) == 1


async def test_a_time_is_looked_up_once_for_each_log(engine: SQLiteEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    look = engine._writer._places.last_time
    monkeypatch.setattr(engine._writer._places, "last_time", lambda number: looked.append(number) or look(number))
    for i in range(5):
        await stored(engine, LOBBY, said(f"m{i}"))
        await stored(engine, BOX, said(f"n{i}"))
    assert len(looked) == 2


async def test_stop_returns_when_the_threads_have_ended(path: Path) -> None:
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    done: list[Deferred[Entry]] = [stored(engine, LOBBY, said(f"m{i}")) for i in range(3000)]
    await engine.stop()
    assert all(one.called for one in done)
    assert not engine._writer_thread._thread.is_alive()
    assert not engine._reader_thread._thread.is_alive()
    assert not Path(f"{path}-wal").exists(), "closed in order"


def test_nobody_else_on_the_machine_reads_what_was_said(path: Path) -> None:
    db = open_database(path)
    modes = {file.stat().st_mode & 0o777 for file in path.parent.glob("chat.db*")}
    db.close()
    assert modes == {0o600}


async def test_no_seq_comes_twice_after_a_drop_and_a_restart_and_the_index_stays_right(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    last = 0
    for i in range(3):
        engine = SQLiteEngine(reactor, path)
        await engine.start()
        first = await stored(engine, "room/kept", said(f"apple {i}"))
        second = await stored(engine, "room/gone", said(f"apple gone {i}"))
        assert last < first.seq < second.seq
        last = second.seq
        if i == 1:  # once before it is indexed, twice after
            while await engine._writer_thread.run(engine._writer.index_some):
                pass
        await engine.drop("room/gone")
        assert await found(engine, "room/gone", "apple", 10) == []
        assert await found(engine, "room/kept", "apple") == [f"apple {j}" for j in range(i + 1)]
        await engine.stop()
    db = sqlite3.connect(path)
    db.execute("INSERT INTO terms(terms) VALUES ('integrity-check')")
    db.close()
