"""Opens, renames and ends the sessions of this daemon. Every change of a session's user goes through here, too."""

from __future__ import annotations

from collections.abc import Callable

from chatroom.chat.bans_and_mutes import address_key
from chatroom.chat.interfaces import Dialect, Recipient
from chatroom.chat.limits import ANNOUNCEMENTS, ANNOUNCEMENTS_WINDOW
from chatroom.chat.operators.server_bans import ServerBans
from chatroom.chat.people.capacity import Capacity
from chatroom.chat.people.deleted_accounts import DeletedAccounts
from chatroom.chat.people.guest_resume import GuestResume
from chatroom.chat.people.shared_names import SharedNames
from chatroom.chat.people.shared_sessions import SharedSessions
from chatroom.chat.people.throttles import Window
from chatroom.chat.rooms.encrypted import put_out_of_encrypted
from chatroom.chat.rooms.further_sessions import has_another
from chatroom.chat.session import Session, User
from chatroom.chat.state import ChatState, ids_in
from chatroom.model.account import Preferences
from chatroom.model.errors import DRAINING, TOO_MANY_CONNECTIONS, Refused
from chatroom.model.events import Departed, Disconnected, Renamed
from chatroom.model.logger import logger
from chatroom.model.names import Name, user_looks
from chatroom.model.replies import Account, Ok
from chatroom.model.roster import session_id

_log = logger(__name__)


class Connections:
    """Opens, changes and ends the sessions of this daemon.

    Args:
        state: What the parts of the chat share.
        seats: Counts the seats: how many users fit.
        bans: The bans of the whole server.
        returning: The secrets by which guests come back.
        deleted: The deleted accounts, by address.
        shared_names: The names of the guests of all daemons.
        shared_sessions: The sessions of accounts on all daemons.

    Attributes:
        draining: Whether new connections are refused.
        on_close: Called with each session that ends, while it is in its rooms.
    """

    def __init__(
        self,
        state: ChatState,
        seats: Capacity,
        bans: ServerBans,
        returning: GuestResume,
        deleted: DeletedAccounts,
        shared_names: SharedNames,
        shared_sessions: SharedSessions,
    ) -> None:
        self._state = state
        self._seats = seats
        self._bans = bans
        self._returning = returning
        self._deleted = deleted
        self._shared_names = shared_names
        self._shared_sessions = shared_sessions
        shared_sessions.on_last = self.tell_of_departed
        self._announced = Window(ANNOUNCEMENTS, ANNOUNCEMENTS_WINDOW, state.scheduler.seconds)
        self.draining = False
        self.on_close: Callable[[Session], None] = lambda session: None

    # ---- beginning and end -------------------------------------------------------------------------------------

    def admit(self, address: str, *, person: bool) -> None:
        """Check that a connection from an address may be let in, if only to log in or to end the user's old connection.

        Args:
            address: The address.
            person: Whether a person types on the connection; only a program can end an old connection.

        Raises:
            Refused: There is no seat, not even one to log in to; or the address is banned; or the server is draining.
        """
        if self.draining:
            raise DRAINING()
        self._bans.check((address_key(address),))
        returning = not person and self._returning.awaited
        if not self._seats.free and not self._seats.room_to_stand(person=person, returning=returning):
            raise self._seats.full()

    def open(self, out: Recipient, dialect: Dialect, *, person: bool, address: str, secure: bool = False) -> Session:
        """Open a session for a new connection, with a guest's name. A session without a seat may only log in."""
        state = self._state
        session = Session(state, session_id(state.engine.node, state.mint(12)), out, dialect, person, address, secure)
        session.was_also(*self._deleted.at(address))
        guest = self._new_guest(session)
        guest.sessions = (session,)
        session.sit(guest)
        self._seats.enter(session)
        state.sessions[session.id] = session
        state.announce(session)
        _log.info("{name} connected from {address}", name=session.name, address=address)
        return session

    def _new_guest(self, session: Session) -> User:
        """Return a new guest for a session, with a name that is claimed."""
        state = self._state
        guest = User(session.guest_id, state.names.guest(state.mint))
        guest.resumable = self._returning.knows(session)
        state.names.claim(guest, guest.handle)
        state.users[guest.id] = guest
        return guest

    def close(self, session: Session) -> None:
        """End a session: free its seat and its name, and tell its rooms. Closing it again does nothing."""
        if session.over:
            return
        session.over = True
        self.on_close(session)
        self._state.sessions.pop(session.id, None)
        self._returning.part(session)
        self._state.engine.withdraw(f"user/{session.id}")
        self._seats.leave(session)
        if session.transfers is not None:
            session.transfers.close()
            session.transfers = None
        self.take_leave(session, session.user)
        if not session.renaming:  # else the room is told when it is known which name the user leaves with
            self.depart(session)
        _log.info("{name} disconnected", name=session.name)

    def put_out(self, session: Session, why: Refused) -> None:
        """End a session and its connection, after telling it why."""
        session.refuse(why)
        self._state.counters.drops[why.code] += 1
        self.hang_up(session)

    def hang_up(self, session: Session) -> None:
        """End a session and its connection, after sending what it was told before."""
        self.close(session)
        session.out.close()

    def depart(self, session: Session) -> None:
        """Tell the session's rooms, and the room that it is about to join, that its connection has ended."""
        about = self._state.now(), session.name, session.user_id
        for room, id in ids_in(session.told, session):
            again = has_another(room, session)
            self._state.owe(room.log, Disconnected(id, *about, session=session.id, again=again))

    # ---- whose a session is ------------------------------------------------------------------------------------

    def become(self, session: Session, user: User) -> None:
        """Give the session another user, and tell its rooms as soon as their logs can store the event.

        The session has no keys of that user's yet, so encrypted rooms remove it.

        Raises:
            Refused: There is no seat.
        """
        state = self._state
        self._seats.change(session, user)
        old, first = session.user, not user.online
        told = {room: has_another(room, session) for room in session.told}
        user.sessions = (*user.sessions, session)
        session.sit(user)
        session.token, session.offer = "", None
        if old.account is not None:
            session.was_also(old.id)
        if session.place is not None and user.account is not None:
            session.place.recognise()
            session.place.release()
        self.take_leave(session, old)
        if first:
            state.users[user.id] = user
            self.evict(user.handle, user.id)
            state.names.claim(user, user.handle)
            user.away = user.account.preferences.away if user.account is not None else ""
        session.prefer(user.account.preferences if user.account is not None else Preferences())
        state.announce(session)
        about = state.now(), old.name, old.id
        for room, id in ids_in(told, session):
            renamed = Renamed(id, *about, session=session.id, name=user.name, user_id=user.id, again=told[room])
            state.owe(room.log, renamed)
        put_out_of_encrypted(state, session)

    def log_out(self, session: Session) -> None:
        """Make the session a guest session.

        Raises:
            Refused: There is no seat for another guest, or too many connections come from the session's address.
        """
        self._seats.check(session)
        if session.place is not None and not session.place.claim():
            raise TOO_MANY_CONNECTIONS()
        _log.info("{name} logged out", name=session.name)
        self.become(session, self._new_guest(session))

    def take_leave(self, session: Session, user: User) -> None:
        """Take the session away from a user, whose sealed messages it is then not sent any more.

        If it was the last session, release the user's name.
        """
        state = self._state
        session.leave_mailbox()
        user.sessions = tuple(other for other in user.sessions if other is not session)
        self._shared_sessions.leave(session, user)
        if user.inbox is not None:
            user.inbox.leave(session)
        if user.online:
            return
        state.names.release(user, user.handle)
        if user.account is None:
            self._shared_names.release(user.id, user.handle)
        state.users.pop(user.id, None)
        if user.inbox is not None:
            user.inbox.close()
        if user.sent is not None:
            user.sent.close()
            user.sent = None
        if user.account is not None and not state.engine.node:
            self.tell_of_departed(user.name, user.id, session.id)

    def tell_of_departed(self, name: str, user_id: str, session: str) -> None:
        """Tell everybody that the last session of an account has ended."""
        if self.announces(user_id):
            state = self._state
            state.tell_all(Departed(state.next_id(), state.now(), name, user_id, session=session))

    def announces(self, user_id: str) -> bool:
        """Count a user's login or logout; return whether to tell everybody, which is not done for too frequent ones."""
        if not self._state.rules.announce or self._announced.wait((user_id,)):
            return False
        self._announced.count((user_id,))
        return True

    # ---- names -------------------------------------------------------------------------------------------------

    def rename(self, session: Session, name: Name) -> None:
        """Give a guest a new name. The caller has claimed that name already, and has told the room, if any."""
        user = session.user
        old, user.handle = user.handle, name
        session.name = name.shown
        self._state.names.release(user, old)
        self._shared_names.release(user.id, old)
        self._state.announce(session)
        _log.info("{old} is now known as {name}", old=old.shown, name=name.shown)

    def evict(self, name: Name, owner: str) -> None:
        """Give another name to any guest who has an account's name, or a name that looks like it.

        Args:
            name: The account's name.
            owner: The account's id.
        """
        state = self._state
        for user in state.names.others(state.users.get(owner), name):
            if user.account is None:
                state.names.revoke(user, name)
                # Otherwise the guest had only claimed the name; the guest's command will see that the claim is gone.
                if not set(user_looks(name)).isdisjoint(user_looks(user.handle)):
                    self._evict(user)

    def _evict(self, guest: User) -> None:
        """Give a guest a new random name, and tell the guest and the rooms that the guest is in."""
        state = self._state
        old, handle = guest.name, state.names.guest(state.mint)
        state.names.claim(guest, handle)
        for session in guest.sessions:
            about = state.now(), old, guest.id
            for room, id in ids_in(session.told, session):
                state.owe(room.log, Renamed(id, *about, session=session.id, name=handle.shown))
            self.rename(session, handle)
            session.answer(Ok(f"{old} belongs to an account now."))
            session.answer(Account(name=handle.shown, guest=True, id=session.user_id))
