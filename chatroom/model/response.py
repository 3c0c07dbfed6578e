"""The base class of the records that the server sends to one connection and stores in no log."""

from __future__ import annotations

from chatroom.model.event_base import Audience, Event


class Response(Event, frozen=True, gc=False):
    """A record for one connection, which no log keeps. Most of them answer a command."""

    abstract = True
    audience = Audience.ASKER
    is_message = False
    is_mail = False
    changes_members = False
    changes_record = False
