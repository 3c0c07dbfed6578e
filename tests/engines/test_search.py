"""Searching: both engines find the same, go on where they left off, and hold nobody up."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from engines.searching import KINDS, index, make, walk
from engines.test_conformance import LOBBY, fill, found, joined, said, stored, texts
from engines.test_sqlite import ThreadClock
from engines.test_tokenizer import DOES_NOT_FIND, FINDS, TEXTS
from hypothesis import HealthCheck, given, settings
from twisted.internet import reactor
from twisted.internet.defer import gatherResults

from chatroom.engines.search_scheduler import NEVER, STEP
from chatroom.engines.sqlite import finder as finding
from chatroom.engines.sqlite import indexer
from chatroom.engines.sqlite.engine import SQLiteEngine
from chatroom.engines.sqlite.finder import Finder
from chatroom.engines.sqlite.indexer import BLOCK_BITS
from chatroom.engines.sqlite.schema import LADDER, connect, open_database
from chatroom.engines.sqlite.writer import Writer
from chatroom.engines.tokenizer import query
from chatroom.model.events import encode
from chatroom.model.log import Entry, TooBroad

OTHER = "room/other"


@pytest.fixture(params=KINDS)
def kind(request: Any) -> str:
    """In memory, or in SQLite with everything in the index or nothing."""
    kind: str = request.param
    return kind


@pytest_twisted.async_yield_fixture
async def engine(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    made = make(kind, tmp_path, monkeypatch)
    await made.start()
    yield made
    await made.stop()


async def prepare(engine: Any, kind: str) -> None:
    """Index everything, if that is the kind."""
    if kind == "sqlite, indexed":
        await index(engine)


# ---- what is found -----------------------------------------------------------------------------------------------


async def test_all_scripts_are_found_alike(engine: Any, kind: str) -> None:
    all_texts = list(dict.fromkeys(text for _, text in FINDS + DOES_NOT_FIND))
    await gatherResults([stored(engine, LOBBY, said(text)) for text in all_texts])
    await gatherResults([stored(engine, OTHER, said(text, f"other {text}")) for text in all_texts])
    await prepare(engine, kind)
    for words, _ in FINDS + DOES_NOT_FIND:
        expected = [text for text in all_texts if query(words).matches(text)]
        assert await found(engine, LOBBY, words, 200) == expected, words


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A writer and a finder of one file, on this thread."""
    path = tmp_path_factory.mktemp("searched") / "chat.db"
    writer = Writer(open_database(path))
    finder = Finder(connect(path), lambda: 0.0)
    yield writer, finder
    finder.db.close()
    writer.db.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_the_index_finds_what_reading_everything_finds(written: Any, words: str, one: str, two: str) -> None:
    writer, finder = written
    log = f"room/{writer._seq}"
    entries = [Entry(log, said(text), encode(said(text))) for text in (one, two)]
    writer.store(entries)
    with pytest.MonkeyPatch.context() as patch:
        scanned = finder.step(log, query(words), NEVER, 9, 1.0)
        while writer.index_some():
            pass
        patch.setattr(finding, "FEW", 1)
        patch.setattr(Finder, "_scan", None)
        asked = finder.step(log, query(words), NEVER, 9, 1.0) if query(words) else scanned
    assert texts(asked.entries) == texts(scanned.entries)


async def test_what_is_typed_is_no_query_language(engine: Any, kind: str) -> None:
    await stored(engine, LOBBY, said('she said "or" near me'))
    await prepare(engine, kind)
    for words in ('"or"', "or AND near", "near(said me)", "said*", "-said", "tokens:said", "said ^she", "NOT said"):
        assert await found(engine, LOBBY, words.replace("AND", "").replace("NOT", "").replace("tokens:", "")), words


async def test_joins_between_messages_do_not_keep_them_from_the_index(tmp_path: Path) -> None:
    engine = SQLiteEngine(reactor, tmp_path / "chat.db")
    await engine.start()
    first = await stored(engine, LOBBY, said("early"))
    await gatherResults([stored(engine, LOBBY, joined(f"guest{i}")) for i in range(350)])
    last = await stored(engine, LOBBY, said("late"))
    await index(engine)
    assert engine._writer.db.execute("SELECT upto FROM indexed").fetchone()[0] == last.seq
    assert engine._writer.db.execute("SELECT id FROM terms_docsize").fetchall() == [(first.seq,), (last.seq,)]
    await engine.stop()


async def test_long_messages_are_indexed_in_smaller_steps(tmp_path: Path) -> None:
    engine = SQLiteEngine(reactor, tmp_path / "chat.db")
    await engine.start()
    long = [said("long " * 800, f"id{i}") for i in range(60)]
    entries = await gatherResults([stored(engine, LOBBY, event) for event in long])
    await engine._writer_thread.run(engine._writer.index_some)
    upto = engine._writer.db.execute("SELECT upto FROM indexed").fetchone()[0]
    assert entries[10].seq < upto < entries[25].seq
    await index(engine)
    assert len((await engine.search(LOBBY, "long", 100)).entries) == 60
    await engine.stop()


# ---- going on -----------------------------------------------------------------------------------------------------


async def test_a_search_goes_on_before_what_it_gave(engine: Any, kind: str) -> None:
    for i in range(7):
        await stored(engine, LOBBY, said(f"apple {i}"))
        await stored(engine, LOBBY, said(f"pear {i}"))
    await prepare(engine, kind)
    assert await walk(engine, "apple", 3) == [
        ["apple 4", "apple 5", "apple 6"],
        ["apple 1", "apple 2", "apple 3"],
        ["apple 0"],
    ]
    assert await walk(engine, "apple", 7) == [[f"apple {i}" for i in range(7)]], "that was all, and it says so"
    hits = await engine.search(LOBBY, "apple", 2)
    assert (hits.before, hits.at) == (hits.entries[0].seq, hits.entries[0].event.at)


async def test_a_search_goes_on_from_block_to_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "FEW", 1)
    monkeypatch.setattr(finding, "BLOCK_BITS", 3)
    monkeypatch.setattr(indexer, "BLOCK_BITS", 3)
    engine = SQLiteEngine(reactor, tmp_path / "chat.db")
    await engine.start()
    for i in range(40):
        await stored(engine, LOBBY if i % 3 else OTHER, said(f"apple {i}"))
    await index(engine)
    monkeypatch.setattr(Finder, "_scan", None)
    assert await found(engine, LOBBY, "app", 50) == [f"apple {i}" for i in range(40) if i % 3]
    assert await found(engine, OTHER, "apple", 50) == [f"apple {i}" for i in range(40) if not i % 3]
    assert [len(page) for page in await walk(engine, "apple", 10)] == [10, 10, 6]
    await engine.stop()


async def test_when_its_time_is_over_a_search_says_how_far_it_came(engine: Any, kind: str) -> None:
    await gatherResults([stored(engine, LOBBY, said(f"apple {i}", at=1000 + i)) for i in range(300)])
    await prepare(engine, kind)
    engine._reactor.pace = STEP / 2  # a few messages a step, some steps a search
    pages = await walk(engine, "apple", 100)
    assert len(pages) > 2
    assert all(len(page) < 100 for page in pages)
    assert [text for page in reversed(pages) for text in page] == [f"apple {i}" for i in range(300)]
    hits = await engine.search(LOBBY, "nothing", 100)
    if kind != "sqlite, indexed":  # for whom it is no work to see that there is none
        assert hits.entries == []
        assert hits.at == 1000 + [f"apple {i}" for i in range(300)].index(await text_at(engine, hits.before))


async def text_at(engine: Any, seq: int) -> str:
    """Return the text of the message with that seq."""
    page = await engine.read(LOBBY, before=seq + 1, limit=1)
    return texts(page.entries)[0]


async def test_what_the_index_cannot_propose_in_time_is_too_broad(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    await gatherResults([stored(engine, LOBBY, said(f"apple{i:x} pie", f"id{i}")) for i in range(3000)])
    await index(engine)
    finder = Finder(connect(path), lambda: 2.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finding, "CHECK_EVERY", 1)
        with pytest.raises(TooBroad):
            finder.step(LOBBY, query("apple"), NEVER, 9, 1.0)
    assert finder.step(LOBBY, query("apple"), NEVER, 9, 3.0).entries, "the next one is not interrupted"
    finder.db.close()
    await engine.stop()


# ---- what it costs ------------------------------------------------------------------------------------------------


class Counting:
    """Counts how many messages are decoded."""

    def __init__(self, decode: Any) -> None:
        self.number = 0
        self._decode = decode

    def __call__(self, body: bytes) -> Any:
        self.number += 1
        return self._decode(body)


async def test_a_search_looks_at_its_own_room_and_at_what_the_index_proposes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = SQLiteEngine(reactor, tmp_path / "chat.db")
    await engine.start()
    ten = "apple bread cheese donut eggs flour grape honey icing jelly"
    await fill(engine, 3000, OTHER)
    await gatherResults([stored(engine, OTHER, said(ten, f"id{i}")) for i in range(500)])
    await stored(engine, LOBBY, said(ten))
    await gatherResults([stored(engine, OTHER, said(f"m{i} again", f"again{i}")) for i in range(200)])
    await index(engine)
    counting = Counting(finding.events.decode)
    monkeypatch.setattr(finding.events, "decode", counting)
    prefixes = " ".join(word[:3] for word in ten.split())
    assert await found(engine, LOBBY, prefixes) == [ten]
    assert counting.number == 1, "of the other room nothing"
    counting.number = 0
    assert await found(engine, OTHER, "m2999") == ["m2999"]
    assert counting.number == 1
    counting.number = 0
    assert await found(engine, OTHER, "m2999 honey") == []
    assert counting.number == 0
    await engine.stop()


def test_the_tokens_of_rooms_and_blocks_are_apart_in_the_index(tmp_path: Path) -> None:
    db = open_database(tmp_path / "chat.db")
    writer = Writer(db)
    writer.store([Entry(log, said(log), encode(said(log))) for log in (LOBBY, OTHER, LOBBY)])
    writer._seq = (1 << BLOCK_BITS) * 17
    writer.store([Entry(LOBBY, said("x"), encode(said("x", id="y")))])
    while writer.index_some():
        pass
    db.execute("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, terms, row)")
    held = [row[0] for row in db.execute("SELECT term FROM vocabulary")]
    assert held == ["1z0_lobby", "1z0_room", "1z11_x", "2z0_other", "2z0_room"]
    db.close()


async def test_a_search_waits_for_no_writer_and_holds_nobody_up(tmp_path: Path) -> None:
    engine = SQLiteEngine(reactor, tmp_path / "chat.db")
    await engine.start()
    await fill(engine, 500)
    go_on = threading.Event()
    engine._search_thread.post(lambda: go_on.wait(30) and None)
    searching = engine.search(LOBBY, "m7", 9)
    await stored(engine, LOBBY, said("meanwhile"))
    assert len((await engine.read(LOBBY, limit=5)).entries) == 5
    await engine.put("room", "x", b"1", 0)
    assert await engine.get("room", "x") is not None
    assert not searching.called
    go_on.set()
    assert texts((await searching).entries) == ["m7"]
    assert engine._writer.db.execute("SELECT upto FROM indexed").fetchone()[0] == 0, "nor does it index first"
    await engine.stop()


# ---- an index of before -------------------------------------------------------------------------------------------


def an_old_file(path: Path, number: int) -> None:
    """Make a file of schema 2, with so many messages, all in the index of that time."""
    db = sqlite3.connect(path, isolation_level=None)
    db.executescript(f"{LADDER[0]}{LADDER[1]} PRAGMA application_id={0x63686174}; PRAGMA user_version=2;")
    db.execute("INSERT INTO logs(no, name) VALUES (7, ?)", (LOBBY,))
    db.execute("BEGIN")
    for seq in range(1, number + 1):
        event = said(f"old{seq} naïve 東京都", f"id{seq}")
        db.execute("INSERT INTO log VALUES (?,7,1,1000,NULL,?)", (seq, encode(event)))
        db.execute("INSERT INTO words(rowid, log, text) VALUES (?,'n7',?)", (seq, event.text))
    db.execute("UPDATE indexed SET upto=?", (number,))
    db.execute("COMMIT")
    db.close()


async def test_an_old_index_is_replaced_in_steps_while_searches_find_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexer, "OLD_PAGES", 5)
    monkeypatch.setattr(indexer, "OLD_ROWS", 300)
    path = tmp_path / "chat.db"
    an_old_file(path, 1500)
    engine = SQLiteEngine(ThreadClock(), path)  # nothing happens by itself
    await engine.start()
    assert engine._writer.index.has_old, "a start does not wait for it"
    steps = 0
    more = True
    while more:
        assert await found(engine, LOBBY, "pear 京都") == []
        assert await found(engine, LOBBY, "old1042 京都 naive") == ["old1042 naïve 東京都"]
        more = await engine._writer_thread.run(engine._writer.index_some)
        steps += 1
    assert steps > 1500 // indexer.INDEX_STEP + 4
    assert engine._writer.db.execute("SELECT upto FROM indexed").fetchone()[0] == 1500
    assert engine._writer.db.execute("SELECT count(*) FROM sqlite_master WHERE name LIKE 'words%'").fetchone()[0] == 0
    assert await engine.erase(LOBBY, 1042)
    engine._writer.db.execute("INSERT INTO terms(terms) VALUES ('integrity-check')")
    monkeypatch.setattr(Finder, "_scan", None)
    assert await found(engine, LOBBY, "old1042") == []
    assert await found(engine, LOBBY, "都 old1043") == ["old1043 naïve 東京都"]
    await engine.stop()


async def test_a_stop_in_the_middle_of_that_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexer, "OLD_PAGES", 1)
    path = tmp_path / "chat.db"
    an_old_file(path, 700)
    for steps in (1, 2, 1000):
        engine = SQLiteEngine(ThreadClock(), path)
        await engine.start()
        for _ in range(steps):
            if not await engine._writer_thread.run(engine._writer.index_some):
                break
        assert await found(engine, LOBBY, "old333") == ["old333 naïve 東京都"]
        assert engine._writer.index.has_old == (steps < 10)
        await engine.stop()
