"""What keys do beside editing: Ctrl-C, Ctrl-D, Ctrl-L, Ctrl-Z, several lines pasted at once, the terminal's focus."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prompt_toolkit.filters import is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys

LONGEST = 16_384  # characters pasted into the line


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
