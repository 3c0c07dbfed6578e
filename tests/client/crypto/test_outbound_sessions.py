"""When a new session begins, who gets its key, and that no index is ever used twice."""

from __future__ import annotations

import pytest
from room_members import NOW, ROOM, Member

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.outbound_sessions import LONGEST_USE, MOST_MESSAGES

DAY = 24 * 3_600_000  # ms


@pytest.fixture
def alice() -> Member:
    return Member("alice")


@pytest.fixture
def bob() -> Member:
    return Member("bob")


@pytest.fixture
def carol() -> Member:
    return Member("carol")


def seal_refusal(member: Member, rev: int = 1, now: int = NOW, text: str = "hi", room: str = ROOM) -> str:
    """Return the code with which sealing is refused."""
    with pytest.raises(CryptoRefusal) as refused:
        member.seal(text, rev=rev, now=now, room=room)
    return refused.value.code


# ---- a new session ---------------------------------------------------------------------------------------------------


def test_a_session_goes_on_as_long_as_nothing_changes(alice: Member, bob: Member) -> None:
    alice.share(bob)
    one = alice.seal("one")
    assert alice.prepare([bob], now=NOW + DAY - 1) is None
    assert alice.seal("two", now=NOW + DAY - 1).sid == one.sid


def test_a_new_session_begins_after_a_hundred_messages(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sids = {alice.seal(str(number)).sid for number in range(MOST_MESSAGES)}
    assert (len(sids), MOST_MESSAGES) == (1, 100)
    assert seal_refusal(alice) == "key-due"
    assert alice.share(bob) == [bob]
    assert alice.seal().sid not in sids


def test_a_new_session_begins_after_a_day(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sid = alice.seal().sid
    assert (LONGEST_USE, seal_refusal(alice, now=NOW + DAY)) == (DAY, "key-due")
    assert alice.share(bob, now=NOW + DAY) == [bob]
    assert alice.seal(now=NOW + DAY).sid != sid


def test_a_new_session_begins_when_the_clock_was_set_back(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sid = alice.seal().sid
    assert seal_refusal(alice, now=NOW - 1) == "key-due"
    assert alice.share(bob, now=NOW - 1) == [bob]
    assert alice.seal(now=NOW - 1).sid != sid


@pytest.mark.parametrize("rev", [0, 2])
def test_a_new_session_begins_when_the_members_changed(alice: Member, bob: Member, rev: int) -> None:
    alice.share(bob)
    sid = alice.seal().sid
    assert seal_refusal(alice, rev=rev) == "key-due"
    assert alice.share(bob, rev=rev) == [bob]
    assert alice.seal(rev=rev).sid != sid


def test_a_new_session_begins_when_a_device_was_removed(alice: Member, bob: Member, carol: Member) -> None:
    alice.share(bob, carol)
    sid = alice.seal().sid
    assert alice.share(bob) == [bob]
    after = alice.seal("after")
    assert after.sid != sid
    assert carol.refusal(after) == "no-key"


def test_a_new_session_begins_when_a_device_has_another_key(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sid = alice.seal().sid
    bob.ed25519 = "another key"
    assert alice.share(bob) == [bob]
    assert alice.seal().sid != sid


def test_a_new_session_begins_when_a_device_was_removed_that_perhaps_got_the_key(
    alice: Member, bob: Member, carol: Member
) -> None:
    share = alice.prepare([bob, carol])  # sent, but the connection was lost before the server said so
    assert share is not None
    carol.sessions.requests.take_key(alice.id, share.body())
    alice.share(bob)
    assert carol.refusal(alice.seal()) == "no-key"


def test_after_leaving_a_new_session_begins(alice: Member, bob: Member) -> None:
    alice.share(bob)
    alice.sessions.outbound.forget(ROOM)
    assert seal_refusal(alice) == "key-due"
    alice.resume()
    assert seal_refusal(alice) == "key-due"


def test_nothing_is_sealed_before_prepare(alice: Member) -> None:
    assert seal_refusal(alice) == "key-due"


def test_rooms_have_sessions_of_their_own(alice: Member, bob: Member) -> None:
    alice.share(bob)
    alice.share(bob, room="room-2")
    assert alice.seal().sid != alice.seal(room="room-2").sid


# ---- restarts and copies ---------------------------------------------------------------------------------------------


def test_what_was_stored_goes_on(alice: Member, bob: Member) -> None:
    alice.share(bob)
    one = alice.seal("one")
    alice.resume()
    assert alice.prepare([bob]) is None
    two = alice.seal("two")
    assert (two.sid, bob.open(one).index, bob.open(two).index) == (one.sid, 0, 1)


def test_a_copied_or_restored_state_seals_nothing_with_its_old_session(alice: Member, bob: Member) -> None:
    alice.share(bob)
    one = alice.seal("one")
    alice.start()
    assert seal_refusal(alice) == "key-due"
    assert alice.share(bob) == [bob]
    assert alice.seal("two").sid != one.sid
    assert alice.text(one) == "one"


# ---- who gets the key ------------------------------------------------------------------------------------------------


def test_the_key_goes_to_all_other_devices_and_only_once(alice: Member, bob: Member, carol: Member) -> None:
    phone = Member("alice", "B")
    assert alice.share(alice, phone, bob, carol) == [phone, bob, carol]
    assert alice.prepare([alice, phone, bob, carol]) is None
    alice.resume()
    assert alice.prepare([alice, phone, bob, carol]) is None


def test_a_device_that_joins_gets_the_key_at_the_current_index_and_reads_nothing_earlier(
    alice: Member, bob: Member, carol: Member
) -> None:
    alice.share(bob)
    early = alice.seal("early")
    assert alice.share(bob, carol) == [carol]
    late = alice.seal("late")
    assert late.sid == early.sid
    assert (carol.refusal(early), carol.text(late)) == ("before-key", "late")


def test_sharing_that_failed_half_way_is_continued(alice: Member, bob: Member, carol: Member) -> None:
    share = alice.prepare([bob, carol])
    assert share is not None
    alice.sessions.outbound.given(share, [bob.id])
    alice.seal("meanwhile")
    alice.resume()
    again = alice.prepare([bob, carol])
    assert again is not None
    assert (again.devices, again.name, again.key.index) == ((carol.id,), share.name, 1)
    alice.sessions.outbound.given(again, [carol.id])
    assert alice.prepare([bob, carol]) is None


def test_only_devices_that_a_share_names_are_remembered(alice: Member, bob: Member, carol: Member) -> None:
    share = alice.prepare([bob])
    assert share is not None
    alice.sessions.outbound.given(share, [bob.id, carol.id])
    assert alice.share(bob, carol) == [carol]


def test_an_answer_for_an_earlier_session_or_share_is_not_counted_for_the_new_one(alice: Member, bob: Member) -> None:
    share = alice.prepare([bob])
    assert share is not None
    alice.seal()
    assert alice.prepare([bob]) is not None
    alice.sessions.outbound.given(share, [bob.id])  # bob has it from index 0, which the second share did not say
    assert alice.prepare([bob]) is not None
    assert alice.prepare([bob], rev=2) is not None
    alice.sessions.outbound.given(share, [bob.id])
    assert alice.prepare([bob], rev=2) is not None


# ---- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["x" * 8_800, "é" * 4_400])
def test_a_message_that_is_too_long_uses_no_index(alice: Member, bob: Member, text: str) -> None:
    alice.share(bob)
    assert seal_refusal(alice, text=text) == "too-long"
    assert bob.open(alice.seal()).index == 0


def test_a_message_that_cannot_be_written_uses_no_index(alice: Member, bob: Member) -> None:
    alice.share(bob)
    assert seal_refusal(alice, text="\ud800") == "unwritable"
    assert bob.open(alice.seal()).index == 0


def test_the_longest_message_fits_into_what_the_server_takes(alice: Member, bob: Member) -> None:
    alice.share(bob)
    assert len(alice.seal("x" * 8_500, id="1").ct) <= 12_000


def test_the_length_tells_little_about_the_text(alice: Member, bob: Member) -> None:
    alice.share(bob)
    assert len({len(alice.seal("x" * length, id="1").ct) for length in (1, 10, 30)}) == 1


def test_offers_of_old_sessions_are_forgotten(alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.client.crypto.outbound_sessions.MOST_OFFERS", 6)
    for rev in range(20):
        alice.share(bob, rev=rev)
    assert len(alice.rows.keys("room-outbound-offers")) <= 7
    assert alice.prepare([bob], rev=19) is None


def test_sessions_of_many_rooms_are_forgotten(alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.client.crypto.outbound_sessions.MOST_ROOMS", 5)
    for room in range(20):
        alice.share(bob, room=str(room))
    assert len(alice.rows.keys("room-outbound")) <= 6
    assert alice.prepare([bob], room="19") is None
