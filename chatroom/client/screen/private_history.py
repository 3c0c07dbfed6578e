"""Fetching the older messages of a private conversation when its window is first shown, the unread ones above all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from chatroom.client.errors import Rejected
from chatroom.client.screen.formatter import Formatter, notice
from chatroom.client.screen.presenter import Filter, stored_line
from chatroom.client.screen.scrollback import Scrollback
from chatroom.client.screen.window_list import ChatWindow, WindowKind, Windows
from chatroom.client.screen.window_output import WindowOutput
from chatroom.client.status import ConversationsListed
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.names import fold

_log = Logger()

USUAL = 20  # messages that are fetched if fewer are unread
PAGE = 200  # messages; the server gives no more at a time
MOST_PAGES = 20


class HasConversations(Protocol):
    """The part of a ``Client`` that is needed here."""

    @property
    def name(self) -> str: ...
    @property
    def peers(self) -> Mapping[str, Any]: ...
    def ask(self, do: str, **fields: Any) -> Deferred[Any]: ...


class PrivateHistory:
    """Opens windows for the conversations with unread messages, and fills them when they come to the front.

    Args:
        client: Asks the server, and knows what is unread.
        windows: The windows.
        lines: Makes lines of messages.
        output: Has the screen drawn.
        filter: Hides the messages of some users.
    """

    def __init__(
        self, client: HasConversations, windows: Windows, lines: Formatter, output: WindowOutput, filter: Filter
    ) -> None:
        self._client = client
        self._windows = windows
        self._lines = lines
        self._output = output
        self._filter = filter
        self._asking: set[ChatWindow] = set()

    def told(self, event: object) -> None:
        """If the server has listed our conversations, open a window for each with unread messages."""
        if not isinstance(event, ConversationsListed):
            return
        self._windows.free_numbers()  # the first rooms are joined by now, or were refused
        for peer in reversed(list(self._client.peers.values())):
            if peer.unread and not self._filter.ignores(peer.user):
                self._windows.open(WindowKind.PERSON, peer.user)
        self.fetch(self._windows.front)

    def fetch(self, window: ChatWindow) -> None:
        """Fetch the older messages of a private conversation, unless that was done, and show them above the others.

        If the server cannot be asked, they are fetched when the window comes to the front again.
        """
        if window.lacks_past and window not in self._asking:
            self._asking.add(window)
            Deferred.fromCoroutine(self._fill(window)).addErrback(self._failed).addBoth(
                lambda _: self._asking.discard(window)
            )

    # ---- details ---------------------------------------------------------------------------------------------------

    async def _fill(self, window: ChatWindow) -> None:
        events, complete = await self._fetched(window)
        if window not in list(self._windows):
            return  # it was closed meanwhile
        window.lacks_past = False
        self._show(events, window, complete=complete)
        window.sent.clear()

    async def _fetched(self, window: ChatWindow) -> tuple[list[e.Message], bool]:
        """Fetch the newest messages of a conversation: the unread ones, and no fewer than usual.

        Returns:
            The messages, the oldest first, and whether no unread message is missing.
        """
        events: list[e.Message] = []
        before: dict[str, int] = {}
        for _ in range(MOST_PAGES):
            number = min(PAGE, max(USUAL, self._unread(window)))
            answer = await self._client.ask("history", user=window.name, messages=number, **before)
            page = cast(a.History, answer)
            events[:0] = [event for event in page.events if isinstance(event, e.MESSAGES)]
            if page.complete or self._has_enough(events, window):
                return events, True
            before = {"before": page.searched_to}
        return events, False

    def _has_enough(self, events: list[e.Message], window: ChatWindow) -> bool:
        peer = self._client.peers.get(fold(window.name))
        reached = peer is not None and bool(events) and 0 < events[0].seq <= peer.read
        return len(events) >= USUAL and (reached or len(self._new(events, window)) >= self._unread(window))

    def _unread(self, window: ChatWindow) -> int:
        peer = self._client.peers.get(fold(window.name))
        return peer.unread if peer is not None else 0

    def _new(self, events: list[e.Message], window: ChatWindow) -> list[e.Message]:
        """Return the unread messages: the last ones of the other person, if there are any. Plain ones come after the
        read mark; sealed ones have no seq."""
        peer = self._client.peers.get(fold(window.name))
        if peer is None or not peer.unread:
            return []
        others = [
            event for event in events if event.by != self._client.name and (event.seq > peer.read or not event.seq)
        ]
        return others[-peer.unread :]

    def _show(self, events: list[e.Message], window: ChatWindow, *, complete: bool) -> None:
        """Show messages above what stands in a window, without those that stand there already."""
        first_new = next(iter(self._new(events, window)), None)
        older, marked, reached = Scrollback(), None, False
        if not complete:
            older.add(notice("older messages are unread, too; see /history."))
        for event in events:
            stored = stored_line(event, window)
            if stored is None and event.id not in window.sent and not self._filter.hides(event, self._client.name):
                line = self._lines.message(event, private=True)
                stored = older.add(line.head, line.body, line.tail, event.seq, event.id)
                stored.edited, stored.reactions, stored.file = line.edited, line.reactions, line.file
            reached = reached or event is first_new
            marked = marked or (stored if reached else None)
            window.newest = max(window.newest, event.seq)
        self._output.put_before(window.lines.first_message(), older, window)
        if marked is not None:
            window.lines.mark = marked.number
        self._output.changed()

    def _failed(self, failure: Any) -> None:
        """Show why older messages were not fetched, unless the server does not know the conversation or is away."""
        if not failure.check(Rejected):
            _log.failure("the older private messages could not be fetched", failure)
