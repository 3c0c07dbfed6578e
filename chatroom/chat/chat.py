"""The chat: its parts put together, started and stopped. Each handler of a command is given the ``Chat``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from msgspec.structs import replace
from twisted.internet.defer import Deferred

from chatroom.chat.connections import Connections
from chatroom.chat.disk_limit import DiskLimit
from chatroom.chat.files.expiry import FileExpiry
from chatroom.chat.files.finishing import FileFinisher
from chatroom.chat.files.store import FileStore
from chatroom.chat.files.upload_limits import FileSpace
from chatroom.chat.interfaces import Clock, Engine, Mint
from chatroom.chat.keys.service import KeyService
from chatroom.chat.limits import TYPING_EVERY, TYPING_IN_ROOM, TYPING_WINDOW, Rules
from chatroom.chat.operators.audit import MembersAudit
from chatroom.chat.operators.server_bans import ServerBans
from chatroom.chat.people.account_changes import AccountChanges
from chatroom.chat.people.accounts import Accounts
from chatroom.chat.people.authentication import Authenticator
from chatroom.chat.people.capacity import Capacity
from chatroom.chat.people.credential_checkers import Checkers
from chatroom.chat.people.deleted_accounts import DeletedAccounts
from chatroom.chat.people.guest_mail import GuestMail
from chatroom.chat.people.guest_resume import GuestResume
from chatroom.chat.people.inbox import Inboxes
from chatroom.chat.people.inbox_quotas import InboxQuotas
from chatroom.chat.people.mark_store import MarkStore
from chatroom.chat.people.passwords import Passwords
from chatroom.chat.people.shared_names import SharedNames
from chatroom.chat.people.shared_sessions import SharedSessions
from chatroom.chat.people.terminal_reading import TerminalReading
from chatroom.chat.people.throttles import Throttles, Window
from chatroom.chat.people.unread_in_rooms import UnreadInRooms
from chatroom.chat.retention import Retention
from chatroom.chat.rooms import encrypted, enforcement
from chatroom.chat.rooms.directory import Directory
from chatroom.chat.rooms.empty_rooms import EmptyRooms
from chatroom.chat.rooms.encrypted_joins import EncryptedJoins
from chatroom.chat.rooms.loaded_rooms import LoadedRooms
from chatroom.chat.rooms.ownership import OwnerSuccession
from chatroom.chat.rooms.room import Room
from chatroom.chat.rooms.room_changes import RoomChanges
from chatroom.chat.rooms.room_quotas import RoomQuotas
from chatroom.chat.rooms.room_records import RoomRecords
from chatroom.chat.rooms.rosters import Rosters
from chatroom.chat.server_id import server_id
from chatroom.chat.server_log import ServerLog
from chatroom.chat.state import ChatState
from chatroom.model.errors import SESSION_TAKEN_OVER
from chatroom.model.events import (
    BansChanged,
    Deleted,
    Deregistered,
    Edited,
    PasswordChanged,
    Reacted,
    Registered,
    Shared,
)
from chatroom.model.log import Entry
from chatroom.model.log_names import id_in
from chatroom.model.logger import logger
from chatroom.model.names import user_name
from chatroom.model.replies import Shutdown
from chatroom.model.server_events import AccountChanged, GuestResumed, NodeEnded, SessionReplaced

_log = logger(__name__)


class Chat(ChatState):
    """All parts of the chat, put together.

    Args:
        engine: Keeps logs, records and files.
        rules: What the operator decided.
        scheduler: Gives ``callLater`` and ``seconds`` (a reactor, or a test's clock).
        clock: Returns the time in seconds since 1970.
        mint: Returns a random word of a given length.
        passwords: Hashes and verifies passwords.
        checkers: Credential checkers of ``twisted.cred`` that the operator has added.
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
        super().__init__(engine, rules, scheduler, clock, mint)
        self.throttles = Throttles(rules, scheduler.seconds)
        self.typing = Window(1, TYPING_EVERY, scheduler.seconds)
        self.typing_in_rooms = Window(TYPING_IN_ROOM, TYPING_WINDOW, scheduler.seconds)
        self.members_audit = MembersAudit(scheduler.seconds)
        self.keys = KeyService(self)
        self._make_rooms()
        self._make_people(passwords, checkers)
        self.withdraw = self._withdraw
        self.room_name = self.room_records.name_of
        self.directory.on_withdrawn = self.withdraw
        self.directory.on_empty = self._empty_rooms.note
        self.directory.on_changed = self._room_changed
        self.keys.watching.put_out = self.connections.put_out
        self.keys.watching.on_listed = partial(encrypted.devices_changed, self)
        self._retention = Retention(
            self, self.directory, self.room_records, self._file_expiry, self._in_use, self.guests.sweep, self.keys
        )
        self.disk_limit = DiskLimit(engine, rules, scheduler)

    def _make_rooms(self) -> None:
        self.loaded_rooms = LoadedRooms()
        self.encrypted_joins = EncryptedJoins(self)
        self.room_records = RoomRecords(self.engine, self.loaded_rooms)
        quotas = RoomQuotas(self.engine, self.rules, self.now, self.room_records.is_owned)
        self.room_changes = RoomChanges(self.engine, self.loaded_rooms, self.room_records, quotas)
        self.rosters = Rosters(self, self.loaded_rooms)
        changes = self.room_changes
        self.directory = Directory(self, self.loaded_rooms, self.room_records, changes, quotas, self.rosters)
        self.accounts = Accounts(self.engine, self.mint, self.now)
        self._empty_rooms = EmptyRooms(self, self.directory, self.accounts)
        self._succession = OwnerSuccession(self, self.loaded_rooms, self.room_changes, self.accounts)

    def _make_files(self) -> None:
        self.files = FileStore(self.engine)
        self.file_space = FileSpace(self, self.files)
        self.file_finisher = FileFinisher(self, self.files, self.room_changes, self.inboxes, self.shares)
        self._file_expiry = FileExpiry(self, self.files, self.room_records, self.accounts)

    def _make_people(self, passwords: Passwords, checkers: Sequence[Any]) -> None:
        engine, rules = self.engine, self.rules
        self.seats = Capacity(rules)
        self.bans = ServerBans(engine, self.now)
        self.returning = GuestResume(engine, self.mint)
        self.deleted = DeletedAccounts(engine)
        self.shared_names = SharedNames(engine, self.retries.call)
        self.shared_sessions = SharedSessions(self, rules)
        known = self.returning, self.deleted, self.shared_names, self.shared_sessions
        self.connections = Connections(self, self.seats, self.bans, *known)
        self.guests = GuestMail(engine, self.mint, self.now, self.next_id)
        self.inboxes = Inboxes(self, self.connections.put_out)
        self.shares = InboxQuotas(self, self.inboxes, self.returning.mark)
        self.read_marks = MarkStore(self)
        self.terminals = TerminalReading(self.read_marks)
        self.connections.on_close = self.terminals.closed
        self.shown_at_terminal = self.terminals.shown
        self.unread = UnreadInRooms(self)
        self._make_files()
        self.account_changes = AccountChanges(
            self, self.accounts, self.connections, self.seats, self.guests, self.files, self.deleted, self.read_marks
        )
        self.checkers = Checkers(checkers, self.scheduler)
        disown = self.account_changes.change_password
        self.authenticator = Authenticator(self.accounts, passwords, self.checkers, disown)
        self._server_log = ServerLog(
            self,
            self.connections.put_out,
            {
                Registered: lambda event: self.connections.evict(user_name(event.name), event.by_id),
                Deregistered: self._deregistered,
                PasswordChanged: lambda event: self.account_changes.password_changed(event.by_id, event.session),
                BansChanged: lambda event: self.bans.reload(),
                NodeEnded: self._node_ended,
                AccountChanged: self.account_changes.changed_elsewhere,
                GuestResumed: self._resumed_elsewhere,
                SessionReplaced: self._session_replaced,
                **self.keys.acts,
            },
        )

    async def start(self) -> None:
        """Open the engine, load what it keeps, and start the work that is repeated, such as removing old entries."""
        await self.engine.start()
        self.server_id = await server_id(self.engine, self.mint)
        await self.returning.start()
        await self._server_log.start()
        self.rosters.start()
        await self.guests.start()
        await self.bans.load()
        await self.directory.start()
        await self._empty_rooms.start()
        self._succession.rounds.start(now=False)
        await self.file_space.start()
        await self.accounts.start()
        await self.deleted.start()
        self.seats.reserved = sum(account.reserved for account in await self.accounts.all())
        self._retention.rounds.start()
        self.disk_limit.rounds.start()

    async def stop(self) -> None:
        """Tell all sessions that the server stops, and return when all that was accepted is stored and delivered."""
        self.stop_retrying()
        self._server_log.stop()
        self.rosters.stop()
        for session in list(self.sessions.values()):
            session.answer(Shutdown())
            self.terminals.closed(session)
        await self._retention.rounds.stop()
        await self.disk_limit.rounds.stop()
        await self._empty_rooms.stop()
        await self._succession.rounds.stop()
        await self.read_marks.stop()
        await self.engine.stop()
        for user in self.users.values():
            if user.inbox is not None:
                user.inbox.close()

    def _withdraw(self, entry: Entry) -> None:
        """Erase a message, and the file that it shares: its author had lost the right to speak before it was stored.

        An edit has replaced the text, so the message is deleted for everybody to see; a reaction is taken back.
        """
        event = entry.event
        if isinstance(event, Reacted):
            self.owe(entry.log, replace(event, id=f"{event.id}.withdrawn", on=False))
            return
        if isinstance(event, Edited):
            who = f"{event.id}.withdrawn", self.now(), event.by, event.by_id
            self.retries.erase(entry.log, event.message)
            self.owe(entry.log, Deleted(*who, message=event.message, user=event.by))
            return
        self.retries.erase(entry.log, entry.seq)
        if isinstance(entry.event, Shared):
            Deferred.fromCoroutine(self.files.remove(entry.event.file)).addErrback(_not_removed)

    def _resumed_elsewhere(self, event: GuestResumed) -> None:
        """End the connection that a guest had here, because the guest is back on another daemon."""
        ghost = self.returning.ghost_of(event.by_id)
        if ghost is not None and event.node != self.engine.node:
            self.connections.hang_up(ghost)

    def _node_ended(self, event: NodeEnded) -> None:
        """Let the sessions of a daemon that has ended go."""
        self.rosters.ended(event)
        self.shared_sessions.ended(event)

    def _session_replaced(self, event: SessionReplaced) -> None:
        """End a session whose account was logged in to on another daemon, if the session is on this one."""
        session = self.sessions.get(event.session)
        if session is not None and session.user_id == event.by_id:
            self.connections.put_out(session, SESSION_TAKEN_OVER(user=session.name))

    def _room_changed(self, room: Room) -> None:
        """Remove the sessions on this daemon that a changed record keeps out of a room."""
        encrypted.put_out_keyless(self, room)
        enforcement.put_out_banned(self, room)

    def _deregistered(self, event: Deregistered) -> None:
        """Take a deleted account away from its sessions, and remove its keys."""
        self.account_changes.removed(event.by_id)
        self.keys.gone(event.by_id)

    def _in_use(self, log: str) -> bool:
        """Return whether a guest's log may still be written to."""
        id = id_in(log)
        return id in self.users or self.guests.has(log) or bool(self.engine.elsewhere(id))


def _not_removed(failure: Any) -> None:
    _log.warn("a file that nobody may fetch goes later: {why}", why=failure.getErrorMessage())
