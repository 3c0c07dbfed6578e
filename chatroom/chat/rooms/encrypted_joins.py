"""How often one user, and all users at one address together, may join one encrypted room.

Each member who comes or goes makes the others give out keys anew, and what they had sealed before is refused. So a user
who comes back often waits a little before each further join; whoever only has a bad connection still gets in.
"""

from __future__ import annotations

from collections import OrderedDict

from twisted.internet.defer import Deferred

from chatroom.chat.limits import (
    ENCRYPTED_JOINS,
    ENCRYPTED_JOINS_EVERY,
    ENCRYPTED_JOINS_OF_ADDRESS,
    ENCRYPTED_JOINS_WINDOW,
    LONGEST_WAIT_TO_JOIN,
    Bucket,
)
from chatroom.chat.people.throttles import MOST_KEYS, Window
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.durations import spell
from chatroom.model.errors import JOINS_LIMITED
from chatroom.model.network import network


class EncryptedJoins:
    """Paces who joins encrypted rooms.

    Args:
        state: What the parts of the chat share.
    """

    def __init__(self, state: ChatState) -> None:
        self._state = state
        self._by_user: OrderedDict[tuple[str, str], Bucket] = OrderedDict()  # by user id and room id
        self._by_address = Window(ENCRYPTED_JOINS_OF_ADDRESS, ENCRYPTED_JOINS_WINDOW, state.scheduler.seconds)

    async def wait(self, session: Session, room: Room) -> None:
        """Wait until a session may join a room, if the room is encrypted and its user is no member yet.

        Raises:
            Refused: The user's other sessions wait already, or users at the address have joined the room too often.
        """
        if not room.record.encrypted or room.people[session.user_id]:
            return
        address = network(session.address), room.id
        late = self._by_address.wait(address) if self._state.rules.throttle else 0.0
        if late:
            raise JOINS_LIMITED(room=room.name, wait=spell(late))
        seconds = self._spend(session, room)
        self._by_address.count(address)
        if seconds:
            over: Deferred[None] = Deferred()
            self._state.scheduler.callLater(seconds, over.callback, None)
            await over

    def _spend(self, session: Session, room: Room) -> float:
        """Count a join of a user; return the seconds until it may happen.

        Raises:
            Refused: Other sessions of the user wait already; the join is not counted.
        """
        now = self._state.scheduler.seconds()
        bucket = self._bucket((session.user_id, room.id), now)
        seconds = bucket.spend(1, now)
        if seconds > LONGEST_WAIT_TO_JOIN:
            bucket.spend(-1, now)
            raise JOINS_LIMITED(room=room.name, wait=spell(seconds))
        return seconds

    def _bucket(self, key: tuple[str, str], now: float) -> Bucket:
        """Return what paces a user in a room."""
        if key not in self._by_user:
            self._by_user[key] = Bucket(1 / ENCRYPTED_JOINS_EVERY, ENCRYPTED_JOINS + 1, now)
            if len(self._by_user) > MOST_KEYS:
                self._by_user.popitem(last=False)
        self._by_user.move_to_end(key)
        return self._by_user[key]
