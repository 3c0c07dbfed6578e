"""The guards of encrypted rooms on the server."""

from __future__ import annotations

from guards.guard import guards

TESTS = ("chat/rooms/test_encrypted_rooms", "chat/rooms/test_sealed_messages")

ENCRYPTED = guards(
    "chat/rooms/encrypted",
    [
        ("people put out of a plain room", "    if not room.record.encrypted:\n        return\n", ""),
        ("people with keys who are put out", "    if session.keyed:\n        return\n", ""),
        (
            "people put out of all their rooms",
            "        if room.record.encrypted:\n            _put_out(state, session, room, KEYS_LOST)",
            "        _put_out(state, session, room, KEYS_LOST)",
        ),
        (
            "a room that a session is about to join",
            "coming = (session for session in state.sessions.values() if session.heading is room)",
            "coming = (session for session in ())",
        ),
        (
            "sessions without keys that stay",
            "return [session for session in sessions if not session.keyed]",
            "return []",
        ),
        (
            "plain rooms that are told of devices",
            "for room in session.told if room.record.encrypted)",
            "for room in session.told)",
        ),
        ("a removal that is announced twice", "    if session.id in room.going:\n        return\n", ""),
        (
            "members who are told that a member left who is still there",
            "any(other.keyed and room in other.told for other in others)",
            "False",
        ),
        ("members who are not told, because of a session without keys", "any(other.keyed and room", "any(room"),
        ("members who are not told, because of a session elsewhere", "room in other.told for", "True for"),
        ("members who are told, though another daemon has a session", " or room.has_remote(session)", ""),
    ],
    *TESTS,
)
SEALED = guards(
    "chat/rooms/sealed",
    [
        ("somebody who does not own the room", "if not room.record.owned_by(session.user):", "if False:"),
        (
            "a room that is encrypted twice",
            "    if room.record.encrypted:\n        raise ALREADY",
            "    if False:\n        raise ALREADY",
        ),
        ("encrypting without a yes", "if not command.yes:", "if False:"),
        ("an owner of before", "_encrypted, Encrypted, owner=True)", "_encrypted, Encrypted)"),
        ("another owner who was first", "    if now.encrypted:", "    if False:"),
        (
            "sealed messages in a plain room",
            "    if not room.record.encrypted:\n        raise NOT",
            "    if False:\n        raise NOT",
        ),
        ("a session without keys that speaks", "if not session.keyed:\n        raise", "if False:\n        raise"),
        ("a message for other members", " or _is_stale(session, room, command):", ":"),
        ("a message for somebody who has left", " and room.revisions.spares(command.members)", ""),
        ("a message that is not for who has just come", "stale.get(id, 0) >= STALE_REFUSALS and ", ""),
        ("messages under way that overtake each other", "stale.get(id, 0)", "sum(stale.values())"),
        ("refused messages without end", "    if len(stale) > STALE_REMEMBERED:\n", "    if False:\n"),
        ("a muted member", "    if room.guarded:\n        may_speak(session, room)\n", ""),
        ("a device that the session has not", "device=session.keys_device, sid", 'device="", sid'),
        (
            "the same message twice",
            "session.say(room, event, command.ref, once=True)",
            "session.say(room, event, command.ref)",
        ),
        ("members without their lists' numbers", "revs.get(id, 0)", "0"),
        (
            "a page that seems to be the last",
            "more = max(0, len(room.people) - command.after - len(users))",
            "more = 0",
        ),
    ],
    *TESTS,
)
MEMBERS = guards(
    "chat/rooms/members",
    [
        ("a member who has just logged in", "(self.session is not None and self.session.user_id in users)", "False"),
        ("a member who is on another daemon", "self.user_id in users or", "False or"),
        ("a person who is listed twice", "        if len(self.people) == len(self.members):\n", "        if True:\n"),
        ("a person who stays a member for ever", "            del self.people[user_id]\n", "            pass\n"),
    ],
    *TESTS,
    "chat/rooms/test_many_rooms",
    "chat/rooms/test_several_rooms",
    "chat/rooms/test_members",
)
ADMISSION = guards(
    "chat/rooms/admission",
    [
        ("a session without keys that comes in", "keyed=session.keyed)", "keyed=True)"),
        ("a banned user who logs in", "        _check(session, room, user, keyed=True)\n", "        pass\n"),
        ("a banned name", "        room.record.check_name(session.user, name, session.host.now())\n", "        pass\n"),
    ],
    *TESTS,
    "chat/test_bans_and_mutes",
    "chat/rooms/test_sanctions",
    "chat/rooms/test_moderation",
    "chat/people/test_identity",
)
PASSAGE = guards(
    "chat/rooms/passage",
    [
        ("what was said before a session came", "self.came.get(session, -1) + 1", "0"),
        ("what was said after a session left", "self.went.get(session, len(entries))", "len(entries)"),
        ("what a session does not want to hear", " and session.hears(entries[i])]", "]"),
        ("an answer that is shown twice", "if i not in own and", "if"),
    ],
    *TESTS,
    "chat/rooms/test_room",
    "chat/rooms/test_room_order",
    "chat/people/test_filters",
    "chat/rooms/test_joining",
)

GUARDS = [*ENCRYPTED, *SEALED, *MEMBERS, *ADMISSION, *PASSAGE]
