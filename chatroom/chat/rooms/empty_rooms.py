"""Ending the empty rooms of guests, ten minutes after the last member has left, if nothing was said in the room.

Otherwise a few hundred guests could use up the number of rooms that a server may have. The room's log decides, so it
does not matter which daemon the members were on. When the daemon starts, every guest's room gets ten more minutes, so
that members who lost their connection can come back.
"""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from chatroom.chat.limits import EMPTY
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.records import pages
from chatroom.chat.rooms import room_quotas
from chatroom.chat.rooms.directory import Directory
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.state import ChatState
from chatroom.model.events import Closed
from chatroom.model.log import Unavailable
from chatroom.model.log_names import room_log
from chatroom.model.logger import logger
from chatroom.model.names import BadName, user_name

AT_ONCE = 20  # rooms looked at in one turn of the reactor

_log = logger(__name__)


class EmptyRooms:
    """Ends the rooms of guests that stay empty.

    Args:
        state: What the parts of the chat share.
        directory: Forgets rooms.
        accounts: The accounts.
    """

    def __init__(self, state: ChatState, directory: Directory, accounts: Accounts) -> None:
        self._state = state
        self._directory = directory
        self._accounts = accounts
        self._due: dict[str, tuple[float, str]] = {}  # time to look and folded name by room id, earliest first
        self._timer: Any = None
        self._running: Deferred[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Schedule a look at every guest's room, in ten minutes."""
        async for page in pages(self._state.engine, room_quotas.OF_GUESTS):
            for room in (room for _, value in page for room in room_quotas.read(value)):
                self.note(room.id, room.name)

    def note(self, id: str, folded: str) -> None:
        """Schedule a look at a room that the last member has left, in ten minutes.

        Args:
            id: The room's id.
            folded: The room's folded name.
        """
        self._due.pop(id, None)
        self._due[id] = self._state.scheduler.seconds() + EMPTY, folded
        self._wait()

    def stop(self) -> Deferred[None]:
        """Look at no more rooms; return a Deferred that fires when the current look has ended."""
        self._stopping = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        done: Deferred[None] = Deferred()
        if self._running is None:
            done.callback(None)
        else:
            self._running.addCallback(done.callback)
        return done

    def _wait(self) -> None:
        """Start the timer for the next room that is due, unless it is running."""
        if self._timer is None and self._running is None and self._due and not self._stopping:
            at, _ = next(iter(self._due.values()))
            self._timer = self._state.scheduler.callLater(max(0.0, at - self._state.scheduler.seconds()), self._go)

    def _go(self) -> None:
        self._timer = None
        self._running = running = Deferred.fromCoroutine(self._look())

        def over(_: Any) -> None:
            self._running = None
            self._wait()

        running.addErrback(_failed).addCallback(over)

    async def _look(self) -> None:
        """End some of the rooms that are due, if they are unused."""
        now = self._state.scheduler.seconds()
        due = [(id, folded) for id, (at, folded) in list(self._due.items())[:AT_ONCE] if at <= now]
        in_use = {presence.room for presence in self._state.who()} if due else set()
        for id, folded in due:
            if self._stopping:
                return
            del self._due[id]
            try:
                await self._end_if_unused(id, folded, in_use)
            except Unavailable as error:
                _log.warn("an empty room is looked at again later: {why}", why=str(error))
                self.note(id, folded)

    async def _end_if_unused(self, id: str, folded: str, in_use: set[str]) -> None:
        state = self._state
        if await self._directory.forget(id, folded, lambda record: self._unused(record, folded, in_use)):
            # A session on another daemon may have joined at this moment; this tells it that the room has ended.
            closed = Closed(state.next_id(), state.now(), state.rules.name, "", reason="nobody was there")
            state.engine.append(room_log(id), closed)
            _log.info("room {room} ({id}) ended: a guest made it, and nothing was said in it", room=folded, id=id)

    async def _unused(self, record: RoomRecord, folded: str, in_use: set[str]) -> bool:
        """Return whether a room belongs to a guest, nothing was said in it, and it was empty for ten minutes.

        Args:
            record: The room's record.
            folded: The room's folded name.
            in_use: The names of the rooms that anybody on any daemon is in.
        """
        state, log = self._state, room_log(record.id)
        if (
            await owned_by_account(self._accounts, record)
            or (await state.engine.read(log, limit=1, messages=True)).entries
        ):
            return False
        newest = (await state.engine.read(log, limit=1)).entries
        lately = newest and newest[0].event.at > state.now() - EMPTY * 1000
        if lately or record.name in in_use:  # it has, or had, a member on another daemon
            self.note(record.id, folded)
            return False
        return True


async def owned_by_account(accounts: Accounts, record: RoomRecord) -> bool:
    """Return whether the owner of a room has an account."""
    try:
        account = await accounts.get(user_name(record.owner))
    except BadName:  # a guest's name that the server made up
        return False
    return account is not None and account.id == record.owner_id


def _failed(failure: Any) -> None:
    _log.failure("looking for empty rooms failed", failure=failure)
