"""What an amendment (an edit, a reaction, a deletion) makes of the message that it is about, and what a quote shows.

Engines apply these rules inside the transaction that stores the event, so that they hold whatever happens at the same
time. The client applies them to the messages that it shows.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from chatroom.model.emoji import same_emoji
from chatroom.model.events import (
    Amendment,
    Edited,
    EmojiReaction,
    LogEvent,
    Quoted,
    Reacted,
    RoomMessage,
    Spoken,
    blanked,
)
from chatroom.model.log import MessageGone, NothingToChange, NotTheAuthor, TooManyReactions
from chatroom.model.text import on_one_line

EXCERPT = 60  # characters of a message that are shown where it is quoted
REACTIONS = 200  # to one message ...
REACTIONS_OF_ONE = 20  # ... of which so many may be from one user


def excerpt(message: RoomMessage) -> str:
    """Return the first words of a message on one line; empty if the message was deleted."""
    text = on_one_line(message.text)  # type: ignore[attr-defined]
    return text if len(text) <= EXCERPT else f"{text[: EXCERPT - 1].rstrip()}…"


def amended(message: LogEvent, amendment: Amendment) -> Any:
    """Return the message as it is after an amendment.

    Args:
        message: The message as it is now.
        amendment: What happens to it.

    Raises:
        MessageGone: It is no message of a room, was deleted, or has no text that its author could edit.
        NotTheAuthor: The amendment is an edit by somebody else.
        TooManyReactions: The message has all the reactions that it may have.
        NothingToChange: The message has the reaction already, or does not have it any more.
    """
    if not isinstance(message, RoomMessage):
        raise MessageGone("it is no message of a room")
    if not isinstance(amendment, Edited | Reacted):
        return blanked(message)
    if not message.text:  # type: ignore[attr-defined]
        raise MessageGone("the message was deleted")
    if isinstance(amendment, Reacted):
        return replace(message, reactions=_reactions(message.reactions, amendment))
    if not isinstance(message, Spoken):
        raise MessageGone("a file has no text")
    if message.by_id != amendment.by_id:
        raise NotTheAuthor("the message is somebody else's")
    return replace(message, text=amendment.text, edited=amendment.at)


def _reactions(reactions: tuple[EmojiReaction, ...], event: Reacted) -> tuple[EmojiReaction, ...]:
    """Return the reactions to a message after one was added or taken back; see ``amended`` for what is raised."""
    of_user = [reaction for reaction in reactions if reaction.by_id == event.by_id]
    there = [reaction for reaction in of_user if same_emoji(reaction.emoji, event.emoji)]
    if bool(there) == event.on:
        raise NothingToChange("the reaction is there already" if event.on else "there is no such reaction")
    if not event.on:
        return tuple(reaction for reaction in reactions if reaction not in there)
    if len(of_user) >= REACTIONS_OF_ONE or len(reactions) >= REACTIONS:
        raise TooManyReactions("no more reactions fit")
    return (*reactions, EmojiReaction(_as_there(reactions, event.emoji), event.by, event.by_id))


def _as_there(reactions: tuple[EmojiReaction, ...], emoji: str) -> str:
    """Return an emoji in the form that other users have given it already, so that equal reactions look equal."""
    return next((each.emoji for each in reactions if same_emoji(each.emoji, emoji)), emoji)


def informed(event: Any, message: LogEvent) -> Any:
    """Return an event with what it shows of the message that it is about: the author and the first words.

    Args:
        event: A message that quotes another, or an amendment.
        message: The message that it is about.

    Raises:
        MessageGone: That is no message of a room.
    """
    if not isinstance(message, RoomMessage):
        raise MessageGone("it is no message of a room")
    if isinstance(event, Spoken):
        return replace(event, quoted=Quoted(message.by, excerpt(message)))
    if isinstance(event, Reacted):
        emoji = _as_there(message.reactions, event.emoji)
        return replace(event, emoji=emoji, user=message.by, text=excerpt(message))
    return event


def own_part(message: LogEvent) -> Any:
    """Return a message without what others have made of it since: the words that it quotes, and the reactions to it.

    That is what its author may see who is in the room no more.
    """
    if not isinstance(message, RoomMessage):
        return message
    bare: Any = replace(message, reactions=())
    if isinstance(bare, Spoken) and bare.quoted is not None:
        bare = replace(bare, quoted=Quoted(bare.quoted.by, ""))
    return bare


def supersedes(new: LogEvent, old: LogEvent) -> bool:
    """Return whether nobody needs the amendment ``old`` any more after ``new``, which is about the same message."""
    if isinstance(new, Edited):
        return isinstance(old, Edited)
    return (
        isinstance(new, Reacted)
        and isinstance(old, Reacted)
        and old.by_id == new.by_id
        and same_emoji(old.emoji, new.emoji)
    )
