"""The guards of the keys and mailboxes on the server."""

from __future__ import annotations

from guards.guard import guards

TESTS = (
    "chat/keys/test_signatures",
    "chat/keys/test_directory",
    "chat/keys/test_publishing",
    "chat/keys/test_claiming",
    "chat/keys/test_mailboxes",
    "chat/keys/test_delivery",
    "chat/keys/test_key_races",
    "chat/rooms/test_encrypted_rooms",
)

ASKING = guards(
    "chat/keys/asking",
    [
        (
            "keys of who has no list",
            "    if held is None:\n        raise NO_USER",
            "    if False:\n        raise NO_USER",
        ),
        ("keys of a device in no list", "if held.list.keys_of(device) is not None]", "]"),
        (
            "a device that is named twice",
            "for device in dict.fromkeys(command.devices) if",
            "for device in command.devices if",
        ),
        (
            "claims without end",
            "if any(keys.claims.exhausted(session.user_id, via, user_id, device) for device in devices):",
            "if False:",
        ),
        (
            "one claimant who takes all one-time keys",
            "if keys.claims.count(session.user_id, via, user_id, device):",
            "if keys.claims.count(session.user_id, via, user_id, device) or True:",
        ),
        ("guests of one address who take all one-time keys", "    via = chat.shares.via(session)\n", '    via = ""\n'),
        ("a device that is not told that its keys run out", "    if left < FEW_KEYS:\n", "    if False:\n"),
        (
            "a sealed user key of who has no device",
            "if present is None or not present.keys_of(session.keys_device):",
            "if present is None:",
        ),
        ("a disk that is filled with sealed user keys", "    _limit(chat, session)\n", ""),
        (
            "a device that waits and uses up claims",
            "    if not session.keyed:\n        raise NOT_LISTED()\n    held",
            "    held",
        ),
        ("the sealed user key of another user", "backup(session.user_id))", "backup(next(iter(chat.users))))"),
        ("a limit that counts nothing", "    chat.keys.backups.count(key)", "    pass"),
    ],
    *TESTS,
)
SIGNATURES = guards(
    "chat/keys/signatures",
    [
        ("a proof of another session", 'f"{self._secret}/{session.id}"', 'f"{self._secret}"'),
        ("a nonce that can be guessed", 'f"{self._secret}/{session.id}"', 'f"{session.id}"'),
        ("another id than that of the key", "genuine = device_id(device.ed25519) == device.device", "genuine = True"),
        (
            "keys that are not signed",
            'genuine = genuine and _holds(device.ed25519, device.sig, to_sign("device", device))',
            "pass",
        ),
        (
            "keys of which the session has not the secret",
            "    if not proven:\n        raise BAD_PROOF()",
            "    if False:\n        raise BAD_PROOF()",
        ),
        (
            "keys that are wrong in themselves",
            "    if not genuine:\n        raise BAD_KEYS()\n    if not proven",
            "    if not proven",
        ),
        (
            "a list that nobody signed",
            '    genuine = _holds(listed.user_key, listed.sig, to_sign("device-list", listed))',
            "    genuine = True",
        ),
        (
            "a key that is none, in a list",
            'to_sign("device-list", listed))\n    except ValueError:',
            'to_sign("device-list", listed))\n    except ZeroDivisionError:',
        ),
    ],
    *TESTS,
)
CLAIMS = guards(
    "chat/keys/claims",
    [
        (
            "a key refused although the fallback key is left",
            "_used_up(self._one_time, keys) and _used_up",
            "_used_up(self._one_time, keys) or _used_up",
        ),
        ("claims that nobody counts", "            window.count(key)\n", "            pass\n"),
        ("any number of one-time keys", "one_time = not _used_up(self._one_time, keys)", "one_time = True"),
        (
            "any number of claims by one address",
            "return (by_asker, (via[1:], user_id, device)) if via else (by_asker,)",
            "return (by_asker,)",
        ),
        (
            "a guest and an account of one address that count apart",
            "(via[1:], user_id, device)",
            "(via, user_id, device)",
        ),
        (
            "one device that uses up the claims of another",
            "by_asker = (asker, user_id, device)",
            "by_asker = (asker, user_id)",
        ),
    ],
    *TESTS,
)
CLAIMING = guards(
    "chat/keys/claiming",
    [
        (
            "a key that is kept twice",
            "{key.key: key for key in keys if key.key not in known}",
            "{key.key: key for key in keys}",
        ),
        ("any number of keys", "[: max(0, most - len(held))]", ""),
        ("a key that is given twice", "            await self._engine.put(ONE_TIME, key, None, held[1])\n", ""),
        ("a key that somebody else has taken", "if held is None:  # somebody", "if False:  # somebody"),
        ("a clock that was set back", "first = max(last + 1, self._now() * 1000)", "first = self._now() * 1000"),
    ],
    *TESTS,
)
DIRECTORY = guards(
    "chat/keys/directory",
    [
        (
            "another key under the same id",
            "if old is not None and old.keys.ed25519 != command.device.ed25519:",
            "if False:",
        ),
        ("a copied or restored key store", "if old is not None and command.generation < old.generation:", "if False:"),
        (
            "a fallback key that is lost",
            "command.fallback or (old.fallback if old is not None else None)",
            "command.fallback",
        ),
        ("any number of devices", "<= most:", "<= 10**9:"),
        ("a listed device that is pushed out", "if each.keys.device not in listed]", "]"),
        (
            "an older list, or another of the same number",
            "if not before < new.rev <= before + MOST_AHEAD or (",
            "if not new.rev <= before + MOST_AHEAD or (",
        ),
        (
            "a list that uses up all numbers",
            "if not before < new.rev <= before + MOST_AHEAD or (",
            "if not before < new.rev or (",
        ),
        ("another user key without a reset", "new.user_key != old.user_key and not reset", "False"),
        (
            "a device without keys in a list",
            "if published is None or published.keys.ed25519 != keys.ed25519:",
            "if False:",
        ),
        (
            "another key of a device in a list",
            "published is None or published.keys.ed25519 != keys.ed25519",
            "published is None",
        ),
        ("a list that is sent again because its answer was lost", "if old == new:", "if False:"),
        (
            "the keys of a device that is in the list no more",
            "held[1] if held is not None else 0), *changes])",
            "held[1] if held is not None else 0)])",
        ),
        ("a record of another server", "return keys.server == server and keys.user_id", "return keys.user_id"),
        ("a record of another user", "keys.user_id == user_id and (", "("),
        ("a record of another device", " and (not device or keys.device == device)", ""),
    ],
    *TESTS,
)
PUBLISHING = guards(
    "chat/keys/publishing",
    [
        ("keys of another server or user", "    _check_own(chat.server_id, user.id, command)\n", ""),
        ("devices without end", "        await keys.make_room(session, device)\n", "        pass\n"),
        ("one-time keys that a device has withdrawn", "    if command.withdraw:\n", "    if False:\n"),
        ("keys of a session that has logged out", "if session.user is not user:", "if False:"),
        ("a session that has ended", "    if session.over:\n        return\n", ""),
        ("a device that another session has by now", "if session.mailbox is not feed:", "if False:"),
        ("a fallback key among the one-time keys", " and not key.fallback for key", " for key"),
        ("a one-time key as the fallback", " and fallback.fallback)", ")"),
        ("a fallback key of another device", "(same_owner(fallback, server, user_id, device) and", "(True and"),
        ("a device of another user", "if not own or not same_owner(command.device, server, user_id):", "if not own:"),
        ("a list, or a device in it, of another user", "    if not own or len(names)", "    if len(names)"),
        ("a device that is twice in a list", " or len(names) < len(new.devices):", ":"),
        ("a list that is not signed", "    check_list(new)\n", ""),
        (
            "a device of which the session has not the secret",
            "    check_device(command.device, command.proof, keys.nonces.of(session))\n",
            "",
        ),
        (
            "a new user key of a session without a device in the list",
            "if present is None or present.user_key != new.user_key:",
            "if False:",
        ),
        (
            "lists without end",
            '    _count(keys.lists, (*_whose(chat, session), "anew" if anew else ""))\n',
            "",
        ),
        (
            "a removed device whose mailbox stays",
            "            await keys.forget_device(user.id, device)\n",
            "            pass\n",
        ),
        ("a list that is stored and not told", "    except Unavailable:", "    except ZeroDivisionError:"),
    ],
    *TESTS,
)
HOLDERS = guards(
    "chat/keys/holders",
    [
        (
            "two sessions with one device",
            "            self._take_away(feed, KEYS_ELSEWHERE)\n        session.leave_mailbox()",
            "            pass\n        session.leave_mailbox()",
        ),
        ("a session with two mailboxes", "        session.leave_mailbox()\n        log, state", "        log, state"),
        (
            "a session on another daemon that has the device now",
            "            self._take_away(feed, KEYS_ELSEWHERE)\n\n",
            "            pass\n\n",
        ),
        ("an earlier session that takes the device back", "elif feed.confirmed:", "else:"),
        ("an older list", "if feed is None or rev < feed.list_rev:", "if feed is None:"),
        (
            "a device that was removed and keeps its mailbox",
            "            self._take_away(feed, UNLINKED)\n",
            "            session.keyed = False\n",
        ),
        (
            "a device that was never in the list and counts as linked",
            "session.keyed = feed.device in devices",
            "session.keyed = True",
        ),
        (
            "a session without a listed device in encrypted rooms",
            "        put_out_of_encrypted(self._state, session)\n",
            "",
        ),
        (
            "a session that lost its device and stays in encrypted rooms",
            "        put_out_of_encrypted(self._state, feed.session)\n",
            "",
        ),
        (
            "the end of a feed that takes the device from the next one",
            "if self._feeds.get(feed.log) is feed:",
            "if True:",
        ),
        ("keys that stay with a session", '            feed.session.keys_device, feed.session.keyed = "", False\n', ""),
    ],
    *TESTS,
)
MAILBOX = guards(
    "chat/keys/mailbox",
    [
        (
            "a message that is stored twice",
            "return id in self._ids or id in self._fetched",
            "return id in self._fetched",
        ),
        (
            "a message that was fetched and is stored again",
            "return id in self._ids or id in self._fetched",
            "return id in self._ids",
        ),
        (
            "a count that is never right again",
            "        self._forget()\n        await self.open()\n        return self._fits(keys, own, most)",
            "        return False",
        ),
        ("counting anew at each message", "< RECOUNT:", "< 0:"),
        ("a mailbox without end", "room = held.total < most and held.bytes", "room = held.bytes"),
        (
            "a mailbox of any number of bytes",
            " and held.bytes < _bytes_for(most)",
            "",
        ),
        (
            "strangers who fill a whole mailbox",
            "if self._fits(keys, own, MAILBOX_OF_STRANGERS):",
            "if self._fits(keys, own, MAILBOX_MESSAGES):",
        ),
        ("a stranger who counts as known", "if own or await known():", "if True:"),
        ("a stranger who fills a mailbox", "own or all(within)", "True"),
        ("an own device that is away and stops one", "(own or all(", "(all("),
        (
            "messages that are stored at the same time and not counted",
            "        held.put(keys, size)\n        ids[id] += 1\n\n",
            "        ids[id] += 1\n\n",
        ),
        (
            "memory of what was fetched without end",
            "dict.fromkeys([*self._fetched, *ids][-REMEMBERED:])",
            "dict.fromkeys([*self._fetched, *ids])",
        ),
        ("any number of mailboxes in memory", "if len(self._open) > MOST_OPEN:", "if False:"),
        (
            "a mailbox that is dropped and still counted",
            "        if mailbox is not None:\n            mailbox.close()\n        await",
            "        await",
        ),
    ],
    *TESTS,
)
SEALED = guards(
    "chat/keys/sealed_messages",
    [
        (
            "a sender without keys",
            "    if not device:\n        raise NO_KEYS()",
            "    if False:\n        raise NO_KEYS()",
        ),
        (
            "a sender that the author names",
            "event = E2eFrom(command.id, at, *author,",
            "event = E2eFrom(command.id, at, command.user, author[1],",
        ),
        (
            "an old list of the reader's devices",
            "if held is None or command.revs.get(user_id) != held.list.rev:",
            "if held is None:",
        ),
        ("a device in no list", "if lists[env.user_id].list.keys_of(env.device) is None:", "if False:"),
        (
            "two envelopes for one device",
            "for env in {(env.user_id, env.device): env for env in command.envelopes}.values():",
            "for env in command.envelopes:",
        ),
        ("a full mailbox", "if stored or await mailbox.check(", "if True or await mailbox.check("),
        (
            "a message that no device of the reader gets",
            "        if command.user and env.user_id not in reached:\n",
            "        if False:\n",
        ),
        ("an answer before all is stored", "    await _all(storing, releases)\n", ""),
        ("a failure that is answered as a success", "    if failed is not None:\n        raise failed\n", ""),
        (
            "acknowledging without keys",
            "    if session.mailbox is None:\n        raise NO_KEYS()",
            "    if session.mailbox is None:\n        return Ok()",
        ),
    ],
    *TESTS,
)
DELIVERY = guards(
    "chat/keys/delivery",
    [
        (
            "a device that is flooded, by what is new",
            "fits = len(self._sent) + len(entries) <= MAILBOX_WINDOW and",
            "fits =",
        ),
        (
            "a device that is flooded, by what waited",
            "limit = min(READ_AT_ONCE, MAILBOX_WINDOW - len(self._sent))",
            "limit = READ_AT_ONCE",
        ),
        ("a client that does not read, with what is new", " and not self.session.out.holds\n", "\n"),
        (
            "a client that does not read, with what waited",
            "            if self.session.out.holds:\n",
            "            if False:\n",
        ),
        ("a message that overtakes earlier ones", "        if self._current and fits:\n", "        if fits:\n"),
        ("a message that is sent twice", "if entry.seq > self._shown and isinstance", "if isinstance"),
        ("acknowledging what was not sent", "        upto = min(upto, self._shown)\n", ""),
        (
            "mail after the end of a session",
            "        self._stopped, self._current = True, False\n",
            "        self._current = False\n",
        ),
        (
            "mail that is followed after the end",
            "            subscription.stop()\n        else:",
            "            pass\n        else:",
        ),
        (
            "two readings of a mailbox at once",
            "if not self._running and not self._stopped and self._timer is None:",
            "if not self._stopped and self._timer is None:",
        ),
        ("watching any number of people", "        if len(self.watched) > WATCHED:\n", "        if False:\n"),
        ("the address of the sender", 'replace(event, seq=entry.seq, via="")', "replace(event, seq=entry.seq)"),
    ],
    *TESTS,
)
WATCHING = guards(
    "chat/keys/watching",
    [
        ("rooms that are told of a device that waits", "        if not event.pending:\n", "        if True:\n"),
        ("strangers who are told of a list", "_concerns(feed, event.by_id):", "True:"),
        ("a session that has no mailbox any more", "if feed.session.mailbox is feed and", "if"),
        ("somebody who is ignored", "if session.ignores_user(by, by_id) or", "if"),
        ("a notice for each message", "now - session.noticed.get(by_id, 0) < NOTICE_EVERY", "False"),
        ("memory of any number of people", "if len(session.noticed) >= MOST_NOTICED:", "if False:"),
    ],
    *TESTS,
)
SERVICE = guards(
    "chat/keys/service",
    [
        ("one-time keys of a removed device", "        await self.one_time.clear(user_id, device)\n", ""),
        ("the mailbox of a removed device", "        await self.mailboxes.drop(device_log(user_id, device))\n", ""),
        ("the list of a user who is gone", "        await self.directory.forget_list(user_id)\n", ""),
        ("an account that is away and loses its keys", "if user_id not in accounts and user_id", "if user_id"),
        ("somebody who is online and loses keys", "and user_id not in online and", "and"),
        ("a guest who is away for a day and loses keys", " and seen < before:", ":"),
        ("a mailbox of a device that is here", "if self.holders.of(user_id, device) is None and await", "if await"),
        ("a mailbox of a device that has keys", " and await self.directory.device(user_id, device) is None:", ":"),
    ],
    *TESTS,
)

GUARDS = [
    *ASKING,
    *SIGNATURES,
    *CLAIMS,
    *CLAIMING,
    *DIRECTORY,
    *PUBLISHING,
    *HOLDERS,
    *MAILBOX,
    *SEALED,
    *DELIVERY,
    *WATCHING,
    *SERVICE,
]
