"""A screen in memory: keys go in, pyte shows what a terminal would; a test answers for the client, which is a
stand-in."""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyte
from blackbox.escapes import Screen
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import ColorDepth
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.client.encryption.interface import Privacy
from chatroom.client.errors import Rejected
from chatroom.client.room_state import RoomState
from chatroom.client.screen.app import App
from chatroom.client.screen.hyperlinks import LinkingOutput
from chatroom.model import events as e
from chatroom.model.names import fold
from chatroom.model.replies import Limits

DEADLINE = 30.0  # seconds until a test that waits has failed; long, for a run under nice
NOW = 1_790_000_000  # seconds since 1970


@dataclass
class Unread:
    """What a ``RoomState`` or a ``PeerState`` knows of unread messages."""

    room: str = ""  # or the person
    unread: int = 0
    mentions: int = 0
    seq: int = 0
    read: int = 0

    @property
    def user(self) -> str:
        """The name of the person."""
        return self.room


class FakeClient:
    """What a ``Client`` is to a screen; the test fires the Deferreds.

    Attributes:
        did: The commands; the room in focus is not noted with them.
        said: What was said, to whatever room.
        heard_in: The room of each of these.
        marked: Where the user has read, and up to which seq.
        typed_in: Where the user was typing.
        rooms: The rooms that we are in, by folded name.
        peers: The people who wrote to us, by folded name.
        recalled: The fields of each ``history`` that the screen has asked for by itself.
        pasts: The answers to these.
    """

    def __init__(self) -> None:
        self.online = True
        self.over: Rejected | None = None
        self.name = "me"
        self.guest = True
        self.server = "chatroom"
        self.rooms = {"lobby": Unread("lobby")}
        self._room = "lobby"
        self.place = RoomState()
        self.first_rooms: list[str] = []
        self.users = ["me", "bob", "Bea"]
        self.security = "plain"
        self.lag: float | None = None
        self.unread = 0
        self.limits = Limits(record=16 * 1024, text=4096, name=32, room=64, rate=2.0)
        self.retry_in: float | None = None
        self.tried_now = 0
        self.did: list[tuple[str, dict[str, Any]]] = []
        self.said: list[str] = []
        self.heard_in: list[str] = []
        self.marked: list[tuple[str, int]] = []
        self.typed_in: list[str] = []
        self.peers: dict[str, Unread] = {}
        self.asked = 0  # who is online
        self.recalled: list[dict[str, Any]] = []
        self.pasts: list[Deferred[Any]] = []
        self.answers: list[Deferred[Any]] = []
        self.privacy = Privacy()

    def replayed(self, event: e.Event) -> bool:
        """Return whether an event is from before the room was joined."""
        return isinstance(event, e.RoomEvent) and event.room == self.place.room and self.place.replayed(event)

    @property
    def inside(self) -> bool:
        """Whether a line is said to a room."""
        return bool(self.room)

    @property
    def room(self) -> str:
        """The room in focus; a test that sets it moves us from the one to the other."""
        return self._room

    @room.setter
    def room(self, room: str) -> None:
        self.rooms.pop(fold(self._room), None)
        if room:
            self.rooms[fold(room)] = Unread(room)
        self._room = room

    def focus(self, room: str) -> None:
        """Another room has the focus."""
        self._room = self.rooms[fold(room)].room if room else ""

    def mark_read(self, seq: int, *, room: str = "", user: str = "") -> None:
        """Nothing up to there is unread any more."""
        self.marked.append((room or f"@{user}", seq))
        place = self.rooms.get(fold(room)) if room else self.peers.get(fold(user))
        if place is not None:
            place.unread = place.mentions = 0

    def typing(self, *, room: str = "", user: str = "") -> None:
        """Remember where the user is typing."""
        self.typed_in.append(room or f"@{user}")

    @property
    def target(self) -> str:
        """The room that a command is for."""
        return self._room

    @property
    def may_retry(self) -> bool:
        """Whether the client waits for the user's word."""
        return self.over is not None

    def carry(self, carrier: object) -> None:
        """No file is carried."""

    def do(self, do: str, **fields: Any) -> Deferred[Any]:
        """Remember the command; ``who`` is what the screen itself asks while a name is being typed."""
        if do == "who":
            self.asked += 1
            return Deferred()
        if fields.get("room") == self.room and do not in ("join", "create"):
            del fields["room"]
        self.did.append((do, fields))
        self.answers.append(Deferred())
        return self.answers[-1]

    def ask(self, do: str, **fields: Any) -> Deferred[Any]:
        """Remember which conversation the screen asks for."""
        assert do == "history"
        self.recalled.append(fields)
        self.pasts.append(Deferred())
        return self.pasts[-1]

    def say(self, text: str, room: str = "") -> Deferred[None]:
        """Remember the message."""
        self.said.append(text)
        self.heard_in.append(room)
        self.answers.append(Deferred())
        return self.answers[-1]

    def try_now(self) -> bool:
        """Count the attempt, if one is awaited or may be made."""
        awaited = self.retry_in is not None or self.may_retry
        self.retry_in = self.over = None
        self.tried_now += awaited
        return awaited

    def when_there(self, call: Callable[[], None]) -> None:
        """We are not on the way to anywhere."""
        call()

    def refuse(self, text: str, code: str = "no") -> None:
        """Refuse what was asked last."""
        self.answers.pop().errback(Rejected(code, text))


class Glass(io.TextIOBase):
    """A terminal's screen behind what is written.

    Attributes:
        raw: All that was written.
    """

    encoding = "utf-8"

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = Screen(columns, rows)
        self.screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self.screen)
        self.raw = ""

    def write(self, text: str) -> int:
        self.raw += text
        # pyte does not know private sequences with '>' and friends; it would show their rest.
        self._stream.feed(text)
        return len(text)


@dataclass(frozen=True)
class Wants:
    """A screen's settings."""

    state: Path
    address: str = "chat.example:8888"
    downloads: Path = Path()
    bell: Any = "private"
    timestamps: bool = False
    colours: bool | None = None
    links: bool = False
    notify: Any = "off"


class Stage:
    """A screen that runs.

    Args:
        wants: Its settings.
        keys: Where keys go in.
        size: Columns and rows.
    """

    def __init__(self, wants: Wants, keys: PipeInput, size: tuple[int, int] = (80, 24)) -> None:
        self.client = FakeClient()
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.glass = Glass(*size)
        self.size = Size(columns=size[0], rows=size[1])
        out: Any = self.glass
        output = LinkingOutput(
            out, lambda: self.size, term="xterm-256color", default_color_depth=ColorDepth.DEPTH_8_BIT, enable_cpr=False
        )
        client: Any = self.client
        self.keys = keys
        self.screen = App(self.clock, client, wants, keys, output, now=self.clock.seconds)
        self.running: asyncio.Future[None] = asyncio.ensure_future(self.screen.terminal.run())

    # ---- doing -----------------------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Press these keys."""
        self.keys.send_text(text)

    def tell(self, *events: Any) -> None:
        """The client tells this."""
        for event in events:
            self.screen.tell(event)

    def resize(self, columns: int, rows: int | None = None, *, told: bool = True) -> None:
        """Give the terminal another size; ``told``: the client hears of it at once."""
        self.size = Size(columns=columns, rows=rows or self.size.rows)
        self.glass.screen.resize(self.size.rows, columns)
        if told:
            self.screen.terminal.app._on_resize()

    # ---- seeing ----------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[str]:
        """What is on the screen, without the empty end."""
        return "\n".join(line.rstrip() for line in self.glass.screen.display).rstrip().split("\n")

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.rows)
            await asyncio.sleep(0)

    async def shows(self, *rows: str) -> None:
        """Wait until these rows are on the screen, one below the other."""
        wanted = "\n".join(rows)
        await self.until(lambda: f"\n{wanted}\n" in "\n".join(["", *self.rows, ""]))


def on_stage(folder: Path, scene: Callable[[Stage], Coroutine[Any, Any, None]], **wants: Any) -> None:
    """Run a scene on a stage, and see that the screen ends well.

    Args:
        folder: Where state is kept.
        scene: What happens.
        wants: Settings, and the ``size`` of the terminal.
    """
    asyncio.run(_on_stage(folder, scene, **wants))


async def _on_stage(folder: Path, scene: Callable[[Stage], Coroutine[Any, Any, None]], **wants: Any) -> None:
    size = wants.pop("size", (80, 24))
    async with stage(Wants(folder, **wants), size) as made:
        await made.until(lambda: any("[lobby]" in row for row in made.rows))
        await scene(made)


@contextlib.asynccontextmanager
async def stage(wants: Wants, size: tuple[int, int]) -> AsyncIterator[Stage]:
    """A stage, and its end."""
    with create_pipe_input() as keys:
        made = Stage(wants, keys, size)
        try:
            yield made
        finally:
            made.screen.terminal.leave()
            await asyncio.wait_for(made.running, DEADLINE)
            made.screen.terminal.questions.end()
            made.screen.once.flush()
            made.screen.crowds.flush()


def said(text: str, by: str = "bob", **more: Any) -> e.Said:
    """A message."""
    return e.Said(id="x", at=NOW * 1000, by=by, by_id=by, text=text, **{"room": "lobby", "seq": 1, **more})
