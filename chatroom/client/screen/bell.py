"""When the terminal rings: never, for messages that concern the user, or for every message; at most once a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from chatroom.model import events as e

Ring = Literal["off", "private", "all"]
RINGS: tuple[str, ...] = get_args(Ring)
PAUSE = 1.0  # least seconds between two rings


class Bell:
    """Decides whether to ring.

    Args:
        seconds: Returns the time in seconds.
        ring: Rings the terminal's bell.
        mode: When to ring: never, for private messages and mentions, or for all messages.
    """

    def __init__(self, seconds: Callable[[], float], ring: Callable[[], None], mode: Ring = "private") -> None:
        self._seconds = seconds
        self._ring = ring
        self._last = -PAUSE
        self.mode: Ring = mode

    def heard(self, event: e.Event, *, own: bool, mentioned: bool) -> None:
        """Ring if the mode asks for it at this event, unless the bell rang less than a second ago.

        Args:
            event: The event.
            own: Whether the event is the user's own.
            mentioned: Whether it mentions the user's name.
        """
        concerns_me = mentioned or e.of_inbox(event)
        worth = concerns_me if self.mode == "private" else self.mode == "all" and isinstance(event, e.MESSAGES)
        if worth and not own and self._seconds() - self._last >= PAUSE:
            self._last = self._seconds()
            self._ring()
