"""The parts that keep keys and sealed messages, put together, and the removal of what belongs to nobody any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.chat.keys.claiming import OneTimeKeys
from chatroom.chat.keys.claims import Claims
from chatroom.chat.keys.directory import DEVICES, LISTS, KeyDirectory, last_seen
from chatroom.chat.keys.guest_keys import GuestKeys
from chatroom.chat.keys.holders import Holders
from chatroom.chat.keys.known_people import KnownPeople
from chatroom.chat.keys.mailbox import DeviceMailboxes
from chatroom.chat.keys.signatures import SessionNonces
from chatroom.chat.keys.watching import Watching
from chatroom.chat.limits import (
    DEVICES_OF_GUEST,
    DEVICES_OF_ONE,
    GUEST_DAYS,
    KEY_BACKUPS,
    LISTS_OF_ONE,
    NEW_DEVICES_OF_ONE,
)
from chatroom.chat.people.throttles import Window
from chatroom.chat.periodic_work import PeriodicWork
from chatroom.chat.records import pages
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.key_events import DevicesListed, DeviceTaken, FewKeysLeft, SealedCame
from chatroom.model.log import Unavailable
from chatroom.model.log_names import device_log, id_in
from chatroom.model.logger import logger

HOUR = 3600.0  # seconds
DAY = 24 * 3600 * 1000  # milliseconds

_log = logger(__name__)


class KeyService:
    """Keeps the keys of devices, their lists, and sealed messages.

    Args:
        state: What the parts of the chat share.

    Attributes:
        directory: The keys and the lists.
        nonces: What sessions sign to show that they have the keys that they publish.
        one_time: The one-time keys.
        mailboxes: The mailboxes of devices.
        known: To whom each user has written.
        guests: Counts the guests who have keys.
        holders: The sessions of this daemon that have keys.
        watching: Tells sessions what has changed.
        claims: Counts the keys that were given.
        lists: Counts how often device lists were replaced, by user, address and password.
        new_devices: Counts the new devices of users, by user, address and password.
        backups: Counts how often sealed user keys were stored, by user and address.
        acts: What this daemon does on each kind of event of the server's log that is about keys.
    """

    def __init__(self, state: ChatState) -> None:
        self._state = state
        seconds = state.scheduler.seconds
        self.directory = KeyDirectory(state.engine, state.now)
        self.nonces = SessionNonces(state.mint)
        self.one_time = OneTimeKeys(state.engine, state.now)
        self.mailboxes = DeviceMailboxes(state)
        self.known = KnownPeople(state.engine)
        self.guests = GuestKeys(state, self.forget)
        self.holders = Holders(state, self.mailboxes)
        self.watching = Watching(state, self.holders)
        self.claims = Claims(seconds)
        self.lists = Window(LISTS_OF_ONE, HOUR, seconds)
        self.new_devices = Window(NEW_DEVICES_OF_ONE, HOUR, seconds)
        self.backups = Window(KEY_BACKUPS, HOUR, seconds)
        self.acts: Mapping[type, Callable[[Any], None]] = {
            DevicesListed: self.watching.listed,
            SealedCame: self.watching.sealed_came,
            DeviceTaken: self.holders.taken,
            FewKeysLeft: self.watching.few_left,
        }

    # ---- removing ----------------------------------------------------------------------------------------------

    async def forget_device(self, user_id: str, device: str) -> None:
        """Remove the keys and the mailbox of a device.

        Raises:
            Unavailable: Something may be left, which ``sweep`` removes later.
        """
        await self.one_time.clear(user_id, device)
        await self.directory.forget_device(user_id, device)
        await self.mailboxes.drop(device_log(user_id, device))

    async def make_room(self, session: Session, new: str) -> None:
        """Forget a device of a session's user, if the session's new one is one too many.

        It is never the new one, nor one that another session has.
        """

        def here(device: str) -> bool:
            feed = self.holders.of(session.user_id, device)
            return device == new or (feed is not None and feed.session is not session)

        most = DEVICES_OF_ONE if session.user.account is not None else DEVICES_OF_GUEST
        crowded = await self.directory.crowded_out(session.user_id, most, here)
        if crowded:
            await self.forget_device(session.user_id, crowded)

    async def forget(self, user_id: str) -> None:
        """Remove all keys, the list, and the mailboxes of a user who is gone for good."""
        for record in await self.directory.devices(user_id):
            await self.forget_device(user_id, record.keys.device)
        await self.directory.forget_list(user_id)

    def gone(self, user_id: str) -> None:
        """Begin to remove what is kept of a user whose account was deleted."""
        Deferred.fromCoroutine(self.forget(user_id)).addErrback(_not_forgotten)

    async def owners(self) -> dict[str, int]:
        """Return the ids of all users of whom something is kept, and when each was last here (to the day)."""
        seen: dict[str, int] = {}
        async for page in pages(self._state.engine, LISTS):
            seen.update((user_id, 0) for user_id, _ in page)
        async for page in pages(self._state.engine, DEVICES):
            for key, value in page:
                user_id = key.partition("/")[0]
                seen[user_id] = max(seen.get(user_id, 0), last_seen(value))
        return seen

    async def sweep(
        self, owners: Mapping[str, int], accounts: set[str], logs: Iterable[str], rounds: PeriodicWork
    ) -> None:
        """Remove what is kept of guests who are gone for good and of deleted accounts, and mailboxes of no device.

        Args:
            owners: What ``owners`` gave before ``accounts`` were read.
            accounts: The ids of all accounts.
            logs: The logs of all mailboxes.
            rounds: The work that this is part of; it may be stopping.
        """
        for feed in tuple(self.holders):
            await self.directory.touch(feed.session.user_id, feed.device)
        online = {presence.id for presence in self._state.who()}
        before = self._state.now() - GUEST_DAYS * DAY
        for user_id, seen in owners.items():
            if rounds.stopping:
                return
            if user_id not in accounts and user_id not in online and seen < before:
                await self.forget(user_id)
        await self.guests.tidy(owners.keys())
        for log in logs:
            user_id, _, device = id_in(log).partition("/")
            if rounds.stopping:
                return
            if self.holders.of(user_id, device) is None and await self.directory.device(user_id, device) is None:
                await self.forget_device(user_id, device)


def _not_forgotten(failure: Any) -> None:
    failure.trap(Unavailable)
    _log.warn("the keys of a deleted account go later: {why}", why=failure.getErrorMessage())
