"""The command that searches the room, or private messages. Repeating a search goes on with older messages."""

from __future__ import annotations

from typing import Any

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import FOUND, SEARCH_REMEMBERED
from chatroom.chat.people.private_messages import Peer, peer_of, search_both, shown
from chatroom.chat.rooms.join_leave import bounded
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.chat.session_parts import UnfinishedSearch
from chatroom.model.commands import Search
from chatroom.model.errors import TOO_BROAD, TOO_MANY_SEARCHES
from chatroom.model.events import placed
from chatroom.model.log import Entry, Hits, Page, TooBroad, TooManySearches
from chatroom.model.replies import Found
from chatroom.model.text import clean


@handles(Search)
async def search(chat: Chat, session: Session, command: Search, room: Room | None) -> Found:
    """Find the newest messages that contain all the words, or older ones if the search goes on.

    Private messages are searched if the command says so or the session is in no room, else the room.
    """
    peer = await peer_of(chat, session, command.user) if command.user else None
    if peer is not None or command.private:
        room = None
    place = room.log if room is not None else f"{session.user.inbox_log} {peer.key if peer is not None else ''}"
    before = command.before
    if before is None and (command.again or session.person):
        before = _left_off(session, place, command.words)
    session.unfinished = None
    hits = _fitting(await _hits(chat, session, room, peer, command.words, before))
    if hits.before:
        session.unfinished = UnfinishedSearch(place, command.words, hits.before, chat.now())
    return Found(
        clean(command.words),
        [_shown(session, room, entry) for entry in hits.entries],
        complete=not hits.before,
        searched_to=hits.before,
        searched_at=hits.at if hits.before else 0,
        at=chat.now() if hits.before else 0,
    )


async def _hits(
    chat: Chat, session: Session, room: Room | None, peer: Peer | None, words: str, before: int | None
) -> Hits:
    """Search the room, or without a room the private messages, only those with the peer if there is one.

    Raises:
        Refused: So much matches that there was not time enough, or too many searches are running.
    """
    engine, address = chat.engine, session.address
    try:
        if room is not None:
            return await engine.search(room.log, words, FOUND, before=before, address=address)
        return await search_both(engine, session.user, peer, words, FOUND, before=before, address=address)
    except TooBroad:
        raise TOO_BROAD() from None
    except TooManySearches:
        raise TOO_MANY_SEARCHES() from None


def _shown(session: Session, room: Room | None, entry: Entry) -> Any:
    """Return the event of a message that was found, as the session is shown it."""
    return shown(entry, session.user) if room is None else placed(session.as_shown(entry.event), entry.seq, room.name)


def _left_off(session: Session, place: str, words: str) -> int | None:
    """Return the seq before which to go on, if the session's last search had this place and these words; else None.

    A search that ended more than ``SEARCH_REMEMBERED`` seconds ago does not go on.
    """
    last = session.unfinished
    if last is None or (last.place, last.words) != (place, words):
        return None
    return last.before if session.host.now() - last.at <= SEARCH_REMEMBERED * 1000 else None


def _fitting(hits: Hits) -> Hits:
    """Return the newest hits that fit into one answer, with the seq before which the search can go on."""
    page = bounded(Page(hits.entries, True))
    if page.complete:
        return hits
    oldest = page.entries[0]
    return Hits(page.entries, oldest.seq, oldest.event.at)
