"""How entries of an inbox are shown: in pages, so that no session is ended as too slow because much had waited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from chatroom.chat.limits import HISTORY_BYTES
from chatroom.chat.session import Session
from chatroom.chat.state import ChatState
from chatroom.model.events import Private, placed
from chatroom.model.log import Entry

AGAIN = 0.5  # seconds until it is checked again whether a slow client has taken the page before


def show(state: ChatState, session: Session, entries: Iterable[Entry], late: bool, *, again: bool = False) -> None:
    """Show entries of an inbox to a session, except those of users that it ignores and those that it does not hear.

    Args:
        state: What the parts of the chat share.
        session: The session.
        entries: The entries.
        late: Whether they had to wait.
        again: Whether the user's other sessions may have been shown them earlier. Then ``/reply`` goes on writing to
            whoever wrote the newest message that any session was shown.
    """
    data, user = b"", session.user
    for entry in entries:
        if session.hears(entry) and not session.ignores(entry.event):
            event = entry.event
            if isinstance(event, Private):
                if not again or entry.seq >= user.heard:
                    user.last_writer = event.by, event.by_id
                user.heard = max(user.heard, entry.seq)
                event = msgspec.structs.replace(event, seq=entry.seq, late=late or event.late, via="")
            else:
                event = placed(event, entry.seq, getattr(event, "room", ""))
            data += session.dialect.answer(event)
            state.counters.deliveries += 1
    if data:
        session.out.write(data)


def pages(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Cut entries into pages of at most ``HISTORY_BYTES`` each, or of one longer entry."""
    page: list[Entry] = []
    room = HISTORY_BYTES
    for entry in entries:
        room -= len(entry.body)
        if room < 0 and page:
            yield page
            page, room = [], HISTORY_BYTES - len(entry.body)
        page.append(entry)
    yield page
