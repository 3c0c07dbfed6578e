"""Bans and mutes: whom they are for, how long, why; and what a session is known by.

A key is ``account:<id>``, ``guest:<id>``, ``name:<folded>`` or ``address:<network>``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import msgspec

from chatroom.chat.limits import LISTED
from chatroom.model.durations import spell
from chatroom.model.network import is_local, network
from chatroom.model.text import clean

if TYPE_CHECKING:
    from chatroom.chat.people.user import User
    from chatroom.chat.session import Session


class Sanction(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One ban or mute.

    Args:
        key: Whom it is for.
        shown: What the moderator called it.
        by: Who decided it.
        at: When, in milliseconds since 1970.
        until: Until when; 0 for good.
        reason: Why, as said to everybody.
    """

    key: str
    shown: str
    by: str
    at: int
    until: int = 0
    reason: str = ""

    @property
    def size(self) -> int:
        """Return how many bytes its texts take in the store."""
        return sum(len(text.encode()) for text in (self.key, self.shown, self.by, self.reason))

    def more(self, now: int) -> str:
        """Return how long it still is and why, to be put behind what is said of it."""
        time = f" for {spell((self.until - now) / 1000)}" if self.until else ""
        return time + (f": {self.reason}" if self.reason else "")


def matching(sanctions: Iterable[Sanction], keys: Iterable[str], now: int) -> Sanction | None:
    """Return the first that holds for somebody known by these keys."""
    known = set(keys)
    return next((s for s in sanctions if s.key in known and (not s.until or s.until > now)), None)


def lasting(sanctions: Iterable[Sanction], now: int) -> tuple[Sanction, ...]:
    """Return those that are not over."""
    return tuple(s for s in sanctions if not s.until or s.until > now)


def listed(heading: str, held: Iterable[Sanction], now: int) -> str:
    """Return the newest of the bans or mutes that hold, a line each; empty when there are none."""
    lines = list(dict.fromkeys(clean(f"  {one.shown}, by {one.by}{one.more(now)}") for one in lasting(held, now)))
    left_out = [f"  and {len(lines) - LISTED} older ones"] if len(lines) > LISTED else []
    return "\n".join([heading, *lines[-LISTED:], *left_out]) if lines else ""


def keys_of(session: Session) -> tuple[str, ...]:
    """Return what a session is known by."""
    before = former_keys((*session.was, session.guest_id))
    return (*user_keys(session.user), *before, address_key(session.address))


def user_keys(user: User) -> tuple[str, ...]:
    """Return what a user is known by wherever the connection comes from."""
    name = name_key(user.handle.folded)
    if user.account is None:
        return (name, guest_key(user.id))
    return (account_key(user.id), name, *former_keys(user.account.was))


def former_keys(ids: Iterable[str]) -> tuple[str, ...]:
    """Return what somebody is known by who was these accounts and guests before."""
    return tuple(key for id in ids for key in (account_key(id), guest_key(id)))


def keys_against(user: User) -> tuple[str, ...]:
    """Return what a sanction against somebody is tied to.

    An account is its owner; its name is meant as well, for the account may be deleted and registered anew. A guest can
    have another name in a moment, so the guest and the address are meant as well, unless the address is this machine's,
    from which everybody may come.
    """
    name = name_key(user.handle.folded)
    if user.account is not None:
        return (account_key(user.id), name)
    places = {address_key(session.address) for session in user.sessions if not is_local(session.address)}
    return (name, guest_key(user.id), *places)


def account_key(id: str) -> str:
    """Return the key of an account."""
    return f"account:{id}"


def guest_key(id: str) -> str:
    """Return the key of a guest, who keeps it while the name changes."""
    return f"guest:{id}"


def name_key(folded: str) -> str:
    """Return the key of a name."""
    return f"name:{folded}"


def address_key(address: str) -> str:
    """Return the key of an address, or of the network that counts as one."""
    return f"address:{network(address)}"
