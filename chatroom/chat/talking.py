"""Saying things: to the room, to one person, and back. What is said comes back through the log, to its author too."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from chatroom.chat.commands import Act, Reply, Say, Tell
from chatroom.chat.limits import TEXT_BYTES
from chatroom.chat.refusals import NO_USER, NOBODY_TO_REPLY, NOT_CONFIRMED, NOTHING_SAID, TOO_LONG
from chatroom.chat.session import Session
from chatroom.events import Acted, Away, Private, Said, Sent
from chatroom.log import Entry, Unavailable
from chatroom.text import clean


def say(session: Session, command: Say) -> None:
    """Say something to the room; the echo is the answer."""
    _speak(session, command, Said)


def act(session: Session, command: Act) -> None:
    """Do something in the room; the echo is the answer."""
    _speak(session, command, Acted)


def _speak(session: Session, command: Say | Act, kind: type[Said] | type[Acted]) -> None:
    own = command.id
    text = checked(command.text)
    event = kind(own or session.next_id(), session.chat.now(), session.name, session.id, text=text)
    session.say(event, command.ref, once=own is not None)


def tell(session: Session, command: Tell) -> Coroutine[Any, Any, None]:
    """Write to one person, who must be online."""
    text = checked(command.text)
    return _deliver(session, session.chat.names.find(command.user), text, command)


def reply(session: Session, command: Reply) -> Coroutine[Any, Any, None]:
    """Write to whoever wrote last."""
    if session.last_writer is None:
        raise NOBODY_TO_REPLY()
    name, id = session.last_writer
    text = checked(command.text)
    target = session.chat.sessions.get(id)  # by the id: somebody else may have the name by now
    if target is None:
        raise NO_USER(user=name)
    return _deliver(session, target, text, command)


async def _deliver(session: Session, target: Session, text: str, command: Tell | Reply) -> None:
    """Append to the other's inbox; what the writer is told waits until it is stored."""
    opening = target.open_inbox()
    if opening is not None:
        await opening
    if target.over:
        raise NO_USER(user=target.name)
    own = command.id
    event = Private(own or session.next_id(), session.chat.now(), session.name, session.id, to=target.name, text=text)

    def done(entry: Entry, error: Unavailable | None) -> None:
        if error is not None:
            session.refuse(NOT_CONFIRMED(), command.ref)
        elif entry.repeated:
            session.repeat(entry, command.ref)
            return
        elif target.over:  # it went while the message was being stored, and will not come back for it
            session.refuse(NO_USER(user=event.to), command.ref)
        else:
            session.answer(Sent(event.id, event.to, event.text), command.ref)
            if target.away:
                session.answer(Away(target.name, target.away))
        session.settled()

    session.append(target.inbox_log, event, done, once=own is not None)


def checked(text: str) -> str:
    """Return the text as it may be shown.

    Raises:
        Refused: There is nothing in it, or too much.
    """
    if len(text) > TEXT_BYTES // 4 and len(text.encode("utf-8", "replace")) > TEXT_BYTES:
        raise TOO_LONG(limit=TEXT_BYTES)
    text = clean(text)
    if not text or text.isspace():
        raise NOTHING_SAID()
    return text
