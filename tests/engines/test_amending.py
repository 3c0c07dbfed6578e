"""What every engine promises about events that are about a message: edits, reactions, deletions and quotes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from engines import test_conformance
from engines.test_conformance import LOBBY, found, joined, said, stored, texts
from engines.test_sqlite import Broken, ThreadClock
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from chatroom.engines import amending
from chatroom.engines.sqlite import message_rows, schema
from chatroom.engines.sqlite.engine import INDEX_AFTER, SQLiteEngine
from chatroom.engines.sqlite.purger import PAUSE
from chatroom.engines.sqlite.schema import LADDER
from chatroom.model import events as e
from chatroom.model.log import (
    Entry,
    MessageGone,
    NothingToChange,
    NotTheAuthor,
    TooManyReactions,
    Unavailable,
)

engine = test_conformance.engine  # a fixture: every engine

THUMB, HEART = "\U0001f44d", "\u2764"


def edit(message: int, text: str, id: str = "", by: str = "alice", at: int = 2000) -> e.Edited:
    return e.Edited(id or f"edit {text}", at, by, f"{by}-id", message=message, text=text)


def react(message: int, emoji: str = THUMB, on: bool = True, by: str = "bob", at: int = 2000) -> e.Reacted:
    return e.Reacted(f"{by} {emoji} {on}", at, by, f"{by}-id", message=message, emoji=emoji, on=on)


def delete(message: int) -> e.Deleted:
    return e.Deleted(f"delete {message}", 2000, "alice", "alice-id", message=message, user="alice")


def answer(message: int, text: str, by: str = "bob") -> e.Said:
    return e.Said(text, 2000, by, f"{by}-id", text=text, quote=message)


async def all_of(engine: Any, log: str = LOBBY, after: int = 0) -> list[Any]:
    """Return all events of a log that readers get."""
    return [entry.event for entry in (await engine.read(log, after=after, limit=10_000)).entries]


async def kinds(engine: Any, log: str = LOBBY) -> list[str]:
    return [type(event).__name__ for event in await all_of(engine, log)]


async def message(engine: Any, seq: int, log: str = LOBBY) -> Any:
    """Return a message as it is stored now."""
    (entry,) = (await engine.read(log, after=seq - 1, before=seq + 1, limit=1)).entries
    return entry.event


async def say(engine: Any, text: str, **more: Any) -> int:
    return (await stored(engine, LOBBY, said(text, **more), once=True)).seq


# ---- edits ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("indexed", [False, True], ids=["before it is indexed", "after it is indexed"])
async def test_an_edited_message_is_read_and_found_by_its_new_text_only(engine: Any, indexed: bool) -> None:
    seq = await say(engine, "apple pie")
    await say(engine, "apple cake")
    if indexed and isinstance(engine, SQLiteEngine):
        while await engine._writer_thread.run(engine._writer.index_some):
            pass
    await stored(engine, LOBBY, edit(seq, "pear pie"))
    assert texts((await engine.read(LOBBY, limit=9, messages=True)).entries) == ["pear pie", "apple cake"]
    assert (await message(engine, seq)).edited == 2000
    assert await found(engine, LOBBY, "apple") == ["apple cake"]
    assert await found(engine, LOBBY, "pear") == ["pear pie"]
    await say(engine, "plum")
    if isinstance(engine, SQLiteEngine):
        while await engine._writer_thread.run(engine._writer.index_some):
            pass
        engine._writer.db.execute("INSERT INTO terms(terms) VALUES ('integrity-check')")
    assert await found(engine, LOBBY, "apple") == ["apple cake"]
    assert await found(engine, LOBBY, "pie") == ["pear pie"]


async def test_followers_get_the_edit_and_readers_only_the_newest_one(engine: Any) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    seq = await say(engine, "one")
    first, second = stored(engine, LOBBY, edit(seq, "two")), stored(engine, LOBBY, edit(seq, "three"))
    await first
    last = await second
    assert texts(seen) == ["one", "two", "three"]
    assert [(event.text, type(event)) for event in await all_of(engine)] == [("three", e.Said), ("three", e.Edited)]
    assert [event.text for event in await all_of(engine, after=seq)] == ["three"]
    assert (await message(engine, seq)).edited == last.event.at


async def test_what_may_not_change_a_message_is_not_stored_and_nobody_gets_it(engine: Any) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    seq = await say(engine, "mine")
    gone = await say(engine, "gone")
    other = (await stored(engine, LOBBY, joined())).seq
    elsewhere = (await stored(engine, "room/other", said("elsewhere"))).seq
    await engine.erase(LOBBY, gone)
    seen.clear()
    refused = [
        (stored(engine, LOBBY, edit(seq, "yours", by="bob")), NotTheAuthor),
        (stored(engine, LOBBY, edit(gone, "back")), MessageGone),
        (stored(engine, LOBBY, react(gone)), MessageGone),
        (stored(engine, LOBBY, edit(other, "joined")), MessageGone),
        (stored(engine, LOBBY, edit(elsewhere, "here")), MessageGone),
        (stored(engine, LOBBY, react(elsewhere)), MessageGone),
        (stored(engine, LOBBY, answer(elsewhere, "hm")), MessageGone),
        (stored(engine, LOBBY, edit(seq + 1000, "nothing")), MessageGone),
        (stored(engine, LOBBY, react(seq, on=False)), NothingToChange),
    ]
    beside = stored(engine, LOBBY, said("beside"))
    for one, error in refused:
        assert type(await one) is error
    assert (await beside).seq
    assert texts(seen) == ["beside"]
    assert engine.state == "ok"
    assert await kinds(engine) == ["Said", "Said", "Joined", "Said"]
    assert (await message(engine, seq)).text == "mine"


async def test_a_refused_edit_that_is_sent_again_is_refused_again(engine: Any) -> None:
    seq = await say(engine, "one")
    for _ in range(2):
        tries = [stored(engine, LOBBY, edit(seq, "two", "x", by="bob"), once=True) for _ in range(2)]
        assert [type(await one) for one in tries] == [NotTheAuthor, NotTheAuthor]


# ---- reactions --------------------------------------------------------------------------------------------------


async def test_reactions_are_kept_with_the_message_and_name_what_they_are_about(engine: Any) -> None:
    seq = await say(engine, "good morning")
    event: Any = (await stored(engine, LOBBY, react(seq))).event
    assert (event.user, event.text) == ("alice", "good morning")
    await stored(engine, LOBBY, react(seq, by="carol"))
    assert [reaction.by for reaction in (await message(engine, seq)).reactions] == ["bob", "carol"]
    await stored(engine, LOBBY, react(seq, on=False))
    assert [reaction.by for reaction in (await message(engine, seq)).reactions] == ["carol"]
    assert [(event.by, event.on) for event in await all_of(engine, after=seq)] == [("carol", True), ("bob", False)]
    assert await found(engine, LOBBY, "morning") == ["good morning"]


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in two"])
async def test_the_same_reaction_twice_is_stored_once(engine: Any, apart: bool) -> None:
    seq = await say(engine, "hi")
    one = stored(engine, LOBBY, react(seq, HEART))
    if apart:
        await one
    again = await stored(engine, LOBBY, react(seq, HEART + "\ufe0f"))
    assert type(again) is NothingToChange
    assert await kinds(engine) == ["Said", "Reacted"]
    await stored(engine, LOBBY, react(seq, HEART + "\ufe0f", on=False))
    assert [(event.emoji, event.on) for event in await all_of(engine, after=seq)] == [(HEART, False)]
    assert (await message(engine, seq)).reactions == ()


async def test_one_user_has_no_more_than_twenty_reactions_to_a_message(engine: Any) -> None:
    seq = await say(engine, "hi")
    tries = [await stored(engine, LOBBY, react(seq, chr(0x1F600 + i))) for i in range(21)]
    assert [type(one).__name__ for one in tries] == ["Entry"] * 20 + [TooManyReactions.__name__]
    assert len((await message(engine, seq)).reactions) == 20


async def test_few_of_many_reactions_that_were_taken_back_are_kept(
    engine: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(amending, "MOST_TAKEN_BACK", 3)
    seq = await say(engine, "hi")
    await stored(engine, LOBBY, edit(seq, "ho"))
    for i in range(9):
        await stored(engine, LOBBY, react(seq, chr(0x1F600 + i)))
        await stored(engine, LOBBY, react(seq, chr(0x1F600 + i), on=False))
    left = await all_of(engine, after=seq)
    assert [getattr(event, "emoji", "") for event in left] == ["", *(chr(0x1F600 + i) for i in (5, 6, 7, 8))]


# ---- quotes -----------------------------------------------------------------------------------------------------


async def test_a_quote_shows_what_it_answers_as_that_is_now(engine: Any) -> None:
    seq = await say(engine, "good morning")
    entry = await stored(engine, LOBBY, answer(seq, "morning!"))
    assert entry.event.quoted == e.Quoted("alice", "good morning")  # type: ignore[attr-defined]
    await stored(engine, LOBBY, react(seq))
    await stored(engine, LOBBY, edit(seq, "good evening"))
    assert (await message(engine, entry.seq)).quoted == e.Quoted("alice", "good evening")
    assert [event.text for event in await all_of(engine) if isinstance(event, e.Reacted)] == ["good evening"]
    await engine.erase(LOBBY, seq)
    assert (await message(engine, entry.seq)).quoted == e.Quoted("alice", "")
    late: Any = (await stored(engine, LOBBY, answer(seq, "too late"))).event
    assert late.quoted == e.Quoted("alice", ""), "its words are not lost"


async def test_an_edited_quote_and_a_quote_of_a_quote(engine: Any) -> None:
    seq = await say(engine, "one")
    two = (await stored(engine, LOBBY, answer(seq, "two"))).seq
    three = (await stored(engine, LOBBY, answer(two, "three"))).seq
    await stored(engine, LOBBY, edit(two, "zwei", by="bob"))
    assert (await message(engine, two)).quoted.text == "one"
    assert (await message(engine, three)).quoted.text == "zwei"
    await engine.erase(LOBBY, two)
    assert (await message(engine, two)) == e.Said("two", 2000, "bob", "bob-id", text="")
    assert (await message(engine, three)).quoted.text == ""


async def test_a_quote_outlives_what_it_quotes(engine: Any) -> None:
    seq = await say(engine, "old")
    entry = await stored(engine, LOBBY, answer(seq, "new"))
    assert await engine.expire(LOBBY, 1500, 0) == 1
    assert (await message(engine, entry.seq)).quoted == e.Quoted("alice", "old")
    await stored(engine, LOBBY, edit(entry.seq, "newer", by="bob"))
    assert (await message(engine, entry.seq)).quoted == e.Quoted("alice", "old")


async def test_very_many_quotes_of_a_message_are_blanked_in_steps(
    engine: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(amending, "ERASE_STEP", 4)
    monkeypatch.setattr(amending, "MOST_QUOTES", 3)
    seq = await say(engine, "secret")
    for i in range(13):
        await stored(engine, LOBBY, answer(seq, f"answer {i}"))
    await stored(engine, LOBBY, edit(seq, "less"))
    shown = [event.quoted.text for event in await all_of(engine, after=seq) if isinstance(event, e.Said)]
    assert shown == ["secret"] * 10 + ["less"] * 3, "the newest show the new text"
    assert await engine.erase(LOBBY, seq)
    assert {event.quoted.text for event in await all_of(engine, after=seq)} == {""}
    assert not await engine.erase(LOBBY, seq + 1000)


# ---- what was deleted -------------------------------------------------------------------------------------------


async def test_nothing_is_left_of_what_was_done_to_an_erased_message(engine: Any) -> None:
    seq = await say(engine, "first secret", id="one")
    await stored(engine, LOBBY, edit(seq, "second secret", "two"), once=True)
    await stored(engine, LOBBY, react(seq))
    await stored(engine, LOBBY, edit(seq, "third secret", "three"), once=True)
    assert await engine.erase(LOBBY, seq)
    await stored(engine, LOBBY, delete(seq))
    assert await kinds(engine) == ["Said", "Deleted"]
    assert "secret" not in repr(await all_of(engine))
    assert await found(engine, LOBBY, "secret") == []
    for text, id in (("second secret", "two"), ("third secret", "three")):
        assert type(await stored(engine, LOBBY, edit(seq, text, id), once=True)) is MessageGone
    assert await engine.erase(LOBBY, seq), "a second time does no harm"
    assert await kinds(engine) == ["Said", "Deleted"]


@pytest.mark.parametrize("indexed", [False, True], ids=["before it is indexed", "after it is indexed"])
async def test_no_text_that_was_edited_away_or_deleted_is_in_the_file(tmp_path: Path, indexed: bool) -> None:
    path = tmp_path / "chat.db"
    engine = SQLiteEngine(reactor, path)
    await engine.start()

    async def look_at_all() -> None:
        while indexed and await engine._writer_thread.run(engine._writer.index_some):
            engine._writer._purger._not_before = 0.0

    def in_file() -> set[str]:
        engine._writer.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        data = path.read_bytes()
        assert not path.with_name("chat.db-wal").read_bytes()
        return {word for word in ("aardvark", "buffalo", "crocodile") if word.encode() in data}

    seq = await say(engine, "here is an aardvark", id="one")
    await look_at_all()
    quote = await stored(engine, LOBBY, answer(seq, "really?"))
    await stored(engine, LOBBY, react(seq))
    assert in_file() == {"aardvark"}
    await stored(engine, LOBBY, edit(seq, "here is a buffalo", "two"), once=True)
    await look_at_all()
    assert in_file() == {"buffalo"}
    await stored(engine, LOBBY, edit(seq, "here is a crocodile", "three"), once=True)
    await look_at_all()
    assert in_file() == {"crocodile"}
    await engine.erase(LOBBY, seq)
    await stored(engine, LOBBY, delete(seq))
    await look_at_all()
    assert in_file() == set()
    assert (await message(engine, quote.seq)).quoted.text == ""
    await engine.stop()


async def test_erased_words_leave_the_search_index_in_small_steps_with_pauses(tmp_path: Path) -> None:
    clock = ThreadClock()
    engine = SQLiteEngine(clock, tmp_path / "chat.db")
    await engine.start()
    db = engine._writer.db

    async def store(event: Any) -> int:
        waiting = stored(engine, LOBBY, event)
        clock.advance(0)
        entry = await waiting
        await engine._writer_thread.run(lambda: None)  # out of the call that said so
        return entry.seq

    async def until_quiet() -> int:
        """Let the engine do all that it has to do at present; return in how many turns."""
        turns = 0
        while any(call.getTime() <= clock.seconds() + INDEX_AFTER for call in clock.getDelayedCalls()):
            clock.advance(INDEX_AFTER)
            await engine._writer_thread.run(lambda: None)
            await engine._writer_thread.run(lambda: None)  # out of the call that said so
            turns += 1
        return turns

    def words(text: str) -> bool:
        return any(text.encode() in block for (block,) in db.execute("SELECT block FROM terms_data"))

    for i in range(1200):
        event = said(" ".join(f"word{i * j}" for j in range(20)) + (" aardvark" if i == 7 else ""), f"m{i}")
        engine.append(LOBBY, event)
    seq = await store(said("the last aardvark", "last"))
    await until_quiet()
    assert words("aardvark")
    ticks = iter(range(10_000))
    engine._writer._purger._seconds = lambda: float(next(ticks))  # each look at the time takes a second
    await engine.erase(LOBBY, 8)
    await store(edit(seq, "the last buffalo"))
    assert await until_quiet() > 5
    assert not words("aardvark")
    assert await found(engine, LOBBY, "buffalo") == ["the last buffalo"]
    db.execute("INSERT INTO terms(terms) VALUES ('integrity-check')")
    assert db.execute("SELECT stale FROM indexed").fetchone()[0] == 0
    await store(edit(seq, "the last crocodile"))
    await until_quiet()
    assert words("buffalo"), "there is a pause"
    (timer,) = clock.getDelayedCalls()
    assert timer.getTime() - clock.seconds() > 5 * PAUSE, "as long as the steps took, times PAUSE"
    clock.advance(timer.getTime() - clock.seconds())
    engine._writer._purger._seconds = lambda: 1e9
    await until_quiet()
    assert not words("buffalo")
    await engine.stop()


# ---- the same edit twice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("apart", [False, True], ids=["in one batch", "in two"])
async def test_an_older_edit_that_is_sent_again_changes_nothing(engine: Any, apart: bool) -> None:
    seen: list[Entry] = []
    await engine.follow(LOBBY, seen.extend)
    seq = await say(engine, "one")

    def send() -> list[Deferred[Entry]]:
        return [stored(engine, LOBBY, edit(seq, text), once=True) for text in ("two", "three")]

    sent = send()
    if apart:
        first, second = [await one for one in sent]
        again = send()
    else:
        again = send()
        first, second = [await one for one in sent]
    older, newer = [await one for one in again]
    assert (older.repeated, older.seq, newer.repeated, newer.seq) == (True, first.seq, True, second.seq)
    assert [one.event.text for one in (older, newer)] == ["three", "three"], "as the message is now"  # type: ignore[attr-defined]
    assert e.decode(older.body) == older.event
    assert older.event.id == "edit two"
    assert texts(seen) == ["one", "two", "three"]
    assert await kinds(engine) == ["Said", "Edited"]
    assert (await message(engine, seq)).text == "three"


async def test_an_old_id_says_nothing_about_another_message(engine: Any) -> None:
    """Its author names a message that the author may not be able to read by now."""
    seq = await say(engine, "mine")
    secret = (await stored(engine, "room/other", said("secret", by="bob"))).seq
    await stored(engine, LOBBY, edit(seq, "two", "x"), once=True)
    await stored(engine, LOBBY, edit(seq, "three", "y"), once=True)
    again = await stored(engine, "room/other", edit(secret, "two", "x"), once=True)
    assert (again.log, again.event.message, again.event.text) == (LOBBY, seq, "three")  # type: ignore[attr-defined]


async def test_only_so_many_ids_of_older_edits_are_remembered(
    engine: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(amending, "MOST_SPENT", 3)
    seq = await say(engine, "one")
    for i in range(9):
        await stored(engine, LOBBY, edit(seq, f"text {i}"), once=True)
    for i, repeated in ((5, True), (6, True), (7, True), (4, False)):
        assert (await stored(engine, LOBBY, edit(seq, f"text {i}"), once=True)).repeated is repeated, i


# ---- retention --------------------------------------------------------------------------------------------------


async def test_amendments_stay_while_their_message_does_and_go_with_it(engine: Any) -> None:
    old = await say(engine, "old")
    young = await say(engine, "young", at=5000)
    for seq in (old, young):
        await stored(engine, LOBBY, edit(seq, f"{seq} edited", at=6000), once=True)
        await stored(engine, LOBBY, edit(seq, f"{seq} edited again", at=6000), once=True)
        await stored(engine, LOBBY, react(seq, at=6000))
    await stored(engine, LOBBY, joined(at=6000))
    assert await engine.expire(LOBBY, 3000, 0) == 1
    assert await kinds(engine) == ["Said", "Edited", "Reacted", "Joined"]
    assert await engine.expire(LOBBY, 0, 1) == 0, "amendments do not count among what is kept"
    assert await engine.expire(LOBBY, 7000, 0) == 2
    assert await kinds(engine) == []
    assert await engine.expire(LOBBY, 7000, 0) == 0
    again = await stored(engine, LOBBY, edit(young, f"{young} edited", at=6000), once=True)
    assert type(again) is MessageGone


async def test_an_old_amendment_of_a_message_that_is_kept_is_kept(engine: Any) -> None:
    seq = await say(engine, "one")
    await stored(engine, LOBBY, react(seq))
    for i in range(5):
        await stored(engine, LOBBY, joined(f"user{i}", at=2000))
    await engine.expire(LOBBY, 0, 2)
    assert await kinds(engine) == ["Said", "Reacted", "Joined", "Joined"]


async def test_a_deletion_of_a_message_that_is_gone_is_an_entry_like_any_other(engine: Any) -> None:
    seq = await say(engine, "one")
    await engine.expire(LOBBY, 1500, 0)
    assert (await stored(engine, LOBBY, delete(seq))).seq
    assert await engine.expire(LOBBY, 3000, 0) == 1
    assert await kinds(engine) == []


async def test_amendments_leave_no_gap_for_who_was_away(engine: Any) -> None:
    seq = await say(engine, "old")
    new = await say(engine, "new", at=5000)
    await stored(engine, LOBBY, edit(seq, "edited", at=6000))
    await engine.expire(LOBBY, 3000, 0)
    assert (await engine.read(LOBBY, after=new, limit=9)).complete
    assert not (await engine.read(LOBBY, after=seq - 1, limit=9)).complete


async def test_amendments_are_trimmed_and_dropped_with_their_messages(engine: Any) -> None:
    for log in (LOBBY, "room/other"):
        for i in range(3):
            seq = (await stored(engine, log, said(f"{log} {i}", by="alice"))).seq
            await stored(engine, log, edit(seq, f"{log} {i} edited"), once=True)
            await stored(engine, log, edit(seq, f"{log} {i} edited again"), once=True)
            await stored(engine, log, react(seq))
    await engine.drop(LOBBY)
    assert await kinds(engine) == []
    assert (await engine.trim(1 << 40)) == ("room/other", 3)
    assert (await engine.trim(1 << 40)) == ("", 0)
    assert await kinds(engine, "room/other") == []
    if isinstance(engine, SQLiteEngine):
        assert engine._writer.db.execute("SELECT count(*) FROM log").fetchone()[0] == 0


async def test_very_many_amendments_expire_in_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_rows, "REMOVE_STEP", 2)
    engine = SQLiteEngine(reactor, tmp_path / "chat.db")
    await engine.start()
    for log in (LOBBY, "room/other"):
        for seq in [(await stored(engine, log, said(f"{log} {i}"))).seq for i in range(5)]:
            await stored(engine, log, react(seq))
            await stored(engine, log, edit(seq, f"{seq} edited"))
    assert [await engine.expire(LOBBY, 1500, 0) for _ in range(6)] == [1, 1, 1, 1, 1, 0]
    await engine.drop("room/other")
    assert engine._writer.db.execute("SELECT count(*) FROM log").fetchone()[0] == 0
    await engine.stop()


# ---- the file ---------------------------------------------------------------------------------------------------


async def test_a_batch_that_fails_leaves_the_message_as_it_was(tmp_path: Path) -> None:
    engine = SQLiteEngine(reactor, tmp_path / "chat.db")
    await engine.start()
    seq = await say(engine, "one")
    broken = engine._writer.db = Broken(engine._writer.db)  # type: ignore[assignment]
    lost: Any = await stored(engine, LOBBY, edit(seq, "two", "x"), once=True)
    assert type(lost) is Unavailable
    broken.full = False  # type: ignore[attr-defined]
    assert (await message(engine, seq)).text == "one"
    assert not (await stored(engine, LOBBY, edit(seq, "two", "x"), once=True)).repeated
    assert (await message(engine, seq)).text == "two"
    await engine.stop()


async def test_a_file_from_before_amendments_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "chat.db"
    db = sqlite3.connect(path, isolation_level=None)
    for number, step in enumerate(LADDER[:5], 1):
        db.executescript(f"{step} PRAGMA application_id={schema.APPLICATION_ID}; PRAGMA user_version={number};")
    db.execute("INSERT INTO logs(no, name) VALUES (7, ?)", (LOBBY,))
    for seq, (event, is_message) in enumerate(((said("old words"), 1), (said(""), 1), (delete(2), 0)), 1):
        db.execute(
            "INSERT INTO log(seq, log, message, at, body) VALUES (?,7,?,1000,?)", (seq, is_message, e.encode(event))
        )
    db.close()
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    await stored(engine, LOBBY, edit(1, "new words"), once=True)
    await stored(engine, LOBBY, react(1))
    assert await kinds(engine) == ["Said", "Said", "Deleted", "Edited", "Reacted"]
    assert await found(engine, LOBBY, "words") == ["new words"]
    await engine.stop()
    engine = SQLiteEngine(reactor, path)
    await engine.start()
    assert (await message(engine, 1)).text == "new words"
    assert (await stored(engine, LOBBY, edit(1, "new words"), once=True)).repeated
    assert await engine.expire(LOBBY, 3000, 0) == 3
    assert await kinds(engine) == []
    await engine.stop()


# ---- reading messages with what was done to them --------------------------------------------------------------------


async def test_amendments_can_be_read_with_the_messages_and_without_the_rest(engine: Any) -> None:
    first = await say(engine, "one")
    second = await say(engine, "two")
    await stored(engine, LOBBY, joined())
    await stored(engine, LOBBY, edit(first, "uno"))
    await stored(engine, LOBBY, react(second))
    await say(engine, "three")
    await stored(engine, LOBBY, delete(second))
    read = await engine.read(LOBBY, after=second, limit=9, messages=True, amendments=True, oldest=True)
    assert [type(entry.event).__name__ for entry in read.entries] == ["Edited", "Reacted", "Said", "Deleted"]
    assert read.complete
    read = await engine.read(LOBBY, after=second, limit=2, messages=True, amendments=True, oldest=True)
    assert [type(entry.event).__name__ for entry in read.entries] == ["Edited", "Reacted"]
    assert not read.complete
