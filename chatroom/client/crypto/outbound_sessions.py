"""The sessions that seal our messages for encrypted rooms: when a new one begins, and which devices have its key.

The order of things for each message: ``prepare``, send the key to those who lack it, ``given`` for those that it was
sent to, ``seal``. The caller stores the rows durably before anything leaves: an index must never seal two messages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct, to_builtins
from msgspec.json import Decoder, encode
from msgspec.structs import replace
from vodozemac import GroupSession

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inbound_sessions import InboundSessions
from chatroom.client.crypto.pickles import Random, pickled, unpickled
from chatroom.client.crypto.room_messages import DeviceId, RoomKey, SessionName
from chatroom.client.crypto.room_plaintext import RoomPlaintext, SessionEnd, write_plaintext
from chatroom.client.crypto.rows import Rows
from chatroom.client.crypto.session_ends import SessionEnds
from chatroom.client.crypto.unused_indexes import Sealing, UnusedIndexes

MOST_MESSAGES = 100  # sealed by one session
LONGEST_USE = 24 * 3_600_000  # ms that one session is used
LONGEST_PLAIN = 8800  # bytes; sealed and encoded, they are less than what the server takes
MOST_OFFERS = 500  # own sessions of which we remember who has the key
MOST_ROOMS = 1000  # rooms with a session
OUTBOUND = "room-outbound"
OFFERS = "room-outbound-offers"


class _State(Struct, frozen=True):
    """An outbound session as its row holds it."""

    pickle: bytes
    created: int  # ms
    members_rev: int
    generation: int

    def __repr__(self) -> str:
        return f"<_State of generation {self.generation}>"


class _Offer(Struct, frozen=True, array_like=True):
    """That a device was offered the key of a session."""

    user_id: str
    device: str
    ed25519: str
    index: int  # the first message that the device can open
    sent: bool  # False: perhaps it has the key, perhaps not


_states = Decoder(_State)
_offers = Decoder(list[_Offer])


@dataclass(frozen=True, slots=True)
class KeyShare:
    """A key that must be sent to devices, through Olm, as ``room.key``.

    Args:
        name: The session.
        key: The key from the current index on.
        devices: Who needs it.
    """

    name: SessionName
    key: RoomKey = field(repr=False)
    devices: tuple[DeviceId, ...]

    def body(self) -> dict[str, Any]:
        """Return the body of the envelopes."""
        body: dict[str, Any] = to_builtins(self.key)
        return body


@dataclass(frozen=True, slots=True)
class SealedForRoom:
    """A message ready for ``say-sealed``.

    Args:
        sid: The session.
        ct: The sealed text.
        index: Its number in the session.
    """

    sid: str
    ct: str = field(repr=False)
    index: int


@dataclass(frozen=True, slots=True)
class _Ended:
    """A session of this run that seals no more; the server may still confirm messages of it.

    Args:
        name: Its name.
        unused: What is known of its messages.
    """

    name: SessionName
    unused: UnusedIndexes

    def end(self) -> SessionEnd | None:
        """Return how it ended, as far as it is known."""
        return self.unused.end(self.name.sid)


@dataclass(slots=True, repr=False)
class _Outbound:
    """An outbound session in memory.

    Args:
        name: Its name.
        ratchet: Seals.
        state: Its row.
        offers: Who was offered its key.
        unused: What is known of its own messages.
        before: How the session before ended, as far as it is known.
        last: The session before, if it is of this run.
        said: The first index whose message says ``before`` as it is now.
    """

    name: SessionName
    ratchet: GroupSession
    state: _State
    offers: dict[DeviceId, _Offer]
    unused: UnusedIndexes = field(default_factory=UnusedIndexes)
    before: SessionEnd | None = None
    last: _Ended | None = None
    said: int | None = None

    def to_say(self) -> SessionEnd | None:
        """Return what the next message says of the session before: all say it until one that did is in the log."""
        if self.said is None:
            self.said = self.ratchet.message_index
        return self.before if self.unused.used <= self.said else None

    def learn(self, end: SessionEnd | None) -> None:
        """Note how the session before ended, as far as it is known now."""
        self.before, self.said = end, None


class OutboundSessions:
    """The sessions that this device seals with, one for each room.

    Args:
        rows: Keeps the sessions.
        inbound: Gets each session, too, so that our own messages can be read.
        own: This device.
        generation: The vault's, which counts up each time that the vault is opened. A session of another generation is
            never used: the vault may have been copied or restored, and then other messages have used its indexes.
        random: Returns so many random bytes.
    """

    def __init__(self, rows: Rows, inbound: InboundSessions, own: DeviceId, generation: int, random: Random) -> None:
        self._rows = rows
        self._inbound = inbound
        self._own = own
        self._random = random
        self._generation = generation
        self._sessions: dict[str, _Outbound] = {}  # by room
        self._ended: dict[str, _Ended] = {}  # the last one of each room, until the next one begins
        self._ends = SessionEnds(rows)

    def prepare(self, room: str, members_rev: int, devices: Mapping[DeviceId, str], now: int) -> KeyShare | None:
        """Begin a new session for a room if one is due, and tell who needs the key of the current one.

        Args:
            room: The room's id.
            members_rev: The room's membership revision that ``devices`` belongs to.
            devices: All devices that may read the next message, each with its Ed25519 key; our own device is skipped.
            now: The time in ms.

        Returns:
            The key and who needs it; None if all devices have it.
        """
        session = self._current(room)
        if session is None or self._is_due(session, members_rev, now) or _has_left(session.offers, devices):
            session = self._begin(room, members_rev, now)
        lacking = tuple(device for device in devices if device != self._own and not _has_key(session.offers, device))
        if not lacking:
            return None
        key = RoomKey(
            room=room,
            sid=session.name.sid,
            key=session.ratchet.session_key.to_base64(),
            index=session.ratchet.message_index,
        )
        for user_id, device in lacking:
            ed25519 = devices[user_id, device]
            session.offers[user_id, device] = _Offer(user_id, device, ed25519, key.index, sent=False)
        self._write_offers(session)
        return KeyShare(session.name, key, lacking)

    def given(self, share: KeyShare, devices: Collection[DeviceId]) -> None:
        """Remember devices that a key was sent to; ``prepare`` names the others again.

        Args:
            share: What ``prepare`` returned.
            devices: Those of its devices that the server has taken the key for.
        """
        session = self._sessions.get(share.name.room)
        if session is None or session.name != share.name:
            return  # a new session has begun meanwhile
        for device in set(devices) & set(share.devices):
            if session.offers[device].index == share.key.index:
                session.offers[device] = replace(session.offers[device], sent=True)
        self._write_offers(session)

    def seal(
        self, room: str, members_rev: int, message: Mapping[str, Any], now: int, earlier: Sequence[Sealing] = ()
    ) -> SealedForRoom:
        """Seal a message for a room.

        Args:
            room: The room's id.
            members_rev: As for ``prepare``.
            message: Its ``id``, ``type``, ``ts`` in ms and ``body``.
            now: The time in ms.
            earlier: Where the same message was sealed before, if the server may have that.

        Raises:
            CryptoRefusal: ``key-due``: ``prepare`` must be called first, because a new session must begin;
                ``too-long``: the message is too long; ``unwritable``: it holds something that JSON cannot.
        """
        session = self._current(room)
        if session is None or self._is_due(session, members_rev, now):
            raise CryptoRefusal("key-due", "the members need a new key before this message can be sealed")
        try:
            said = RoomPlaintext(
                message["ts"], message["body"], message["type"], session.unused.told(), session.to_say()
            )
            plain = write_plaintext(room, self._own, message["id"], said)
        except ValueError:
            raise CryptoRefusal("unwritable", "the message holds characters that cannot be encrypted") from None
        if len(plain) > LONGEST_PLAIN:
            raise CryptoRefusal("too-long", "the message is too long to be encrypted")
        index = session.ratchet.message_index
        ct = session.ratchet.encrypt(plain).to_base64()
        session.unused.sealed(message["id"], index, ct, earlier)
        self._write(session)
        return SealedForRoom(session.name.sid, ct, index)

    def settled(self, id: str, ct: str) -> None:
        """Note what became of a message; see ``UnusedIndexes.settled``."""
        for ended in self._ended.values():
            if ended.unused.settled(id, ct):
                self._ends.put(ended.name.room, ended.end())
        for session in self._sessions.values():
            if session.unused.settled(id, ct):
                self._ends.put(session.name.room, session.unused.end(session.name.sid))
            elif session.last is not None and session.last.unused.settled(id, ct):
                session.learn(session.last.end() or session.before)
                if not session.unused.used:
                    self._ends.put(session.name.room, session.before)

    def stored(self, room: str, sid: str, index: int) -> None:
        """Note that a message which an earlier run has sealed is in the room's log; see ``SessionEnds.stored``."""
        session = self._current(room)
        if self._ends.stored(room, sid, index) and session is not None:
            session.learn(self._ends.get(room))

    def was_given(self, name: SessionName, device: DeviceId, ed25519: str) -> int | None:
        """Return the index from which we gave a device the key of a session of ours; None if we did not.

        Args:
            name: The session; also one that is used no more.
            device: The device that asks.
            ed25519: Its key; another device of that name was not given anything.
        """
        offer = self._read_offers(name).get(device)
        return offer.index if offer is not None and offer.sent and offer.ed25519 == ed25519 else None

    def forget(self, room: str) -> None:
        """Begin a new session with the next message to a room, as after leaving it."""
        session = self._sessions.pop(room, None)
        if session is not None:
            self._ended[room] = _Ended(session.name, session.unused)
            if len(self._ended) > MOST_ROOMS:
                del self._ended[next(iter(self._ended))]
        self._rows.delete(OUTBOUND, room)

    def end(self, sid: str) -> None:
        """Begin a new session with the next message of the room in which a session is used, if it is still used."""
        for session in list(self._sessions.values()):
            if session.name.sid == sid:
                self.forget(session.name.room)

    def _is_due(self, session: _Outbound, members_rev: int, now: int) -> bool:
        """Return whether a new session must begin before the next message."""
        state = session.state
        return (
            session.ratchet.message_index >= MOST_MESSAGES
            or session.unused.full
            or now - state.created >= LONGEST_USE
            or now < state.created  # the clock was set back, so nobody knows how old it is
            or state.members_rev != members_rev
        )

    def _current(self, room: str) -> _Outbound | None:
        """Return the session of a room, unless another generation of the vault made it."""
        if (session := self._sessions.get(room)) is not None:
            return session
        row = self._rows.get(OUTBOUND, room)
        if row is None:
            return None
        state = _states.decode(row)
        if state.generation != self._generation:
            return None
        ratchet = unpickled(GroupSession, state.pickle)
        name = SessionName(room, ratchet.session_id, self._own)
        self._sessions[room] = session = _Outbound(name, ratchet, state, self._read_offers(name))
        return session

    def _begin(self, room: str, members_rev: int, now: int) -> _Outbound:
        self.forget(room)
        ratchet = GroupSession()
        name = SessionName(room, ratchet.session_id, self._own)
        key = RoomKey(room=room, sid=name.sid, key=ratchet.session_key.to_base64(), index=0)
        self._inbound.take_shared(name, key)
        session = _Outbound(name, ratchet, _State(b"", now, members_rev, self._generation), {})
        session.before, session.last = self._ends.get(room), self._ended.pop(room, None)
        self._sessions[room] = session
        self._write(session)
        self._drop_old(session)
        return session

    def _write(self, session: _Outbound) -> None:
        session.state = replace(session.state, pickle=pickled(session.ratchet, self._random))
        self._rows.put(OUTBOUND, session.name.room, encode(session.state))

    def _write_offers(self, session: _Outbound) -> None:
        self._rows.put(OFFERS, session.name.key(), encode(list(session.offers.values())))

    def _read_offers(self, name: SessionName) -> dict[DeviceId, _Offer]:
        row = self._rows.get(OFFERS, name.key())
        return {(offer.user_id, offer.device): offer for offer in _offers.decode(row or b"[]")}

    def _drop_old(self, session: _Outbound) -> None:
        """Forget who has the keys of the oldest sessions; forget the sessions of other rooms if there are too many."""
        offers = self._rows.keys(OFFERS)
        if len(offers) > MOST_OFFERS:
            own = [name.key() for name in self._inbound.names() if name.owner == self._own]
            for key in set(offers) - set(own[-MOST_OFFERS // 2 :]):
                self._rows.delete(OFFERS, key)
        rooms = self._rows.keys(OUTBOUND)
        if len(rooms) > MOST_ROOMS:
            for room in set(rooms) - {session.name.room}:
                self.forget(room)  # the next message there begins a new session


def _has_left(offers: Mapping[DeviceId, _Offer], devices: Mapping[DeviceId, str]) -> bool:
    """Return whether a device that perhaps has the key must not read on, or has another Ed25519 key now."""
    return any(devices.get(device) != offer.ed25519 for device, offer in offers.items())


def _has_key(offers: Mapping[DeviceId, _Offer], device: DeviceId) -> bool:
    """Return whether the server has taken the key for a device."""
    return device in offers and offers[device].sent
