"""What sealed messages are opened to: the client handles them as the usual messages.

No server can send these records: only what this client has opened itself is of these classes.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

from chatroom.model import events as e
from chatroom.model import replies as a


class Opened(e.Private, frozen=True, gc=False, kw_only=True, tag="private"):
    """A private message that came sealed, from somebody else. Its ``seq`` is 0, for it is in no inbox of the server.

    ``quoted`` is the message that it answers. ``edited`` is when its text was last changed. ``reactions`` are those
    that nobody has taken back.
    """

    abstract = True

    encrypted: Literal[True] = True
    quoted: e.Quoted | None = None
    edited: int = 0
    reactions: tuple[e.EmojiReaction, ...] = ()


class OpenedOwn(a.OwnPrivate, frozen=True, gc=False, kw_only=True, tag="private"):
    """A private message that another device of the user has sent, sealed; see ``Opened``."""

    abstract = True

    encrypted: Literal[True] = True
    quoted: e.Quoted | None = None
    edited: int = 0
    reactions: tuple[e.EmojiReaction, ...] = ()


class SentSealed(a.Sent, frozen=True, gc=False, kw_only=True, tag="sent"):
    """The answer to a private message of ours that was sent sealed. ``quoted`` is the message that it answers."""

    abstract = True

    quoted: e.Quoted | None = None


class OpenedSaid(e.Said, frozen=True, gc=False, kw_only=True, tag="said"):
    """A message of an encrypted room that came sealed."""

    abstract = True

    encrypted: Literal[True] = True


class OpenedActed(e.Acted, frozen=True, gc=False, kw_only=True, tag="acted"):
    """What a member of an encrypted room does, by ``/me``, that came sealed."""

    abstract = True

    encrypted: Literal[True] = True


class WithdrawnFile(e.Shared, frozen=True, gc=False, kw_only=True, tag="shared"):
    """A sealed file that was deleted, and that this client knows. ``was`` is its real name."""

    abstract = True

    was: str


OPENED = (Opened, OpenedOwn, OpenedSaid, OpenedActed)


def kind_of(event: e.Event) -> type:
    """Return the class of an event that has words: messages that are sealed have the words of plain ones."""
    return type(event) if not isinstance(event, (*OPENED, SentSealed, WithdrawnFile)) else type(event).__mro__[1]


class PrivateChange(Struct, frozen=True, gc=False, kw_only=True):
    """A notice: what somebody did to a sealed private message.

    Args:
        kind: What was done.
        message: The id of the message.
        by: Who did it, who is the user or the other person of the conversation.
        user: The name of the other person.
        at: When, in milliseconds since 1970.
        text: The new text; for a reaction or a deletion, the first words of the message.
        emoji: The reaction.
        on: Whether the reaction was added, not taken back.
    """

    kind: Literal["edit", "react", "delete"]
    message: str
    by: str
    user: str
    at: int
    text: str = ""
    emoji: str = ""
    on: bool = True

    @property
    def amendment(self) -> e.Amendment:
        """The same as an event of a room, which says what becomes of the message."""
        fields: dict[str, Any] = {"room": "", "seq": 0, "id": "", "at": self.at, "by": self.by, "by_id": self.by}
        if self.kind == "edit":
            return e.Edited(**fields, message=0, text=self.text)
        if self.kind == "delete":
            return e.Deleted(**fields, message=0, user=self.by)
        return e.Reacted(**fields, message=0, emoji=self.emoji, on=self.on)

    @property
    def words(self) -> str:
        """What was done, in words."""
        if self.kind == "edit":
            return f"{self.by} corrected: {self.text}"
        if self.kind == "delete":
            return f"{self.by} deleted a message."
        did = f"reacted {self.emoji} to" if self.on else f"took back {self.emoji} from"
        return f'{self.by} {did} "{self.text}"'
