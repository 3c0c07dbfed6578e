"""Up to which seq of an account's inbox each of its devices has read; one record for each account.

The record is merged with what this daemon knows, so daemons and sessions that change it at the same time lose nothing.
A mark that could not be stored is stored later; until then a crash would show some messages to the device once more.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import DEVICES_REMEMBERED
from chatroom.chat.retry_queue import RetryQueue
from chatroom.model.log import Conflict, Unavailable
from chatroom.model.logger import logger

BUCKET = "device"  # the marks of an account's devices; the key is the account's id
_DAY = 24 * 3600 * 1000  # milliseconds: how exactly it is known when a device was here last

_log = logger(__name__)


class DeviceMark(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The mark of one device.

    Args:
        upto: The seq up to which the device has acknowledged the inbox.
        at: When the device was here last, in milliseconds since 1970.
    """

    upto: int
    at: int


_decode = msgspec.json.Decoder(dict[str, DeviceMark]).decode


class DeviceMarks:
    """The marks of the devices of one account. Only the devices that were here last are remembered.

    Args:
        engine: Stores the record.
        retries: Calls a function again when the store may work again.
        now: Returns the time in milliseconds since 1970.
        account: The account's id.
        on_idle: Called with the object when nobody holds it any more and everything is stored.

    Attributes:
        account: As given.
    """

    __slots__ = (
        "_changed",
        "_engine",
        "_holders",
        "_marks",
        "_now",
        "_on_idle",
        "_retries",
        "_rev",
        "_turns",
        "account",
    )

    def __init__(
        self,
        engine: Engine,
        retries: RetryQueue,
        now: Callable[[], int],
        account: str,
        on_idle: Callable[[DeviceMarks], None],
    ) -> None:
        self._engine = engine
        self._retries = retries
        self._now = now
        self.account = account
        self._on_idle = on_idle
        self._holders: set[object] = set()
        self._marks: dict[str, DeviceMark] = {}
        self._rev = 0  # of the record, as it was read or written last
        self._changed = False  # a mark is not stored yet
        self._turns: list[Deferred[None]] | None = None  # what waits while the record is stored; None at other times

    def hold(self, holder: object) -> None:
        """Do not become idle until the holder calls ``release``."""
        self._holders.add(holder)

    def release(self, holder: object) -> None:
        """End a ``hold``. Calling this again does nothing."""
        self._holders.discard(holder)
        self._check_idle()

    async def begin(self, device: str, furthest: int) -> int:
        """Return the mark of a device that is here now.

        Args:
            device: The device.
            furthest: The mark of a device that is not remembered: up to which seq any device has read. It is stored
                before this returns, so that what comes from now on waits for this device.

        Raises:
            Unavailable: The record cannot be read, or a first mark cannot be stored.
        """
        await self._read()
        mark = self._marks.get(device)
        if mark is None:
            self._set(device, furthest)
            await self._stored()
            return furthest
        if self._now() - mark.at > _DAY:
            self._set(device, mark.upto)
            self._store_later()
        return mark.upto

    def advance(self, device: str, upto: int) -> None:
        """Note that a device has acknowledged everything up to a seq; the mark never goes back."""
        mark = self._marks.get(device)
        if mark is None or mark.upto < upto:
            self._set(device, upto)
            self._store_later()

    def _set(self, device: str, upto: int) -> None:
        self._merge({device: DeviceMark(upto, self._now())})
        self._changed = True

    def _merge(self, others: dict[str, DeviceMark]) -> None:
        """Take in other marks: of each device the greater values, and of all devices those that were here last."""
        for device, other in others.items():
            mark = self._marks.get(device, other)
            self._marks[device] = DeviceMark(max(mark.upto, other.upto), max(mark.at, other.at))
        newest = sorted(self._marks, key=lambda device: self._marks[device].at)[-DEVICES_REMEMBERED:]
        self._marks = {device: self._marks[device] for device in newest}

    # ---- the record ------------------------------------------------------------------------------------------------

    async def _read(self) -> bool:
        """Take in the stored record. Return whether there is one."""
        held = await self._engine.get(BUCKET, self.account)
        if held is None:
            return False
        self._rev = max(self._rev, held[1])
        self._merge(_decode(held[0]))
        return True

    def _store_later(self) -> None:
        """Store the record; if that fails, store it when the store may work again."""
        self._stored().addErrback(self._not_stored)

    def _not_stored(self, failure: Failure) -> None:
        failure.trap(Unavailable)
        self._retries.call(self, self._store_later)

    def _stored(self) -> Deferred[None]:
        """Return a Deferred that fires when all marks are stored; it fails with ``Unavailable`` if they may not be."""
        turn: Deferred[None] = Deferred()
        if self._turns is not None:
            self._turns.append(turn)
        else:
            self._turns = [turn]
            Deferred.fromCoroutine(self._store()).addBoth(self._finished)
        return turn

    async def _store(self) -> None:
        """Store the record again and again until it is stored as it is now.

        Raises:
            Unavailable: The record may not be stored.
        """
        while self._changed:
            self._changed = False
            try:
                self._rev = await self._engine.put(BUCKET, self.account, msgspec.json.encode(self._marks), self._rev)
            except Conflict:  # another daemon has changed the record, or the account is removed
                self._changed = await self._read()
            except Unavailable:
                self._changed = True
                raise

    def _finished(self, result: Failure | None) -> None:
        turns, self._turns = self._turns or [], None
        for turn in turns:
            if isinstance(result, Failure):
                turn.errback(result)
            else:
                turn.callback(None)
        self._check_idle()

    def _check_idle(self) -> None:
        if not self._holders and not self._changed and self._turns is None:
            self._on_idle(self)
