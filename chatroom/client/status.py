"""The notices that a ``Client`` gives to its user besides the server's events. Most are about the connection."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from chatroom.client.opened import PrivateChange


class Connected(Struct, frozen=True, gc=False):
    """The server has let us in.

    Args:
        server: The name that the server gives itself.
        name: Our name.
        guest: Whether we are not logged in to an account.
        security: How the connection is protected, as ``TLS 1.3`` or ``plain``.
        again: Whether we were on the server before, in this run; the events that we missed follow this notice.
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
    """There is no connection, and the client will not try again by itself: the user has to decide what to do.

    Args:
        why: The reason, as in ``Lost``.
        retry: Whether ``Client.try_now`` may be called to try again.
    """

    why: str
    retry: bool = True


class Gap(Struct, frozen=True, gc=False):
    """Some events of the room that we missed are lost; the event that is told next comes after that gap."""

    room: str


class Named(Struct, frozen=True, gc=False):
    """We have a new name, ``name``."""

    name: str


class Denied(Struct, frozen=True, gc=False):
    """The server has refused our name, login or room on a new connection; the client goes on without what was refused.

    Args:
        what: What was refused.
        wanted: The name that we asked for, the name of the account, or the name of the room.
        code: The error code of the refusal, as ``name-in-use``.
        text: The refusal in words.
    """

    what: Literal["name", "login", "room"]
    wanted: str
    code: str
    text: str


class ConversationsListed(Struct, frozen=True, gc=False):
    """The server has listed our private conversations: ``Client.peers`` knows what is unread in each."""


class SecurityNotice(Struct, frozen=True, gc=False):
    """Something about encryption that the user has to know, such as that a person's key has changed.

    Args:
        text: The sentence; ``chatroom.client.encryption.words`` has them. After LF come rows, such as one to be copied.
        user: The person that it is about; empty for nobody.
        room: The room that it is about; empty for none.
        alarm: Whether the user has to decide something before messages go on.
    """

    text: str
    user: str = ""
    room: str = ""
    alarm: bool = False


Notice = SecurityNotice | PrivateChange | ConversationsListed | Connected | Lost | Ended | Gap | Named | Denied
