"""Guests who come back after a cut: a program that shows its secret is the same guest again, with id, inbox and rights.

The secret is the guest's id, signed with a key that the engine keeps: nothing has to be remembered of anybody, and it
holds after a restart, and on every daemon of that engine. It is worth nothing for an account, whose id nobody signs.
A program may also make up a secret before its first welcome: then the id follows from it, by the same key.
What is remembered of the last who have gone, a name above all, is a courtesy.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.limits import GUESTS, SHORTEST_SECRET
from chatroom.chat.session import Session
from chatroom.model.log import Conflict
from chatroom.model.logger import logger
from chatroom.model.names import Name

BUCKET = "key"
_KEY = "guests"
_ID = 32  # characters of an id that follows from a secret

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class PartedGuest:
    """What a guest had who has gone.

    Args:
        handle: The name; None if it was an account's.
        was: Ids of the accounts and guests that the connection was.
        last_writer: Name and id of whom a reply goes to.
    """

    handle: Name | None
    was: tuple[str, ...]
    last_writer: tuple[str, str] | None


class GuestResume:
    """See the module.

    Args:
        engine: Keeps the key that secrets are made with.
        mint: Makes random words.
    """

    def __init__(self, engine: Engine, mint: Mint) -> None:
        self._engine = engine
        self._mint = mint
        self._key = b""
        self._here: dict[str, Session] = {}  # who was told a secret, by the guest's id
        self._gone: OrderedDict[str, PartedGuest] = OrderedDict()  # by the guest's id, the longest gone first

    async def start(self) -> None:
        """Learn the key that all daemons of this engine sign with."""
        self._key = await shared_key(self._engine, self._mint)

    @property
    def awaited(self) -> bool:
        """Whether somebody is here who may come again, and be recognized."""
        return bool(self._here)

    def knows(self, session: Session) -> bool:
        """Return whether the program has been told how to come back."""
        return self._here.get(session.guest_id) is session

    def promise(self, session: Session) -> str:
        """Return the secret by which whoever is the guest of this connection comes back; empty when it is over."""
        if session.over:
            return ""
        self._here[session.guest_id] = session
        if session.user.account is None:
            session.user.resumable = True
        return f"{session.guest_id}.{self._sign(session.guest_id)}"

    def part(self, session: Session) -> None:
        """A connection has ended; its guest may come back."""
        if self._here.pop(session.guest_id, None) is None:
            return
        user = session.user
        if user.account is None:
            parted = PartedGuest(user.handle, session.was, user.last_writer)
        else:
            session.was_also(user.id)
            parted = PartedGuest(None, session.was, None)
        self._gone[session.guest_id] = parted
        if len(self._gone) > GUESTS:
            self._gone.popitem(last=False)

    def ghost_of(self, id: str) -> Session | None:
        """Return the connection of a guest that still seems to be there."""
        return self._here.get(id)

    def parted(self, id: str) -> PartedGuest | None:
        """Return what a guest had who has gone, if that is known."""
        return self._gone.get(id)

    def came_back(self, id: str, session: Session) -> None:
        """Note that a guest is here again."""
        self._gone.pop(id, None)
        self._here[id] = session

    # ---- secrets -----------------------------------------------------------------------------------------------

    def guest_of(self, secret: str) -> str:
        """Return whose secret that is, by the guest's id; empty if it is too short to be anybody's."""
        id, _, signature = secret.partition(".")
        if hmac.compare_digest(signature.encode("utf-8", "replace"), self._sign(id).encode()):
            return id
        return self._digest(f"secret {secret}")[:_ID] if len(secret) >= SHORTEST_SECRET else ""

    def mark(self, network: str) -> str:
        """Return a mark for a network, from which nobody without the engine's key can tell the network."""
        return self._digest(f"network {network}")[:16]

    def _sign(self, id: str) -> str:
        return self._digest(f"guest {id}")

    def _digest(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hex()


async def shared_key(engine: Engine, mint: Mint) -> bytes:
    """Return the key, made if need be; of two daemons that make it at the same time one is first."""
    held = await engine.get(BUCKET, _KEY)
    if held is None:
        with suppress(Conflict):
            await engine.put(BUCKET, _KEY, mint(32).encode(), 0)
        held = await engine.get(BUCKET, _KEY)
    assert held is not None  # nobody removes it
    return held[0]
