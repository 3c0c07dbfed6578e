"""How often somebody may fail to log in, and register: counted by address, and by address and account."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from chatroom.chat.limits import (
    FAILURES,
    FAILURES_OUT,
    FAILURES_WINDOW,
    OUT,
    REGISTRATIONS,
    REGISTRATIONS_WINDOW,
    Rules,
)
from chatroom.chat.refusals import TOO_MANY_FAILURES, TOO_MANY_REGISTRATIONS
from chatroom.durations import spell
from chatroom.names import BadName, user_name
from chatroom.network import network

MOST_KEYS = 10_000  # of which the oldest is forgotten; more addresses than that are not one attacker's usual means

Key = tuple[str, ...]


class Window:
    """How often something happened lately, by key.

    Args:
        most: So often, and no more.
        span: In so many seconds.
        seconds: A clock that does not jump.
    """

    def __init__(self, most: int, span: float, seconds: Callable[[], float]) -> None:
        self._most = most
        self._span = span
        self._seconds = seconds
        self._times: dict[Key, deque[float]] = {}

    def wait(self, key: Key) -> float:
        """Return the seconds until it may happen again; 0 for now."""
        times = self._times.get(key)
        if times is None or len(times) < self._most:
            return 0.0
        return max(0.0, times[0] + self._span - self._seconds())

    def count(self, key: Key) -> None:
        """It happened."""
        times = self._times.pop(key, None) or deque(maxlen=self._most)
        times.append(self._seconds())
        self._times[key] = times  # at the end: the first is the one of which nothing was heard for longest
        if len(self._times) > MOST_KEYS:
            del self._times[next(iter(self._times))]

    def forgive(self, key: Key) -> None:
        """The last time does not count."""
        times = self._times.get(key)
        if times:
            times.pop()
            if not times:
                del self._times[key]


class Throttles:
    """Slows down who guesses passwords, and who makes accounts by the dozen.

    Args:
        rules: Say whether anything is counted.
        seconds: A clock that does not jump.
    """

    def __init__(self, rules: Rules, seconds: Callable[[], float]) -> None:
        self._rules = rules
        self._seconds = seconds
        self._failures = Window(FAILURES, FAILURES_WINDOW, seconds)
        self._all_failures = Window(FAILURES_OUT, OUT, seconds)
        self._registrations = Window(REGISTRATIONS, REGISTRATIONS_WINDOW, seconds)

    def attempt(self, address: str, user: str) -> Callable[[bool], None]:
        """Let somebody try a password.

        It counts as failed until it is known not to be: many at once are no way round.

        Returns:
            What must be called once: with True when the password was right, or when nobody looked at it.

        Raises:
            Refused: There were too many failures.
        """
        if not self._rules.throttle:
            return lambda right: None
        where: Key = (network(address),)
        pair: Key = (*where, _folded(user))
        wait = max(self._failures.wait(pair), self._all_failures.wait(where))
        if wait:
            raise TOO_MANY_FAILURES(wait=spell(wait))
        self._failures.count(pair)
        self._all_failures.count(where)

        def over(right: bool) -> None:
            if right:
                self._failures.forgive(pair)
                self._all_failures.forgive(where)

        return over

    def register(self, address: str) -> None:
        """Count a registration.

        Raises:
            Refused: There were too many.
        """
        if self._rules.throttle:
            where = (network(address),)
            wait = self._registrations.wait(where)
            if wait:
                raise TOO_MANY_REGISTRATIONS(wait=spell(wait))
            self._registrations.count(where)

    def unregister(self, address: str) -> None:
        """The registration did not happen after all."""
        if self._rules.throttle:
            self._registrations.forgive((network(address),))


def _folded(user: str) -> str:
    """Return the name as accounts are looked up by it: no spelling of it is counted apart."""
    try:
        return user_name(user).folded
    except BadName:
        return ""  # nobody's, and all of them together
