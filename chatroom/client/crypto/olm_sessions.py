"""Seals messages for devices, and opens messages from devices, in Olm sessions.

A message that cannot be opened is answered by a reset: a new session in which the sender is asked for it again. The
library opens a message at most 2000 after the last one, and at most 40 that came out of order. So a session in which
nothing came back for long is replaced by a new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from vodozemac import AnyOlmMessage, PreKeyMessage, Session

from chatroom.client.crypto.device_records import check_one_time_key
from chatroom.client.crypto.errors import CryptoRefusal, not_linked
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.inner import Inner, read, written
from chatroom.client.crypto.lost_messages import LostMessages
from chatroom.client.crypto.opened_messages import OpenedMessages
from chatroom.client.crypto.peer_sessions import PeerSessions, RemoteDevice, peer_name
from chatroom.client.crypto.pickles import Random
from chatroom.client.crypto.rows import Rows
from chatroom.client.crypto.sent_messages import NOT_KEPT, SentMessage, SentMessages
from chatroom.model.device_keys import DeviceKeys, Envelope, SignedKey
from chatroom.model.signed_bytes import b64, unb64

PRE_KEY: Final = 0
NORMAL: Final = 1
MOST_CHARACTERS = 8192  # of a body
FRESH_AFTER = 1000  # messages without an answer, after which a new session is wanted
NEVER_AFTER = 1900  # and after which the old one is not used any more
RESET_EVERY = 60_000  # ms between two resets to the same device


@dataclass(frozen=True, slots=True)
class Duplicate:
    """What ``open`` returns for a message that was opened before: it is to be acknowledged, and not shown."""

    id: str


@dataclass(frozen=True, slots=True)
class Reset:
    """A device of which messages could not be opened. ``seal_reset`` asks it for them.

    Args:
        user_id: The id of the user.
        device: The id of the device.
        at: When the reset may be sent, in milliseconds.
    """

    user_id: str
    device: str
    at: int


class OlmSessions:
    """The sessions with all devices. Commit the rows before an envelope is sent, or a message acknowledged.

    Args:
        rows: Where the sessions are kept.
        identity: Our own keys.
        random: Returns random bytes.
        generation: How often the rows were opened, this time included.
        doubt: The generation in which they were last opened without having been closed; see ``PeerSessions``.
    """

    def __init__(self, rows: Rows, identity: Identity, random: Random, generation: int = 0, doubt: int = 0) -> None:
        self._identity = identity
        self._peers = PeerSessions(rows, random, generation, doubt)
        self._seen = OpenedMessages(rows)
        self._sent = SentMessages(rows)
        self._lost = LostMessages(rows)

    # ---- sealing

    def wanting_keys(self, devices: Iterable[DeviceKeys]) -> list[DeviceKeys]:
        """Return the devices for which a one-time key is to be claimed before the next message.

        With some of them there is a session, but too much was sent in it without an answer. If no key can be had for
        such a device, it is still sealed in the old session, up to ``NEVER_AFTER`` messages. Others have only sessions
        of a store that may be a copy of another; see ``PeerSessions``.
        """
        return [device for device in devices if self._wants_key(self._peers.of(peer_name(device)))]

    def seal(
        self,
        to: DeviceKeys,
        *,
        type: str,
        id: str,
        ts: int,
        body: dict[str, Any],
        claimed: SignedKey | None = None,
    ) -> Envelope:
        """Seal a message for a device, and keep it in case the device asks for it again.

        Args:
            to: The device, from ``Contacts.recipients``.
            type: The kind of message.
            id: The id of the message, which the envelope has outside as well.
            ts: The time in milliseconds.
            body: What the message says.
            claimed: A one-time key of the device; a new session begins with it.

        Raises:
            CryptoRefusal: There is no session and no key (``no-session``), the key is not genuine, or the message is
                too long.
        """
        peer = self._peers.of(peer_name(to))
        message = SentMessage(type=type, id=id, ts=ts, body=body, number=peer.state.sent)
        return self._seal(peer, to, message, claimed, keep=type not in NOT_KEPT)

    def _seal(
        self, peer: RemoteDevice, to: DeviceKeys, message: SentMessage, claimed: SignedKey | None, *, keep: bool = False
    ) -> Envelope:
        """Seal a message in a new session, or in the first one, and keep it or not."""
        plain = written(self._identity, to, message.type, message.id, message.ts, message.body)
        session = self._session_for(peer, to, claimed)
        kind, sealed = session.encrypt(plain).to_parts()
        peer.state.unanswered[session.session_id] = peer.state.unanswered.get(session.session_id, 0) + 1
        if keep:
            self._sent.add(peer.name, message)
            peer.state.sent += 1
        self._peers.keep(peer, session)
        return Envelope(user_id=to.user_id, device=to.device, kind=PRE_KEY if kind == 0 else NORMAL, body=b64(sealed))

    def _session_for(self, peer: RemoteDevice, to: DeviceKeys, claimed: SignedKey | None) -> Session:
        """Return the session to seal in."""
        if to.server != self._identity.server or to.ed25519 == self._identity.ed25519:
            raise CryptoRefusal("no-session", "nothing is sealed for that device")
        if claimed is not None:
            check_one_time_key(claimed, to)
            try:
                session = self._identity.new_session(to, claimed)
            except ValueError:
                raise CryptoRefusal("forged", "a key of a device is worthless") from None
            self._peers.use(peer, session)
            return session
        present = peer.sealing
        if present is None or peer.unanswered >= NEVER_AFTER:
            raise CryptoRefusal("no-session", f"there is no one-time key for a device of {to.user_id}")
        return present

    def _wants_key(self, peer: RemoteDevice) -> bool:
        """Return whether a new session with a device is wanted."""
        return peer.sealing is None or peer.unanswered >= FRESH_AFTER

    # ---- opening

    def open(self, sender: DeviceKeys, id: str, kind: int, body: str) -> Inner | Duplicate:
        """Open a message.

        Args:
            sender: The device from which the server says it came, from ``Contacts.sender``.
            id: The id that the server gives.
            kind: 0 for a message that starts a session, 1 for another.
            body: The sealed message.

        Returns:
            The message, or ``Duplicate`` if it was opened before.

        Raises:
            CryptoRefusal: It cannot be opened (``undecryptable``: see ``resets``), it was given under another id before
                (``replayed``), it is not what it seems (``forged``), it is of a newer version (``newer-version``), or
                this device waits to be linked (``not-linked``: it is asked for later).
        """
        peer = self._peers.of(peer_name(sender))
        sealed = _bytes_of(kind, body)
        digest = b64(sha256(bytes([kind]) + sealed).digest()[:16])
        earlier = self._seen.outer_id(peer.name, digest)
        if earlier is not None and earlier != id:
            raise CryptoRefusal("replayed", "the server gave an old message under a new id")
        if earlier is not None:
            return Duplicate(id)
        try:
            session, plain = self._decrypt(peer, sender, kind, sealed)
        except ValueError:  # the library's errors; their texts are for programmers
            self._lost.add(peer.name, sender.user_id, sender.device, id)
            raise CryptoRefusal("undecryptable", "a message could not be opened") from None
        return self._judge(peer, sender, session, plain, digest, id)

    def _decrypt(self, peer: RemoteDevice, sender: DeviceKeys, kind: int, sealed: bytes) -> tuple[Session, bytes]:
        """Return the text of a message, and the session that opened it, which may be new.

        Raises:
            ValueError: No session opens it.
        """
        if kind == PRE_KEY:
            first = PreKeyMessage.from_base64(b64(sealed))
            for session in peer.sessions:
                if session.session_matches(first):
                    return session, session.decrypt(first.to_any())
            return self._start(peer, sender, first)
        message = AnyOlmMessage.from_parts(kind, sealed)
        for session in peer.sessions:
            try:
                return session, session.decrypt(message)
            except ValueError:
                continue
        raise ValueError("no session opens it")

    def _start(self, peer: RemoteDevice, sender: DeviceKeys, first: PreKeyMessage) -> tuple[Session, bytes]:
        """Return the session that a message starts, and its text. The same session is never started twice.

        A fallback key would let the server start a session again, and show its first messages a second time.

        Raises:
            ValueError: The session was started before, or the message does not start one with our keys.
        """
        if self._peers.was_started(peer, first.session_id()):
            raise ValueError("a session that was given up")
        session, plain = self._identity.accept_session(sender, first)
        self._peers.note_started(peer, first.session_id())
        return session, plain

    def _judge(
        self, peer: RemoteDevice, sender: DeviceKeys, session: Session, plain: bytes, digest: str, id: str
    ) -> Inner | Duplicate:
        """Return the message of an opened text if it is what it seems; only then its session is used further."""
        try:
            inner = read(plain, self._identity, sender, id)
        except CryptoRefusal as refusal:
            if refusal.code == "newer-version":  # the sender is genuine, and goes on in this session
                self._advance(peer, session)
            self._seen.add(peer.name, digest, id, "")
            raise
        self._advance(peer, session)
        known = self._seen.has(peer.name, inner.id)
        try:
            self._check_link(sender, inner)
        except CryptoRefusal:
            self._seen.add(peer.name, digest, id, "")
            raise
        self._seen.add(peer.name, digest, id, inner.id)
        self._lost.remove(peer.name, [id])
        return Duplicate(id) if known else inner

    def _advance(self, peer: RemoteDevice, session: Session) -> None:
        """Make the session that has just opened a message the first of a device."""
        self._peers.use(peer, session)
        peer.state.unanswered[session.session_id] = 0
        self._peers.keep(peer, session)

    def _check_link(self, sender: DeviceKeys, inner: Inner) -> None:
        """Raise ``CryptoRefusal`` unless a device that waits to be linked gets its user key, and others other things.

        Until then our own devices are only what the server says they are.
        """
        own = self._identity
        ours = sender.user_id == own.user_id
        if inner.type == "secret.usk":
            if not ours or not own.expected_user_key:
                raise CryptoRefusal("forged", "somebody sent a user key that this device does not wait for")
        elif not own.user_key or (ours and own.expected_user_key):
            self._lost.add(peer_name(sender), sender.user_id, sender.device, inner.id)
            raise not_linked()

    # ---- what could not be opened

    def resets(self) -> list[Reset]:
        """Return the devices to which a reset is to be sent, and from when on."""
        return [
            Reset(lost.user_id, lost.device, self._reset_from(self._peers.of(name)))
            for name, lost in self._lost.all().items()
        ]

    def seal_reset(self, to: DeviceKeys, *, id: str, now: int, claimed: SignedKey) -> Envelope | None:
        """Seal a reset: a message in a new session that asks a device for what could not be opened.

        Args:
            to: The device.
            id: The id of the message.
            now: The time in milliseconds.
            claimed: A one-time key of the device.

        Returns:
            The envelope; None if nothing is lost, or the last reset to this device was less than a minute ago.

        Raises:
            CryptoRefusal: The key is not genuine.
        """
        peer = self._peers.of(peer_name(to))
        lost = self._lost.of(peer.name)
        if lost is None or (peer.state.reset_at is not None and 0 <= now - peer.state.reset_at < RESET_EVERY):
            return None
        ids = lost.next_ids()
        message = SentMessage(type="session.reset", id=id, ts=now, body={"ids": ids}, number=peer.state.sent)
        envelope = self._seal(peer, to, message, claimed)
        peer.state.reset_at = now
        self._peers.keep(peer)
        self._lost.remove(peer.name, ids)
        return envelope

    def asked_again(self, by: DeviceKeys, ids: Collection[str], now: int) -> list[SentMessage]:
        """Return what a device may have again after its ``session.reset``: only what was sealed for that device.

        Args:
            by: The device that asked.
            ids: The ids for which it asked.
            now: The time in milliseconds.
        """
        return self._sent.take(peer_name(by), [id for id in ids if isinstance(id, str)], now)

    def seal_again(self, to: DeviceKeys, message: SentMessage, claimed: SignedKey | None = None) -> Envelope:
        """Seal a message from ``asked_again`` once more, under the same id.

        Raises:
            CryptoRefusal: See ``seal``.
        """
        return self._seal(self._peers.of(peer_name(to)), to, message, claimed)

    def forget_old(self, now: int) -> None:
        """Remove messages that were kept for 30 days. Call it once in a while, such as at the start.

        Args:
            now: The time in milliseconds.
        """
        for name in self._peers.names():
            self._sent.forget_old(name, now)

    def _reset_from(self, peer: RemoteDevice) -> int:
        """Return when the next reset may be sent to a device, in milliseconds."""
        return 0 if peer.state.reset_at is None else peer.state.reset_at + RESET_EVERY


def _bytes_of(kind: int, body: str) -> bytes:
    """Return the bytes of a sealed message.

    Raises:
        CryptoRefusal: It is none.
    """
    if kind not in (PRE_KEY, NORMAL) or len(body) > MOST_CHARACTERS:
        raise CryptoRefusal("forged", "the server gave something that is no encrypted message")
    try:
        return unb64(body)
    except ValueError:
        raise CryptoRefusal("forged", "the server gave something that is no encrypted message") from None
