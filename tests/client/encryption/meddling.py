"""A server that lies: what it sends to a client is changed on its way."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

from client.encryption.people import KeyPerson
from msgspec import to_builtins

from chatroom.client.connection import ServerConnection
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.rows import MemoryRows
from chatroom.model.device_keys import DeviceList
from chatroom.model.signed_bytes import b64

Record = dict[str, Any]
Alter = Callable[[Record], list[Record]]
"""Returns what a client gets in place of a record."""


class Meddler:
    """Changes what the server sends to one client, also on later connections.

    Args:
        person: Has the client.

    Attributes:
        alter: What is done to each record; at first nothing.
        came: All records as the server has sent them.
    """

    def __init__(self, person: KeyPerson) -> None:
        self.person = person
        self.alter: Alter = lambda record: [record]
        self.came: list[Record] = []
        self._opened = person.driver.conversation.open
        person.driver.conversation.open = self._open  # type: ignore[method-assign]
        if self._connection is not None:
            self._meddle(self._connection)

    @property
    def _connection(self) -> ServerConnection | None:
        return self.person.driver.conversation._connection

    def _open(self, connection: ServerConnection, lost: Any) -> None:
        self._meddle(connection)
        self._opened(connection, lost)

    def _meddle(self, connection: ServerConnection) -> None:
        genuine, rest = connection.dataReceived, b""

        def received(data: bytes) -> None:
            nonlocal rest
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                record = json.loads(line)
                self.came.append(record)
                for other in self.alter(record):
                    genuine(json.dumps(other).encode() + b"\n")

        connection.dataReceived = received  # type: ignore[method-assign]

    def say(self, **record: Any) -> None:
        """Send the client a record that the genuine server has not sent."""
        connection = self._connection
        assert connection is not None
        connection.dataReceived(json.dumps(record).encode() + b"\n")
        self.person.network.flow()

    def last(self, event: str, **fields: Any) -> Record:
        """Return the last record of a kind that has these fields."""
        found = [each for each in self.came if each.get("event") == event]
        return [each for each in found if all(each.get(name) == value for name, value in fields.items())][-1]

    def swap_list(self, user_id: str, change: Callable[[Record], Record | None]) -> None:
        """Give the client another device list of a user from now on, and have it ask for that list.

        Args:
            user_id: The id of the user.
            change: Returns the false list, given the genuine one; None for no list.
        """

        def alter(record: Record) -> list[Record]:
            if record.get("event") == "keys":
                record = {**record, "users": [swapped(user) for user in record["users"]]}
            return [record]

        def swapped(user: Record) -> Record:
            if user["user_id"] != user_id:
                return user
            listed = change(user["list"])
            return {**user, "list": listed, "rev": 0 if listed is None else listed["rev"]}

        self.alter = alter
        self.say(event="keys-changed", id="meddled", at=0, user="somebody", user_id=user_id, rev=99)


def false_list(genuine: Record, rev: int = 0) -> Record:
    """Return a device list of the same user that somebody else's user key has signed."""
    return to_builtins(
        _stranger(genuine).sign_list([_stranger(genuine).device_keys("a laptop")], rev or genuine["rev"])
    )


def false_seed(genuine: Record) -> str:
    """Return the secret of the user key that signs ``false_list``."""
    return b64(_stranger(genuine).user_seed())


_strangers: dict[str, Identity] = {}


def _stranger(genuine: Record) -> Identity:
    """Return the keys of somebody who poses as a user, always the same."""
    user_id = genuine["user_id"]
    if user_id not in _strangers:
        _strangers[user_id] = Identity(MemoryRows(), os.urandom)
        _strangers[user_id].act_as(genuine["server"], user_id)
        _strangers[user_id].make_user_key()
    return _strangers[user_id]


def own_list(person: KeyPerson) -> DeviceList:
    """Return the device list of a person, as the person knows it."""
    parts = person.driver.parts
    assert parts is not None
    known = parts.ring.contacts.get(parts.ring.user_id).known
    assert known is not None
    return known


def user_id(person: KeyPerson) -> str:
    """Return the user id of a person."""
    return person.client.state.user_id
