"""Which rooms are encrypted: what the server says, against what was seen before."""

from __future__ import annotations

from chatroom.client.crypto.encrypted_rooms import EncryptedRooms, RoomStanding
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.encryption.port import Port
from chatroom.client.encryption.refusals import sentence
from chatroom.client.joined_rooms import JoinedRooms
from chatroom.client.status import SecurityNotice
from chatroom.model import events as e
from chatroom.model import replies as a

WARNINGS = {
    RoomStanding.REMADE: "{room} is encrypted, but it is another room than the one that had this name before.",
    RoomStanding.DOWNGRADED: "The server says that {room} is not encrypted, which it was; nothing is sent there.",
    RoomStanding.REMADE_PLAIN: "{room} is not encrypted, but a room of that name was; nothing is sent there.",
}


def note_room(event: a.Entered | e.Encrypted, joined: JoinedRooms, rooms: EncryptedRooms, port: Port) -> None:
    """Remember what the server says about a room, and warn the user if it contradicts what was seen before."""
    if isinstance(event, a.Entered):
        id, encrypted = event.room_id, event.encrypted
    else:
        room = joined.find(event.room)
        id, encrypted = (room.id if room is not None else ""), True
    if not id:
        return
    try:
        warning = WARNINGS.get(rooms.see(id, event.room, encrypted))
    except CryptoRefusal as refused:
        warning = sentence(refused.text)
    if warning is not None:
        port.tell(SecurityNotice(text=warning.format(room=event.room), room=event.room, alarm=True))
