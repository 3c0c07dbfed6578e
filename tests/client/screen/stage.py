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
from prompt_toolkit.data_structures import Size
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import ColorDepth
from prompt_toolkit.output.vt100 import Vt100_Output
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.client.errors import Rejected
from chatroom.client.room_state import RoomState
from chatroom.client.screen.app import App
from chatroom.client.screen.output import TOGETHER
from chatroom.model import events as e
from chatroom.model.replies import Limits

DEADLINE = 30.0  # seconds until a test that waits has failed; long, for a run under nice
NOW = 1_790_000_000  # seconds since 1970


class FakeClient:
    """What a ``Client`` is to a screen; the test fires the Deferreds."""

    def __init__(self) -> None:
        self.online = True
        self.over: Rejected | None = None
        self.name = "me"
        self.guest = True
        self.server = "chatroom"
        self.room = "lobby"
        self.place = RoomState()
        self.users = ["me", "bob", "Bea"]
        self.security = "plain"
        self.lag: float | None = None
        self.unread = 0
        self.limits = Limits(record=16 * 1024, text=4096, name=32, room=64, rate=2.0)
        self.retry_in: float | None = None
        self.tried_now = 0
        self.did: list[tuple[str, dict[str, Any]]] = []
        self.said: list[str] = []
        self.asked = 0  # who is online
        self.answers: list[Deferred[Any]] = []

    def replayed(self, event: e.Event) -> bool:
        """Return whether an event is from before the room was joined."""
        return isinstance(event, e.RoomEvent) and event.room == self.place.room and self.place.replayed(event)

    @property
    def inside(self) -> bool:
        """Whether a line is said to a room."""
        return bool(self.room)

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
        self.did.append((do, fields))
        self.answers.append(Deferred())
        return self.answers[-1]

    def say(self, text: str) -> Deferred[None]:
        """Remember the message."""
        self.said.append(text)
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


class Keeping(pyte.HistoryScreen):
    """A screen that knows what tmux keeps when all of it is erased at once.

    Attributes:
        kept: The rows that were not empty then.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self.kept: list[str] = []
        super().__init__(columns, rows, history=10_000, ratio=0.5)

    def erase_in_display(self, how: int = 0, *args: Any, **more: Any) -> None:
        if how == 2 or (how == 0 and (self.cursor.x, self.cursor.y) == (0, 0)):
            self.kept += [row.rstrip() for row in self.display if row.strip()]
        super().erase_in_display(how, *args, **more)


class Glass(io.TextIOBase):
    """A terminal's screen behind what is written.

    Attributes:
        raw: All that was written.
    """

    encoding = "utf-8"

    def __init__(self, columns: int, rows: int) -> None:
        self.screen = Keeping(columns, rows)
        self.screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.Stream(self.screen)
        self.raw = ""

    def narrow(self, columns: int, *, wrap: bool) -> None:
        """Make it narrower: longer rows are wrapped anew, as by most terminals, or cut."""
        screen = self.screen
        rows = [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]
        cursor = screen.cursor
        screen.resize(screen.lines, columns)
        if wrap:
            self._wrap(rows, cursor.x, cursor.y)

    def _wrap(self, rows: list[list[pyte.screens.Char]], x: int, y: int) -> None:
        """Show the rows in the new width; the cursor stays at its character, what is too much scrolls away."""
        screen, wrapped = self.screen, []
        for number, row in enumerate(rows):
            used = len(row)
            while used and row[used - 1] == screen.default_char:
                used -= 1
            if number == y:
                at = min(x, used) - (0 < used <= x and used % screen.columns == 0)
                place = len(wrapped) + at // screen.columns, at % screen.columns
            wrapped += [row[i : i + screen.columns] for i in range(0, max(used, 1), screen.columns)]
        gone = len(wrapped) - screen.lines  # as tmux does, even if rows at the end are empty
        screen.history.top.extend(dict(enumerate(row)) for row in wrapped[:gone])
        for number, row in enumerate(wrapped[gone : gone + screen.lines]):
            screen.buffer[number].clear()
            screen.buffer[number].update(enumerate(row))
        screen.cursor.y, screen.cursor.x = place[0] - gone, place[1]

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


class Stage:
    """A screen that runs.

    Args:
        wants: Its settings.
        keys: Where keys go in.
        size: Columns and rows.
        wrap: The terminal wraps lines anew when it becomes narrower; otherwise it cuts them.
    """

    def __init__(self, wants: Wants, keys: PipeInput, size: tuple[int, int] = (80, 24), *, wrap: bool = False) -> None:
        self.client = FakeClient()
        self.clock = Clock()
        self.clock.rightNow = NOW
        self.glass = Glass(*size)
        self.size = Size(columns=size[0], rows=size[1])
        out: Any = self.glass
        output = Vt100_Output(
            out, lambda: self.size, term="xterm-256color", default_color_depth=ColorDepth.DEPTH_8_BIT, enable_cpr=False
        )
        client: Any = self.client
        self.keys = keys
        self.screen = App(self.clock, client, wants, keys, output, now=self.clock.seconds, wraps_anew=wrap)
        self._wrap = wrap
        self.running: asyncio.Future[None] = asyncio.ensure_future(self.screen.terminal.run())

    # ---- doing -----------------------------------------------------------------------------------------------------

    def type(self, text: str) -> None:
        """Press these keys."""
        self.keys.send_text(text)

    def tell(self, *events: Any) -> None:
        """The client tells this."""
        for event in events:
            self.screen.tell(event)

    def narrow(self, columns: int, *, told: bool = True) -> None:
        """Make the terminal narrower; ``told``: the client hears of it at once."""
        self.size = self.size._replace(columns=columns)
        self.glass.narrow(columns, wrap=self._wrap)
        if told:
            self.screen.terminal.app._on_resize()

    # ---- seeing ----------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> list[str]:
        """What is on the screen, without the empty end."""
        return "\n".join(line.rstrip() for line in self.glass.screen.display).rstrip().split("\n")

    @property
    def scrolled(self) -> list[str]:
        """What has scrolled off the screen."""
        return ["".join(row[x].data for x in sorted(row)).rstrip() for row in self.glass.screen.history.top]

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.rows)
            await asyncio.sleep(0)

    async def shows(self, *rows: str) -> None:
        """Wait until these rows are on the screen, one below the other."""
        wanted = "\n".join(rows)

        def there() -> bool:
            if any(call.getTime() - self.clock.seconds() <= TOGETHER for call in self.clock.getDelayedCalls()):
                self.clock.advance(TOGETHER)
            return f"\n{wanted}\n" in "\n".join(["", *self.rows, ""])

        await self.until(there)


def on_stage(folder: Path, scene: Callable[[Stage], Coroutine[Any, Any, None]], **wants: Any) -> None:
    """Run a scene on a stage, and see that the screen ends well.

    Args:
        folder: Where state is kept.
        scene: What happens.
        wants: Settings; ``size`` of the terminal, and whether it has to ``wrap`` lines anew.
    """
    asyncio.run(_on_stage(folder, scene, **wants))


async def _on_stage(folder: Path, scene: Callable[[Stage], Coroutine[Any, Any, None]], **wants: Any) -> None:
    size, wrap = wants.pop("size", (80, 24)), wants.pop("wrap", False)
    async with stage(Wants(folder, **wants), size, wrap=wrap) as made:
        await made.until(lambda: any("[lobby]" in row for row in made.rows))
        await scene(made)


@contextlib.asynccontextmanager
async def stage(wants: Wants, size: tuple[int, int], *, wrap: bool = False) -> AsyncIterator[Stage]:
    """A stage, and its end."""
    with create_pipe_input() as keys:
        made = Stage(wants, keys, size, wrap=wrap)
        try:
            yield made
        finally:
            made.screen.terminal.leave()
            await asyncio.wait_for(made.running, DEADLINE)
            made.screen.terminal.questions.end()
            made.screen.once.flush()
            made.screen.crowd.flush()
            made.screen.above.flush()


def said(text: str, by: str = "bob", **more: Any) -> e.Said:
    """A message."""
    return e.Said(id="x", at=NOW * 1000, by=by, by_id=by, text=text, **{"room": "lobby", "seq": 1, **more})
