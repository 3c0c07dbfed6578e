"""The search index in the SQLite file, which the writer thread fills in small steps after messages are stored.

It is an FTS5 table without content. It knows the tokens of each message (``chatroom.engines.tokenizer``), but not where
in the message they are. Each token is prefixed with the number of its log and the number of the *block* of seqs that
the message is in. So the messages of one room and one block are together, apart from all others: a search reads only
those, and takes no longer if people elsewhere write much.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from chatroom.engines.amending import MESSAGE
from chatroom.engines.tokenizer import tokens
from chatroom.model import events
from chatroom.model.events import MESSAGES

BLOCK_BITS = 14  # a block is 2**14 seqs; a query in one block takes about two milliseconds
INDEX_STEP = 100  # entries in one step, which takes about two milliseconds
INDEX_BYTES = 64 * 1024  # bytes of messages in one step, which has fewer messages if they are long
OLD_PAGES = 200  # pages of the index of an earlier schema that are removed in one step ...
OLD_ROWS = 20_000  # ... and rows

# Finds a row unless the index of an earlier schema is empty; FTS5 itself uses the ids up to 10.
_SOME_OLD = "SELECT 1 FROM words_data WHERE id>10 UNION ALL SELECT 1 FROM words_docsize LIMIT 1"

Row = tuple[int, int, bytes]
"""A message: seq, number of its log, body."""


def prefix_of(log: int, seq: int) -> str:
    """Return what the index puts before each token of a message: the numbers of its log and of its block of seqs.

    The prefix ends with an underscore, which no token holds.

    Args:
        log: The number of the message's log.
        seq: The message's seq.
    """
    return f"{log:x}z{seq >> BLOCK_BITS:x}_"


class Indexer:
    """Changes the index. The caller must be in a transaction, except when it calls ``next``.

    Args:
        db: The writing connection.

    Attributes:
        has_old: Whether a part of the index of an earlier schema is still in the file.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._passed = 0  # all messages up to this seq are indexed
        self.has_old = db.execute("SELECT 1 FROM sqlite_master WHERE name='words'").fetchone() is not None
        if self.has_old and db.execute(_SOME_OLD).fetchone() is None:
            self._drop_old()  # it is empty, as in a new file

    def next(self) -> list[Row]:
        """Return the messages to index in the next step; empty if all are indexed."""
        while True:
            rows = self._db.execute(
                "SELECT seq, log, CASE WHEN message=? THEN body END FROM log WHERE seq>? ORDER BY seq LIMIT ?",
                (MESSAGE, max(self._passed, self._upto()), INDEX_STEP),
            ).fetchall()
            messages = [row for row in rows if row[2] is not None]
            if messages or not rows:
                return _first(messages)
            self._passed = rows[-1][0]  # kept in memory only: these entries are no messages, so nothing was indexed

    def add(self, messages: list[Row]) -> None:
        """Index the messages that ``next`` returned."""
        self._db.executemany("INSERT INTO terms(rowid, tokens) VALUES (?,?)", map(_indexed, messages))
        self._db.execute("UPDATE indexed SET upto=?", (messages[-1][0],))

    def forget(self, messages: Iterable[Row]) -> None:
        """Remove messages from the index. The caller gives their bodies, because the index does not keep the texts."""
        upto = self._upto()
        self._db.executemany(
            "INSERT INTO terms(terms, rowid, tokens) VALUES ('delete',?,?)",
            (_indexed(message) for message in messages if message[0] <= upto),
        )

    def replace(self, message: Row, body: bytes) -> None:
        """Index a message by another text, unless it is not indexed yet. ``purger.py`` then removes the old words.

        Args:
            message: The message as it was.
            body: Its new body.
        """
        old, new = _text(message[2]), _text(body)
        if old != new and message[0] <= self._upto():
            self.forget([message])
            self._db.execute("INSERT INTO terms(rowid, tokens) VALUES (?,?)", _indexed((*message[:2], body)))
            self._db.execute("UPDATE indexed SET stale=stale+1")

    def _upto(self) -> int:
        """Return the stored seq up to which all messages are indexed."""
        return int(self._db.execute("SELECT upto FROM indexed").fetchone()[0])

    # ---- the index of an earlier schema ------------------------------------------------------------------------

    def remove_old(self) -> None:
        """Remove a part of the earlier schema's index; removing the whole index at once would take long."""
        pages = self._db.execute(
            "DELETE FROM words_data WHERE id IN (SELECT id FROM words_data WHERE id>10 LIMIT ?)", (OLD_PAGES,)
        ).rowcount
        rows = self._db.execute(
            "DELETE FROM words_docsize WHERE id IN (SELECT id FROM words_docsize LIMIT ?)", (OLD_ROWS,)
        ).rowcount
        if not pages and not rows:
            self._drop_old()

    def _drop_old(self) -> None:
        """Remove the table of the earlier schema's index, which is empty by now."""
        self._db.execute("DROP TABLE words")
        self.has_old = False


def _first(messages: list[Row]) -> list[Row]:
    """Return the first messages, up to and including the one with which they exceed ``INDEX_BYTES``."""
    size = 0
    for i, (_, _, body) in enumerate(messages, 1):
        size += len(body)
        if size > INDEX_BYTES:
            return messages[:i]
    return messages


def _indexed(message: Row) -> tuple[int, str]:
    """Return a message's row in the index: its seq, and its tokens, each with the prefix of ``prefix_of``."""
    seq, log, body = message
    prefix = prefix_of(log, seq)
    return seq, " ".join(prefix + token for token in tokens(_text(body)))


def _text(body: bytes) -> str:
    """Return what a message can be found by; empty for other events."""
    event = events.decode(body)
    return event.text if isinstance(event, MESSAGES) else ""
