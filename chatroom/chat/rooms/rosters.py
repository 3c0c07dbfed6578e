"""Who is in a room on other daemons: the rosters that daemons show each other, and the end of a daemon.

A daemon shows its roster of a room before the first of its sessions joins. Whoever loads the room later reads where the
log ends, then all rosters, and then applies the log from the earliest of these places on; so no member is missed.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from chatroom.chat.rooms.loaded_rooms import LoadedRooms
from chatroom.chat.rooms.room import Room
from chatroom.chat.state import ChatState
from chatroom.model.events import Disconnected
from chatroom.model.log import Unavailable
from chatroom.model.log_names import SERVER_LOG
from chatroom.model.logger import logger
from chatroom.model.roster import Roster, RosterMember, node_of
from chatroom.model.server_events import NodeEnded

SOON = 1.0  # seconds after a change within which a roster is shown again
OUTDATED = 1000  # entries after which a roster is shown again, so that nobody has to read more of the log than these
ROUND = 10.0  # seconds between looks for outdated rosters

_log = logger(__name__)


class Rosters:
    """Shows this daemon's members to other daemons, and takes theirs. Does nothing if there are no other daemons.

    Args:
        state: What the parts of the chat share.
        loaded: The loaded rooms.
    """

    def __init__(self, state: ChatState, loaded: LoadedRooms) -> None:
        self._state = state
        self._engine = state.engine
        self._loaded = loaded
        self._shown: dict[str, int] = {}  # by log, up to which seq this daemon has shown its members
        self._changed: set[Room] = set()
        self._ended: set[str] = set()  # daemons that have ended since this one started
        self._timer: Any = None
        self._round: Any = None

    def start(self) -> None:
        """Begin to look for outdated rosters."""
        if self._engine.node:
            self._engine.on_node_ended = self._tell_of_ended
            self._round = self._state.scheduler.callLater(ROUND, self._look)

    def stop(self) -> None:
        """Show nothing any more."""
        for timer in (self._timer, self._round):
            if timer is not None and timer.active():
                timer.cancel()

    # ---- loading and unloading -----------------------------------------------------------------------------------

    async def fill(self, room: Room) -> None:
        """Let a room that is being loaded follow its log, and take the members who are on other daemons.

        Raises:
            Unavailable: The log or the rosters cannot be read.
        """
        if not self._engine.node:
            room.sub = await self._engine.follow(room.log, room.apply)
            return
        last = await self._engine.read(room.log, limit=1)
        head = last.entries[-1].seq if last.entries else 0
        self._shown[room.log] = head
        await self._engine.show_roster(room.log, Roster(head, ()))
        rosters = await self._engine.rosters(room.log)
        room.take_members(rosters)
        room.catching_up = True
        after = min((roster.seq for roster in rosters), default=head)
        room.sub = await self._engine.follow(room.log, room.apply, min(after, head))
        room.catching_up = False
        for node in self._ended:
            self._end_members(room, node)

    def unloaded(self, room: Room) -> None:
        """Show no roster of a room any more, because this daemon has no member in it."""
        self._changed.discard(room)
        if self._shown.pop(room.log, None) is not None:
            self._engine.show_roster(room.log, None).addErrback(_not_shown)

    # ---- showing -------------------------------------------------------------------------------------------------

    def changed(self, room: Room) -> None:
        """Show a room's roster again soon, because its members may have changed."""
        if not self._engine.node or room.sub is None:
            return
        self._changed.add(room)
        if self._timer is None or not self._timer.active():
            self._timer = self._state.scheduler.callLater(SOON, self._show_changed)

    def _show_changed(self) -> None:
        changed, self._changed = self._changed, set()
        for room in changed:
            self._show(room)

    def _look(self) -> None:
        for room in self._loaded.rooms():
            if room.seq - self._shown.get(room.log, room.seq) > OUTDATED:
                self._show(room)
        self._round = self._state.scheduler.callLater(ROUND, self._look)

    def _show(self, room: Room) -> None:
        own = tuple(
            RosterMember(id, member.user_id, member.name)
            for id, member in room.members.items()
            if member.session is not None
        )
        seq = max(room.seq, self._shown.get(room.log, 0))
        self._shown[room.log] = seq
        self._engine.show_roster(room.log, Roster(seq, own, room.members_rev)).addErrback(_not_shown)

    # ---- the end of another daemon -------------------------------------------------------------------------------

    def _tell_of_ended(self, node: str) -> None:
        """Tell all daemons that one of them has ended; several of them may say so."""
        event = NodeEnded(f"ended {node}", self._state.now(), "", "", node=node)
        self._state.owe(SERVER_LOG, event)

    def ended(self, event: NodeEnded) -> None:
        """Tell all loaded rooms that the members on a daemon that has ended are gone."""
        self._ended.add(event.node)
        for room in self._loaded.rooms():
            self._end_members(room, event.node)

    def _end_members(self, room: Room, node: str) -> None:
        """Tell a room that the members on one daemon are gone. Other daemons tell it with the same ids."""
        people = Counter(room.people)
        for id, member in [(id, member) for id, member in room.members.items() if node_of(id) == node]:
            people[member.user_id] -= 1
            about = f"ended.{id}", self._state.now(), member.name, member.user_id
            self._state.owe(room.log, Disconnected(*about, session=id, again=people[member.user_id] > 0))


def _not_shown(failure: Any) -> None:
    """Log that a roster could not be shown; it is shown again with the next change."""
    failure.trap(Unavailable)
    _log.warn("other daemons were not shown who is in a room: {why}", why=failure.getErrorMessage())
