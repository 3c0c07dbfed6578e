"""Commands that the server has not answered, in the order in which they were given.

Messages are *kept*: each has an id by which the server stores it once, and is sent again after a reconnection until it
is acknowledged, by its answer or by its echo. Other commands fail when the connection is lost. So does a message to a
room that we had not reached yet. The order is that in which commands were given, so messages stay ordered in each room.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.connection import encoded
from chatroom.client.errors import Rejected
from chatroom.client.state import KEPT, KEPT_TO_PERSON
from chatroom.model.errors import TOO_LONG, TOO_MANY_LINES
from chatroom.model.events import Event
from chatroom.model.names import fold
from chatroom.model.replies import Limits
from chatroom.model.text import MOST_LINES, clean_lines, on_one_line

MOVING = frozenset({"join", "create", "leave"})
_TO_ROOM = frozenset({"say", "me", "edit"})  # messages to a room, and to change one
MOST = 1000  # commands that wait at a time
_EARLY = 1_000_000_000  # commands that can be given before the others


def check_text(text: str, most_bytes: int) -> None:
    """Check the text of a message as the server will.

    Args:
        text: The text.
        most_bytes: Bytes that a text may have.

    Raises:
        Rejected: The text is too long, or has too many lines.
    """
    refused = None
    if len(text.encode("utf-8", "replace")) > most_bytes:
        refused = TOO_LONG(limit=most_bytes)
    elif clean_lines(text).count("\n") >= MOST_LINES:
        refused = TOO_MANY_LINES(limit=MOST_LINES)
    if refused is not None:
        raise Rejected(refused.code, refused.text)


def understood(record: dict[str, Any], features: Collection[str]) -> dict[str, Any]:
    """Return the record of a command as the server understands it: for an old server, a text is put on one line.

    Args:
        record: The record.
        features: What the server says that it can do.
    """
    text = record.get("text")
    if isinstance(text, str) and "\n" in text and "lines" not in features:
        return {**record, "text": on_one_line(clean_lines(text))}
    return record


@dataclass(slots=True, eq=False)
class PendingCommand:
    """A command that was given and is not answered.

    Args:
        record: The record to send.
        kept: Whether the command is a message, which is sent again after a reconnection.
        moves: Whether the command changes our rooms, so that later messages may be for the new room.
        quiet: Whether the answer is only for the caller, and not told.
        aside: Whether the answer is handled at once, even if earlier events are still to be opened.
        answer: Fires with the answer, or fails with ``Rejected``.
        sent: When the command was sent on this connection, in the clock's seconds; None if it was not sent.
    """

    record: dict[str, Any]
    kept: bool
    moves: bool = False
    quiet: bool = False
    aside: bool = False
    answer: Deferred[Event] = field(default_factory=Deferred)
    sent: float | None = None

    @property
    def do(self) -> str:
        """The command's name."""
        return str(self.record["do"])

    @property
    def room(self) -> str:
        """The folded name of the room that the command names; empty if it names none."""
        return fold(str(self.record.get("room", "")))


class PendingQueue:
    """Keeps commands until they are answered.

    Attributes:
        limits: The limits that the server sets for commands.
    """

    def __init__(self) -> None:
        self.limits = Limits(record=16 * 1024, text=4096, name=32, room=64, rate=2.0)
        self._refs = count(1)
        self._early_refs = count(-_EARLY)
        self._by_ref: dict[int, PendingCommand] = {}
        self._by_id: dict[str, int] = {}
        self._idle: list[Deferred[None]] = []

    def add(
        self, do: str, fields: dict[str, Any], *, first: bool = False, early: bool = False, quiet: bool = False
    ) -> PendingCommand:
        """Add a command.

        Args:
            do: The command's name.
            fields: The other fields of its record; for a message, ``id`` among them.
            first: Whether the command is sent ahead of the waiting commands, and accepted however many wait.
            early: The same, but several of these keep their order.
            quiet: Whether the answer is only for the caller, and not told.

        Raises:
            Rejected: The command is too long, or too many wait.
        """
        if len(self._by_ref) >= MOST and not (first or early):
            raise Rejected("busy", f"{MOST} commands wait for their answers already; wait until some have come.")
        ref = next(self._early_refs if early else self._refs)
        record = {"do": do, **fields, "ref": ref}
        self._check(record)
        kept = do in KEPT or (do in KEPT_TO_PERSON and bool(fields.get("user")))
        command = PendingCommand(record, kept, do in MOVING and not first, quiet)
        self._by_ref[ref] = command
        if command.kept:
            self._by_id[record["id"]] = ref
        return command

    def _check(self, record: dict[str, Any]) -> None:
        """Raise ``Rejected`` if a command or its text is longer than the server's limits."""
        text = record.get("text")
        if isinstance(text, str):
            check_text(text, self.limits.text)
        if len(encoded(record)) > self.limits.record:
            raise Rejected("too-long", f"command too long (limit {self.limits.record} bytes).")

    def unsent(self) -> list[PendingCommand]:
        """Return the commands that are still to be sent on this connection, in order."""
        return [command for _, command in sorted(self._by_ref.items()) if command.sent is None]

    def waiting_for(self, *kinds: str) -> bool:
        """Return whether a command of one of these kinds was sent and is not answered."""
        return any(command.do in kinds and command.sent is not None for command in self._by_ref.values())

    def when_there(self, call: Callable[[], None], room: str = "") -> None:
        """Call a function when the last command that changes our rooms is answered; see ``Client.when_there``."""

        def answered(result: Any) -> Any:
            call()
            return result

        moves = (command for command in reversed(self._by_ref.values()) if command.do in MOVING)
        command = next((command for command in moves if not room or command.room in ("", fold(room))), None)
        if command is None:
            call()
        else:
            command.answer.addBoth(answered)

    def target(self, room: str) -> str:
        """Return the name of the room that a command given now is for, unless it names one.

        Args:
            room: The name of the room in focus; the commands that wait may take us elsewhere first.
        """
        for command in self._by_ref.values():
            if command.moves and command.do == "leave":
                room = "" if command.room in ("", fold(room)) else room
            elif command.moves:
                room = str(command.record["room"])
        return room

    # ---- answers and losses ----------------------------------------------------------------------------------------

    def answered(self, ref: object) -> PendingCommand | None:
        """Remove and return the command with this ref, or None if there is none; the caller fires its Deferred."""
        return self._take(ref) if isinstance(ref, int) else None

    def has(self, id: str) -> bool:
        """Return whether the message with this id waits."""
        return id in self._by_id

    def find(self, ref: object) -> PendingCommand | None:
        """Return the command with this ref; None if it does not wait."""
        return self._by_ref.get(ref) if isinstance(ref, int) else None

    def is_aside(self, ref: object) -> bool:
        """Return whether the command with this ref waits, and its answer is to be handled at once."""
        command = self.find(ref)
        return command is not None and command.aside

    def seen(self, id: str) -> PendingCommand | None:
        """Remove and return the message with this id, whose echo has come; None if there is none. See ``answered``."""
        return self._take(self._by_id.get(id))

    def lost(self) -> None:
        """Fail all commands but messages, and the messages to a room not reached yet: the connection has gone."""
        moves: set[str] = set()
        for ref, command in list(self._by_ref.items()):
            command.sent = None
            if command.moves:
                moves.add(command.room)
            to_room = command.do in _TO_ROOM and not command.record.get("user")
            astray = to_room and (command.room in moves if command.room else bool(moves))
            if not command.kept or astray:
                self._take(ref)
                command.answer.errback(Rejected("lost", "the connection was lost before the answer came; try again."))

    def give_up(self, refused: Rejected) -> None:
        """Fail all commands."""
        for ref, command in list(self._by_ref.items()):
            self._take(ref)
            command.answer.errback(refused)

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when no message waits for its acknowledgement."""
        deferred: Deferred[None] = Deferred(lambda it: self._idle.remove(it))
        self._idle.append(deferred)
        self._tell_idle()
        return deferred

    def _take(self, ref: int | None) -> PendingCommand | None:
        """Remove and return the command with this ref; None if there is none."""
        command = self._by_ref.pop(ref, None) if ref is not None else None
        if command is not None and command.kept:
            del self._by_id[command.record["id"]]
            self._tell_idle()
        return command

    def _tell_idle(self) -> None:
        """Fire the Deferreds of ``idle`` if no message waits for its acknowledgement."""
        if not self._by_id:
            idle, self._idle = self._idle, []
            for deferred in idle:
                deferred.callback(None)
