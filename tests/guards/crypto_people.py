"""The guards of identities, contacts and messages to devices, in ``client/crypto``."""

from __future__ import annotations

from guards.guard import guards

RECORDS = guards(
    "client/crypto/device_records",
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
IDENTITY = guards(
    "client/crypto/identity",
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
RECOVERY = guards(
    "client/crypto/recovery_key",
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
CONTACTS = guards(
    "client/crypto/contacts",
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
    guards(
        "client/crypto/inner",
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
            ("a length that tells the text", "plain = padded(canonical(inner))", "plain = canonical(inner)"),
        ],
        "client/crypto/test_olm_sessions",
    )
    + guards(
        "client/crypto/olm_sessions",
        [
            (
                "a device of another server, or our own",
                "if to.server != self._identity.server or to.ed25519 == self._identity.ed25519:",
                "if False:",
            ),
            ("a one-time key of another device", "check_one_time_key(claimed, to)", "pass"),
            ("a session in which nothing comes back", "or peer.unanswered >= NEVER_AFTER:", ":"),
            ("an old message under a new id", "if earlier is not None and earlier != id:", "if False:"),
            ("the same message twice", "        if earlier is not None:\n            return Duplicate(id)\n", ""),
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
    + guards(
        "client/crypto/sent_messages",
        [
            ("messages for other devices", "if message.id in wanted and", "if"),
            ("being made to send for ever", "and message.again < TIMES", ""),
            ("messages older than mail", "and now - message.ts < KEPT_FOR:", ":"),
        ],
        "client/crypto/test_olm_sessions",
    )
    + guards(
        "client/crypto/peer_sessions",
        [
            (
                "any number of sessions with a device",
                "peer.sessions = [session, *others][:MOST_SESSIONS]",
                "peer.sessions = [session, *others]",
            ),
            ("the last that worked is not tried first", "[session, *others]", "[*others, session]"),
        ],
        "client/crypto/test_olm_sessions",
    )
    + guards(
        "client/crypto/lost_messages",
        [("any number of lost messages", "[*lost.ids, id][-MOST_LOST:]", "[*lost.ids, id]")],
        "client/crypto/test_olm_sessions",
    )
)
SIGNED = guards(
    "model/signed_bytes",
    [
        ("two spellings of one key", "if b64(raw) != text:", "if False:"),
        ("a signature of another domain", 'domain.encode("ascii")', 'b"any"'),
        ("keys in any order", "sort_keys=True", "sort_keys=False"),
    ],
)
PADDING = guards(
    "client/crypto/padding",
    [("a length that tells the text", 'plain + b" " * (-(len(plain) + 1) % step)', "plain")],
)

GUARDS = [*RECORDS, *IDENTITY, *RECOVERY, *CONTACTS, *OLM, *SIGNED, *PADDING]
