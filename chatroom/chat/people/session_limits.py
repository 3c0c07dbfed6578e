"""How many sessions an account may have, and which of them must end so that one more may log in.

Sessions without a device count against ``--sessions``, each by itself. Devices count against ``--devices``; the
sessions on one device are its tabs, and these have a limit, too. A session with a device and tab that the account has
already is the same program on a new connection: it takes the place of the earlier session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from chatroom.chat.limits import TABS, Rules
from chatroom.model.device import Device
from chatroom.model.errors import ALREADY_LOGGED_IN, TOO_MANY_DEVICES, TOO_MANY_TABS, Refused


class OnDevice(Protocol):
    """A session, on whatever daemon, that is logged in."""

    @property
    def device(self) -> Device:
        """Its device and tab."""


S = TypeVar("S", bound=OnDevice)


@dataclass(frozen=True, slots=True)
class Obstacle(Generic[S]):
    """Why an account may not have one more session.

    Args:
        why: The refusal of the login.
        sessions: The sessions that must end first: those that logged in longest ago.
    """

    why: Refused
    sessions: tuple[S, ...]


def same_program(sessions: Sequence[S], device: Device) -> tuple[S, ...]:
    """Return the sessions with this device and tab; none if the device has no name."""
    return tuple(session for session in sessions if device.name and session.device == device)


def obstacle(rules: Rules, name: str, sessions: Sequence[S], device: Device) -> Obstacle[S] | None:
    """Return what stands in the way of one more session of an account; None if nothing does.

    Args:
        rules: The operator's settings.
        name: The account's name.
        sessions: The account's sessions, those first that logged in first.
        device: The device of the new session. An earlier session with the same device and tab does not count.
    """
    if not device.name:
        return _without_device(rules.sessions, name, sessions)
    tabs = [session for session in sessions if session.device.name == device.name]
    if tabs:
        return _tabs(name, [tab for tab in tabs if tab.device != device])
    return _devices(rules.devices, name, sessions)


def _without_device(most: int, name: str, sessions: Sequence[S]) -> Obstacle[S] | None:
    here = [session for session in sessions if not session.device.name]
    if not most or len(here) < most:
        return None
    return Obstacle(ALREADY_LOGGED_IN(user=name), tuple(here[: len(here) - most + 1]))


def _tabs(name: str, others: list[S]) -> Obstacle[S] | None:
    if len(others) < TABS:
        return None
    return Obstacle(TOO_MANY_TABS(user=name, most=TABS), tuple(others[: len(others) - TABS + 1]))


def _devices(most: int, name: str, sessions: Sequence[S]) -> Obstacle[S] | None:
    """Return what stands in the way of one more device. The device whose last login is the oldest has to go first."""
    by_device: dict[str, list[S]] = {}
    for session in sessions:
        if session.device.name:
            by_device[session.device.name] = [*by_device.pop(session.device.name, []), session]
    if not most or len(by_device) < most:
        return None
    oldest = list(by_device.values())[: len(by_device) - most + 1]
    return Obstacle(TOO_MANY_DEVICES(user=name, most=most), tuple(one for each in oldest for one in each))
