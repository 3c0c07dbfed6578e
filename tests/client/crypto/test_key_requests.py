"""Who is answered when it asks for a room key, and which answers are believed."""

from __future__ import annotations

from typing import Any

import pytest
from room_members import NOW, ROOM, Member

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.room_messages import RoomCiphertext
from chatroom.model.signed_bytes import b64, unb64


@pytest.fixture
def alice() -> Member:
    return Member("alice")


@pytest.fixture
def bob() -> Member:
    return Member("bob")


@pytest.fixture
def phone() -> Member:
    """Bob's other device."""
    return Member("bob", "B")


def ask(member: Member, sealed: RoomCiphertext, now: int = NOW) -> dict[str, Any]:
    """Ask for the key of a message."""
    body = member.sessions.requests.ask(sealed, now)
    assert body is not None
    return body


def answer(member: Member, asker: Member, body: object, signed: str = "AB") -> dict[str, Any]:
    """Answer a request; each letter is a device that our user key has signed."""
    return member.sessions.requests.answer(asker.id, asker.ed25519, body, signed)


def refusal(member: Member, asker: Member, body: object, signed: str = "AB") -> str:
    """Return the code with which a request is refused."""
    with pytest.raises(CryptoRefusal) as refused:
        answer(member, asker, body, signed)
    return refused.value.code


def lose(member: Member) -> None:
    """Forget all sessions, as when an envelope could not be opened."""
    for name in member.sessions.inbound.names():
        member.sessions.inbound.forget(name)


def test_the_owner_gives_the_key_again_from_the_index_where_it_gave_it(alice: Member, bob: Member) -> None:
    alice.share(alice)
    early = alice.seal("early")
    alice.share(alice, bob)
    sealed = alice.seal("late")
    lose(bob)
    body = answer(alice, bob, ask(bob, sealed))
    assert body["index"] == 1
    assert bob.sessions.requests.take_key(alice.id, body) == sealed.name()
    assert (bob.text(sealed), bob.open(sealed).authenticated, bob.refusal(early)) == ("late", True, "before-key")


def test_the_owner_gives_the_key_of_a_session_that_is_used_no_more(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sealed = alice.seal()
    alice.share(bob, rev=2)
    lose(bob)
    bob.sessions.requests.take_key(alice.id, answer(alice, bob, ask(bob, sealed)))
    assert bob.text(sealed) == "hi"


def test_the_owner_gives_no_key_to_a_device_that_it_never_gave_it(alice: Member, bob: Member, phone: Member) -> None:
    alice.share(alice, bob)
    sealed = alice.seal()
    assert refusal(alice, phone, ask(phone, sealed)) == "not-given"
    carol = Member("carol")
    assert refusal(alice, carol, ask(carol, sealed)) == "not-given"


def test_the_owner_gives_no_key_to_a_device_that_was_only_offered_it(alice: Member, bob: Member) -> None:
    alice.prepare([bob])
    assert refusal(alice, bob, ask(bob, alice.seal())) == "not-given"


def test_the_owner_gives_no_key_to_another_device_of_the_same_name(alice: Member, bob: Member) -> None:
    alice.share(bob)
    body = ask(Member("bob"), alice.seal())
    bob.ed25519 = "another key"
    assert refusal(alice, bob, body) == "not-given"


def test_nobody_gives_the_key_of_another_devices_session_to_another_user(alice: Member, bob: Member) -> None:
    carol = Member("carol")
    alice.share(bob)
    assert refusal(bob, carol, ask(carol, alice.seal())) == "not-given"
    bob.share(carol)
    assert refusal(bob, carol, ask(Member("carol"), alice.seal())) == "not-given"


def test_a_signed_device_of_our_own_gets_what_we_have(alice: Member, bob: Member, phone: Member) -> None:
    alice.share(bob)
    sealed = alice.seal()
    body = answer(bob, phone, ask(phone, sealed))
    assert phone.sessions.requests.take_key(bob.id, body) == sealed.name()
    assert (phone.text(sealed), phone.open(sealed).authenticated) == ("hi", True)


def test_a_device_of_our_own_that_is_not_signed_gets_nothing(alice: Member, bob: Member, phone: Member) -> None:
    alice.share(bob)
    body = ask(phone, alice.seal())
    assert refusal(bob, phone, body, signed="A") == "not-yours"
    assert refusal(bob, bob, body) == "not-yours"


def test_a_device_of_our_own_gets_no_key_whose_owner_is_not_sure(alice: Member, bob: Member, phone: Member) -> None:
    alice.share(alice)
    sealed = alice.seal()
    [exported] = alice.sessions.exported()
    assert bob.sessions.import_key(exported)
    assert refusal(bob, phone, ask(phone, sealed)) == "no-key"


def test_a_key_that_nobody_has_is_not_given(alice: Member, bob: Member, phone: Member) -> None:
    alice.share(alice)
    assert refusal(bob, phone, ask(phone, alice.seal())) == "no-key"


@pytest.mark.parametrize("body", [None, {}, {"room": ROOM, "sid": "x"}, {"room": ROOM, "sid": "x", "owner": "alice"}])
def test_a_request_that_is_none_is_refused(alice: Member, bob: Member, body: object) -> None:
    assert refusal(alice, bob, body) == "bad-key"


def test_an_answer_that_nobody_asked_for_is_refused(alice: Member, bob: Member, phone: Member) -> None:
    alice.share(bob)
    sealed = alice.seal()
    body = answer(bob, phone, ask(Member("bob", "B"), sealed))
    assert phone.key_refusal(bob, body) == "unasked"
    assert phone.refusal(sealed) == "no-key"


def test_an_answer_is_believed_once(alice: Member, bob: Member, phone: Member) -> None:
    alice.share(bob)
    body = answer(bob, phone, ask(phone, alice.seal()))
    phone.sessions.requests.take_key(bob.id, body)
    assert phone.key_refusal(bob, body) == "unasked"


def test_an_answer_of_anybody_but_the_owner_and_our_own_devices_is_refused(alice: Member, bob: Member) -> None:
    mallory = Member("mallory")
    alice.share(bob, mallory)
    sealed = alice.seal()
    lose(bob)
    body = answer(alice, bob, ask(bob, sealed))
    assert bob.key_refusal(mallory, body) == "unasked"
    assert bob.key_refusal(Member("alice", "B"), body) == "unasked"
    assert bob.sessions.requests.take_key(alice.id, body) is not None


def test_an_answer_with_the_sessions_id_but_another_ratchet_is_refused(
    alice: Member, bob: Member, phone: Member
) -> None:
    alice.share(alice)
    sealed = alice.seal()
    request = ask(bob, sealed)
    share = alice.prepare([bob])
    assert share is not None
    bob.sessions.requests.take_key(alice.id, share.body())
    other = Member("other")
    other.share(other)
    [genuine], [forged] = alice.sessions.exported(), other.sessions.exported()
    key = b64(unb64(forged.key)[:-32] + unb64(genuine.key)[-32:])
    assert bob.key_refusal(phone, {**request, "key": key, "index": 0}) == "forged"
    assert bob.text(alice.seal("later")) == "later"


def test_a_key_is_asked_for_at_most_once_a_minute(alice: Member, bob: Member) -> None:
    alice.share(alice)
    sealed = alice.seal()
    ask(bob, sealed)
    bob.start()
    assert bob.sessions.requests.ask(sealed, NOW + 59_999) is None
    ask(bob, sealed, NOW + 60_000)
    ask(bob, sealed, NOW - 1)  # the clock was set back


def test_a_known_key_and_our_own_are_not_asked_for(alice: Member, bob: Member) -> None:
    alice.share(bob)
    sealed = alice.seal()
    assert bob.sessions.requests.ask(sealed, NOW) is None
    lose(alice)
    assert alice.sessions.requests.ask(sealed, NOW) is None


def test_only_some_requests_are_remembered(alice: Member, bob: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.client.crypto.key_requests.MOST_ASKED", 3)
    sealed = []
    for rev in range(5):
        alice.share(alice, rev=rev)
        sealed.append(alice.seal(rev=rev))
        ask(bob, sealed[-1], NOW + rev)
    kept = [one.name().key() for one in sealed[2:]]
    assert bob.rows.keys("room-keys-asked") == sorted(kept)
