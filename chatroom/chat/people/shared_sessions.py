"""Where each account is logged in, when several daemons share the accounts.

A record for each account that is online names its sessions, with their daemons and devices. A login changes that record
by compare-and-set, so the limits on sessions and devices hold for all daemons together. Sessions of a daemon that has
ended count no more. A single daemon needs none of this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Struct
from twisted.internet.defer import Deferred

from chatroom.chat.limits import Rules
from chatroom.chat.people.session_limits import obstacle, same_program
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.chat.session import Session, User
from chatroom.chat.state import ChatState
from chatroom.model.account import AccountRecord
from chatroom.model.device import Device
from chatroom.model.log import Unavailable
from chatroom.model.logger import logger
from chatroom.model.server_events import NodeEnded, SessionReplaced

BUCKET = "online-accounts"  # the sessions of each account that is online, by the account's id

_log = logger(__name__)


class OnlineSession(Struct, frozen=True, gc=False):
    """A session of an account.

    Args:
        node: Its daemon.
        id: Its id.
        name: The account's name.
        device_name: The name of its device; empty if it has none.
        tab: The name of its tab.
    """

    node: str
    id: str
    name: str
    device_name: str = ""
    tab: str = ""

    @property
    def device(self) -> Device:
        """The device and the tab."""
        return Device(self.device_name, self.tab)


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a session found when it logged in to an account.

    Args:
        first: Whether the account was not online anywhere.
        replaced: The sessions on other daemons that this one replaces; they are to end.
    """

    first: bool
    replaced: tuple[OnlineSession, ...]


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(list[OnlineSession]).decode


class SharedSessions:
    """Keeps the record of each account that is online.

    Args:
        state: What the parts of the chat share.
        rules: The limits.

    Attributes:
        on_last: Called with the name and id of an account whose last session has ended, wherever the others were, and
            with the id of that session.
    """

    def __init__(self, state: ChatState, rules: Rules) -> None:
        self._state = state
        self._engine = state.engine
        self._rules = rules
        self.on_last: Callable[[str, str, str], None] = lambda name, user_id, session: None

    @retried_on_conflict
    async def enter(self, session: Session, account: AccountRecord, *, instead: bool = False) -> Entrance:
        """Note that a session is about to be logged in to an account.

        Args:
            session: The session.
            account: The account.
            instead: Whether sessions that stand in the way are replaced.

        Raises:
            Refused: The account has too many sessions or devices.
            Unavailable: The store fails.
        """
        there, rev = await self._read(account.id)
        own = OnlineSession(self._engine.node, session.id, account.name, session.device.name, session.device.tab)
        others = [each for each in there if each.id != session.id]
        found = obstacle(self._rules, account.name, others, session.device)
        if found is not None and not instead:
            raise found.why
        replaced = (*same_program(others, session.device), *(found.sessions if found is not None else ()))
        kept = [each for each in others if each not in replaced]
        await self._engine.put(BUCKET, account.id, _encode([*kept, own]), rev)
        elsewhere = tuple(each for each in replaced if each.node != own.node)
        return Entrance(not there, elsewhere)

    def end(self, account: AccountRecord, sessions: Iterable[OnlineSession]) -> None:
        """Tell the daemons that have these sessions to end them, because the account was logged in to elsewhere."""
        for each in sessions:
            about = self._state.next_id(), self._state.now(), account.name, account.id
            self._state.tell_all(SessionReplaced(*about, session=each.id))

    def leave(self, session: Session, user: User) -> None:
        """Note that a session of this daemon is not logged in to an account any more; try until that is stored."""
        if self._engine.node and user.account is not None:
            doing = Deferred.fromCoroutine(self._leave(session.id, user))
            doing.addErrback(self._not_left, session, user)

    @retried_on_conflict
    async def _leave(self, id: str, user: User) -> None:
        there, rev = await self._read(user.id)
        kept = [each for each in there if each.id != id]
        if len(kept) == len(there):
            return
        await self._engine.put(BUCKET, user.id, _encode(kept) if kept else None, rev)
        if not kept:
            self.on_last(user.name, user.id, id)

    def _not_left(self, failure: Any, session: Session, user: User) -> None:
        failure.trap(Unavailable)
        _log.warn("that {name} has left is noted later: {why}", name=user.name, why=failure.getErrorMessage())
        self._state.retries.call(("left", session.id), lambda: self.leave(session, user))

    def ended(self, event: NodeEnded) -> None:
        """Begin to remove the sessions of a daemon that has ended, and to tell of the accounts that have gone."""
        Deferred.fromCoroutine(self._end_node(event.node)).addErrback(_not_removed)

    async def _end_node(self, node: str) -> None:
        async for page in pages(self._engine, BUCKET):
            for account, value in page:
                if any(each.node == node for each in _decode(value)):
                    await self._end_there(account, node)

    @retried_on_conflict
    async def _end_there(self, account: str, node: str) -> None:
        """Remove the sessions of an account on a daemon that has ended; one of the other daemons does it first."""
        held = await self._engine.get(BUCKET, account)
        there = _decode(held[0]) if held is not None else []
        gone = [each for each in there if each.node == node]
        if held is None or not gone:
            return
        kept = [each for each in there if each.node != node]
        await self._engine.put(BUCKET, account, _encode(kept) if kept else None, held[1])
        if not kept:
            self.on_last(gone[-1].name, account, gone[-1].id)

    async def _read(self, account: str) -> tuple[list[OnlineSession], int]:
        """Return the sessions of an account on daemons that have not ended, and the revision of the record."""
        held = await self._engine.get(BUCKET, account)
        if held is None:
            return [], 0
        nodes = self._engine.nodes()
        return [each for each in _decode(held[0]) if each.node in nodes], held[1]


def _not_removed(failure: Any) -> None:
    failure.trap(Unavailable)
    _log.warn("the sessions of a daemon that has ended go later: {why}", why=failure.getErrorMessage())
