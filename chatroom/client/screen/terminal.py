"""The terminal: an input line with a bar below it, and above them what has been said, in the terminal's own scrollback.

``prompt_toolkit`` draws and edits. Lines are written above the input line in one go: the input line is taken away, they
are written, it is drawn again, all before anything else can happen; so nothing that arrives can clobber what is typed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from prompt_toolkit.application import Application
from prompt_toolkit.application.current import set_app
from prompt_toolkit.application.run_in_terminal import run_in_terminal
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer
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
from chatroom.client.screen.job_control import stop_until_continued
from chatroom.client.screen.questions import Question, Questions
from chatroom.client.screen.redraw import Redraw
from chatroom.model.text import clean

MENU = 8  # rows
_FOCUS_TOLD, _FOCUS_UNTOLD = "\x1b[?1004h", "\x1b[?1004l"
_TOGETHER, _TOGETHER_UNTIL_HERE = "\x1b[?2026h", "\x1b[?2026l"  # terminals that know it show all of it at once
_STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "bar": "reverse",
        "completion-menu": "noreverse bg:#444444 #eeeeee",
        "completion-menu.completion.current": "noreverse bg:#d7d7d7 #000000 bold",
        "completion-menu.meta.completion": "noreverse bg:#444444 #bcbcbc",
        "completion-menu.meta.completion.current": "noreverse bg:#d7d7d7 #000000",
    }
)


@dataclass
class Parts:
    """What the terminal asks, and tells.

    Args:
        prompt: Returns what stands before what is typed.
        bar: Returns what stands below it.
        under_way: Returns the lines that stand between the two.
        typed: Given each line that is typed.
        history: Of the lines typed.
        completer: Of the line that is being typed.
        keys: What keys do, beside what they always do.
        bare: Returns whether commands need no slash in the line.
    """

    prompt: Callable[[], Line]
    bar: Callable[[], Line]
    under_way: Callable[[], list[str]]
    typed: Callable[[str], None]
    history: History
    completer: Completer
    keys: KeyBindingsBase
    bare: Callable[[], bool] = lambda: False


@dataclass
class Terminal:
    """See the module.

    Args:
        parts: What to show.
        input: Where keys come from.
        output: Where everything goes.
        colours: Whether there are any; None: what the terminal can, and NO_COLOR forbids.
        stop: Stops this process; returns when it goes on.
        wraps_anew: The terminal wraps its lines anew when its width changes.
    """

    parts: Parts
    input: Input
    output: Output
    colours: bool | None = None
    stop: Callable[[], None] = stop_until_continued
    wraps_anew: bool = True
    questions: Questions = field(init=False)
    line: Buffer = field(init=False)
    answer: Buffer = field(init=False)
    app: Application[None] = field(init=False)

    def __post_init__(self) -> None:
        self.questions = Questions(self._question_changed)
        self.line = self._line_buffer()
        self.answer = Buffer(multiline=False, history=DummyHistory(), accept_handler=self._answered)
        self.answer.on_text_insert += self._pressed
        self.app = Application(
            layout=self._layout(),
            key_bindings=self.parts.keys,
            style=_STYLE,
            include_default_pygments_style=False,
            color_depth=ColorDepth.DEPTH_1_BIT if self.colours is False else None,
            input=self.input,
            output=self.output,
            erase_when_done=True,
            terminal_size_polling_interval=None,
        )
        self.app.renderer = Redraw(self.app.renderer.style, self.output, wraps_anew=self.wraps_anew)
        self.app.ttimeoutlen = 0.1  # seconds until Escape is a key of its own, and no part of another
        self.app.timeoutlen = 0  # then it does at once what it does

    async def run(self) -> None:
        """Show it until ``leave``; the terminal is afterwards as it was before. To be run by asyncio."""
        self._tell_focus(True)
        try:
            await self.app.run_async(handle_sigint=False, set_exception_handler=False)
        except EOFError:
            pass  # no key will ever come again: that is a way to leave, too
        finally:
            self._tell_focus(False)

    def leave(self) -> None:
        """End ``run``."""
        if self.app.is_running and self.app.future is not None and not self.app.future.done():
            self.app.exit()

    # ---- stopping and going on ---------------------------------------------------------------------------------

    def suspend(self) -> None:
        """Give the terminal to the shell, as it was before, until the process is let go on; then draw anew."""
        if self.app.is_running:
            with set_app(self.app):
                run_in_terminal(self._stopped)

    def resume(self) -> None:
        """The process goes on, and may have been stopped without being asked: take the terminal, and draw anew."""
        if self.app.is_running:
            self.input.raw_mode().__enter__()  # how it was before is known since ``run``
            self._tell_focus(True)
            with set_app(self.app):
                self.app.renderer.erase()
                self.app.renderer.render(self.app, self.app.layout)

    def _stopped(self) -> None:
        self._tell_focus(False)
        self.stop()
        self._tell_focus(True)

    def _tell_focus(self, on: bool) -> None:
        """Let the terminal tell when it gets or loses the focus; a shell would show that as strange letters."""
        self.output.write_raw(_FOCUS_TOLD if on else _FOCUS_UNTOLD)
        self.output.flush()

    # ---- showing -----------------------------------------------------------------------------------------------

    def write(self, pieces: Line) -> None:
        """Write lines above the input line.

        Args:
            pieces: Clean text with styles; newlines end lines.
        """
        pieces_: Any = pieces
        if not self.app.is_running:
            print_formatted_text(self.output, pieces_, _STYLE, color_depth=self.app.color_depth)
            return
        with set_app(self.app):
            self.output.write_raw(_TOGETHER)
            self.app.renderer.erase()
            print_formatted_text(self.output, pieces_, _STYLE, color_depth=self.app.color_depth)
            self.app.renderer.render(self.app, self.app.layout)
            self.output.write_raw(_TOGETHER_UNTIL_HERE)
            self.output.flush()

    def refresh(self) -> None:
        """Draw the prompt and the bar again soon: something of them may have changed."""
        self.app.invalidate()

    @property
    def columns(self) -> int:
        """The terminal's width."""
        return self.output.get_size().columns

    def bell(self) -> None:
        """Ring."""
        self.output.bell()
        self.output.flush()

    def clear(self) -> None:
        """Take everything off the screen, and draw the input line at the bottom.

        At the top, tmux would move its first rows out of reach when the terminal becomes narrower.
        """
        with set_app(self.app):
            self.app.renderer.clear()
            self.output.cursor_goto(self.output.get_size().rows - 1, 0)
            self.app.renderer.render(self.app, self.app.layout)

    # ---- asking ------------------------------------------------------------------------------------------------

    def _question_changed(self) -> None:
        self.answer.reset()
        if self.app.layout.is_searching:
            with set_app(self.app):
                stop_search()
        self.app.layout.focus(self.answer if self.questions.current else self.line)
        self.app.invalidate()

    def _pressed(self, buffer: Buffer) -> None:
        """A letter has been typed at a question; it may be an answer alone."""
        question = self.questions.current
        if question is not None and buffer.text and buffer.text.lower() in question.keys:
            self._answered(buffer)

    def _answered(self, buffer: Buffer) -> bool:
        text = buffer.text
        buffer.reset()
        if self.questions.current:
            self.questions.answered(text)
        return False

    def _typed(self, buffer: Buffer) -> bool:
        """Forget the line before it does anything; whether it is kept is the history's to decide."""
        text = buffer.text
        if text.strip() and [text] != self.parts.history.get_strings()[-1:]:
            self.parts.history.append_string(text)
        buffer.reset()
        self.parts.typed(text)
        return False

    # ---- layout ------------------------------------------------------------------------------------------------

    def _line_buffer(self) -> Buffer:
        return Buffer(
            multiline=False,
            history=self.parts.history,
            completer=self.parts.completer,
            complete_while_typing=Condition(lambda: self.line.text.startswith("/") and " " not in self.line.text),
            enable_history_search=True,
            accept_handler=self._typed,
        )

    def _layout(self) -> Layout:
        """Return the input line, or the search or the question instead, and the bar; completions float above."""
        search = SearchBufferControl(input_processors=[ReverseSearchProcessor()])
        line = Window(
            BufferControl(
                self.line,
                input_processors=[HiddenSecrets(self.parts.bare)],
                search_buffer_control=search,
                preview_search=True,
            ),
            height=self._line_height,
            get_line_prefix=_first_line(self.parts.prompt),
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
        body = HSplit([*lines, self._under_way(), self._bar(), Window()])
        return Layout(FloatContainer(body, [menu]), focused_element=line)

    def _under_way(self) -> ConditionalContainer:
        control = FormattedTextControl(lambda: "\n".join(f" {clean(line)}" for line in self.parts.under_way()))
        window = Window(control, dont_extend_height=True)
        return ConditionalContainer(window, Condition(lambda: bool(self.parts.under_way())))

    def _bar(self) -> Window:
        control = FormattedTextControl(lambda: [(style, clean(text)) for style, text in self.parts.bar()])
        return Window(control, style="class:bar", height=1, dont_extend_height=True)

    def _line_height(self) -> Dimension:
        """Room for the menu is made only while there is one."""
        return Dimension(min=1 + MENU if self.line.complete_state is not None else 1)

    def _question(self) -> Line:
        question: Question | None = self.questions.current
        return [("class:prompt", clean(question.words))] if question else []


def _first_line(words: Callable[[], Line]) -> Callable[[int, int], Any]:
    """Return what puts the words before the first line alone; what is wrapped goes on below them."""
    return lambda number, wraps: words() if not (number or wraps) else []
