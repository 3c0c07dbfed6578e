"""The command that searches the room. Repeating a search goes on with older messages."""

from __future__ import annotations

from chatroom.chat.chat import Chat
from chatroom.chat.handlers import handles
from chatroom.chat.limits import FOUND, SEARCH_REMEMBERED
from chatroom.chat.rooms.join_leave import bounded
from chatroom.chat.rooms.room import Room
from chatroom.chat.session import Session
from chatroom.chat.session_parts import UnfinishedSearch
from chatroom.model.commands import Search
from chatroom.model.errors import TOO_BROAD, TOO_MANY_SEARCHES
from chatroom.model.events import placed
from chatroom.model.log import Hits, Page, TooBroad, TooManySearches
from chatroom.model.replies import Found
from chatroom.model.text import clean


@handles(Search)
async def search(chat: Chat, session: Session, command: Search, room: Room) -> Found:
    """Find the newest messages of the room that contain all the words, or older ones if the search goes on."""
    before = command.before
    if before is None and (command.again or session.person):
        before = _left_off(session, room.log, command.words)
    session.unfinished = None
    try:
        hits = await chat.engine.search(room.log, command.words, FOUND, before=before, address=session.address)
    except TooBroad:
        raise TOO_BROAD() from None
    except TooManySearches:
        raise TOO_MANY_SEARCHES() from None
    hits = _fitting(hits)
    if hits.before:
        session.unfinished = UnfinishedSearch(room.log, command.words, hits.before, chat.now())
    return Found(
        clean(command.words),
        [placed(entry.event, entry.seq, room.name) for entry in hits.entries],
        complete=not hits.before,
        searched_to=hits.before,
        searched_at=hits.at if hits.before else 0,
        at=chat.now() if hits.before else 0,
    )


def _left_off(session: Session, log: str, words: str) -> int | None:
    """Return the seq before which to go on, if the session's last search had this log and these words; else None.

    A search that ended more than ``SEARCH_REMEMBERED`` seconds ago does not go on.
    """
    last = session.unfinished
    if last is None or (last.log, last.words) != (log, words):
        return None
    return last.before if session.host.now() - last.at <= SEARCH_REMEMBERED * 1000 else None


def _fitting(hits: Hits) -> Hits:
    """Return the newest hits that fit into one answer, with the seq before which the search can go on."""
    page = bounded(Page(hits.entries, True))
    if page.complete:
        return hits
    oldest = page.entries[0]
    return Hits(page.entries, oldest.seq, oldest.event.at)
