"""Reads a user's private messages: both halves of each conversation, in the order of seq.

What others wrote is in the log of the user's inbox. What the user wrote is in the log of the user's own copies. No two
entries have the same seq, whatever their logs are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chatroom.chat.chat import Chat
from chatroom.chat.interfaces import Engine
from chatroom.chat.limits import HISTORY_BYTES, INBOX_MESSAGES
from chatroom.chat.messaging import address_of
from chatroom.chat.session import Session, User
from chatroom.model.errors import Refused
from chatroom.model.events import MESSAGES, Event, Private, placed
from chatroom.model.log import Entry, Hits
from chatroom.model.names import fold
from chatroom.model.replies import own_private

STEP = 250  # messages of each of the two logs that are read at a time ...
MOST_STEPS = 4  # ... so many times for one answer


@dataclass(frozen=True, slots=True)
class Peer:
    """The other side of a conversation.

    Args:
        name: The person's name.
        id: The person's id; empty if it is not known, as for a message to a guest who was offline.
    """

    name: str
    id: str = ""

    @property
    def key(self) -> str:
        """What stands for the person in the place of a read mark: the id, or else the folded name."""
        return self.id or fold(self.name)

    def is_same(self, other: Peer) -> bool:
        """Return whether two peers are the same person: by their ids, or by name if only one id is known."""
        if self.id and other.id:
            return self.id == other.id
        return fold(self.name) == fold(other.name)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some of a user's private messages.

    Args:
        entries: The messages in the order of seq.
        edge: The seq up to which the messages were read; more may follow beyond it. 0 if there are no more.
    """

    entries: list[Entry]
    edge: int


def is_own(entry: Entry, user: User) -> bool:
    """Return whether an entry is a copy of a message that the user has written."""
    return entry.log == user.sent_log


def peer_in(entry: Entry, user: User) -> Peer:
    """Return with whom the user exchanged a private message."""
    event: Any = entry.event
    return Peer(event.to, event.to_id) if is_own(entry, user) else Peer(event.by, event.by_id)


def shown(entry: Entry, user: User) -> Event:
    """Return the event of a private message as it is shown to the user."""
    if is_own(entry, user) and isinstance(entry.event, Private):
        return own_private(entry.event, entry.seq)
    event: Event = placed(entry.event, entry.seq)
    return event


async def peer_of(chat: Chat, session: Session, name: str) -> Peer:
    """Return the person with a name, with whom the session's user may have exchanged private messages.

    Somebody who is gone is found by the user's messages: then it is the last person of that name.

    Raises:
        Refused: Nobody has the name, and the user has no messages of or to anybody who had it.
    """
    refused: Refused | None = None
    peer = Peer(name)
    try:
        address = await address_of(chat, name)
        peer = Peer(address.name, address.id)
    except Refused as no_user:
        refused = no_user
    if peer.id:
        return peer
    newest = await newest_of_both(chat.engine, session.user, INBOX_MESSAGES)
    former = [found for entry in newest if (found := peer_in(entry, session.user)).is_same(peer)]
    if refused is not None and not former:
        raise refused
    return next((found for found in reversed(former) if found.id), peer)


# ---- reading -----------------------------------------------------------------------------------------------------


async def newest_of_both(engine: Engine, user: User, limit: int) -> list[Entry]:
    """Return the newest messages of a user, at most ``limit`` of each of the two logs, in the order of seq."""
    logs = [await engine.read(log, limit=limit, messages=True) for log in (user.inbox_log, user.sent_log)]
    return sorted((entry for page in logs for entry in page.entries), key=_seq)


async def read_both(
    engine: Engine, user: User, *, after: int = 0, before: int | None = None, limit: int, oldest: bool = False
) -> Stretch:
    """Read the newest messages of both logs between two seqs, at most ``limit`` of each log; or the oldest."""
    entries: list[Entry] = []
    edges = []
    for log in (user.inbox_log, user.sent_log):
        page = await engine.read(log, after=after, before=before, limit=limit, messages=True, oldest=oldest)
        entries += page.entries
        if not page.complete and page.entries:
            edges.append(page.entries[-1 if oldest else 0].seq)
    entries.sort(key=_seq)
    if not edges:
        return Stretch(entries, 0)
    edge = min(edges) if oldest else max(edges)  # beyond it, messages of one of the logs are missing
    return Stretch([entry for entry in entries if (entry.seq <= edge if oldest else entry.seq >= edge)], edge)


async def read_conversation(
    engine: Engine,
    user: User,
    peer: Peer | None,
    *,
    after: int = 0,
    before: int | None = None,
    limit: int,
    oldest: bool = False,
) -> Stretch:
    """Read a user's newest private messages between two seqs, or the oldest.

    Args:
        engine: Keeps the logs.
        user: The user.
        peer: Only messages of and to this person; None for all.
        after: Only messages with a greater seq.
        before: Only messages with a smaller seq.
        limit: The most messages to return. There may be fewer even if there are more, because only so many messages of
            others are passed over.
        oldest: Whether to read the oldest messages instead of the newest.
    """
    found: list[Entry] = []
    for _ in range(MOST_STEPS):
        step = limit if peer is None else STEP
        stretch = await read_both(engine, user, after=after, before=before, limit=step, oldest=oldest)
        matching = [entry for entry in stretch.entries if peer is None or peer_in(entry, user).is_same(peer)]
        found = found + matching if oldest else matching + found
        if len(found) >= limit or not stretch.edge:
            break
        if oldest:
            after = stretch.edge
        else:
            before = stretch.edge
    return _cut(Stretch(found, stretch.edge), limit, oldest)


def _cut(stretch: Stretch, limit: int, oldest: bool) -> Stretch:
    """Return the newest entries of a stretch, or the oldest: at most ``limit``, and as many as fit into one answer."""
    room, kept = HISTORY_BYTES, 0
    for entry in stretch.entries if oldest else reversed(stretch.entries):
        room -= len(entry.body)
        if room < 0 or kept == limit:
            break
        kept += 1
    if kept == len(stretch.entries):
        return stretch
    entries = stretch.entries[:kept] if oldest else stretch.entries[len(stretch.entries) - kept :]
    return Stretch(entries, entries[-1 if oldest else 0].seq)


def _seq(entry: Entry) -> int:
    return entry.seq


# ---- searching ---------------------------------------------------------------------------------------------------


async def search_both(
    engine: Engine, user: User, peer: Peer | None, words: str, limit: int, *, before: int | None, address: str
) -> Hits:
    """Find a user's newest private messages that contain all words, as ``Engine.search`` does in one log.

    Args:
        engine: Keeps the logs.
        user: The user.
        peer: Only messages of and to this person; None for all.
        words: The words.
        limit: The most messages to find. There may be fewer even if there are more, if those found are of others.
        before: Only messages with a smaller seq; None for all.
        address: The address of the user.

    Raises:
        TooBroad: Not even a part of the logs could be searched in time.
        TooManySearches: Too many searches are running.
    """
    entries: list[Entry] = []
    edge = at = 0  # the seq up to which both logs were searched, and the time of that message
    for log in (user.inbox_log, user.sent_log):
        hits = await engine.search(log, words, limit, before=before, address=address)
        entries += hits.entries
        if hits.before > edge:
            edge, at = hits.before, hits.at
    found = sorted((entry for entry in entries if entry.seq >= edge), key=_seq)
    if len(found) > limit:
        found = found[-limit:]
        edge, at = found[0].seq, found[0].event.at
    if peer is not None:
        found = [entry for entry in found if peer_in(entry, user).is_same(peer)]
    return Hits([entry for entry in found if isinstance(entry.event, MESSAGES)], edge, at)
