"""The terminal application: its parts put together, and run until the user leaves. Import this for terminals only,
because importing takes a tenth of a second."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import merge_key_bindings
from prompt_toolkit.output import Output
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatroom.client.client import Client
from chatroom.client.encryption.secrecy_marks import SecrecyMarks
from chatroom.client.files.transfers import Transfers
from chatroom.client.screen.announcement_coalescing import AnnouncementCoalescing
from chatroom.client.screen.bell import Ring
from chatroom.client.screen.completer import ChatCompleter
from chatroom.client.screen.consequences import Consequences
from chatroom.client.screen.crowds import Crowds
from chatroom.client.screen.encryption_view import EncryptionView
from chatroom.client.screen.file_progress import FileProgress
from chatroom.client.screen.formatter import Formatter, Line, notice
from chatroom.client.screen.help_command import HelpCommand
from chatroom.client.screen.history import SavedHistory
from chatroom.client.screen.hyperlinks import links_on
from chatroom.client.screen.ignore_list import IgnoreList
from chatroom.client.screen.input import LineInput
from chatroom.client.screen.join_coalescing import JoinCoalescing
from chatroom.client.screen.keys import Actions, bindings
from chatroom.client.screen.known_words import KnownWords
from chatroom.client.screen.local_commands import LocalCommand, LocalCommands
from chatroom.client.screen.message_area import MessageArea
from chatroom.client.screen.naming import Naming
from chatroom.client.screen.notifier import Alerts, Way
from chatroom.client.screen.parser import begins_command
from chatroom.client.screen.password_guard import kept_nowhere
from chatroom.client.screen.paste import Paste
from chatroom.client.screen.presenter import Filter, Presenter
from chatroom.client.screen.private_history import PrivateHistory
from chatroom.client.screen.private_lines import PrivateLines
from chatroom.client.screen.quiet_questions import QuietQuestions
from chatroom.client.screen.read_marker import ReadMarker
from chatroom.client.screen.reconnect_countdown import Countdown
from chatroom.client.screen.refused_rooms import RefusedRooms
from chatroom.client.screen.routing import Router
from chatroom.client.screen.saved_state import SavedState, load, save
from chatroom.client.screen.surroundings import Surroundings
from chatroom.client.screen.switching import Switcher
from chatroom.client.screen.terminal import Parts, Terminal
from chatroom.client.screen.typing_people import TypingPeople
from chatroom.client.screen.unsent import Unsent
from chatroom.client.screen.user_lookup import UserLookup
from chatroom.client.screen.window_commands import WindowCommands
from chatroom.client.screen.window_keys import window_bindings
from chatroom.client.screen.window_list import ChatWindow, Windows
from chatroom.client.screen.window_output import WindowOutput
from chatroom.client.status import Connected, ConversationsListed, Lost, Notice
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.key_replies import KeysChanged

_log = Logger()


class AppSettings(Protocol):
    """The settings of the terminal application.

    Args:
        address: Host and port, as the user gave them.
        state: The folder for what the client remembers about this server.
        downloads: The folder for fetched files.
        bell: When the terminal rings.
        timestamps: Whether lines begin with their time.
        colours: Whether to use colours; None: if the terminal can and NO_COLOR is not set.
        links: Whether the terminal can follow links.
        notify: The escape sequence by which the terminal notifies the user.
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
    @property
    def links(self) -> bool: ...
    @property
    def notify(self) -> Way: ...


class App:
    """The terminal application. The client passes each event and notice to ``tell``.

    Args:
        reactor: Tells the time and makes delayed calls.
        client: The client, not started yet.
        settings: What the user wants.
        input: The keys that the user presses.
        output: The terminal to draw on.
        now: Returns the seconds since 1970.
    """

    def __init__(
        self,
        reactor: Any,
        client: Client,
        settings: AppSettings,
        input: Input,
        output: Output,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._reactor = reactor
        self._client = client
        self._settings = settings
        self._path = settings.state / "screen.json"
        before = load(self._path)
        self.known = KnownWords(self._people_here)
        self.filter = Filter(set(before.ignored))
        self.mark = ReadMarker(before.seen)
        marks = SecrecyMarks(client.privacy, lambda: client.name)
        self.lines = Formatter(
            lambda: client.name, lambda: int(now() * 1000), stamps=settings.timestamps, mark=marks.of
        )
        self.windows = Windows()
        self.windows.keep_numbers(client.first_rooms)
        self.known.windows = lambda: [window.label for window in self.windows]
        self.typing = TypingPeople(reactor, self._draw)
        columns, typing = (lambda: output.get_size().columns), self.typing.notice
        self.around = Surroundings(client, self.windows, settings.address, columns, typing, client.privacy)
        self.links = links_on(output, on=settings.links)
        self.terminal: Terminal = Terminal(self._parts(), input, output, settings.colours)
        self._leaving = False
        self._make_output()
        self._make_input()
        self.switcher.begin()
        self.terminal.line.on_text_changed += lambda buffer: self._typing_line(buffer.text)

    def _make_output(self) -> None:
        """Make the parts that show what happens."""
        client, reactor, draw = self._client, self._reactor, self._draw
        self.output = WindowOutput(self.windows, draw)
        self.switcher: Switcher = Switcher(self.windows, client, self.terminal, draw)
        self.router = Router(self.windows, lambda: client.rooms, lambda: client.name)
        self.crowds = Crowds(self.windows, self._crowd)
        self.once = AnnouncementCoalescing(reactor, self._announced)
        self.alerts = Alerts(reactor.seconds, self.terminal, self._settings.bell, self._settings.notify)
        self.hearing = Presenter(
            client, self.lines, self.output, self.router, self.crowds, self.once, self.mark, self.alerts, self.known,
            self.filter, self.typing,
        )  # fmt: skip
        self.hearing.settings = self._server_settings
        self.past = PrivateHistory(client, self.windows, self.lines, self.output, self.filter)
        self.switcher.came_to_front = self._came_to_front
        self.refused = RefusedRooms(self.windows, self.hearing.complain)
        self._say = self.hearing.say
        self._countdown = Countdown(reactor, lambda: client.retry_in, draw)

    def _make_input(self) -> None:
        """Make the parts that carry out what the user types."""
        client, reactor, settings = self._client, self._reactor, self._settings
        ask, draw = self.terminal.questions.ask, self._draw
        self.quiet = QuietQuestions(client, self.hearing, self.known, reactor.seconds, self._say)
        self.ignoring = IgnoreList(client, self.filter, self.quiet.ask)
        self.transfers = Transfers(client, settings.address, reactor)
        shown = self.windows.newest_first, lambda: self.windows.person
        self.files = FileProgress(reactor, self.transfers, settings.downloads, self._say, self._start, draw, *shown)
        size = self.terminal.output.get_size
        self.encryption = EncryptionView(
            client.privacy, self._say, self.output.add, ask, size, self._start, lambda: self.windows.person, draw,
            self.terminal.leave,
        )  # fmt: skip
        self.unsent = Unsent(self.windows, self.terminal, self.output)
        self._help = HelpCommand(self.known, self._say, self.hearing.show, self._ask_for_help)
        self.own = {command.word: command for command in self._own_commands()}
        self.doing = LineInput(
            client, self.windows, self.hearing, self.terminal.questions, self.own, reactor.seconds, self.switcher.go,
            self.unsent.put_back,
        )  # fmt: skip
        self.naming = Naming(
            client, self.hearing, self.terminal.questions, self.quiet.ask, lambda line: self.doing.typed(line)
        )
        self.consequences = Consequences(client, self.doing, self.ignoring, self.naming, self.quiet)
        line = self.terminal.line
        self.pasting = Paste(
            ask, self._say, self.doing.looks_secret, self.terminal.keep,
            lambda text: begins_command(text, self.own), line.insert_text,
        )  # fmt: skip
        self._help.learn(self.own)

    def _own_commands(self) -> list[LocalCommand]:
        """Return the commands that the client carries out itself."""
        find = UserLookup(self._client, self.hearing, self.known, self.filter).find
        local = LocalCommands(
            self._say,
            self.clear,
            self.terminal.leave,
            self.alerts.bell,
            self.lines,
            self.filter,
            self.ignoring,
            self._start,
            lambda do, **fields: self.doing.give(do, **fields),
            find,
        )
        windows = WindowCommands(
            self.windows, self.switcher, self._say, find, lambda *said: self.doing.say(*said), self._start
        )
        others = (windows, self.files, self.encryption)
        return [self._help.command(), *local.commands(), *(command for each in others for command in each.commands())]

    async def run(self) -> None:
        """Run until the user leaves."""
        try:
            await Deferred.fromFuture(asyncio.ensure_future(self.terminal.run()))
        finally:
            self.terminal.questions.end()
            self._countdown.end()
            self.files.end()
            self.typing.end()
            self.once.flush()
            self.crowds.flush()
            self._print_last_screen()
            for room in self._client.rooms.values():
                if room.unread:
                    self.mark.unread(room.room, room.read)
            save(self._path, SavedState(self.mark.seen, self.ignoring.remembered))

    def tell(self, event: e.Event | Notice) -> None:
        """Show an event or a notice. An error in showing it is logged, and does not end the connection."""
        try:
            self._tell(event)
        except Exception:
            _log.failure("what came could not be shown")

    def _tell(self, event: e.Event | Notice) -> None:
        """Show an event or a notice, and do what follows from it, such as asking for another name."""
        self.switcher.before(event)
        self.hearing.tell(event)
        self.switcher.after(event)
        self.past.told(event)
        self.refused.told(event)
        self.files.told(event)
        self.terminal.refresh()
        if isinstance(event, Connected | ConversationsListed | KeysChanged):
            self.encryption.look()
        if isinstance(event, Lost):
            self._countdown.begin()
        self.consequences.told(event)

    def waits_for_the_end(self) -> None:
        """Tell the user that the program waits for the server before it ends."""
        self.terminal.print(
            [*notice("waiting until the server has stored what you said; Ctrl-C gives up."), ("", "\n")]
        )

    def clear(self) -> None:
        """Show an empty window; scrolling back shows its lines again."""
        self.windows.front.position = None
        self.windows.front.lines.hide_all()
        self.terminal.draw_anew()

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
            front = self.windows.front
            rest = partial(self.unsent.show, window=front)
            self.doing.start(self.pasting.pasted(text, lambda message: self.doing.say(message, front), rest))
        else:
            self.hearing.complain("answer the question first, then paste again; nothing was pasted.")

    # ---- what is shown ---------------------------------------------------------------------------------------------

    def _parts(self) -> Parts:
        ending = (self.interrupt, self._end, lambda: self.terminal.suspend())
        actions = Actions(*ending, self.clear, self.pasted, self._focus)
        private = PrivateLines(self._client, self.windows, lambda: self.own)
        history = SavedHistory(self._settings.state / "history", kept_nowhere, private.has)
        completer = ChatCompleter(self.known)
        area = MessageArea(lambda: self.windows.front, self.around.topic, self._drawn, self.links)
        keys = merge_key_bindings([bindings(actions), window_bindings(lambda: self.switcher)])
        return Parts(
            area,
            self.around.prompt,
            self._bar,
            lambda: self.files.lines(),
            self._typed,
            lambda line: self.doing.refuses(line),
            history,
            completer,
            keys,
            lambda: not self._client.inside,
        )

    def _bar(self) -> Line:
        self.switcher.count()
        return self.around.bar()

    def _people_here(self) -> list[str]:
        """Return who hears what is said in the window in front."""
        return [self.windows.person] if self.windows.person else self._client.users

    def _draw(self) -> None:
        self.terminal.refresh()

    def _drawn(self, window: ChatWindow) -> None:
        self.switcher.drawn(window)

    def _print_last_screen(self) -> None:
        """Leave what the window in front shows on the shell's screen, so that nothing seems lost."""
        self.windows.front.position = None
        for row in self.terminal.view.rows(self.windows.front):
            self.terminal.print([*row, ("", "\n")])

    # ---- details ---------------------------------------------------------------------------------------------------

    def _typed(self, line: str) -> None:
        """Carry out a typed line; an empty line without a connection tries to connect now."""
        self._leaving = False
        self.refused.forget()
        self.switcher.show_newest()
        if not line.strip() and self._client.try_now():
            self._say("trying again now.")
            self._countdown.begin()
        self.doing.typed(line)

    def _typing_line(self, line: str) -> None:
        """Act on what is in the input line, while the user types."""
        self.quiet.typing(line)
        if line.strip() and not line.startswith("/"):
            if self.windows.person:
                self._client.typing(user=self.windows.person)
            elif self._client.room:
                self._client.typing(room=self._client.room)

    def _end(self) -> None:
        if self.terminal.questions.current is not None:
            self.terminal.questions.cancel()
        else:
            self.terminal.leave()

    def _came_to_front(self, window: ChatWindow) -> None:
        self.past.fetch(window)
        self.encryption.look()

    def _focus(self, there: bool) -> None:
        self.switcher.focus(there)
        self.alerts.focus(there)

    def _start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self.doing.start(coroutine)

    def _announced(self, event: e.Arrived | e.Departed) -> None:
        self.hearing.came_or_went(event)

    def _crowd(self, window: ChatWindow) -> JoinCoalescing:
        def together(text: str) -> None:
            self.output.add(self.lines.about_many(text), window)

        return JoinCoalescing(self._reactor, lambda event: self.hearing.show(event), together)

    def _ask_for_help(self, **fields: str) -> None:
        self.doing.start(self.doing.give("help", **fields))

    def _server_settings(self, settings: a.Settings) -> a.Settings:
        self.ignoring.heard(settings)
        return self.ignoring.whole(settings)
