"""What a dialect is to a connection: beside making bytes of events it makes commands of lines, and greets."""

from __future__ import annotations

from typing import Protocol

from chatroom.chat.interfaces import Dialect
from chatroom.chat.session import Session
from chatroom.model.commands import Command


class WireDialect(Dialect, Protocol):
    """See the module.

    Attributes:
        person: A person speaks it: greeted in words, by telnet perhaps, kept alive by TCP.
        line_limit: The longest line, in bytes.
        patience: Seconds in which something must have been said.
    """

    person: bool
    line_limit: int
    patience: float

    def read(self, line: bytes, session: Session) -> Command | None:
        """Make a command of a line; None when there is nothing to do.

        Raises:
            Refused: It is none.
        """

    def greeting(self, session: Session) -> bytes:
        """Return what is said to somebody who has just come."""
