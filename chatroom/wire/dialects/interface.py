"""What a connection needs of a dialect: it turns events into bytes, reads commands from lines, and has a greeting."""

from __future__ import annotations

from typing import Protocol

from chatroom.chat.interfaces import Dialect
from chatroom.chat.session import Session
from chatroom.model.commands import Command


class WireDialect(Dialect, Protocol):
    """A dialect that can also read commands from lines, and greet.

    Attributes:
        person: Whether people speak the dialect. They are greeted and may use telnet. TCP probes whether they are still
            there; programs are pinged instead.
        line_limit: The length of the longest line, in bytes.
        patience: Seconds within which a new connection must send its first line.
    """

    person: bool
    line_limit: int
    patience: float

    def read(self, line: bytes, session: Session) -> Command | None:
        """Return the command in a line; None if the line asks the chat for nothing, as an empty one.

        Raises:
            Refused: The line holds no command that this session could give.
        """

    def greeting(self, session: Session) -> bytes:
        """Return the bytes with which the server greets a new session; empty if it sends none."""
