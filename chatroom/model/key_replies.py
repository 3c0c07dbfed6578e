"""Responses about the keys of devices. ``chatroom.model.replies`` offers them together with all others."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from chatroom.model.device_keys import DeviceKeys, DeviceList, SignedKey
from chatroom.model.event_base import Audience
from chatroom.model.response import Response


class KeysPublished(Response, frozen=True, gc=False, kw_only=True):
    """The keys are published, and this session has the mailbox of the device.

    ``count`` is the number of one-time keys that are left. ``rev`` is that of your device list, 0 if there is none.
    ``pending`` is true if the device is not in that list. ``generation`` is the one
    that was published before, 0 if none was: if it is none of yours, another copy of your key store is in use.
    """

    count: int
    rev: int
    pending: bool
    generation: int


class UserKeys(Struct, frozen=True, gc=False, kw_only=True):
    """A user's device list; null, and ``rev`` 0, if the user has none. ``user_id`` is empty if there is no user."""

    name: str
    user_id: str
    list: DeviceList | None
    rev: int


class Keys(Response, frozen=True, gc=False, kw_only=True):
    """The device lists of users, in the order of the question. ``pending`` has your own devices that are in no list.

    ``more`` is how many users at the end of the question are left out, because the answer would be too long. A user for
    whom you have asked twice is answered once.
    """

    users: list[UserKeys]
    pending: list[DeviceKeys]
    more: int = 0


class ClaimedKey(Struct, frozen=True, gc=False, kw_only=True):
    """A key to begin a session with a device; it is the fallback key if ``fallback`` is true in it."""

    user_id: str
    device: str
    key: SignedKey


class Claimed(Response, frozen=True, gc=False, kw_only=True):
    """The keys that you asked for. A device that has none is left out."""

    keys: list[ClaimedKey]


class KeysBackedUp(Response, frozen=True, gc=False, kw_only=True, tag="keys-backup"):
    """Your sealed user key; empty if the server keeps none."""

    sealed: str

    def __repr__(self) -> str:
        return "KeysBackedUp(...)"


class E2eSent(Response, frozen=True, gc=False, kw_only=True):
    """The sealed message is stored for each device.

    ``waits`` is about the user for whose devices the envelopes are; if they are all for your own, about ``user``. It is
    empty if that user is online in a session with keys, or in a program's session that has been that user's for less
    than 30 seconds and so may still publish them. Otherwise it is ``keys`` if the user is online without keys,
    ``account`` if the owner of an account is offline, and ``guest`` if a guest is. ``full`` has the devices for which
    nothing was stored, because their mailboxes are full.
    """

    id: str
    waits: Literal["", "keys", "account", "guest"]
    full: list[str] = field(default_factory=list)


class KeysLow(Response, frozen=True, gc=False, kw_only=True):
    """This device has few one-time keys left on the server: publish more."""

    audience = Audience.PERSON

    count: int


class KeysChanged(Response, frozen=True, gc=False, kw_only=True):
    """The device list of a user has changed: ask for it again before you write to the user.

    If the user is yourself and ``rev`` is what you know, a device of yours waits to be put into the list.
    """

    audience = Audience.PERSON

    user: str
    user_id: str
    rev: int


class E2eNotice(Response, frozen=True, gc=False, kw_only=True):
    """A user has sent you a sealed message, which none of your present sessions can read."""

    audience = Audience.PERSON

    by: str
    by_id: str


OF_KEYS = (KeysPublished, Keys, Claimed, KeysBackedUp, E2eSent, KeysLow, KeysChanged)
"""The responses about keys that are only for programs."""
