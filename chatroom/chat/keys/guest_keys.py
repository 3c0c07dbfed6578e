"""How many guests may have keys here: anybody can be a new guest at any time, and keys stay for a week.

If there are too many at one address, or in all, the guest who published longest ago and is not online is forgotten. A
record for each guest says where and when the guest published keys last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from twisted.internet.defer import DeferredLock

from chatroom.chat.limits import GUESTS_WITH_KEYS, GUESTS_WITH_KEYS_AN_HOUR, GUESTS_WITH_KEYS_OF_ADDRESS
from chatroom.chat.people.throttles import Window
from chatroom.chat.records import pages
from chatroom.chat.state import ChatState
from chatroom.model.durations import spell
from chatroom.model.errors import GUEST_KEYS_FULL, GUEST_KEYS_LIMITED
from chatroom.model.log import Change

BUCKET = "guest-keys"  # when each guest published keys last, by ``<mark of the address>/<user id>``
HOUR = 3600.0  # seconds


class GuestKeys:
    """Counts the guests who have keys.

    Args:
        state: What the parts of the chat share.
        forget: Removes all that is kept of a guest's keys.
    """

    def __init__(self, state: ChatState, forget: Callable[[str], Awaitable[None]]) -> None:
        self._state = state
        self._forget = forget
        self._lock = DeferredLock()
        self._new = Window(GUESTS_WITH_KEYS_AN_HOUR, HOUR, state.scheduler.seconds)

    async def enter(self, user_id: str, via: str) -> None:
        """Count a guest who is about to publish keys. A guest who has done so here before is not counted again.

        Args:
            user_id: The id of the guest.
            via: The mark of the guest's address; empty if nothing is counted by address.

        Raises:
            Refused: Too many guests have published keys at this address in the last hour; or as many as there may be
                have keys, and all of them are online.
        """
        async with self._lock:
            key = f"{via}/{user_id}"
            if await self._state.engine.get(BUCKET, key) is None:
                wait = self._new.wait((via,)) if via else 0.0
                if wait:
                    raise GUEST_KEYS_LIMITED(wait=spell(wait))
                if via:
                    await self._make_room(f"{via}/", GUESTS_WITH_KEYS_OF_ADDRESS)
                    self._new.count((via,))
                await self._make_room("", GUESTS_WITH_KEYS)
            await self._state.engine.change([Change(BUCKET, key, str(self._state.now()).encode())])

    async def _make_room(self, prefix: str, most: int) -> None:
        """Forget the guest whose keys are oldest, of those whose records begin so, if there are too many.

        Raises:
            Refused: All of them are online.
        """
        engine = self._state.engine
        if await engine.count(BUCKET, prefix) < most:
            return
        online = {presence.id for presence in self._state.who()}
        found = [(int(at), key) async for page in pages(engine, BUCKET, prefix) for key, at in page]
        away = [(at, key) for at, key in found if _id_in(key) not in online]
        if not away:
            raise GUEST_KEYS_FULL()
        _, oldest = min(away)
        await self._forget(_id_in(oldest))
        await engine.change([Change(BUCKET, oldest, None)])

    async def tidy(self, owners: Collection[str]) -> None:
        """Stop counting the guests of whom nothing is kept any more; ``owners`` are all users of whom something is."""
        old = self._state.now() - HOUR * 1000
        async for page in pages(self._state.engine, BUCKET):
            gone = [key for key, at in page if _id_in(key) not in owners and int(at) < old]
            if gone:
                await self._state.engine.change([Change(BUCKET, key, None) for key in gone])


def _id_in(key: str) -> str:
    return key.rpartition("/")[2]
