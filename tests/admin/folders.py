"""What the tests of ``chatroom-admin`` put into data folders, and read there."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from chatroom.admin.command_line import main
from chatroom.engines.sqlite.schema import connect, open_database
from chatroom.engines.sqlite.writer import Writer
from chatroom.model import events
from chatroom.model.events import Said
from chatroom.model.log import Change, Entry

SECRET = "correct horse"
ROOT = Path(__file__).resolve().parents[2]

Fails = Callable[..., str]


def entry(log: str, event: Any) -> Entry:
    return Entry(log, event, events.encode(event))


def said(text: str, number: int = 0) -> Said:
    return Said(id=f"m{number}", at=1000, by="alice", by_id="a1", text=text)


def write(folder: Path, *entries: Entry) -> None:
    """Store entries, and index their words, as a daemon would."""
    with closing(open_database(folder / "chat.db")) as db:
        writer = Writer(db)
        writer.store(list(entries))
        while writer.index_some():
            pass


def keep(folder: Path, bucket: str, key: str, value: Any) -> None:
    with closing(open_database(folder / "chat.db")) as db:
        Writer(db).change((Change(bucket, key, msgspec.json.encode(value), 0),))


def change(path: Path, *statements: str) -> None:
    with closing(connect(path)) as db:
        for statement in statements:
            db.execute(statement)


def damage(path: Path) -> None:
    """Overwrite what the pages after the first say."""
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xa5" * (len(data) - 4096))


def texts(path: Path) -> list[str]:
    """Return all texts of the database, in their order."""
    with closing(connect(path)) as db:
        rows = db.execute("SELECT body FROM log ORDER BY seq").fetchall()
    return [event.text for (body,) in rows if hasattr(event := events.decode(body), "text")]


def runs(*arguments: object) -> None:
    assert main([str(argument) for argument in arguments]) == 0
