"""The search index in the SQLite file: written behind the log, in small steps, by the writer thread.

It is an FTS5 table without content that knows of each message its tokens (``chatroom.engines.tokenizer``), and nothing
of where in the message they are. Each token is prefixed with the number of its log and of the *block* of seqs that the
message is in. So the messages of one room and one block stand together, apart from all others: a search reads those and
no more, and never takes longer because somebody else says much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from chatroom.engines.tokenizer import tokens
from chatroom.model import events
from chatroom.model.events import MESSAGES

BLOCK_BITS = 14  # a block is so many seqs: a query of one block takes about two milliseconds
INDEX_STEP = 100  # entries: about two milliseconds
INDEX_BYTES = 64 * 1024  # of long messages there are fewer in one step
OLD_PAGES = 200  # of the index of an earlier schema that are removed in one step
OLD_ROWS = 20_000

_SOME_OLD = "SELECT 1 FROM words_data WHERE id>10 UNION ALL SELECT 1 FROM words_docsize LIMIT 1"

Row = tuple[int, int, bytes]
"""A message: seq, number of its log, body."""


def prefix_of(log: int, seq: int) -> str:
    """Return what the tokens of a message begin with; no token of ours holds an underscore."""
    return f"{log:x}z{seq >> BLOCK_BITS:x}_"


class Indexer:
    """What the writing connection does to the index. The caller holds a transaction, except for ``next``.

    Args:
        db: The writing connection.

    Attributes:
        has_old: There is still some of the index of an earlier schema.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._passed = 0  # up to this seq there is nothing that is not indexed
        self.has_old = db.execute("SELECT 1 FROM sqlite_master WHERE name='words'").fetchone() is not None
        if self.has_old and db.execute(_SOME_OLD).fetchone() is None:
            self._drop_old()  # as in a new file: there is nothing in it

    def next(self) -> list[Row]:
        """Return the messages to index next; not all that are left."""
        while True:
            rows = self._db.execute(
                "SELECT seq, log, CASE WHEN message THEN body END FROM log WHERE seq>? ORDER BY seq LIMIT ?",
                (max(self._passed, self._upto()), INDEX_STEP),
            ).fetchall()
            messages = [row for row in rows if row[2] is not None]
            if messages or not rows:
                return _first(messages)
            self._passed = rows[-1][0]  # not worth a commit

    def add(self, messages: list[Row]) -> None:
        """Index messages that ``next`` gave."""
        self._db.executemany("INSERT INTO terms(rowid, tokens) VALUES (?,?)", map(_indexed, messages))
        self._db.execute("UPDATE indexed SET upto=?", (messages[-1][0],))

    def forget(self, messages: Iterable[Row]) -> None:
        """Take messages out of the index. It keeps no text of its own, so it is told what it was."""
        upto = self._upto()
        self._db.executemany(
            "INSERT INTO terms(terms, rowid, tokens) VALUES ('delete',?,?)",
            (_indexed(message) for message in messages if message[0] <= upto),
        )

    def blank(self, message: Row) -> None:
        """Forget a message's text; its place stays."""
        self.forget([message])
        if message[0] <= self._upto():
            self._db.execute("INSERT INTO terms(rowid, tokens) VALUES (?,'')", (message[0],))

    def _upto(self) -> int:
        return int(self._db.execute("SELECT upto FROM indexed").fetchone()[0])

    # ---- the index of an earlier schema ------------------------------------------------------------------------

    def remove_old(self) -> None:
        """Remove some of it; at once it would take long."""
        pages = self._db.execute(
            "DELETE FROM words_data WHERE id IN (SELECT id FROM words_data WHERE id>10 LIMIT ?)", (OLD_PAGES,)
        ).rowcount
        rows = self._db.execute(
            "DELETE FROM words_docsize WHERE id IN (SELECT id FROM words_docsize LIMIT ?)", (OLD_ROWS,)
        ).rowcount
        if not pages and not rows:
            self._drop_old()

    def _drop_old(self) -> None:
        self._db.execute("DROP TABLE words")
        self.has_old = False


def _first(messages: list[Row]) -> list[Row]:
    """Return the first of the messages: up to ``INDEX_BYTES``, and one more."""
    size = 0
    for i, (_, _, body) in enumerate(messages, 1):
        size += len(body)
        if size > INDEX_BYTES:
            return messages[:i]
    return messages


def _indexed(message: Row) -> tuple[int, str]:
    seq, log, body = message
    event = events.decode(body)
    prefix = prefix_of(log, seq)
    return seq, " ".join(prefix + token for token in tokens(event.text)) if isinstance(event, MESSAGES) else ""
