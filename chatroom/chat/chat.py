"""The chat: its sessions, their names, its rooms. What joins the engine below with the connections above."""

from __future__ import annotations

from typing import Any

from chatroom.chat.directory import Directory
from chatroom.chat.interfaces import Clock, Dialect, Engine, Mint, Recipient
from chatroom.chat.limits import RECORD_BYTES, ROOM_CHARACTERS, TEXT_BYTES, USER_CHARACTERS, Rules
from chatroom.chat.owed import Owed
from chatroom.chat.refusals import CHAT_FULL
from chatroom.chat.registry import Registry
from chatroom.chat.retention import Retention
from chatroom.chat.session import Session
from chatroom.events import PROTOCOL_VERSION, Disconnected, Limits, Shutdown, Welcome
from chatroom.log import Presence
from chatroom.logger import logger
from chatroom.names import Name

_log = logger(__name__)


class Chat:
    """See the module.

    Args:
        engine: Where what happens lasts.
        rules: What the operator decided.
        scheduler: Gives ``callLater`` (a reactor, or a test's clock).
        clock: Seconds since 1970.
        mint: Makes random words.

    Attributes:
        sessions: Everybody online on this node, by session id.
    """

    def __init__(self, engine: Engine, rules: Rules, scheduler: Any, clock: Clock, mint: Mint) -> None:
        self.engine = engine
        self.rules = rules
        self.sessions: dict[str, Session] = {}
        self.names = Registry()
        self.directory = Directory(engine, self.sessions, mint)
        self._retention = Retention(engine, self.directory, rules, scheduler, clock)
        self._clock = clock
        self._mint = mint
        self._stopping = False
        self._owed = Owed(engine, scheduler)

    def now(self) -> int:
        """Return the time in milliseconds since 1970."""
        return int(self._clock() * 1000)

    async def start(self) -> None:
        """Open the engine and begin to keep house."""
        await self.engine.start()
        self._retention.start()

    async def stop(self) -> None:
        """Tell everybody, and return when all that was accepted is stored and delivered."""
        self._stopping = True
        self._owed.stop()
        for session in list(self.sessions.values()):
            session.answer(Shutdown())
        await self._retention.stop()
        await self.engine.stop()

    # ---- sessions ----------------------------------------------------------------------------------------------

    def admit(self) -> None:
        """Ask for a seat.

        Raises:
            Refused: There is none.
        """
        most = self.rules.most_users
        if most and len(self.sessions) >= most:
            raise CHAT_FULL(most=most)

    def open_session(self, out: Recipient, dialect: Dialect, *, person: bool, address: str) -> Session:
        """Seat a new connection under a guest's name."""
        session = Session(self, self._mint(12), out, dialect, person, address)
        session.handle = self.names.guest(session, self._mint)
        session.name = session.handle.shown
        self.sessions[session.id] = session
        self.announce(session)
        _log.info("{name} connected from {address}", name=session.name, address=address)
        return session

    def close_session(self, session: Session) -> None:
        """Its connection has ended, or is about to: its seat and its name are free, its room is told. Idempotent."""
        if session.over:
            return
        session.over = True
        self.sessions.pop(session.id, None)
        self.names.release(session, session.handle)
        self.engine.withdraw(f"user/{session.id}")
        session.close_inbox()
        if not session.renaming:  # else when it is known under which name it goes
            self.depart(session)
        _log.info("{name} disconnected", name=session.name)

    def depart(self, session: Session) -> None:
        """Tell the room that a session is in, or about to be in, that its connection has ended."""
        room = session.room or session.heading
        if room is not None and not self._stopping:
            self._owed.append(
                room.log, Disconnected(session.next_id(), self.now(), session.name, session.id, session=session.id)
            )

    def rename(self, session: Session, name: Name) -> None:
        """The session is called so from now on; the name is claimed and its room, if any, has been told."""
        old, session.handle = session.handle, name
        session.name = name.shown
        self.names.release(session, old)
        self.announce(session)
        _log.info("{old} is now known as {name}", old=old.shown, name=name.shown)

    def announce(self, session: Session) -> None:
        """Let everybody on all nodes see where the session is."""
        if session.over:
            return
        room = session.room.name if session.room is not None else ""
        self.engine.announce(f"user/{session.id}", Presence(session.name, room, session.away))

    def who(self) -> list[Presence]:
        """Return everybody online on all nodes."""
        return self.engine.who("user/")

    def welcome(self, session: Session) -> Welcome:
        """Return what the server says of itself to somebody new."""
        limits = Limits(RECORD_BYTES, TEXT_BYTES, USER_CHARACTERS, ROOM_CHARACTERS, self.rules.rate)
        return Welcome(self.rules.name, PROTOCOL_VERSION, session.name, True, limits, [])
