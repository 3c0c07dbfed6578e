"""How often somebody may fail to log in, and register: counted by address, and by address and account."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable

from chatroom.chat.limits import (
    CHANGES,
    FAILURES,
    FAILURES_OUT,
    FAILURES_WINDOW,
    OUT,
    REGISTRATIONS,
    REGISTRATIONS_WINDOW,
    Rules,
)
from chatroom.chat.refusals import BUSY, TOO_MANY_CHANGES, TOO_MANY_FAILURES, TOO_MANY_REGISTRATIONS
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

    def times(self, key: Key) -> int:
        """Return how often it happened lately, as far as it is counted."""
        horizon = self._seconds() - self._span
        return sum(at > horizon for at in self._times.get(key, ()))

    def count(self, key: Key) -> None:
        """It happened."""
        times = self._times.pop(key, None) or deque(maxlen=self._most)
        times.append(self._seconds())
        self._times[key] = times  # at the end: the first is the one of which nothing was heard for longest
        if len(self._times) > MOST_KEYS:
            del self._times[next(iter(self._times))]

    def tidy(self) -> None:
        """Forget what happened too long ago to count."""
        horizon = self._seconds() - self._span
        for key in [key for key, times in self._times.items() if times[-1] <= horizon]:
            del self._times[key]

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
        self._changes = Window(CHANGES, REGISTRATIONS_WINDOW, seconds)
        self._trying: Counter[Key] = Counter()  # from each address, at this moment

    def attempt(self, address: str, user: str) -> Callable[[bool], None]:
        """Let somebody try a password.

        For the account it counts as failed until it is known not to be: many at once are no way round. A class that
        logs in all at once from one address has not failed; but where some have, no more may try than may fail.

        Returns:
            What must be called once: with True when the password was right, or when nobody looked at it.

        Raises:
            Refused: There were too many failures, or might be.
        """
        if not self._rules.throttle:
            return lambda right: None
        where: Key = (network(address),)
        pair: Key = (*where, _folded(user))
        wait = max(self._failures.wait(pair), self._all_failures.wait(where))
        if wait:
            raise TOO_MANY_FAILURES(wait=spell(wait))
        failed = self._all_failures.times(where)
        if failed and failed + self._trying[where] >= FAILURES_OUT:
            raise BUSY()
        self._failures.count(pair)
        self._trying[where] += 1

        def over(right: bool) -> None:
            self._trying[where] -= 1
            if not self._trying[where]:
                del self._trying[where]
            if right:
                self._failures.forgive(pair)
            else:
                self._all_failures.count(where)

        return over

    def change(self, user_id: str) -> None:
        """Count a change of an account's password: each costs as much work as a registration.

        Raises:
            Refused: There were too many.
        """
        if self._rules.throttle:
            wait = self._changes.wait((user_id,))
            if wait:
                raise TOO_MANY_CHANGES(wait=spell(wait))
            self._changes.count((user_id,))

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
