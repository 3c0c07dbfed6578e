"""Limits for failed logins, registrations and password changes, counted by account and address."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable

from chatroom.chat.limits import (
    CHANGES,
    CHANGES_WINDOW,
    FAILURES,
    FAILURES_OUT,
    FAILURES_SPREAD,
    FAILURES_WINDOW,
    LOCAL_WINDOW,
    OUT,
    REGISTRATIONS,
    REGISTRATIONS_WINDOW,
    Rules,
)
from chatroom.model.durations import spell
from chatroom.model.errors import BUSY, TOO_MANY_CHANGES, TOO_MANY_FAILURES, TOO_MANY_REGISTRATIONS
from chatroom.model.names import BadName, user_name
from chatroom.model.network import is_local, network

MOST_KEYS = 10_000  # keys remembered, those used last; an attacker seldom has more addresses than this

Key = tuple[str, ...]


class Window:
    """Counts events, such as failed logins, by key, and forgets them after some seconds.

    Args:
        most: How many events of one key are allowed within ``span``.
        span: The seconds for which an event counts.
        seconds: A monotonic clock.
    """

    def __init__(self, most: int, span: float, seconds: Callable[[], float]) -> None:
        self._most = most
        self._span = span
        self._seconds = seconds
        self._times: dict[Key, deque[float]] = {}

    def wait(self, key: Key) -> float:
        """Return the seconds until another event of the key is allowed; 0 if it is allowed now."""
        times = self._times.get(key)
        if times is None or len(times) < self._most:
            return 0.0
        return max(0.0, times[0] + self._span - self._seconds())

    def times(self, key: Key) -> int:
        """Return how many events of the key were counted in the last ``span`` seconds, at most ``most``."""
        horizon = self._seconds() - self._span
        return sum(at > horizon for at in self._times.get(key, ()))

    def count(self, key: Key) -> None:
        """Count an event of the key, now."""
        times = self._times.pop(key, None) or deque(maxlen=self._most)
        times.append(self._seconds())
        self._times[key] = times  # at the end, so that the key whose last event is longest ago comes first
        if len(self._times) > MOST_KEYS:
            del self._times[next(iter(self._times))]

    def tidy(self) -> None:
        """Forget the keys that had no event in the last ``span`` seconds."""
        horizon = self._seconds() - self._span
        for key in [key for key, times in self._times.items() if times[-1] <= horizon]:
            del self._times[key]

    def forgive(self, key: Key) -> None:
        """Take back the last event that was counted for the key."""
        times = self._times.get(key)
        if times:
            times.pop()
            if not times:
                del self._times[key]


class Throttles:
    """Slows down guessing passwords and registering many accounts, without locking out anybody else.

    Failures are counted by account and address together, so they lock out neither the account's owner at another
    address nor other accounts at this address. All connections from this machine may come through one proxy: for them,
    the few failures allowed in a minute are counted by connection, and the larger limit looks back a shorter time.

    Args:
        rules: Say whether anything is counted.
        seconds: A monotonic clock.
    """

    def __init__(self, rules: Rules, seconds: Callable[[], float]) -> None:
        self._rules = rules
        self._seconds = seconds
        self._failures = Window(FAILURES, FAILURES_WINDOW, seconds)
        self._out = Window(FAILURES_OUT, OUT, seconds)
        self._out_here = Window(FAILURES_OUT, LOCAL_WINDOW, seconds)
        self._spread = Window(FAILURES_SPREAD, OUT, seconds)
        self._tokens = Window(FAILURES, FAILURES_WINDOW, seconds)
        self._registrations = Window(REGISTRATIONS, REGISTRATIONS_WINDOW, seconds)
        self._changes = Window(CHANGES, CHANGES_WINDOW, seconds)
        self._trying: Counter[Key] = Counter()  # attempts under way from each address
        self._known: OrderedDict[Key, None] = OrderedDict()  # (address, account) of logins that succeeded

    def attempt(self, address: str, connection: str, user: str) -> Callable[[bool | None], None]:
        """Count an attempt to log in with a password.

        The attempt counts as failed until its result is known, so trying many passwords at once does not help. The
        number of attempts under way from one address is limited only if one from there has failed in the last hour.

        Args:
            address: The address that the attempt comes from.
            connection: The id of the connection that makes the attempt.
            user: The name of the account.

        Returns:
            A function that must be called once: with True if the password was right, False if it was wrong, None if it
            was not checked.

        Raises:
            Refused: There were too many failures, or too many attempts are under way.
        """
        if not self._rules.throttle:
            return lambda right: None
        where: Key = (network(address),)
        pair: Key = (*where, _folded(user))
        local = is_local(address)
        lately: Key = (*pair, connection) if local else pair
        out = self._out_here if local else self._out
        self._check(max(self._failures.wait(lately), out.wait(pair)))
        if not local and pair not in self._known:
            self._check(self._spread.wait(where))
        if self._trying[where] >= FAILURES_OUT - 1 and self._spread.times(where):
            raise BUSY()
        self._failures.count(lately)
        out.count(pair)
        self._trying[where] += 1

        def over(right: bool | None) -> None:
            """End the attempt; see Returns above."""
            self._trying[where] -= 1
            if not self._trying[where]:
                del self._trying[where]
            if right is False:
                self._spread.count(where)
                return
            self._failures.forgive(lately)
            out.forgive(pair)
            if right:
                self._know(pair)

        return over

    def wrong_token(self, address: str, user: str) -> None:
        """Count a login with a wrong token. A valid token is never delayed, because nobody can guess so long a secret.

        Raises:
            Refused: There were too many wrong tokens for this account from this address.
        """
        if self._rules.throttle:
            pair: Key = (network(address), _folded(user))
            self._check(self._tokens.wait(pair))
            self._tokens.count(pair)

    def _check(self, wait: float) -> None:
        """Raise Refused if a number of seconds to wait is not 0."""
        if wait:
            raise TOO_MANY_FAILURES(wait=spell(wait))

    def _know(self, pair: Key) -> None:
        """Remember that an account has logged in from an address; see ``_known``."""
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > MOST_KEYS:
            self._known.popitem(last=False)

    def change(self, user_id: str) -> None:
        """Count a password change, which costs as much work as a registration.

        Raises:
            Refused: The user has made too many changes in a short time.
        """
        if self._rules.throttle:
            wait = self._changes.wait((user_id,))
            if wait:
                raise TOO_MANY_CHANGES(wait=spell(wait))
            self._changes.count((user_id,))

    def register(self, address: str) -> None:
        """Count a registration of an account.

        Raises:
            Refused: There were too many registrations from this address.
        """
        if self._rules.throttle:
            where = (network(address),)
            wait = self._registrations.wait(where)
            if wait:
                raise TOO_MANY_REGISTRATIONS(wait=spell(wait))
            self._registrations.count(where)

    def unregister(self, address: str) -> None:
        """Undo the count of a registration that failed."""
        if self._rules.throttle:
            self._registrations.forgive((network(address),))


def _folded(user: str) -> str:
    """Return the folded name, so that all spellings of a name are counted together."""
    try:
        return user_name(user).folded
    except BadName:
        return ""  # invalid names count as one account
