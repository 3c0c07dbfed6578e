"""Which session of this daemon has the keys of which device, and is sent its mailbox.

A device has one session. If another one publishes the same keys, on whatever daemon, the earlier one is told so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chatroom.chat.keys.delivery import MailboxFeed
from chatroom.chat.keys.mailbox import DeviceMailboxes
from chatroom.chat.rooms.encrypted import put_out_of_encrypted
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.errors import KEYS_ELSEWHERE, UNLINKED, Refusal
from chatroom.model.key_events import DeviceTaken
from chatroom.model.log_names import device_log


class Holders:
    """The sessions of this daemon that have keys.

    Args:
        state: What the parts of the chat share.
        mailboxes: The mailboxes of all devices.
    """

    def __init__(self, state: ChatState, mailboxes: DeviceMailboxes) -> None:
        self._state = state
        self._mailboxes = mailboxes
        self._feeds: dict[str, MailboxFeed] = {}  # by the log of the mailbox

    def __iter__(self) -> Iterator[MailboxFeed]:
        return iter(self._feeds.values())

    def of(self, user_id: str, device: str) -> MailboxFeed | None:
        """Return the feed of the session that has a device; None if no session of this daemon has it."""
        return self._feeds.get(device_log(user_id, device))

    def attach(self, session: Session, device: str) -> MailboxFeed:
        """Give the mailbox of a device to a session, which has published its keys; the caller starts the feed."""
        feed = self.of(session.user_id, device)
        if feed is not None and feed.session is session:
            return feed
        if feed is not None:
            self._take_away(feed, KEYS_ELSEWHERE)
        session.leave_mailbox()
        log, state = device_log(session.user_id, device), self._state
        feed = MailboxFeed(state, session, device, log, self._mailboxes.acknowledged, self._left)
        session.mailbox = self._feeds[log] = feed
        session.keys_device = device
        who = state.next_id(), state.now(), session.name, session.user_id
        state.tell_all(DeviceTaken(*who, device=device, session=session.id))
        return feed

    def taken(self, event: DeviceTaken) -> None:
        """Note that a session, perhaps of another daemon, has a device; the session that had it before has it no more.

        The events of the server's log say in which order the sessions came.
        """
        feed = self.of(event.by_id, event.device)
        if feed is None:
            return
        if feed.session.id == event.session:
            feed.confirmed = True
        elif feed.confirmed:
            self._take_away(feed, KEYS_ELSEWHERE)

    def listed(self, session: Session, devices: Collection[str], rev: int) -> None:
        """Note whether the device of a session is in its user's device list.

        If it is not, encrypted rooms remove the session. If it was in the list and is not any more, it is also taken
        away from the session, which is told so.

        Args:
            session: The session.
            devices: The devices in the list.
            rev: The number of the list; an older one than is known already changes nothing.
        """
        feed = self._feeds.get(device_log(session.user_id, session.keys_device))
        if feed is None or rev < feed.list_rev:
            return
        feed.list_rev = rev
        if session.keyed and feed.device not in devices:
            self._take_away(feed, UNLINKED)
        else:
            session.keyed = feed.device in devices
        put_out_of_encrypted(self._state, session)

    def _take_away(self, feed: MailboxFeed, why: Refusal) -> None:
        feed.session.leave_mailbox()
        feed.session.refuse(why())
        put_out_of_encrypted(self._state, feed.session)

    def _left(self, feed: MailboxFeed) -> None:
        """Forget a feed that has ended. Its session may have another user by now."""
        if self._feeds.get(feed.log) is feed:
            del self._feeds[feed.log]
            feed.session.keys_device, feed.session.keyed = "", False
