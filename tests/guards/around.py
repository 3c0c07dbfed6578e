"""The guards around both, in ``client/encryption``: texts, mail, files, links, and what the user commands."""

from __future__ import annotations

from guards.guard import guards

PRIVATE = (
    "client/encryption/test_strange_messages",
    "client/encryption/test_hostile_private",
    "client/encryption/test_private",
)
ROOMS = (
    "client/encryption/test_strange_room_messages",
    "client/encryption/test_hostile_rooms",
    "client/encryption/test_rooms",
    "client/encryption/test_after_restart",
)
DEVICES = (
    "client/encryption/test_own_devices",
    "client/encryption/test_vault_copies",
    "client/encryption/test_standing",
    "client/encryption/test_linking_again",
    "client/encryption/test_list_changes",
    "client/encryption/test_recovery",
)
COMMANDS = ("client/screen/test_encryption_view",)

OTHERS = [
    *guards(
        "client/encryption/envelopes",
        [
            (
                "a one-time key that is not genuine",
                "if key is not None and self._is_genuine(key, device):",
                "if key is not None:",
            ),
            (
                "a one-time key that is not genuine, untold",
                '            self._warn(f"The server gave a key that is not genuine',
                '            str(f"The server gave a key that is not genuine',
            ),
            ("a failed claim", "            if not succeeded:\n", "            if False:\n"),
            ("a message that is too long", 'if refused.code != "no-session":', "if False:"),
        ],
        "client/encryption/test_envelopes",
        *PRIVATE,
    ),
    *guards(
        "client/encryption/key_server",
        [
            (
                "a server that keeps us asking",
                "wanted = wanted[max(1, len(answer.users)) :]",
                "wanted = wanted[len(answer.users) :]",
            ),
            (
                "members that change while they are read",
                "            if rev not in (-1, answer.rev):\n",
                "            if False:\n",
            ),
            (
                "a message that the server has refused",
                "            if not succeeded:\n                raise _for_people",
                "            if False:\n                raise _for_people",
            ),
        ],
        "client/encryption/test_key_server",
        *PRIVATE,
        *ROOMS,
    ),
    *guards(
        "client/encryption/plaintext",
        [
            ("escapes in a text", "cleaned = clean_lines(text) if", "cleaned = text if"),
            ("a text that is none", "isinstance(text, str) else", "True else"),
            ("a blank text", "not cleaned or is_blank(cleaned) or", ""),
            ("any number of lines", ' or cleaned.count("\\n") >= MOST_LINES:', ":"),
            (
                "an emoji that is none",
                "if not isinstance(emoji, str) or not is_emoji(emoji):",
                "if not isinstance(emoji, str):",
            ),
            (
                "an emoji that is no text",
                "if not isinstance(emoji, str) or not is_emoji(emoji):",
                "if not is_emoji(emoji):",
            ),
        ],
        *PRIVATE,
        *ROOMS,
    ),
    *guards(
        "client/encryption/held_mail",
        [
            ("a sender who fills the store", "if of_one >= MOST_OF_ONE or", "if"),
            ("a store without end", " or len(keys) >= MOST:", ":"),
            ("the mail of another user", 'if key.startswith(f"{user_id} "))', "if True)"),
        ],
        "client/encryption/test_held_mail",
        *PRIVATE,
    ),
    *guards(
        "client/encryption/mail_acks",
        [
            ("mail before our keys are published", "return self._on and seq > self._due", "return seq > self._due"),
            ("mail that comes twice", "return self._on and seq > self._due", "return self._on"),
            (
                "mail that is acknowledged after a failure",
                "        if not self._on:\n            return\n        self._due",
                "        self._due",
            ),
        ],
        "client/encryption/test_mail_acks",
        *PRIVATE,
    ),
    *guards(
        "client/encryption/event_opening",
        [
            (
                "a plain change of a sealed message",
                "return self._owner.parts is not None and self._owner.parts.news.forbids(event)",
                "return False",
            ),
            (
                "mail that is acknowledged although it was not opened",
                "                self._owner.acks.stop()",
                "                pass",
            ),
            ("mail that waits, untold", "                self._not_opened(refused)\n", ""),
            ("a changed list that is not asked for", "            parts.peers.forget(event.user_id)\n", ""),
            ("members' lists that are not asked for", "            parts.members.forget()\n", ""),
        ],
        *PRIVATE,
        *ROOMS,
        "client/encryption/test_own_devices",
    ),
    *guards(
        "client/encryption/links",
        [
            ("a link with who has no keys", "        if not devices:\n", "        if False:\n"),
            ("a device that did not ask", "            if not asked or to in asked:\n", "            if True:\n"),
            (
                "a device that is asked and no longer wanted",
                "                if other != peer and other_state is LinkState.ASKING:\n",
                "                if False:\n",
            ),
            (
                "something sent directly that must go by the server",
                "return [each for each in envelopes if (each.user_id, each.device) not in done]",
                "return []",
            ),
            (
                "a device that is not signed",
                "return self._parts.ring.contacts.sender(peer.user_id, peer.device)",
                "return self._parts.ring.contacts.get(peer.user_id).known.devices[0]",
            ),
            (
                "a link that is lost, untold",
                "            if self.path(name) is not LinkPath.DIRECT:\n",
                "            if False:\n",
            ),
            (
                "files that wait for a lost link",
                "                files.lost((peer.user_id, peer.device))",
                "                pass",
            ),
        ],
        "client/encryption/test_links",
        "client/direct/test_processes",
        "client/direct/test_files",
    ),
    *guards(
        "client/encryption/sealed_files",
        [
            (
                "a plain file while the keys are not there",
                "            if self._problem():\n",
                "            if False:\n",
            ),
            (
                "a plain file to an encrypted room",
                "            return self._encrypted(room)\n",
                "            return False\n",
            ),
        ],
        *PRIVATE,
        *ROOMS,
    ),
    *guards(
        "client/encryption/verify_command",
        [
            ("a mark without digits that were shown", "            if shown is None:\n", "            if False:\n"),
            (
                "digits that changed",
                "if shown is None or (await encryption.verify(user)).digits != shown:",
                "if shown is None:",
            ),
            (
                "accepting a key that has not changed",
                "if encryption.status(user) is not Security.BLOCKED:",
                "if False:",
            ),
            (
                "accepting a key without a yes",
                'if not await self._dialogue.agrees(f"Accept {user}\'s new key?"):',
                "if False:",
            ),
            (
                "a key that changed again meanwhile",
                "        if (await encryption.verify(user)).digits != before:\n",
                "        if False:\n",
            ),
        ],
        *COMMANDS,
    ),
    *guards(
        "client/encryption/device_command",
        [
            ("removing this device", "        if device.this:\n", "        if False:\n"),
            ("removing a device that is not linked", "        if device.pending:\n", "        if False:\n"),
            (
                "removing without a yes",
                'if not await self._dialogue.agrees(f"Remove {device.label} ({device.device})?"):',
                "if False:",
            ),
            (
                "the code of a device that the server could have added",
                'lines += [f"  {one.device}  {one.label}" for one',
                'lines += [f"  {one.device}  {one.label} {one.code}" for one',
            ),
            ("one of two devices of a name", "    if len(found) == 1:\n", "    if found:\n"),
        ],
        *COMMANDS,
    ),
    *guards(
        "client/encryption/key_command",
        [
            (
                "a new recovery key without a yes",
                'if not await self._dialogue.agrees(f"{once}Make',
                'if False and not await self._dialogue.agrees(f"{once}Make',
            ),
            ("new keys without a yes", 'if not await self._dialogue.agrees("Begin anew with new keys?"):', "if False:"),
            ("a short passphrase", "if len(passphrase) < SHORTEST:", "if False:"),
            (
                "a mistyped passphrase",
                'if await self._dialogue.ask("The same again: ", secret=True) != passphrase:',
                "if False:",
            ),
            (
                "plain text without a yes",
                'if not await self._dialogue.agrees(f"Write to {user} in plain text from now on?"):',
                "if False:",
            ),
            (
                "a passphrase that is shown",
                'self._dialogue.ask("The same again: ", secret=True)',
                'self._dialogue.ask("The same again: ")',
            ),
        ],
        *COMMANDS,
    ),
    *guards(
        "client/encryption/direct_command",
        [
            ("addresses that were not named", "if named is None or not set(addresses) <= set(named):", "if False:"),
            ("an address that is new since", " or not set(addresses) <= set(named):", ":"),
            (
                "revealing them without a yes",
                "            if not await self._agrees(user):\n",
                "            if False:\n",
            ),
            ("a link without an address", "        if not addresses:\n", "        if False:\n"),
        ],
        *COMMANDS,
    ),
]

GUARDS = [*OTHERS]
