"""The events of end-to-end encryption that logs keep: sealed messages, and what all daemons must know of keys."""

from __future__ import annotations

from typing import Literal

from chatroom.model.device_keys import DeviceChange
from chatroom.model.event_base import Audience, LogEvent
from chatroom.model.server_events import ServerEvent


class E2eFrom(LogEvent, frozen=True, gc=False, kw_only=True):
    """A sealed message for this device, from the ``device`` of the user ``by_id``.

    ``kind`` and ``body`` are those of the envelope. ``seq`` counts in the mailbox of this device: acknowledge it with
    ``e2e-ack``. At most 100 are sent that are not acknowledged; these come again on the next connection.
    """

    audience = Audience.PERSON
    is_message = False
    is_mail = False
    changes_members = False
    changes_record = False
    once_a_log = True

    device: str
    kind: Literal[0, 1]
    body: str
    seq: int = 0
    via: str = ""

    def __repr__(self) -> str:
        return f"E2eFrom(id={self.id!r}, by={self.by!r}, ...)"  # a log must not have the body


class DevicesListed(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The user ``by_id`` has a new list of ``devices``; or, with ``pending``, another device that waits to be in it.

    ``change`` is that of ``DevicesChanged``. ``ended`` has the devices and the login tokens that the user has removed:
    their sessions end.
    """

    rev: int
    devices: tuple[str, ...]
    pending: bool = False
    ended: tuple[str, ...] = ()
    change: DeviceChange = "other"


class SealedCame(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The user ``user_id`` was sent a sealed message; daemons tell a user who has no session with keys."""

    user_id: str


class DeviceTaken(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The session ``session`` of the user ``by_id`` has the keys of ``device`` now, and no other session has them."""

    device: str
    session: str


class FewKeysLeft(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The device ``device`` of the user ``by_id`` has only ``count`` one-time keys left."""

    device: str
    count: int
