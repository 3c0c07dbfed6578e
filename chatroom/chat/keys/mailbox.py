"""What is in the mailboxes of devices: how much, from whom, and what was fetched lately.

A mailbox is the log of a device. This daemon follows the logs of the mailboxes that it has written to, so it counts
what waits there without reading them for each message.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Awaitable, Callable

import msgspec
from twisted.internet.defer import Deferred, DeferredLock

from chatroom.chat.keys.delivery import sending
from chatroom.chat.limits import (
    MAILBOX_BYTES,
    MAILBOX_MESSAGES,
    MAILBOX_OF_ADDRESS,
    MAILBOX_OF_SENDER,
    MAILBOX_OF_STRANGERS,
)
from chatroom.chat.people.unread_counts import Unread, senders
from chatroom.chat.state import ChatState
from chatroom.model.key_events import E2eFrom
from chatroom.model.log import Change, Entry, Subscription
from chatroom.model.log_names import id_in
from chatroom.model.logger import logger

FETCHED = "fetched"  # for each mailbox, by ``<user id>/<device>``, which messages were fetched lately
REMEMBERED = 256  # of these messages in one mailbox
MOST_OPEN = 500  # mailboxes whose messages are counted all the time
RECOUNT = 60.0  # seconds until a mailbox that seems full may be counted anew

_log = logger(__name__)
_fetched = msgspec.json.Decoder(list[str]).decode


class Held(Unread):
    """Counts what is in one mailbox, and the bytes of it, also of each sender."""

    __slots__ = ("bytes", "bytes_of")

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0
        self.bytes_of: Counter[str] = Counter()

    def put(self, keys: tuple[str, ...], size: int) -> None:
        """Count a message of so many bytes."""
        self.count(keys, 1)
        self._add(keys, size)

    def take(self, keys: tuple[str, ...], size: int) -> None:
        """Stop counting a message."""
        self.count(keys, -1)
        self._add(keys, -size)

    def _add(self, keys: tuple[str, ...], size: int) -> None:
        self.bytes += size
        for key in keys:
            self.bytes_of[key] += size
            if not self.bytes_of[key]:
                del self.bytes_of[key]


class DeviceMailbox:
    """What waits for one device.

    Args:
        state: What the parts of the chat share.
        log: The log of the mailbox.
    """

    __slots__ = ("_counted_at", "_fetched", "_ids", "_lock", "_log", "_over", "_state", "_sub", "_waiting", "held")

    def __init__(self, state: ChatState, log: str) -> None:
        self._state = state
        self._log = log
        self._lock = DeferredLock()
        self._sub: Subscription | None = None
        self._waiting: deque[tuple[int, tuple[str, ...], int, str]] = deque()  # seq, sender's keys, bytes, ``sending``
        self._ids: Counter[str] = Counter()  # the ``sending`` of what waits or is being stored
        self._fetched: dict[str, None] = {}
        self._counted_at = 0.0
        self._over = False
        self.held = Held()

    async def open(self) -> None:
        """Follow the log and count what waits, unless that is done.

        Raises:
            Unavailable: The log or the record cannot be read.
        """
        await self._lock.acquire()
        try:
            if self._sub is None and not self._over:
                held = await self._state.engine.get(FETCHED, id_in(self._log))
                self._fetched = dict.fromkeys(_fetched(held[0]) if held is not None else ())
                self._sub = await self._state.engine.follow(self._log, self._count, 0)
                self._counted_at = self._state.scheduler.seconds()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Count no more, for ever."""
        self._over = True
        self._forget()

    def _forget(self) -> None:
        """Forget what was counted. Those who hold a place, from ``claim``, give it back to what is forgotten."""
        if self._sub is not None:
            self._sub.stop()
            self._sub = None
        self._waiting.clear()
        self._ids, self.held = Counter(), Held()

    def has(self, id: str) -> bool:
        """Return whether a message, by its ``sending``, is in the mailbox, or was fetched from it lately."""
        return id in self._ids or id in self._fetched

    async def check(self, keys: tuple[str, ...], *, own: bool, known: Callable[[], Awaitable[bool]]) -> bool:
        """Return whether there is room for one more message.

        If there seems to be none, the mailbox is counted anew, because another daemon may have delivered from it.

        Args:
            keys: The keys of the sender; see ``senders``.
            own: Whether the mailbox is of the sender's own device, which the sender may fill.
            known: Returns whether the reader has written to the sender. Strangers cannot fill the whole mailbox.
        """
        if self._fits(keys, own, MAILBOX_OF_STRANGERS):
            return True
        most = MAILBOX_OF_STRANGERS
        if own or await known():
            most, keys = MAILBOX_MESSAGES, keys[:1]  # others at the same address do not count against the sender
        if self._fits(keys, own, most):
            return True
        if self._state.scheduler.seconds() - self._counted_at < RECOUNT:
            return False
        self._forget()
        await self.open()
        return self._fits(keys, own, most)

    def _fits(self, keys: tuple[str, ...], own: bool, most: int) -> bool:
        """Return whether one more message fits into the first ``most`` places, and into the sender's shares of them."""
        held, shares = self.held, zip(keys, (MAILBOX_OF_SENDER, MAILBOX_OF_ADDRESS), strict=False)
        room = held.total < most and held.bytes < _bytes_for(most)
        within = (held.of(key) < share and held.bytes_of[key] < _bytes_for(share) for key, share in shares)
        return room and (own or all(within))

    def claim(self, keys: tuple[str, ...], size: int, id: str) -> Callable[[], None]:
        """Count a message that is about to be stored; return the function that stops counting it as such."""
        held, ids = self.held, self._ids
        held.put(keys, size)
        ids[id] += 1

        def release() -> None:
            held.take(keys, size)
            _less(ids, id)

        return release

    def _count(self, entries: list[Entry]) -> None:
        for entry in entries:
            event = entry.event
            if isinstance(event, E2eFrom):
                keys, id, size = senders(event.by_id, event.via), sending(event.by_id, event.id), len(event.body)
                self._waiting.append((entry.seq, keys, size, id))
                self.held.put(keys, size)
                self._ids[id] += 1

    def fetched(self, upto: int, ids: list[str]) -> None:
        """Stop counting what was fetched up to a seq, and remember the last of these messages."""
        while self._waiting and self._waiting[0][0] <= upto:
            _, keys, size, id = self._waiting.popleft()
            self.held.take(keys, size)
            _less(self._ids, id)
        self._fetched = dict.fromkeys([*self._fetched, *ids][-REMEMBERED:])


def _bytes_for(messages: int) -> int:
    """Return the bytes that so many messages of a mailbox may have together."""
    return MAILBOX_BYTES * messages // MAILBOX_MESSAGES


def _less(ids: Counter[str], id: str) -> None:
    """Count one less of an id, and forget it with the last."""
    ids[id] -= 1
    if ids[id] <= 0:
        del ids[id]


class DeviceMailboxes:
    """The mailboxes of all devices.

    Args:
        state: What the parts of the chat share.
    """

    def __init__(self, state: ChatState) -> None:
        self._state = state
        self._open: OrderedDict[str, DeviceMailbox] = OrderedDict()
        self._fetching: dict[str, tuple[int, list[str]]] = {}  # by log: what was acknowledged and is still stored
        self._removing: set[str] = set()  # logs from which acknowledged messages are being removed

    async def of(self, log: str) -> DeviceMailbox:
        """Return the mailbox that has a log, with what is in it counted.

        Raises:
            Unavailable: It cannot be read.
        """
        mailbox = self._open.get(log)
        if mailbox is None:
            mailbox = self._open[log] = DeviceMailbox(self._state, log)
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)[1].close()
        self._open.move_to_end(log)
        await mailbox.open()
        return mailbox

    def acknowledged(self, log: str, upto: int, ids: list[str]) -> None:
        """Remove from a mailbox what its device has fetched up to a seq. It is the ``Acked`` of a feed."""
        mailbox = self._open.get(log)
        if mailbox is not None:
            mailbox.fetched(upto, ids)
        _, before = self._fetching.get(log, (0, []))
        self._fetching[log] = upto, before + ids
        if log not in self._removing:
            self._removing.add(log)
            Deferred.fromCoroutine(self._remove(log)).addErrback(self._not_removed, log)

    async def _remove(self, log: str) -> None:
        """Remember which messages were fetched, then remove them from the log; go on while more are acknowledged."""
        engine, place = self._state.engine, id_in(log)
        try:
            while log in self._fetching:
                upto, ids = self._fetching.pop(log)
                held = await engine.get(FETCHED, place)
                before = _fetched(held[0]) if held is not None else []
                value = msgspec.json.encode([*before, *ids][-REMEMBERED:])
                await engine.change([Change(FETCHED, place, value)])
                while await engine.expire(log, 0, 0, upto):
                    pass
        finally:
            self._removing.discard(log)

    def _not_removed(self, failure: object, log: str) -> None:
        _log.warn("what was fetched from {log} is removed later, and may come again", log=log)

    async def drop(self, log: str) -> None:
        """Remove a mailbox with all that is in it. No session may have it."""
        mailbox = self._open.pop(log, None)
        if mailbox is not None:
            mailbox.close()
        await self._state.engine.drop(log)
        await self._state.engine.change([Change(FETCHED, id_in(log), None)])
