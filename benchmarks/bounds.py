"""How long the reactor is held where every bound is reached: 10,000 rooms full of bans, and 10,000 files.

    python benchmarks/bounds.py [--rooms 10000] [--files 10000] [--folder DIR]

Writes such a database (a gigabyte; with --folder it is kept and used again), opens it as the daemon does, and does what
reads a lot: the start, rounds of keeping house, many lists of rooms and of files at once. A call each millisecond says
how late it came, and how much of a processor the reactor's thread used since the one before: the first is what anybody
waited, the second does not know of whatever else the machine was doing.
"""

from __future__ import annotations

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.task import LoopingCall, react

from chatroom.chat.bans_and_mutes import Sanction
from chatroom.chat.chat import Chat
from chatroom.chat.dispatch import do
from chatroom.chat.files import record_storage as stored_file
from chatroom.chat.files.record import FileRecord
from chatroom.chat.limits import MODERATORS, SANCTION_BYTES, Rules
from chatroom.chat.people.passwords import ThreadedPasswords as Passwords
from chatroom.chat.rooms import record_storage as stored_room
from chatroom.chat.rooms.record import RoomRecord
from chatroom.engines.sqlite.engine import SQLiteEngine
from chatroom.engines.sqlite.schema import open_database
from chatroom.engines.sqlite.writer import Writer
from chatroom.model import commands, events
from chatroom.model.events import Said
from chatroom.model.log import Entry
from chatroom.wire.dialects.records import JsonDialect

AT_ONCE = 8  # lists that are asked for at the same time


def main() -> None:
    """Prepare and measure; print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rooms", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="where the database is kept")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = (args.folder or Path(temporary)) / "chat.db"
        if not path.exists():
            prepare(path, args.rooms, args.files)
        print(f"{path.stat().st_size / 1e6:.0f} MB\n\n| what | took | call late at most | CPU in one turn at most |")
        print("|---|---|---|---|", flush=True)
        react(lambda _: Deferred.fromCoroutine(measure(path)))


# ---- the database -----------------------------------------------------------------------------------------------


def prepare(path: Path, rooms: int = 10_000, files: int = 10_000) -> None:
    """Write a database in which each room has as many bans as fit, and people of every other kind."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = open_database(path)
    db.execute("PRAGMA synchronous=OFF")
    writer = Writer(db)
    for number in range(rooms):
        record = full_room(number)
        writer.change(stored_room.creation(record.name, record))
    for number in range(files):
        record = full_file(number)
        writer.change(stored_file.changes(None, record, 0))
    for number in range(rooms):
        writer.store([message(f"room/r{number}")])
    db.close()


def full_room(number: int) -> RoomRecord:
    """Return the record of a room at all its bounds."""
    bans: list[Sanction] = []
    room = SANCTION_BYTES
    while room > 0:
        bans.append(Sanction(f"name:n{len(bans)}", f"n{len(bans)}", "zoe", number, reason="\N{SNOWMAN}" * 60))
        room -= bans[-1].size
    people = {f"{n:012}": "x" * 32 for n in range(MODERATORS)}
    return RoomRecord(f"r{number}", f"room{number}", 1, "zoe", "z1", "t" * 390, people, people, tuple(bans[:-1]))


def full_file(number: int) -> FileRecord:
    """Return the record of a file in the first room."""
    id, owner = f"f{number}", f"account:{number}"
    return FileRecord(id, "n" * 90, 1, "0" * 64, now(), "zoe", owner, owner, owner, "room/r0", number=number + 1)


def message(log: str) -> Entry:
    """Return something that was said."""
    event = Said(secrets.token_hex(8), now(), "zoe", "z1", text="hello")
    return Entry(log, event, events.encode(event))


def now() -> int:
    """Return milliseconds since 1970."""
    return int(time.time() * 1000)


# ---- measuring --------------------------------------------------------------------------------------------------


class Nowhere:
    """A way out that takes everything, and counts it."""

    holds = False

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, data: bytes) -> None:
        """Count."""
        self.bytes += len(data)

    def uncork(self, first: bytes) -> None:
        """Count."""
        self.bytes += len(first)

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


async def measure(path: Path) -> None:
    """Do what reads a lot, one after the other."""
    from twisted.internet import reactor  # here: whoever only prepares a database needs none

    engine = SQLiteEngine(reactor, path)
    engine.blobs.all = lambda: settled({f"f{number}" for number in range(10_000)})  # type: ignore[method-assign]
    engine.blobs.size = lambda id: settled(1)  # type: ignore[method-assign]
    mint = secrets.token_hex
    chat = Chat(engine, Rules(), reactor, time.time, lambda n: mint(n)[:n], Passwords(reactor), ())
    chat._retention.rounds._loop.start = lambda every, now=True: None  # type: ignore[method-assign]
    await timed("start", chat.start)
    session = chat.connections.open(Nowhere(), JsonDialect(), person=False, address="127.0.0.1")  # type: ignore[arg-type]
    await timed("join of a full room", lambda: awaited(do(chat, session, commands.Join(room="room0"))))
    await timed(
        f"{AT_ONCE} lists of rooms", lambda: all_of(do(chat, session, commands.ListRooms()) for _ in range(AT_ONCE))
    )
    await timed(
        f"{AT_ONCE} lists of files", lambda: all_of(do(chat, session, commands.ListFiles()) for _ in range(AT_ONCE))
    )
    await timed("a round of keeping house", chat._retention.go_round)
    await chat.stop()


async def timed(what: str, act: Callable[[], Coroutine[Any, Any, object]]) -> None:
    """Do something and print how long it took, and how late the latest call was meanwhile."""
    late, used = [0.0], [0.0]
    due, spent = time.perf_counter() + 0.001, time.thread_time()

    def look() -> None:
        nonlocal due, spent
        there, so_far = time.perf_counter(), time.thread_time()
        late.append(there - due)
        used.append(so_far - spent)
        due, spent = there + 0.001, so_far

    probe = LoopingCall(look)
    probe.start(0.001, now=False)
    began = time.perf_counter()
    await act()
    took = time.perf_counter() - began
    probe.stop()
    print(f"| {what} | {took * 1000:.0f} ms | {max(late) * 1000:.1f} ms | {max(used) * 1000:.1f} ms |", flush=True)


async def awaited(deferred: Any) -> None:
    """Wait for what a command does, if it does not do it at once."""
    if deferred is not None:
        await deferred


async def all_of(many: Iterator[Any]) -> None:
    """Wait for all of them."""
    await DeferredList([one for one in many if one is not None], consumeErrors=True)


def settled(value: Any) -> Deferred[Any]:
    """Return a Deferred that has fired."""
    deferred: Deferred[Any] = Deferred()
    deferred.callback(value)
    return deferred


if __name__ == "__main__":
    main()
