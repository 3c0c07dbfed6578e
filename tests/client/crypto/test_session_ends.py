"""A session says in its first messages how the one before ended, as far as that is certain."""

from __future__ import annotations

import pytest
from room_members import NOW, ROOM, Member

from chatroom.client.crypto import outbound_sessions, session_ends
from chatroom.client.crypto.room_messages import RoomCiphertext
from chatroom.client.crypto.room_plaintext import SessionEnd, UnusedIndex, mark_of


@pytest.fixture
def alice() -> Member:
    return Member("alice")


@pytest.fixture
def bob() -> Member:
    return Member("bob")


def sealed(member: Member, *texts: str, rev: int = 1) -> list[RoomCiphertext]:
    """Seal messages in the session of a membership revision."""
    member.share(member, rev=rev)
    return [member.seal(text, rev=rev) for text in texts]


def said(member: Member, *texts: str, rev: int = 1) -> list[RoomCiphertext]:
    """Seal messages that the server stores."""
    messages = sealed(member, *texts, rev=rev)
    for each in messages:
        member.sessions.outbound.settled(each.id, each.ct)
    return messages


def end_in(member: Member, message: RoomCiphertext) -> SessionEnd | None:
    """Return what a message says of the session before."""
    return member.open(message).plain.before


def test_the_first_session_says_nothing(alice: Member) -> None:
    assert [end_in(alice, each) for each in sealed(alice, "one", "two")] == [None, None]


def test_the_next_one_says_it_until_a_message_that_says_it_is_in_the_log(alice: Member) -> None:
    old = said(alice, "one", "two")
    first, second = sealed(alice, "three", "four", rev=2)
    end = SessionEnd(mark_of(old[0].sid), 2)
    assert [end_in(alice, each) for each in (first, second)] == [end, end]
    alice.sessions.outbound.settled(first.id, first.ct)
    assert end_in(alice, alice.seal("five", rev=2)) is None


def test_only_what_is_in_the_log_for_certain_is_said(alice: Member) -> None:
    (one,) = said(alice, "one")
    sealed(alice, "in doubt")
    said(alice, "three")
    (refused,) = sealed(alice, "refused")
    alice.sessions.outbound.settled(refused.id, "")
    said(alice, "five")
    sealed(alice, "in doubt, too")
    (new,) = sealed(alice, "new", rev=2)
    end = end_in(alice, new)
    assert end == SessionEnd(mark_of(one.sid), 5, (UnusedIndex(1), UnusedIndex(3)))
    assert end.stored == 3


def test_what_is_confirmed_after_the_next_session_has_begun_is_said_then(alice: Member) -> None:
    one, two = sealed(alice, "one", "two")
    first, second = sealed(alice, "three", "four", rev=2)
    assert end_in(alice, first) is None
    for each in (one, two, first, second):
        alice.sessions.outbound.settled(each.id, each.ct)
    fifth, sixth = (alice.seal(text, rev=2) for text in ("five", "six"))
    assert [end_in(alice, each) for each in (fifth, sixth)] == [SessionEnd(mark_of(one.sid), 2)] * 2
    alice.sessions.outbound.settled(fifth.id, fifth.ct)
    assert end_in(alice, alice.seal("seven", rev=2)) is None


def test_a_session_of_which_nothing_is_in_the_log_is_passed_over(alice: Member) -> None:
    (one,) = said(alice, "one")
    sealed(alice, "in doubt", rev=2)
    (new,) = sealed(alice, "new", rev=3)
    assert end_in(alice, new) == SessionEnd(mark_of(one.sid), 1)


@pytest.mark.parametrize("how", ["start", "forget"])
def test_it_is_said_after_a_restart_and_after_the_room_was_left(alice: Member, how: str) -> None:
    (one,) = said(alice, "one")
    (two,) = sealed(alice, "in doubt")
    if how == "start":
        alice.start()
    else:
        alice.sessions.outbound.forget(ROOM)
        alice.sessions.outbound.settled(two.id, two.ct)
    (new,) = sealed(alice, "new")
    assert end_in(alice, new) == SessionEnd(mark_of(one.sid), 1 if how == "start" else 2)


def test_what_an_earlier_run_has_sealed_is_said_when_it_is_seen_in_the_log(alice: Member) -> None:
    (one,) = said(alice, "one")
    sealed(alice, "in doubt", "stored")
    alice.start()
    (before,) = sealed(alice, "before")
    alice.sessions.outbound.stored(ROOM, one.sid, 2)
    alice.sessions.outbound.stored(ROOM, "another session", 7)
    after = alice.seal("after")
    assert end_in(alice, before) == SessionEnd(mark_of(one.sid), 1)
    assert end_in(alice, after) == SessionEnd(mark_of(one.sid), 3, (UnusedIndex(1),))


def test_less_is_said_where_there_is_too_much_to_say(alice: Member) -> None:
    (one,) = said(alice, "one")
    for number in range(6):
        sealed(alice, f"in doubt {number}")
        said(alice, f"stored {number}")
    (new,) = sealed(alice, "new", rev=2)
    end = end_in(alice, new)
    assert end == SessionEnd(mark_of(one.sid), 9, tuple(UnusedIndex(index) for index in (1, 3, 5, 7)))


def test_the_longest_text_is_sealed_beside_the_end(alice: Member, bob: Member) -> None:
    said(alice, "one")
    sealed(alice, *(str(number) for number in range(4)))
    alice.seal("twice", earlier=[("s" * 43, 99)] * 3)
    said(alice, "last")
    alice.share(bob, rev=2)
    for number in range(3):
        alice.seal(str(number), rev=2, earlier=[("s" * 43, 99)])
    assert bob.open(alice.seal('"' * 4096, id="i" * 24, rev=2)).plain.before is not None


def test_the_ends_in_many_rooms_are_forgotten(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_ends, "MOST_ENDS", 3)
    for number in range(8):
        room = f"room {number}"
        alice.share(alice, room=room)
        message = alice.seal("hi", id=room, room=room)
        alice.sessions.outbound.settled(room, message.ct)
        assert 0 < len(alice.rows.keys(session_ends.TABLE)) <= 3
    assert len(alice.rows.keys(session_ends.TABLE)) == 2


def test_the_last_sessions_of_many_rooms_are_forgotten(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound_sessions, "MOST_ROOMS", 3)
    for number in range(8):
        alice.share(alice, room=f"room {number}")
        alice.sessions.outbound.forget(f"room {number}")
    assert len(alice.sessions.outbound._ended) == 3


# ---- what the reader makes of it -------------------------------------------------------------------------------------


def test_only_what_was_not_opened_is_missing_at_the_end(alice: Member, bob: Member) -> None:
    alice.share(bob)
    messages = [alice.seal(str(number), now=NOW) for number in range(6)]
    for number in (0, 1, 4):
        bob.open(messages[number])
    end = SessionEnd(mark_of(messages[0].sid), 6, (UnusedIndex(3),))
    assert bob.sessions.inbound.missing_at_end(messages[0].name(), 2, end) == 2
    assert bob.sessions.inbound.missing_at_end(messages[0].name(), 5, end) == 1


def test_what_was_said_before_the_key_is_not_missing_at_the_end(alice: Member, bob: Member) -> None:
    (early,) = sealed(alice, "early")
    alice.share(alice, bob)
    alice.seal("late")
    assert bob.sessions.inbound.missing_at_end(early.name(), 0, SessionEnd(mark_of(early.sid), 2)) == 1


def test_nothing_is_missing_at_the_end_of_a_session_that_was_forgotten(alice: Member, bob: Member) -> None:
    (early,) = sealed(alice, "early")
    assert bob.sessions.inbound.missing_at_end(early.name(), 0, SessionEnd(mark_of(early.sid), 2)) == 0
