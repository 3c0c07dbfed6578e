"""The terminal: the window in front fills the screen; below it are the input line and the bar.

``prompt_toolkit`` draws everything and edits the input line. Whatever changes, the screen is drawn at most once in
20 ms, so thousands of lines that come at once cost no more than a few drawings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.application.current import set_app
from prompt_toolkit.application.run_in_terminal import run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.history import DummyHistory, History
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindingsBase
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    SearchBufferControl,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import ConditionalProcessor, PasswordProcessor, ReverseSearchProcessor
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.search import stop_search
from prompt_toolkit.styles import Style

from chatroom.client.screen.formatter import Line
from chatroom.client.screen.hiding import HiddenSecrets
from chatroom.client.screen.hyperlinks import LinkingStyle
from chatroom.client.screen.job_control import stop_until_continued
from chatroom.client.screen.keys import LINE
from chatroom.client.screen.message_area import MessageArea
from chatroom.client.screen.questions import Question, Questions
from chatroom.client.screen.redraw import FullScreen
from chatroom.client.screen.scrolling import Viewport
from chatroom.model.text import CONTINUATION, clean

MENU = 8  # rows of the completion menu, at most
_FOCUS_TOLD, _FOCUS_UNTOLD = "\x1b[?1004h", "\x1b[?1004l"
TOGETHER = 0.02  # seconds; what changes within them is drawn together
_STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "bar": "reverse",
        "bar.front": "noreverse bold",
        "topic": "underline",
        "completion-menu": "noreverse bg:#444444 #eeeeee",
        "completion-menu.completion.current": "noreverse bg:#d7d7d7 #000000 bold",
        "completion-menu.meta.completion": "noreverse bg:#444444 #bcbcbc",
        "completion-menu.meta.completion.current": "noreverse bg:#d7d7d7 #000000",
    }
)


@dataclass
class Parts:
    """The functions that return what the terminal shows, and the function that is given what the user types.

    Args:
        area: Shows the window in front.
        prompt: Returns the text before the input.
        bar: Returns the bar below the input.
        under_way: Returns the lines between the input and the bar, which show the transfers of files.
        typed: Called with each typed line.
        refuses: Returns whether a typed line cannot be sent as it is; then it stays in the input line.
        history: The history of typed lines.
        completer: Completes the line.
        keys: Key bindings in addition to those for editing.
        bare: Returns whether ``login`` and ``register`` need no slash at present, so that their passwords are hidden.
    """

    area: MessageArea
    prompt: Callable[[], Line]
    bar: Callable[[], Line]
    under_way: Callable[[], list[str]]
    typed: Callable[[str], None]
    refuses: Callable[[str], bool]
    history: History
    completer: Completer
    keys: KeyBindingsBase
    bare: Callable[[], bool] = lambda: False


class LineBuffer(Buffer):
    """The input line. ``Terminal`` adds what is typed to the history, and not what stands there afterwards."""

    def append_to_history(self) -> None:
        """Do nothing."""


@dataclass
class Terminal:
    """What the terminal shows: the lines, the bar and the input line.

    Args:
        parts: Returns what to show, and is given what is typed.
        input: The source of the keys that are pressed.
        output: The terminal to draw on.
        colours: False for no colours; otherwise ``prompt_toolkit`` chooses: as many as the terminal has, and none if
            the variable NO_COLOR is set.
        stop: Stops this process; returns when the process is continued.

    Attributes:
        questions: The questions that the user is asked in place of the input line.
        line: The text of the input line.
        answer: The text that the user types at a question.
        app: The application of ``prompt_toolkit``.
    """

    parts: Parts
    input: Input
    output: Output
    colours: bool | None = None
    stop: Callable[[], None] = stop_until_continued
    questions: Questions = field(init=False)
    line: Buffer = field(init=False)
    answer: Buffer = field(init=False)
    app: Application[None] = field(init=False)
    _screen: FullScreen = field(init=False)

    def __post_init__(self) -> None:
        self.questions = Questions(self._question_changed)
        self.line = self._line_buffer()
        self.answer = Buffer(multiline=False, history=DummyHistory(), accept_handler=self._answered)
        self.app = Application(
            layout=self._layout(),
            key_bindings=self.parts.keys,
            style=_STYLE,
            include_default_pygments_style=False,
            color_depth=ColorDepth.DEPTH_1_BIT if self.colours is False else None,
            input=self.input,
            output=self.output,
            full_screen=True,
            erase_when_done=True,
            min_redraw_interval=TOGETHER,
            terminal_size_polling_interval=None,
        )
        self._screen = FullScreen(LinkingStyle(self.app.renderer.style), self.output)
        self.app.renderer = self._screen
        self.app.ttimeoutlen = 0.1  # seconds until Escape counts as a key of its own, not as part of another
        self.app.timeoutlen = 0  # seconds until Escape, as a key of its own, takes effect

    async def run(self) -> None:
        """Show everything and read keys until ``leave`` is called; then restore the terminal. This is for asyncio."""
        # In the next turn: by then the terminal echoes nothing, and so not its own first report either.
        telling = asyncio.get_running_loop().call_soon(self._tell_focus, True)
        try:
            await self.app.run_async(handle_sigint=False, set_exception_handler=False)
        except EOFError:
            pass  # no key will ever come again: the user has left
        finally:
            telling.cancel()
            self._tell_focus(False)

    def leave(self) -> None:
        """Make ``run`` return."""
        if self.app.is_running and self.app.future is not None and not self.app.future.done():
            self.app.exit()

    # ---- stopping and going on ---------------------------------------------------------------------------------

    def suspend(self) -> None:
        """Restore the terminal and give it to the shell until this process is continued; then redraw."""
        if self.app.is_running:
            with set_app(self.app):
                run_in_terminal(self._stopped)

    def resume(self) -> None:
        """Take the terminal back and redraw it, because the process was continued, perhaps after a forced stop."""
        if self.app.is_running:
            self.input.raw_mode().__enter__()  # ``run`` has stored the terminal's former state
            self._tell_focus(True)
            with set_app(self.app):
                self._screen.draw_anew(self.app)

    def _stopped(self) -> None:
        """Stop this process until it is continued; the terminal sends no focus reports meanwhile."""
        self._tell_focus(False)
        self.stop()
        self._tell_focus(True)

    def _tell_focus(self, on: bool) -> None:
        """Turn the terminal's focus reports on or off; a shell would show the reports as strange letters."""
        self.output.write_raw(_FOCUS_TOLD if on else _FOCUS_UNTOLD)
        self.output.flush()

    # ---- showing -----------------------------------------------------------------------------------------------

    @property
    def view(self) -> Viewport:
        """The part of the screen that shows the window in front."""
        return self.parts.area.view

    def print(self, pieces: Line) -> None:
        """Write text to the shell's screen, after the end.

        Args:
            pieces: Pieces of clean text, each with its style; newlines end lines.
        """
        pieces_: Any = pieces
        print_formatted_text(self.output, pieces_, _STYLE, color_depth=self.app.color_depth)

    def refresh(self) -> None:
        """Redraw the screen soon, because something on it may have changed."""
        self.app.invalidate()

    @property
    def columns(self) -> int:
        """The terminal's width in columns."""
        return self.output.get_size().columns

    def notify(self, sequence: str) -> None:
        """Write an escape sequence that notifies the user; it must hold nothing that others have written unchecked."""
        self.output.write_raw(sequence)
        self.output.flush()

    def bell(self) -> None:
        """Ring the terminal's bell."""
        self.output.bell()
        self.output.flush()

    def draw_anew(self) -> None:
        """Draw everything, for instance because something else has written to the terminal."""
        if self.app.is_running:
            with set_app(self.app):
                self._screen.draw_anew(self.app)

    # ---- the draft -------------------------------------------------------------------------------------------------

    @property
    def draft(self) -> tuple[str, int]:
        """What is typed in the input line, and the position of the cursor in it."""
        return self.line.text, self.line.cursor_position

    @draft.setter
    def draft(self, draft: tuple[str, int]) -> None:
        text, cursor = draft
        if self.app.layout.is_searching:
            with set_app(self.app):
                stop_search()
        self.line.reset(Document(text, min(cursor, len(text))))
        self.app.invalidate()

    def keep(self, text: str) -> None:
        """Put a text of several lines into the input line. It stays a text, even if it begins with ``/``."""
        slash = "/" if text.startswith("/") and not self.line.text else ""
        self.line.insert_text(f"{slash}{text}")

    # ---- asking ------------------------------------------------------------------------------------------------

    def _question_changed(self) -> None:
        """Give the keyboard to the current question, with an empty answer; or to the input line if there is no
        question."""
        self.answer.reset()
        if self.app.layout.is_searching:
            with set_app(self.app):
                stop_search()
        self.app.layout.focus(self.answer if self.questions.current else self.line)
        self.app.invalidate()

    def _answered(self, buffer: Buffer) -> bool:
        """Answer the current question with the typed text. False tells ``prompt_toolkit`` to clear the text."""
        text = buffer.text
        buffer.reset()
        if self.questions.current:
            self.questions.answered(text)
        return False

    def _typed(self, buffer: Buffer) -> bool:
        """Take a typed line: add it to the history, clear the input line, and only then do what the line says.

        The line is not added if it is empty or the same as the last one. Returns whether to keep what the input line
        has now: the text, because it cannot be sent or was refused, or the draft of another window.
        """
        text = buffer.text
        if self.parts.refuses(text):
            return True
        if text.strip() and [text] != self.parts.history.get_strings()[-1:]:
            self.parts.history.append_string(text)
        buffer.reset()
        self.parts.typed(text)
        return bool(buffer.text)

    # ---- layout ------------------------------------------------------------------------------------------------

    def _line_buffer(self) -> Buffer:
        return LineBuffer(
            name=LINE,
            multiline=False,  # Enter sends the text, of one or several lines
            history=self.parts.history,
            completer=self.parts.completer,
            complete_while_typing=Condition(lambda: self.line.text.startswith("/") and " " not in self.line.text),
            enable_history_search=True,
            accept_handler=self._typed,
        )

    def _layout(self) -> Layout:
        """Return the layout: the window in front; the input line, or in its place the search of the history or a
        question; then the bar. The completion menu floats over the window.
        """
        search = SearchBufferControl(input_processors=[ReverseSearchProcessor()])
        line = Window(
            BufferControl(
                self.line,
                input_processors=[HiddenSecrets(self.parts.bare)],
                search_buffer_control=search,
                preview_search=True,
            ),
            height=self._line_height,
            get_line_prefix=_first_line(self.parts.prompt, CONTINUATION),
            wrap_lines=True,
            dont_extend_height=True,
        )
        secret = Condition(lambda: bool(self.questions.current and self.questions.current.secret))
        hidden = ConditionalProcessor(PasswordProcessor(), secret)
        answer = Window(
            BufferControl(self.answer, input_processors=[hidden, HiddenSecrets()]),
            get_line_prefix=_first_line(self._question),
            wrap_lines=True,
            dont_extend_height=True,
        )
        asked = Condition(lambda: self.questions.current is not None)
        menu = Float(CompletionsMenu(max_height=MENU), xcursor=True, ycursor=True)
        searching = Window(search, height=1, dont_extend_height=True)
        lines = (
            ConditionalContainer(line, ~asked & ~is_searching),
            ConditionalContainer(searching, is_searching),
            ConditionalContainer(answer, asked),
        )
        above = FloatContainer(HSplit([self.parts.area, *lines]), [menu])
        return Layout(HSplit([above, self._under_way(), self._bar()]), focused_element=line)

    def _under_way(self) -> ConditionalContainer:
        control = FormattedTextControl(lambda: "\n".join(f" {clean(line)}" for line in self.parts.under_way()))
        window = Window(control, dont_extend_height=True)
        return ConditionalContainer(window, Condition(lambda: bool(self.parts.under_way())))

    def _bar(self) -> Window:
        control = FormattedTextControl(lambda: [(style, clean(text)) for style, text in self.parts.bar()])
        return Window(control, style="class:bar", height=1, dont_extend_height=True)

    def _line_height(self) -> Dimension:
        """Return the bounds of the input line's height: half of the terminal; the completion menu has room in it, so
        that it hides nothing of what is said."""
        most = max(1, self.output.get_size().rows // 2)
        return Dimension(min=min(1 + MENU, most) if self.line.complete_state is not None else 1, max=most)

    def _question(self) -> Line:
        question: Question | None = self.questions.current
        return [("class:prompt", clean(question.words))] if question else []


def _first_line(words: Callable[[], Line], further: str = "") -> Callable[[int, int], Any]:
    """Return a ``get_line_prefix`` for a window: it puts the words before the first row, and ``further`` before each
    further line of the text. Nothing is before the rows into which a long line is wrapped."""
    return lambda number, wraps: [] if wraps else [("class:prompt", further)] if number else words()
