"""The sealed private messages as this client knows them: the history of each conversation, and who said what.

Messages name one another by their ids, because the server must not know which message a sealed one is about.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from msgspec import Struct
from msgspec.json import decode, encode
from msgspec.structs import replace

from chatroom.client.encryption.store import Store
from chatroom.client.errors import Rejected
from chatroom.client.opened import Opened, OpenedOwn
from chatroom.model import events as e
from chatroom.model.amendments import EXCERPT, amended
from chatroom.model.log import MessageGone, NothingToChange, TooManyReactions
from chatroom.model.text import on_one_line

MOST_KNOWN = 500  # messages of one conversation in memory
MOST_CONVERSATIONS = 200  # in memory


class PrivateLine(Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A sealed private message as the history keeps it.

    Args:
        id: The message's id.
        at: When it was sent, in ms since 1970.
        by: The author's name, and ``by_id`` the author's id.
        to: The reader's name, and ``to_id`` the reader's id.
        text: The text.
        quoted: What it answers: the author and the first words.
        edited: When the text was last changed.
        reactions: The reactions that nobody has taken back.
    """

    id: str
    at: int
    by: str
    by_id: str
    to: str
    to_id: str
    text: str
    quoted: tuple[str, str] | None = None
    edited: int = 0
    reactions: tuple[e.EmojiReaction, ...] = ()

    def event(self, me: str) -> e.Private:
        """Return the event to show; ``me`` is our user id."""
        kind = OpenedOwn if self.by_id == me and self.to_id != me else Opened
        quoted = e.Quoted(*self.quoted) if self.quoted is not None else None
        fields: dict[str, Any] = {"quoted": quoted, "edited": self.edited, "reactions": self.reactions}
        who: dict[str, Any] = {"by": self.by, "by_id": self.by_id, "to": self.to, "to_id": self.to_id}
        return kind(id=self.id, at=self.at, text=self.text, **who, **fields)


def excerpt(text: str) -> str:
    """Return the first words of a text, on one line."""
    line = on_one_line(text)
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 1].rstrip()}…"


@dataclass(slots=True)
class _Conversation:
    lines: OrderedDict[str, PrivateLine]
    complete: bool = False  # the newest lines of the history are among them


class SealedConversations:
    """The sealed messages with each person.

    Args:
        store: Keeps the history.
        me: Our user id.
    """

    def __init__(self, store: Store, me: str) -> None:
        self._store = store
        self._me = me
        self._known: OrderedDict[str, _Conversation] = OrderedDict()

    def note(self, peer_id: str, line: PrivateLine) -> None:
        """Add a message to the history."""
        lines = self._conversation(peer_id).lines
        lines[line.id] = line
        if len(lines) > MOST_KNOWN:
            lines.popitem(last=False)
        self._store.note(_place(peer_id), line.id, line.at, line.at, encode(line))  # its time orders it

    def find(self, peer_id: str, id: str) -> PrivateLine | None:
        """Return the message with an id; None if it is not known, or was deleted."""
        line = self._conversation(peer_id).lines.get(id)
        if line is not None:
            return line
        kept = self._store.find(_place(peer_id), id)
        return decode(kept, type=PrivateLine) if kept is not None else None

    async def counted_back(self, peer_id: str, last: int, *, own: bool) -> PrivateLine:
        """Return the last message, or one before.

        Args:
            peer_id: The id of the other person.
            last: 1 for the last message, 2 for the one before.
            own: Whether only our own messages count.

        Raises:
            Rejected: There is no such message.
        """
        lines = (await self._loaded(peer_id)).lines.values()
        found = [line for line in lines if line.text and (line.by_id == self._me or not own)]
        if last > len(found):
            whose = "encrypted message of yours" if own else "encrypted message"
            raise Rejected("no-message", f"There is no such {whose} in this conversation.")
        return found[-last]

    async def recent(self, peer_id: str, before: int, limit: int) -> list[PrivateLine]:
        """Return the newest messages before a time in ms (0: no such limit), the newest last."""
        kept = await self._store.recent(_place(peer_id), before, limit)
        return [decode(each.value, type=PrivateLine) for each in kept]

    async def search(self, peer_id: str, words: str, limit: int) -> list[PrivateLine]:
        """Return the newest messages with all words, of one person, the newest last."""
        kept = await self._store.search(_place(peer_id), words.split(), limit, _text_of)
        return [decode(each.value, type=PrivateLine) for each in reversed(kept)]

    def edited(self, peer_id: str, line: PrivateLine, text: str, at: int) -> None:
        """Give a message another text."""
        self._change(peer_id, replace(line, text=text, edited=at))

    def reacted(self, peer_id: str, line: PrivateLine, by: tuple[str, str], emoji: str, *, on: bool) -> None:
        """Add a reaction to a message, or take it back; do nothing if that changes nothing, or no more fit.

        Args:
            peer_id: The id of the other person.
            line: The message.
            by: The name and the id of the user who reacts.
            emoji: The reaction.
            on: Whether it is added.
        """
        who: dict[str, Any] = {"at": line.at, "by": by[0], "by_id": by[1]}
        before = e.Said(id=line.id, text=line.text, reactions=line.reactions, **who)
        try:
            after = amended(before, e.Reacted(id="", message=0, emoji=emoji, on=on, **who))
        except (MessageGone, TooManyReactions, NothingToChange):
            return
        self._change(peer_id, replace(line, reactions=after.reactions))

    def put_back(self, peer_id: str, line: PrivateLine) -> None:
        """Give a message its earlier state: what we did to it was refused."""
        self.note(peer_id, line)
        self._change(peer_id, line)
        known = self._conversation(peer_id)
        known.lines = OrderedDict(sorted(known.lines.items(), key=lambda item: item[1].at))

    def _change(self, peer_id: str, line: PrivateLine) -> None:
        lines = self._conversation(peer_id).lines
        if line.id in lines:
            lines[line.id] = line
        self._store.replace(_place(peer_id), line.id, encode(line))

    def delete(self, peer_id: str, id: str) -> None:
        """Remove a message from the history."""
        self._conversation(peer_id).lines.pop(id, None)
        self._store.forget(_place(peer_id), id)

    def _conversation(self, peer_id: str) -> _Conversation:
        known = self._known.setdefault(peer_id, _Conversation(OrderedDict()))
        self._known.move_to_end(peer_id)
        if len(self._known) > MOST_CONVERSATIONS:
            self._known.popitem(last=False)
        return known

    async def _loaded(self, peer_id: str) -> _Conversation:
        """Return a conversation with the newest lines of the history."""
        known = self._conversation(peer_id)
        if not known.complete:
            older = await self.recent(peer_id, 0, MOST_KNOWN)
            known.lines = OrderedDict({line.id: line for line in older} | known.lines)
            known.complete = True
        return known


def _text_of(value: bytes) -> str:
    return decode(value, type=PrivateLine).text


def _place(peer_id: str) -> str:
    return f"user/{peer_id}"
