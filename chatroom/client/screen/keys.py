"""What keys do beside editing: Ctrl-C, Ctrl-D, Ctrl-L, Ctrl-Z, Escape, several lines pasted at once, the focus.

Escape closes the list of completions. A terminal sends Escape before the letter for Alt and a letter, too, so the two
cannot be told apart when they come together: only Alt with a letter that readline edits words with is taken as such.
Whatever else follows Escape is typed. Keys that ``prompt_toolkit`` lets bring back old lines by surprise do nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prompt_toolkit.filters import Always, has_completions, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

LONGEST = 16_384  # characters pasted into the line
_WORD_KEYS = "bcdflu"  # Alt with one of them moves over a word, deletes it, or changes its case
_TYPED = [chr(code) for code in range(ord(" "), 0x7F) if chr(code) not in "["]  # "[" begins what a terminal tells
_IGNORED = ("pageup", "pagedown", "c-pageup", "c-pagedown", "s-pageup", "s-pagedown", "c-up", "c-down")


@dataclass(frozen=True, slots=True)
class Actions:
    """What is called.

    Args:
        interrupt: Ctrl-C was pressed; given whether there was anything in the line, which is empty now.
        end: Ctrl-D was pressed on an empty line.
        suspend: Ctrl-Z was pressed.
        clear: Ctrl-L was pressed.
        pasted: Several lines were pasted, or very much.
        focus: The terminal has got, or lost, the focus.
    """

    interrupt: Callable[[bool], None]
    end: Callable[[], None]
    suspend: Callable[[], None]
    clear: Callable[[], None]
    pasted: Callable[[str], None]
    focus: Callable[[bool], None]


def bindings(actions: Actions) -> KeyBindings:
    """Return the keys; in a search for what was typed before, Ctrl-C and Ctrl-D are about that search."""
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
    """Let Escape close the list of completions, and lose nothing that is typed after it."""

    @keys.add("escape", filter=has_completions)
    def close(event: KeyPressEvent) -> None:
        event.current_buffer.cancel_completion()

    for char in _TYPED:
        keys.add("escape", char, filter=has_completions if char in _WORD_KEYS else Always())(_type)


def _type(event: KeyPressEvent) -> None:
    """Insert the character, after the list of completions has been closed."""
    event.current_buffer.cancel_completion()
    event.current_buffer.insert_text(event.data)


def _ignore(event: KeyPressEvent) -> None:
    """Do nothing."""
