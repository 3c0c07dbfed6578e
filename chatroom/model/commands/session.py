"""Help, the end of a session, and what programs say about the connection."""

from __future__ import annotations

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import Command, Seq, Word, row


class ShowHelp(Command, frozen=True, gc=False, tag="help"):
    """Explain the commands; or one of them, or those of a topic."""

    command: Word = ""


row(
    ShowHelp,
    "list what you can do, or explain a topic or a command",
    "help",
    Arg("command", Kind.REST, "topic or command", required=False),
    bare="help",
    topic="end",
    examples=[{"command": "join"}],
)


class Quit(Command, frozen=True, gc=False):
    """Leave the server."""


row(Quit, "leave the server", "quit|exit", upper="EXIT", bare="exit|quit", topic="end", examples=[{}])


class Acknowledge(Command, frozen=True, gc=False, tag="ack"):
    """I have what came to my inbox up to that seq; what is not acknowledged comes again with the next login."""

    seq: Seq


row(Acknowledge, "say how far you have read your inbox; for programs", "", examples=[{"seq": 140}])


class Pong(Command, frozen=True, gc=False):
    """I am here."""


row(Pong, "answer a ping; for programs", "", examples=[{}])
