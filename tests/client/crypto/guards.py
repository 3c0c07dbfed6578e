"""The guards of the encryption, and what ``remove_guards.py`` puts in the place of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Guard(NamedTuple):
    """A guard.

    Args:
        file: The file that has it.
        what: What it guards against.
        text: Its text, which is in the file exactly once.
        instead: What replaces it.
        tests: Of these tests, one must fail then.
    """

    file: str
    what: str
    text: str
    instead: str
    tests: tuple[str, ...]


def _guards(module: str, found: Sequence[tuple[str, str, str]], *tests: str) -> list[Guard]:
    """Return the guards of a module of ``client/``; without ``tests``, they are in the module's own test."""
    folder, name = module.rsplit("/", 1)
    paths = tuple(f"tests/client/{test}" for test in tests or (f"{folder}/test_{name}",))
    return [Guard(f"chatroom/client/{module}.py", *guard, tuple(f"{path}.py" for path in paths)) for guard in found]


INBOUND = _guards(
    "crypto/inbound_sessions",
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
    ],
    "crypto/test_inbound_sessions",
    "crypto/test_key_requests",
    "crypto/test_key_export",
)
ROOM_PLAINTEXT = _guards(
    "crypto/room_plaintext",
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
        ("a version that is not known", "if version not in (1, VERSION):", "if False:"),
        (
            "a length that tells the text",
            "return padded(bytes([VERSION])",
            "return (lambda text, _: text)(bytes([VERSION])",
        ),
    ],
)
OUTBOUND = _guards(
    "crypto/outbound_sessions",
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
    ],
    "crypto/test_outbound_sessions",
    "crypto/test_key_requests",
)
REQUESTS = _guards(
    "crypto/key_requests",
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
EXPORT = _guards(
    "crypto/key_export",
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
) + _guards(
    "crypto/group_sessions",
    [("a file that is believed", "key, authenticated=False)", "key, authenticated=True)")],
    "crypto/test_key_export",
)
PLAINTEXT = _guards(
    "crypto/room_messages",
    [
        ("a later version", "if plain.v != 1:", "if False:"),
        ("another event for the index", 'sha256(f"{self.id}\\0{self.ct}"', 'sha256(f"{self.id}"'),
    ],
    "crypto/test_inbound_sessions",
)
ROOMS = _guards(
    "crypto/encrypted_rooms",
    [
        ("plain text to an encrypted room", "if self.is_encrypted(room, name):", "if False:"),
        ("plain text to a renamed room", "return self._rows.get(IDS, room) is not None or ", "return "),
        ("plain text to a room that was made again", " or self._rows.get(NAMES, fold(name)) is not None\n", "\n"),
        ("a room that is plain again", "        if known:\n", "        if False:\n"),
        ("a room that was made again", "remade = by_name is not None and by_name != room.encode()", "remade = False"),
        ("a room that cannot be remembered", "if not known and len(self._rows.keys(IDS)) >= MOST_ROOMS:", "if False:"),
    ],
)
AMENDMENTS = _guards(
    "crypto/believed_amendments",
    [
        ("an edit by somebody else", "if kind in AUTHORS_ONLY and change.author != message.author:", "if False:"),
        ("a change from another place", " or message.place != change.place:", ":"),
        ("a plain change of a sealed message", "if message.sealed and not change.sealed:", "if False:"),
        ("a change by who is not proven", "if message.authenticated and not change.authenticated:", "if False:"),
        ("a change that is not known", "if kind not in KINDS:", "if False:"),
        ("a conversation of two others", "if own not in (author, to):", "if False:"),
    ],
)
RECORDS = _guards(
    "crypto/device_records",
    [
        ("records for another server", "if record.server != server:", "if False:"),
        ("records of another user", "if record.user_id != user_id:", "if False:"),
        ("a later version", "if record.v != VERSION:", "if False:"),
        ("a list that the user did not sign", '_check_signature(listed.user_key, "device-list", listed)', "pass"),
        (
            "a device twice in a list",
            "if len({device.device for device in listed.devices}) != len(listed.devices):",
            "if False:",
        ),
        ("devices that are not checked", "        check_device(device, server, user_id)\n", "        pass\n"),
        ("an id of another key", "if not _is_id_of(device.device, device.ed25519):", "if False:"),
        ("a device that did not sign its keys", '_check_signature(device.ed25519, "device", device)', "pass"),
        ("a one-time key of another device", "if key.device != device.device:", "if False:"),
        (
            "a one-time key that the device did not sign",
            '_check_signature(device.ed25519, "one-time-key", key)',
            "pass",
        ),
        ("a zero key of a device", "_check_exchange_key(device.curve25519)", "pass"),
        ("a zero one-time key", "_check_exchange_key(key.key)", "pass"),
        ("two spellings of one signature", "unb64(key), unb64(signature)", "pass"),
    ],
)
IDENTITY = _guards(
    "crypto/identity",
    [
        (
            "a device that was not compared",
            "if device not in known and device.ed25519 != self.ed25519:",
            "if False:",
        ),
        (
            "a list of somebody else as the base",
            "set(base.devices if base is not None and self._is_ours(base) else ())",
            "set(base.devices if base is not None else ())",
        ),
        (
            "another user key than was expected",
            "if not self.expected_user_key or public != self.expected_user_key:",
            "if False:",
        ),
        (
            "a forged device for which a code is shown",
            "        check_device(pending, self.server, self._named())\n",
            "",
        ),
        ("a code of another device", "if found == wanted:", "if True:"),
        ("a fallback key that never changes", "not 0 <= now - made < FALLBACK_LASTS", "False"),
    ],
)
RECOVERY = _guards(
    "crypto/recovery_key",
    [
        ("a mistyped recovery key", "if number & (1 << _CHECK_BITS) - 1 != _check_of(raw):", "if False:"),
        (
            "a backup of another user",
            'return to_sign("recovery", {"server": server, "user_id": user_id})',
            'return b""',
        ),
        ("a later version", "if raw and raw[:1] != _FORMAT:", "if False:"),
    ],
)
FILES = _guards(
    "crypto/file_cipher",
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
) + _guards(
    "crypto/file_offers",
    [
        ("a name that is a path", "name=safe_name(offer.name)", "name=offer.name"),
        ("a key of another length", "if len(unb64(offer.key)) != KEY_BYTES or", "if"),
        ("two sizes", " or offer.size != check_head(offer.head).size:", ":"),
        ("another offer in the place of the first", "if known.offer != offer:", "if False:"),
        ("a sender who pushes out the offers of others", "if len(theirs) > MOST_OF_ONE else", "if False else"),
        ("any number of offers", "while len(self._kept) > MOST:", "while False:"),
    ],
)
CONTACTS = _guards(
    "crypto/contacts",
    [
        ("a list that is not checked", "check_list(listed, self._identity.server, user_id)", "pass"),
        ("our own key swapped", "if self._is_swapped_self(contact.user_id, listed.user_key):", "if False:"),
        (
            "a changed user key",
            "return replace(contact, changed=listed), Learned.CHANGED\n\n",
            "return replace(contact, known=listed), Learned.NEWER\n\n",
        ),
        ("an older list", "if listed.rev < earlier.rev:", "if False:"),
        (
            "two lists of one revision",
            "if listed.rev == earlier.rev and listed.user_key == earlier.user_key and listed != earlier:",
            "if False:",
        ),
        ("a name that belongs to somebody else", "if former_id not in (", "if False and former_id not in ("),
        (
            "sending to a blocked user",
            'raise CryptoRefusal("blocked", self.why_blocked(user_id))\n        if contact',
            "pass\n        if contact",
        ),
        ("sending although our own key was swapped", "        if self.get(own).blocked:", "        if False:"),
        ("sending before this device is linked", "        if not self.linked:", "        if False:"),
        ("our own device as a recipient", "if device.ed25519 != self._identity.ed25519)", "if True)"),
        (
            "messages of a device that is not signed",
            'raise CryptoRefusal("unknown-device"',
            'return None  # ("unknown-device"',
        ),
        ("a ghost device of an unexpected list", "or listed.user_key != expected:", "or False:"),
        (
            "plain text after encryption",
            "(contact.known is None and not contact.encrypted_once)",
            "(contact.known is None)",
        ),
        (
            "plain text to who has keys",
            "contact.known is None and not contact.encrypted_once",
            "not contact.encrypted_once",
        ),
        ("plain text to a blocked user", "        if contact.blocked:\n            return False\n", ""),
        ("digits that were not shown", "if digits != self.number(user_id):", "if False:"),
        (
            "our own key accepted",
            "if user_id == self._identity.user_id:\n            raise",
            "if False:\n            raise",
        ),
        ("a verified mark of our former key", "and contact.verified_with == self._identity.user_key", ""),
        (
            "a verified mark that outlives the key",
            "and not contact.blocked and contact.verified_with",
            "and contact.verified_with",
        ),
    ],
)
OLM = (
    _guards(
        "crypto/inner",
        [
            ("a message that was moved or relabelled", "if said != sent:", "if False:"),
            ("another server", "said = (inner.server, ", "said = (identity.server, "),
            ("another sender", "inner.sender, inner.sender_key", "(sender.user_id, sender.device), inner.sender_key"),
            ("another key of the sender", "inner.sender, inner.sender_key", "inner.sender, sender.ed25519"),
            ("another recipient", "inner.to, inner.to_key", "(identity.user_id, identity.device), inner.to_key"),
            ("another key of the recipient", "inner.to, inner.to_key", "inner.to, identity.ed25519"),
            ("another id", "inner.to_key, inner.id)", "inner.to_key, id)"),
            ("a later version", "if version != INNER_VERSION:", "if False:"),
            ("a text that is too long", "if len(plain) > MOST_BYTES:", "if False:"),
        ],
        "crypto/test_olm_sessions",
    )
    + _guards(
        "crypto/olm_sessions",
        [
            (
                "a device of another server, or our own",
                "if to.server != self._identity.server or to.ed25519 == self._identity.ed25519:",
                "if False:",
            ),
            ("a one-time key of another device", "check_one_time_key(claimed, to)", "pass"),
            ("a session in which nothing comes back", "or peer.unanswered >= NEVER_AFTER:", ":"),
            ("an old message under a new id", "if earlier is not None and earlier != id:", "if False:"),
            ("the same message twice", "if earlier is not None:\n            return Duplicate(id)\n", ""),
            ("a session that is started twice", "if self._peers.was_started(peer, first.session_id()):", "if False:"),
            ("a first message that starts another session", "if session.session_matches(first):", "if False:"),
            ("one id in two messages", "return Duplicate(id) if known else inner", "return inner"),
            ("a user key that was not asked for", "if not ours or not own.expected_user_key:", "if False:"),
            (
                "messages before this device is linked",
                "elif not own.user_key or (ours and own.expected_user_key):",
                "elif False:",
            ),
            ("more than one reset in a minute", "0 <= now - peer.state.reset_at < RESET_EVERY", "False"),
            ("a clock that was set back", "0 <= now - peer.state.reset_at", "now - peer.state.reset_at"),
            ("a message of any length", "or len(body) > MOST_CHARACTERS:", ":"),
            ("sent messages that cannot be sent again", "keep=type not in NOT_KEPT)", "keep=False)"),
        ],
    )
    + _guards(
        "crypto/sent_messages",
        [
            ("messages for other devices", "if message.id in wanted and", "if"),
            ("being made to send for ever", "and message.again < TIMES", ""),
            ("messages older than mail", "and now - message.ts < KEPT_FOR:", ":"),
        ],
        "crypto/test_olm_sessions",
    )
    + _guards(
        "crypto/peer_sessions",
        [
            (
                "any number of sessions with a device",
                "peer.sessions = [session, *others][:MOST_SESSIONS]",
                "peer.sessions = [session, *others]",
            ),
            ("the last that worked is not tried first", "[session, *others]", "[*others, session]"),
        ],
        "crypto/test_olm_sessions",
    )
    + _guards(
        "crypto/lost_messages",
        [("any number of lost messages", "[*lost.ids, id][-MOST_LOST:]", "[*lost.ids, id]")],
        "crypto/test_olm_sessions",
    )
)
VAULT_TESTS = ("vault/test_vault_file", "vault/test_vault_key", "vault/test_vault")
VAULT = (
    _guards(
        "vault/vault_file",
        [
            ("a row that was put back or removed", 'if f"{self._sum:x}" != head.sum:', "if False:"),
            (
                "a copied or restored vault",
                "self.generation = head.generation + 1",
                "self.generation = head.generation",
            ),
            ("a vault of a newer client", "if version > FORMAT:", "if False:"),
            ("a file that is another database", "if application != APPLICATION and (", "if False and ("),
            ("a commit that is undone by a crash", '"PRAGMA synchronous=FULL"', '"PRAGMA synchronous=OFF"'),
            ("old keys in free pages", '"PRAGMA secure_delete=ON"', '"PRAGMA secure_delete=OFF"'),
        ],
        *VAULT_TESTS,
    )
    + _guards(
        "vault/sealing",
        [
            (
                "a value that was moved, or is of another vault",
                'self._cipher = ChaCha20Poly1305(_derived(data_key, b"values"))',
                'bare = ChaCha20Poly1305(_derived(data_key, b"values"))\n'
                "        seal = staticmethod(lambda nonce, value, place: bare.encrypt(nonce, value, None))\n"
                "        unseal = staticmethod(lambda nonce, value, place: bare.decrypt(nonce, value, None))\n"
                '        self._cipher = type("Bare", (), {"encrypt": seal, "decrypt": unseal})()',
            ),
            (
                "names that can be read",
                'return hmac.digest(self._names, lengths(*map(text, parts)), "sha256")[:NAME]',
                "return lengths(*map(text, parts))",
            ),
        ],
        *VAULT_TESTS,
    )
    + _guards(
        "vault/vault_key",
        [
            ("a header that was changed", "if hashlib.sha256(body).digest()[:CHECK] != stored[:CHECK]:", "if False:"),
            (
                "a header that asks for endless work",
                "if not all(cost in fitting for cost, fitting in costs):",
                "if False:",
            ),
            ("an empty passphrase", "    if not words:", "    if False:"),
            (
                "a key of another vault",
                '    return lengths(b"chatroom vault wrap 1", header.id, ',
                '    return lengths(b"chatroom vault wrap 1", ',
            ),
        ],
        *VAULT_TESTS,
    )
    + _guards(
        "vault/vault_lock",
        [
            ("two vaults on one file in a process", "if _identity(os.stat(self.path)) in _OPEN:", "if False:"),
            ("two processes on one file", "fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)", "pass"),
            ("a file with a second name", "if found.st_nlink > 1:", "if False:"),
        ],
        *VAULT_TESTS,
    )
)
SIGNED = [
    Guard("chatroom/model/signed_bytes.py", *guard, ("tests/model/test_signed_bytes.py",))
    for guard in [
        ("two spellings of one key", "if b64(raw) != text:", "if False:"),
        ("a signature of another domain", 'domain.encode("ascii")', 'b"any"'),
        ("keys in any order", "sort_keys=True", "sort_keys=False"),
    ]
]
PADDING = _guards(
    "crypto/padding",
    [("a length that tells the text", 'plain + b" " * (-len(plain) % PADDING)', "plain")],
)

GUARDS = [
    *INBOUND,
    *ROOM_PLAINTEXT,
    *OUTBOUND,
    *REQUESTS,
    *EXPORT,
    *PLAINTEXT,
    *ROOMS,
    *AMENDMENTS,
    *RECORDS,
    *IDENTITY,
    *RECOVERY,
    *FILES,
    *CONTACTS,
    *OLM,
    *VAULT,
    *SIGNED,
    *PADDING,
]
