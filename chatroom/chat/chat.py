"""The chat: its users and their sessions, its rooms. What joins the engine below with the connections above."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.chat.bans_and_mutes import address_key
from chatroom.chat.files.store import FileStore
from chatroom.chat.interfaces import Clock, Dialect, Engine, Mint, Recipient
from chatroom.chat.limits import (
    ANNOUNCEMENTS,
    ANNOUNCEMENTS_WINDOW,
    RECORD_BYTES,
    ROOM_CHARACTERS,
    TEXT_BYTES,
    USER_CHARACTERS,
    Rules,
)
from chatroom.chat.operators.audit import MembersAudit
from chatroom.chat.operators.server_bans import ServerBans
from chatroom.chat.people import membership
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.people.authentication import Authenticator
from chatroom.chat.people.capacity import Capacity
from chatroom.chat.people.credential_checkers import Checkers
from chatroom.chat.people.deleted_accounts import DeletedAccounts
from chatroom.chat.people.guest_mail import GuestMail
from chatroom.chat.people.guest_resume import GuestResume
from chatroom.chat.people.inbox import Inbox
from chatroom.chat.people.inbox_quotas import InboxQuotas
from chatroom.chat.people.nicknames import Nicknames
from chatroom.chat.people.passwords import Passwords
from chatroom.chat.people.throttles import Throttles, Window
from chatroom.chat.people.user import User
from chatroom.chat.retry_queue import RetryQueue
from chatroom.chat.rooms.directory import Directory
from chatroom.chat.rooms.disk_limit import DiskLimit
from chatroom.chat.rooms.empty_rooms import EmptyRooms
from chatroom.chat.rooms.ownership import OwnerSuccession
from chatroom.chat.rooms.retention import Retention
from chatroom.chat.server_log import LOG, ServerLog
from chatroom.chat.session import Session
from chatroom.model.errors import DRAINING, Refused
from chatroom.model.events import PROTOCOL_VERSION, Departed, Disconnected, OfTheServer, Renamed, Shared, Stored
from chatroom.model.log import Entry, Presence, Unavailable
from chatroom.model.logger import logger
from chatroom.model.names import Name, user_looks
from chatroom.model.replies import Account, Limits, Ok, Shutdown, Welcome

_log = logger(__name__)


class Chat:
    """See the module.

    Args:
        engine: Where what happens lasts.
        rules: What the operator decided.
        scheduler: Gives ``callLater`` and ``seconds`` (a reactor, or a test's clock).
        clock: Seconds since 1970.
        mint: Makes random words.
        passwords: Hashes them.
        checkers: Of ``twisted.cred``, added by the operator.

    Attributes:
        sessions: Everybody connected to this node, by session id.
        users: The same people by user id; the owner of an account may have several sessions.
        draining: Nobody new is let in.
        settling: Inboxes, by log, whose owner has gone while marks of what was read were under way.
    """

    def __init__(
        self,
        engine: Engine,
        rules: Rules,
        scheduler: Any,
        clock: Clock,
        mint: Mint,
        passwords: Passwords,
        checkers: Sequence[Any] = (),
    ) -> None:
        self.engine = engine
        self.rules = rules
        self.counters = engine.counters
        self.scheduler = scheduler
        self.mint = mint
        self.sessions: dict[str, Session] = {}
        self.users: dict[str, User] = {}
        self.draining = False
        self.settling: dict[str, Inbox] = {}
        self.names = Nicknames()
        self.accounts = Accounts(engine, mint, self.now)
        self.checkers = Checkers(checkers, scheduler)
        disown = partial(membership.change_password, self)
        self.authenticator = Authenticator(self.accounts, passwords, self.checkers, disown)
        self.throttles = Throttles(rules, scheduler.seconds)
        self._announced = Window(ANNOUNCEMENTS, ANNOUNCEMENTS_WINDOW, scheduler.seconds)
        self.seats = Capacity(rules)
        self.bans = ServerBans(engine, self.now)
        self.guests = GuestMail(engine, mint, self.now, self.next_id)
        self.shares = InboxQuotas(self)
        self.members_audit = MembersAudit(scheduler.seconds)
        self.directory = Directory(engine, self.sessions, mint, rules, self.now)
        self._empty_rooms = EmptyRooms(self)
        self._succession = OwnerSuccession(self)
        self.directory.on_withdrawn = self.withdraw
        self.directory.on_empty = self._empty_rooms.note
        self.files = FileStore(self)
        self.returning = GuestResume(self)
        self.deleted = DeletedAccounts(engine)
        self._clock = clock
        self._server_log = ServerLog(self)
        self._retention = Retention(
            engine, self.directory, self.files, rules, scheduler, clock, self._in_use, self.guests.sweep
        )
        self.disk_limit = DiskLimit(engine, rules, scheduler)
        self._stopping = False
        self._owed = RetryQueue(engine, scheduler)
        self._node = mint(12)
        self._counter = 0

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""
        return int(self._clock() * 1000)

    def next_id(self) -> str:
        """Return an id for an event of the chat's own; see ``Session.next_id``."""
        self._counter += 1
        return f"{self._node}:{self._counter}"

    async def start(self) -> None:
        """Open the engine, learn what lasts, and begin to keep house."""
        await self.engine.start()
        await self.returning.start()
        await self._server_log.start()
        await self.guests.start()
        await self.bans.load()
        await self.directory.start()
        await self._empty_rooms.start()
        self._succession.rounds.start(now=False)
        await self.files.start()
        await self.accounts.start()
        await self.deleted.start()
        self.seats.reserved = sum(account.reserved for account in await self.accounts.all())
        self._retention.rounds.start()
        self.disk_limit.rounds.start()

    async def stop(self) -> None:
        """Tell everybody, and return when all that was accepted is stored and delivered."""
        self._stopping = True
        self._owed.stop()
        self._server_log.stop()
        for session in list(self.sessions.values()):
            session.answer(Shutdown())
        await self._retention.rounds.stop()
        await self.disk_limit.rounds.stop()
        await self._empty_rooms.stop()
        await self._succession.rounds.stop()
        await self.engine.stop()
        for user in self.users.values():
            if user.inbox is not None:
                user.inbox.close()

    # ---- sessions ----------------------------------------------------------------------------------------------

    def admit(self, address: str, *, person: bool) -> None:
        """See whether somebody from there may come in, if only to log in, or as a program to end its former connection.

        Raises:
            Refused: There is no seat, nor one that waits for its owner; or nobody is to come from there, or at all.
        """
        if self.draining:
            raise DRAINING()
        self.bans.check((address_key(address),))
        if not self.seats.free and not self.seats.room_to_stand(returning=not person and self.returning.awaited):
            raise self.seats.full()

    def open_session(
        self, out: Recipient, dialect: Dialect, *, person: bool, address: str, secure: bool = False
    ) -> Session:
        """Seat a new connection under a guest's name; without a free seat it stands, and may only log in."""
        session = Session(self, self.mint(12), out, dialect, person, address, secure)
        session.was_also(*self.deleted.at(address))
        guest = self.new_guest(session)
        guest.sessions = (session,)
        session.sit(guest)
        self.seats.enter(session)
        self.sessions[session.id] = session
        self.announce(session)
        _log.info("{name} connected from {address}", name=session.name, address=address)
        return session

    def new_guest(self, session: Session) -> User:
        """Return somebody who is not known, for the session to be."""
        guest = User(session.guest_id, self.names.guest(self.mint))
        guest.resumable = self.returning.knows(session)
        self.names.claim(guest, guest.handle)
        self.users[guest.id] = guest
        return guest

    def close_session(self, session: Session) -> None:
        """Its connection has ended, or is about to: its seat and its name are free, its room is told. Idempotent."""
        if session.over:
            return
        session.over = True
        self.sessions.pop(session.id, None)
        self.returning.part(session)
        self.engine.withdraw(f"user/{session.id}")
        self.seats.leave(session)
        if session.transfers is not None:
            session.transfers.close()
            session.transfers = None
        self.take_leave(session, session.user)
        if not session.renaming:  # else when it is known under which name it goes
            self.depart(session)
        _log.info("{name} disconnected", name=session.name)

    def put_out(self, session: Session, why: Refused) -> None:
        """End a connection that may not be here any more, and say why."""
        session.refuse(why)
        self.counters.drops[why.code] += 1
        self.close_session(session)
        session.out.close()

    def take_leave(self, session: Session, user: User) -> None:
        """The session is not this user's any more; the last one gives the name back."""
        user.sessions = tuple(other for other in user.sessions if other is not session)
        if user.online:
            return
        self.names.release(user, user.handle)
        self.users.pop(user.id, None)
        if user.inbox is not None:
            user.inbox.close()
        if user.account is not None and self.announces(user):
            self.tell_all(Departed(self.next_id(), self.now(), user.name, user.id, session=session.id))

    def announces(self, user: User) -> bool:
        """Count a coming or going; return whether everybody is told. Who does nothing else is soon told of no more."""
        if not self.rules.announce or self._announced.wait((user.id,)):
            return False
        self._announced.count((user.id,))
        return True

    def depart(self, session: Session) -> None:
        """Tell the room that a session is in, or about to be in, that its connection has ended."""
        room = session.room or session.heading
        if room is not None:
            event = Disconnected(session.next_id(), self.now(), session.name, session.user_id, session=session.id)
            self.owe(room.log, event)

    def owe(self, log: str, event: Stored) -> None:
        """Store what is true whether the log takes it now or later."""
        if not self._stopping:
            self._owed.append(log, event)

    def rename(self, session: Session, name: Name) -> None:
        """The guest is called so from now on; the name is claimed and its room, if any, has been told."""
        user = session.user
        old, user.handle = user.handle, name
        session.name = name.shown
        self.names.release(user, old)
        self.announce(session)
        _log.info("{old} is now known as {name}", old=old.shown, name=name.shown)

    def evict(self, name: Name, owner: str) -> None:
        """A name is an account's: which guest else has it, or one like it, goes on under another."""
        for user in self.names.others(self.users.get(owner), name):
            if user.account is None:
                self.names.revoke(user, name)
                # Else it had only claimed the name, and sees in the end that it has lost it.
                if not set(user_looks(name)).isdisjoint(user_looks(user.handle)):
                    self._evict(user)

    def _evict(self, guest: User) -> None:
        old, handle = guest.name, self.names.guest(self.mint)
        self.names.claim(guest, handle)
        for session in guest.sessions:
            room = session.room or session.heading
            if room is not None:
                id, now = session.next_id(), self.now()
                self.owe(room.log, Renamed(id, now, old, guest.id, session=session.id, name=handle.shown))
            self.rename(session, handle)
            session.answer(Ok(f"{old} belongs to an account now."))
            session.answer(Account(name=handle.shown, guest=True))

    def inbox(self, user: User) -> Inbox:
        """Return the inbox of somebody online; it must be opened."""
        if user.inbox is None:
            user.inbox = Inbox(self, user)
        return user.inbox

    # ---- what everybody sees -----------------------------------------------------------------------------------

    def announce(self, session: Session) -> None:
        """Let everybody on all nodes see where the session is."""
        if session.over or not session.seated:
            return
        room = session.room.name if session.room is not None else ""
        self.engine.announce(f"user/{session.id}", Presence(session.name, room, session.user.away, session.user_id))

    def who(self) -> list[Presence]:
        """Return everybody online on all nodes."""
        return self.engine.who("user/")

    def tell_all(self, event: OfTheServer) -> None:
        """Let all daemons know, and through them everybody whom it concerns."""
        if not self._stopping:
            self.engine.append(LOG, event)

    def tell_all_and_wait(self, event: OfTheServer) -> Deferred[Entry]:
        """The same; fires when this daemon has acted on it, or with ``Unavailable``."""
        return self.append_and_wait(LOG, event)

    def append_and_wait(self, log: str, event: Stored, *, once: bool = False) -> Deferred[Entry]:
        """Append an event of nobody's in particular; fires when it is stored and applied, or with ``Unavailable``."""
        deferred: Deferred[Entry] = Deferred()

        def done(entry: Entry, error: Unavailable | None) -> None:
            if error is None:
                deferred.callback(entry)
            else:
                deferred.errback(error)

        self.engine.append(log, event, done, once=once)
        return deferred

    async def tell_all_surely(self, event: OfTheServer) -> None:
        """As ``tell_all_and_wait``, of what a record says already; see ``append_surely``."""
        await self.append_surely(LOG, event)

    async def append_surely(self, log: str, event: Stored) -> None:
        """Append what a record says already, and wait for it: what cannot be stored now is stored later.

        Raises:
            Unavailable: It is not stored yet.
        """
        try:
            await self.append_and_wait(log, event)
        except Unavailable:
            self.owe(log, event)
            raise

    def welcome(self, session: Session) -> Welcome:
        """Return what the server says of itself to a program."""
        rules = self.rules
        limits = Limits(RECORD_BYTES, TEXT_BYTES, USER_CHARACTERS, ROOM_CHARACTERS, rules.rate, rules.max_file)
        guest = session.user.account is None
        secret = self.returning.promise(session)
        return Welcome(rules.name, PROTOCOL_VERSION, session.name, guest, limits, ["files"], secret, rules.replay)

    def withdraw(self, entry: Entry) -> None:
        """Remove what a message said, for its author could not speak any more when the log took it."""
        self._owed.erase(entry.log, entry.seq)
        if isinstance(entry.event, Shared):
            Deferred.fromCoroutine(self.files.remove(entry.event.file)).addErrback(_not_removed)

    def _in_use(self, log: str) -> bool:
        """Return whether a guest's log may still be written to."""
        return log.removeprefix("guest/") in self.users or self.guests.has(log)


def _not_removed(failure: Any) -> None:
    _log.warn("a file that nobody may fetch goes later: {why}", why=failure.getErrorMessage())
