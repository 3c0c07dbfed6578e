"""The notices that a client tells beside the server's events: the state of its connection."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Connected(Struct, frozen=True, gc=False):
    """The server has let us in.

    Args:
        server: The name that the server gives itself.
        name: Our name.
        guest: Whether we are not logged in to an account.
        security: How the connection is protected, as ``TLS 1.3`` or ``plain``.
        again: Whether we were on the server before; missed events follow this notice.
    """

    server: str
    name: str
    guest: bool
    security: str
    again: bool = False


class Lost(Struct, frozen=True, gc=False):
    """There is no connection, and the client will try again.

    Args:
        why: The reason, a sentence without its full stop: ``connection refused by chat.example:8888``.
        seconds_until_retry: Seconds until the next attempt.
    """

    why: str
    seconds_until_retry: float


class Ended(Struct, frozen=True, gc=False):
    """There is no connection, and the client will not try again: the user has to decide something.

    Args:
        why: The reason, as in ``Lost``.
        retry: Whether the user may have the client try again, by ``Client.try_now``.
    """

    why: str
    retry: bool = True


class Gap(Struct, frozen=True, gc=False):
    """Some events of the room cannot be shown any more; the next event comes after that gap."""

    room: str


class Named(Struct, frozen=True, gc=False):
    """We have a new name."""

    name: str


class Denied(Struct, frozen=True, gc=False):
    """The server has refused our name, login or room on a new connection; the client goes on without it.

    Args:
        what: What was refused.
        wanted: The name, the name of the account, or the room.
        code: The refusal for programs, as ``name-in-use``.
        text: The refusal for people.
    """

    what: Literal["name", "login", "room"]
    wanted: str
    code: str
    text: str


Notice = Connected | Lost | Ended | Gap | Named | Denied
