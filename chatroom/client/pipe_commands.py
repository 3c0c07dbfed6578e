"""What the client does in a pipe: each line of the input is a message or a command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.client import Client
from chatroom.client.encryption import commands as encryption
from chatroom.client.encryption.commands import EncryptionCommands
from chatroom.client.errors import Rejected
from chatroom.client.files.commands import USAGES, FileCommands
from chatroom.client.screen.parser import CommandLine, LocalLine, Misuse, SayLine, depends_on_room, read
from chatroom.client.state import KEPT
from chatroom.model.commands import BY_SLASH

QUITTING = ("quit", "exit")
WINDOW = "window"

# Commands that are not given again if the connection was lost before the answer came: they may have been done, and may
# mean another message by now.
_NOT_AGAIN = frozenset({"quote"})


class PipeCommands:
    """Carries out lines of the input, one after another.

    Args:
        client: The client.
        files: Sends and fetches files.
        keys: Carries out the commands for encryption.
        refused: Called with the text of each refusal.
        changed: Called when a message has been acknowledged or refused.
        wait: Returns a Deferred that fires when anything has happened.
        several: Whether ``/window room`` says in which room the lines are said from then on.

    Attributes:
        unacknowledged: How many messages the server has not answered yet.
        over: Whether the client is leaving; then no line waits for a connection any more.
    """

    def __init__(
        self,
        client: Client,
        files: FileCommands,
        keys: EncryptionCommands,
        refused: Callable[[str], None],
        changed: Callable[[], None],
        wait: Callable[[], Deferred[None]],
        *,
        several: bool = False,
    ) -> None:
        self.unacknowledged = 0
        self.over = False
        self._client = client
        self._files = files
        self._keys = keys
        self._refused = refused
        self._changed = changed
        self._wait = wait
        self._own = (*QUITTING, *USAGES, *encryption.USAGES, *((WINDOW,) if several else ()))

    async def run(self, line: str) -> bool:
        """Carry out a line. Returns False if the line ends the input, as ``/quit`` does."""
        if depends_on_room(line):
            await self._connection()
        try:
            typed = read(line, self._own, inside=self._client.inside, guest=self._client.guest)
            if isinstance(typed, LocalLine) and typed.word in QUITTING:
                return False
            await self._run(typed)
        except Misuse as misuse:
            if WINDOW in self._own and _is_to_person(line):
                self._client.focus("")  # the lines that follow may be meant for that person
            self._refused(str(misuse))
        except Rejected as refused:
            self._not_done(refused)
        return True

    async def _run(self, typed: object) -> None:
        """Carry out what a line means: a command of the client, a message, or a command of the server."""
        if isinstance(typed, LocalLine) and typed.word == WINDOW:
            self._focus(typed.rest)
        elif isinstance(typed, LocalLine) and typed.word in encryption.USAGES:
            await self._until_answered("pong", {})  # this waits until our keys are there
            await self._keys.run(typed.word, typed.rest)
        elif isinstance(typed, LocalLine):
            await self._files.run(typed.word, typed.rest)
        elif isinstance(typed, SayLine):
            self._give("say", {"text": typed.text})
        elif isinstance(typed, CommandLine):
            await self._command(typed)

    def _focus(self, room: str) -> None:
        """Let the lines that follow be said in a room.

        Raises:
            Misuse: We are not in it. Then the lines that follow are said nowhere, for they are meant for no other room.
        """
        if not room:
            raise Misuse(f"usage: /{WINDOW} <room>.")
        try:
            self._client.focus(room)
        except KeyError:
            self._client.focus("")
            raise Misuse(f"you are not in room {room}; join it with /join {room}.") from None

    async def _connection(self) -> None:
        """Wait until there is a connection, or the client leaves."""
        while not (self._client.online or self.over):
            await self._wait()

    async def _command(self, typed: CommandLine) -> None:
        """Give the server a command; unless it is a message, wait for its answer, also over lost connections."""
        if typed.missing:
            raise Misuse(f"usage: {typed.row.usage}.")
        if typed.row.do in KEPT:
            self._give(typed.row.do, typed.fields)
            return
        await self._until_answered(typed.row.do, typed.fields)
        if typed.row.do == "files":
            self._files.offered()

    async def _until_answered(self, do: str, fields: dict[str, Any]) -> None:
        """Give the server a command, and wait for its answer, also over lost connections."""
        while not self.over:
            await self._connection()
            try:
                await self._client.do(do, **fields)
                return
            except Rejected as refused:
                if refused.code not in ("offline", "lost") or (refused.code == "lost" and do in _NOT_AGAIN):
                    raise

    def _give(self, do: str, fields: dict[str, Any]) -> None:
        """Send a message without waiting for its acknowledgement."""
        self.unacknowledged += 1
        self._client.do(do, **fields).addErrback(self._not_said, fields["text"]).addBoth(self._acknowledged)

    def _not_said(self, failure: Failure, text: str) -> None:
        """Say what was refused; with the text, if it was for a room that we are not in any more."""
        failure.trap(Rejected)
        refused: Any = failure.value
        self._not_done(refused, text if refused.code == "not-in-that-room" else "")

    def _not_done(self, refused: Rejected, text: str = "") -> None:
        """Say what was refused, unless the client has ended: the reason for its end is told once, as a notice."""
        if not self.over and refused.code != "ended":
            self._refused(f"{refused.text} Not said: {text}" if text else refused.text)

    def _acknowledged(self, result: object) -> object:
        self.unacknowledged -= 1
        self._changed()
        return result


def _is_to_person(line: str) -> bool:
    """Return whether a line begins with a command for a private message, such as ``/query``."""
    row = BY_SLASH.get(line[1:].partition(" ")[0].lower()) if line.startswith("/") else None
    return row is not None and row.do == "message"
