"""What every engine promises, tested on each of them alike. A new engine is a line in ``MAKERS``."""

from __future__ import annotations

import hashlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList

from chatroom.engines.base import TRIM_STEP
from chatroom.engines.memory import MemoryEngine
from chatroom.engines.sqlite.engine import SQLiteEngine
from chatroom.engines.sqlite.reader import PAGE_BYTES, PAGE_LOGS, PAGE_ROWS
from chatroom.model.events import Acted, E2eFrom, Joined, Said, Shared
from chatroom.model.log import Change, Conflict, Entry, Presence, Unavailable
from chatroom.model.shared_files import CHUNK

MAKERS: dict[str, Callable[[Path], Any]] = {
    "memory": lambda path: MemoryEngine(reactor),
    "sqlite": lambda path: SQLiteEngine(reactor, path / "chat.db"),
}
LOBBY = "room/lobby"


@pytest_twisted.async_yield_fixture(params=MAKERS)
async def engine(request: Any, tmp_path: Path) -> AsyncIterator[Any]:
    made = MAKERS[request.param](tmp_path)
    await made.start()
    yield made
    if not made._stopping:
        await made.stop()


def said(text: str, id: str = "", by: str = "alice", at: int = 1000) -> Said:
    """Return a message; its id is its text unless given."""
    return Said(id or text, at, by, f"{by}-id", text=text)


def joined(by: str = "alice", at: int = 1000) -> Joined:
    """Return an event that is no message."""
    return Joined(f"join-{by}", at, by, f"{by}-id", session=f"{by}-id")


def stored(engine: Any, log: str, event: Any, *, once: bool = False) -> Deferred[Entry]:
    """Append, and wait until it is durable."""
    deferred: Deferred[Entry] = Deferred()
    engine.append(log, event, lambda entry, error: deferred.callback(entry if error is None else error), once=once)
    return deferred


async def fill(engine: Any, number: int, log: str = LOBBY) -> list[Entry]:
    """Append so many messages, ``m0`` and on."""
    waiting = [stored(engine, log, said(f"m{i}")) for i in range(number)]
    return [await one for one in waiting]


def texts(entries: list[Entry]) -> list[str]:
    """Return what was said in them."""
    return [entry.event.text for entry in entries]  # type: ignore[union-attr]


async def found(engine: Any, log: str, words: str, limit: int = 9) -> list[str]:
    """Return all texts that are found, however slow this machine is: search again until everything was searched."""
    found: list[str] = []
    before: int | None = None
    while before != 0:
        hits = await engine.search(log, words, limit, before=before)
        found[:0] = texts(hits.entries)
        before = hits.before
    return found


# ---- appending and following ------------------------------------------------------------------------------------


async def test_what_is_appended_is_delivered_once_in_one_order_with_growing_seq(engine: Any) -> None:
    seen: list[Entry] = []
    batches: list[int] = []

    def deliver(entries: list[Entry]) -> None:
        batches.append(len(entries))
        seen.extend(entries)

    await engine.follow(LOBBY, deliver)
    entries = await fill(engine, 2500)
    assert texts(seen) == [f"m{i}" for i in range(2500)]
    assert [e.seq for e in seen] == sorted({e.seq for e in seen}) == [e.seq for e in entries]
    assert len(batches) < 100, "batches gather"


async def test_a_follower_has_the_entry_before_the_author_is_told(engine: Any) -> None:
    order: list[str] = []
    await engine.follow(LOBBY, lambda entries: order.append("delivered"))
    done: Deferred[None] = Deferred()

    def settled(entry: Entry, error: Unavailable | None) -> None:
        order.append("done")
        done.callback(None)

    engine.append(LOBBY, said("hi"), settled)
    assert order == [], "nothing happens before it is stored"
    await done
    assert order == ["delivered", "done"]


async def test_logs_are_apart(engine: Any) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    await stored(engine, "room/other", said("elsewhere"))
    await stored(engine, LOBBY, said("here"))
    assert texts(seen) == ["here"]
    assert texts((await engine.read("room/other", limit=9)).entries) == ["elsewhere"]
    assert (await engine.read("room/none", limit=9)).entries == []
    assert sorted(await engine.logs()) == [LOBBY, "room/other"]


async def test_logs_are_listed_some_at_a_time(engine: Any) -> None:
    names = [f"room/{number:05}" for number in range(PAGE_LOGS + 3)]
    for name in names:
        engine.append(name, said("here"))
    await stored(engine, LOBBY, said("last"))
    first = await engine.logs()
    assert first == names[:PAGE_LOGS]
    assert await engine.logs(first[-1]) == [*names[PAGE_LOGS:], LOBBY]
    assert await engine.logs(LOBBY) == []


async def test_two_follow_and_one_stops(engine: Any) -> None:
    first: list[Entry] = []
    second: list[Entry] = []
    subscription = await engine.follow(LOBBY, first.extend)
    await engine.follow(LOBBY, second.extend)
    await stored(engine, LOBBY, said("one"))
    subscription.stop()
    subscription.stop()
    await stored(engine, LOBBY, said("two"))
    assert (texts(first), texts(second)) == (["one"], ["one", "two"])


async def test_a_follower_that_fails_does_not_stop_the_others(engine: Any, errors: Any) -> None:
    def fail(entries: list[Entry]) -> None:
        raise RuntimeError("mine")

    seen: list[Entry] = []
    await engine.follow(LOBBY, fail)
    await engine.follow(LOBBY, seen.extend)
    entry = await stored(engine, LOBBY, said("hi"))
    assert (entry.seq, texts(seen)) == (seen[0].seq, ["hi"])
    errors.expect(RuntimeError)


async def test_who_asks_and_fails_does_not_stop_the_others(engine: Any, errors: Any) -> None:
    def fail(entry: Entry, error: Unavailable | None) -> None:
        raise RuntimeError("mine")

    engine.append(LOBBY, said("one"), fail)
    assert (await stored(engine, LOBBY, said("two"))).seq
    errors.expect(RuntimeError)


@pytest.mark.parametrize("number", [0, 1, 499, 500, 1203])
async def test_following_after_a_seq_gives_the_past_then_what_comes(engine: Any, number: int) -> None:
    start = (await stored(engine, LOBBY, said("before"))).seq
    await fill(engine, number)
    seen: list[Entry] = []
    following = engine.follow(LOBBY, seen.extend, start)
    late = [stored(engine, LOBBY, said(f"late{i}")) for i in range(5)]
    await following
    for one in late:
        await one
    assert texts(seen) == [f"m{i}" for i in range(number)] + [f"late{i}" for i in range(5)]


# ---- the same thing twice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in two"])
async def test_the_same_id_is_stored_and_delivered_once_and_answered_with_the_first(engine: Any, apart: bool) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    one = stored(engine, LOBBY, said("first", "x"), once=True)
    if apart:
        await one
    two = stored(engine, LOBBY, said("second", "x"), once=True)
    elsewhere = stored(engine, "room/other", said("third", "x"), once=True)
    first, again, third = await one, await two, await elsewhere
    assert [(e.seq, e.log, e.event.text) for e in (again, third)] == [(first.seq, LOBBY, "first")] * 2
    assert (first.repeated, again.repeated, third.repeated) == (False, True, True)
    assert texts(seen) == ["first"] == texts((await engine.read(LOBBY, limit=9)).entries)


async def test_one_users_ids_do_not_shadow_anothers(engine: Any) -> None:
    await stored(engine, LOBBY, said("mine", "x", by="alice"), once=True)
    other = await stored(engine, LOBBY, said("mine too", "x", by="bob"), once=True)
    assert not other.repeated
    assert texts((await engine.read(LOBBY, limit=9)).entries) == ["mine", "mine too"]


# ---- reading ----------------------------------------------------------------------------------------------------


async def test_reading_gives_the_newest_of_what_is_asked_for(engine: Any) -> None:
    entries = await fill(engine, 20)
    page = await engine.read(LOBBY, limit=5)
    assert (texts(page.entries), page.complete) == ([f"m{i}" for i in range(15, 20)], False)
    page = await engine.read(LOBBY, before=entries[5].seq, limit=5)
    assert (texts(page.entries), page.complete) == ([f"m{i}" for i in range(5)], True)
    page = await engine.read(LOBBY, after=entries[16].seq, limit=5)
    assert (texts(page.entries), page.complete) == (["m17", "m18", "m19"], True)
    page = await engine.read(LOBBY, after=entries[10].seq, before=entries[19].seq, limit=5)
    assert (texts(page.entries), page.complete) == ([f"m{i}" for i in range(14, 19)], False)


async def test_reading_gives_the_oldest_if_those_are_asked_for(engine: Any) -> None:
    entries = await fill(engine, 20)
    await stored(engine, LOBBY, joined())
    page = await engine.read(LOBBY, limit=5, oldest=True)
    assert (texts(page.entries), page.complete) == ([f"m{i}" for i in range(5)], False)
    page = await engine.read(LOBBY, after=entries[10].seq, before=entries[15].seq, limit=5, oldest=True)
    assert (texts(page.entries), page.complete) == ([f"m{i}" for i in range(11, 15)], True)
    page = await engine.read(LOBBY, after=entries[14].seq, limit=5, messages=True, oldest=True)
    assert (texts(page.entries), page.complete) == ([f"m{i}" for i in range(15, 20)], True)


async def test_messages_can_be_read_without_the_rest(engine: Any) -> None:
    await stored(engine, LOBBY, said("one"))
    for _ in range(3):
        await stored(engine, LOBBY, joined())
    await stored(engine, LOBBY, Acted("a", 1000, "bob", "bob-id", text="waves"))
    await stored(engine, LOBBY, joined("carol"))
    assert texts((await engine.read(LOBBY, limit=9, messages=True)).entries) == ["one", "waves"]
    assert (await engine.read(LOBBY, limit=2, messages=True)).complete
    everything = (await engine.read(LOBBY, limit=9)).entries
    assert [type(entry.event).__name__ for entry in everything] == ["Said", *["Joined"] * 3, "Acted", "Joined"]
    newest = (await engine.read(LOBBY, limit=2)).entries
    assert [type(entry.event).__name__ for entry in newest] == ["Acted", "Joined"]


# ---- searching --------------------------------------------------------------------------------------------------


async def test_search_finds_what_was_said_just_now(engine: Any) -> None:
    for text in ("the quick brown fox", "lazy dogs", "Quick! A dog", "grüße aus Köln", "joined"):
        await stored(engine, LOBBY, said(text))
    await stored(engine, "room/other", said("a quick one elsewhere"))
    await stored(engine, LOBBY, joined("quick"))
    for words, expected in {
        "quick": ["the quick brown fox", "Quick! A dog"],
        "dog quick": ["Quick! A dog"],
        "dog": ["lazy dogs", "Quick! A dog"],
        "do": [],
        "a": ["Quick! A dog"],
        "köl": ["grüße aus Köln"],
        "nothing": [],
        "": [],
        '"': [],
        "NEAR( OR": [],
        "text:quick": [],
        "-": [],
    }.items():
        assert await found(engine, LOBBY, words, 9) == expected, words
    assert texts((await engine.search(LOBBY, "quick", 1)).entries) == ["Quick! A dog"], "the newest"


async def test_search_finds_one_of_many(engine: Any) -> None:
    await fill(engine, 730)
    assert await found(engine, LOBBY, "m729", 9) == ["m729"]


# ---- what goes --------------------------------------------------------------------------------------------------


async def test_retention_by_age_and_by_number(engine: Any) -> None:
    for i in range(6):
        await stored(engine, LOBBY, said(f"m{i} word", at=1000 + i))
        await stored(engine, LOBBY, joined(at=1000 + i))
    await stored(engine, "room/other", said("word", at=0))
    assert await found(engine, LOBBY, "word", 9) == [f"m{i} word" for i in range(6)]
    assert await engine.expire(LOBBY, 1002, 0) == 4
    assert texts((await engine.read(LOBBY, limit=99, messages=True)).entries) == [f"m{i} word" for i in range(2, 6)]
    assert await engine.expire(LOBBY, 0, 3) == 2
    kept = (await engine.read(LOBBY, limit=99)).entries
    assert [type(entry.event).__name__ for entry in kept] == ["Said", "Joined"] * 3
    assert await found(engine, LOBBY, "word", 9) == ["m3 word", "m4 word", "m5 word"]
    assert await engine.expire(LOBBY, 0, 0) == 0
    assert texts((await engine.read("room/other", limit=9)).entries) == ["word"]


async def test_entries_up_to_a_seq_are_removed_whatever_their_times(engine: Any) -> None:
    for i in range(6):
        await stored(engine, LOBBY, said(f"m{i} word"))
        await stored(engine, LOBBY, joined())
    await stored(engine, "room/other", said("word"))
    entries = (await engine.read(LOBBY, limit=99)).entries
    assert await engine.expire(LOBBY, 0, 0, entries[0].seq - 1) == 0
    assert await engine.expire(LOBBY, 0, 0, entries[6].seq) == 7
    assert await engine.expire(LOBBY, 0, 0, entries[6].seq) == 0
    kept = (await engine.read(LOBBY, limit=99)).entries
    assert [entry.seq for entry in kept] == [entry.seq for entry in entries[7:]]
    assert await found(engine, LOBBY, "word", 9) == ["m4 word", "m5 word"]
    assert await engine.expire(LOBBY, 0, 0, 2**53) == 5
    assert (await engine.read("room/other", limit=9)).entries


async def test_a_sealed_message_is_stored_once_in_each_log(engine: Any) -> None:
    def sealed(id: str, by: str = "alice", body: str = "body") -> E2eFrom:
        return E2eFrom(id, 1000, by, f"{by}-id", device="d", kind=1, body=body)

    first = await stored(engine, "device/b/one", sealed("m1"), once=True)
    other = await stored(engine, "device/b/two", sealed("m1"), once=True)
    assert (first.repeated, other.repeated) == (False, False)
    for log, entry in (("device/b/one", first), ("device/b/two", other)):
        again = await stored(engine, log, sealed("m1", body="another"), once=True)
        assert (again.repeated, again.log, again.seq) == (True, log, entry.seq)
    assert not (await stored(engine, "device/b/one", sealed("m1", by="carol"), once=True)).repeated
    assert len((await engine.read("device/b/one", limit=9)).entries) == 2


async def test_who_was_away_too_long_is_told_of_the_gap(engine: Any) -> None:
    entries = await fill(engine, 10)
    await engine.expire(LOBBY, 0, 4)
    assert (await engine.read(LOBBY, after=entries[5].seq, limit=99)).complete
    assert not (await engine.read(LOBBY, after=entries[4].seq, limit=99)).complete
    assert not (await engine.read(LOBBY, limit=99)).complete


async def test_more_than_a_step_expires(engine: Any) -> None:
    await fill(engine, 1300)
    removed = 0
    while some := await engine.expire(LOBBY, 2000, 0):
        removed += some
    assert removed == 1300
    assert (await engine.read(LOBBY, limit=9)).entries == []


async def test_a_key_is_free_again_when_its_entry_has_expired(engine: Any) -> None:
    await stored(engine, LOBBY, said("old", "x"), once=True)
    await engine.expire(LOBBY, 2000, 0)
    assert not (await stored(engine, LOBBY, said("new", "x"), once=True)).repeated


async def test_a_message_is_erased_from_history_and_search_and_its_place_stays(engine: Any) -> None:
    for text in ("keep this", "secret word", "keep that"):
        entry = await stored(engine, LOBBY, said(text), once=True)
        if text == "secret word":
            seq = entry.seq
    assert await found(engine, LOBBY, "secret", 9) == ["secret word"]
    assert await engine.erase(LOBBY, seq)
    assert texts((await engine.read(LOBBY, limit=9)).entries) == ["keep this", "", "keep that"]
    assert await found(engine, LOBBY, "secret", 9) == []
    assert (await stored(engine, LOBBY, said("secret word"), once=True)).event.text == ""  # type: ignore[union-attr]
    assert not await engine.erase(LOBBY, seq + 100)
    assert not await engine.erase("room/other", seq)
    assert not await engine.erase(LOBBY, (await stored(engine, LOBBY, joined())).seq)
    assert await engine.expire(LOBBY, 2000, 0) == 4
    assert await found(engine, LOBBY, "keep", 9) == []


# ---- records ----------------------------------------------------------------------------------------------------


async def test_of_many_who_create_one_record_one_wins(engine: Any) -> None:
    tries = [engine.put("name", "alice é", b"%d" % i, 0) for i in range(20)]
    results: list[Any] = await DeferredList(tries, consumeErrors=True)
    winners = [i for i, (won, _) in enumerate(results) if won]
    assert len(winners) == 1
    assert all(failure.check(Conflict) for won, failure in results if not won)
    assert await engine.get("name", "alice é") == (b"%d" % winners[0], results[winners[0]][1])


async def test_a_record_changes_only_for_who_knows_its_revision(engine: Any) -> None:
    one = await engine.put("room", "x", b"1", 0)
    two = await engine.put("room", "x", b"2", one)
    with pytest.raises(Conflict):
        await engine.put("room", "x", b"3", one)
    assert await engine.get("room", "x") == (b"2", two)
    assert await engine.get("room", "y") is None
    assert await engine.get("other", "x") is None


async def test_a_removed_record_can_be_made_again_but_not_by_an_old_revision(engine: Any) -> None:
    one = await engine.put("room", "x", b"1", 0)
    gone = await engine.put("room", "x", None, one)
    assert await engine.get("room", "x") is None
    for old in (one, gone):
        with pytest.raises(Conflict):
            await engine.put("room", "x", b"2", old)
    again = await engine.put("room", "x", b"2", 0)
    assert again not in (one, gone)
    assert await engine.get("room", "x") == (b"2", again)


async def test_a_bucket_can_be_listed_and_counted(engine: Any) -> None:
    for key in ("b", "a", "c"):
        await engine.put("room", key, key.encode(), 0)
    await engine.put("other", "z", b"z", 0)
    _, rev = await engine.get("room", "c")
    await engine.put("room", "c", None, rev)
    assert await engine.page("room") == [("a", b"a"), ("b", b"b")]
    assert (await engine.count("room"), await engine.count("none")) == (2, 0)
    assert (await engine.count("room", "b"), await engine.count("room", "bb")) == (1, 0)


async def test_the_last_records_of_a_bucket_come_in_the_order_of_their_keys(engine: Any) -> None:
    keys = [f"{letter}/{number:04}" for letter in "abc" for number in range(PAGE_ROWS + 3)]
    await engine.change([Change("room", key, key.encode(), 0) for key in keys])
    await engine.put("other", "b/9999", b"z", 0)
    ours = keys[PAGE_ROWS + 3 : 2 * PAGE_ROWS + 6]
    assert await engine.last("room", "b/", 2) == [(key, key.encode()) for key in ours[-2:]]
    assert [key for key, _ in await engine.last("room", "b/", PAGE_ROWS + 1)] == ours[3:]
    assert await engine.last("room", "d/", 2) == await engine.last("none", "", 2) == []


async def test_a_page_may_be_shorter(engine: Any) -> None:
    await engine.change([Change("room", f"{number:04}", b"x", 0) for number in range(9)])
    assert [key for key, _ in await engine.page("room", "", "0002", 3)] == ["0003", "0004", "0005"]


async def test_a_bucket_is_read_page_by_page_and_by_prefix(engine: Any) -> None:
    keys = [f"{letter}/{number:04}" for letter in "abc" for number in range(PAGE_ROWS)]
    await engine.change([Change("room", key, key.encode(), 0) for key in keys])
    read: list[str] = []
    while page := await engine.page("room", "", read[-1] if read else ""):
        assert len(page) <= PAGE_ROWS
        assert all(key.encode() == value for key, value in page)
        read += [key for key, _ in page]
    assert read == keys
    assert [key for key, _ in await engine.page("room", "b/")] == keys[PAGE_ROWS : 2 * PAGE_ROWS]
    assert [key for key, _ in await engine.page("room", "b/", "b/0497")] == keys[2 * PAGE_ROWS - 2 : 2 * PAGE_ROWS]
    assert await engine.page("room", "b/", "b/0499") == await engine.page("room", "d") == []


async def test_what_follows_the_first_page_comes_in_a_turn_of_its_own(engine: Any) -> None:
    await engine.change([Change("room", f"{number:04}", b"x", 0) for number in range(PAGE_ROWS + 1)])
    first = await engine.page("room")
    second = engine.page("room", "", first[-1][0])
    assert not second.called
    assert await second == [(f"{PAGE_ROWS:04}", b"x")]


async def test_a_page_of_large_records_is_short(engine: Any) -> None:
    large = bytes(PAGE_BYTES // 3)
    await engine.change([Change("room", f"{number:02}", large, 0) for number in range(12)])
    assert [key for key, _ in await engine.page("room")] == ["00", "01", "02", "03"]
    assert [key for key, _ in await engine.page("room", "", "09")] == ["10", "11"]


async def test_several_records_change_at_once_or_not_at_all(engine: Any) -> None:
    one = await engine.change([Change("room", "x", b"x", 0), Change("other", "y", b"y", 0)])
    with pytest.raises(Conflict):
        await engine.change(
            [Change("room", "x", b"X"), Change("room", "new", b"new", 0), Change("other", "y", b"Y", one + 1)]
        )
    assert await engine.get("room", "x") == (b"x", one)
    assert await engine.get("room", "new") is None
    two = await engine.change([Change("room", "x", b"X"), Change("other", "y", None, one)])
    assert await engine.get("room", "x") == (b"X", two)
    assert await engine.get("other", "y") is None


async def test_revisions_never_come_again_however_much_is_removed(engine: Any) -> None:
    seen = []
    for _ in range(3):
        seen.append(await engine.put("room", "x", b"x", 0))
        seen.append(await engine.put("room", "x", None, seen[-1]))
        seen.append(await engine.put("other", "x", b"x", 0))
        await engine.put("other", "x", None, seen[-1])
    assert sorted(set(seen)) == seen


# ---- presence ---------------------------------------------------------------------------------------------------


async def test_presence_is_announced_replaced_and_withdrawn(engine: Any) -> None:
    engine.announce("user/1", Presence("alice"))
    engine.announce("user/2", Presence("bob", ("lobby",)))
    engine.announce("node/1", Presence("n"))
    engine.announce("user/1", Presence("alice", ("lobby",), "lunch"))
    assert engine.who("user/") == [Presence("alice", ("lobby",), "lunch"), Presence("bob", ("lobby",))]
    engine.withdraw("user/1")
    engine.withdraw("user/1")
    assert engine.who("user/") == [Presence("bob", ("lobby",))]


# ---- bounds and the end -----------------------------------------------------------------------------------------


async def test_too_much_that_waits_presses_once_and_lets_go_once(engine: Any) -> None:
    presses: list[bool] = []
    engine.on_pressure = presses.append
    waiting = [stored(engine, LOBBY, said(f"m{i}")) for i in range(20_100)]
    assert presses == [True]
    for one in waiting:
        await one
    assert presses == [True, False]


async def test_too_many_bytes_that_wait_press_too(engine: Any) -> None:
    presses: list[bool] = []
    engine.on_pressure = presses.append
    text = "x" * 4000
    waiting = [stored(engine, LOBBY, said(text, str(i))) for i in range(9000)]
    assert presses == [True]
    for one in waiting:
        await one
    assert presses == [True, False]


async def test_stopping_waits_for_what_was_accepted_and_refuses_the_rest(engine: Any) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    waiting = [stored(engine, LOBBY, said(f"m{i}")) for i in range(1500)]
    stopping = engine.stop()
    refused = stored(engine, LOBBY, said("late"))
    await stopping
    assert all(one.called for one in waiting)
    assert texts(seen) == [f"m{i}" for i in range(1500)]
    assert isinstance(await refused, Unavailable)


async def test_telling_those_who_asked_leaves_the_reactor_to_others_in_between(engine: Any) -> None:
    """Each of them takes its time; others' calls come in between, and nobody's order changes."""
    order: list[Any] = []
    finished: Deferred[None] = Deferred()

    def settled(entry: Entry, error: Unavailable | None) -> None:
        end = time.perf_counter() + 0.001
        while time.perf_counter() < end:
            pass
        order.append(entry.seq)
        if len(order) == 1:
            reactor.callLater(0, order.append, "somebody else")  # type: ignore[attr-defined]
        if len(order) == 101:
            finished.callback(None)

    for i in range(100):
        engine.append(LOBBY, said(f"m{i}"), settled)
    await finished
    assert order.index("somebody else") < 100
    order.remove("somebody else")
    assert order == sorted(order)
    assert len(order) == 100


async def test_who_follows_while_a_batch_is_being_told_gets_nothing_twice(engine: Any) -> None:
    """What is stored may be read before it is told: telling takes turns."""
    start = (await stored(engine, LOBBY, said("before"))).seq
    late: list[Entry] = []
    following: list[Deferred[Any]] = []
    told: Deferred[None] = Deferred()

    def settled(entry: Entry, error: Unavailable | None) -> None:
        end = time.perf_counter() + 0.001
        while time.perf_counter() < end:
            pass
        if not following:
            following.append(engine.follow("room/39", late.extend, start))
        if entry.log == "room/39":
            told.callback(None)

    for i in range(40):
        engine.append(f"room/{i}", said(f"m{i}"), settled)
    await told
    await following[0]
    await stored(engine, "room/39", said("after"))
    assert texts(late) == ["m39", "after"]


async def test_telling_followers_leaves_the_reactor_to_others_in_between(engine: Any) -> None:
    order: list[Any] = []
    finished: Deferred[None] = Deferred()

    def deliver(entries: list[Entry]) -> None:
        end = time.perf_counter() + 0.001
        while time.perf_counter() < end:
            pass
        order.append(entries[0].log)
        if len(order) == 1:
            reactor.callLater(0, order.append, "somebody else")  # type: ignore[attr-defined]

    for i in range(100):
        await engine.follow(f"room/{i}", deliver)
    for i in range(100):
        engine.append(f"room/{i}", said(f"m{i}"), (lambda *_: finished.callback(None)) if i == 99 else None)
    await finished
    assert order.index("somebody else") < 100
    order.remove("somebody else")
    assert order == [f"room/{i}" for i in range(100)]


# ---- the bytes of files ------------------------------------------------------------------------------------------

CHUNKS = [bytes([i]) * CHUNK for i in range(5)] + [b"the rest"]
SHA256 = hashlib.sha256(b"".join(CHUNKS)).hexdigest()


async def put(engine: Any, id: str = "blob1") -> None:
    """Write all chunks of a blob."""
    for index, data in enumerate(CHUNKS):
        await engine.blobs.write(id, index, data)


async def test_a_blob_is_read_in_chunks_when_it_is_sealed(engine: Any) -> None:
    await put(engine)
    assert await engine.blobs.read("blob1", 0) == b"", "it is not known yet whether it is what was announced"
    assert await engine.blobs.size("blob1") == 5 * CHUNK + 8
    assert await engine.blobs.seal("blob1", SHA256)
    assert [await engine.blobs.read("blob1", i) for i in range(7)] == [*CHUNKS, b""]
    assert await engine.blobs.size("blob1") == 5 * CHUNK + 8
    assert await engine.blobs.seal("blob1", SHA256), "a second time does no harm"
    assert await engine.blobs.read("blob1", 5) == b"the rest"


async def test_a_blob_that_is_something_else_is_removed(engine: Any) -> None:
    await put(engine)
    await engine.blobs.write("blob1", 2, b"x" * CHUNK)
    assert not await engine.blobs.seal("blob1", SHA256)
    assert await engine.blobs.size("blob1") == 0
    assert await engine.blobs.all() == set()


async def test_blobs_are_listed_and_dropped_sealed_or_not(engine: Any) -> None:
    await put(engine, "whole")
    await engine.blobs.seal("whole", SHA256)
    await engine.blobs.write("part", 0, b"x")
    assert await engine.blobs.all() == {"whole", "part"}
    for id in ("whole", "part", "none"):
        await engine.blobs.drop(id)
        assert await engine.blobs.size(id) == 0
    assert await engine.blobs.all() == set()
    assert await engine.blobs.read("whole", 0) == b""


async def test_a_shared_file_is_a_message_that_can_be_found_and_blanked(engine: Any) -> None:
    event = Shared("f:shared", 1000, "alice", "a1", file="f", number=1, name="notes.txt", size=5, sha256="0" * 64)
    entry = await stored(engine, LOBBY, event, once=True)
    assert (await stored(engine, LOBBY, event, once=True)).repeated
    assert [hit.seq for hit in (await engine.search(LOBBY, "notes", 9)).entries] == [entry.seq]
    assert await engine.erase(LOBBY, entry.seq)
    assert await found(engine, LOBBY, "notes", 9) == []
    (left,) = (await engine.read(LOBBY, limit=9, messages=True)).entries
    assert (left.event.name, left.event.file) == ("", "f")


# ---- dropping ----------------------------------------------------------------------------------------------------


async def test_a_dropped_log_is_gone_and_the_others_are_not(engine: Any) -> None:
    await fill(engine, 700)
    await stored(engine, "room/other", said("apple here", by="carol"))
    await stored(engine, LOBBY, said("apple there", by="carol"))
    await engine.drop(LOBBY)
    assert (await engine.read(LOBBY, limit=10)).entries == []
    assert await found(engine, LOBBY, "apple", 10) == []
    assert await found(engine, "room/other", "apple", 10) == ["apple here"]
    assert await engine.logs() == ["room/other"]
    await engine.drop("room/nosuch")
    await engine.drop(LOBBY)


async def test_a_dropped_log_can_be_begun_anew_and_its_followers_go_on(engine: Any) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    (first,) = await fill(engine, 1)
    await engine.drop(LOBBY)
    second = await stored(engine, LOBBY, said("pear"))
    assert second.seq > first.seq
    assert texts(seen) == ["m0", "pear"]
    assert texts((await engine.read(LOBBY, limit=10)).entries) == ["pear"]
    assert await found(engine, LOBBY, "pear", 10) == ["pear"]
    assert await found(engine, LOBBY, "m0", 10) == []


async def test_an_id_that_was_used_in_a_dropped_log_is_free_again(engine: Any) -> None:
    await stored(engine, LOBBY, said("one", id="x"), once=True)
    await engine.drop(LOBBY)
    again = await stored(engine, LOBBY, said("two", id="x"), once=True)
    assert (again.repeated, again.event.text) == (False, "two")  # type: ignore[union-attr]


async def test_what_is_appended_while_a_log_is_dropped_has_a_seq_of_its_own(engine: Any) -> None:
    entries = await fill(engine, 1200)
    dropping = engine.drop(LOBBY)
    meanwhile = [stored(engine, LOBBY, said(f"new{i}")) for i in range(20)]
    later = [await one for one in meanwhile]
    await dropping
    after = await stored(engine, LOBBY, said("last"))
    seqs = [entry.seq for entry in (*entries, *later, after)]
    assert seqs == sorted(set(seqs))
    left = (await engine.read(LOBBY, limit=100)).entries
    assert texts(left)[-1] == "last"
    assert not any(text.startswith("m") for text in texts(left))


# ---- how much there is -------------------------------------------------------------------------------------------


async def test_the_room_that_takes_most_is_trimmed_its_oldest_first(engine: Any) -> None:
    for number in range(TRIM_STEP + 5):
        engine.append("room/large", said(f"large {number}" + "x" * 100, f"l{number}"))
    engine.append("inbox/huge", said("y" * 1_000_000, "huge"))
    await stored(engine, "room/small", said("small", "s"))
    before = await engine.usage()
    assert before > 1_100_000
    assert await engine.trim(1 << 40) == ("room/large", TRIM_STEP)
    assert await engine.usage() < before
    left = await engine.read("room/large", limit=10)
    kept = [entry.event.text.partition("x")[0] for entry in left.entries]
    assert kept == [f"large {number}" for number in range(TRIM_STEP, TRIM_STEP + 5)]
    assert not (await engine.read("room/large", after=1, limit=10)).complete
    assert await engine.trim(1 << 40) == ("room/large", 5)
    assert await engine.trim(1 << 40) == ("room/small", 1)
    assert await engine.trim(1 << 40) == ("", 0)
    assert len((await engine.read("inbox/huge", limit=9)).entries) == 1


async def test_no_more_of_a_room_goes_than_is_wanted(engine: Any) -> None:
    for number in range(9):
        await stored(engine, "room/large", said("x" * 1000, f"l{number}"))
    assert await engine.trim(2500) == ("room/large", 3)
    assert await engine.trim(1) == ("room/large", 1)


async def test_what_was_trimmed_is_not_found_any_more(engine: Any) -> None:
    await stored(engine, LOBBY, said("apple"))
    assert texts((await engine.search(LOBBY, "apple", 9)).entries) == ["apple"]
    await engine.trim(1 << 40)
    assert (await engine.search(LOBBY, "apple", 9)).entries == []


async def test_a_full_engine_takes_nothing_more_until_there_is_room(engine: Any) -> None:
    for number in range(40):
        await stored(engine, LOBBY, said("z" * 10_000, f"z{number}"))
    engine.most_bytes = await engine.usage()
    assert isinstance(await stored(engine, LOBBY, said("one more", "more")), Unavailable)
    assert engine.state == "degraded"
    await engine.put("room", "x", b"records go on", 0)
    await engine.trim(1 << 40)
    assert (await stored(engine, LOBBY, said("again", "again"))).seq > 40
    assert engine.state == "ok"


async def test_what_a_log_takes_goes_with_it(engine: Any) -> None:
    for number in range(300):
        engine.append("room/gone", said("x" * 300, f"g{number}"))
    await stored(engine, "room/small", said("small", "s"))
    await engine.drop("room/gone")
    await stored(engine, "room/small", said("small too", "s2"))
    assert await engine.trim(1 << 40) == ("room/small", 2)


# ---- copies -----------------------------------------------------------------------------------------------------

BOX, OWN = "inbox/bob", "sent/alice"


def paired(engine: Any, event: Any, *, once: bool = False) -> Deferred[Entry]:
    """Append an event with a copy, and wait until both are durable."""
    deferred: Deferred[Entry] = Deferred()
    engine.append(BOX, event, lambda entry, error: deferred.callback(error or entry), once=once, copy=OWN)
    return deferred


async def test_a_copy_is_stored_and_delivered_with_its_entry_and_has_a_seq_of_its_own(engine: Any) -> None:
    box: list[Entry] = []
    own: list[Entry] = []
    await engine.follow(BOX, box.extend)
    await engine.follow(OWN, own.extend)
    entries = [paired(engine, said(f"m{i}")) for i in range(2300)]
    first = await entries[0]
    for one in entries:
        await one
    assert texts(box) == texts(own) == [f"m{i}" for i in range(2300)]
    assert first.copy is own[0]
    seqs = [entry.seq for entry in box + own]
    assert len(set(seqs)) == len(seqs), "no two entries have one seq, whatever their logs are"
    assert texts((await engine.read(OWN, limit=9)).entries) == texts((await engine.read(BOX, limit=9)).entries)
    assert await found(engine, OWN, "m1717") == ["m1717"], "it is searched for in the log of the copy, too"
    assert sum(engine.counters.commits.counts) < 100
    assert engine.counters.messages == 2300, "a copy is no further message"


async def test_an_id_that_comes_again_stores_no_second_copy(engine: Any) -> None:
    own: list[Entry] = []
    await engine.follow(OWN, own.extend)
    first, again = paired(engine, said("first", "x"), once=True), paired(engine, said("second", "x"), once=True)
    assert (await first).seq == (await again).seq
    later = await paired(engine, said("third", "x"), once=True)
    assert later.repeated
    assert texts(own) == ["first"] == texts((await engine.read(OWN, limit=9)).entries)


async def test_a_pair_is_stored_wholly_or_not_at_all(engine: Any) -> None:
    own: list[Entry] = []
    await engine.follow(OWN, own.extend)
    await paired(engine, said("before"))
    engine.most_bytes = 1
    assert isinstance(await paired(engine, said("too much")), Unavailable)
    engine.most_bytes = 0
    await paired(engine, said("after"))
    for log in (BOX, OWN):
        assert texts((await engine.read(log, limit=9)).entries) == ["before", "after"]
    assert texts(own) == ["before", "after"]


# ---- time -------------------------------------------------------------------------------------------------------


async def times(engine: Any, log: str) -> list[int]:
    """Return the times of a log's entries, as they are stored."""
    return [entry.event.at for entry in (await engine.read(log, limit=99)).entries]


async def test_time_never_goes_back_within_a_log(engine: Any) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    for event in (said("one", at=5000), joined(at=2000), said("two", at=1000), said("three", at=6000)):
        await stored(engine, LOBBY, event)
    await stored(engine, "room/other", said("elsewhere", at=1000))
    assert [entry.event.at for entry in seen] == await times(engine, LOBBY) == [5000, 5000, 5000, 6000]
    assert await times(engine, "room/other") == [1000], "each log has its own time"


async def test_time_does_not_go_back_within_a_conversation(engine: Any) -> None:
    seen: list[Entry] = []
    for log in ("inbox/alice", "sent/alice"):
        await engine.follow(log, seen.extend)
    await paired(engine, said("from alice", at=9000))
    answer: Deferred[None] = Deferred()
    engine.append("inbox/alice", said("from bob", at=1000), lambda *_: answer.callback(None), copy="sent/bob")
    await answer
    await stored(engine, "inbox/alice", said("from carol", at=2000))
    await paired(engine, said("from alice again", at=3000))
    assert [entry.event.at for entry in seen] == [9000] * 4
    await stored(engine, "inbox/carol", said("elsewhere", at=1000))
    assert await times(engine, "inbox/carol") == [1000]


async def test_both_halves_of_a_pair_have_the_later_time(engine: Any) -> None:
    await stored(engine, BOX, said("late", at=7000))
    await paired(engine, said("one", at=1000))
    assert await times(engine, OWN) == [7000]
    await stored(engine, OWN, said("later", at=9000))
    await paired(engine, said("two", at=1000))
    assert await times(engine, BOX) == [7000, 7000, 9000]
    assert await times(engine, OWN) == [7000, 9000, 9000]


async def test_a_search_finds_the_time_that_was_stored(engine: Any) -> None:
    await stored(engine, LOBBY, said("one", at=5000))
    await stored(engine, LOBBY, said("two words", at=1000))
    (entry,) = (await engine.search(LOBBY, "words", 9)).entries
    assert entry.event.at == 5000
