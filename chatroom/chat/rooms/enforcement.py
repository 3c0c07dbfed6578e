"""Bans, when several daemons share a room: each daemon removes those of its own members whom a ban is for.

Only a member's own daemon knows the member's address. So a ban of an address, or of a name that another user had, can
remove members elsewhere only in this way.
"""

from __future__ import annotations

from chatroom.chat.bans_and_mutes import lasting
from chatroom.chat.rooms.room import Room
from chatroom.chat.state import ChatState
from chatroom.model.events import Kicked


def put_out_banned(state: ChatState, room: Room) -> None:
    """Remove the banned members of a room whose sessions are on this daemon. Moderators stay.

    Calling it again while a removal is being stored does no harm: the log keeps each removal once.
    """
    if not state.engine.node or not room.record.bans:
        return
    bans = {ban.key: ban for ban in lasting(room.record.bans, state.now())}
    for id, member in list(room.members.items()):
        session = member.session
        if session is None or room.record.moderated_by(session.user):
            continue
        ban = next((bans[key] for key in session.keys if key in bans), None)
        if ban is not None:
            about = f"banned.{id}.{ban.at}", state.now(), ban.by, ""
            state.owe(room.log, Kicked(*about, user=member.name, user_id=member.user_id, reason=ban.reason))
