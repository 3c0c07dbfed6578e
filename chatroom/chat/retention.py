"""Removing, in small steps, what is too old or too much: log entries, empty rooms, files, and logs without an owner."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

from chatroom.chat.files.expiry import FileExpiry
from chatroom.chat.keys.service import KeyService
from chatroom.chat.leases import Leases
from chatroom.chat.limits import GUEST_DAYS, GUESTS, INBOX_DAYS, INBOX_MESSAGES, MAILBOX_DAYS
from chatroom.chat.people.device_marks import BUCKET as DEVICES
from chatroom.chat.people.mark_store import BUCKET as MARKS
from chatroom.chat.periodic_work import PeriodicWork
from chatroom.chat.records import pages
from chatroom.chat.rooms.directory import Directory
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.room_records import RoomRecords
from chatroom.chat.state import ChatState
from chatroom.model.account import BUCKET, decode
from chatroom.model.log import Change
from chatroom.model.log_names import DEVICE, GUEST, GUEST_SENT, INBOX, SENT, SERVER, guest_log, room_log
from chatroom.model.logger import logger

EVERY = 600.0  # seconds between two rounds
_DAY = 24 * 3600 * 1000  # milliseconds

_log = logger(__name__)


class Retention:
    """Goes through all logs and rooms when the daemon starts and every ten minutes.

    Args:
        state: What the parts of the chat share.
        directory: Removes the records of empty rooms.
        rooms: Reads the records of rooms.
        files: Removes expired shared files.
        in_use: Returns whether a guest's log belongs to a guest who is online, or was lately.
        sweep_mail: Removes the mailboxes of guests whose mail has expired.
        keys: Removes the keys, and the mailboxes of devices, of users who are gone for good.

    Attributes:
        rounds: Calls ``go_round`` every ten minutes.
    """

    def __init__(
        self,
        state: ChatState,
        directory: Directory,
        rooms: RoomRecords,
        files: FileExpiry,
        in_use: Callable[[str], bool],
        sweep_mail: Callable[[], Coroutine[Any, Any, None]],
        keys: KeyService,
    ) -> None:
        self._engine = state.engine
        self._leases = Leases(state.engine, state.now)
        self._directory = directory
        self._rooms = rooms
        self._files = files
        self._rules = state.rules
        self._clock = state.clock
        self._in_use = in_use
        self._sweep_mail = sweep_mail
        self._keys = keys
        self.rounds = PeriodicWork("keeping house", self.go_round, EVERY, state.scheduler)

    async def go_round(self) -> None:
        """Remove expired log entries, empty rooms, logs without an owner, and expired files and mail.

        Of several daemons, one does all this; each forgets expired mail.
        """
        if not await self._leases.hold("housekeeping", 2 * EVERY):
            await self._sweep_mail()
            return
        async for log in self._logs():
            if self.rounds.stopping:
                return
            days, keep = self._bounds(log)
            older_than = int(self._clock() * 1000 - days * _DAY) if days else 0
            removed = 0
            while not self.rounds.stopping and (some := await self._engine.expire(log, older_than, keep)):
                removed += some
            if removed:
                _log.info("{removed} entries of {log} expired", removed=removed, log=log)
        async for heads in self._rooms.heads():
            for head in heads:
                if self.rounds.stopping:
                    return
                empty = await self._nothing_left(head)
                if empty and await self._directory.forget(head.id, head.folded, self._nothing_left):
                    _log.info("room {room} ({id}) forgotten: nothing is left of it", room=head.name, id=head.id)
        await self._drop_orphans()
        if not self.rounds.stopping:
            await self._files.sweep()
            await self._sweep_mail()

    async def _nothing_left(self, record: RoomRecord) -> bool:
        """Return whether the log of the record's room is empty."""
        return not (await self._engine.read(room_log(record.id), limit=1)).entries

    async def _drop_orphans(self) -> None:
        """Remove the logs of closed rooms and of deleted accounts, the empty logs of guests who are gone, and the read
        marks of deleted accounts and of their devices."""
        # The logs are listed before the accounts: the inbox of an account that is made in between is no orphan.
        logs = [log async for log in self._logs()]
        owners = await self._keys.owners()
        marked = [(kind, id) for kind in (DEVICES, MARKS) async for page in pages(self._engine, kind) for id, _ in page]
        accounts = {decode(value).id async for page in pages(self._engine, BUCKET) for _, value in page}
        for log in logs:
            if self.rounds.stopping:
                return
            kind, _, id = log.partition("/")
            if log.startswith((GUEST, GUEST_SENT)):
                orphan = not (await self._engine.read(log, limit=1)).entries and not self._in_use(guest_log(id))
            elif kind == "room":
                orphan = not await self._rooms.is_there(id)
            else:
                orphan = log.startswith((INBOX, SENT)) and id not in accounts
            if orphan:
                await self._engine.drop(log)
        await self._keys.sweep(owners, accounts, [log for log in logs if log.startswith(DEVICE)], self.rounds)
        for kind, id in marked:
            if id not in accounts and not self.rounds.stopping:
                await self._engine.change([Change(kind, id, None)])

    async def _logs(self) -> AsyncIterator[str]:
        """Yield the names of all logs. The names are read from the engine a page at a time."""
        after = ""
        while names := await self._engine.logs(after):
            for name in names:
                yield name
            after = names[-1]

    def _bounds(self, log: str) -> tuple[float, int]:
        """Return for how many days a log's entries are kept, and how many entries; 0 for no limit."""
        if log.startswith((INBOX, SENT)):
            return INBOX_DAYS, INBOX_MESSAGES
        if log.startswith(DEVICE):
            return MAILBOX_DAYS, 0
        if log.startswith((GUEST, GUEST_SENT)):
            return GUEST_DAYS, INBOX_MESSAGES
        if log.startswith(SERVER):
            return GUEST_DAYS, GUESTS
        return self._rules.keep_days, self._rules.keep
