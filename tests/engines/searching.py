"""Engines to be searched: both kinds, and SQLite's with everything in the index or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engines.test_conformance import LOBBY, texts
from twisted.internet import reactor

from chatroom.engines.memory import MemoryEngine
from chatroom.engines.sqlite import finder
from chatroom.engines.sqlite.engine import SQLiteEngine

KINDS = ("memory", "sqlite, not indexed", "sqlite, indexed")


class HastyReactor:
    """The reactor, but each look at its clock takes as long as is said.

    Attributes:
        pace: Seconds that pass from one look at the clock to the next.
    """

    def __init__(self) -> None:
        self.pace = 0.0
        self._now = 1000.0

    def seconds(self) -> float:
        """Return the time, which goes on."""
        self._now += self.pace
        return self._now

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)


def make(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return an engine over a ``HastyReactor``, not started; an index is used however few messages there are."""
    if kind == "memory":
        return MemoryEngine(HastyReactor())
    monkeypatch.setattr(finder, "FEW", 1)
    return SQLiteEngine(HastyReactor(), folder / "chat.db")


async def index(engine: SQLiteEngine) -> None:
    """Index all that there is."""
    while await engine._writer_thread.run(engine._writer.index_some):
        pass


async def walk(engine: Any, words: str, limit: int, log: str = LOBBY) -> list[list[str]]:
    """Search again and again for older ones; return what each search found."""
    pages: list[list[str]] = []
    before: int | None = None
    while True:
        hits = await engine.search(log, words, limit, before=before)
        pages.append(texts(hits.entries))
        assert before is None or hits.before < before, "no search is in vain"
        before = hits.before
        if not before:
            return pages
