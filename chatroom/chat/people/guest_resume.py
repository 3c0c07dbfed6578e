"""The secrets by which guests come back after a lost connection, with their id, inbox and rights.

A secret is the guest's id, signed with a key that the engine stores. So the server need not remember any guest, and a
secret is valid after a restart and on every daemon that uses the same engine. Ids of accounts are never signed, so a
secret never gives access to an account. A program may also choose a secret before its first ``welcome``; the guest's id
is then derived from the secret with the same key. In addition, the names of the guests who left last are remembered.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.limits import GUESTS, SHORTEST_SECRET
from chatroom.chat.marks import Marks
from chatroom.chat.session import Session
from chatroom.model.log import Conflict
from chatroom.model.logger import logger
from chatroom.model.names import Name

BUCKET = "key"
_KEY = "guests"
_ID = 32  # characters of an id that is derived from a secret

_log = logger(__name__)


@dataclass(frozen=True, slots=True)
class PartedGuest:
    """What is remembered of a guest who has left.

    Args:
        handle: The guest's name; None if the session was logged in.
        was: The ids of the accounts and guests that the session was before.
        last_writer: The name and id of the user that ``/reply`` writes to; None if there is none.
        rooms: The names of the rooms that the session was in.
        marks: How far the guest has read; None if nothing was marked.
    """

    handle: Name | None
    was: tuple[str, ...]
    last_writer: tuple[str, str] | None
    rooms: tuple[str, ...] = ()
    marks: Marks | None = None


class GuestResume:
    """Makes and checks the secrets of guests, and remembers guests who have left.

    Args:
        engine: Stores the key that secrets are signed with.
        mint: Makes random words.
    """

    def __init__(self, engine: Engine, mint: Mint) -> None:
        self._engine = engine
        self._mint = mint
        self._key = b""
        self._here: dict[str, Session] = {}  # sessions that were given a secret, by the guest's id
        self._gone: OrderedDict[str, PartedGuest] = (
            OrderedDict()
        )  # by the guest's id; the guest who left first comes first

    async def start(self) -> None:
        """Read the key with which all daemons of this engine sign secrets."""
        self._key = await shared_key(self._engine, self._mint)

    @property
    def awaited(self) -> bool:
        """Whether a guest on this daemon has a secret, so that another connection may take over the guest's session."""
        return bool(self._here)

    def knows(self, session: Session) -> bool:
        """Return whether the session's program was given a secret."""
        return self._here.get(session.guest_id) is session

    def promise(self, session: Session) -> str:
        """Return the secret by which the session's guest can come back; empty if the session has ended."""
        if session.over:
            return ""
        self._here[session.guest_id] = session
        if session.user.account is None:
            session.user.resumable = True
        return f"{session.guest_id}.{self._sign(session.guest_id)}"

    def part(self, session: Session) -> None:
        """Remember a session that has ended, so that its guest can come back."""
        if self._here.pop(session.guest_id, None) is None:
            return
        user, rooms = session.user, tuple(room.name for room in session.rooms)
        if user.account is None:
            parted = PartedGuest(user.handle, session.was, user.last_writer, rooms, user.marks)
        else:
            session.was_also(user.id)
            parted = PartedGuest(None, session.was, None, rooms)
        self._gone[session.guest_id] = parted
        if len(self._gone) > GUESTS:
            self._gone.popitem(last=False)

    def ghost_of(self, id: str) -> Session | None:
        """Return the session of the guest with this id, if its connection still seems to be open; else None."""
        return self._here.get(id)

    def parted(self, id: str) -> PartedGuest | None:
        """Return what is remembered of the guest with this id, who has left; None if nothing is."""
        return self._gone.get(id)

    def came_back(self, id: str, session: Session) -> None:
        """Note that the guest with this id is online again, in this session."""
        self._gone.pop(id, None)
        self._here[id] = session

    # ---- secrets -----------------------------------------------------------------------------------------------

    def guest_of(self, secret: str) -> str:
        """Return the id of the guest that a secret belongs to; empty if the secret is not signed and too short."""
        id, _, signature = secret.partition(".")
        if hmac.compare_digest(signature.encode("utf-8", "replace"), self._sign(id).encode()):
            return id
        return self._digest(f"secret {secret}")[:_ID] if len(secret) >= SHORTEST_SECRET else ""

    def mark(self, network: str) -> str:
        """Return text that stands for a network, and does not reveal the network to those without the engine's key."""
        return self._digest(f"network {network}")[:16]

    def _sign(self, id: str) -> str:
        return self._digest(f"guest {id}")

    def _digest(self, text: str) -> str:
        return hmac.digest(self._key, text.encode("utf-8", "replace"), hashlib.sha256).hex()


async def shared_key(engine: Engine, mint: Mint) -> bytes:
    """Return the signing key; make one if there is none. If two daemons do so at the same time, both use the first."""
    held = await engine.get(BUCKET, _KEY)
    if held is None:
        with suppress(Conflict):
            await engine.put(BUCKET, _KEY, mint(32).encode(), 0)
        held = await engine.get(BUCKET, _KEY)
    assert held is not None  # nobody removes it
    return held[0]
