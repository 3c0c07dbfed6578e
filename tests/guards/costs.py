"""The guards against what encryption could cost the server and its honest users."""

from __future__ import annotations

from guards.guard import guards

SHARES = "chat/keys/test_mailbox_shares"
SEALED = "chat/rooms/test_sealed_messages"

ASKING = guards(
    "chat/keys/asking",
    [
        (
            "lists that are read for a session that has ended",
            "            if session.over:\n",
            "            if False:\n",
        ),
        ("an answer of any length", "if room < 0 and users:", "if False:"),
    ],
    "chat/keys/test_publishing",
)
DISPATCH = guards(
    "chat/dispatch",
    [("many long answers for who does not read", "if row.long and session.out.holds:", "if False:")],
    "chat/keys/test_publishing",
)
MAILBOX = guards(
    "chat/keys/mailbox",
    [
        ("strangers who fill a mailbox", "if own or await known():", "if True:"),
        ("strangers at the address of somebody known", "MAILBOX_MESSAGES, keys[:1]", "MAILBOX_MESSAGES, keys"),
        ("a stranger who fills it by long messages", " and held.bytes_of[key] < _bytes_for(share)", ""),
    ],
    SHARES,
)
SENDING = guards(
    "chat/keys/sealed_messages",
    [
        (
            "a room silenced by a full mailbox",
            "if command.user and env.user_id not in reached",
            "if env.user_id not in reached",
        ),
        ("getting known by what a program answers", "if command.user and person in lists", "if person in lists"),
        ("a message for nobody", "    if not user_id:\n        raise NO_USER", "    if False:\n        raise NO_USER"),
    ],
    SHARES,
)
GUEST_KEYS = guards(
    "chat/keys/guest_keys",
    [
        ("keys of who is online", " if _id_in(key) not in online]", "]"),
        ("new guests without end", "                if wait:\n", "                if False:\n"),
        ("guests at many addresses", '                await self._make_room("", GUESTS_WITH_KEYS)\n', ""),
    ],
    "chat/keys/test_guest_keys",
)
REVISIONS = guards(
    "chat/rooms/revisions",
    [
        ("a message for who has gone", " and not any(since <= rev < end for since, end in self._ended)", ""),
        ("what is forgotten", "self._floor = max(self._floor, self._ended.popleft()[1])", "self._ended.popleft()"),
        ("who was there before the room was loaded", "            self._floor = seq  #", "            pass  #"),
    ],
)
JOINS = guards(
    "chat/rooms/encrypted_joins",
    [
        ("joining again and again", "        if seconds:\n", "        if False:\n"),
        ("a refusal that makes one wait longer", "            bucket.spend(-1, now)\n", ""),
        ("an address that joins again and again", "        if late:\n", "        if False:\n"),
    ],
    SEALED,
)

GUARDS = [*ASKING, *DISPATCH, *MAILBOX, *SENDING, *GUEST_KEYS, *REVISIONS, *JOINS]
