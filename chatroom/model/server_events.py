"""The events of the server's log, which all daemons read: who came and went, what changed for everybody.

``chatroom.model.events`` offers them together with the events of rooms and inboxes.
"""

from __future__ import annotations

from chatroom.model.event_base import Audience, LogEvent


class ServerEvent(LogEvent, frozen=True, gc=False):
    """An event in the server's log, which every daemon reads. Most of them are for the daemons alone."""

    abstract = True
    audience = Audience.NOBODY
    is_message = False
    is_mail = False
    changes_members = False
    changes_record = False


class Arrived(ServerEvent, frozen=True, gc=False):
    """A user has logged in."""

    audience = Audience.PERSON


class Departed(ServerEvent, frozen=True, gc=False, kw_only=True):
    """A user has logged out or gone. ``session`` is the connection that did so; it is not told of itself."""

    audience = Audience.PERSON

    session: str


class Announced(ServerEvent, frozen=True, gc=False, kw_only=True):
    """An operator's message to everybody."""

    audience = Audience.PERSON

    text: str


class Expelled(ServerEvent, frozen=True, gc=False, kw_only=True):
    """An operator disconnects a user."""

    user_id: str
    reason: str = ""


class NodeEnded(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The daemon ``node`` has ended, and its sessions with it. Nothing that it says later counts."""

    node: str


class Registered(ServerEvent, frozen=True, gc=False, kw_only=True):
    """A name now belongs to an account, so no guest may have it."""

    name: str


class Deregistered(ServerEvent, frozen=True, gc=False):
    """The account ``by_id`` was deleted."""


class AccountChanged(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The daemon ``node`` has changed the record of the account ``by_id``; other daemons read it again."""

    node: str


class GuestResumed(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The guest ``by_id`` is back on the daemon ``node``; the guest's connections elsewhere end."""

    node: str


class SessionReplaced(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The account ``by_id`` was logged in to elsewhere, in place of its ``session``, which ends."""

    session: str


class PasswordChanged(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The account ``by_id`` has a new password; all its sessions except ``session`` end."""

    session: str = ""


class BansChanged(ServerEvent, frozen=True, gc=False):
    """The bans from the server have changed."""


class Seen(ServerEvent, frozen=True, gc=False, kw_only=True):
    """A guest is called ``by``; messages to that name wait in the mailbox ``box``."""

    box: str


class Mailed(ServerEvent, frozen=True, gc=False, kw_only=True):
    """A message waits in the mailbox ``box``, which belongs to the guest's name ``name``."""

    box: str
    name: str = ""
    via: str = ""


class Emptied(ServerEvent, frozen=True, gc=False, kw_only=True):
    """The mailbox ``box`` was handed to the guest who took its name, or its name now belongs to an account."""

    box: str
