"""People with keys: clients that seal and open, joined to a whole server in memory."""

from __future__ import annotations

from typing import Any

from client.network import Network, Person
from harness import NOON
from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from chatroom.client.encryption.driver import EncryptionDriver
from chatroom.client.encryption.encryption import Encryption
from chatroom.client.encryption.setup import encrypt
from chatroom.client.encryption.store import MemoryStore
from chatroom.client.opened import Opened
from chatroom.client.status import SecurityNotice
from chatroom.model import events as e


def at_once(function: Any, *args: Any) -> Deferred[Any]:
    """Call a function, as if a thread had done it."""
    return succeed(function(*args))


class KeyPerson(Person):
    """Somebody with a client that has keys.

    Args:
        network: What to dial.
        stores: The stores of this device by user id; those of an earlier run go on.
        fields: Of the ``Client``.
    """

    def __init__(self, network: Network, stores: dict[str, MemoryStore] | None = None, **fields: Any) -> None:
        super().__init__(network, **fields)
        self.stores = {} if stores is None else stores
        ids = (f"sealed-{id(self)}-{i}" for i in range(100_000))
        self.encryption: Encryption = encrypt(
            self.client, self._open, lambda: next(ids), "a laptop", network.world.clock, self._now
        )
        self.encryption._work = at_once

    def _now(self) -> int:
        return int((NOON + self.network.world.clock.seconds()) * 1000)

    def _open(self, server: str, user_id: str) -> Deferred[Any]:
        store = self.stores.setdefault(user_id, MemoryStore())
        store.generation += 1
        return succeed(store)

    @property
    def driver(self) -> EncryptionDriver:
        """What seals and opens."""
        return self.encryption._driver

    @property
    def notices(self) -> list[str]:
        """What was told about encryption."""
        return [notice.text for notice in self.heard(SecurityNotice)]

    @property
    def private(self) -> list[str]:
        """The texts of the private messages that came sealed."""
        return [event.text for event in self.heard(Opened)]

    @property
    def plain(self) -> list[str]:
        """The texts of the private messages that came in plain text."""
        return [event.text for event in self.heard(e.Private) if type(event) is e.Private]

    def decide(self, what: Any) -> Any:
        """Wait for what a method of ``Encryption`` gives."""
        box: list[Any] = []
        Deferred.fromCoroutine(what).addBoth(box.append)
        self.network.flow()
        assert box, "it does not come to an end"
        if isinstance(box[0], Failure):
            box[0].raiseException()
        return box[0]


def account(person: KeyPerson, name: str) -> KeyPerson:
    """Register an account for somebody who is there."""
    person.do("register", user=name, password="a good password")
    person.network.flow()
    return person
