"""A user's private messages: shown while the user is online, kept in a log while the user is away.

A mark is an entry of the same log (``Read``) that says up to which seq its owner has read. A person's message is marked
as read before it is shown, so that it is shown only once even if the server crashes. Programs acknowledge the messages
that they have received (``ack``), and get the others again. The inbox of a guest who cannot come back needs no marks.

A program on a device (``chatroom.model.device``) gets what its own device has not acknowledged, from a ``DeviceFeed``,
even if another session has read it; sessions without a device share the mark in the log. That mark is the greatest of
all: what no session has read counts as unread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.limits import INBOX_MESSAGES
from chatroom.chat.people.device_feed import DeviceFeed, has_feed
from chatroom.chat.people.device_marks import DeviceMarks
from chatroom.chat.people.inbox_pages import AGAIN, pages, show
from chatroom.chat.people.unread_counts import Unread
from chatroom.chat.session import Session, User
from chatroom.chat.state import ChatState
from chatroom.model.errors import TOO_SLOW, Refused
from chatroom.model.events import MAIL, MESSAGES, Mail, Read
from chatroom.model.log import Done, Entry, Page, Subscription, Unavailable
from chatroom.model.logger import logger
from chatroom.model.replies import Ok

_log = logger(__name__)

PutOut = Callable[[Session, Refused], None]
READ_AT_ONCE = 2 * INBOX_MESSAGES + 100  # entries: all unread messages, as many marks, and some more


class Inbox:
    """The inbox of a user who is online.

    Args:
        state: What the parts of the chat share.
        user: The owner.
        settling: By log, the inboxes whose owner left while marks were being stored.
        put_out: Ends a session, and tells its client why.
        marks_of: Returns the marks of the devices of the account with an id.

    Attributes:
        log: The name of the inbox's log.
        unread: Counts the messages that were delivered and are not marked as read yet.
    """

    __slots__ = (
        "_counted",
        "_feeds",
        "_marking",
        "_marks",
        "_marks_of",
        "_opening",
        "_pages",
        "_put_out",
        "_read",
        "_seen",
        "_settling",
        "_shown",
        "_state",
        "_sub",
        "_timer",
        "_unmarked",
        "_user",
        "_waiting",
        "log",
        "unread",
    )

    def __init__(
        self,
        state: ChatState,
        user: User,
        settling: dict[str, Inbox],
        put_out: PutOut,
        marks_of: Callable[[str], DeviceMarks],
    ) -> None:
        self._state = state
        self._marks_of = marks_of
        self._marks: DeviceMarks | None = None  # until a session on a device comes
        self._feeds: dict[Session, DeviceFeed] = {}
        self._settling = settling
        self._put_out = put_out
        self._user = user
        self.log = user.inbox_log
        self._sub: Subscription | None = None
        self._opening: list[Deferred[None]] | None = None
        self._pages: deque[list[Entry]] = deque()  # entries that waited and are shown page by page
        self.unread = Unread()
        self._counted: deque[tuple[int, Mail]] = deque()  # unread entries, with their seq
        self._read = 0  # the seq up to which everything is marked as read
        self._seen = 0  # the seq of the newest entry that was shown to a program, or is about to be shown to a person
        self._shown = 0  # the seq up to which everything has been shown, or acknowledged
        self._marking = 0  # marks that are not stored yet
        self._unmarked = False  # entries were shown whose mark could not be stored
        self._waiting: list[Deferred[None]] = []
        self._timer: Any = None

    @property
    def unread_total(self) -> int:
        """How many messages are unread."""
        return self.unread.total

    # ---- opening and closing -----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Follow the log, and show the messages that waited. Calls at the same time wait for the same result.

        Raises:
            Unavailable: The log cannot be read.
        """
        if self._sub is not None:
            return
        turn: Deferred[None] = Deferred()
        if self._opening is not None:
            self._opening.append(turn)
        else:
            self._opening = [turn]
            Deferred.fromCoroutine(self._follow()).addBoth(self._opened)
        await turn

    def enter(self, session: Session) -> None:
        """Show a session on a device what waits for that device, and from now on what comes."""
        if has_feed(session) and session in self._user.sessions and session not in self._feeds:
            if self._marks is None:
                self._marks = self._marks_of(self._user.id)
                self._marks.hold(self)
            feed = self._feeds[session] = DeviceFeed(self._state, session, self.log, self._begin)
            feed.start()

    def leave(self, session: Session) -> None:
        """Show a session nothing more, because it is not the owner's any more."""
        feed = self._feeds.pop(session, None)
        if feed is not None:
            feed.stop()

    async def _begin(self, device: str) -> int:
        """Return the mark of a device; one that is not remembered begins with what no session has read.

        Raises:
            Unavailable: The log or the marks cannot be read.
        """
        assert self._marks is not None  # made before the feed
        await self.open()
        return await self._marks.begin(device, self._read)

    def _opened(self, result: Failure | None) -> None:
        waiting, self._opening = self._opening or [], None
        for turn in waiting:
            if isinstance(result, Failure):
                turn.errback(Unavailable(result.getErrorMessage()))
            else:
                turn.callback(None)

    async def _follow(self) -> None:
        """Follow the log: after the last mark if the user's mail waits, else from now on."""
        after: int | None = None
        if self._user.lasting:
            before = self._settling.get(self.log)
            if before is not None:  # the last connection has just ended
                await before.settled()
            page = await self._state.engine.read(self.log, limit=READ_AT_ONCE)
            after = self._read = self._shown = read_up_to(page)
        subscription = await self._state.engine.follow(self.log, self._deliver, after)
        if self._user.online:
            self._sub = subscription
        else:
            subscription.stop()

    def close(self) -> None:
        """Stop following the log, because the owner has left; see that the last mark is stored."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._pages.clear()
        if self._sub is not None:
            self._sub.stop()
            self._sub = None
        for session in tuple(self._feeds):
            self.leave(session)
        if self._marks is not None:
            self._marks.release(self)
        if self._unmarked:
            self._state.owe(self.log, self._mark_of(self._shown))
        elif self._marking:
            self._settling[self.log] = self

    # ---- delivering --------------------------------------------------------------------------------------------

    def _deliver(self, entries: list[Entry]) -> None:
        """Count and show new entries of the log. The first batch has the entries that waited there."""
        waited = self._sub is None and self._user.lasting
        news = [entry for entry in entries if not isinstance(entry.event, Read)]
        if not news or not self._user.online:
            return
        if self._user.lasting:
            self._count(news)
        for feed in tuple(self._feeds.values()):
            feed.deliver(news)
        if waited:
            self.give(news)
        elif self._pages:
            self._pages.extend(pages(news))
            if len(self._pages) > INBOX_MESSAGES:
                self._put_out_the_slow()
        else:
            self._show(news, late=False)

    @property
    def _readers(self) -> list[Session]:
        """The sessions that are shown the messages by the inbox itself and not by a feed."""
        return [session for session in self._user.sessions if not has_feed(session)]

    def _count(self, news: list[Entry]) -> None:
        """Count new unread messages. Their number is bounded: ``InboxQuotas`` refuses messages to a full inbox."""
        for entry in news:
            if isinstance(entry.event, MAIL) and entry.seq > self._read:
                self._counted.append((entry.seq, entry.event))
                self.unread.add(entry.event)

    def _count_read(self) -> None:
        """Stop counting the messages that are marked as read."""
        while self._counted and self._counted[0][0] <= self._read:
            self.unread.remove(self._counted.popleft()[1])

    def give(self, waited: list[Entry]) -> None:
        """Show entries that waited, page by page, so that no session is ended as too slow because much had waited."""
        for session in self._readers:
            number = sum(isinstance(entry.event, MESSAGES) and session.hears(entry) for entry in waited)
            if session.person and number:
                session.answer(Ok(f"{number} message{'s' * (number != 1)} while you were away:"))
        under_way = bool(self._pages)
        self._pages.extend(pages(waited))
        if not under_way:
            self._next_page()

    def _next_page(self) -> None:
        """Show the next pages, each as soon as the user's sessions have taken the page before."""
        self._timer = None
        while self._pages and self._user.online:
            if any(session.out.holds for session in self._readers):
                self._timer = self._state.scheduler.callLater(AGAIN, self._next_page)
                return
            if self._show(self._pages.popleft(), late=True):
                return

    def _put_out_the_slow(self) -> None:
        """End the sessions whose clients read too slowly; the mail goes on waiting in the log."""
        for session in self._readers:
            if session.out.holds:
                self._put_out(session, TOO_SLOW())

    def _show(self, news: list[Entry], late: bool) -> bool:
        """Show entries. Return whether people will see them, and the next pages, only when their mark is stored."""
        marked_first = False
        for session in self._readers:
            if session.person and self._user.account is not None:
                marked_first = True
            else:
                show(self._state, session, news, late)
        self._seen = news[-1].seq
        if marked_first:
            self._mark_and_show(news, late)
        return marked_first

    def _mark_and_show(self, news: list[Entry], late: bool) -> None:
        """Mark entries as read, then show them to people. If no person is online then, mark them as unread again."""

        def marked(entry: Entry, error: Unavailable | None) -> None:
            people = [session for session in self._user.sessions if session.person]
            for session in people:
                show(self._state, session, news, late)
            if people:
                self._shown = max(self._shown, news[-1].seq)
                self._unmarked = error is not None
                self._state.shown_at_terminal(self._user, news)
            elif error is None:
                self._mark(self._shown)
            if late:
                self._next_page()

        self._mark(news[-1].seq, marked)

    def _mark(self, upto: int, done: Done | None = None) -> None:
        """Store a mark that everything up to a seq is read; ``done`` is called as in ``Engine.append``."""
        self._read = upto
        self._count_read()
        self._marking += 1

        def stored(entry: Entry, error: Unavailable | None) -> None:
            if done is not None:
                done(entry, error)
            self._marking -= 1
            if not self._marking and self._settling.get(self.log) is self:
                del self._settling[self.log]
                for turn in self._waiting:
                    turn.callback(None)

        self._state.engine.append(self.log, self._mark_of(upto), stored)

    def _mark_of(self, upto: int) -> Read:
        return Read(self._state.next_id(), self._state.now(), self._user.name, self._user.id, upto=upto)

    def settled(self) -> Deferred[None]:
        """Return a Deferred that fires when all marks of this closed inbox are stored, or could not be stored."""
        turn: Deferred[None] = Deferred()
        self._waiting.append(turn)
        return turn

    def acknowledge(self, session: Session, upto: int) -> None:
        """Mark everything up to a seq as read, because the program of a session has received it."""
        feed = self._feeds.get(session)
        if feed is not None and self._marks is not None:
            upto = min(upto, feed.shown)
            self._marks.advance(session.device.name, upto)
        else:
            upto = min(upto, self._seen)
        if self._user.lasting and self._read < upto:
            self._shown = max(self._shown, upto)
            self._mark(upto)


class Inboxes:
    """The inboxes of everybody online.

    Args:
        state: What the parts of the chat share.
        put_out: Ends a session, and tells its client why.
    """

    def __init__(self, state: ChatState, put_out: PutOut) -> None:
        self._state = state
        self._put_out = put_out
        self._settling: dict[str, Inbox] = {}
        self._marks: dict[str, DeviceMarks] = {}  # of the devices of users who are online or were just now, by user

    def of(self, user: User) -> Inbox:
        """Return the inbox of a user who is online; make it if there is none. The caller must open it."""
        if user.inbox is None:
            user.inbox = Inbox(self._state, user, self._settling, self._put_out, self._marks_of)
        assert isinstance(user.inbox, Inbox)  # nobody else makes one
        return user.inbox

    def _marks_of(self, id: str) -> DeviceMarks:
        """Return the marks of a user's devices, also those that are still being stored."""
        if id not in self._marks:
            state = self._state
            self._marks[id] = DeviceMarks(state.engine, state.retries, state.now, id, self._forget)
        return self._marks[id]

    def _forget(self, marks: DeviceMarks) -> None:
        """Drop the marks of a user who has left; they are stored."""
        if self._marks.get(marks.account) is marks:
            del self._marks[marks.account]

    async def enter(self, session: Session) -> None:
        """Show a session that has just logged in the messages that waited; see ``open``."""
        await self.open(session.user)
        if not session.over:
            self.of(session.user).enter(session)

    async def open(self, user: User) -> None:
        """Open a user's inbox and show the messages that waited. If they cannot be read now, they go on waiting."""
        try:
            await self.of(user).open()
        except Unavailable as error:
            _log.warn("the inbox of {name} could not be read: {why}", name=user.name, why=str(error))


def read_up_to(page: Page) -> int:
    """Return the seq up to which the owner of an inbox has read, by the newest mark on the page; 0 without a mark."""
    for entry in reversed(page.entries):
        if isinstance(entry.event, Read):
            return entry.event.upto
    return 0


def unread(page: Page) -> Unread:
    """Count the messages, files and invitations that the owner of an inbox has not read."""
    upto, found = read_up_to(page), Unread()
    for entry in page.entries:
        if entry.seq > upto and isinstance(entry.event, MAIL):
            found.add(entry.event)
    return found
