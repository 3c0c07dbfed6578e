"""The keys of one user on this device, and all sessions that they have."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from msgspec.json import decode, encode
from twisted.internet.defer import Deferred

from chatroom.client.crypto.contacts import Contacts
from chatroom.client.crypto.group_sessions import GroupSessions
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.olm_sessions import OlmSessions
from chatroom.client.encryption.outbox import TABLE as OUTBOX
from chatroom.client.encryption.store import Store
from chatroom.client.vault.errors import VaultError

TABLE = "ring"
SESSION_TABLES = ("olm-sessions", "olm-peers", "olm-started", "olm-sent", "olm-lost", "room-outbound")
_CLOSED = "closed"
_DOUBT = "doubt"
MOST_ANNOUNCED = 100  # generations that are remembered


class KeyRing:
    """What the store of one user holds.

    Args:
        store: The user's store, open.
        server: The id of the server.
        user_id: The id of the user.
        random: Returns so many random bytes.

    Attributes:
        store: As the argument.
        server: As the argument.
        user_id: As the argument.
        identity: The user key and the keys of this device.
        contacts: What is remembered of the keys of others.
        olm: The sessions with other devices.
        groups: The sessions of encrypted rooms.
        generation: Counts up with each opening of the store. It ends in a random number, so that two copies of a store
            never have the same.
    """

    def __init__(self, store: Store, server: str, user_id: str, random: Callable[[int], bytes]) -> None:
        self.store = store
        self.server = server
        self.user_id = user_id
        self.identity = Identity(store, random)
        self.identity.act_as(server, user_id)
        self.contacts = Contacts(store, self.identity)
        self.olm = OlmSessions(store, self.identity, random, store.generation, self._opened())
        self.groups = GroupSessions(store, (user_id, self.identity.device), store.generation, random)
        self.generation = (store.generation << 20) + int.from_bytes(random(3)) % (1 << 20)

    def _opened(self) -> int:
        """Note that the store is open. Returns the generation in which it was opened last without having been closed.

        Then the client was killed; or the store is a copy of one that was open, and nobody knows here what was sealed
        with that since.
        """
        if self.store.get(TABLE, _CLOSED) is None:
            self.store.put(TABLE, _DOUBT, str(self.store.generation).encode())
        self.store.delete(TABLE, _CLOSED)
        return int(self.store.get(TABLE, _DOUBT) or 0)

    def close(self) -> Deferred[None]:
        """Close the store, and note that it was closed."""
        with suppress(VaultError):  # it is broken
            self.store.put(TABLE, _CLOSED, b"1")
        return self.store.close()

    def announce(self) -> None:
        """Note that the server is about to be told our generation; commit the store before it leaves."""
        numbers = self._announced()
        if self.generation not in numbers:
            self.store.put(TABLE, "announced", encode([*numbers, self.generation][-MOST_ANNOUNCED:]))

    def is_copied(self, generation: int) -> bool:
        """Return whether somebody else has published these keys: a copy of the store is in use, or was.

        Args:
            generation: The one that the server had before ours; 0 if it had none.
        """
        return generation not in (0, *self._announced())

    def _announced(self) -> list[int]:
        value = self.store.get(TABLE, "announced")
        return [] if value is None else decode(value, type=list[int])

    def renew(self) -> None:
        """Make new keys for this device, and drop what a copy of the store may use, too: sessions, and sealed messages.

        The ring and all that uses it are to be made anew then. The user key stays, and so do the keys of messages.
        """
        for table in (*SESSION_TABLES, OUTBOX):
            for key in self.store.keys(table):
                self.store.delete(table, key)
        self.store.delete(TABLE, "announced")
        self.identity.renew_device()
