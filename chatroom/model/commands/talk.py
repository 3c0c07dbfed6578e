"""Commands to say something, to the room or to one person, and to find what was said."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import (
    BACK,
    BACK_PERHAPS,
    MESSAGES,
    ON_PERHAPS,
    TEXT,
    TEXT_PERHAPS,
    USER_PERHAPS,
    Back,
    Command,
    Count,
    Id,
    MessageSeq,
    RoomCommand,
    Seq,
    Word,
    row,
)


class Say(RoomCommand, frozen=True, gc=False):
    """Send a message to the room. A message that is sent again with the same ``id`` is stored only once.

    ``quote`` is the seq of the message that it answers.
    """

    text: str
    id: Id | None = None
    quote: Seq = 0


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


class Act(RoomCommand, frozen=True, gc=False, tag="me"):
    """Tell the room what you do, as in ``* alice waves``. ``quote`` is the seq of the message that it answers."""

    text: str
    id: Id | None = None
    quote: Seq = 0


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


class Quote(RoomCommand, frozen=True, gc=False):
    """Say something that answers one message: the last one that you were shown, or with ``last`` one before that.

    The messages of people whom you ignore and deleted messages do not count. A program that knows the seq of the
    message gives it to ``say`` as ``quote``.
    """

    last: Back
    text: str
    id: Id | None = None


row(
    Quote,
    "answer one message: -1 is the last one, -2 the one before",
    "quote",
    BACK,
    TEXT,
    in_room=True,
    topic="talk",
    examples=[{"last": 3, "text": "agreed", "id": "01J93"}],
)


class Edit(RoomCommand, frozen=True, gc=False):
    """Give one of your own messages another text: that with the ``seq``, or else the last one; ``last`` counts back.

    An edit that is sent again with the same ``id`` is stored only once. It counts as a message in a slow room.
    """

    text: str
    seq: MessageSeq | None = None
    last: Back = 1
    id: Id | None = None


row(
    Edit,
    "correct your last message in the room, or with -2 the one before",
    "edit",
    BACK_PERHAPS,
    TEXT,
    in_room=True,
    topic="talk",
    examples=[{"seq": 131, "text": "hello all", "id": "01J94"}],
)


class React(RoomCommand, frozen=True, gc=False):
    """React to a message with an emoji, or take the reaction back.

    It is the message with that ``seq``, or the last one that you were shown; ``last`` counts back. You may have 20
    reactions to a message, and all members together 200. U+FE0F in an emoji makes no difference.
    """

    emoji: Word
    seq: MessageSeq | None = None
    last: Back = 1
    on: bool = True


row(
    React,
    "react to the last message, or with -2 to the one before; off takes it back",
    "react",
    BACK_PERHAPS,
    Arg("emoji"),
    ON_PERHAPS,
    in_room=True,
    topic="talk",
    examples=[{"seq": 131, "emoji": "\N{THUMBS UP SIGN}"}],
)


class Tell(Command, frozen=True, gc=False, tag="message"):
    """Send a private message to one person."""

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
    """Send a private message to the person who last sent you one.

    ``to`` is the ``by_id`` of the person you mean, in case somebody else has written to you meanwhile.
    """

    text: str
    id: Id | None = None
    to: Word = ""


row(
    Reply,
    "answer the last person who wrote to you",
    "reply|r",
    TEXT,
    pipelined=True,
    topic="talk",
    examples=[{"text": "hi yourself"}],
)


class SayTyping(RoomCommand, frozen=True, gc=False, tag="typing"):
    """Tell the other members of the room, or ``user``, that your user is typing. It is stored nowhere.

    Send it at most once in 3 seconds; the server passes on no more.
    """

    user: Word = ""

    @property
    def needs_room(self) -> bool:
        """Whether the members of a room are to be told."""
        return not self.user

    @property
    def cost(self) -> int:
        """Count the command as a query."""
        return 1


row(
    SayTyping, "tell others that your user is typing; for programs", "", examples=[{"room": "lobby"}, {"user": "alice"}]
)


class SetAway(Command, frozen=True, gc=False, tag="away"):
    """Tell others that you are away, and why. Without a text, tell them that you are back."""

    text: Annotated[str, Meta(max_length=4096)] = ""


row(
    SetAway,
    "tell others that you are away, and why; alone, it says that you are back",
    "away",
    TEXT_PERHAPS,
    topic="talk",
    examples=[{"text": "lunch"}],
)


class ReadHistory(RoomCommand, frozen=True, gc=False, tag="history"):
    """Read older messages of the room, or outside a room your private messages.

    With ``user``, your private messages with that person are read, wherever you are: those of both sides, in the order
    of ``seq``. With ``private``, all your private messages are read, wherever you are. With ``before``, only messages
    before that seq are read. With ``after``, the oldest messages after that seq are.
    """

    messages: Count | None = None
    before: Seq | None = None
    after: Seq | None = None
    user: Word = ""
    private: bool = False

    @property
    def needs_room(self) -> bool:
        """Whether the messages are those of a room."""
        return not (self.user or self.private)

    @property
    def cost(self) -> int:
        """Count the command as a query; more messages cost more."""
        return (1 if self.needs_room else 5) + min(self.messages or 0, 200) // 20


row(
    ReadHistory,
    "show older messages of the room, or your private messages with somebody; outside a room, all of these",
    "history",
    MESSAGES,
    USER_PERHAPS,
    long=True,
    topic="talk",
    examples=[{"messages": 20, "before": 131}],
)


class ListConversations(Command, frozen=True, gc=False, tag="conversations"):
    """List the people with whom you have exchanged private messages, those with the newest message first."""

    @property
    def cost(self) -> int:
        """Count the command as some queries: many messages are looked at."""
        return 5


row(
    ListConversations,
    "list the people with whom you have exchanged private messages",
    "conversations",
    long=True,
    topic="talk",
    examples=[{}],
)


class MarkRead(RoomCommand, frozen=True, gc=False, tag="read"):
    """Say that you have read the room, or with ``user`` your private messages with that person, up to a ``seq``.

    Without ``seq``, everything is read. This moves your read mark, which never goes back. The mark is kept for your
    account, and your other sessions are told. The marks of a guest last as long as the guest.
    """

    seq: Seq | None = None
    user: Word = ""

    @property
    def needs_room(self) -> bool:
        """Whether it is a room that was read."""
        return not self.user

    @property
    def cost(self) -> int:
        """Count the command as a query; finding a person may take longer."""
        return 3 if self.user else 1


row(MarkRead, "say how far you have read; for programs", "", pipelined=True, examples=[{"room": "lobby", "seq": 131}])


class Search(RoomCommand, frozen=True, gc=False):
    """Find the newest messages of the room that contain all these words; outside a room, your private messages.

    With ``user``, your private messages with that person are searched, wherever you are, and with ``private`` all of
    them. With ``before``, only messages with a smaller seq are searched; ``searched_to`` of ``found`` is such a seq.
    With ``again``, the search continues by itself where your last search in this room stopped, if that was for the same
    words and did not reach the oldest message.
    """

    words: Annotated[str, Meta(max_length=400)]
    before: Seq | None = None
    again: bool = False
    user: Word = ""
    private: bool = False

    @property
    def needs_room(self) -> bool:
        """Whether the messages are those of a room."""
        return not (self.user or self.private)


row(
    Search,
    "find messages of the room that contain all these words; outside a room, private messages",
    "search",
    Arg("words", Kind.REST),
    fixed={"again": True},
    long=True,
    topic="talk",
    examples=[{"words": "release notes", "before": 131}],
)
