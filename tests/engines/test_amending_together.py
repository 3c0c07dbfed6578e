"""Both engines make the same of anything that is done to messages, and what they keep stays consistent."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from engines.test_conformance import LOBBY, found, joined
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from chatroom.engines.memory import MemoryEngine
from chatroom.engines.sqlite.engine import SQLiteEngine
from chatroom.model import events as e
from chatroom.model.log import Entry

USERS = ("alice", "bob", "carol")
EMOJIS = ("\U0001f44d", "\u2764", "\u2764\ufe0f", "+1")
WORDS = ("apple", "pear", "plum", "cherry")


def events(dice: random.Random, clock: list[int], seqs: list[int]) -> tuple[Any, bool]:
    """Return a random event, and whether its author chose its id; ids and messages come again now and then."""
    clock[0] += dice.choice((0, 1, 5))
    by = dice.choice(USERS)
    chosen = dice.random() < 0.5
    who: dict[str, Any] = {"id": f"id{dice.randrange(60)}", "at": clock[0], "by": by, "by_id": f"{by}-id"}
    text = " ".join(dice.choices(WORDS, k=3))
    message = dice.choice(seqs) if seqs else 1
    kinds = {
        "say": lambda: e.Said(**who, text=text),
        "quote": lambda: e.Said(**who, text=text, quote=message),
        "edit": lambda: e.Edited(**who, message=message, text=text),
        "react": lambda: e.Reacted(**who, message=message, emoji=dice.choice(EMOJIS), on=dice.random() < 0.6),
        "join": lambda: joined(by, clock[0]),
        "delete": lambda: e.Deleted(**who, message=message, user=by),
    }
    return kinds[dice.choice(["say", *["edit"] * 3, *["react"] * 3, "quote", "quote", "join", "delete"])](), chosen


async def batch(engine: Any, parts: list[tuple[Any, bool]]) -> list[tuple[Any, ...]]:
    """Append events as one batch; return what became of each."""
    waiting: list[Deferred[tuple[Any, ...]]] = []
    for event, chosen in parts:
        outcome: Deferred[tuple[Any, ...]] = Deferred()

        def done(entry: Entry, error: Exception | None, outcome: Deferred[tuple[Any, ...]] = outcome) -> None:
            outcome.callback((type(error).__name__,) if error else (entry.seq, entry.repeated, entry.event))

        engine.append(LOBBY, event, done, once=chosen)
        waiting.append(outcome)
    return [await one for one in waiting]


async def all_of(engine: Any) -> list[tuple[int, Any]]:
    page = await engine.read(LOBBY, limit=10_000)
    assert all(e.decode(entry.body) == entry.event for entry in page.entries)
    return [(entry.seq, entry.event) for entry in page.entries]


def check(entries: list[tuple[int, Any]]) -> None:
    """See that what is kept fits together."""
    messages = {seq: event for seq, event in entries if isinstance(event, e.MESSAGES)}
    edits: dict[int, str] = {}
    on: dict[int, set[tuple[str, str]]] = {}
    for seq, event in entries:
        if isinstance(event, e.Edited | e.Reacted):
            assert event.message in messages, "an amendment goes with its message"
            assert event.message < seq
        if isinstance(event, e.Edited):
            assert event.message not in edits, "only the newest edit is kept"
            edits[event.message] = event.text
        if isinstance(event, e.Reacted):
            if event.on:
                on.setdefault(event.message, set()).add((event.by_id, event.emoji))
            assert event.text == messages[event.message].text, "first words are those of the present text"
        if isinstance(event, e.Said) and event.quote in messages and event.quoted is not None:
            assert event.quoted.text == messages[event.quote].text
    for seq, message in messages.items():
        assert {(r.by_id, r.emoji) for r in message.reactions} == on.get(seq, set())
        assert (seq in edits) == bool(message.edited)
        assert edits.get(seq, message.text) == message.text


@pytest.mark.parametrize("seed", range(12))
async def test_both_engines_make_the_same_of_anything(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    engines: list[Any] = [MemoryEngine(reactor), SQLiteEngine(reactor, tmp_path / "chat.db")]
    for engine in engines:
        await engine.start()
    clock, seqs = [1000], [10**6]
    counts: dict[str, int] = {}
    for _ in range(60):
        parts = [events(dice, clock, seqs) for _ in range(dice.randrange(1, 8))]
        one, other = [await batch(engine, parts) for engine in engines]
        assert one == other
        for outcome in one:
            counts[str(outcome[0])] = counts.get(str(outcome[0]), 0) + 1
        seqs = seqs[-30:] + [outcome[0] for outcome in one if len(outcome) == 3]
        what = dice.randrange(8)
        if what == 0:
            gone = dice.choice(seqs)
            assert len({await engine.erase(LOBBY, gone) for engine in engines}) == 1
        elif what == 1:
            older, keep = clock[0] - dice.randrange(100, 600), dice.choice((0, 0, 40))
            for engine in engines:
                while await engine.expire(LOBBY, older, keep):
                    pass
        elif what == 2:
            while await engines[1]._writer_thread.run(engines[1]._writer.index_some):
                pass
        kept, same = [await all_of(engine) for engine in engines]
        assert kept == same
        check(kept)
    for word in WORDS:
        one, other = [await found(engine, LOBBY, word) for engine in engines]
        present = [event.text for _, event in kept if isinstance(event, e.MESSAGES) and word in event.text]
        assert one == other == present
    assert {"MessageGone", "NotTheAuthor", "NothingToChange"} <= counts.keys(), json.dumps(counts)
    engines[1]._writer.db.execute("INSERT INTO terms(terms) VALUES ('integrity-check')")
    for engine in engines:
        await engine.stop()
