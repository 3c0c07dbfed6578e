"""What a search costs in a file with a million messages: how long it takes, and how long a bystander waits meanwhile.

    python benchmarks/search.py [--messages 1000000] [--at-once 30]

The engine runs here with its real threads: the messages go through it into a real file, nine in
ten of them into one room. The bystander looks a record up and reads a page of history, as a login and a join do, over
and over; its longest wait is given beside that of a run in which nobody searches. All is measured before anything is
indexed, and again when everything is. Prints a table in Markdown.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater, react

from chatroom.engines.sqlite import engine as sqlite_engine
from chatroom.engines.sqlite.engine import SQLiteEngine
from chatroom.model.events import Said

reactor: Any = _reactor
BATCH = 5000
LARGE, TINY = "room/large", "room/tiny"
SEED = 10
VOCABULARY = 30_000
FOUND = 50


def words() -> Iterator[str]:
    """Return texts of 2 to 14 words, common ones more often, for ever."""
    random.seed(SEED)
    letters = "abcdefghijklmnopqrstuvwxyz"
    known = ["".join(random.choices(letters, k=random.randint(3, 9))) for _ in range(VOCABULARY)]
    weights = list(itertools.accumulate(1 / (i + 3) for i in range(VOCABULARY)))
    while True:
        yield from (" ".join(random.choices(known, cum_weights=weights, k=random.randint(2, 14))) for _ in range(1000))


def common(texts: Iterator[str], number: int) -> list[str]:
    """Return the first three letters of the most common words."""
    counts: dict[str, int] = {}
    for text in itertools.islice(texts, 3000):
        for word in text.split():
            counts[word[:3]] = counts.get(word[:3], 0) + 1
    return sorted(counts, key=lambda word: -counts[word])[:number]


async def fill(engine: SQLiteEngine, number: int) -> None:
    """Say so many messages without a pause."""
    texts = words()
    began = time.perf_counter()
    for start in range(0, number, BATCH):
        waiting = []
        for i in range(start, min(number, start + BATCH)):
            done: Deferred[None] = Deferred()
            log = LARGE if i % 10 else f"room/{i % 1000}"
            event = Said(f"b:{i}", 1_790_000_000_000 + i * 1000, "bot", "b", text=next(texts))
            engine.append(log, event, lambda entry, error, done=done: done.callback(error))  # type: ignore[misc]
            waiting.append(done)
        await gatherResults(waiting)
    took = time.perf_counter() - began
    print(f"{number} messages said in {took:.1f} s ({number / took:.0f} a second)", file=sys.stderr)


class Bystander:
    """Somebody who comes in, again and again.

    Attributes:
        worst: The longest wait, in seconds.
    """

    def __init__(self, engine: SQLiteEngine) -> None:
        self.worst = 0.0
        self._engine = engine
        self._going = True
        self._done = Deferred.fromCoroutine(self._go())

    async def _go(self) -> None:
        while self._going:
            began = time.perf_counter()
            await self._engine.get("account", "nobody")
            await self._engine.read(LARGE, limit=20, messages=True)
            self.worst = max(self.worst, time.perf_counter() - began)
            await deferLater(reactor, 0.001)

    async def stop(self) -> float:
        """Return the longest wait, in seconds."""
        self._going = False
        await self._done
        return self.worst


async def measure(engine: SQLiteEngine, state: str, wanted: dict[str, tuple[str, str]], at_once: int) -> None:
    """Print what each search takes, alone and many at once from as many addresses."""
    bystander = Bystander(engine)
    await deferLater(reactor, 1.0)
    print(f"| {state} | nobody searches | | | {await bystander.stop() * 1000:.1f} |", flush=True)
    for what, (log, text) in wanted.items():
        for number in (1, at_once):
            bystander = Bystander(engine)
            began = time.perf_counter()
            searches = [engine.search(log, text, FOUND, address=f"{i}") for i in range(number)]
            hits = await gatherResults(searches)
            took = time.perf_counter() - began
            wait = await bystander.stop()
            back = "all" if all(not one.before for one in hits) else f"to {min(one.before for one in hits)}"
            name = what if number == 1 else f"{what}, {number} at once"
            print(f"| {state} | {name} | {back} | {took * 1000:.0f} | {wait * 1000:.1f} |", flush=True)


async def indexed(engine: SQLiteEngine, number: int) -> None:
    """Wait until the engine has indexed everything by itself; say how long that and its longest step took."""
    steps: list[float] = []
    step = engine._writer.index_some

    def timed() -> bool:
        began = time.perf_counter()
        more = step()
        steps.append(time.perf_counter() - began)
        return more

    engine._writer.index_some = timed  # type: ignore[method-assign]
    began = time.perf_counter()
    while not steps or await engine._writer_thread.run(lambda: bool(engine._writer.index.next())):
        await deferLater(reactor, 0.5)
    took = time.perf_counter() - began
    print(
        f"indexed in {took:.1f} s ({number / took:.0f} a second), longest step {max(steps) * 1000:.1f} ms,"
        f" 99% under {sorted(steps)[len(steps) * 99 // 100] * 1000:.1f} ms",
        file=sys.stderr,
    )


def sizes(path: Path, number: int) -> None:
    """Say how large the index is."""
    db = sqlite3.connect(path)
    blocks = db.execute("SELECT sum(length(block)) FROM terms_data").fetchone()[0]
    bodies = db.execute("SELECT sum(length(body)) FROM log").fetchone()[0]
    print(
        f"index {blocks / number:.1f} bytes a message, bodies {bodies / number:.1f},"
        f" file {os.path.getsize(path) / 2**20:.0f} MiB",
        file=sys.stderr,
    )
    db.close()


async def main(_: Any, args: argparse.Namespace, path: Path) -> None:
    """Run everything."""
    engine = SQLiteEngine(reactor, path)
    quiet, sqlite_engine.INDEX_AFTER = sqlite_engine.INDEX_AFTER, 3600.0
    await engine.start()
    await fill(engine, args.messages)
    event = Said("b:tiny", 1_790_000_000_000, "bot", "b", text="hello there")
    engine.append(TINY, event)
    ten = " ".join(common(words(), 10))
    wanted = {
        "ten prefixes, tiny room": (TINY, ten),
        "ten common prefixes, large room": (LARGE, ten),
        "two common prefixes, large room": (LARGE, " ".join(ten.split()[:2])),
        "one rare word, large room": (LARGE, "zzzzzz"),
        "one common word, room of thousands": ("room/0", ten.split()[0]),
    }
    print("| state | search | searched | ms | longest wait of a bystander, ms |")
    print("|---|---|---|---|---|")
    await measure(engine, "not indexed", wanted, args.at_once)
    sqlite_engine.INDEX_AFTER = quiet
    engine._indexing.reset(0)
    await indexed(engine, args.messages)
    await measure(engine, "indexed", wanted, args.at_once)
    await engine.stop()
    sizes(path, args.messages)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--at-once", type=int, default=30)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        react(main, (args, Path(folder) / "chat.db"))
