"""The guards of private messages, and of the ways in and out, in ``client/encryption``."""

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

OPENING = guards(
    "client/encryption/private_opening",
    [
        (
            "mail of a user whose key has changed",
            "        if contacts.why_blocked(event.by_id):\n",
            "        if False:\n",
        ),
        ("a sender's list that is not up to date", "        await self._peers.follow(event.by_id)\n", ""),
        (
            "the name that the server gives the sender",
            "by=shown_name(self._ring.contacts, event.by_id, event.by))",
            "by=event.by)",
        ),
        (
            "something refused without a word",
            'return [SecurityNotice(text=f"{sentence(refused.text)}',
            'return [] and [SecurityNotice(text=f"{sentence(refused.text)}',
        ),
        ("the same message twice", "return [] if isinstance(inner, Duplicate) else", "return"),
        (
            "a message that is lost, and told before it is asked for again",
            'if refused.code in ("undecryptable", "not-linked"):',
            "if False:",
        ),
        ("a type of a newer client", 'if inner.type not in ("msg", "edit", "react", "delete"):', "if False:"),
        (
            "plain text after encryption that the other side began",
            "        self._ring.contacts.note_encrypted(peer_id)\n        if inner",
            "        if inner",
        ),
        ("the id of another author's message", "if there is not None and there.by_id != inner.sender[0]:", "if False:"),
        (
            "an edit, reaction or deletion by somebody else",
            "        check_amendment(inner.type, change, Standing(line.by_id",
            "        str(Standing(line.by_id",
        ),
        ("a quotation that is no pair", "if _is_pair(quoted) else None", "if quoted else None"),
        (
            "escapes in a quotation",
            "(clean(str(quoted[0])), excerpt(clean(str(quoted[1]))))",
            "(str(quoted[0]), str(quoted[1]))",
        ),
        (
            "held mail that is lost",
            "            if not self._ring.contacts.why_blocked(user_id):\n",
            "            if True:\n",
        ),
        (
            "a message that does not say for whom it is",
            "if not isinstance(to, list) or len(to) != 2 or not all(isinstance(part, str) for part in to):",
            "if False:",
        ),
    ],
    *PRIVATE,
    "client/encryption/test_own_devices",
)
SEALING = guards(
    "client/encryption/private_sealing",
    [
        (
            "a message sealed again with another key",
            "        if kept is not None:\n            return partial(self._send, command, kept)\n",
            "",
        ),
        ("plain text to who has keys", "if not devices and not peer.rev:", "if not devices:"),
        (
            "sending although this device is not linked, or our own key was swapped",
            "            own = self._ring.contacts.recipients(self._ring.user_id)\n",
            "            own = ()\n",
        ),
        ("our own other devices left out", "own = own if peer.user_id != self._ring.user_id else ()", "own = ()"),
        (
            "a message that no device of the reader can open",
            "if devices and not any(envelope.user_id == peer.user_id for envelope in envelopes):",
            "if False:",
        ),
        ("plain text after encryption", "        self._ring.contacts.note_encrypted(peer.user_id)\n", ""),
        ("an edit in plain text", "if command.do not in TO_PEOPLE:", "if False:"),
        (
            "plain text of which the user is not told before",
            "            self._port.tell(SecurityNotice(text=words.plain_notice(peer.name), user=peer.name))\n",
            "",
        ),
        ("an emoji that is none", 'if do == "react" and not is_emoji(record["emoji"]):', "if False:"),
        ("an edit of what somebody else wrote", 'own = record["do"] in ("edit", "delete")', "own = False"),
        ("another message that an edit means when it is sealed again", 'if "message" not in record:', "if True:"),
        (
            "a full mailbox that is tried for ever",
            'if refused.code == "mailbox-full" and tries < MOST_WAITS:',
            'if refused.code == "mailbox-full":',
        ),
        ("a new device that gets nothing", 'if refused.code == "stale-devices" and tries < MOST_TRIES:', "if False:"),
        (
            "sealing again for ever",
            'if refused.code == "stale-devices" and tries < MOST_TRIES:',
            'if refused.code == "stale-devices":',
        ),
        (
            "a lost connection that loses a message",
            '        if refused.code == "lost":\n            return\n        id',
            "        id",
        ),
        ("a reader who cannot read it, untold", '        if waits == "keys":\n', "        if False:\n"),
        ("another guest who has the name now", '        if waits == "guest":\n', "        if False:\n"),
    ],
    *PRIVATE,
    "client/encryption/test_crashes",
)
PEERS = guards(
    "client/encryption/peers",
    [
        ("another person who has the name now", "if known is not None and known.user_id != user.user_id:", "if False:"),
        (
            "a changed key of which nobody is told",
            "if now is not None and (before is None or before.user_key != now.user_key):",
            "if False:",
        ),
        ("a changed key that is told again and again", "(before is None or before.user_key != now.user_key)", "True"),
        ("another person of the name, untold", "elif learned is Learned.OTHER_PERSON:", "elif False:"),
        (
            "a list that must not be believed, on the way in, untold",
            "            self._warn(user.name, sentence(refused.text))\n",
            "            pass\n",
        ),
        (
            "a list that must not be believed",
            "            if refused is not None:\n                raise",
            "            if False and refused is not None:\n                raise",
        ),
        (
            "a server that says there is no such user",
            "return peer.user_id or self._contacts.id_of(peer.name)",
            "return peer.user_id",
        ),
        ("sending to who has a changed key", "        if why:\n", "        if False:\n"),
        ("plain text after encryption", "if not self._contacts.may_send_plain(user_id):", "if False:"),
        ("a person without keys who has some by now", "if peer is None or not peer.rev:", "if peer is None:"),
        (
            "a list that is not asked for again",
            "self._current = self._current - {user_id} if user_id else set()",
            "pass",
        ),
        ("memory without end", "            if len(self._known) < MOST:\n", "            if True:\n"),
        ("a bar that hides a changed key", "        if contact.blocked:\n            return Security.BLOCKED\n", ""),
    ],
    *PRIVATE,
)
WAY_IN = guards(
    "client/encryption/way_in",
    [
        (
            "events that overtake sealed ones",
            "if not (self._queue or self._working) and not self._opener.opens(event):",
            "if not self._opener.opens(event):",
        ),
        (
            "an acknowledgement before the vault has it",
            "            await self._opener.store()\n",
            "            pass\n",
        ),
        (
            "events of a connection that has gone",
            "        self._queue.clear()\n\n    def tell_late",
            "        pass\n\n    def tell_late",
        ),
        ("any number of events in one commit", "while self._queue and len(batch) < TOGETHER:", "while self._queue:"),
    ],
    *PRIVATE,
    *ROOMS,
    "client/encryption/test_crashes",
)
WAY_OUT = guards(
    "client/encryption/way_out",
    [
        (
            "a message that leaves before the vault has it",
            "                    await self._sealer.commit()\n",
            "                    pass\n",
        ),
        (
            "a message that leaves although the vault cannot have it",
            "                    self._refuse(command, refused)\n                continue\n",
            "                    pass\n",
        ),
        (
            "a message that leaves on a later connection, and twice",
            "            if connection == self._connection:\n                for _, send, _ in batch:",
            "            if True:\n                for _, send, _ in batch:",
        ),
        (
            "commands that overtake earlier ones",
            'earlier = [other for other in self._queue if other.record["ref"] < command.record["ref"]]',
            "earlier = list[PendingCommand]()",
        ),
        (
            "commands of a connection that has gone",
            "        self._connection += 1\n        self._queue.clear()\n",
            "        self._connection += 1\n",
        ),
        (
            "commands that wait and are lost",
            "                    self.again(command)\n                elif",
            "                    pass\n                elif",
        ),
    ],
    *PRIVATE,
    *ROOMS,
    "client/encryption/test_crashes",
    "client/encryption/test_waiting_for_keys",
)
RESETS = guards(
    "client/encryption/resets",
    [
        ("asking again and again", "            if reset.at > now:\n                continue\n", ""),
        ("a message that leaves before the vault has the session", "        await self._ring.store.commit()\n", ""),
        ("ids of any form", "if isinstance(ids, list):", "if True:"),
        ("an id that is no text", "[id for id in ids if isinstance(id, str)]", "list(ids)"),
        (
            "asking without a word to the user",
            "            self._port.tell(SecurityNotice(text=asked_again(name), user=name))\n",
            "",
        ),
    ],
    *PRIVATE,
)
RING = guards(
    "client/encryption/keyring",
    [
        ("a copied vault", "return generation not in (0, *self._announced())", "return False"),
        ("two copies with one generation", " + int.from_bytes(random(3)) % (1 << 20)", ""),
        ("memory without end", "[*numbers, self.generation][-MOST_ANNOUNCED:]", "[*numbers, self.generation]"),
        ("sessions that a copy uses, too", "                self.store.delete(table, key)\n", "                pass\n"),
        ("messages of a copy", "(*SESSION_TABLES, OUTBOX)", "SESSION_TABLES"),
        ("keys of this device that a copy has, too", "        self.identity.renew_device()\n", ""),
    ],
    *DEVICES,
)
DRIVER = guards(
    "client/encryption/driver",
    [
        (
            "a server that says it knows no encryption any more",
            "            if self.parts is not None or self.expects_keys:\n",
            "            if False:\n",
        ),
        (
            "a server that says so in a later run",
            "if self.parts is not None or self.expects_keys:",
            "if self.parts is not None:",
        ),
        (
            "plain text without keys",
            "            return self.parts is not None or bool(self.problem)\n",
            "            return self.parts is not None\n",
        ),
        (
            "plain text to an encrypted room, without keys",
            'return bool(self.problem) and record["do"] in SEALED and',
            "return False and",
        ),
        ("plain text to an encrypted room that we are not in", " or self._was_sealed(record))", ")"),
        (
            "plain text to a room that the server says is plain",
            "return room.encrypted or (self.parts is not None and",
            "return room.encrypted or (False and",
        ),
        (
            "a message that is sealed before those of an earlier run",
            "if room is not None and self.earlier is not None and self.earlier.give(room.room):",
            "if False:",
        ),
        (
            "a store that cannot be opened",
            "        except (VaultError, CryptoRefusal) as error:\n            await self._stop",
            "        except (VaultError, CryptoRefusal) as error:\n            await succeed",
        ),
        (
            "a wrong passphrase",
            "        except WrongPassphrase as error:\n",
            "        except ZeroDivisionError as error:\n",
        ),
        ("a copied vault", "            except StaleVault:\n", "            except ZeroDivisionError:\n"),
        (
            "a message under way when the room was encrypted",
            "            room.encrypted = True  # it was",
            "            pass  # it was",
        ),
    ],
    *PRIVATE,
    *ROOMS,
    *DEVICES,
    "client/encryption/test_vault_trouble",
    "client/encryption/test_earlier_messages",
)

GUARDS = [*OPENING, *SEALING, *PEERS, *WAY_IN, *WAY_OUT, *RESETS, *RING, *DRIVER]
