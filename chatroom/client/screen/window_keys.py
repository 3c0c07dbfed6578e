"""Keys for windows: Alt and a digit, Alt and an arrow, Alt-A, and the keys that scroll.

For Alt and a character, a terminal sends Escape and the character, so both typed quickly look the same. If there is no
window to go to, and more was typed at once, the character is inserted: then it was no Alt key.
"""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.filters import Condition, has_completions, is_searching
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent

from chatroom.client.screen.switching import Switcher


def window_bindings(switcher: Callable[[], Switcher]) -> KeyBindings:
    """Return the key bindings.

    Args:
        switcher: Returns what goes from window to window and scrolls.
    """
    keys = KeyBindings()
    here = ~is_searching

    def to(number: int) -> Callable[[], bool]:
        return lambda: switcher().go_to_number(number)

    for number in range(10):
        keys.add("escape", str(number), filter=here & ~has_completions)(_or_typed(to(number)))
    for letter in "aA":
        keys.add("escape", letter, filter=here & ~has_completions)(_or_typed(lambda: switcher().go_to_unread()))

    @keys.add("escape", "left", filter=here)
    def before(event: KeyPressEvent) -> None:
        switcher().go_beside(-1)

    @keys.add("escape", "right", filter=here)
    def after(event: KeyPressEvent) -> None:
        switcher().go_beside(1)

    @keys.add("pageup")
    @keys.add("s-pageup")
    def back(event: KeyPressEvent) -> None:
        switcher().scroll(-1)

    @keys.add("pagedown")
    @keys.add("s-pagedown")
    def forward(event: KeyPressEvent) -> None:
        switcher().scroll(1)

    @keys.add("end", filter=Condition(lambda: switcher().scrolled))
    def newest(event: KeyPressEvent) -> None:
        switcher().show_newest()
        event.current_buffer.cursor_position += event.current_buffer.document.get_end_of_line_position()

    return keys


def _or_typed(go: Callable[[], bool]) -> Callable[[KeyPressEvent], None]:
    """Return the function for an Alt key that goes to a window, or inserts the character if it was no Alt key."""

    def pressed(event: KeyPressEvent) -> None:
        following = event.key_processor.input_queue
        if not go() and following and following[0].data.isprintable():
            event.current_buffer.insert_text(event.data)

    return pressed
