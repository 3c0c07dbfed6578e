"""How often one user, and all users at one address together, may join one encrypted room.

Each member who comes or goes makes the others give out keys anew, and refuses what they had sealed before.
"""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.limits import (
    ENCRYPTED_JOINS,
    ENCRYPTED_JOINS_OF_ADDRESS,
    ENCRYPTED_JOINS_WINDOW,
    Rules,
)
from chatroom.chat.people.throttles import Window
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.model.durations import spell
from chatroom.model.errors import JOINS_LIMITED
from chatroom.model.network import network


class EncryptedJoins:
    """Counts who joins encrypted rooms.

    Args:
        rules: Say whether anything is counted by address.
        seconds: A monotonic clock.
    """

    def __init__(self, rules: Rules, seconds: Callable[[], float]) -> None:
        self._rules = rules
        self._by_user = Window(ENCRYPTED_JOINS, ENCRYPTED_JOINS_WINDOW, seconds)
        self._by_address = Window(ENCRYPTED_JOINS_OF_ADDRESS, ENCRYPTED_JOINS_WINDOW, seconds)

    def count(self, session: Session, room: Room) -> None:
        """Count that a session is about to join a room, if the room is encrypted and its user is no member yet.

        Raises:
            Refused: The user, or the address, has joined the room too often.
        """
        if not room.record.encrypted or room.people[session.user_id]:
            return
        user, address = (session.user_id, room.id), (network(session.address), room.id)
        wait = max(self._by_user.wait(user), self._by_address.wait(address) if self._rules.throttle else 0.0)
        if wait:
            raise JOINS_LIMITED(room=room.name, wait=spell(wait))
        self._by_user.count(user)
        if self._rules.throttle:
            self._by_address.count(address)
