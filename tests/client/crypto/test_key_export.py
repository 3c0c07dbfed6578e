"""Room keys in a file: sealed by a passphrase, and not believed about whose sessions they are."""

from __future__ import annotations

import os

import pytest
from msgspec.structs import replace
from room_members import ROOM, Member

from chatroom.client.crypto import key_export
from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.key_export import ExportedKey, open_keys, seal_keys
from chatroom.model.signed_bytes import b64, unb64

PASSPHRASE = "correct horse"


@pytest.fixture
def alice() -> Member:
    return Member("alice")


@pytest.fixture
def bob() -> Member:
    return Member("bob")


def refusal(text: str, passphrase: str = PASSPHRASE) -> str:
    """Return the code with which a file is refused."""
    with pytest.raises(CryptoRefusal) as refused:
        open_keys(text, passphrase)
    return refused.value.code


def crossed(genuine: ExportedKey, other: ExportedKey) -> ExportedKey:
    """Return a key with one session's id and another's ratchet."""
    return replace(genuine, key=b64(unb64(other.key)[:-32] + unb64(genuine.key)[-32:]))


# ---- the file --------------------------------------------------------------------------------------------------------


def test_what_was_exported_is_read_by_another_device(alice: Member, bob: Member) -> None:
    alice.share(alice)
    sealed = [alice.seal("one"), alice.seal("two")]
    text = seal_keys(alice.sessions.exported(), PASSPHRASE, os.urandom)
    keys = open_keys(text, PASSPHRASE)
    assert [bob.sessions.import_key(key) for key in keys] == [True]
    bob.start()
    assert [bob.text(one) for one in sealed] == ["one", "two"]


def test_a_wrong_passphrase_opens_nothing(alice: Member) -> None:
    text = seal_keys([], PASSPHRASE, os.urandom)
    assert refusal(text, PASSPHRASE + " ") == "wrong-passphrase"
    assert open_keys(text, PASSPHRASE) == []


def test_a_file_that_was_changed_opens_nothing() -> None:
    head, body = seal_keys([], PASSPHRASE, os.urandom).split()[1:]
    raw = bytearray(unb64(body))
    raw[-1] ^= 1
    assert refusal(f"{key_export.FORMAT} {head}\n{b64(bytes(raw))}\n") == "wrong-passphrase"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not-keys"),
        ("something else\nAAAA", "not-keys"),
        ("chatroom-room-keys 1\n", "not-keys"),
        ("chatroom-room-keys 1\nno base64", "not-keys"),
        ("chatroom-room-keys 1\nAAAA", "not-keys"),
        ("chatroom-room-keys 2\nAAAA", "too-new"),
        ("chatroom-room-keys\nAAAA", "too-new"),
        (f"chatroom-room-keys 1\n{'A' * 20_000_000}", "not-keys"),
    ],
)
def test_what_is_no_such_file_is_refused_before_the_passphrase_is_tried(
    text: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_export, "_derived", None)
    assert refusal(text) == code


def test_the_version_of_a_file_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    text = seal_keys([], PASSPHRASE, os.urandom)
    monkeypatch.setattr(key_export, "VERSION", "2")
    assert refusal(text.replace(" 1\n", " 2\n")) == "wrong-passphrase"


@pytest.mark.parametrize("plain", [b"[]", b'{"v":2,"sessions":[]}', b'{"v":1,"sessions":[{}]}', b"\xff"])
def test_a_sealed_file_with_something_else_inside_is_refused(plain: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_export, "encode", lambda content: plain)
    assert refusal(seal_keys([], PASSPHRASE, os.urandom)) == "not-keys"


def test_a_short_passphrase_seals_nothing() -> None:
    with pytest.raises(CryptoRefusal, match="at least 8"):
        seal_keys([], "1234567", os.urandom)


def test_a_file_takes_a_bounded_number_of_keys(alice: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    alice.share(alice)
    keys = list(alice.sessions.exported())
    monkeypatch.setattr(key_export, "MOST_KEYS", 1)
    with pytest.raises(CryptoRefusal, match="at most 1"):
        seal_keys(keys * 2, PASSPHRASE, os.urandom)


def test_salt_and_nonce_are_new_each_time_and_no_key_is_readable(alice: Member) -> None:
    alice.share(alice)
    keys = list(alice.sessions.exported())
    one, two = (unb64(seal_keys(keys, PASSPHRASE, os.urandom).split()[2]) for _ in range(2))
    assert one[:16] != two[:16]
    assert one[16:28] != two[16:28]
    assert keys[0].sid.encode() not in one


def test_the_parameters_of_argon2_are_those_of_the_vault(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {}

    def hashed(secret: bytes, salt: bytes, **parameters: object) -> bytes:
        asked.update(parameters)
        return bytes(32)

    monkeypatch.setattr(key_export, "hash_secret_raw", hashed)
    seal_keys([], PASSPHRASE, os.urandom)
    assert (asked["memory_cost"], asked["time_cost"], asked["type"].name) == (65536, 3, "ID")


# ---- what is imported ------------------------------------------------------------------------------------------------


def test_an_imported_session_is_marked_until_the_genuine_key_comes(alice: Member, bob: Member) -> None:
    share = alice.prepare([bob])
    assert share is not None
    [exported] = alice.sessions.exported()
    bob.sessions.import_key(exported)
    sealed = alice.seal()
    assert not bob.open(sealed).authenticated
    bob.start()
    assert not bob.open(sealed).authenticated
    assert bob.sessions.requests.take_key(alice.id, share.body()) is not None
    assert bob.open(sealed).authenticated
    bob.start()
    assert bob.open(sealed).authenticated


def test_the_genuine_key_also_proves_the_earlier_start_of_a_file(alice: Member, bob: Member) -> None:
    alice.share(alice)
    [exported] = alice.sessions.exported()
    early = alice.seal("early")
    bob.sessions.import_key(exported)
    alice.share(alice, bob)
    late = bob.open(alice.seal("late"))
    assert (bob.text(early), bob.open(early).authenticated, late.authenticated, late.skipped) == (
        "early",
        True,
        True,
        0,
    )


def test_a_forged_session_is_marked_and_the_genuine_one_wins(alice: Member, bob: Member) -> None:
    other = Member("other")
    share = alice.prepare([bob])
    other.share(other)
    assert share is not None
    [genuine], [forged] = alice.sessions.exported(), other.sessions.exported()
    assert bob.sessions.import_key(crossed(genuine, forged))
    sealed = alice.seal()
    assert bob.refusal(sealed) == "unopened"
    bob.sessions.requests.take_key(alice.id, share.body())
    assert (bob.text(sealed), bob.open(sealed).authenticated) == ("hi", True)
    bob.start()
    assert (bob.text(sealed), bob.open(sealed).authenticated) == ("hi", True)


def test_what_a_forged_session_opened_does_not_block_the_genuine_one(alice: Member, bob: Member) -> None:
    share = alice.prepare([bob])
    assert share is not None
    other = Member("other")
    other.share(other)
    [genuine], [forged] = alice.sessions.exported(), other.sessions.exported()
    bob.sessions.import_key(crossed(genuine, forged))
    [name] = bob.sessions.inbound.names()
    session = bob.sessions.inbound.find(name)
    assert session is not None
    bob.sessions.inbound._note(name, session, 0, bytes(32))
    sealed = alice.seal()
    bob.sessions.requests.take_key(alice.id, share.body())
    bob.start()
    assert bob.text(sealed) == "hi"


def test_a_file_replaces_no_genuine_session(alice: Member, bob: Member) -> None:
    other = Member("other")
    other.share(other)
    alice.share(bob)
    [genuine], [forged] = alice.sessions.exported(), other.sessions.exported()
    assert not bob.sessions.import_key(crossed(genuine, forged))
    assert not bob.sessions.import_key(genuine)
    sealed = alice.seal()
    assert (bob.text(sealed), bob.open(sealed).authenticated) == ("hi", True)


def test_a_file_replaces_no_imported_session_by_a_contradicting_one(alice: Member, bob: Member) -> None:
    other = Member("other")
    other.share(other)
    alice.share(alice)
    [genuine], [forged] = alice.sessions.exported(), other.sessions.exported()
    assert bob.sessions.import_key(genuine)
    assert not bob.sessions.import_key(crossed(genuine, forged))
    assert bob.text(alice.seal()) == "hi"


def test_a_file_that_names_another_owner_takes_nothing_from_the_owner(alice: Member, bob: Member) -> None:
    share = alice.prepare([bob])
    assert share is not None
    [exported] = alice.sessions.exported()
    assert bob.sessions.import_key(replace(exported, owner=("mallory", "A")))
    bob.sessions.requests.take_key(alice.id, share.body())
    sealed = alice.seal()
    assert bob.open(sealed).authenticated


@pytest.mark.parametrize("change", [{"sid": "x"}, {"index": 1}, {"key": "AAAA"}])
def test_a_key_of_a_file_that_is_none_is_skipped(alice: Member, bob: Member, change: dict[str, object]) -> None:
    alice.share(alice)
    [exported] = alice.sessions.exported()
    assert not bob.sessions.import_key(replace(exported, **change))
    assert bob.sessions.inbound.names() == []
    assert exported.room == ROOM
