"""Commands about encrypted rooms: to encrypt a room, to send a sealed message to it, and to list its members' ids."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import Count, Id, Needs, RoomCommand, Seq, row
from chatroom.model.device_keys import BASE64

MOST_SEALED = 12_000  # characters of the base64 of a sealed message

_Base64 = Annotated[str, Meta(min_length=1, max_length=64, pattern=BASE64)]
_Sealed = Annotated[str, Meta(min_length=1, max_length=MOST_SEALED, pattern=BASE64)]


class Encrypt(RoomCommand, frozen=True, gc=False):
    """Encrypt the room for ever. Only its owner may.

    Without ``yes``, nothing changes: the answer ``ok`` says in its text which members would be removed, because they
    cannot follow. With ``yes``, these are removed, and the members are told ``encrypted``.
    """

    yes: bool = False


row(
    Encrypt,
    "encrypt the room end to end, for ever; alone, it says who would have to leave",
    "encrypt",
    Arg("yes", Kind.YES, "yes", required=False),
    in_room=True,
    needs=Needs.OWNER,
    topic="order",
    examples=[{"yes": True}],
)


class SaySealed(RoomCommand, frozen=True, gc=False):
    """Send a message to an encrypted room. ``sid`` and ``ct`` are those of ``sealed``, base64 without padding.

    ``members`` is the ``rev`` of the members whose devices have the keys, as ``member-ids`` or ``entered`` gave it, or
    the ``seq`` of a later event that changed the members or their devices. If that is not the latest such event, the
    message is refused with ``stale-members``: seal it anew. After two such refusals of it, a message is also taken
    if all who were members at ``members`` still are, with the same devices, and others have come. A message that is
    sent again with the same ``id`` is stored only once.
    """

    id: Id
    sid: _Base64
    ct: _Sealed
    members: Seq


row(
    SaySealed,
    "send a sealed message to an encrypted room; for programs",
    "",
    in_room=True,
    pipelined=True,
    examples=[{"room": "lobby", "id": "01J9A", "sid": "c2Vzc2lvbg", "ct": "AwgAEpABv3W", "members": 131}],
)


class MemberIds(RoomCommand, frozen=True, gc=False):
    """List the members of the room with their ids, 200 at a time: those that come after the first ``after`` members.

    ``since`` asks who has left the room since that seq, too.
    """

    after: Count = 0
    since: Count = 0

    @property
    def cost(self) -> int:
        """Count the command as some queries: up to 200 device lists are looked up, and perhaps the log is read."""
        return 10 if self.since else 5


row(
    MemberIds,
    "list the ids of the members; for programs",
    "",
    in_room=True,
    long=True,
    examples=[{"room": "lobby", "after": 0}],
)
