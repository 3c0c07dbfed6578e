"""Keys that do more than editing: Ctrl-C, Ctrl-D, Ctrl-L, Ctrl-Z, Escape, pasting several lines, the terminal's focus.

Alt-Enter begins another line of the same message.

Escape closes the list of completions. For Alt and a letter, a terminal sends Escape and the letter, which looks the
same as both keys typed quickly. Only letters that edit words in readline, and the keys of ``window_keys.py``, count as
Alt; any other character after Escape is typed. Keys with which ``prompt_toolkit`` would recall old lines do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prompt_toolkit.filters import Always, has_completions, has_focus, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

LINE = "line"  # the name of the input line's buffer; only there a text may have several lines
LONGEST = 16_384  # characters pasted into the line
_WORD_KEYS = "bcdflu"  # letters: with Alt, each moves over a word, deletes a word, or changes its case
_TYPED = [chr(code) for code in range(ord(" "), 0x7F) if chr(code) not in "["]  # "[" begins a terminal's own sequences
_IGNORED = ("c-pageup", "c-pagedown", "c-up", "c-down")


@dataclass(frozen=True, slots=True)
class Actions:
    """The functions that keys call.

    Args:
        interrupt: Called for Ctrl-C, after the line is cleared, with whether the line had any text.
        end: Called for Ctrl-D on an empty line.
        suspend: Called for Ctrl-Z.
        clear: Called for Ctrl-L.
        pasted: Called with a pasted text that is long or has several lines.
        focus: Called when the terminal gets or loses the focus, with whether the terminal has the focus now.
    """

    interrupt: Callable[[bool], None]
    end: Callable[[], None]
    suspend: Callable[[], None]
    clear: Callable[[], None]
    pasted: Callable[[str], None]
    focus: Callable[[bool], None]


def bindings(actions: Actions) -> KeyBindings:
    """Return the key bindings. During a search in the history, Ctrl-C and Ctrl-D belong to that search."""
    keys = KeyBindings()
    _bind_escape(keys)
    for key in _IGNORED:
        keys.add(key)(_ignore)

    @keys.add("c-c", filter=~is_searching)
    def interrupt(event: KeyPressEvent) -> None:
        held = bool(event.current_buffer.text)
        event.current_buffer.reset()
        actions.interrupt(held)

    @keys.add("c-d", filter=~is_searching)
    def end(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.delete()
        else:
            actions.end()

    @keys.add("c-z")
    def suspend(event: KeyPressEvent) -> None:
        actions.suspend()

    @keys.add("c-l")
    def clear(event: KeyPressEvent) -> None:
        actions.clear()

    @keys.add("escape", "enter", filter=has_focus(LINE))
    def another_line(event: KeyPressEvent) -> None:
        event.current_buffer.cancel_completion()
        event.current_buffer.insert_text("\n")

    @keys.add(Keys.BracketedPaste)
    def paste(event: KeyPressEvent) -> None:
        text = event.data.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
        if "\n" in text or len(text) > LONGEST:
            actions.pasted(text)
        else:
            event.current_buffer.insert_text(text)

    @keys.add("escape", "[", "I")
    def gained(event: KeyPressEvent) -> None:
        actions.focus(True)

    @keys.add("escape", "[", "O")
    def lost(event: KeyPressEvent) -> None:
        actions.focus(False)

    return keys


def _bind_escape(keys: KeyBindings) -> None:
    """Make Escape close the list of completions without losing the characters typed after Escape."""

    @keys.add("escape", filter=has_completions)
    def close(event: KeyPressEvent) -> None:
        event.current_buffer.cancel_completion()

    for char in _TYPED:
        keys.add("escape", char, filter=has_completions if char in _WORD_KEYS else Always())(_type)


def _type(event: KeyPressEvent) -> None:
    """Close the list of completions, then insert the character."""
    event.current_buffer.cancel_completion()
    event.current_buffer.insert_text(event.data)


def _ignore(event: KeyPressEvent) -> None:
    """Do nothing."""
