"""When the terminal rings: never, for what concerns oneself, or for every message; never more than once a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from chatroom.model import events as e

Ring = Literal["off", "private", "all"]
RINGS: tuple[str, ...] = get_args(Ring)
PAUSE = 1.0  # seconds


class Bell:
    """Decides.

    Args:
        seconds: Returns the time.
        ring: Rings.
        mode: For what.
    """

    def __init__(self, seconds: Callable[[], float], ring: Callable[[], None], mode: Ring = "private") -> None:
        self._seconds = seconds
        self._ring = ring
        self._last = -PAUSE
        self.mode: Ring = mode

    def heard(self, event: e.Event, *, own: bool, mentioned: bool) -> None:
        """Ring, if it is worth it.

        Args:
            event: What was heard.
            own: One said it oneself.
            mentioned: One's name was said.
        """
        concerns_me = mentioned or isinstance(event, e.Private)
        worth = concerns_me if self.mode == "private" else self.mode == "all" and isinstance(event, e.MESSAGES)
        if worth and not own and self._seconds() - self._last >= PAUSE:
            self._last = self._seconds()
            self._ring()
