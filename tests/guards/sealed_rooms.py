"""The guards of encrypted rooms, in ``client/encryption``."""

from __future__ import annotations

from guards.guard import guards

ROOMS = (
    "client/encryption/test_strange_room_messages",
    "client/encryption/test_hostile_rooms",
    "client/encryption/test_rooms",
    "client/encryption/test_after_restart",
    "client/encryption/test_session_ends",
    "client/encryption/test_session_ends_of_runs",
)

ROOM_OPENING = guards(
    "client/encryption/room_opening",
    [
        (
            "a message for a room that we are not in",
            "        if sealed is None:\n            return []\n",
            "        assert sealed is not None\n",
        ),
        (
            "a message that was deleted",
            "        if not event.ct:\n            if sealed",
            "        if False:\n            if sealed",
        ),
        (
            "a message that must not be believed, untold",
            "return [SecurityNotice(text=text, room=event.room, alarm=True)], opened",
            "return [], opened",
        ),
        (
            "missing messages, untold",
            "return missing + self.streams.came(",
            "return missing + 0 * self.streams.came(",
        ),
        (
            "missing messages at the end of a session, untold",
            "missing = 0 if end is None else",
            "missing = 0 if True else",
        ),
        (
            "missing messages at the end of a session whose key came late, untold",
            "        if waiting and end is not None:\n",
            "        if False:\n",
        ),
        ("deleted messages at the end of a session", ", before.first, end) - before.deleted)", ", before.first, end))"),
        (
            "the name that the server gives the sender",
            "by=shown_name(self._ring.contacts, event.by_id, event.by))",
            "by=event.by)",
        ),
        ("a type of a newer client", 'if kind not in ("edit", "react"):', "if False:"),
        (
            "an edit or reaction of somebody else, or not proven",
            "        check_amendment(kind, Standing(event.by_id",
            "        str(Standing(event.by_id",
        ),
        (
            "a room whose first sealed message is not known",
            "                self._memory.note_sealed(event.room_id, event.seq)\n",
            "                pass\n",
        ),
        (
            "a plain change of a sealed message",
            "return self._memory.was_encrypted(room.id, max(event.seq, event.message))",
            "return False",
        ),
        (
            "an edit by somebody else that came before its message",
            "if isinstance(change, e.Reacted) or change.by_id == line.by_id:",
            "if True:",
        ),
        ("an edit of a file", 'if line is not None and line.file and kind == "edit":', "if False:"),
        ("a plain change after the room was encrypted", "max(event.seq, event.message)", "event.message"),
        ("messages of a page that could not be opened, untold", "        if lacking:\n", "        if False:\n"),
    ],
    *ROOMS,
    "client/encryption/test_room_streams",
)
ROOM_SEALING = guards(
    "client/encryption/room_sealing",
    [
        (
            "sealing for members of before",
            'if kept is not None and kept.room_record.get("members") == room.members_rev:',
            "if kept is not None:",
        ),
        (
            "a message sealed again with another key",
            'if kept is not None and kept.room_record.get("members") == room.members_rev:',
            "if False:",
        ),
        ("a device that is not linked", "        self._check_linked()\n", ""),
        ("an echo of a private message", "if kept is not None and not kept.room_record:", "if False:"),
        (
            "a message that is in the log after a crash, and withheld",
            "                self._ring.groups.outbound.stored(room, *kept.sealings[-1])\n",
            "                pass\n",
        ),
        (
            "a message that overtakes one that is sealed again",
            "            if self._port.is_behind(command):\n",
            "            if False:\n",
        ),
        ("sealing before the devices have the key", "            if shared:\n", "            if True:\n"),
        (
            "keys that leave before the vault has the sessions",
            '"room.key", id, share.body())\n        await self._ring.store.commit()\n',
            '"room.key", id, share.body())\n',
        ),
        (
            "a key that counts as given although the server refused it",
            "        await self._server.send(id, envelopes, readers.revs)\n",
            "        from contextlib import suppress\n\n"
            "        with suppress(Rejected):\n            await self._server.send(id, envelopes, readers.revs)\n",
        ),
        (
            "a device that got nothing and counts as given",
            "[(each.user_id, each.device) for each in envelopes])",
            "list(share.devices))",
        ),
        ("an emoji that is none", 'if do == "react" and not is_emoji(record["emoji"]):', "if False:"),
        ("an edit of what somebody else wrote", "(line.by_id == own and not line.file)", "True"),
        ("another message that an edit means when it is sealed again", 'if "message" not in record:', "if True:"),
        (
            "sealing again for ever",
            "if code not in STALE or tries >= MOST_TRIES or room is None:",
            "if code not in STALE or room is None:",
        ),
        (
            "a refusal that cannot be mended",
            "if code not in STALE or tries >= MOST_TRIES or room is None:",
            "if tries >= MOST_TRIES or room is None:",
        ),
        (
            "members of before",
            "        self._members.forget(room.id)\n        self._port.again",
            "        self._port.again",
        ),
    ],
    *ROOMS,
    "client/encryption/test_earlier_messages",
    "client/encryption/test_crashes",
)
ROOM_MEMBERS = guards(
    "client/encryption/room_members",
    [
        ("members that changed", "or known.rev != room.members_rev ", ""),
        ("somebody who is absent for long", "or 0 < known.until < self._now()", ""),
        ("somebody who was away and has other devices now", "if user_id in absent and not", "if False and not"),
        ("somebody who left while we were away", "(room.id, before, left, rev)", "(room.id, before, [], rev)"),
        ("a device list that is not the server's", "return known is None or known.rev != rev", "return known is None"),
        (
            "a member whose key has changed, untold",
            '                self._warn(room.room, f"{name} cannot read what you write here: {refused.text}.")\n',
            "",
        ),
        (
            "a member whose key has changed, told again and again",
            "if (room.id, user_id) not in self._warned:",
            "if True:",
        ),
    ],
    *ROOMS,
    "client/encryption/test_absent_members",
)
ABSENT_MEMBERS = guards(
    "client/encryption/absent_members",
    [
        ("somebody who was away for long and gets keys", "if member.until > self._now():", "if True:"),
        ("a time that the server makes up", "min(event.at, self._now())", "event.at"),
        (
            "any number of them",
            "if len(self._rows.keys(TABLE)) >= MOST:\n                return",
            "if False:\n                return",
        ),
        ("a server that does not know who has left", "members if left is None else", "[] if left is None else"),
    ],
)
ROOM_MEMORY = guards(
    "client/encryption/room_memory",
    [
        ("any number of messages", "        if len(lines) > MOST:\n", "        if False:\n"),
        ("any number of rooms", "        if len(self._rooms) > MOST_ROOMS:\n", "        if False:\n"),
        (
            "a message with the id of somebody else's",
            "if known is not None and known.by_id != line.by_id:",
            "if False:",
        ),
        (
            "a file in the place of a message",
            "if self.find(room, event.id) is None:\n            who",
            "if True:\n            who",
        ),
        ("a deleted message that stays in the history", "        self._store.forget(place_of(room), line.id)\n", ""),
        ("a later start that replaces an earlier one", "= min(seq, self._sealed_from.get(room, seq))", "= seq"),
        ("a message that does not count", "if not line.deleted and counts(line)]", "if not line.deleted]"),
        ("a deleted message that is meant", "if not line.deleted and counts(line)]", "if counts(line)]"),
    ],
    *ROOMS,
)
ROOM_KEYS = guards(
    "client/encryption/room_keys",
    [
        ("a wrong key, untold", "            if refused.code not in QUIET:\n", "            if False:\n"),
        (
            "a key that we should not give",
            "        except CryptoRefusal:\n            return\n        Deferred",
            "        except ZeroDivisionError:\n            return\n        Deferred",
        ),
        (
            "keys that leave before the vault has the sessions",
            "devices, kind, id, body)\n        await self._ring.store.commit()\n",
            "devices, kind, id, body)\n",
        ),
        (
            "an own device that is not signed",
            "signed = {each.device for each in (own.devices if own is not None else ())}",
            "signed = {device.device}",
        ),
    ],
    *ROOMS,
    "client/encryption/test_own_devices",
)

ROOM_STREAMS = guards(
    "client/encryption/room_streams",
    [
        ("a session that is withheld with its key", "return end.stored if", "return 0 if"),
        ("a session that is withheld with its key, told twice", " and not known else 0", " else 0"),
        (
            "a session from before the stream",
            "return end.stored if stream.has_earlier(name, seq) and",
            "return end.stored if",
        ),
        ("a key that is withheld at first", " or stream.has_earlier(name, seq)\n", "\n"),
        ("a session whose key comes after the next one's", "self.followed[other].since < seq", "True"),
        ("sessions of other devices", "if other.owner == name.owner and other != name)", "if other != name)"),
        (
            "a session that is named as its own earlier one",
            "if other.owner == name.owner and other != name)",
            "if other.owner == name.owner)",
        ),
        (
            "a deleted message that is missing",
            "                seqs.add(seq)\n",
            "                pass\n",
        ),
        (
            "a deleted message behind one whose key comes late",
            "{seq for seq in seqs if seq < before}",
            "set(seqs)",
        ),
        (
            "the end of a session whose key comes late",
            "            stream.locked[before] = end\n",
            "            pass\n",
        ),
        ("people who were ignored", "                stream.clear()\n", "                pass\n"),
        ("missing messages that are told again", " and not told else 0", " else 0"),
        ("a message from before the stream", "(name in self.given and seq > self.joined)", "True"),
        ("the end of a session of which only the key came", "(name in self.given and seq > self.joined)", "False"),
    ],
    "client/encryption/test_session_ends",
    "client/encryption/test_room_streams",
    "client/encryption/test_late_keys",
)

WAITING_MESSAGES = guards(
    "client/encryption/waiting_messages",
    [
        (
            "any number of messages that wait",
            "while sum(map(len, self._events.values())) > MOST_WAITING:",
            "while False:",
        ),
        ("a deleted message whose key comes later", "                    events.remove(event)\n", ""),
    ],
    "client/encryption/test_strange_room_messages",
    "client/encryption/test_deleted_in_rooms",
)

GUARDS = [
    *WAITING_MESSAGES,
    *ROOM_STREAMS,
    *ROOM_OPENING,
    *ROOM_SEALING,
    *ROOM_MEMBERS,
    *ABSENT_MEMBERS,
    *ROOM_MEMORY,
    *ROOM_KEYS,
]
