"""What was given to the server and is not answered yet, in the order in which it was given.

What says something is *kept*: it has an id by which the server stores it once, and is sent again after a reconnection
until it is acknowledged, by its answer or by being seen with its id. Anything else fails when the connection goes; so
does what was said to a room that one was on the way to.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.connection import encoded
from chatroom.client.errors import Rejected
from chatroom.client.state import KEPT
from chatroom.model.events import Event
from chatroom.model.replies import Limits

MOVING = frozenset({"join", "create", "leave"})
_HERE = frozenset({"say", "me"})  # said to whoever is where we are
MOST = 1000  # that wait at a time


@dataclass(slots=True, eq=False)
class PendingCommand:
    """One of them.

    Args:
        record: What is sent.
        kept: See the module.
        answer: Fires with the answer, or fails with ``Rejected``.
        moves: What is said after it is for where it leads.
        sent: When it was sent on this connection, in the clock's seconds; None: not yet.
    """

    record: dict[str, Any]
    kept: bool
    moves: bool = False
    answer: Deferred[Event] = field(default_factory=Deferred)
    sent: float | None = None

    @property
    def do(self) -> str:
        """What it is."""
        return str(self.record["do"])


class PendingQueue:
    """See the module.

    Attributes:
        limits: What the server says one must stay within.
    """

    def __init__(self) -> None:
        self.limits = Limits(record=16 * 1024, text=4096, name=32, room=64, rate=2.0)
        self._refs = count(1)
        self._by_ref: dict[int, PendingCommand] = {}
        self._by_id: dict[str, int] = {}
        self._idle: list[Deferred[None]] = []

    def add(self, do: str, fields: dict[str, Any], *, first: bool = False) -> PendingCommand:
        """Take a command; what is kept must have an ``id``.

        Args:
            do: What is to be done.
            fields: Of the record.
            first: It goes before all that waits, however much that is.

        Raises:
            Rejected: It is too long, or too many wait.
        """
        if len(self._by_ref) >= MOST and not first:
            raise Rejected("busy", f"{MOST} commands wait for their answers already; wait until some have come.")
        ref = next(self._refs)
        record = {"do": do, **fields, "ref": ref}
        self._check(record)
        command = PendingCommand(record, do in KEPT, do in MOVING and not first)
        self._by_ref[ref] = command
        if command.kept:
            self._by_id[record["id"]] = ref
        return command

    def _check(self, record: dict[str, Any]) -> None:
        text = record.get("text")
        if isinstance(text, str) and len(text.encode("utf-8", "replace")) > self.limits.text:
            raise Rejected("too-long", f"line too long (limit {self.limits.text} bytes).")
        if len(encoded(record)) > self.limits.record:
            raise Rejected("too-long", f"command too long (limit {self.limits.record} bytes).")

    def unsent(self) -> list[PendingCommand]:
        """Return what is to be sent on this connection, in order."""
        return [command for command in self._by_ref.values() if command.sent is None]

    def waiting_for(self, *kinds: str) -> bool:
        """Return whether such a command is on its way."""
        return any(command.do in kinds and command.sent is not None for command in self._by_ref.values())

    def last(self, *kinds: str) -> PendingCommand | None:
        """Return the last such command that has not been answered."""
        return next((command for command in reversed(self._by_ref.values()) if command.do in kinds), None)

    # ---- what becomes of them --------------------------------------------------------------------------------------

    def answered(self, ref: object) -> PendingCommand | None:
        """Take out what was answered; whoever takes it out fires its Deferred."""
        return self._take(ref) if isinstance(ref, int) else None

    def seen(self, id: str) -> PendingCommand | None:
        """Take out what was acknowledged by being seen."""
        return self._take(self._by_id.get(id))

    def lost(self) -> None:
        """The connection is gone: keep what is kept, and fail the others; and what was for where one of them led."""
        moves = False
        for ref, command in list(self._by_ref.items()):
            command.sent = None
            moves = moves or command.moves
            if not command.kept or (moves and command.do in _HERE):
                self._take(ref)
                command.answer.errback(Rejected("lost", "the connection was lost before the answer came; try again."))

    def give_up(self, refused: Rejected) -> None:
        """Fail them all."""
        for ref, command in list(self._by_ref.items()):
            self._take(ref)
            command.answer.errback(refused)

    def idle(self) -> Deferred[None]:
        """Return a Deferred that fires when nothing is kept any more."""
        deferred: Deferred[None] = Deferred(lambda it: self._idle.remove(it))
        self._idle.append(deferred)
        self._tell_idle()
        return deferred

    def _take(self, ref: int | None) -> PendingCommand | None:
        command = self._by_ref.pop(ref, None) if ref is not None else None
        if command is not None and command.kept:
            del self._by_id[command.record["id"]]
            self._tell_idle()
        return command

    def _tell_idle(self) -> None:
        if not self._by_id:
            idle, self._idle = self._idle, []
            for deferred in idle:
                deferred.callback(None)
