"""The commands about one message of the room: to edit it, to react to it, and to answer it.

In an encrypted room they are refused: there, such things are said inside sealed messages.

What may be done to the message is decided when the event is stored (``chatroom.model.amendments``), because it may
change until then. Here the right to speak is checked, and which message is meant.
"""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import RECENT
from chatroom.chat.messaging import check_not_muted, check_not_silenced, checked, may_speak, speak
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.commands import Edit, Quote, React, Say
from chatroom.model.emoji import is_emoji
from chatroom.model.errors import BAD_EMOJI, NO_MESSAGE, NOT_IN_ROOM
from chatroom.model.events import ROOM_MESSAGES, Edited, LogEvent, Reacted, Said, Spoken


@handles(Edit)
async def edit(chat: Chat, session: Session, command: Edit, room: Room) -> None:
    """Give one of the user's own messages another text. The answer is ``ok``, after the event itself."""
    room.record.check_plain(keyed=session.keyed)
    text = checked(command.text)
    seq = command.seq
    if seq is None:

        def own(event: LogEvent) -> bool:
            return isinstance(event, Spoken) and event.by_id == session.user_id

        seq = await _counted_back(chat, session, room, command.last, own)
    if room.guarded:
        may_speak(session, room)
    own_id = command.id
    event = Edited(own_id or session.next_id(), chat.now(), session.name, session.user_id, message=seq, text=text)
    session.say(room, event, command.ref, once=own_id is not None, ok=True)


@handles(React)
async def react(chat: Chat, session: Session, command: React, room: Room) -> None:
    """React to a message, or take a reaction back. The answer is ``ok``, also if there was nothing to change."""
    room.record.check_plain(keyed=session.keyed)
    if not is_emoji(command.emoji):
        raise BAD_EMOJI()
    seq = command.seq if command.seq is not None else await _shown_back(chat, session, room, command.last)
    if room.guarded:
        check_not_silenced(session, room)
        check_not_muted(session, room)
    who = session.next_id(), chat.now(), session.name, session.user_id
    session.say(room, Reacted(*who, message=seq, emoji=command.emoji, on=command.on), command.ref, ok=True)


@handles(Quote)
async def quote(chat: Chat, session: Session, command: Quote, room: Room) -> None:
    """Answer a message that the user was shown. The command is answered ``ok``, after the echo."""
    room.record.check_plain(keyed=session.keyed)
    checked(command.text)
    seq = await _shown_back(chat, session, room, command.last)
    speak(session, Say(text=command.text, id=command.id, quote=seq, ref=command.ref), room, Said, ok=True)


async def _shown_back(chat: Chat, session: Session, room: Room, last: int) -> int:
    """Return the seq of a message that the session was shown: 1 is the last one.

    Own messages count, and so do those that were said before the session came. Messages of ignored users and deleted
    messages do not.

    Raises:
        Refused: There is no such message, or it is too old to be counted back to.
    """
    return await _counted_back(chat, session, room, last, lambda event: not session.ignores(event))


async def _counted_back(chat: Chat, session: Session, room: Room, last: int, counts: Callable[[LogEvent], bool]) -> int:
    """Return the seq of a message in the room: the last one, or one before.

    Only what the room had shown when the command was given counts: the user has not seen what was stored since.

    Args:
        chat: The chat.
        session: The session.
        room: The room.
        last: 1 for the last message that counts, 2 for the one before, and so on.
        counts: Returns whether a message counts. Deleted ones never do.

    Raises:
        Refused: There is no such message among the ``RECENT`` newest ones, or the session is in the room no more.
    """
    page = await chat.engine.read(room.log, before=room.seq + 1, limit=RECENT, messages=True)
    if room not in session.rooms:
        raise NOT_IN_ROOM()
    seqs = [
        entry.seq
        for entry in page.entries
        if isinstance(entry.event, ROOM_MESSAGES) and entry.event.text and counts(entry.event)
    ]
    if last > len(seqs):
        raise NO_MESSAGE(room=room.name)
    return seqs[-last]
