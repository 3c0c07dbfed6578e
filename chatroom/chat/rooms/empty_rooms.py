"""Ending the empty rooms of guests, ten minutes after the last member has left, if nothing was said in the room.

Otherwise a few hundred guests could use up the number of rooms that a server may have. The room's log tells how long
the room was empty, so it does not matter which daemon the members were on. When the daemon starts, every guest's room
gets ten more minutes, so that members who lost their connection can come back.
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

AT_ONCE = 20  # rooms checked whenever the timer ends

_log = logger(__name__)


class EmptyRooms:
    """Ends the rooms of guests that stay empty.

    Args:
        state: What the parts of the chat share.
        directory: Removes the records of rooms.
        accounts: The accounts.
    """

    def __init__(self, state: ChatState, directory: Directory, accounts: Accounts) -> None:
        self._state = state
        self._directory = directory
        self._accounts = accounts
        self._due: dict[str, tuple[float, str]] = {}  # by room id: time of the check, folded name; earliest first
        self._timer: Any = None
        self._running: Deferred[None] | None = None
        self._stopping = False

    async def start(self) -> None:
        """Schedule a check of every room that a guest has made, in ten minutes."""
        async for page in pages(self._state.engine, room_quotas.OF_GUESTS):
            for room in (room for _, value in page for room in room_quotas.read(value)):
                self.note(room.id, room.name)

    def note(self, id: str, folded: str) -> None:
        """Schedule a check, in ten minutes, of a room that its last member has left.

        Args:
            id: The room's id.
            folded: The room's folded name.
        """
        self._due.pop(id, None)
        self._due[id] = self._state.scheduler.seconds() + EMPTY, folded
        self._wait()

    def stop(self) -> Deferred[None]:
        """Check no more rooms. The Deferred fires when the present check has ended; at once if there is none."""
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
        """Start the timer for the room that is to be checked next, unless the timer or a check is running."""
        if self._timer is None and self._running is None and self._due and not self._stopping:
            at, _ = next(iter(self._due.values()))
            self._timer = self._state.scheduler.callLater(max(0.0, at - self._state.scheduler.seconds()), self._go)

    def _go(self) -> None:
        """Run ``_look``, because the timer has ended, and start the timer again afterwards."""
        self._timer = None
        self._running = running = Deferred.fromCoroutine(self._look())

        def over(_: Any) -> None:
            self._running = None
            self._wait()

        running.addErrback(_failed).addCallback(over)

    async def _look(self) -> None:
        """Check some of the rooms whose ten minutes are over, and end those that are unused."""
        now = self._state.scheduler.seconds()
        due = [(id, folded) for id, (at, folded) in list(self._due.items())[:AT_ONCE] if at <= now]
        in_use = {room for presence in self._state.who() for room in presence.rooms} if due else set()
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
        """Remove a room that is ``_unused``, and append to its log that it has ended."""
        state = self._state
        if await self._directory.forget(id, folded, lambda record: self._unused(record, folded, in_use)):
            # A session on another daemon may have joined at this moment; the event tells it that the room has ended.
            closed = Closed(state.next_id(), state.now(), state.rules.name, "", reason="nobody was there")
            state.engine.append(room_log(id), closed)
            _log.info("room {room} ({id}) ended: a guest made it, and nothing was said in it", room=folded, id=id)

    async def _unused(self, record: RoomRecord, folded: str, in_use: set[str]) -> bool:
        """Return whether a room belongs to a guest, nothing was said in it, and it was empty for ten minutes.

        If it was not empty for so long, schedule another check.

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
    """Return whether the owner of a room has an account, which still exists."""
    try:
        account = await accounts.get(user_name(record.owner))
    except BadName:  # a guest's name that the server made up
        return False
    return account is not None and account.id == record.owner_id


def _failed(failure: Any) -> None:
    _log.failure("looking for empty rooms failed", failure=failure)
