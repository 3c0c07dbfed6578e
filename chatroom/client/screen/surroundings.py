"""What stands around the lines of the window in front: its topic above them, the prompt and the bar below them."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.client.encryption.interface import Privacy
from chatroom.client.encryption.words import state_words
from chatroom.client.screen.bar import BarState, bar, fitted
from chatroom.client.screen.formatter import Line
from chatroom.client.screen.window_list import ChatWindow, WindowKind, Windows
from chatroom.model.text import clean

UNLINKED = "device not linked"


class Surroundings:
    """Returns the texts.

    Args:
        client: Its state is shown in the bar.
        windows: The windows.
        address: Host and port, as the user gave them.
        columns: Returns the terminal's width.
        typing: Returns who is typing in a window.
        privacy: What encrypts messages.
    """

    def __init__(
        self,
        client: BarState,
        windows: Windows,
        address: str,
        columns: Callable[[], int],
        typing: Callable[[ChatWindow], str],
        privacy: Privacy,
    ) -> None:
        self._client = client
        self._windows = windows
        self._address = address
        self._columns = columns
        self._typing = typing
        self._privacy = privacy

    def prompt(self) -> Line:
        """Return what stands before the input: where it goes, or ``[-]`` if nobody hears it."""
        front = self._windows.front
        label = front.label if front.kind is WindowKind.PERSON else self._client.room
        return [("class:prompt", f"[{fitted(clean(label), self._columns() // 3) or '-'}] ")]

    def topic(self, columns: int) -> Line | None:
        """Return the topic of the room in front, in so many columns; None if it has none."""
        front = self._windows.front
        return [("class:topic", fitted(clean(f"{front.label}: {front.topic}"), columns))] if front.topic else None

    def bar(self) -> Line:
        """Return the bar."""
        typing = self._typing(self._windows.front)
        return bar(self._client, self._address, self._columns(), self._windows, typing, self._secrecy())

    def _secrecy(self) -> str:
        """Return who can read what is said in the window in front; empty if this client encrypts nothing.

        Where nothing is encrypted, it says if this device has yet to be linked.
        """
        front, privacy = self._windows.front, self._privacy
        if privacy.encryption is None:
            return ""
        if front.kind is not WindowKind.PERSON:
            word = privacy.encryption.room_word(front.name) if front.kind is WindowKind.ROOM else ""
            return word or (UNLINKED if privacy.encryption.unlinked() else "")
        return state_words(privacy.status(front.name), privacy.path(front.name))
