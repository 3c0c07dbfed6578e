"""Tells sessions that the devices of a user have changed, and people that a sealed message came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from chatroom.chat.keys.delivery import MailboxFeed
from chatroom.chat.keys.holders import Holders
from chatroom.chat.limits import KEYS_WITHIN
from chatroom.chat.session import Session, User
from chatroom.chat.state import ChatState
from chatroom.model.errors import DEVICE_REMOVED, Refused
from chatroom.model.key_events import DevicesListed, FewKeysLeft, SealedCame
from chatroom.model.replies import E2eNotice, KeysChanged, KeysLow

SLICE = 500  # sessions that are looked at in one turn of the reactor


NOTICE_EVERY = 60_000  # milliseconds
MOST_NOTICED = 200  # people of whom a session remembers that it was told


class Watching:
    """Acts on the events of the server's log that are about keys.

    Args:
        state: What the parts of the chat share.
        holders: The sessions that have keys.

    Attributes:
        on_listed: Called with the event if a user's device list has changed.
        put_out: Ends a session, and tells its client why.
    """

    def __init__(self, state: ChatState, holders: Holders) -> None:
        self._state = state
        self._holders = holders
        self.on_listed: Callable[[DevicesListed], None] = lambda event: None
        self.put_out: Callable[[Session, Refused], None] = lambda session, why: None

    def listed(self, event: DevicesListed) -> None:
        """Tell the sessions whom it concerns that a user has a new list; take away the devices that are not in it.

        The sessions of devices that the user has removed end.
        """
        if not event.pending:
            self.on_listed(event)  # first, so that rooms are told why a session is removed
        user = self._state.users.get(event.by_id)
        for session in user.sessions if user is not None else ():
            if session.keys_device in event.ended or session.token in event.ended:
                self.put_out(session, DEVICE_REMOVED())
            else:
                self._holders.listed(session, event.devices, event.rev)
        feeds = deque(self._holders)
        if event.pending:  # it concerns nobody else, and somebody who knows the password can have many devices wait
            feeds = deque(feed for feed in feeds if feed.session.user_id == event.by_id)
        self._tell(feeds, event)

    def _tell(self, feeds: deque[MailboxFeed], event: DevicesListed) -> None:
        """Tell some of the sessions, and the others in the next turns of the reactor."""
        changed = KeysChanged(user=event.by, user_id=event.by_id, rev=event.rev)
        for _ in range(min(SLICE, len(feeds))):
            feed = feeds.popleft()
            if feed.session.mailbox is feed and _concerns(feed, event.by_id):
                feed.session.answer(changed)
        if feeds:
            self._state.scheduler.callLater(0, self._tell, feeds, event)

    def few_left(self, event: FewKeysLeft) -> None:
        """Tell a device that it has few one-time keys left."""
        feed = self._holders.of(event.by_id, event.device)
        if feed is not None:
            feed.session.answer(KeysLow(count=event.count))

    def sealed_came(self, event: SealedCame) -> None:
        """Tell a user who has no session with keys on this daemon that a sealed message came."""
        user = self._state.users.get(event.user_id)
        if user is not None and not has_keys(user):
            notify(user, event.by, event.by_id)


def _concerns(feed: MailboxFeed, user_id: str) -> bool:
    """Return whether a session is to be told of a change of a user's devices.

    It is if the user is its own, shares a room with it, or was asked for by it.
    """
    session = feed.session
    shared = any(user_id in room.people for room in session.rooms)
    return session.user_id == user_id or user_id in feed.watched or shared


def has_keys(user: User) -> bool:
    """Return whether a user has a session with keys on this daemon."""
    return any(session.keys_device for session in user.sessions)


def awaits_keys(user: User) -> bool:
    """Return whether a session of a user may still publish keys: its program has become that user only just now.

    No person at telnet or nc ever does.
    """
    return any(not it.person and it.host.now() - it.sat < KEYS_WITHIN for it in user.sessions)


def notify(user: User, by: str, by_id: str) -> None:
    """Tell the sessions of a user that somebody has sent a sealed message, unless they ignore that person.

    A session is told of the same person at most once a minute, however many messages come.
    """
    for session in user.sessions:
        now = session.host.now()
        if session.ignores_user(by, by_id) or now - session.noticed.get(by_id, 0) < NOTICE_EVERY:
            continue
        if len(session.noticed) >= MOST_NOTICED:
            session.noticed.clear()
        session.noticed[by_id] = now
        session.answer(E2eNotice(by=by, by_id=by_id))
