"""A message of an encrypted room as this client keeps it: with what it answers, and with what was done to it since.

Changes of a message may become known in any order, because older messages are opened when the user asks for them. So
each change is kept with its seq, and an older one does not replace a newer one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from chatroom.client.encryption.conversations import excerpt
from chatroom.client.opened import OpenedActed, OpenedSaid
from chatroom.model import events as e
from chatroom.model.amendments import REACTIONS, REACTIONS_OF_ONE
from chatroom.model.emoji import same_emoji


class KeptReaction(NamedTuple):
    """What somebody did last with one emoji.

    Args:
        emoji: The emoji.
        by: The name of the user who reacted, and ``by_id`` that user's id.
        seq: The seq of the reaction.
        on: Whether the reaction was added, not taken back.
    """

    emoji: str
    by: str
    by_id: str
    seq: int
    on: bool = True


class KeptRoomLine(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A message of an encrypted room.

    Args:
        id: The message's id.
        seq: Its number in the room's log.
        at: When it was sent, in ms since 1970.
        by: The author's name, and ``by_id`` the author's id.
        text: The text; empty if the message was deleted. Of a shared file, its name.
        acted: Whether it is what somebody does, by ``/me``.
        file: Whether it is a shared file.
        answers: The id of the message that it answers; empty if it answers none.
        edited: When the text was last changed, in ms since 1970.
        edit: The seq of that change.
        reactions: The reactions, those that were taken back among them.
    """

    id: str
    seq: int
    at: int
    by: str
    by_id: str
    text: str
    acted: bool = False
    file: bool = False
    answers: str = ""
    edited: int = 0
    edit: int = 0
    reactions: tuple[KeptReaction, ...] = ()

    @property
    def deleted(self) -> bool:
        """Whether the message was deleted: nothing changes it any more."""
        return not self.text

    @property
    def living(self) -> tuple[e.EmojiReaction, ...]:
        """The reactions that nobody has taken back."""
        return tuple(e.EmojiReaction(each.emoji, each.by, each.by_id) for each in self.reactions if each.on)

    def event(self, room: str, answered: KeptRoomLine | None) -> e.Spoken:
        """Return the message to show, as it is now.

        Args:
            room: The room's name.
            answered: The message that it answers; None if this client does not have that one.
        """
        quoted = e.Quoted("", "") if self.answers else None
        if answered is not None:
            quoted = e.Quoted(answered.by, excerpt(answered.text))
        quote = answered.seq if answered is not None else 0
        became: dict[str, Any] = {"edited": self.edited, "reactions": self.living}
        what: dict[str, Any] = {"text": self.text, "quote": quote, "quoted": quoted, **became}
        who: dict[str, Any] = {"id": self.id, "at": self.at, "by": self.by, "by_id": self.by_id}
        return (OpenedActed if self.acted else OpenedSaid)(room=room, seq=self.seq, **who, **what)

    def after(self, change: e.Edited | e.Reacted) -> KeptRoomLine:
        """Return the message after a change; the same one if it was deleted, a newer change is known, or no more
        reactions fit."""
        if self.deleted:
            return self
        if isinstance(change, e.Reacted):
            return self._reacted(change)
        return self if change.seq <= self.edit else replace(self, text=change.text, edited=change.at, edit=change.seq)

    def _reacted(self, change: e.Reacted) -> KeptRoomLine:
        others = [each for each in self.reactions if not _is_same(each, change)]
        known = next((each for each in self.reactions if _is_same(each, change)), None)
        living = [each for each in others if each.on]
        full = len(living) >= REACTIONS or sum(each.by_id == change.by_id for each in living) >= REACTIONS_OF_ONE
        if (known is not None and known.seq >= change.seq) or (change.on and full):
            return self
        new = KeptReaction(change.emoji, change.by, change.by_id, change.seq, change.on)
        return replace(self, reactions=tuple(_bounded([*others, new])))


def _is_same(kept: KeptReaction, change: e.Reacted) -> bool:
    return kept.by_id == change.by_id and same_emoji(kept.emoji, change.emoji)


def _bounded(reactions: list[KeptReaction]) -> list[KeptReaction]:
    """Return the reactions to keep: the oldest of those that were taken back go if there are too many."""
    excess = len(reactions) - REACTIONS
    gone = sorted(each.seq for each in reactions if not each.on)[: max(excess, 0)]
    return [each for each in reactions if each.on or each.seq not in gone]
