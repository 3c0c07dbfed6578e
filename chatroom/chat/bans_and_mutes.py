"""Bans and mutes: who they are for, how long they last, and why.

A ban or mute holds for one key: ``account:<id>``, ``guest:<id>``, ``name:<folded name>`` or ``address:<network>``.
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
        key: The key that it holds for.
        shown: The name or address, as the moderator typed it.
        by: The moderator's name.
        at: When the ban or mute was given, in milliseconds since 1970.
        until: When it ends, in milliseconds since 1970; 0 for never.
        reason: The reason that everybody is told.
    """

    key: str
    shown: str
    by: str
    at: int
    until: int = 0
    reason: str = ""

    @property
    def size(self) -> int:
        """How many bytes the texts of the ban or mute take in UTF-8."""
        return sum(len(text.encode()) for text in (self.key, self.shown, self.by, self.reason))

    def more(self, now: int) -> str:
        """Return the remaining time and the reason, to append to a message."""
        time = f" for {spell((self.until - now) / 1000)}" if self.until else ""
        return time + (f": {self.reason}" if self.reason else "")


def matching(sanctions: Iterable[Sanction], keys: Iterable[str], now: int) -> Sanction | None:
    """Return the first ban or mute that holds for one of these keys."""
    known = set(keys)
    return next((s for s in sanctions if s.key in known and (not s.until or s.until > now)), None)


def lasting(sanctions: Iterable[Sanction], now: int) -> tuple[Sanction, ...]:
    """Return the bans or mutes that have not ended."""
    return tuple(s for s in sanctions if not s.until or s.until > now)


def listed(heading: str, held: Iterable[Sanction], now: int) -> str:
    """Return a heading and a line for each of the newest bans or mutes that have not ended; empty if there are none."""
    lines = list(dict.fromkeys(clean(f"  {one.shown}, by {one.by}{one.more(now)}") for one in lasting(held, now)))
    left_out = [f"  and {len(lines) - LISTED} older ones"] if len(lines) > LISTED else []
    return "\n".join([heading, *lines[-LISTED:], *left_out]) if lines else ""


def former_keys(ids: Iterable[str]) -> tuple[str, ...]:
    """Return the account keys and guest keys for the ids that a user had before; an id may be of either kind."""
    return tuple(key for id in ids for key in (account_key(id), guest_key(id)))


def account_key(id: str) -> str:
    """Return the key of an account."""
    return f"account:{id}"


def guest_key(id: str) -> str:
    """Return the key of a guest; it stays the same when the guest's name changes."""
    return f"guest:{id}"


def name_key(folded: str) -> str:
    """Return the key of a name."""
    return f"name:{folded}"


def address_key(address: str) -> str:
    """Return the key of an address; all addresses of an IPv6 network (/64) have the same key."""
    return f"address:{network(address)}"
