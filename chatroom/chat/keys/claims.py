"""How many keys of a device one user, and all users at one address together, are given in an hour.

Each claim of a one-time key uses one up, so few are given to whoever asks often, and then the fallback key. A school
class behind one address counts as one address, and each of its members as one user, whether a guest or not. Guests have
a new id with each connection, so for them only the limit by address holds.
"""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.limits import CLAIMS_OF_ADDRESS, CLAIMS_OF_ONE, FALLBACK_CLAIMS, FALLBACK_OF_ADDRESS
from chatroom.chat.people.throttles import Window

HOUR = 3600.0  # seconds


class Claims:
    """Counts the keys that were given, by who asked, from where, and for which device.

    Args:
        seconds: A monotonic clock.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._one_time = Window(CLAIMS_OF_ONE, HOUR, seconds), Window(CLAIMS_OF_ADDRESS, HOUR, seconds)
        self._fallback = Window(FALLBACK_CLAIMS, HOUR, seconds), Window(FALLBACK_OF_ADDRESS, HOUR, seconds)

    def exhausted(self, asker: str, via: str, user_id: str, device: str) -> bool:
        """Return whether an asker may be given no key of a device now, not even the fallback key.

        Args:
            asker: The id of the user who asks.
            via: The mark of the asker's address, after a letter for guest or account; empty if none is counted.
            user_id: Whose device it is.
            device: The device.
        """
        keys = _keys(asker, via, user_id, device)
        return _used_up(self._one_time, keys) and _used_up(self._fallback, keys)

    def count(self, asker: str, via: str, user_id: str, device: str) -> bool:
        """Count a key that is given; see ``exhausted``. Return whether it may be a one-time key."""
        keys = _keys(asker, via, user_id, device)
        one_time = not _used_up(self._one_time, keys)
        for window, key in zip(self._one_time if one_time else self._fallback, keys, strict=False):
            window.count(key)
        return one_time


_Windows = tuple[Window, Window]
_Keys = tuple[tuple[str, ...], ...]


def _keys(asker: str, via: str, user_id: str, device: str) -> _Keys:
    """Return the keys under which a claim is counted: by asker, and by address if there is one."""
    by_asker = (asker, user_id, device)
    return (by_asker, (via[1:], user_id, device)) if via else (by_asker,)


def _used_up(windows: _Windows, keys: _Keys) -> bool:
    return any(window.wait(key) for window, key in zip(windows, keys, strict=False))
