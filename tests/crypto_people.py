"""Users with keys for tests of encryption: each has rows, keys and contacts, and publishes what a server would keep."""

from __future__ import annotations

import os

from msgspec.structs import replace

from chatroom.client.crypto.contacts import Contacts, Learned
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.olm_sessions import OlmSessions
from chatroom.client.crypto.rows import MemoryRows
from chatroom.model.device_keys import DeviceKeys, DeviceList, SignedKey
from chatroom.model.signed_bytes import b64, to_sign

SERVER = "server-1"
ZERO_KEY = b64(bytes(32))


class Person:
    """A user on one device.

    Args:
        user_id: The id of the user; the name is the same.
        linked: Whether the user's first device list, with this device alone, is made.
    """

    def __init__(self, user_id: str, *, linked: bool = True) -> None:
        self.rows = MemoryRows()
        self.user_id = user_id
        self.restart()
        if linked:
            self.identity.make_user_key()
            self.list = self.identity.sign_list([self.keys], 1)
            self.contacts.learn(user_id, user_id, self.list)

    def restart(self) -> None:
        """Begin anew over the same rows, as the program does after a restart."""
        self.identity = Identity(self.rows, os.urandom)
        self.identity.act_as(SERVER, self.user_id)
        self.contacts = Contacts(self.rows, self.identity)
        self.olm = OlmSessions(self.rows, self.identity, os.urandom)

    @property
    def keys(self) -> DeviceKeys:
        """The signed keys of the device."""
        return self.identity.device_keys("a device")

    def new_key(self) -> SignedKey:
        """Return a one-time key that the server gives out once."""
        key = self.identity.one_time_keys(1)[0]
        self.identity.mark_published()
        return key

    def relist(self, *devices: DeviceKeys, rev: int, **changes: object) -> DeviceList:
        """Return a list of these devices that the user really signed, whatever the rules of linking say."""
        key = self.identity._signing_key()
        unsigned = replace(self.list, user_key=self.identity.user_key, devices=devices, rev=rev, **changes)
        return replace(unsigned, sig=b64(key.sign(to_sign("device-list", unsigned))))

    def meet(self, other: Person) -> Learned:
        """Learn the device list of another user, as the server tells it."""
        return self.contacts.learn(other.user_id, other.user_id, other.list)


def device_by(person: Person, **changes: object) -> DeviceKeys:
    """Return the keys of a person's device with other fields, signed by that device."""
    keys = replace(person.keys, **changes)
    return replace(keys, sig=person.identity._account.sign(to_sign("device", keys)).to_base64())


def key_by(person: Person, **changes: object) -> SignedKey:
    """Return a one-time key of a person with other fields, signed by that person's device."""
    key = replace(person.new_key(), **changes)
    return replace(key, sig=person.identity._account.sign(to_sign("one-time-key", key)).to_base64())
