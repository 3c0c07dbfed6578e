"""The keys of one user on this device, and all sessions that they have."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.client.crypto.contacts import Contacts
from chatroom.client.crypto.group_sessions import GroupSessions
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.olm_sessions import OlmSessions
from chatroom.client.encryption.store import Store


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
    """

    def __init__(self, store: Store, server: str, user_id: str, random: Callable[[int], bytes]) -> None:
        self.store = store
        self.server = server
        self.user_id = user_id
        self.identity = Identity(store, random)
        self.identity.act_as(server, user_id)
        self.contacts = Contacts(store, self.identity)
        self.olm = OlmSessions(store, self.identity, random)
        self.groups = GroupSessions(store, (user_id, self.identity.device), store.generation, random)
