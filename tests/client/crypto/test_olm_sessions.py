"""Messages between two devices: opened once, from the device and under the id with which they were sealed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from crypto_people import ZERO_KEY, Person, device_by, key_by
from msgspec.structs import replace

from chatroom.client.crypto import olm_sessions, peer_sessions
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.inner import Inner
from chatroom.client.crypto.olm_sessions import Duplicate, Reset
from chatroom.client.crypto.padding import padded
from chatroom.client.crypto.peer_sessions import peer_name
from chatroom.client.crypto.sent_messages import KEPT, KEPT_FOR
from chatroom.model.device_keys import Envelope, SignedKey
from chatroom.model.signed_bytes import b64, unb64

MINUTE = 60_000


@pytest.fixture
def alice() -> Person:
    return Person("alice")


@pytest.fixture
def bob() -> Person:
    return Person("bob")


def seal(sender: Person, to: Person, id: str, claimed: SignedKey | None = None, **fields: Any) -> Envelope:
    """Seal a message; ``fields`` may have ``type``, ``ts`` and ``body``."""
    fields = {"type": "msg", "ts": 5, "body": {"text": id}} | fields
    return sender.olm.seal(to.keys, id=id, claimed=claimed, **fields)


def open_(to: Person, sender: Person, id: str, envelope: Envelope) -> Inner | Duplicate:
    """Open a message as the server delivers it."""
    return to.olm.open(sender.keys, id, envelope.kind, envelope.body)


def text(opened: Inner | Duplicate) -> str:
    assert isinstance(opened, Inner)
    return str(opened.body["text"])


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(CryptoRefusal) as caught:
        act()
    return caught.value.code


def introduce(one: Person, other: Person) -> None:
    """Let two people exchange a message each way, so that both have a session."""
    assert text(open_(other, one, "hi", seal(one, other, "hi", other.new_key()))) == "hi"
    assert text(open_(one, other, "ho", seal(other, one, "ho"))) == "ho"


def fallback_of(person: Person) -> SignedKey:
    key = person.identity.fallback_key(0)
    assert key is not None
    return key


# ---- there and back


def test_messages_go_both_ways_over_restarts(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    for number in range(3):
        alice.restart()
        bob.restart()
        opened = open_(bob, alice, f"a{number}", seal(alice, bob, f"a{number}", ts=number))
        assert isinstance(opened, Inner)
        assert (opened.type, opened.id, opened.ts, opened.body) == ("msg", f"a{number}", number, {"text": f"a{number}"})
        assert text(open_(alice, bob, f"b{number}", seal(bob, alice, f"b{number}"))) == f"b{number}"


def test_a_message_is_no_longer_or_shorter_for_a_few_letters(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    sealed = [seal(alice, bob, f"id{number}", body={"text": "x" * number}) for number in range(0, 150, 5)]
    assert len({len(envelope.body) for envelope in sealed}) == 2  # one step of padding lies between them


def test_no_session_is_made_up(alice: Person, bob: Person) -> None:
    assert alice.olm.wanting_keys([bob.keys]) == [bob.keys]
    assert code_of(lambda: seal(alice, bob, "x")) == "no-session"
    seal(alice, bob, "x", bob.new_key())
    assert alice.olm.wanting_keys([bob.keys]) == []
    alice.restart()
    assert alice.olm.wanting_keys([bob.keys]) == []


def test_nothing_is_sealed_for_ourselves_or_another_server(alice: Person, bob: Person) -> None:
    assert code_of(lambda: alice.olm.seal(alice.keys, type="msg", id="x", ts=1, body={}, claimed=alice.new_key())) == (
        "no-session"
    )
    elsewhere = device_by(bob, server="server-2")
    key = key_by(bob, server="server-2")
    assert code_of(lambda: alice.olm.seal(elsewhere, type="msg", id="x", ts=1, body={}, claimed=key)) == "no-session"


def test_a_message_that_fits_in_no_envelope_is_refused(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    assert code_of(lambda: seal(alice, bob, "x", body={"text": "x" * 6000})) == "too-long"
    longest = seal(alice, bob, "y", bob.new_key(), body={"text": "x" * 5300})  # a pre-key message is longer still
    assert len(longest.body) <= 8192
    assert text(open_(bob, alice, "y", longest)) == "x" * 5300


def test_a_message_without_a_canonical_text_is_refused(alice: Person, bob: Person) -> None:
    assert code_of(lambda: seal(alice, bob, "x", bob.new_key(), body={"text": "\ud800"})) == "unwritable"
    assert code_of(lambda: seal(alice, bob, "x", bob.new_key(), body={"size": 1.5})) == "unwritable"


def test_nothing_that_is_said_is_in_a_repr(alice: Person, bob: Person) -> None:
    opened = open_(bob, alice, "x", seal(alice, bob, "x", bob.new_key(), body={"text": "canary"}))
    assert isinstance(opened, Inner)
    assert "canary" not in repr(opened)
    assert "canary" not in repr(alice.olm.asked_again(bob.keys, ["x"], 6))


# ---- keys that the server gives


def test_swapped_one_time_keys_are_refused(alice: Person, bob: Person) -> None:
    mallory = Person("mallory")
    swapped = replace(bob.new_key(), key=mallory.new_key().key)
    for key in (mallory.new_key(), swapped, key_by(bob, key=ZERO_KEY)):
        assert code_of(lambda key=key: seal(alice, bob, "x", key)) == "forged"
    assert alice.olm.wanting_keys([bob.keys]) == [bob.keys]


def test_a_device_with_a_key_of_zeros_gets_nothing(alice: Person, bob: Person) -> None:
    """Even if such a record were believed, the library refuses it."""
    zeros = device_by(bob, curve25519=ZERO_KEY)
    assert code_of(lambda: alice.olm.seal(zeros, type="msg", id="x", ts=1, body={}, claimed=bob.new_key())) == "forged"


# ---- what the server may try with a message


def test_a_message_with_another_sender_is_not_opened(alice: Person, bob: Person) -> None:
    mallory = Person("mallory")
    sealed = seal(mallory, bob, "x", bob.new_key())
    assert code_of(lambda: open_(bob, alice, "x", sealed)) == "undecryptable"
    introduce(alice, bob)
    introduce(mallory, bob)
    assert code_of(lambda: open_(bob, alice, "y", seal(mallory, bob, "y"))) == "undecryptable"


def test_an_unknown_key_share_is_refused(alice: Person, bob: Person) -> None:
    """Mallory publishes bob's key as hers. What alice writes to mallory then, the server gives to bob."""
    mallory = Person("mallory")
    false = device_by(mallory, curve25519=bob.keys.curve25519)
    key = key_by(mallory, key=bob.new_key().key)
    sealed = alice.olm.seal(false, type="msg", id="x", ts=1, body={"text": "for mallory"}, claimed=key)
    assert code_of(lambda: open_(bob, alice, "x", sealed)) == "forged"
    assert bob.olm.wanting_keys([alice.keys]) == [alice.keys]  # and that session is not used for answers


@pytest.mark.parametrize("wrong", ["server", "user", "device", "from user", "from device", "from key", "to key"])
def test_each_name_inside_is_checked(monkeypatch: pytest.MonkeyPatch, alice: Person, bob: Person, wrong: str) -> None:
    introduce(alice, bob)

    def written(*_: object) -> bytes:
        inner = {
            "v": 1,
            "server": "server-2" if wrong == "server" else alice.identity.server,
            "type": "msg",
            "id": "x",
            "ts": 1,
            "from": [
                "mallory" if wrong == "from user" else "alice",
                "AAAAAAAAAA" if wrong == "from device" else alice.identity.device,
            ],
            "from_ed": ZERO_KEY if wrong == "from key" else alice.identity.ed25519,
            "to": [
                "mallory" if wrong == "user" else "bob",
                "AAAAAAAAAA" if wrong == "device" else bob.identity.device,
            ],
            "to_ed": ZERO_KEY if wrong == "to key" else bob.identity.ed25519,
            "body": {},
        }
        return msgspec.json.encode(inner)

    monkeypatch.setattr(olm_sessions, "written", written)
    sealed = seal(alice, bob, "x")
    assert code_of(lambda: open_(bob, alice, "x", sealed)) == "forged"
    monkeypatch.undo()
    assert text(open_(bob, alice, "y", seal(alice, bob, "y"))) == "y"  # the session goes on
    assert open_(bob, alice, "x", sealed) == Duplicate("x")


@pytest.mark.parametrize("plain", [b"{}", b"[", b'{"v":1}', b'{"v":"1"}', b"\xff", b'{"v":1,"server":1}'])
def test_an_unreadable_text_is_refused(
    monkeypatch: pytest.MonkeyPatch, alice: Person, bob: Person, plain: bytes
) -> None:
    monkeypatch.setattr(olm_sessions, "written", lambda *_: padded(plain))
    sealed = seal(alice, bob, "x", bob.new_key())
    assert code_of(lambda: open_(bob, alice, "x", sealed)) == "forged"


@pytest.mark.parametrize("known", [True, False])
def test_a_newer_version_is_told_apart_from_a_forgery(
    monkeypatch: pytest.MonkeyPatch, alice: Person, bob: Person, known: bool
) -> None:
    if known:
        introduce(alice, bob)
    monkeypatch.setattr(olm_sessions, "written", lambda *_: padded(b'{"v":2,"other":"fields"}'))
    sealed = seal(alice, bob, "x", None if known else bob.new_key())
    assert code_of(lambda: open_(bob, alice, "x", sealed)) == "newer-version"
    monkeypatch.undo()
    assert bob.olm.resets() == []
    assert text(open_(bob, alice, "y", seal(alice, bob, "y"))) == "y"


def test_a_message_under_another_id_is_refused(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    sealed = seal(alice, bob, "x")
    assert code_of(lambda: open_(bob, alice, "y", sealed)) == "forged"


def test_a_changed_message_is_refused_and_the_genuine_one_opened(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    sealed = seal(alice, bob, "x")
    assert open_damaged(bob, alice, "x", sealed) == "undecryptable"
    assert text(open_(bob, alice, "x", sealed)) == "x"
    assert bob.olm.resets() == []  # what was opened after all is not asked for


@pytest.mark.parametrize(("kind", "body"), [(2, "QUJD"), (-1, "QUJD"), (1, "no base64"), (0, "A" * 8196)])
def test_what_is_no_envelope_is_refused(alice: Person, bob: Person, kind: int, body: str) -> None:
    assert code_of(lambda: bob.olm.open(alice.keys, "x", kind, body)) == "forged"
    assert bob.olm.resets() == []


@pytest.mark.parametrize("kind", [0, 1])
def test_noise_is_not_opened(alice: Person, bob: Person, kind: int) -> None:
    introduce(alice, bob)
    for body in ("", "QUJD", "A" * 400):
        assert code_of(lambda body=body: bob.olm.open(alice.keys, body[:9], kind, body)) == "undecryptable"


# ---- replays


@pytest.mark.parametrize("restarted", [True, False])
def test_a_normal_message_is_opened_once(alice: Person, bob: Person, restarted: bool) -> None:
    introduce(alice, bob)
    sealed = seal(alice, bob, "x")
    open_(bob, alice, "x", sealed)
    if restarted:
        bob.restart()
    assert open_(bob, alice, "x", sealed) == Duplicate("x")
    assert code_of(lambda: open_(bob, alice, "y", sealed)) == "replayed"
    assert bob.olm.resets() == []


@pytest.mark.parametrize("restarted", [True, False])
def test_a_message_that_starts_a_session_by_the_fallback_key_is_opened_once(
    alice: Person, bob: Person, restarted: bool
) -> None:
    sealed = seal(alice, bob, "x", fallback_of(bob))
    assert text(open_(bob, alice, "x", sealed)) == "x"
    if restarted:
        bob.restart()
    assert open_(bob, alice, "x", sealed) == Duplicate("x")
    assert code_of(lambda: open_(bob, alice, "y", sealed)) == "replayed"


def test_it_is_not_opened_again_when_its_session_and_its_hash_are_forgotten(alice: Person, bob: Person) -> None:
    sealed = seal(alice, bob, "x", fallback_of(bob))
    open_(bob, alice, "x", sealed)
    forget(bob, "olm-seen", "olm-sessions", "olm-peers")
    assert code_of(lambda: open_(bob, alice, "x", sealed)) == "undecryptable"


def test_the_inner_id_is_enough_to_tell_a_replay(alice: Person, bob: Person) -> None:
    """The memory of started sessions is gone, and the hash is another one; the library would open the message again."""
    sealed = seal(alice, bob, "x", fallback_of(bob))
    open_(bob, alice, "x", sealed)
    forget(bob, "olm-started", "olm-sessions", "olm-peers")
    again = alice.olm.seal_again(bob.keys, *alice.olm.asked_again(bob.keys, ["x"], 6))
    assert open_(bob, alice, "x", again) == Duplicate("x")


def test_a_one_time_key_is_used_once_whatever_else_is_forgotten(alice: Person, bob: Person) -> None:
    sealed = seal(alice, bob, "x", bob.new_key())
    open_(bob, alice, "x", sealed)
    forget(bob, "olm-started", "olm-sessions", "olm-peers", "olm-seen")
    assert code_of(lambda: open_(bob, alice, "x", sealed)) == "undecryptable"


def test_the_memory_of_started_sessions_is_bounded(monkeypatch: pytest.MonkeyPatch, alice: Person, bob: Person) -> None:
    monkeypatch.setattr(peer_sessions, "MOST_STARTED", 3)
    for number in range(5):
        open_(bob, alice, f"s{number}", seal(alice, bob, f"s{number}", bob.new_key()))
    value = bob.rows.get("olm-started", peer_name(alice.keys))
    assert value is not None
    assert len(msgspec.json.decode(value)) == 3


def test_a_session_that_is_open_is_not_started_again(alice: Person, bob: Person) -> None:
    """Messages before the first answer all start the session; each goes to the session that the first has started."""
    first, second = seal(alice, bob, "1", fallback_of(bob)), seal(alice, bob, "2")
    assert (first.kind, second.kind) == (0, 0)
    assert text(open_(bob, alice, "1", first)) == "1"
    bob.restart()
    assert text(open_(bob, alice, "2", second)) == "2"
    assert len(bob.rows.keys("olm-sessions")) == 1


def test_the_same_id_with_other_bytes_is_judged_by_its_inner_id(alice: Person, bob: Person) -> None:
    """A sender seals a message again after a reset; it is shown once, whichever copy comes first."""
    introduce(alice, bob)
    first = seal(alice, bob, "x")
    message = alice.olm.asked_again(bob.keys, ["x"], 6)[0]
    again = alice.olm.seal_again(bob.keys, message)
    assert again.body != first.body
    assert text(open_(bob, alice, "x", again)) == "x"
    assert open_(bob, alice, "x", first) == Duplicate("x")
    assert open_(bob, alice, "x", first) == Duplicate("x")


def test_what_was_opened_is_remembered_for_a_thousand_messages_and_not_for_ever(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    sealed = []
    for number in range(1100):
        sealed.append(seal(alice, bob, f"n{number}"))
        open_(bob, alice, f"n{number}", sealed[-1])
    bob.restart()
    assert open_(bob, alice, "n110", sealed[110]) == Duplicate("n110")
    assert open_(bob, alice, "n1099", sealed[1099]) == Duplicate("n1099")
    assert len(bob.rows.keys("olm-seen")) == 32
    assert code_of(lambda: open_(bob, alice, "n0", sealed[0])) == "undecryptable"  # forgotten, and still not opened


def forget(person: Person, *tables: str) -> None:
    """Lose rows, and begin anew."""
    for table in tables:
        for key in person.rows.keys(table):
            person.rows.delete(table, key)
    person.restart()


# ---- several sessions


def test_four_sessions_are_kept_and_the_one_that_worked_last_is_used(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    old = [seal(alice, bob, f"s{number}", bob.new_key()) for number in range(5)]
    for number, envelope in enumerate(old):
        assert text(open_(bob, alice, f"s{number}", envelope)) == f"s{number}"
    assert len(alice.rows.keys("olm-sessions")) == 4
    assert len(bob.rows.keys("olm-sessions")) == 4
    alice.restart()
    answer = seal(bob, alice, "answer")
    assert text(open_(alice, bob, "answer", answer)) == "answer"


def test_an_older_session_still_opens_and_becomes_the_first(alice: Person, bob: Person) -> None:
    """Both start a session at the same time; each side opens what the other has sealed, and they agree in the end."""
    from_alice = seal(alice, bob, "a", bob.new_key())
    from_bob = seal(bob, alice, "b", alice.new_key())
    late = seal(bob, alice, "late")
    assert text(open_(bob, alice, "a", from_alice)) == "a"
    assert text(open_(alice, bob, "b", from_bob)) == "b"
    for number in range(4):
        assert text(open_(alice, bob, f"b{number}", seal(bob, alice, f"b{number}"))) == f"b{number}"
        alice.restart()
        bob.restart()
        assert text(open_(bob, alice, f"a{number}", seal(alice, bob, f"a{number}"))) == f"a{number}"
    assert text(open_(alice, bob, "late", late)) == "late"


def test_a_session_that_was_dropped_is_not_started_again(alice: Person, bob: Person) -> None:
    late = seal(alice, bob, "late", fallback_of(bob))
    later = seal(alice, bob, "later")
    open_(bob, alice, "late", late)
    for number in range(4):
        open_(bob, alice, f"s{number}", seal(alice, bob, f"s{number}", bob.new_key()))
    assert code_of(lambda: open_(bob, alice, "later", later)) == "undecryptable"
    assert [(reset.user_id, reset.at) for reset in bob.olm.resets()] == [("alice", 0)]


def test_a_session_without_answers_is_replaced_in_time(
    monkeypatch: pytest.MonkeyPatch, alice: Person, bob: Person
) -> None:
    monkeypatch.setattr(olm_sessions, "FRESH_AFTER", 5)
    monkeypatch.setattr(olm_sessions, "NEVER_AFTER", 8)
    introduce(alice, bob)
    for number in range(8):
        assert bool(alice.olm.wanting_keys([bob.keys])) is (number >= 5)
        last = seal(alice, bob, f"m{number}")
        alice.restart()
    assert code_of(lambda: seal(alice, bob, "too many")) == "no-session"
    assert text(open_(bob, alice, "m7", last)) == "m7"
    assert text(open_(alice, bob, "b", seal(bob, alice, "b"))) == "b"
    assert alice.olm.wanting_keys([bob.keys]) == []  # an answer came
    seal(alice, bob, "goes on")


def test_the_bounds_stay_below_what_the_library_bears(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    last = [seal(alice, bob, f"m{number}") for number in range(olm_sessions.NEVER_AFTER)][-1]
    assert code_of(lambda: seal(alice, bob, "x")) == "no-session"
    assert text(open_(bob, alice, f"m{olm_sessions.NEVER_AFTER - 1}", last))


# ---- what could not be opened


def lose(alice: Person, bob: Person, ids: Sequence[str], **fields: Any) -> None:
    """Let messages from alice arrive at bob damaged."""
    for id in ids:
        assert open_damaged(bob, alice, id, seal(alice, bob, id, **fields)) == "undecryptable"


def open_damaged(to: Person, sender: Person, id: str, envelope: Envelope) -> str:
    """Open a message of which the last bit was changed, and return the code of the refusal."""
    raw = bytearray(unb64(envelope.body))
    raw[-1] ^= 1
    return code_of(lambda: open_(to, sender, id, replace(envelope, body=b64(bytes(raw)))))


def reset_by(bob: Person, alice: Person, now: int) -> list[str]:
    """Let bob ask alice for what is lost; return what alice has sealed again and bob could show then."""
    envelope = bob.olm.seal_reset(alice.keys, id=f"r{now}", now=now, claimed=alice.new_key())
    assert envelope is not None
    asked = open_(alice, bob, f"r{now}", envelope)
    assert isinstance(asked, Inner)
    assert asked.type == "session.reset"
    again = alice.olm.asked_again(bob.keys, asked.body["ids"], now)
    return [text(open_(bob, alice, message.id, alice.olm.seal_again(bob.keys, message))) for message in again]


def test_a_lost_message_is_asked_for_and_comes_again(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    lose(alice, bob, ["x", "y"])
    bob.restart()
    alice.restart()
    assert bob.olm.resets() == [Reset("alice", alice.identity.device, 0)]
    assert reset_by(bob, alice, 1000) == ["x", "y"]
    assert bob.olm.resets() == []
    assert seal(bob, alice, "z").kind == 1  # the new session goes on


def test_what_was_asked_for_is_not_asked_for_again(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    lose(alice, bob, ["x"])
    assert bob.olm.seal_reset(alice.keys, id="r", now=1, claimed=alice.new_key()) is not None
    assert bob.olm.resets() == []


def test_a_hundred_lost_messages_come_again(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    ids = [f"{number:032d}" for number in range(150)]
    lose(alice, bob, ids)
    first = reset_by(bob, alice, 1000)
    assert len(first) >= 100
    assert first + reset_by(bob, alice, 1000 + MINUTE) == ids


def test_everything_lost_is_asked_for_by_a_device_that_lost_its_sessions(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    forget(bob, "olm-sessions", "olm-peers")
    sealed = seal(alice, bob, "x")
    assert code_of(lambda: open_(bob, alice, "x", sealed)) == "undecryptable"
    assert reset_by(bob, alice, 1) == ["x"]


def test_a_device_is_reset_once_a_minute(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    lose(alice, bob, ["x"])
    reset_by(bob, alice, 1000)
    lose(alice, bob, ["y"])
    bob.restart()
    assert bob.olm.resets() == [Reset("alice", alice.identity.device, 1000 + MINUTE)]
    key = alice.new_key()
    for now in (1000, 1000 + MINUTE - 1):
        assert bob.olm.seal_reset(alice.keys, id="r", now=now, claimed=key) is None
    assert bob.olm.seal_reset(alice.keys, id="r", now=999, claimed=key) is not None  # the clock was put back


def test_a_reset_without_loss_is_not_sealed(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    assert bob.olm.seal_reset(alice.keys, id="r", now=1, claimed=alice.new_key()) is None


def test_a_reset_takes_a_genuine_key(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    lose(alice, bob, ["x"])
    mallory = Person("mallory")
    assert code_of(lambda: bob.olm.seal_reset(alice.keys, id="r", now=1, claimed=mallory.new_key())) == "forged"
    assert len(bob.olm.resets()) == 1


def test_only_messages_for_the_same_device_come_again(alice: Person, bob: Person) -> None:
    mallory, second = Person("mallory"), Person("bob", linked=False)
    introduce(alice, bob)
    introduce(alice, mallory)
    seal(alice, bob, "x")
    assert alice.olm.asked_again(mallory.keys, ["x"], 6) == []
    assert alice.olm.asked_again(second.keys, ["x"], 6) == []
    assert [message.id for message in alice.olm.asked_again(bob.keys, ["x", 7], 6)] == ["x"]


def test_a_message_comes_again_three_times(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    seal(alice, bob, "x")
    for _ in range(3):
        message = alice.olm.asked_again(bob.keys, ["x"], 6)[0]
        alice.olm.seal_again(bob.keys, message)
        alice.restart()
    assert alice.olm.asked_again(bob.keys, ["x"], 6) == []


def test_messages_are_kept_for_thirty_days(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    forget(alice, "olm-sent")
    seal(alice, bob, "x", ts=0)
    alice.olm.forget_old(KEPT_FOR - 1)
    assert len(alice.rows.keys("olm-sent")) == 1
    assert alice.olm.asked_again(bob.keys, ["x"], KEPT_FOR) == []
    alice.olm.forget_old(KEPT_FOR)
    assert alice.rows.keys("olm-sent") == []


def test_two_hundred_messages_are_kept_for_a_device(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    ids = [f"m{number}" for number in range(KEPT + 30)]
    for id in ids:
        seal(alice, bob, id)
    alice.restart()
    assert [message.id for message in alice.olm.asked_again(bob.keys, ids, 6)] == ids[30:]
    assert len(alice.rows.keys("olm-sent")) == KEPT


def test_offers_of_links_and_resets_are_not_kept(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    for type in ("session.reset", "p2p.offer", "p2p.answer", "p2p.refuse"):
        seal(alice, bob, type, type=type)
    assert alice.olm.asked_again(bob.keys, ["session.reset", "p2p.offer", "p2p.answer", "p2p.refuse"], 6) == []


def test_no_more_than_two_hundred_lost_messages_are_remembered(alice: Person, bob: Person) -> None:
    introduce(alice, bob)
    for number in range(230):
        assert code_of(lambda id=f"l{number}": bob.olm.open(alice.keys, id, 1, "QUJD")) == "undecryptable"
    value = bob.rows.get("olm-lost", peer_name(alice.keys))
    assert value is not None
    assert len(msgspec.json.decode(value)["ids"]) == 200


# ---- linking


def test_a_device_that_waits_to_be_linked_takes_the_user_key_and_nothing_else(alice: Person, bob: Person) -> None:
    new = Person("alice", linked=False)
    new.identity.expect_user_key(alice.identity.user_key)
    copy = seal(alice, new, "copy", new.new_key())
    assert code_of(lambda: open_(new, alice, "copy", copy)) == "not-linked"
    assert open_(new, alice, "copy", copy) == Duplicate("copy")
    assert code_of(lambda: open_(new, bob, "from bob", seal(bob, new, "from bob", new.new_key()))) == "not-linked"
    seed = b64(alice.identity.user_seed())
    opened = open_(new, alice, "usk", seal(alice, new, "usk", type="secret.usk", body={"seed": seed}))
    assert isinstance(opened, Inner)
    new.identity.adopt_user_key(unb64(opened.body["seed"]))
    assert reset_by(new, alice, 1) == ["copy"]  # what came too early is asked for


def test_nobody_else_gives_a_user_key_and_nobody_unasked(alice: Person, bob: Person) -> None:
    new = Person("alice", linked=False)
    new.identity.expect_user_key(alice.identity.user_key)
    stranger = seal(bob, new, "usk", new.new_key(), type="secret.usk", body={"seed": ""})
    assert code_of(lambda: open_(new, bob, "usk", stranger)) == "forged"
    second = Person("alice")
    unasked = seal(second, alice, "usk", alice.new_key(), type="secret.usk", body={"seed": ""})
    assert code_of(lambda: open_(alice, second, "usk", unasked)) == "forged"


def test_a_linked_device_that_waits_for_a_new_user_key_still_hears_others(alice: Person, bob: Person) -> None:
    other = Person("alice")
    alice.identity.expect_user_key(other.identity.user_key)
    assert text(open_(alice, bob, "x", seal(bob, alice, "x", alice.new_key()))) == "x"
    assert code_of(lambda: open_(alice, other, "y", seal(other, alice, "y", alice.new_key()))) == "not-linked"


# ---- the first message to a room


def test_a_first_message_to_a_hundred_devices(alice: Person) -> None:
    members = [Person(f"u{number}", linked=False) for number in range(100)]
    keys = [(member.keys, member.new_key()) for member in members]
    start = time.perf_counter()
    for device, key in keys:
        alice.olm.seal(device, type="room.key", id="k", ts=1, body={"key": "x" * 306}, claimed=key)
    assert time.perf_counter() - start < 1  # some 50 ms on a quiet machine; this one may be busy
