"""What the client tells the server in passing: how far the user has read, and that the user is typing.

Nobody waits for the answers, and both are sent seldom however often the user of ``Client`` gives them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.errors import Rejected
from chatroom.client.unread_count import Place

MARK_EVERY = 1.0  # seconds
TYPING_EVERY = 3.0  # seconds
MOST_MARKS = 1000  # that wait for a connection


class ReadMarks:
    """Sends read marks: at once if none was sent lately, otherwise together after ``MARK_EVERY``; the latest wins.

    Args:
        clock: Tells the time and makes delayed calls.
        send: Sends a command by its name and fields. Returns a Deferred of the answer; None if there is no connection.
        marked: Called with a place and a seq when the server has set the mark.
    """

    def __init__(
        self, clock: Any, send: Callable[..., Deferred[Any] | None], marked: Callable[[Place, int], object]
    ) -> None:
        self._clock = clock
        self._send = send
        self._marked = marked
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
            answer = self._send("read", seq=seq, **{kind: name})
            if answer is None:
                return
            del self._waiting[place]
            answer.addCallback(self._done, place, seq).addErrback(self._not_marked, place, seq)
            if self._timer is None:
                self._timer = self._clock.callLater(MARK_EVERY, self._timed_out)

    def stop(self) -> None:
        """Cancel the delayed call: there is no connection. What waits is kept."""
        self._stop_timer()

    def _done(self, answer: object, place: Place, seq: int) -> None:
        """Pass on that the server has set a mark: the room may have been joined anew, with the mark before it."""
        self._marked(place, seq)

    def _not_marked(self, failure: Failure, place: Place, seq: int) -> None:
        """Send the mark again on the next connection, if this one was lost before the answer came."""
        refused = failure.value
        if isinstance(refused, Rejected) and refused.code == "lost":
            self._waiting.setdefault(place, seq)

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

    def __init__(self, clock: Any, send: Callable[..., Deferred[Any] | None]) -> None:
        self._clock = clock
        self._send = send
        self._told: dict[Place, float] = {}

    def note(self, place: Place) -> None:
        """Tell that the user is typing there, unless that was told just now or there is no connection."""
        now = self._clock.seconds()
        self._told = {other: at for other, at in self._told.items() if now - at < TYPING_EVERY}
        kind, name = place
        answer = None if place in self._told else self._send("typing", **{kind: name})
        if answer is not None:
            self._told[place] = now
            answer.addErrback(lambda failure: None)  # such as that the room was left meanwhile
