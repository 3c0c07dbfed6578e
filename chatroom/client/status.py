"""What a ``Link`` tells beside the server's events: how it stands with the server."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Connected(Struct, frozen=True, gc=False):
    """We are on the server, under a name.

    Args:
        server: What the server calls itself.
        name: Who we are.
        guest: We are nobody's account.
        security: ``TLS 1.3``, ``plain`` ...
        again: It is a return; what was missed comes after this.
    """

    server: str
    name: str
    guest: bool
    security: str
    again: bool = False


class Lost(Struct, frozen=True, gc=False):
    """We are not on the server, and will try again by ourselves.

    Args:
        why: The reason, a sentence without its full stop: ``connection refused by chat.example:8888``.
        seconds_until_retry: When.
    """

    why: str
    seconds_until_retry: float


class Ended(Struct, frozen=True, gc=False):
    """We are not on the server, and trying again would be no use: somebody has to decide something. See ``Lost``."""

    why: str


class Gap(Struct, frozen=True, gc=False):
    """What was said in the room while we were away is not all there any more; what comes next is after the gap."""

    room: str


class Named(Struct, frozen=True, gc=False):
    """We are called something else from now on."""

    name: str


class Denied(Struct, frozen=True, gc=False):
    """The server does not give us what we came for, or had before: we go on without it.

    Args:
        what: What that is.
        wanted: The name, the account's name, or the room.
        code: The refusal for programs, as ``name-in-use``.
        text: The refusal for people.
    """

    what: Literal["name", "login", "room"]
    wanted: str
    code: str
    text: str


Notice = Connected | Lost | Ended | Gap | Named | Denied
