"""Saying something: to the room, to one person, and finding what was said."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import MESSAGES, TEXT, TEXT_PERHAPS, Command, Count, Id, Seq, Word, row


class Say(Command, frozen=True, gc=False):
    """Say something to the room. With an ``id`` of your own, saying it again stores it once."""

    text: str
    id: Id | None = None


row(
    Say,
    "say something to the room",
    "say",
    TEXT,
    in_room=True,
    pipelined=True,
    topic="talk",
    examples=[{"text": "hello", "id": "01J8Z"}],
)


class Act(Command, frozen=True, gc=False, tag="me"):
    """Do something: ``* alice waves``."""

    text: str
    id: Id | None = None


row(
    Act,
    "say what you do: * alice waves",
    "me",
    TEXT,
    in_room=True,
    pipelined=True,
    topic="talk",
    examples=[{"text": "waves", "id": "01J90"}],
)


class Tell(Command, frozen=True, gc=False, tag="message"):
    """Write to one person."""

    user: Word
    text: str
    id: Id | None = None


row(
    Tell,
    "write to one person",
    "msg|message|query|w",
    Arg("user", ask="To whom?"),
    TEXT,
    bare="message|msg",
    pipelined=True,
    topic="talk",
    examples=[{"user": "alice", "text": "hi", "id": "01J91"}],
)


class Reply(Command, frozen=True, gc=False):
    """Write to whoever wrote to you last. ``to``: the ``by_id`` of whom you mean, if another writes meanwhile."""

    text: str
    id: Id | None = None
    to: Word = ""


row(
    Reply,
    "write to whoever wrote to you last",
    "reply|r",
    TEXT,
    pipelined=True,
    topic="talk",
    examples=[{"text": "hi yourself"}],
)


class SetAway(Command, frozen=True, gc=False, tag="away"):
    """Be away, with a word about it; without one, be back."""

    text: Annotated[str, Meta(max_length=4096)] = ""


row(
    SetAway,
    "tell others that you are away, and why; alone, it says that you are back",
    "away",
    TEXT_PERHAPS,
    topic="talk",
    examples=[{"text": "lunch"}],
)


class ReadHistory(Command, frozen=True, gc=False, tag="history"):
    """Show older messages of the room, ``before`` a seq if given; the oldest ones ``after`` a seq, if that is given."""

    messages: Count | None = None
    before: Seq | None = None
    after: Seq | None = None


row(
    ReadHistory,
    "show older messages of the room; outside a room, your private messages",
    "history",
    MESSAGES,
    topic="talk",
    examples=[{"messages": 20, "before": 131}],
)


class Search(Command, frozen=True, gc=False):
    """Find messages of the room that hold all these words, the newest first of all.

    ``before``: only messages with a smaller seq, as ``found`` gives one in ``searched_to``. ``again``: go on there by
    itself, if the same was searched for in this room just before and did not reach the oldest message.
    """

    words: Annotated[str, Meta(max_length=400)]
    before: Seq | None = None
    again: bool = False


row(
    Search,
    "find messages of the room that contain all these words",
    "search",
    Arg("words", Kind.REST),
    in_room=True,
    fixed={"again": True},
    topic="talk",
    examples=[{"words": "release notes", "before": 131}],
)
