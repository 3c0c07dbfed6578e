"""What the client writes in a pipe: events as lines of text or as records."""

from __future__ import annotations

from typing import Any

import msgspec
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chatroom.client.client import Client
from chatroom.client.encryption.secrecy_marks import SecrecyMarks
from chatroom.client.plain_text import lines_of, recalled
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.text import marked

_SEALED = '"encrypted":true'  # what a record has if its message came encrypted


@implementer(IPushProducer)
class PipeOutput:
    """Writes what the server sends, and stops reading from the server while the output is full.

    Args:
        records: Whether to write events as records, as the server sent them, instead of text. The record of a message
            that came encrypted also has ``"encrypted": true``.
        several: Whether the client may be in several rooms, so that each line of a room begins with the room's name.
    """

    def __init__(self, *, records: bool, several: bool = False) -> None:
        self.records = records
        self._several = several
        self._client: Client
        self._marks: SecrecyMarks
        self._transport: Any = None

    def begin(self, client: Client) -> None:
        """Set the client whose events are written."""
        self._client = client
        self._marks = SecrecyMarks(client.privacy, lambda: client.name)

    def open(self, transport: Any) -> None:
        """Write to a transport from now on; what is written before is dropped."""
        self._transport = transport
        transport.registerProducer(self, True)

    def close(self) -> None:
        """Close the output once everything is written."""
        self._transport.unregisterProducer()
        self._transport.loseConnection()

    def show(self, event: e.Event) -> None:
        """Write an event."""
        if isinstance(event, a.KeysChanged | a.KeysLow):
            return  # the client itself sees to these
        if self.records:
            record = e.encode(_without_secrets(event)).decode()
            sealed = isinstance(event, e.MESSAGES) and self._client.privacy.sealed(event)
            self._write([f"{record[:-1]},{_SEALED}}}" if sealed else record])
        elif self._client.replayed(event):
            self._write_of(event, [self._marked(recalled("", event, self._client.name), event, stamped=True)])
        else:
            stamped = isinstance(event, e.Private) and event.late
            lines = lines_of(event, self._client.name)
            self._write_of(event, [self._marked(line, event, stamped=stamped) for line in lines])

    def _marked(self, line: str, event: e.Event, *, stamped: bool) -> str:
        """Return the line of an event; that of a message that is not protected as its conversation has a mark.

        Args:
            line: The line.
            event: The event.
            stamped: Whether the line begins with its time in brackets.
        """
        mark = self._marks.of(event) if isinstance(event, e.Private | e.Said | e.Acted) else ""
        if not mark or not isinstance(event, e.LogEvent):
            return line
        end = line.index(event.by, line.index("] ") if stamped else 0) + len(event.by)
        return f"{line[:end]} ({mark}){line[end:]}"

    def say(self, text: str) -> None:
        """Write a message of the client itself; when events are written as records, write nothing."""
        if not self.records:
            self._write([text])

    def _write_of(self, event: e.Event, lines: list[str]) -> None:
        """Write the lines of an event; if the client may be in several rooms, each begins with the event's room."""
        room = "" if e.of_inbox(event) or not self._several else getattr(event, "room", "")
        if room:
            lines = [f"[{room}] {part}" for line in lines for part in marked(line).split("\n")]
        self._write(lines)

    def _write(self, lines: list[str]) -> None:
        """Write lines. All output goes through here, so no part of a message can pose as another line."""
        if lines and self._transport is not None:
            self._transport.write("".join(f"{marked(line)}\n" for line in lines).encode("utf-8", "replace"))

    # ---- IPushProducer: the server's events fill the output ----------------------------------------------------------

    def pauseProducing(self) -> None:
        """Stop reading from the server: the output is full."""
        self._client.pause()

    def resumeProducing(self) -> None:
        """Read from the server again: the output accepts data again."""
        self._client.resume()

    def stopProducing(self) -> None:
        """Do nothing: ``Pipe.writeConnectionLost`` ends the client."""


def _without_secrets(event: e.Event) -> e.Event:
    """Return the event without tokens and secrets, because the output may be kept in a file."""
    if isinstance(event, a.Welcome):
        return msgspec.structs.replace(event, resume="")
    return msgspec.structs.replace(event, token="") if isinstance(event, a.Account) else event
