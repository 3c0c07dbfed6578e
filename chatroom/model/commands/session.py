"""Commands to get help and to leave, and those about the connection of a program."""

from __future__ import annotations

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import Command, Seq, Word, row


class ShowHelp(Command, frozen=True, gc=False, tag="help"):
    """Explain all commands, one command, or the commands of a topic."""

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
    """Leave the server and close the connection."""


row(Quit, "leave the server", "quit|exit", upper="EXIT", bare="exit|quit", topic="end", examples=[{}])


class Acknowledge(Command, frozen=True, gc=False, tag="ack"):
    """Acknowledge everything in your inbox up to a seq. What is not acknowledged is sent again at the next login.

    If ``hello`` named a device, this holds for the device: others are sent what they have not acknowledged themselves.
    """

    seq: Seq

    @property
    def cost(self) -> int:
        """Count an acknowledgement as a query."""
        return 1


row(Acknowledge, "say how far you have read your inbox; for programs", "", examples=[{"seq": 140}])


class Pong(Command, frozen=True, gc=False):
    """Tell the server that you are still there."""

    @property
    def cost(self) -> int:
        """Count a pong as a query."""
        return 1


row(Pong, "answer a ping; for programs", "", examples=[{}])
