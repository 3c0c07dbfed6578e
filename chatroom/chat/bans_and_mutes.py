"""Bans and mutes: who they are for, how long they last, and why.

A key is ``account:<id>``, ``guest:<id>``, ``name:<folded>`` or ``address:<network>``.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chatroom.chat.limits import LISTED
from chatroom.model.durations import spell
from chatroom.model.network import network
from chatroom.model.text import clean


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


def former_keys(ids: Iterable[str]) -> tuple[str, ...]:
    """Return what somebody is known by who was these accounts and guests before."""
    return tuple(key for id in ids for key in (account_key(id), guest_key(id)))


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
