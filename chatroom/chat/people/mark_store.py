"""Keeps the read marks of everybody online, and stores those of accounts.

The marks of an account are one record. Moved marks are stored about a second later, those of all accounts together: a
program that follows a busy room moves its mark all the time, and must not cost a commit each time. A crash loses the
last second.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

import msgspec
from twisted.internet.defer import Deferred, DeferredList
from twisted.python.failure import Failure

from chatroom.chat.limits import GUEST_MARKS, MARKS
from chatroom.chat.marks import Marks, MarksRecord
from chatroom.chat.people.inbox import READ_AT_ONCE
from chatroom.chat.session import Session, User
from chatroom.chat.state import ChatState
from chatroom.model.events import Read
from chatroom.model.log import Change, Conflict, Page, Unavailable
from chatroom.model.log_names import inbox_log
from chatroom.model.logger import logger
from chatroom.model.replies import Marked

BUCKET = "read"
SAVE_AFTER = 1.0  # seconds from the move of a mark until it is stored
SAVE_AGAIN = 5.0  # seconds until marks that could not be stored are tried again
FEW = 50  # of the newest entries of an inbox; most often one of them says how far it was read
SAVED_AT_ONCE = 50  # accounts whose marks are handed to the store in one turn of the reactor

_log = logger(__name__)
_decode = msgspec.json.Decoder(MarksRecord).decode


class MarkStore:
    """Loads, moves and stores read marks.

    Args:
        state: What the parts of the chat share.
    """

    def __init__(self, state: ChatState) -> None:
        self._state = state
        self._engine = state.engine
        self._unsaved: dict[str, Marks] = {}  # by the account's id: marks that were moved and are not stored yet
        self._saving: dict[str, tuple[Marks, Deferred[None]]] = {}  # ... and those that are being stored now
        self._timer: Any = None
        self._stopped = False
        self._failing = False

    async def of(self, user: User) -> Marks:
        """Return the marks of a user who is online.

        Raises:
            Unavailable: The marks of an account cannot be read.
        """
        if user.marks is None:
            marks = await self._load(user.id) if user.account is not None else Marks(GUEST_MARKS)
            user.marks = user.marks or marks  # another command may have loaded them meanwhile
        return user.marks

    async def _load(self, id: str) -> Marks:
        """Return the marks of an account: those that are not stored yet, or else the stored ones, or else new ones."""
        moved = self._moved(id)
        if moved is not None:
            return moved
        held = await self._engine.get(BUCKET, id)
        if held is not None:
            record = _decode(held[0])
            return Marks(MARKS, before=record.before, seqs=record.seqs, rev=held[1])
        # What was shown to the account before it had marks does not count as unread.
        for limit in (FEW, READ_AT_ONCE):
            page = await self._engine.read(inbox_log(id), limit=limit)
            before = _shown(page)
            if before or page.complete:
                break
        return Marks(MARKS, before=before)

    def _moved(self, id: str) -> Marks | None:
        """Return the marks of an account if they were moved and are not stored yet."""
        saving = self._saving.get(id)
        return self._unsaved.get(id) or (saving[0] if saving is not None else None)

    def move(self, user: User, place: str, seq: int) -> bool:
        """Move a mark of a user forward, and see that it is stored; return False if it does not go forward.

        Args:
            user: The user, whose marks ``of`` has loaded.
            place: The room's id, or ``place_of_peer``.
            seq: The seq of the last entry that the user has read.
        """
        marks = user.marks
        if marks is None or not marks.move(place, seq):
            return False
        if user.account is not None and not marks.gone:
            self._unsaved[user.id] = marks
            self._save_in(SAVE_AFTER)
        return True

    async def forget(self, id: str) -> None:
        """Remove the marks of a deleted account.

        Raises:
            Unavailable: They may not be removed.
        """
        marks = self._moved(id)
        if marks is not None:
            marks.gone = True
        self._unsaved.pop(id, None)
        await self._engine.change((Change(BUCKET, id, None),))

    # ---- storing -----------------------------------------------------------------------------------------------

    def _save_in(self, seconds: float) -> None:
        """Start the timer for storing what was moved, unless it is running or the marks have stopped."""
        if self._timer is None and not self._stopped:
            self._timer = self._state.scheduler.callLater(seconds, self._save)

    def _save(self) -> None:
        """Store the marks of some accounts; those of others in further turns of the reactor."""
        self._timer = None
        ready = [id for id in islice(self._unsaved, SAVED_AT_ONCE) if id not in self._saving]
        self._begin(ready)
        if self._unsaved:
            self._save_in(0 if ready else SAVE_AFTER)

    def _begin(self, ids: list[str]) -> None:
        """Begin to store the marks of these accounts."""
        for id in ids:
            marks, stored = self._unsaved.pop(id), Deferred[None]()
            self._saving[id] = marks, stored
            Deferred.fromCoroutine(self._store(id, marks)).addBoth(self._saved, id, marks, stored)

    async def _store(self, id: str, marks: Marks) -> None:
        """Store the marks of an account; if another daemon has stored some, take over those that are further on."""
        while not marks.gone:
            value = msgspec.json.encode(marks.record())
            try:
                marks.rev = await self._engine.put(BUCKET, id, value, marks.rev)
                return
            except Conflict:
                held = await self._engine.get(BUCKET, id)
            if held is None:
                marks.gone = True  # the account was deleted
            else:
                marks.merge(_decode(held[0]))
                marks.rev = held[1]

    def _saved(self, result: Failure | None, id: str, marks: Marks, stored: Deferred[None]) -> None:
        """Try again later if the marks of an account could not be stored."""
        del self._saving[id]
        if result is None:
            self._failing = False
        elif not result.check(Unavailable):
            _log.failure("the read marks of {id} could not be stored", failure=result, id=id)
        else:
            if not self._failing:
                _log.warn("read marks are stored later: {why}", why=result.getErrorMessage())
            self._failing = True
            self._unsaved.setdefault(id, marks)
            self._save_in(SAVE_AGAIN)
        stored.callback(None)

    async def stop(self) -> None:
        """Store all marks that were moved, once, and return when that has succeeded or failed."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        await DeferredList([stored for _, stored in self._saving.values()])
        self._begin(list(self._unsaved))
        await DeferredList([stored for _, stored in self._saving.values()])


def tell_marked(user: User, marked: Marked, mover: Session | None = None) -> None:
    """Send a moved read mark to the sessions of a user that are programs; people on telnet need no marks.

    Args:
        user: The user.
        marked: The event to send.
        mover: The session that moved the mark, which is not sent the event; None to send it to all programs.
    """
    for session in user.sessions:
        if session is not mover and not session.person:
            session.answer(marked)


def _shown(page: Page) -> int:
    """Return the seq up to which an account's inbox was shown to its owner, by the last entry that says so; else 0."""
    return next((entry.event.upto for entry in reversed(page.entries) if isinstance(entry.event, Read)), 0)
