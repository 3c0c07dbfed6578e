"""The guest names that were used lately, and the mail that waits for them.

The next guest who takes such a name gets the mail that waits for the name, once; if an account gets the name, the mail
is deleted. All daemons follow one log that tells which names were used. A mailbox that holds mail also has a record, so
it is not forgotten when many other names are used.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import msgspec
from twisted.internet.defer import Deferred

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.limits import GUEST_DAYS, GUESTS, MAILBOXES, MAILBOXES_OF_ONE, NAMES_A_DAY
from chatroom.chat.people.throttles import Window
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.model.errors import GUEST_MAIL_FULL
from chatroom.model.events import Emptied, Mailed, Seen
from chatroom.model.log import Conflict, Entry, Unavailable
from chatroom.model.log_names import GUESTS_LOG, guest_log, id_in
from chatroom.model.logger import logger
from chatroom.model.names import BadName, Name, user_name

BUCKET = "mailbox"
SWEPT = 200  # mailboxes that one call of ``sweep`` checks
_DAY = 24 * 3600 * 1000  # milliseconds

_log = logger(__name__)


@dataclass(slots=True)
class Mailbox:
    """The mailbox of a guest name.

    Args:
        id: The id of the mailbox.
        name: The name, as it is shown.
        at: When the name was last seen, in milliseconds since 1970.
        mail: Whether mail waits in the mailbox.
        via: The mark of the address from which its first mail came: text that does not reveal the address.
    """

    id: str
    name: str
    at: int
    mail: bool = False
    via: str = ""

    @property
    def log(self) -> str:
        """The name of the log that holds the mail."""
        return guest_log(self.id)


class Waiting(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The record of a mailbox in which mail waits. Its fields are those of ``Mailbox``."""

    id: str
    name: str
    at: int
    via: str = ""


class GuestMail:
    """Remembers guest names, and the mail for them.

    Args:
        engine: Stores the log and the records.
        mint: Makes ids of mailboxes.
        now: Returns the time, in milliseconds since 1970.
        next_id: Makes ids of events.
    """

    def __init__(self, engine: Engine, mint: Mint, now: Callable[[], int], next_id: Callable[[], str]) -> None:
        self._engine = engine
        self._mint = mint
        self._now = now
        self._next_id = next_id
        self._boxes: dict[
            str, Mailbox
        ] = {}  # mailboxes without mail, by folded name; the name unused for longest comes first
        self._mail: dict[str, Mailbox] = {}  # mailboxes with mail, by folded name; the first was filled first
        self._names: dict[str, str] = {}  # the folded name of each mailbox, by the mailbox's id
        self._filled: Counter[str] = Counter()  # number of mailboxes with mail, by ``Mailbox.via``
        self._new = Window(NAMES_A_DAY, _DAY / 1000, lambda: now() / 1000)

    async def start(self) -> None:
        """Load the names that guests used lately and those with waiting mail, then follow the log of guests' mail."""
        async for page in pages(self._engine, BUCKET):
            for _, value in page:
                waiting = msgspec.json.decode(value, type=Waiting)
                self._fill(Mailbox(waiting.id, waiting.name, waiting.at, True, waiting.via))
        await self._engine.follow(GUESTS_LOG, self._apply, after=0)

    def find(self, name: str) -> Mailbox | None:
        """Return the mailbox of a name; None if no guest is known to have used the name in the last ``GUEST_DAYS``."""
        try:
            folded = user_name(name).folded
        except BadName:
            return None
        box = self._mail.get(folded) or self._boxes.get(folded)
        return box if box is not None and box.at > self._now() - GUEST_DAYS * _DAY else None

    def has(self, log: str) -> bool:
        """Return whether the log with this name belongs to a mailbox."""
        return id_in(log) in self._names

    def seen(self, name: Name, user_id: str, via: str = "") -> None:
        """Note that a guest has taken a name.

        This is stored at most once a day for each name. Only ``NAMES_A_DAY`` new names of each address are remembered,
        because more would push out the names of other guests.

        Args:
            name: The name.
            user_id: The guest's id.
            via: The mark of the guest's address; if empty, new names are not counted by address.
        """
        box = self._mail.get(name.folded) or self._boxes.get(name.folded)
        if box is None and via:
            if self._new.wait((via,)):
                return
            self._new.count((via,))
        if box is None or box.at < self._now() - _DAY:
            id = box.id if box is not None else self._mint(12)
            event = Seen(self._next_id(), self._now(), name.shown, user_id, box=id)
            self._remember(event)  # at once, because somebody may write to a guest who leaves the next moment
            self._engine.append(GUESTS_LOG, event)

    async def mailed(self, box: Mailbox, by: str, by_id: str, via: str) -> bool:
        """Store the record of a mailbox to which mail is about to be written.

        Args:
            box: The mailbox, as ``find`` returned it.
            by: The writer's name.
            by_id: The writer's id.
            via: The mark of the writer's address.

        Returns:
            True if the mail can be written; False if the name has another mailbox by now: call ``find`` again.

        Raises:
            Refused: Mail waits in too many mailboxes, or in too many that were first filled from this address.
            Unavailable: The record cannot be stored.
        """
        if box.mail:
            return True
        if len(self._mail) >= MAILBOXES or (via and self._filled[via] >= MAILBOXES_OF_ONE):
            raise GUEST_MAIL_FULL(user=box.name)
        self._fill(box, via)
        try:
            kept = await self._keep(box)
        except BaseException:
            self._unfill(box)
            raise
        if not kept:
            return False
        event = Mailed(self._next_id(), self._now(), by, by_id, box=box.id, name=box.name, via=via)
        self._engine.append(GUESTS_LOG, event)
        return True

    async def take(self, name: Name, user_id: str) -> Mailbox | None:
        """Take the mailbox away from a name and return it, or None if no mail waits. The name will get a new mailbox.

        Of two daemons that do so at once, the one that removes the mailbox's record gets it.

        When this returns, mail that was being written to the mailbox is stored in it, and no more mail will come.
        """
        box = self._mail.get(name.folded)
        if box is None:
            return None
        self._drop(box)
        stored: Deferred[None] = Deferred()
        event = Emptied(self._next_id(), self._now(), name.shown, user_id, box=box.id)
        self._engine.append(GUESTS_LOG, event, lambda entry, error: stored.callback(None))
        await stored
        try:
            if not await self._forget(box):  # another daemon was first, and gives the mail
                return None
        except Unavailable as error:  # after a restart the mail is given once more, which is better than never
            _log.warn("the mailbox of {name} is still there: {why}", name=box.name, why=str(error))
        return box

    async def put_back(self, box: Mailbox, user_id: str) -> None:
        """Give a mailbox that ``take`` returned back to its name, because its mail could not be delivered."""
        self._fill(box, box.via)
        try:
            await self._keep(box)
        except Unavailable as error:
            _log.warn("the mailbox of {name} could not be kept: {why}", name=box.name, why=str(error))
        self._engine.append(GUESTS_LOG, Seen(self._next_id(), self._now(), box.name, user_id, box=box.id))
        event = Mailed(self._next_id(), self._now(), box.name, user_id, box=box.id, name=box.name, via=box.via)
        self._engine.append(GUESTS_LOG, event)

    async def sweep(self) -> None:
        """Remove mailboxes whose mail has expired: at most ``SWEPT`` in one call."""
        horizon = self._now() - GUEST_DAYS * _DAY
        for box in [box for box in self._mail.values() if box.at < horizon][:SWEPT]:
            if not (await self._engine.read(box.log, limit=1)).entries:
                await self._forget(box)
                self._drop(box)

    # ---- records -----------------------------------------------------------------------------------------------

    @retried_on_conflict
    async def _keep(self, box: Mailbox) -> bool:
        """Store the record of a mailbox. If another daemon has stored another mailbox for the name, use that one from
        now on and return False."""
        folded = user_name(box.name).folded
        value = msgspec.json.encode(Waiting(box.id, box.name, box.at, box.via))
        held = await self._engine.get(BUCKET, folded)
        if held is None:
            await self._engine.put(BUCKET, folded, value, 0)
            return True
        there = msgspec.json.decode(held[0], type=Waiting)
        if there.id == box.id:
            return True
        self._drop(box)
        self._fill(Mailbox(there.id, there.name, box.at, True, there.via))
        return False

    async def _forget(self, box: Mailbox) -> bool:
        """Remove the record of a mailbox, unless the name has another one's; return whether the record was there."""
        folded = user_name(box.name).folded
        held = await self._engine.get(BUCKET, folded)
        if held is not None and msgspec.json.decode(held[0], type=Waiting).id == box.id:
            with suppress(Conflict):  # another daemon has removed it
                await self._engine.put(BUCKET, folded, None, held[1])
                return True
        return False

    # ---- memory ------------------------------------------------------------------------------------------------

    def _fill(self, box: Mailbox, via: str | None = None) -> None:
        """Remember the mailbox as its name's mailbox, with mail in it."""
        folded = user_name(box.name).folded
        before = self._mail.get(folded)
        if before is not None:
            if before.id == box.id:
                return
            self._drop(before)
        self._forget_name(folded)
        box.mail, box.via = True, box.via if via is None else via
        self._mail[folded] = box
        self._names[box.id] = folded
        self._filled[box.via] += 1

    def _unfill(self, box: Mailbox) -> None:
        """Remember the mailbox as empty again, because its record could not be stored."""
        self._drop(box)
        box.mail, box.via = False, ""
        folded = user_name(box.name).folded
        self._boxes[folded] = box
        self._names[box.id] = folded

    def _drop(self, box: Mailbox) -> None:
        """Remove the mailbox from memory."""
        folded = self._names.pop(box.id, "")
        held = self._mail.get(folded)
        if held is not None and held.id == box.id:
            del self._mail[folded]
            self._filled[held.via] -= 1
            if self._filled[held.via] <= 0:
                del self._filled[held.via]
        elif folded in self._boxes and self._boxes[folded].id == box.id:
            del self._boxes[folded]

    def _forget_name(self, folded: str) -> None:
        box = self._boxes.pop(folded, None)
        if box is not None:
            self._names.pop(box.id, None)

    # ---- the log -----------------------------------------------------------------------------------------------

    def _apply(self, entries: list[Entry]) -> None:
        for entry in entries:
            event = entry.event
            if isinstance(event, Seen):
                self._remember(event)
            elif isinstance(event, Mailed):
                self._note_mail(event)
            elif isinstance(event, Emptied):
                self._drop(Mailbox(event.box, event.by, event.at))

    def _note_mail(self, event: Mailed) -> None:
        """Remember that mail waits in the mailbox of an event."""
        folded = self._names.get(event.box, "")
        box = self._mail.get(folded) or self._boxes.get(folded)
        if box is None and event.name:
            box = Mailbox(event.box, event.name, event.at)
        if box is not None and box.id == event.box:
            self._fill(box, event.via)

    def _remember(self, event: Seen) -> None:
        """Remember that a guest used a name; if there are too many names, forget the name unused for longest."""
        folded = user_name(event.by).folded
        box = self._mail.get(folded)
        if box is not None:
            box.at = max(box.at, event.at)  # the name keeps this mailbox, even if another daemon made a new one
            return
        self._forget_name(folded)
        self._boxes[folded] = Mailbox(event.box, event.by, event.at)
        self._names[event.box] = folded
        if len(self._boxes) > GUESTS:
            self._forget_name(next(iter(self._boxes)))
