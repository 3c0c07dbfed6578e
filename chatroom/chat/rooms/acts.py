"""Carrying out an act of moderation, such as a ban or a new topic.

An act changes the room's record, is written to the audit log, and is shown to the room. Whether the user may do so is
decided by the record as it is stored at the moment of the change.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chatroom.chat.chat import Chat
from chatroom.chat.limits import REASON_CHARACTERS
from chatroom.chat.people.nicknames import no_user
from chatroom.chat.rooms import targets
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room import Room
from chatroom.chat.rooms.targets import Target
from chatroom.chat.session import Session
from chatroom.model.durations import spell
from chatroom.model.errors import NOT_IN_ROOM, NOT_MODERATOR, NOT_OWNER
from chatroom.model.events import Closed, Event, MemberRemoved, RoomEvent, Slowed
from chatroom.model.log import Unavailable
from chatroom.model.replies import Ok
from chatroom.model.text import clean, is_blank

Change = Callable[[RoomRecord], RoomRecord | None]
"""Returns the new record for the current one, or None to end the room."""


async def act(
    chat: Chat,
    session: Session,
    room: Room,
    change: Change,
    kind: type[RoomEvent],
    target: Target | None = None,
    owner: bool = False,
    **more: object,
) -> Event:
    """Change the room's record, write the act to the audit log, and show it to the room.

    Args:
        chat: The chat.
        session: The session of the moderator.
        room: The room.
        change: Takes the current record and returns the new one, or None to end the room.
        kind: The event that the room sees.
        target: The user, name or address that the act is for.
        owner: Whether only the owner, and not every moderator, may do this.
        **more: More fields of the event.

    Raises:
        Refused: The user has no right to do this, or has lost it meanwhile.
        Unavailable: The record is changed, but the event is not stored yet; members see it later.
    """
    user = session.user

    def checked(now: RoomRecord) -> RoomRecord | None:
        if not (now.owned_by(user) if owner else now.moderated_by(user)):
            raise (NOT_OWNER if owner else NOT_MODERATOR)(room=now.name)
        return change(now)

    await chat.room_changes.amend(room.record, checked)
    about = {}
    if target is not None:
        name, user_id = target.now
        about = {"user": name, "user_id": user_id}
    event = event_by(session, kind, **about, **more)
    with room.silence(_silenced(room, event)):
        await happen(chat, session, room, event, _described(event, target))
    return Ok()


def _silenced(room: Room, event: RoomEvent) -> set[str]:
    """Return the ids of the users who lose the right to speak by an event: a kick, a ban, or the end of the room."""
    if isinstance(event, Closed):
        return {member.user_id for member in room.members.values()}
    return {event.user_id} if isinstance(event, MemberRemoved) else set()


async def happen(chat: Chat, session: Session, room: Room, event: Any, what: str) -> None:
    """Write an act to the audit log first, then show it to the room: so all that users see is in the audit log."""
    acts = chat.members_audit
    acts.act(session, what, room.name)
    try:
        await chat.append_surely(room.log, event)  # the record has been changed already
    except Unavailable:
        acts.act(session, f"was not told whether this was stored: {what}", room.name)
        raise


def _described(event: Any, target: Target | None) -> str:
    """Return an act in words for the audit log: ``banned 192.0.2.7 for 10 minutes: spam``."""
    words = [type(event).__name__.lower()]
    if target is not None:
        words.append(target.typed or target.name)
    until = getattr(event, "until", 0)
    if until:
        words.append(f"for {spell((until - event.at) / 1000)}")
    if isinstance(event, Slowed):
        words.append(f"to one message every {spell(event.seconds)}" if event.seconds else "no more")
    said = getattr(event, "reason", "") or getattr(event, "text", "")
    return " ".join(words) + (f": {said}" if said else "")


def event_by(session: Session, kind: type[RoomEvent], **more: object) -> Any:
    """Return a new event of that kind whose author is the session's user and whose time is now."""
    return kind(session.next_id(), session.host.now(), session.name, session.user_id, **more)  # type: ignore[arg-type]


def moderated(session: Session, room: Room | None) -> Room:
    """Return the room, which the session's user moderates.

    Raises:
        Refused: There is no room, or the user is no moderator there.
    """
    if room is None:
        raise NOT_IN_ROOM()
    if not room.record.moderated_by(session.user):
        raise NOT_MODERATOR(room=room.name)
    return room


async def user_named(chat: Chat, name: str) -> Target:
    """Return the user with that name, who must be online or have an account: rights are given to nobody else.

    Raises:
        Refused: There is no such user.
    """
    target = await targets.anybody(chat, name)
    if not target.user_id:
        raise no_user(name)
    return target


def reason_of(text: str) -> str:
    """Return the reason of an act, cleaned and shortened so that it can be shown; empty if nothing is visible."""
    text = clean(text).strip()[:REASON_CHARACTERS]
    return "" if is_blank(text) else text
