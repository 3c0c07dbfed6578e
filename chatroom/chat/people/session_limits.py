"""How many sessions an account may have, and which of them must end so that one more may log in.

Sessions without a device count against ``--sessions``, each by itself. Devices count against ``--devices``; the
sessions on one device are its tabs, and these have a limit, too. A session with a device and tab that the account has
already is the same program on a new connection: it takes the place of the earlier session.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatroom.chat.limits import TABS, Rules
from chatroom.chat.session import Session, User
from chatroom.model.device import Device
from chatroom.model.errors import ALREADY_LOGGED_IN, TOO_MANY_DEVICES, TOO_MANY_TABS, Refused


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an account may not have one more session.

    Args:
        why: The refusal of the login.
        sessions: The sessions that must end first: those that logged in longest ago.
    """

    why: Refused
    sessions: tuple[Session, ...]


def same_program(user: User, device: Device) -> tuple[Session, ...]:
    """Return the user's sessions with this device and tab; none if the device has no name."""
    return tuple(session for session in user.sessions if device.name and session.device == device)


def obstacle(rules: Rules, user: User, device: Device) -> Obstacle | None:
    """Return what stands in the way of one more session of a user; None if nothing does.

    Args:
        rules: The operator's settings.
        user: The owner of the account.
        device: The device of the new session. An earlier session with the same device and tab does not count.
    """
    if not device.name:
        return _without_device(rules.sessions, user)
    tabs = [session for session in user.sessions if session.device.name == device.name]
    return _tabs(user, [tab for tab in tabs if tab.device != device]) if tabs else _devices(rules.devices, user)


def _without_device(most: int, user: User) -> Obstacle | None:
    here = [session for session in user.sessions if not session.device.name]
    if not most or len(here) < most:
        return None
    return Obstacle(ALREADY_LOGGED_IN(user=user.name), tuple(here[: len(here) - most + 1]))


def _tabs(user: User, others: list[Session]) -> Obstacle | None:
    if len(others) < TABS:
        return None
    return Obstacle(TOO_MANY_TABS(user=user.name, most=TABS), tuple(others[: len(others) - TABS + 1]))


def _devices(most: int, user: User) -> Obstacle | None:
    """Return what stands in the way of one more device. The device whose last login is the oldest has to go first."""
    by_device: dict[str, list[Session]] = {}
    for session in user.sessions:
        if session.device.name:
            by_device[session.device.name] = [*by_device.pop(session.device.name, []), session]
    if not most or len(by_device) < most:
        return None
    oldest = list(by_device.values())[: len(by_device) - most + 1]
    return Obstacle(TOO_MANY_DEVICES(user=user.name, most=most), tuple(s for sessions in oldest for s in sessions))
