"""A message is opened once, in its place, as its author's; a key stays with the device that sent it."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from room_members import ROOM, Member
from vodozemac import GroupSession

from chatroom.client.crypto.inbound_sessions import InboundSessions
from chatroom.client.crypto.room_messages import LONGEST_SESSION, RoomCiphertext
from chatroom.client.crypto.room_plaintext import RoomPlaintext, UnusedIndex, write_plaintext


@pytest.fixture
def alice() -> Member:
    return Member("alice")


@pytest.fixture
def bob() -> Member:
    return Member("bob")


@pytest.fixture
def mallory() -> Member:
    return Member("mallory")


# ---- messages --------------------------------------------------------------------------------------------------------


def test_what_is_sealed_is_opened_by_the_members_and_by_its_author(alice: Member, bob: Member) -> None:
    alice.share(alice, bob)
    sealed = alice.seal("hello")
    opened = bob.open(sealed)
    assert (opened.plain.body, opened.plain.type, opened.index, opened.authenticated) == (
        {"text": "hello"},
        "msg",
        0,
        True,
    )
    assert alice.text(sealed) == "hello"


def test_the_same_message_is_opened_again_so_history_can_be_read_again(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sealed = [alice.seal(str(number)) for number in range(3)]
    assert [bob.text(one) for one in sealed + sealed] == ["0", "1", "2"] * 2
    bob.start()
    assert [bob.text(one) for one in sealed] == ["0", "1", "2"]


def sealed_by(
    ratchet: GroupSession,
    author: Member,
    id: str,
    room: str = ROOM,
    body: dict[str, object] | None = None,
    unused: tuple[UnusedIndex, ...] = (),
) -> RoomCiphertext:
    """Seal a message as a changed client can: with any author, room and id inside."""
    plain = write_plaintext(room, author.id, id, RoomPlaintext(1, body or {}, unused=unused))
    return RoomCiphertext(ROOM, id, author.id, ratchet.session_id, ratchet.encrypt(plain).to_base64())


def give(ratchet: GroupSession, owner: Member, to: Member, room: str = ROOM) -> None:
    """Send the key of a ratchet as its owner."""
    index = ratchet.message_index
    body = {"room": room, "sid": ratchet.session_id, "key": ratchet.session_key.to_base64(), "index": index}
    to.sessions.requests.take_key(owner.id, body)


def test_an_index_that_was_used_twice_opens_only_its_first_message(alice: Member, bob: Member) -> None:
    ratchet = GroupSession()
    before = GroupSession.from_pickle(ratchet.pickle(bytes(32)), bytes(32))
    give(ratchet, alice, bob)
    first, second = sealed_by(ratchet, alice, "one"), sealed_by(before, alice, "two")
    assert bob.open(first).index == 0
    assert bob.refusal(second) == "replayed"
    assert bob.open(first).index == 0
    bob.start()
    assert bob.refusal(second) == "replayed"


def test_an_index_that_was_used_twice_for_one_id_opens_only_its_first_message(alice: Member, bob: Member) -> None:
    ratchet = GroupSession()
    before = GroupSession.from_pickle(ratchet.pickle(bytes(32)), bytes(32))
    give(ratchet, alice, bob)
    bob.open(sealed_by(ratchet, alice, "one"))
    assert bob.refusal(sealed_by(before, alice, "one", body={"text": "something else"})) == "replayed"


def test_a_message_under_another_id_is_refused_and_uses_up_nothing(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sealed = alice.seal()
    assert bob.refusal(replace(sealed, id="another id")) == "moved"
    assert bob.text(sealed) == "hi"


def test_a_message_in_another_room_is_refused(alice: Member, bob: Member) -> None:
    ratchet = GroupSession()
    for room in (ROOM, "room-2"):
        give(ratchet, alice, bob, room)  # alice gives one key to two rooms; an honest client does not
    moved = sealed_by(ratchet, alice, "one", room="room-2")
    assert bob.refusal(moved) == "moved"
    assert bob.open(replace(moved, room="room-2")).index == 0


def test_a_message_in_a_room_that_its_key_is_not_for_is_refused(alice: Member, bob: Member) -> None:
    alice.share(bob)
    assert bob.refusal(replace(alice.seal(), room="room-2")) == "no-key"


def test_a_message_under_another_sender_or_device_is_refused(alice: Member, bob: Member, mallory: Member) -> None:
    for member in (alice, mallory):
        member.share(bob)
    sealed = alice.seal()
    assert bob.refusal(replace(sealed, sender=mallory.id)) == "relabelled"
    assert bob.refusal(replace(sealed, sender=("alice", "B"))) == "relabelled"
    assert bob.text(sealed) == "hi"


def test_who_passes_on_the_key_of_another_device_cannot_claim_its_messages(
    alice: Member, bob: Member, mallory: Member
) -> None:
    share = alice.prepare([bob, mallory])
    assert share is not None
    bob.sessions.requests.take_key(mallory.id, share.body())  # before alice's own arrives
    bob.sessions.requests.take_key(alice.id, share.body())
    sealed = alice.seal()
    assert bob.refusal(replace(sealed, sender=mallory.id)) == "moved"
    assert bob.text(sealed) == "hi"


def test_who_made_a_session_cannot_seal_in_the_name_of_another(alice: Member, bob: Member, mallory: Member) -> None:
    ratchet = GroupSession()
    give(ratchet, mallory, bob)
    forged = sealed_by(ratchet, alice, "one")
    assert bob.refusal(forged) == "relabelled"
    assert bob.refusal(replace(forged, sender=mallory.id)) == "moved"


def test_a_message_without_its_key_is_told_apart(alice: Member, bob: Member) -> None:
    alice.share(alice)
    assert bob.refusal(alice.seal()) == "no-key"


@pytest.mark.parametrize("ct", ["", "é", "AAAA", "A" * 12_001])
def test_a_damaged_message_is_refused(alice: Member, bob: Member, ct: str) -> None:
    alice.share(bob)
    sealed = alice.seal()
    assert bob.refusal(replace(sealed, ct=ct)) == "unopened"
    assert bob.refusal(replace(sealed, ct=sealed.ct[:50] + "AAAA" + sealed.ct[54:])) == "unopened"


def test_a_text_that_is_too_long_is_not_even_tried(alice: Member, bob: Member) -> None:
    ratchet = GroupSession()
    give(ratchet, alice, bob)
    assert bob.refusal(sealed_by(ratchet, alice, "one", body={"text": "x" * 9000})) == "unopened"


@pytest.mark.parametrize(("plain", "code"), [(b"no JSON", "unreadable"), (b"\x03", "too-new")])
def test_what_is_not_written_as_it_must_be_is_refused(alice: Member, bob: Member, plain: bytes, code: str) -> None:
    ratchet = GroupSession()
    give(ratchet, alice, bob)
    ct = ratchet.encrypt(plain).to_base64()
    assert bob.refusal(RoomCiphertext(ROOM, "x", alice.id, ratchet.session_id, ct)) == code


def test_a_message_of_the_first_version_is_opened_and_bound_to_its_place(alice: Member, bob: Member) -> None:
    ratchet = GroupSession()
    give(ratchet, alice, bob)
    plain = b'{"body":{"text":"hi"},"from":["alice","A"],"id":"x","room":"room-1","ts":1,"type":"msg","v":1}'
    sealed = RoomCiphertext(ROOM, "x", alice.id, ratchet.session_id, ratchet.encrypt(plain).to_base64())
    assert bob.refusal(replace(sealed, id="another id")) == "moved"
    assert bob.text(sealed) == "hi"


def test_a_session_has_an_end_so_what_was_seen_is_bounded(alice: Member, bob: Member) -> None:
    ratchet = GroupSession()
    give(ratchet, alice, bob)
    for _ in range(LONGEST_SESSION - 1):
        ratchet.encrypt(b"")
    assert bob.open(sealed_by(ratchet, alice, "last")).index == LONGEST_SESSION - 1
    assert bob.refusal(sealed_by(ratchet, alice, "beyond")) == "unopened"


# ---- messages that are missing ---------------------------------------------------------------------------------------


def test_skipped_messages_are_counted_once(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sealed = [alice.seal(str(number)) for number in range(6)]
    assert [bob.open(sealed[number]).skipped for number in (0, 3, 1, 5, 3)] == [0, 2, 0, 1, 0]
    bob.start()
    assert [bob.open(sealed[number]).skipped for number in (2, 4)] == [0, 0]


def test_messages_that_were_withheld_at_the_beginning_are_counted(alice: Member, bob: Member) -> None:
    alice.share(bob)
    assert [alice.seal(str(number)) for number in range(2)]
    assert bob.open(alice.seal("third")).skipped == 2


def test_what_was_said_before_the_key_is_not_missing(alice: Member, bob: Member) -> None:
    alice.share(alice)
    early = alice.seal("early")
    alice.share(alice, bob)
    opened = bob.open(alice.seal("late"))
    assert opened.skipped == 0
    assert bob.refusal(early) == "before-key"


# ---- indexes that are unused -----------------------------------------------------------------------------------------


def test_what_the_server_has_refused_is_not_missing(alice: Member, bob: Member) -> None:
    alice.share(bob)
    bob.open(alice.seal("said"))
    for text in ("refused", "refused, too"):
        alice.seal(text)
        alice.sessions.outbound.settled(f"id of {text}", "")
    assert [bob.open(alice.seal(text)).skipped for text in ("later", "latest")] == [0, 0]


def test_a_reader_who_gets_only_a_later_message_learns_it_as_well(alice: Member, bob: Member) -> None:
    alice.share(bob)
    alice.seal("refused")
    alice.sessions.outbound.settled("id of refused", "")
    alice.seal("withheld")
    assert bob.open(alice.seal("later")).skipped == 1


def test_what_was_sealed_twice_is_not_missing_where_it_was_opened_once(alice: Member, bob: Member) -> None:
    alice.share(bob)
    first = alice.seal("once")
    alice.start()
    alice.share(bob)
    again = alice.seal("once", earlier=[(first.sid, 0)])
    bob.open(first)
    assert bob.open(alice.seal("before the echo")).skipped == 0
    alice.sessions.outbound.settled(again.id, first.ct)
    assert bob.open(alice.seal("after the echo")).skipped == 0


def test_what_was_sealed_twice_and_never_comes_is_missing(alice: Member, bob: Member) -> None:
    alice.share(bob)
    first = alice.seal("withheld")
    alice.start()
    alice.share(bob)
    alice.seal("withheld", earlier=[(first.sid, 0)])
    alice.sessions.outbound.settled(first.id, first.ct)  # alice has seen it in the room's log
    assert bob.open(alice.seal("later")).skipped == 1


def test_what_was_sealed_twice_and_is_stored_as_the_second_is_missing_without_it(alice: Member, bob: Member) -> None:
    alice.share(bob)
    first = alice.seal("withheld")
    alice.start()
    alice.share(bob)
    again = alice.seal("withheld", earlier=[(first.sid, 0)])
    alice.sessions.outbound.settled(again.id, again.ct)
    bob.open(first)  # a hostile server gives what it has not stored
    assert bob.open(alice.seal("later")).skipped == 1


def test_an_unused_index_of_another_author_counts_for_nothing(alice: Member, bob: Member, mallory: Member) -> None:
    for member in (alice, mallory):
        member.share(bob)
    seen = mallory.seal("mallory's")
    bob.open(seen)
    ratchet = GroupSession()
    give(ratchet, alice, bob)
    ratchet.encrypt(b"never sent")
    claim = sealed_by(ratchet, alice, "one", unused=(UnusedIndex(0, seen.sid, 0),))
    assert bob.open(claim).skipped == 1


def test_after_a_few_unused_indexes_a_new_session_begins(alice: Member, bob: Member) -> None:
    sids = set()
    for number in range(8):
        alice.share(bob)
        sealed = alice.seal(str(number))
        sids.add(sealed.sid)
        alice.sessions.outbound.settled(sealed.id, "")
    assert len(sids) == 2


def test_the_longest_text_is_sealed_beside_unused_indexes(alice: Member, bob: Member) -> None:
    alice.share(bob)
    for number in range(3):
        alice.seal(str(number), earlier=[("s" * 43, 99)])
    assert bob.open(alice.seal('"' * 4096, id="i" * 24)).skipped == 3


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_of_another_session_is_refused(alice: Member, bob: Member) -> None:
    share = alice.prepare([bob])
    assert share is not None
    for change in ({"sid": GroupSession().session_id}, {"index": 1}):
        assert bob.key_refusal(alice, {**share.body(), **change}) == "forged"


@pytest.mark.parametrize(
    "change",
    [{"key": "A"}, {"key": "é"}, {"key": 5}, {"index": -1}, {"index": LONGEST_SESSION}, {"room": ""}, {"sid": None}],
)
def test_a_key_that_is_none_is_refused(alice: Member, bob: Member, change: dict[str, object]) -> None:
    share = alice.prepare([bob])
    assert share is not None
    assert bob.key_refusal(alice, {**share.body(), **change}) == "bad-key"
    assert bob.key_refusal(alice, ["no body"]) == "bad-key"


def test_an_exported_key_is_not_taken_as_one_that_the_owner_shares(alice: Member, bob: Member) -> None:
    alice.share(alice)
    [exported] = alice.sessions.exported()
    body = {"room": ROOM, "sid": exported.sid, "key": exported.key, "index": 0}
    assert bob.key_refusal(alice, body) == "bad-key"


def test_a_later_start_does_not_replace_an_earlier_one(alice: Member, bob: Member) -> None:
    alice.share(bob)
    first = alice.seal("first")
    later = alice.prepare([bob, Member("carol")])
    assert later is not None
    assert later.key.index == 1
    assert bob.sessions.requests.take_key(alice.id, later.body()) is None
    assert bob.text(first) == "first"
    bob.start()
    assert bob.text(first) == "first"


def test_an_earlier_start_of_the_same_session_replaces_a_later_one(alice: Member, bob: Member) -> None:
    early = alice.prepare([bob])
    assert early is not None
    first = alice.seal("first")
    late = alice.prepare([bob])
    assert late is not None
    bob.sessions.requests.take_key(alice.id, late.body())
    assert bob.refusal(first) == "before-key"
    assert bob.sessions.requests.take_key(alice.id, early.body()) == early.name
    bob.start()
    assert bob.text(first) == "first"
    assert bob.open(alice.seal("second")).skipped == 0


def test_a_key_from_another_device_replaces_nothing(alice: Member, bob: Member, mallory: Member) -> None:
    share = alice.prepare([bob])
    assert share is not None
    bob.sessions.requests.take_key(alice.id, share.body())
    assert (
        bob.sessions.requests.take_key(mallory.id, share.body()) is not None
    )  # a claim of its own, which opens nothing
    sealed = alice.seal()
    assert bob.text(sealed) == "hi"
    assert bob.refusal(replace(sealed, sender=mallory.id)) == "moved"


# ---- bounds ----------------------------------------------------------------------------------------------------------


def test_the_oldest_session_of_who_has_the_most_is_forgotten(alice: Member, bob: Member, mallory: Member) -> None:
    bob.sessions.inbound._most = 3
    alice.share(bob)
    sealed = alice.seal()
    assert bob.text(sealed) == "hi"
    for rev in range(10):
        mallory.share(bob, rev=rev)
    assert bob.text(sealed) == "hi"
    assert [name.owner for name in InboundSessions(bob.rows, os.urandom).names()] == [alice.id, mallory.id, mallory.id]
    assert bob.text(mallory.seal(rev=9)) == "hi"
    assert len(bob.rows.keys("room-sessions")) == 3


def test_a_forgotten_session_leaves_nothing_behind(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sealed = alice.seal()
    bob.open(sealed)
    [name] = bob.sessions.inbound.names()
    bob.sessions.inbound.forget(name)
    assert [bob.rows.keys(table) for table in ("room-sessions", "room-sessions-seen", "room-sessions-order")] == [
        []
    ] * 3
    assert bob.refusal(sealed) == "no-key"


def test_few_sessions_are_in_memory(alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.client.crypto.inbound_sessions.MOST_LOADED", 2)
    sealed = []
    for rev in range(5):
        alice.share(bob, rev=rev)
        sealed.append(alice.seal(str(rev), rev=rev))
    assert [bob.text(one) for one in sealed] == ["0", "1", "2", "3", "4"]
    assert len(bob.sessions.inbound._loaded) == 2


def test_nothing_secret_is_in_a_repr(alice: Member, bob: Member) -> None:
    share = alice.prepare([bob])
    assert share is not None
    bob.sessions.requests.take_key(alice.id, share.body())
    opened = bob.open(sealed := alice.seal("secret words", id="1"))
    [exported] = bob.sessions.exported()
    [session] = [bob.sessions.inbound.find(name) for name in bob.sessions.inbound.names()]
    shown = repr([share, share.key, opened, opened.plain, sealed, exported, session])
    assert not any(secret in shown for secret in ("secret words", share.key.key, exported.key, sealed.ct))
