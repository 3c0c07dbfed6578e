"""Showing joins and leaves one by one while they are few, and together in one line when they are many.

The first few are shown at once. Later ones wait until nobody has come or gone for a moment, or too many wait, or
something by or about one of these users is shown. Then one line says who came and who left.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from chatroom.model import events as e

FEW = 4  # events that are shown one by one ...
WHILE = 10.0  # ... in so many seconds
CALM = 2.0  # seconds without another event, after which the waiting events are shown
MOST = 200  # waiting events
NAMED = 3  # users who are named for each verb; more are counted

_VERBS = {
    e.Joined: "joined",
    e.Left: "left",
    e.Disconnected: "disconnected",
    e.Arrived: "entered the chat",
    e.Departed: "left the chat",
}
_OF_THE_CHAT = (e.Arrived, e.Departed)
_COMES = (e.Joined, e.Arrived)
Coming = e.Joined | e.Left | e.Disconnected | e.Arrived | e.Departed


class JoinCoalescing:
    """Decides how joins and leaves are shown.

    Args:
        reactor: Tells the time and makes delayed calls.
        one: Shows one event.
        together: Shows a sentence about many users.
    """

    def __init__(self, reactor: IReactorTime, one: Callable[[e.Event], None], together: Callable[[str], None]) -> None:
        self._reactor = reactor
        self._one = one
        self._together = together
        self._shown: deque[float] = deque(maxlen=FEW)
        self._waiting: list[Coming] = []
        self._calm: IDelayedCall | None = None

    def add(self, event: Coming) -> None:
        """Show an event of a user who comes or goes, now or together with others later."""
        now = self._reactor.seconds()
        if not self._waiting and (len(self._shown) < FEW or now - self._shown[0] > WHILE):
            self._shown.append(now)
            self._one(event)
            return
        self._waiting.append(event)
        if len(self._waiting) >= MOST:
            self.flush()
        elif self._calm is None:
            self._calm = self._reactor.callLater(CALM, self.flush)
        else:
            self._calm.reset(CALM)

    def before(self, event: e.Event) -> None:
        """Show the waiting events if the next event is by or about one of their users."""
        about = {getattr(event, field, "") for field in ("by", "user", "name")}
        if any(waiting.by in about for waiting in self._waiting):
            self.flush()

    def flush(self) -> None:
        """Show the waiting events: a single one as it is, several in one line."""
        if self._calm is not None and self._calm.active():
            self._calm.cancel()
        self._calm = None
        waiting, self._waiting = _changes(self._waiting), []
        if len(waiting) == 1:
            self._one(waiting[0])
        elif waiting:
            self._together(_sentence(waiting))


def _changes(events: list[Coming]) -> list[Coming]:
    """Return the last event of each user who, after all the events, has come or gone.

    A user who leaves and comes back, or comes and leaves, is not among them. Being in the room and being in the chat
    are counted separately.
    """
    first: dict[tuple[bool, str], Coming] = {}
    last: dict[tuple[bool, str], Coming] = {}
    for event in events:
        key = isinstance(event, _OF_THE_CHAT), event.by
        first.setdefault(key, event)
        last[key] = event
    return [event for key, event in last.items() if isinstance(event, _COMES) == isinstance(first[key], _COMES)]


def _sentence(events: list[Any]) -> str:
    """Return a sentence about the events, as ``ann, bob, cid and 9 more joined; dan left.``"""
    parts = []
    for kind, verb in _VERBS.items():
        names = list(dict.fromkeys(event.by for event in events if isinstance(event, kind)))
        if names:
            more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
            parts.append(f"{', '.join(names[:NAMED])}{more} {verb}")
    return "; ".join(parts) + "."
