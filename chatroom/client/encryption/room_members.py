"""Which devices may read the next message of an encrypted room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chatroom.client.crypto.contacts import Contacts
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption.absent_members import AbsentMember, AbsentMembers
from chatroom.client.encryption.key_server import KeyServer
from chatroom.client.encryption.peers import Peers
from chatroom.client.room_state import RoomState
from chatroom.model.device_keys import DeviceKeys

DeviceName = tuple[str, str]  # user id, device


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
        absent: Remembers whose connection was lost.
        me: Our user id.
        now: Returns the time in milliseconds since 1970.
        warn: Tells the user something about a room: the room's name, and a sentence.
    """

    def __init__(
        self,
        server: KeyServer,
        peers: Peers,
        contacts: Contacts,
        absent: AbsentMembers,
        me: str,
        now: Callable[[], int],
        warn: Callable[[str, str], None],
    ) -> None:
        self._server = server
        self._peers = peers
        self._contacts = contacts
        self._absent = absent
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
        rev, members, absent = await self._members(room)
        members += [(user_id, member.name, 0) for user_id, member in absent.items()]
        unknown = [user_id for user_id, _, list_rev in members if self._lacks(user_id, list_rev)]
        if unknown:
            await self._peers.learn([f"id:{user_id}" for user_id in unknown])
        readers = Readers(rev, min((member.until for member in absent.values()), default=0))
        for user_id, name, list_rev in members:
            if user_id in absent and not self._absent.is_as_before(user_id, absent[user_id]):
                continue
            known = self._contacts.get(user_id).known
            readers.revs[user_id] = known.rev if known is not None else list_rev
            for device in self._devices(room, user_id, name):
                readers.devices[user_id, device.device] = device
        own = self._contacts.get(self._me).known
        readers.revs.setdefault(self._me, own.rev if own is not None else 0)
        return readers

    async def _members(self, room: RoomState) -> tuple[int, list[tuple[str, str, int]], dict[str, AbsentMember]]:
        """Return the membership revision of a room, its members, and who is absent and has not left, by user id."""
        before = self._absent.of(room.id)
        since = min((member.seq for member in before.values()), default=0)
        rev, members, left = await self._server.members(room.room, since)
        self._absent.checked(room.id, before, left, rev)
        there = {user_id for user_id, _, _ in members}
        return rev, members, {user: member for user, member in self._absent.of(room.id).items() if user not in there}

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
