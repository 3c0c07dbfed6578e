"""What a connection needs of a dialect: besides turning events into bytes, it reads lines and has a greeting."""

from __future__ import annotations

from typing import Protocol

from chatroom.chat.interfaces import Dialect
from chatroom.chat.session import Session
from chatroom.model.commands import Command


class WireDialect(Dialect, Protocol):
    """A dialect that can also read lines and greet.

    Attributes:
        person: Whether people speak it. They are greeted, may use telnet, and are kept alive by TCP instead of pings.
        line_limit: The length of the longest line, in bytes.
        patience: Seconds in which the first line must come.
    """

    person: bool
    line_limit: int
    patience: float

    def read(self, line: bytes, session: Session) -> Command | None:
        """Return the command in a line; None if there is nothing to do.

        Raises:
            Refused: The line holds no command that this session could give.
        """

    def greeting(self, session: Session) -> bytes:
        """Return what is sent first to a new session; empty if nothing is."""
