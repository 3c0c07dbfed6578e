"""The guards of the messages and keys of encrypted rooms, and of files, in ``client/crypto``."""

from __future__ import annotations

from guards.guard import guards

INBOUND = guards(
    "client/crypto/inbound_sessions",
    [
        ("a replay", "if known != digest:", "if False:"),
        ("a replay after a restart", "{int.from_bytes(entry[:2]): entry[2:] for entry in entries}", "{}"),
        (
            "a key with the id of another session",
            "if ratchet.session_id != key.sid or",
            "if",
        ),
        ("a key with another index", " or ratchet.first_known_index != key.index:", ":"),
        (
            "a later start that replaces an earlier one",
            "earlier = ratchet.first_known_index < known.ratchet.first_known_index",
            "earlier = True",
        ),
        ("a ratchet that contradicts the known one", "if known.follows(ratchet):", "if True:"),
        (
            "an answer that replaces the genuine session",
            "if known.authenticated or not authenticated:",
            "if not authenticated:",
        ),
        (
            "a file that replaces another file's",
            "if known.authenticated or not authenticated:",
            "if known.authenticated:",
        ),
        (
            "an imported session that blocks the genuine one",
            "proves = genuine and not known.authenticated",
            "proves = False",
        ),
        ("a session that has no end", "if opened.message_index >= LONGEST_SESSION:", "if False:"),
        ("a text of any length", "if len(ct) > LONGEST_CIPHERTEXT:", "if False:"),
        ("any number of sessions", "if len(numbers) >= self._most:", "if False:"),
        ("a user who pushes out the sessions of others", "if name.owner[0] == user_id)", "if True)"),
        ("any number of sessions in memory", "while len(self._loaded) > MOST_LOADED:", "while False:"),
        ("a gap that is not counted", "return range(due, index)", "return range(0)"),
        ("a message kept back in both its forms", "if not each.sid or self._has_opened(name, each)}", "}"),
        ("an unused index that is counted as missing", "index not in excused for", "True for"),
        ("a message that was opened and is missing at the end", "if index not in session.seen)", "if True)"),
        (
            "a message before the key that is missing at the end",
            "range(max(first, session.start), end",
            "range(first, end",
        ),
    ],
    "client/crypto/test_inbound_sessions",
    "client/crypto/test_key_requests",
    "client/crypto/test_key_export",
    "client/crypto/test_session_ends",
)
ROOM_PLAINTEXT = guards(
    "client/crypto/room_plaintext",
    [
        ("an event in another room, under another id or sender", "if raw[1:_HEAD] != _expected(sealed):", "if False:"),
        ("another room", "[room, *sender, id]", "[*sender, id]"),
        ("another id", "[room, *sender, id]", "[room, *sender]"),
        ("a sender who has the key", "[room, *sender, id]", "[room, sender[1], id]"),
        ("another device of the sender", "[room, *sender, id]", "[room, sender[0], id]"),
        (
            "a place that is no text",
            "except ValueError:\n        return None",
            "except ZeroDivisionError:\n        return None",
        ),
        ("a hash that is easily met", "_BINDING = 16 ", "_BINDING = 2 "),
        (
            "an event of the first version in another place",
            "if (first.room, first.id, first.sender) != (sealed.room, sealed.id, sealed.sender):",
            "if False:",
        ),
        (
            "another room, first version",
            "(first.room, first.id, first.sender)",
            "(sealed.room, first.id, first.sender)",
        ),
        ("another id, first version", "(first.room, first.id, first.sender)", "(first.room, sealed.id, first.sender)"),
        (
            "another sender, first version",
            "(first.room, first.id, first.sender)",
            "(first.room, first.id, sealed.sender)",
        ),
        ("an end without end", "ge=1, le=LONGEST_SESSION)]", "ge=1)]"),
        ("a version that is not known", "if version not in (1, VERSION):", "if False:"),
        ("a later version, in JSON", "if first.v != 1:", "if False:"),
        (
            "a length that tells the text",
            "return padded(bytes([VERSION])",
            "return (lambda text, _: text)(bytes([VERSION])",
        ),
    ],
)
OUTBOUND = guards(
    "client/crypto/outbound_sessions",
    [
        ("more than 100 messages of a session", "session.ratchet.message_index >= MOST_MESSAGES", "False"),
        ("a session older than a day", "or now - state.created >= LONGEST_USE", "or False"),
        ("a clock that was set back", "or now < state.created", "or False"),
        ("members that changed", "or state.members_rev != members_rev", "or False"),
        ("a removed or changed device", "or _has_left(session.offers, devices):", ":"),
        ("a changed device", "devices.get(device) != offer.ed25519", "device not in devices"),
        ("a state that was rolled back or copied", "if state.generation != self._generation:", "if False:"),
        (
            "sealing when a new key is due",
            "or self._is_due(session, members_rev, now):\n            raise",
            "or False:\n            raise",
        ),
        ("a key that goes out twice", "return device in offers and offers[device].sent", "return False"),
        (
            "sharing that failed half way and is not continued",
            "return device in offers and offers[device].sent",
            "return device in offers",
        ),
        ("the start of a session for who joins later", "index=session.ratchet.message_index,", "index=0,"),
        (
            "an index that is used twice after a restart",
            "        self._write(session)\n        return SealedForRoom",
            "        return SealedForRoom",
        ),
        (
            "an answer for an earlier session",
            "if session is None or session.name != share.name:",
            "if session is None:",
        ),
        ("an answer for an earlier share", "if session.offers[device].index == share.key.index:", "if True:"),
        (
            "a key for a device that was only offered it",
            "offer is not None and offer.sent and",
            "offer is not None and",
        ),
        ("a key for another device of the name", "and offer.ed25519 == ed25519 else", "else"),
        ("a message that the server does not take", "if len(plain) > LONGEST_PLAIN:", "if False:"),
        ("an end that is not said", "return self.before if self.unused.used <= self.said else None", "return None"),
        (
            "an end that is said once, though that message may not arrive",
            "return self.before if self.unused.used <= self.said else",
            "return self.before if self.ratchet.message_index <= self.said else",
        ),
        (
            "an end that is confirmed late",
            "                session.learn(session.last.end() or session.before)\n",
            "                pass\n",
        ),
        (
            "an end that is confirmed when the session has ended",
            "                self._ends.put(ended.name.room, ended.end())\n",
            "                pass\n",
        ),
        ("any number of ended sessions", "if len(self._ended) > MOST_ROOMS:", "if False:"),
    ],
    "client/crypto/test_session_ends",
    "client/crypto/test_outbound_sessions",
    "client/crypto/test_key_requests",
)
REQUESTS = guards(
    "client/crypto/key_requests",
    [
        ("an own device that is not signed", "if asker[1] not in signed or asker == self._own:", "if False:"),
        ("a device that was never given the key", "if given is None:", "if False:"),
        ("a start earlier than it was given", "index = given", "index = 0"),
        ("a key whose owner is not sure", "session is not None and session.authenticated", "session is not None"),
        ("an answer that nobody asked for", "if self._rows.get(ASKED, name.key()) is None or (", "if ("),
        ("an answer that comes again", "self._rows.delete(ASKED, name.key())\n        return", "return"),
        ("an answer of somebody else", "sender != key.owner and sender[0] != self._own[0]", "False"),
        ("requests without end", "0 <= now - int(before) < ASK_AGAIN", "False"),
        ("a clock that was set back", "0 <= now - int(before)", "now - int(before)"),
        ("any number of requests", "if len(waiting) >= MOST_ASKED:", "if False:"),
    ],
)
EXPORT = guards(
    "client/crypto/key_export",
    [
        (
            "a version that was changed",
            "decrypt(nonce, sealed, head.encode())",
            'decrypt(nonce, sealed, b"chatroom-room-keys 1")',
        ),
        ("a later version", "if version != VERSION:", "if False:"),
        ("a short passphrase", "if len(passphrase) < SHORTEST_PASSPHRASE:", "if False:"),
        ("any number of keys", "if len(sessions) > MOST_KEYS:", "if False:"),
        ("a file of any length", " or len(text) > LONGEST_FILE:", ":"),
        ("a weak hash", "memory_cost=65536", "memory_cost=8"),
        (
            "a salt that is used twice",
            "salt, nonce = random(_SALT), random(_NONCE)",
            "salt, nonce = bytes(_SALT), random(_NONCE)",
        ),
        (
            "a nonce that is used twice",
            "salt, nonce = random(_SALT), random(_NONCE)",
            "salt, nonce = random(_SALT), bytes(_NONCE)",
        ),
    ],
) + guards(
    "client/crypto/group_sessions",
    [("a file that is believed", "key, authenticated=False)", "key, authenticated=True)")],
    "client/crypto/test_key_export",
)
SESSION_ENDS = guards(
    "client/crypto/session_ends",
    [
        ("any number of rooms", "if len(rooms) >= MOST_ENDS:", "if False:"),
        ("another session", "end.mark != mark_of(sid) or ", ""),
        ("a message in doubt that is said to be there", "[*end.unused, *between]", "end.unused"),
        (
            "a message of a crash that is there",
            "self.put(room, end_of(end.mark, index + 1,",
            "(lambda *_: None)((index,",
        ),
    ],
)
UNUSED = guards(
    "client/crypto/unused_indexes",
    [
        ("more than fits beside a text", "return len(self.told()) >= FULL", "return False"),
        ("any number of earlier sealings", "tuple(earlier[-MOST_EARLIER:])", "tuple(earlier)"),
        ("a message in doubt that is said to be there", "[UnusedIndex(index) for index in doubtful] + ", ""),
        ("more than fits beside a text, at the end", "if len(entries) > MOST_AT_END:", "if False:"),
        (
            "a refused message that seems to be missing",
            "            self._unused[sealed.index] = ()\n",
            "            pass\n",
        ),
        (
            "a replaced message that seems to be missing",
            "            self._unused[index] = tuple(earlier",
            "            self._lost = tuple(earlier",
        ),
        (
            "a message that is there and is said not to be",
            "            self._unused.pop(sealed.index, None)\n",
            "            pass\n",
        ),
    ],
    "client/crypto/test_inbound_sessions",
    "client/crypto/test_outbound_sessions",
    "client/encryption/test_rooms",
    "client/encryption/test_earlier_messages",
    "client/crypto/test_session_ends",
)
EVENTS = guards(
    "client/crypto/room_messages",
    [
        ("another text for the index", "\\0{self.ct}", ""),
        ("another place for the index", "\\0{self.seq}", ""),
        ("another id for the index", "{self.id}\\0", ""),
    ],
    "client/crypto/test_inbound_sessions",
)
ROOMS = guards(
    "client/crypto/encrypted_rooms",
    [
        ("plain text to an encrypted room", "if self.is_encrypted(room, name):", "if False:"),
        ("plain text to a renamed room", "return self._rows.get(IDS, room) is not None or ", "return "),
        ("plain text to a room that was made again", " or self._rows.get(NAMES, fold(name)) is not None\n", "\n"),
        ("a room that is plain again", "        if known:\n", "        if False:\n"),
        ("a room that was made again", "remade = by_name is not None and by_name != room.encode()", "remade = False"),
        ("a room that cannot be remembered", "if not known and len(self._rows.keys(IDS)) >= MOST_ROOMS:", "if False:"),
    ],
)
AMENDMENTS = guards(
    "client/crypto/believed_amendments",
    [
        ("an edit by somebody else", "if kind in AUTHORS_ONLY and change.author != message.author:", "if False:"),
        ("a change from another place", " or message.place != change.place:", ":"),
        ("a plain change of a sealed message", "if message.sealed and not change.sealed:", "if False:"),
        ("a change by who is not proven", "if message.authenticated and not change.authenticated:", "if False:"),
        ("a change that is not known", "if kind not in KINDS:", "if False:"),
        ("a conversation of two others", "if own not in (author, to):", "if False:"),
    ],
)
FILES = guards(
    "client/crypto/file_cipher",
    [
        ("a file that changed", "or not self._is_same(index, digest):", ":"),
        (
            "a key that is used on after a change",
            "            self._cipher = None\n            raise",
            "            raise",
        ),
        ("a piece that was moved", "_nonce(self._head, index), sealed", "_nonce(self._head, 0), sealed"),
        ("a file that was cut short", "bytes([index == pieces_of(head.size) - 1])", "bytes(1)"),
        ("a header that was changed", "return hashlib.sha256(canonical(head)).digest()", "return bytes(32)"),
        ("a piece out of order", "if index != self.next or self.complete:", "if False:"),
        ("a piece that is sealed out of order", "if not 0 <= index <= self._read or", "if"),
        ("an unknown format", "if (head.v, head.alg, head.chunk) != (1, ALGORITHM, CHUNK):", "if False:"),
        ("an impossible size", "if not 0 < head.size <= LARGEST or", "if"),
    ],
) + guards(
    "client/crypto/file_offers",
    [
        ("a name that is a path", "name=safe_name(offer.name)", "name=offer.name"),
        ("a key of another length", "if len(unb64(offer.key)) != KEY_BYTES or", "if"),
        ("two sizes", " or offer.size != check_head(offer.head).size:", ":"),
        ("another offer in the place of the first", "if known.offer != offer:", "if False:"),
        ("a sender who pushes out the offers of others", "if len(theirs) > MOST_OF_ONE else", "if False else"),
        ("any number of offers", "while len(self._kept) > MOST:", "while False:"),
    ],
)

GUARDS = [
    *INBOUND,
    *ROOM_PLAINTEXT,
    *OUTBOUND,
    *REQUESTS,
    *EXPORT,
    *SESSION_ENDS,
    *UNUSED,
    *EVENTS,
    *ROOMS,
    *AMENDMENTS,
    *FILES,
]
