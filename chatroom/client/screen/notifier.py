"""Notifications on the desktop by way of the terminal: for private messages and mentions, while it has no focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from chatroom.client.screen.bell import PAUSE, Bell, Ring
from chatroom.model import events as e
from chatroom.model.text import clean, on_one_line, shortened

TITLE = "chatroom"
Way = Literal["osc9", "osc777", "off"]
LONGEST = 120  # characters of a notification


class Notifier:
    """Notifies the user.

    Args:
        seconds: Returns the time in seconds.
        write: Writes an escape sequence to the terminal.
        way: The escape sequence that the terminal knows.
    """

    def __init__(self, seconds: Callable[[], float], write: Callable[[str], None], way: Way) -> None:
        self._seconds = seconds
        self._write = write
        self._way = way
        self._last = -PAUSE
        self._there = True

    def focus(self, there: bool) -> None:
        """Note whether the terminal has the focus. A terminal that does not tell is taken to have it."""
        self._there = there

    def heard(self, event: e.Event, *, own: bool, mentioned: bool) -> None:
        """Notify the user of a private message, a file for the user or a mention, unless the last notification was
        less than a second ago.

        Args:
            event: The event.
            own: Whether the event is the user's own.
            mentioned: Whether it mentions the user's name.
        """
        if self._way == "off" or self._there or own or not (mentioned or e.of_inbox(event)):
            return
        if self._seconds() - self._last >= PAUSE:
            self._last = self._seconds()
            self._write(sequence(self._way, _words(event)))


class CanAlert(Protocol):
    """The part of a ``Terminal`` that is used here."""

    def bell(self) -> None: ...
    def notify(self, sequence: str) -> None: ...


class Alerts:
    """The bell and the notifier.

    Args:
        seconds: Returns the time in seconds.
        terminal: Rings, and writes escape sequences.
        mode: When to ring.
        way: The escape sequence for notifications that the terminal knows.

    Attributes:
        bell: The bell.
    """

    def __init__(self, seconds: Callable[[], float], terminal: CanAlert, mode: Ring, way: Way) -> None:
        self.bell = Bell(seconds, terminal.bell, mode)
        self._notifier = Notifier(seconds, terminal.notify, way)

    def focus(self, there: bool) -> None:
        """See ``Notifier``."""
        self._notifier.focus(there)

    def heard(self, event: e.Event, *, own: bool, mentioned: bool) -> None:
        """See ``Bell`` and ``Notifier``."""
        self.bell.heard(event, own=own, mentioned=mentioned)
        self._notifier.heard(event, own=own, mentioned=mentioned)


def sequence(way: Literal["osc9", "osc777"], text: str) -> str:
    """Return the escape sequence for a notification.

    Args:
        way: The kind of the sequence.
        text: The text; what could end the sequence, or begin another part of it, is taken out here.
    """
    plain = shortened(clean(on_one_line(text)).replace(";", ","), LONGEST)
    return f"\x1b]9;{plain}\x1b\\" if way == "osc9" else f"\x1b]777;notify;{TITLE};{plain}\x1b\\"


def _words(event: e.Event) -> str:
    by, text, room = (getattr(event, field, "") for field in ("by", "text", "room"))
    return f"{by}{f' in {room}' if room else ' (private)'}: {text}"
