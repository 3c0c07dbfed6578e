"""A server that means ill, for clients in processes of their own: its records hold whatever it likes."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import msgspec
from blackbox.daemon import DEADLINE

from chatroom.model import events as e
from chatroom.model import replies as a

ROOM = "lobby"
EVIL = [
    "\x1b]52;c;ZXZpbA==\x07",  # what tmux would put into the clipboard
    "\x1b]2;evil title\x1b\\",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x9d2;evil title\x9c",
    "\x1bPevil\x1b\\\x1b_evil\x1b\\\x1b^evil\x1b\\",
    "\x1b[2J\x1b[3J\x1b[7;7H\x1b[?1049h\x1b[?1000h\x1b[?1002h\x1b[?25l",
    "\x1b[5;38;5;201;48;5;202m",
    "\x9b5;38;5;201m\x9b7;7H",
    "\x1b[6n\x1b[c\x1b[21t\x1b[5i\x1bZ",
    "\x1bc\x1b#8\x1b7\x1b8\x1bM\x1bD\x1b(0\x0e",
    "\a\b\b\b\v\f\r\nbob: a line of its own\n",
    "\u202eevil\u202d\u2066evil\u2067\u2028\u2029\ufeff",
    "e" + "\u0301" * 500,
    "\x1b",
    "\x1b[",
    "\x1b]52;c;",
    "\0\x7f\x80\x84\x85\x88\x8d\x8e\x90",
]


class HostileServer:
    """One socket that listens, and serves one client after another. Nothing here sleeps.

    Attributes:
        port: Where, on 127.0.0.1.
    """

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.settimeout(DEADLINE)
        self.port: int = self._door.getsockname()[1]
        self._client: socket.socket | None = None
        self._unread = b""

    def accept(self) -> None:
        """Wait for a client; the one before is left alone."""
        self._hang_up()
        self._client, _ = self._door.accept()
        self._client.settimeout(2 * DEADLINE)
        self._unread = b""

    def let_in(self, server: str = "evil") -> None:
        """Wait for a client, and let it come to be in the room: its question after all that it missed is answered."""
        self.accept()
        for asked in self._asked():
            self.record(**_answer(asked, server))
            if asked["do"] == "pong":
                return

    def answer(self, do: str, **fields: Any) -> None:
        """Wait for a command, and answer it with a record."""
        asked = next(asked for asked in self._asked() if asked["do"] == do)
        self.record(re=asked["ref"], **fields)

    def record(self, **fields: Any) -> None:
        """Send a record."""
        self.send(json.dumps(fields).encode() + b"\n")

    def said(self, text: str, by: str = "bob", seq: int = 0) -> None:
        """Send a message."""
        at = int(time.time() * 1000)
        self.record(event="said", id="x", at=at, by=by, by_id=by, room=ROOM, seq=seq, text=text)

    def send(self, data: bytes) -> None:
        """Send bytes, as they are."""
        assert self._client is not None
        self._client.sendall(data)

    def close(self) -> None:
        """End it."""
        self._hang_up()
        self._door.close()

    def _hang_up(self) -> None:
        if self._client is not None:
            self._client.close()

    def _asked(self) -> Iterator[dict[str, Any]]:
        assert self._client is not None
        while True:
            line, end, rest = self._unread.partition(b"\n")
            if end:
                self._unread = rest
                yield json.loads(line)
            else:
                more = self._client.recv(65536)
                assert more, "the client has gone"
                self._unread += more


def _answer(asked: dict[str, Any], server: str) -> dict[str, Any]:
    """Return the answer of a server that has not shown its face yet."""
    re = asked.get("ref")
    if asked["do"] == "hello":
        limits = {"record": 16384, "text": 4096, "name": 32, "room": 64, "rate": 0}
        you = {"you": asked.get("name", "guest-1"), "guest": True}
        return {"event": "welcome", "re": re, "server": server, "version": 1, **you, "limits": limits, "features": []}
    if asked["do"] == "join":
        users = ["bob", "ann"]
        room = {"room": ROOM, "room_id": "r", "topic": "", "users": users}
        return {"event": "entered", "re": re, **room, "seq": 1, "complete": True}
    return {"event": "ok", "re": re}


def evil_records(evil: str) -> Iterator[dict[str, Any]]:
    """Return a record of each kind that a client knows, with this in every string of it."""
    for kind in (*a.ANSWERS, *e.OF_A_ROOM, *a.OF_A_PERSON, *a.OF_THE_CONNECTION):
        yield {"event": kind.__struct_config__.tag, **_fields(msgspec.inspect.type_info(kind), evil)}


def _fields(kind: Any, evil: str) -> dict[str, Any]:
    return {field.encode_name: _value(field.type, evil) for field in kind.fields}


def _value(kind: Any, evil: str) -> Any:
    match kind:
        case msgspec.inspect.StrType():
            return evil
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            return 7
        case msgspec.inspect.BoolType():
            return False
        case msgspec.inspect.LiteralType():
            return kind.values[0]
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            return [_value(kind.item_type, evil)] * 3
        case msgspec.inspect.NamedTupleType():
            return [_value(field.type, evil) for field in kind.fields]
        case msgspec.inspect.UnionType():
            return next(_value(one, evil) for one in kind.types if not isinstance(one, msgspec.inspect.NoneType))
        case msgspec.inspect.StructType():
            tag = {"event": kind.cls.__struct_config__.tag} if kind.cls.__struct_config__.tag else {}
            return {**tag, **_fields(kind, evil)}
    raise AssertionError(f"{kind} is not known here")
