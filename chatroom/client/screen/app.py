"""The terminal application: its parts put together, and run until the user leaves. Import this for terminals only,
because importing takes a tenth of a second."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from prompt_toolkit.input import Input, create_input
from prompt_toolkit.output import Output, create_output
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatroom.client.client import Client
from chatroom.client.errors import Rejected
from chatroom.client.files.commands import USAGES, FileCommands
from chatroom.client.files.transfers import Transfers
from chatroom.client.screen.announcement_coalescing import AnnouncementCoalescing
from chatroom.client.screen.argument_values import argument_at
from chatroom.client.screen.bar import bar, fitted
from chatroom.client.screen.bell import Bell, Ring
from chatroom.client.screen.completer import ChatCompleter
from chatroom.client.screen.fault_log import FaultLog, catch
from chatroom.client.screen.formatter import Formatter, Line
from chatroom.client.screen.history import SavedHistory
from chatroom.client.screen.ignore_list import IgnoreList
from chatroom.client.screen.input import LineInput
from chatroom.client.screen.job_control import survive_hangup
from chatroom.client.screen.join_coalescing import JoinCoalescing
from chatroom.client.screen.keys import Actions, bindings
from chatroom.client.screen.known_words import OWN_TITLE, OWN_TOPIC, KnownWords
from chatroom.client.screen.local_commands import LocalCommand, LocalCommands
from chatroom.client.screen.output import LineOutput
from chatroom.client.screen.password_guard import kept_nowhere
from chatroom.client.screen.paste import Paste
from chatroom.client.screen.presenter import Filter, Presenter
from chatroom.client.screen.read_marker import ReadMarker
from chatroom.client.screen.reconnect_countdown import Countdown
from chatroom.client.screen.redraw import wraps_anew
from chatroom.client.screen.saved_state import SavedState, load, save
from chatroom.client.screen.terminal import Parts, Terminal
from chatroom.client.screen.user_lookup import UserLookup
from chatroom.client.state import WORTHLESS
from chatroom.client.status import Connected, Denied, Lost, Notice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.commands import TABLE
from chatroom.model.suggestions import nearest
from chatroom.model.text import clean

_log = Logger()

PATIENCE = 0.5  # seconds that ending may take before the user is told what it waits for
PROGRESS = 1.0  # seconds between redraws while files are sent or fetched
FILES_SHOWN = 3  # such files listed above the bar
FRESH = 10.0  # seconds before the server is asked again who is online


class AppSettings(Protocol):
    """The settings of the terminal application.

    Args:
        address: Host and port, as the user gave them.
        state: The folder for what the client remembers about this server.
        downloads: The folder for fetched files.
        bell: When the terminal rings.
        timestamps: Whether lines begin with their time.
        colours: Whether to use colours; None: if the terminal can and NO_COLOR is not set.
    """

    @property
    def address(self) -> str: ...
    @property
    def state(self) -> Path: ...
    @property
    def downloads(self) -> Path: ...
    @property
    def bell(self) -> Ring: ...
    @property
    def timestamps(self) -> bool: ...
    @property
    def colours(self) -> bool | None: ...


class App:
    """The terminal application. The client passes each event and notice to ``tell``.

    Args:
        reactor: Tells the time and makes delayed calls.
        client: The client, not started yet.
        settings: What the user wants.
        input: The keys that the user presses.
        output: The terminal to draw on.
        now: Returns the seconds since 1970.
        wraps_anew: Whether the terminal wraps its lines anew when its width changes.
    """

    def __init__(
        self,
        reactor: Any,
        client: Client,
        settings: AppSettings,
        input: Input,
        output: Output,
        now: Callable[[], float] = time.time,
        *,
        wraps_anew: bool = True,
    ) -> None:
        self._reactor = reactor
        self._client = client
        self._settings = settings
        self._path = settings.state / "screen.json"
        before = load(self._path)
        self.known = KnownWords(lambda: client.users)
        self.filter = Filter(set(before.ignored))
        self.mark = ReadMarker(before.seen)
        self.lines = Formatter(lambda: client.name, lambda: int(now() * 1000), stamps=settings.timestamps)
        self.terminal = Terminal(self._parts(), input, output, settings.colours, wraps_anew=wraps_anew)
        self.above = LineOutput(reactor, self.terminal.write)
        self.crowd = JoinCoalescing(reactor, self._show, self._show_many)
        self.once = AnnouncementCoalescing(reactor, self.crowd.add)
        self.bell = Bell(reactor.seconds, self.terminal.bell, settings.bell)
        self.hearing = Presenter(
            client, self.lines, self.above, self.crowd, self.once, self.mark, self.bell, self.known, self.filter
        )
        self.ignoring = IgnoreList(client, self.filter, self._ask_quietly)
        self.hearing.settings = self._server_settings
        self.transfers = Transfers(client, settings.address, reactor)
        self._files = FileCommands(self.transfers, settings.downloads, self._say)
        self.own = {command.word: command for command in self._own_commands()}
        self.doing = LineInput(
            client, self.hearing, self.terminal.questions, self.own, reactor.seconds, self._ask_quietly
        )
        ask, keep = self.terminal.questions.ask, self.terminal.keep
        self.pasting = Paste(ask, self.doing.say, self._say, self.doing.looks_secret, keep)
        self._countdown = Countdown(reactor, lambda: client.retry_in, self.terminal.refresh)
        self._leaving = False
        self._refused: Denied | None = None  # the server's refusal of our name or login
        self._looking: Any = None  # the delayed call of _look_at_files
        self._asked_who = -FRESH
        self._learn_commands()
        self.terminal.line.on_text_changed += lambda buffer: self._typing(buffer.text)

    def _own_commands(self) -> list[LocalCommand]:
        """Return the commands that the client carries out itself."""
        local = LocalCommands(
            self._say,
            self.clear,
            self.terminal.leave,
            self.bell,
            self.lines,
            self.filter,
            self.ignoring,
            lambda coroutine: self.doing.start(coroutine),
            lambda do, **fields: self.doing.give(do, **fields),
            UserLookup(self._client, self.hearing, self.known, self.filter).find,
        )
        help = LocalCommand("/help [command]", "explain the commands, or one of them", self._help, "end")
        files = [
            LocalCommand(usage, help, partial(self._file, word), "share") for word, (usage, help) in USAGES.items()
        ]
        return [help, *local.commands(), *files]

    async def run(self) -> None:
        """Run until the user leaves."""
        try:
            await Deferred.fromFuture(asyncio.ensure_future(self.terminal.run()))
        finally:
            self.terminal.questions.end()
            self._countdown.end()
            self._leave_files()
            self.once.flush()
            self.crowd.flush()
            self.above.flush()
            save(self._path, SavedState(self.mark.seen, self.ignoring.remembered))

    def tell(self, event: e.Event | Notice) -> None:
        """Show an event or a notice. An error in showing it is logged, and does not end the connection."""
        try:
            self._tell(event)
        except Exception:
            _log.failure("what came could not be shown")

    def _tell(self, event: e.Event | Notice) -> None:
        """Show an event or a notice, and do what follows from it, such as asking for another name."""
        self.hearing.tell(event)
        self.terminal.refresh()
        if isinstance(event, Lost):
            self._countdown.begin()
        if isinstance(event, a.Entered):
            self.doing.refused_room = ""
        if isinstance(event, Connected):
            self._connected(event)
        elif isinstance(event, Denied) and (event.what == "name" or event.code in WORTHLESS):
            self._refused = event
            if self._client.online:
                self._ask_for_a_name()
        elif isinstance(event, Denied) and event.what == "room":
            self.doing.refused_room = event.wanted
        elif isinstance(event, a.Account):
            self.ignoring.changed_user()
            if not (event.guest or isinstance(event, a.Unchanged)):
                self.doing.start(self.doing.join_refused_room())
            if event.operator:
                self._ask_quietly("help", a.Help)  # there are more commands now
        elif isinstance(event, a.Entered) and event.made and not event.created:
            self._ask_quietly("rooms", a.Rooms).addCallback(self._room_made, event.room)

    def waits_for_the_end(self) -> None:
        """Tell the user that the program waits for the server before it ends."""
        self._say("waiting until the server has stored what you said; Ctrl-C gives up.")
        self.above.flush()

    def clear(self) -> None:
        """Clear the screen."""
        self.above.flush()
        self.terminal.clear()

    # ---- keys ------------------------------------------------------------------------------------------------------

    def interrupt(self, held: bool) -> None:
        """Handle Ctrl-C: cancel a question or stop a paste; the second time in a row on an empty line, leave.

        Args:
            held: Whether the line had any text, which is cleared already.
        """
        if self.terminal.questions.current is not None:
            self.terminal.questions.cancel()
        elif held or self.pasting.stop():
            self._leaving = False
        elif self._leaving:
            self.terminal.leave()
        else:
            self._leaving = True
            self._say("press Ctrl-C again to leave, or Ctrl-D.")

    def pasted(self, text: str) -> None:
        """Ask how to say a pasted text of several lines, unless another question is open."""
        if self.terminal.questions.current is None:
            self.doing.start(self.pasting.pasted(text))

    # ---- details ---------------------------------------------------------------------------------------------------

    def _parts(self) -> Parts:
        ending = (self.interrupt, self._end, lambda: self.terminal.suspend())
        actions = Actions(*ending, self.clear, self.pasted, self._focus)
        history = SavedHistory(self._settings.state / "history", kept_nowhere)
        completer = ChatCompleter(self.known)
        keys = bindings(actions)
        shown, typed = (self._prompt, self._bar, self._under_way), (self._typed, lambda line: self.doing.refuses(line))
        return Parts(*shown, *typed, history, completer, keys, lambda: not self._client.inside)

    def _prompt(self) -> Line:
        room = fitted(clean(self._client.room), self.terminal.columns // 3)
        return [("class:prompt", f"[{room or '-'}] ")]

    def _bar(self) -> Line:
        return bar(self._client, self._settings.address, self.terminal.columns)

    def _under_way(self) -> list[str]:
        lines = self.transfers.lines()
        more = [f"and {len(lines) - FILES_SHOWN} more"] if len(lines) > FILES_SHOWN else []
        return [*lines[:FILES_SHOWN], *more]

    def _typed(self, line: str) -> None:
        """Carry out a typed line; an empty line without a connection tries to connect now."""
        self._leaving = False
        if not line.strip() and self._client.try_now():
            self._say("trying again now.")
            self._countdown.begin()
        self.doing.typed(line)

    def _end(self) -> None:
        if self.terminal.questions.current is not None:
            self.terminal.questions.cancel()
        else:
            self.terminal.leave()

    def _focus(self, there: bool) -> None:
        self.mark.focus(there)

    def _file(self, word: str, rest: str) -> None:
        self.doing.start(self._files.run(word, rest))
        if self._looking is None:
            self._look_at_files()

    def _look_at_files(self) -> None:
        """Redraw the bar regularly while files are being sent or fetched."""
        self._looking = self._reactor.callLater(PROGRESS, self._look_at_files) if self.transfers.lines() else None
        self.terminal.refresh()

    def _leave_files(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
        for line in self.transfers.lines():
            self._say(f"{line}: stopped; the same command continues it next time.")

    def _show(self, event: e.Event) -> None:
        self.hearing.show(event)

    def _show_many(self, text: str) -> None:
        self.above.add(self.lines.about_many(text))

    def _say(self, text: str) -> None:
        self.hearing.say(text)

    def _learn_commands(self) -> None:
        """Offer the commands that the client knows for completion; the server's help replaces its commands later."""
        for row in (row for row in TABLE if row.slash):
            self.known.add_command(row.usage, "")
            for word in row.slash:
                self.known.add_usage(word, "" if row.secret else row.usage)
        for command in self.own.values():
            self.known.add_usage(command.word, command.usage)
            self.known.add_command(command.usage, command.help)
            self.known.own.append(a.HelpLine(command.usage, command.help))
            self.known.topics[f"/{command.word}"] = command.topic

    def _help(self, rest: str) -> None:
        """Handle ``/help``: explain one of the client's own commands, or ask the server to explain its commands."""
        command = self.own.get(rest.removeprefix("/").lower())
        if command is not None:
            self._say(f"{command.usage}: {command.help}.")
        elif rest.lower() == OWN_TOPIC:
            self.hearing.show(a.Help(self.known.own, title=OWN_TITLE))
        else:
            self.doing.start(self.doing.give("help", **({"command": rest} if rest else {})))

    def _server_settings(self, settings: a.Settings) -> a.Settings:
        self.ignoring.heard(settings)
        return self.ignoring.whole(settings)

    def _connected(self, what: Connected) -> None:
        self.doing.start(self.ignoring.restore())
        if self._refused is not None or (not what.again and what.guest and what.name.startswith("guest-")):
            self._ask_for_a_name()
        if not what.again:
            self._arrived()

    def _ask_for_a_name(self) -> None:
        """Ask for a name, or for the password of the account whose name or login was refused."""
        refused, self._refused = self._refused, None
        self.doing.start(self.doing.take_a_name(refused))

    def _arrived(self) -> None:
        """Learn the server's commands, rooms and users, for completion."""
        for do, answer in (("help", a.Help), ("rooms", a.Rooms), ("who", a.Users)):
            self._ask_quietly(do, answer)

    def _room_made(self, rooms: a.Rooms | None, room: str) -> None:
        """Tell the user that joining has made a new room, and which existing room may have been meant."""
        near = nearest(room, [line.room for line in rooms.rooms]) if rooms is not None else None
        meant = f" Did you mean {near}? Type /join {near}." if near else ""
        self._say(f"there was no room {room}, so you have created it.{meant}")

    def _typing(self, line: str) -> None:
        """Ask the server who is online when the user types a command that takes a user's name."""
        command, blank, _ = line.partition(" ")
        wanted = blank and "user" in argument_at(self.known.usage(command), 0)
        if wanted and self._client.online and self._reactor.seconds() - self._asked_who >= FRESH:
            self._asked_who = self._reactor.seconds()
            self._ask_quietly("who", a.Users)

    def _ask_quietly(self, do: str, answer: type[e.Event], **fields: Any) -> Deferred[Any]:
        """Give the server a command whose answer is not shown, for instance to learn names for completion.

        Args:
            do: The command's name.
            answer: The kind of its answer.
            fields: The command's other fields.

        Returns:
            A Deferred that fires with the answer, or with None if the command is refused.
        """
        self.hearing.learn_quietly(answer)

        def failed(failure: Any) -> None:
            failure.trap(Rejected)
            self.hearing.learned(answer)

        return self._client.do(do, **fields).addErrback(failed)


async def run(
    reactor: Any,
    client: Callable[[Callable[[e.Event | Notice], None]], Client],
    settings: AppSettings,
) -> None:
    """Run the terminal application until the user leaves or the reactor stops.

    Args:
        reactor: Twisted's reactor on asyncio; it must be the one that was installed.
        client: Given the function that takes events and notices, returns the client, which is started and stopped here.
        settings: What the user wants.
    """
    output = create_output()
    output.enable_cpr = False  # type: ignore[attr-defined]  # do not ask the terminal where the cursor is
    survive_hangup(output, lambda: screen.terminal.leave())
    made = client(lambda event: screen.tell(event))
    screen = App(reactor, made, settings, create_input(), output, wraps_anew=wraps_anew(os.environ))
    gone: Deferred[None] = Deferred()

    def shutdown() -> Deferred[None] | None:
        """Delay the reactor's end until everything is sent; return None if the user is leaving already."""
        if not screen.terminal.app.is_running:
            return None
        screen.terminal.leave()
        return gone

    loop = asyncio.get_event_loop()
    catch(FaultLog(settings.state / "faults.log", screen.hearing.complain), loop)
    reactor.addSystemEventTrigger("before", "shutdown", shutdown)
    terminal = screen.terminal
    handlers = {signal.SIGHUP: terminal.leave, signal.SIGTSTP: terminal.suspend, signal.SIGCONT: terminal.resume}
    for number, handler in handlers.items():  # Twisted handles the other signals
        loop.add_signal_handler(number, handler)
    made.start()
    try:
        await screen.run()
    finally:
        waiting = reactor.callLater(PATIENCE, screen.waits_for_the_end)
        try:
            await made.stop()
        finally:
            if waiting.active():
                waiting.cancel()
            gone.callback(None)
