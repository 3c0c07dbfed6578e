"""The way out: commands leave in the order in which they were given, those that are to be sealed sealed.

A sealed command may wait for keys from the server, and always waits for the vault: what was sealed with a key must not
leave before the vault has noted that the key was used, or a crash could let the same key seal two texts. The commands
behind such a command wait with it. Commands that wait at the same time share one commit of the vault.

Commands also wait behind a login or a registration: they are given with the keys of the user that we are then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.client.errors import Rejected
from chatroom.client.pending import PendingCommand
from chatroom.client.state import CHANGING_USER

_log = Logger()

AGAIN = "again"  # the code of a refusal to seal a command before earlier ones, which were refused and come again
LATER = 1.0  # seconds that a full mailbox is given
TOGETHER = 50  # commands that share a commit at most

Send = Callable[[], None]


class CommandSealer(Protocol):
    """Seals commands."""

    def takes(self, command: PendingCommand) -> bool:
        """Return whether a command is to be sealed, or answered by this client itself."""

    async def seal(self, command: PendingCommand) -> Send:
        """Seal a command. Returns what sends it, to be called after the next ``commit``.

        Raises:
            Rejected: The command is not to be sent.
        """

    async def commit(self) -> None:
        """Store durably what was noted up to now.

        Raises:
            Rejected: It cannot be stored.
        """


class WayOut:
    """Sends commands in order.

    Args:
        sealer: Seals commands.
        transmit: Sends a command as it is.
        refuse: Fails a command.
    """

    def __init__(
        self,
        sealer: CommandSealer,
        transmit: Callable[[PendingCommand], None],
        refuse: Callable[[PendingCommand, Rejected], None],
    ) -> None:
        self._sealer = sealer
        self._transmit = transmit
        self._refuse = refuse
        self._queue: deque[PendingCommand] = deque()
        self._connection = 0  # counts connections: what belongs to an earlier one is dropped
        self._working = False
        self._holding: set[object] = set()  # why commands wait: our keys are not published yet
        self._settled: list[Deferred[None]] = []
        self._timer: Any = None  # runs while a full mailbox is waited for

    @property
    def _held(self) -> bool:
        return bool(self._holding) or self._timer is not None

    def hold(self, why: object) -> None:
        """Keep all commands until ``release`` is called with the same object: our keys are not published yet."""
        self._holding.add(why)

    def release(self, why: object) -> None:
        """End ``hold``; send what waits, unless it is held for another reason."""
        self._holding.discard(why)
        if not self._holding:
            settled, self._settled = self._settled, []
            for waiting in settled:
                waiting.callback(None)
        self._work()

    def settled(self) -> Deferred[None]:
        """Return a Deferred that fires when our keys are published, and no login or registration is under way."""
        waiting: Deferred[None] = Deferred()
        if self._holding:
            self._settled.append(waiting)
        else:
            waiting.callback(None)
        return waiting

    def send(self, command: PendingCommand) -> bool:
        """Take a command, unless it can be sent as it is now: then return False."""
        if not (self._queue or self._held or self._working) and not self._sealer.takes(command):
            self._wait_behind(command)
            return False
        self.again(command)
        return True

    def _wait_behind(self, command: PendingCommand) -> None:
        """If a command makes us another user, keep the commands that follow until it is answered."""

        def answered(result: Any) -> Any:
            self.release(command)
            return result

        if command.do in CHANGING_USER:
            self.hold(command)
            command.answer.addBoth(answered)

    def again(self, command: PendingCommand) -> None:
        """Seal a command, perhaps once more because the server has refused it; before all later ones."""
        later = [other for other in self._queue if other.record["ref"] > command.record["ref"]]
        earlier = [other for other in self._queue if other.record["ref"] < command.record["ref"]]
        self._queue = deque([*earlier, command, *later])
        self._work()

    def is_behind(self, command: PendingCommand) -> bool:
        """Return whether a command that was given before this one waits: it was refused, and comes again."""
        return any(other.record["ref"] < command.record["ref"] for other in self._queue)

    def later(self, command: PendingCommand, clock: Any) -> None:
        """Seal a command again after a while; until then nothing else leaves, so that the order stays."""
        if self._timer is None:
            self._timer = clock.callLater(LATER, self._waited)
        self.again(command)

    def _waited(self) -> None:
        self._timer = None
        self._work()

    def lost(self) -> None:
        """Drop all commands: the connection has gone. Those that are kept are given to ``send`` again."""
        self._connection += 1
        self._queue.clear()
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    # ---- details ---------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        """Seal and send what waits, unless that is under way."""
        if not self._working and not self._held and self._queue:
            self._working = True
            Deferred.fromCoroutine(self._send_all()).addErrback(self._failed).addCallback(self._rested)

    def _failed(self, failure: Failure) -> None:
        _log.failure("commands could not be sealed", failure)
        for command in list(self._queue):
            self._refuse(command, Rejected("internal", "the client has an error; what you gave was not sent."))
        self._queue.clear()

    def _rested(self, result: object) -> None:
        self._working = False
        self._work()

    async def _send_all(self) -> None:
        """Seal and send in batches until nothing waits."""
        while self._queue and not self._held:
            connection = self._connection
            batch = await self._sealed(connection)
            try:
                if batch and any(sealed for _, _, sealed in batch):
                    await self._sealer.commit()
            except Rejected as refused:
                for command, _, _ in batch:
                    self._refuse(command, refused)
                continue
            if connection == self._connection:
                for _, send, _ in batch:
                    send()

    async def _sealed(self, connection: int) -> list[tuple[PendingCommand, Send, bool]]:
        """Take the next commands out of the queue. Returns each with what sends it, and whether that is sealed."""
        batch: list[tuple[PendingCommand, Send, bool]] = []
        while self._queue and len(batch) < TOGETHER and connection == self._connection:
            command = self._queue.popleft()
            if not self._sealer.takes(command):
                batch.append((command, _sending(self._transmit, command), False))
                self._wait_behind(command)
                if self._held:
                    break
                continue
            try:
                batch.append((command, await self._sealer.seal(command), True))
            except Rejected as refused:
                if refused.code == AGAIN and connection == self._connection:
                    self.again(command)
                elif refused.code not in ("lost", AGAIN):  # then the command is given again, or has failed already
                    self._refuse(command, refused)
        return batch


def _sending(transmit: Callable[[PendingCommand], None], command: PendingCommand) -> Send:
    return lambda: transmit(command)
