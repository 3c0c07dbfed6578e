"""Which devices may read the next message of an encrypted room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chatroom.client.crypto.contacts import Contacts
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.peers import Peers
from chatroom.client.room_state import RoomState
from chatroom.model.device_keys import DeviceKeys

DeviceName = tuple[str, str]  # user id, device

ABSENT = 15 * 60_000  # ms for which somebody whose connection was lost still gets keys, and so misses nothing


@dataclass(frozen=True, slots=True)
class Readers:
    """The devices of a room's members.

    Args:
        rev: The membership revision that they belong to.
        until: Until when somebody among them counts who is absent, in ms since 1970; 0 if nobody is.
        devices: The keys of each device, but ours.
        revs: The device-list revision of each member.
    """

    rev: int
    until: int = 0
    devices: dict[DeviceName, DeviceKeys] = field(default_factory=dict)
    revs: dict[str, int] = field(default_factory=dict)


class RoomReaders:
    """Knows the devices of the members of each encrypted room.

    Args:
        server: Lists the members.
        peers: Learns their device lists.
        contacts: Remembers their keys.
        me: Our user id.
        now: Returns the time in milliseconds since 1970.
        warn: Tells the user something about a room: the room's name, and a sentence.
    """

    def __init__(
        self,
        server: KeyServer,
        peers: Peers,
        contacts: Contacts,
        me: str,
        now: Callable[[], int],
        warn: Callable[[str, str], None],
    ) -> None:
        self._server = server
        self._peers = peers
        self._contacts = contacts
        self._me = me
        self._now = now
        self._warn = warn
        self._known: dict[str, Readers] = {}
        self._warned: set[tuple[str, str]] = set()

    def forget(self, room: str = "") -> None:
        """Ask the server again about a room, by id, before the next message there; about all rooms, without an id."""
        if room:
            self._known.pop(room, None)
        else:
            self._known.clear()

    async def of(self, room: RoomState) -> Readers:
        """Return the devices that may read the next message of a room.

        Raises:
            Rejected: The server cannot be asked, or its answer must not be believed.
        """
        known = self._known.get(room.id)
        if known is None or known.rev != room.members_rev or 0 < known.until < self._now():
            known = self._known[room.id] = await self._ask(room)
            room.members_rev = known.rev
        return known

    async def _ask(self, room: RoomState) -> Readers:
        rev, members = await self._server.members(room.room)
        absent = self._absent(room)
        members += [(user_id, name, 0) for user_id, (_, name) in absent.items()]
        unknown = [user_id for user_id, _, list_rev in members if self._lacks(user_id, list_rev)]
        if unknown:
            await self._peers.learn([f"id:{user_id}" for user_id in unknown])
        readers = Readers(rev, min((at + ABSENT for at, _ in absent.values()), default=0))
        for user_id, name, list_rev in members:
            known = self._contacts.get(user_id).known
            readers.revs[user_id] = known.rev if known is not None else list_rev
            for device in self._devices(room, user_id, name):
                readers.devices[user_id, device.device] = device
        own = self._contacts.get(self._me).known
        readers.revs.setdefault(self._me, own.rev if own is not None else 0)
        return readers

    def _absent(self, room: RoomState) -> dict[str, tuple[int, str]]:
        """Return the members whose connection was lost a short while ago; the others are forgotten."""
        since = self._now() - ABSENT
        room.absent = {user_id: lost for user_id, lost in room.absent.items() if lost[0] > since}
        return room.absent

    def _lacks(self, user_id: str, rev: int) -> bool:
        """Return whether we do not know the device list of a member as the server has it."""
        known = self._contacts.get(user_id).known
        return known is None or known.rev != rev

    def _devices(self, room: RoomState, user_id: str, name: str) -> tuple[DeviceKeys, ...]:
        """Return the devices of a member; none if the member's key has changed, which the user is told once."""
        try:
            return self._contacts.recipients(user_id)
        except CryptoRefusal as refused:
            if (room.id, user_id) not in self._warned:
                self._warned.add((room.id, user_id))
                self._warn(room.room, f"{name} cannot read what you write here: {refused.text}.")
            return ()
