"""Commands about the keys of devices, and about sealed messages. All of them are only for programs."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from chatroom.model.commands.table import Command, Count, Id, Secretive, Seq, Word, row
from chatroom.model.device_keys import (
    BASE64,
    MOST_DEVICES,
    DeviceId,
    DeviceKeys,
    DeviceList,
    Envelope,
    Signature,
    SignedKey,
    UserId,
)
from chatroom.model.examples_of_keys import DEVICE, FALLBACK, LIST, ONE_TIME, PROOF

KEYS_IN_ONE_PUBLISH = 100
USERS_IN_ONE_QUERY = 50
ENVELOPES_IN_ONE_SEND = 10
KEYS_FOR_ONE_COST = 10  # one-time keys that cost as much of the budget for queries as one query does


class KeysPublish(Command, frozen=True, gc=False, kw_only=True):
    """Publish keys of this device, and say that this session has them.

    Give it on every connection after the login, also without new keys: from then on, the session is sent what is in the
    mailbox of the device. ``proof`` shows that the session has the device's secret key: it is a signature by
    ``ed25519``, in the domain ``device-proof``, over the device's ``server``, ``user_id`` and ``device`` and the
    ``nonce`` of ``welcome``. ``generation`` grows with each start of the program's key store; one that is lower than
    before is refused, because the store is an old copy. With ``withdraw``, all one-time keys published earlier are
    dropped first. At most 200 one-time keys are kept for a device, 100 for a guest's; the same key again is no second
    one. About 50 keys fit into one record.
    """

    device: DeviceKeys
    proof: Signature
    one_time: Annotated[tuple[SignedKey, ...], Meta(max_length=KEYS_IN_ONE_PUBLISH)] = ()
    fallback: SignedKey | None = None
    withdraw: bool = False
    generation: Count = 0

    @property
    def cost(self) -> int:
        """Count more for many keys."""
        return 1 + len(self.one_time) // KEYS_FOR_ONE_COST


row(
    KeysPublish,
    "publish keys of this device; for programs",
    "",
    examples=[{"device": DEVICE, "proof": PROOF, "one_time": (ONE_TIME,), "fallback": FALLBACK, "generation": 3}],
)


class KeysList(Command, frozen=True, gc=False, kw_only=True):
    """Replace the list of your devices. Its ``rev`` must be greater than that of the present list, by at most 10000.

    ``sig`` must be a signature by the list's own ``user_key``. A list with a new user key has this session's device.

    With ``reset``, its user key may be another one. Your contacts will see that it has changed.

    Devices in ``ends`` that are not in the list are logged out: their sessions end, their login tokens are worthless.
    """

    list: DeviceList
    reset: bool = False
    ends: Annotated[tuple[DeviceId, ...], Meta(max_length=MOST_DEVICES)] = ()

    @property
    def cost(self) -> int:
        """Count it as a query."""
        return 1


row(KeysList, "replace the list of your devices; for programs", "", examples=[{"list": LIST}])


class KeysQuery(Command, frozen=True, gc=False, kw_only=True):
    """Ask for the device lists of users, by name or as ``id:`` and the user's id.

    The answer has the lists of the first of them, as many as fit: ask again for the others. A session that has
    published keys is then told when these lists change.
    """

    users: Annotated[tuple[Word, ...], Meta(max_length=USERS_IN_ONE_QUERY)]

    @property
    def cost(self) -> int:
        """Count each user as a query."""
        return max(1, len(self.users))


row(KeysQuery, "ask for the devices of users; for programs", "", long=True, examples=[{"users": ("alice", "id:x7k2")}])


class KeysClaim(Command, frozen=True, gc=False, kw_only=True):
    """Ask for a one-time key of each of these devices, to write to it for the first time.

    A device that has none left gives its fallback key. A device without any key is left out of the answer.
    """

    user_id: UserId
    devices: Annotated[tuple[DeviceId, ...], Meta(max_length=MOST_DEVICES)]

    @property
    def cost(self) -> int:
        """Count each device as a query."""
        return max(1, len(self.devices))


row(
    KeysClaim,
    "ask for one-time keys of devices; for programs",
    "",
    examples=[{"user_id": "x7k2", "devices": (DEVICE.device,)}],
)


class KeysBackup(Secretive, frozen=True, gc=False, kw_only=True):
    """Keep your user key on the server, sealed by your recovery key. An empty text removes it.

    Only a session whose device is in the list of your devices may do so.
    """

    sealed: Annotated[str, Meta(max_length=4096, pattern=BASE64)]

    @property
    def cost(self) -> int:
        """Count it as a query."""
        return 1


row(KeysBackup, "keep your sealed user key on the server; for programs", "", examples=[{"sealed": "c2VhbGVk"}])


class KeysRestore(Command, frozen=True, gc=False):
    """Ask for your sealed user key."""

    @property
    def cost(self) -> int:
        """Count it as a query."""
        return 1


row(KeysRestore, "ask for your sealed user key; for programs", "", examples=[{}])


class E2eSend(Command, frozen=True, gc=False, kw_only=True):
    """Send a sealed message to devices: an envelope for each of them.

    ``revs`` has the ``rev`` of the device list of each user whose devices are meant. The same ``id`` to the same device
    again is stored once. ``user`` is the person to whom you write; without it, the message is no private message, but
    for example the key of a room. Half of each mailbox is kept for people to whom its user has written with ``user``. A
    private message is refused if all mailboxes of its reader are full; of others, those are stored that fit. If the
    reader is online without keys, ``notice`` has the reader told that something came which only chatroom-client can
    read.
    """

    id: Id
    envelopes: Annotated[tuple[Envelope, ...], Meta(min_length=1, max_length=ENVELOPES_IN_ONE_SEND)]
    revs: Annotated[dict[UserId, Count], Meta(max_length=ENVELOPES_IN_ONE_SEND)]
    notice: Literal["", "message"] = ""
    user: Word = ""

    @property
    def cost(self) -> int:
        """Count each envelope as a query."""
        return len(self.envelopes)


row(
    E2eSend,
    "send a sealed message to devices; for programs",
    "",
    examples=[
        {
            "id": "01J8Z",
            "envelopes": (Envelope(user_id="x7k2", device=DEVICE.device, kind=0, body="c2VhbGVk"),),
            "revs": {"x7k2": 1},
            "notice": "message",
            "user": "bob",
        }
    ],
)


class E2eAck(Command, frozen=True, gc=False, kw_only=True):
    """Acknowledge the sealed messages of this device up to a seq. They are removed from the mailbox."""

    seq: Seq

    @property
    def cost(self) -> int:
        """Count an acknowledgement as a query."""
        return 1


row(E2eAck, "say how far you have read this device's mailbox; for programs", "", examples=[{"seq": 140}])
