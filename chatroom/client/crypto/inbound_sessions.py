"""The sessions that open the messages of encrypted rooms: whose they are, and which messages they have opened.

Megolm itself opens a message any number of times, under any id, in any room and from any sender. The rules are here:

- A session belongs to the device that sent its key through Olm, and opens only messages that name that device.
- An index of a session belongs to the first message that it opened: the same message may be opened again, no other.
- A key never replaces an earlier start of the same session, and never touches a session of another device.
- A session from a file of keys is marked until its owner's own key arrives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.json import Decoder, encode
from vodozemac import ExportedSessionKey, InboundGroupSession, MegolmMessage, SessionKey

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.pickles import Random, pickled, unpickled
from chatroom.client.crypto.room_messages import (
    LONGEST_CIPHERTEXT,
    LONGEST_SESSION,
    RoomCiphertext,
    RoomKey,
    SessionName,
)
from chatroom.client.crypto.room_plaintext import RoomPlaintext, SessionEnd, UnusedIndex, read_plaintext
from chatroom.client.crypto.rows import Rows

MOST_SESSIONS = 5000
MOST_LOADED = 200  # sessions in memory, ready to open
SESSIONS = "room-sessions"
SEEN = "room-sessions-seen"
ORDER = "room-sessions-order"

_ENTRY = 34  # bytes of one index that was seen: two for the index, then the digest


class _Kept(Struct, frozen=True):
    """A session as its row holds it."""

    pickle: bytes
    start: int  # messages before this index are not expected
    authenticated: bool

    def __repr__(self) -> str:
        return "<_Kept>"


_kept = Decoder(_Kept)


@dataclass(frozen=True, slots=True)
class OpenedInRoom:
    """A message of an encrypted room that was opened and passed all checks.

    Args:
        plain: What was sealed.
        index: Its number in the session.
        skipped: How many messages of the session were skipped just before it, those not counted that its author has
            never sent.
        authenticated: False if only a file of keys says whose session it is.
    """

    plain: RoomPlaintext = field(repr=False)
    index: int
    skipped: int
    authenticated: bool


@dataclass(slots=True, repr=False)
class InboundSession:
    """A session in memory.

    Args:
        ratchet: Opens messages.
        start: The first index that is expected; an earlier one is readable but never missing.
        authenticated: The owner sent the key, or a device of ours that knows it from the owner.
        seen: The digest of the message that each index opened.
    """

    ratchet: InboundGroupSession
    start: int
    authenticated: bool
    seen: dict[int, bytes] = field(default_factory=dict)

    def follows(self, other: InboundGroupSession) -> bool:
        """Return whether two ratchets are the same one, perhaps from different indexes on."""
        index = max(self.ratchet.first_known_index, other.first_known_index)
        mine, others = self.ratchet.export_at(index), other.export_at(index)
        return mine is not None and others is not None and mine.to_base64() == others.to_base64()


class InboundSessions:
    """All sessions that this device can open messages of.

    Args:
        rows: Keeps the sessions.
        random: Returns so many random bytes.
        most: How many sessions are kept; then the oldest of the user who has the most is forgotten.
    """

    def __init__(self, rows: Rows, random: Random, most: int = MOST_SESSIONS) -> None:
        self._rows = rows
        self._random = random
        self._most = most
        self._loaded: dict[SessionName, InboundSession] = {}
        self._order: dict[SessionName, int] | None = None  # the number of each session, the oldest first

    def knows(self, name: SessionName) -> bool:
        """Return whether there is such a session."""
        return name in self._numbers()

    def names(self) -> list[SessionName]:
        """Return the names of all sessions, the oldest first."""
        return list(self._numbers())

    def find(self, name: SessionName) -> InboundSession | None:
        """Return a session, or None."""
        session = self._loaded.pop(name, None) or self._read(name)
        if session is not None:
            self._loaded[name] = session  # the last used is last
            while len(self._loaded) > MOST_LOADED:
                del self._loaded[next(iter(self._loaded))]
        return session

    # ---- keys --------------------------------------------------------------------------------------------------------

    def take_shared(self, name: SessionName, key: RoomKey) -> bool:
        """Take a key that the session's owner sent, of its own accord, to this device.

        Args:
            name: The session, owned by the device that sent the key.
            key: The key.

        Returns:
            Whether messages can be opened now that could not be opened or not be authenticated before.

        Raises:
            CryptoRefusal: The key is none, or is not the session's.
        """
        return self._take(name, _ratchet(key, signed=True), authenticated=True)

    def take_exported(self, name: SessionName, key: RoomKey, authenticated: bool) -> bool:
        """Take a key that was exported from a session: from a file, or as an answer that we asked for.

        Args:
            name: The session.
            key: The key.
            authenticated: We trust who gave it to know the owner. False for a file.

        Returns:
            Whether messages can be opened now that could not be opened or not be authenticated before.

        Raises:
            CryptoRefusal: The key is none, is not the session's, or contradicts a session that is known.
        """
        return self._take(name, _ratchet(key, signed=False), authenticated)

    def _take(self, name: SessionName, ratchet: InboundGroupSession, authenticated: bool) -> bool:
        known = self.find(name)
        if known is None:
            self._add(name, InboundSession(ratchet, ratchet.first_known_index, authenticated))
            return True
        if known.follows(ratchet):
            return self._merge(name, known, ratchet, authenticated)
        if known.authenticated or not authenticated:
            raise CryptoRefusal("forged", "a room key contradicts the key of the same session that is known")
        self._write(name, InboundSession(ratchet, ratchet.first_known_index, True))  # what the file said was false
        return True

    def _merge(self, name: SessionName, known: InboundSession, ratchet: InboundGroupSession, genuine: bool) -> bool:
        """Keep the earlier start of two keys of one session; the genuine key authenticates both."""
        earlier = ratchet.first_known_index < known.ratchet.first_known_index
        proves = genuine and not known.authenticated
        if earlier:
            known.ratchet = ratchet
        if proves:
            known.authenticated = True
            known.start = max(known.start, ratchet.first_known_index)
        if earlier or proves:
            self._write(name, known)
        return earlier or proves

    # ---- messages ----------------------------------------------------------------------------------------------------

    def open(self, sealed: RoomCiphertext) -> OpenedInRoom:
        """Open a message.

        Raises:
            CryptoRefusal: ``no-key``: its key has not arrived; ``relabelled``: the session belongs to another device;
                ``moved``: it was sealed for another room, id or sender; ``replayed``: its index opened another message;
                ``before-key``: it was sealed before the first message that our key opens; ``unopened``,
                ``unreadable``, ``too-new``: it cannot be read.
        """
        name = sealed.name()
        session = self.find(name)
        if session is None:
            raise self._unknown(name)
        raw, index = _decrypted(session.ratchet, sealed.ct)
        plain = read_plaintext(raw, sealed)
        skipped = self._note(name, session, index, sealed.digest())
        missing = self._missing(name, skipped, plain.unused) if skipped else 0
        return OpenedInRoom(plain, index, missing, session.authenticated)

    def _unknown(self, name: SessionName) -> CryptoRefusal:
        """Return why a session does not open a message that the server says is from a device."""
        if any((other.room, other.sid) == (name.room, name.sid) for other in self._numbers()):
            return CryptoRefusal("relabelled", "the server names another sender than the one who sealed the message")
        return CryptoRefusal("no-key", "the key of this message has not arrived")

    def _note(self, name: SessionName, session: InboundSession, index: int, digest: bytes) -> range:
        """Bind an index to a message; return the indexes that were skipped just before it."""
        known = session.seen.get(index)
        if known is not None:
            if known != digest:
                raise CryptoRefusal("replayed", "the message uses a number that belongs to another message")
            return range(0)
        due = max(max(session.seen, default=-1) + 1, session.start)
        session.seen[index] = digest
        self._rows.put(SEEN, name.key(), b"".join(number.to_bytes(2) + seen for number, seen in session.seen.items()))
        return range(due, index)

    def missing_at_end(self, name: SessionName, first: int, end: SessionEnd) -> int:
        """Return how many messages at the end of a session were not opened, though they are in the room's log.

        Args:
            name: The session.
            first: Messages before this index are not counted.
            end: How the session ended, as its owner says.
        """
        session = self.find(name)
        if session is None:
            return 0
        due = range(max(first, session.start), end.used)
        return self._missing(name, (index for index in due if index not in session.seen), end.unused)

    def _missing(self, name: SessionName, skipped: Iterable[int], unused: tuple[UnusedIndex, ...]) -> int:
        """Return how many skipped indexes are missing: their author does not say in a later message that they are
        unused, or says that another message stands in their place, which was not opened here."""
        excused = {each.index for each in unused if not each.sid or self._has_opened(name, each)}
        return sum(index not in excused for index in skipped)

    def _has_opened(self, name: SessionName, unused: UnusedIndex) -> bool:
        """Return whether the message was opened that stands in the log in place of an index."""
        session = self.find(SessionName(name.room, unused.sid, name.owner))
        return session is not None and unused.before in session.seen

    # ---- rows --------------------------------------------------------------------------------------------------------

    def forget(self, name: SessionName) -> None:
        """Forget a session. Its messages can be opened no more."""
        number = self._numbers().pop(name, None)
        self._loaded.pop(name, None)
        if number is not None:
            for table in (SESSIONS, SEEN):
                self._rows.delete(table, name.key())
            self._rows.delete(ORDER, _order_key(number, name))

    def _numbers(self) -> dict[SessionName, int]:
        if self._order is None:
            self._order = dict(_read_order(self._rows))
        return self._order

    def _add(self, name: SessionName, session: InboundSession) -> None:
        """Keep a new session, and forget an old one if there are too many."""
        numbers = self._numbers()
        if len(numbers) >= self._most:
            self.forget(self._victim(numbers))
        numbers[name] = number = max(numbers.values(), default=0) + 1
        self._rows.put(ORDER, _order_key(number, name), b"")
        self._write(name, session)

    def _victim(self, numbers: dict[SessionName, int]) -> SessionName:
        """Return the oldest session of the user who has the most, so that one user cannot push out the others'."""
        (user_id, _), *_ = Counter(name.owner[0] for name in numbers).most_common(1)
        return next(name for name in numbers if name.owner[0] == user_id)

    def _write(self, name: SessionName, session: InboundSession) -> None:
        kept = _Kept(pickled(session.ratchet, self._random), session.start, session.authenticated)
        self._rows.put(SESSIONS, name.key(), encode(kept))
        if not session.seen:
            self._rows.delete(SEEN, name.key())  # of a session that the genuine one replaced
        self._loaded[name] = session

    def _read(self, name: SessionName) -> InboundSession | None:
        row = self._rows.get(SESSIONS, name.key())
        if row is None:
            return None
        kept = _kept.decode(row)
        seen = self._rows.get(SEEN, name.key()) or b""
        entries = (seen[at : at + _ENTRY] for at in range(0, len(seen), _ENTRY))
        return InboundSession(
            unpickled(InboundGroupSession, kept.pickle),
            kept.start,
            kept.authenticated,
            {int.from_bytes(entry[:2]): entry[2:] for entry in entries},
        )


def _order_key(number: int, name: SessionName) -> str:
    return f"{number:012d}{name.key()}"


_names = Decoder(tuple[str, str, str, str])


def _read_order(rows: Rows) -> Iterator[tuple[SessionName, int]]:
    """Yield the sessions with their numbers, the oldest first."""
    for key in rows.keys(ORDER):
        room, sid, user_id, device = _names.decode(key[12:])
        yield SessionName(room, sid, (user_id, device)), int(key[:12])


def _ratchet(key: RoomKey, signed: bool) -> InboundGroupSession:
    """Return the ratchet of a key.

    Args:
        key: The key.
        signed: It is a key as its owner sends it, signed by the session itself; else an exported one.

    Raises:
        CryptoRefusal: It is no such key, or its session or index is another one than it says.
    """
    try:
        if signed:
            ratchet = InboundGroupSession(SessionKey(key.key))
        else:
            ratchet = InboundGroupSession.import_session(ExportedSessionKey(key.key))
    except ValueError:
        raise CryptoRefusal("bad-key", "a room key is damaged") from None
    if ratchet.session_id != key.sid or ratchet.first_known_index != key.index:
        raise CryptoRefusal("forged", "a room key is not the key of the session that it names")
    return ratchet


def _decrypted(ratchet: InboundGroupSession, ct: str) -> tuple[bytes, int]:
    """Return what was sealed, and its index.

    Raises:
        CryptoRefusal: The ratchet does not open it.
    """
    if len(ct) > LONGEST_CIPHERTEXT:
        raise CryptoRefusal("unopened", "the message is too long to be opened")
    try:
        message = MegolmMessage.from_base64(ct)
        if message.message_index() < ratchet.first_known_index:
            raise CryptoRefusal("before-key", "the message was sealed before this device was given the key")
        opened = ratchet.decrypt(message)
    except ValueError:
        raise CryptoRefusal("unopened", "the message cannot be opened with the key of its session") from None
    if opened.message_index >= LONGEST_SESSION:  # what was seen of a session is never forgotten, so it has an end
        raise CryptoRefusal("unopened", "the session has more messages than a device may seal with it")
    return opened.plaintext, opened.message_index
