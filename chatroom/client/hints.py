"""What the client tells the server in passing: how far the user has read, and that the user is typing.

Nobody waits for the answers, and both are sent seldom however often the user of ``Client`` gives them. A ``Place`` is a
room or a person: ``("room", "lobby")`` or ``("user", "bob")``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Place = tuple[Literal["room", "user"], str]

MARK_EVERY = 1.0  # seconds
TYPING_EVERY = 3.0  # seconds
MOST_MARKS = 1000  # that wait for a connection


class ReadMarks:
    """Sends read marks: at once if none was sent lately, otherwise together after ``MARK_EVERY``; the latest wins.

    Args:
        clock: Tells the time and makes delayed calls.
        send: Sends a command by its name and fields. Returns whether there is a connection that takes it.
    """

    def __init__(self, clock: Any, send: Callable[..., bool]) -> None:
        self._clock = clock
        self._send = send
        self._waiting: dict[Place, int] = {}
        self._timer: Any = None

    def note(self, place: Place, seq: int) -> None:
        """Send the read mark of a place soon; without a connection, when there is one.

        Args:
            place: The room, or the person.
            seq: The seq of the last message that the user has read there.
        """
        self._waiting.pop(place, None)
        self._waiting[place] = seq
        if len(self._waiting) > MOST_MARKS:
            del self._waiting[next(iter(self._waiting))]
        if self._timer is None:
            self.flush()

    def flush(self) -> None:
        """Send the marks that wait."""
        self._stop_timer()
        for place, seq in list(self._waiting.items()):
            kind, name = place
            if not self._send("read", seq=seq, **{kind: name}):
                return
            del self._waiting[place]
            if self._timer is None:
                self._timer = self._clock.callLater(MARK_EVERY, self._timed_out)

    def stop(self) -> None:
        """Cancel the delayed call: there is no connection. What waits is kept."""
        self._stop_timer()

    def _timed_out(self) -> None:
        self._timer = None
        self.flush()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


class TypingNotices:
    """Tells that the user is typing, for each place at most once in ``TYPING_EVERY``.

    Args:
        clock: Tells the time.
        send: Sends a command; see ``ReadMarks``.
    """

    def __init__(self, clock: Any, send: Callable[..., bool]) -> None:
        self._clock = clock
        self._send = send
        self._told: dict[Place, float] = {}

    def note(self, place: Place) -> None:
        """Tell that the user is typing there, unless that was told just now or there is no connection."""
        now = self._clock.seconds()
        self._told = {other: at for other, at in self._told.items() if now - at < TYPING_EVERY}
        kind, name = place
        if place not in self._told and self._send("typing", **{kind: name}):
            self._told[place] = now
