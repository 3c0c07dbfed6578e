"""Which members of a room are on which daemon, for several daemons that share the same rooms.

Each daemon shows the others a roster of its own members. A daemon that loads a room takes the rosters of all daemons,
and the entries of the room's log that came after them.
"""

from __future__ import annotations

from msgspec import Struct

BETWEEN = "-"  # the id of a session is the id of its daemon, this, and a random word; no daemon's id has it


class RosterMember(Struct, frozen=True, gc=False, array_like=True):
    """A session that is in a room.

    Args:
        session: The id of the session.
        user_id: The id of its user.
        name: The name of its user.
    """

    session: str
    user_id: str
    name: str


class Roster(Struct, frozen=True, gc=False):
    """The members of a room that are on one daemon.

    Args:
        seq: The place in the room's log up to which the members are known; later entries change them.
        members: The members, in the order of joining.
        members_rev: The room's ``members_rev``, as that daemon knows it.
    """

    seq: int
    members: tuple[RosterMember, ...]
    members_rev: int = 0


def session_id(node: str, word: str) -> str:
    """Return the id of a session.

    Args:
        node: The id of its daemon; empty if that shares its rooms with no other.
        word: A word that no other session of the daemon has.
    """
    return f"{node}{BETWEEN}{word}" if node else word


def node_of(session: str) -> str:
    """Return the id of the daemon that has a session; empty if that shares its rooms with no other."""
    return session.rpartition(BETWEEN)[0]
