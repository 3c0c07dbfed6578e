"""A hostile server between two people who write to each other: it is refused or told, and nothing goes plain."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.meddling import Meddler, Record, false_list, own_list, user_id
from client.encryption.people import KeyPerson, account
from client.network import Network
from harness import World
from msgspec import to_builtins

from chatroom.client.encryption.interface import Security
from chatroom.client.errors import Rejected
from chatroom.client.opened import OpenedOwn, PrivateChange
from chatroom.model import events as e
from chatroom.model.device import Device


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    person = account(KeyPerson(network, name="alice").come(), "Alice")
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network) -> Iterator[KeyPerson]:
    person = account(KeyPerson(network, name="bob").come(), "Bob")
    yield person
    person.leave()


@pytest.fixture
def meddler(alice: KeyPerson) -> Meddler:
    """Between Alice and the server."""
    return Meddler(alice)


def write(person: KeyPerson, to: str, text: str) -> None:
    """Write to somebody, and have it come."""
    person.do("message", user=to, text=text)
    person.network.flow()


def refused(person: KeyPerson, to: str, text: str = "not for the server") -> str:
    """Write to somebody, and return why that was refused."""
    with pytest.raises(Rejected) as caught:
        person.do("message", user=to, text=text)
    person.network.flow()
    return str(caught.value.text)


def another_device(person: KeyPerson, name: str = "phone") -> KeyPerson:
    """Return another device of a person that the person has linked."""
    login = person.client.state.credentials.login
    other = KeyPerson(person.network, login=login, device=Device(name, "one")).come()
    assert isinstance(other, KeyPerson)
    code = other.decide(other.encryption.keys()).code
    person.decide(person.encryption.link(code))
    person.network.flow()
    return other


# ---- keys ------------------------------------------------------------------------------------------------------------


def test_a_swapped_device_record_is_refused(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    def swapped(listed: Record) -> Record:
        device = {**listed["devices"][0], "curve25519": false_list(listed)["devices"][0]["curve25519"]}
        return {**listed, "devices": [device]}

    meddler.swap_list(user_id(bob), swapped)
    assert "signature" in refused(alice, "Bob")
    assert (bob.private, bob.plain) == ([], [])


def test_a_swapped_one_time_key_is_told_and_gets_nothing(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    other = false_list(to_builtins(own_list(bob)))["devices"][0]["curve25519"]

    def alter(record: Record) -> list[Record]:
        if record.get("event") == "claimed":
            keys = [{**each, "key": {**each["key"], "key": other}} for each in record["keys"]]
            record = {**record, "keys": keys}
        return [record]

    meddler.alter = alter
    assert "no keys left" in refused(alice, "Bob")
    assert any("not genuine" in text for text in alice.notices)
    assert (bob.private, bob.plain) == ([], [])


def test_a_swapped_user_key_blocks_and_is_told_once(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    write(alice, "Bob", "before")
    meddler.swap_list(user_id(bob), lambda listed: false_list(listed, listed["rev"] + 1))
    for _ in range(2):
        assert "Bob's key has changed" in refused(alice, "Bob")
    assert alice.encryption.status("Bob") is Security.BLOCKED
    assert len([text for text in alice.notices if "Bob's key has changed" in text]) == 1
    assert (bob.private, bob.plain) == (["before"], [])


def test_the_key_of_a_verified_person_is_not_verified_after_a_swap(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler
) -> None:
    digits = alice.decide(alice.encryption.verify("Bob")).digits
    alice.decide(alice.encryption.confirm("Bob", digits))
    assert alice.encryption.status("Bob") is Security.VERIFIED
    meddler.swap_list(user_id(bob), lambda listed: false_list(listed, listed["rev"] + 1))
    with pytest.raises(Rejected, match="verify again"):
        alice.decide(alice.encryption.confirm("Bob", digits))
    assert alice.encryption.status("Bob") is Security.BLOCKED


@pytest.mark.parametrize("verified", [False, True])
def test_mail_under_a_changed_key_is_held_told_once_and_shown_after_the_key_is_accepted(
    alice: KeyPerson, bob: KeyPerson, verified: bool
) -> None:
    write(bob, "Alice", "before")
    write(alice, "Bob", "an answer")
    bob.decide(bob.encryption.reset())
    for text in ("one", "two"):
        write(bob, "Alice", text)
    assert alice.private == ["before"]
    assert len([text for text in alice.notices if "Bob's key has changed" in text]) == 1
    parts = alice.driver.parts
    assert parts is not None
    alice.decide(parts.mail.reopen(user_id(bob)))  # too early
    if verified:
        digits = alice.decide(alice.encryption.verify("Bob")).digits
        alice.decide(alice.encryption.confirm("Bob", digits))
    else:
        alice.decide(alice.encryption.accept("Bob", alice.decide(alice.encryption.verify("Bob")).digits))
    alice.network.flow()
    assert alice.private == ["before", "one", "two"]
    write(alice, "Bob", "welcome back")
    assert bob.private == ["an answer", "welcome back"]


def test_our_own_user_key_swapped_blocks_everything_in_words_about_ourselves(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler
) -> None:
    write(alice, "Bob", "before")
    meddler.swap_list(user_id(alice), lambda listed: false_list(listed, listed["rev"] + 1))
    assert "your own key has changed" in refused(alice, "Bob")
    assert any("our own key has changed" in text for text in alice.notices)
    with pytest.raises(Rejected, match="that is you"):
        alice.decide(alice.encryption.accept("Alice", alice.decide(alice.encryption.verify("Alice")).digits))
    assert (bob.private, bob.plain) == (["before"], [])


def test_a_ghost_device_in_the_list_is_refused(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    write(alice, "Bob", "before")

    def haunted(listed: Record) -> Record:
        ghost = false_list(listed)["devices"][0]
        return {**listed, "rev": listed["rev"] + 1, "devices": [*listed["devices"], ghost]}

    meddler.swap_list(user_id(bob), haunted)
    assert "signature" in refused(alice, "Bob")
    assert (bob.private, bob.plain) == (["before"], [])


def test_a_ghost_among_our_own_pending_devices_gets_nothing(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler, monkeypatch: pytest.MonkeyPatch
) -> None:
    ghost = false_list(to_builtins(own_list(alice)))["devices"][0]
    sent = _sent_by(alice, monkeypatch)

    def alter(record: Record) -> list[Record]:
        return [{**record, "pending": [ghost]} if record.get("event") == "keys" else record]

    meddler.alter = alter
    meddler.say(event="keys-changed", id="meddled", at=0, user="Alice", user_id=user_id(alice), rev=1)
    assert any("waits to be linked" in text for text in alice.notices)
    write(alice, "Bob", "hello")
    devices = {each["device"] for record in sent for each in record.get("envelopes", ())}
    assert devices == {own_list(bob).devices[0].device}
    assert ghost["device"] not in {device.device for device in own_list(alice).devices}


def _sent_by(person: KeyPerson, monkeypatch: pytest.MonkeyPatch) -> list[Record]:
    """Return a list to which every record is added that a person sends from now on."""
    records: list[Record] = []
    connection = person.driver.conversation._connection
    assert connection is not None
    send = connection.send

    def noted(record: Record, data: bytes = b"") -> None:
        records.append(record)
        send(record, data)

    monkeypatch.setattr(connection, "send", noted)
    return records


def test_an_older_device_list_is_refused(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    write(alice, "Bob", "before")
    old = to_builtins(own_list(bob))
    phone = another_device(bob)
    write(alice, "Bob", "to both")
    assert phone.private == ["to both"]
    meddler.swap_list(user_id(bob), lambda listed: old)
    assert "older list" in refused(alice, "Bob")
    assert bob.private == ["before", "to both"]
    phone.leave()


def test_two_lists_of_one_revision_are_refused(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    phone = another_device(bob)
    write(alice, "Bob", "before")
    known = own_list(bob)
    parts = bob.driver.parts
    assert parts is not None
    fork = parts.ring.identity.sign_list(known.devices[:1], known.rev, known)
    meddler.swap_list(user_id(bob), lambda listed: to_builtins(fork))
    assert "two different lists" in refused(alice, "Bob")
    assert phone.private == ["before"]
    phone.leave()


def test_withheld_keys_do_not_make_us_write_in_plain_text(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    write(alice, "Bob", "before")
    meddler.swap_list(user_id(bob), lambda listed: None)
    assert "encrypted before" in refused(alice, "Bob")
    assert bob.plain == []


def test_a_refusal_of_the_server_does_not_make_us_write_in_plain_text(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler
) -> None:
    def alter(record: Record) -> list[Record]:
        if record.get("event") == "e2e-sent":
            return [
                {"event": "error", "code": "unknown-command", "text": "There is no such command.", "re": record["re"]}
            ]
        return [record]

    meddler.alter = alter
    refused(alice, "Bob")
    assert bob.plain == []


# ---- messages --------------------------------------------------------------------------------------------------------


def test_a_replayed_message_is_not_shown_again(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    write(bob, "Alice", "once")
    genuine = meddler.last("e2e-from")
    meddler.say(**genuine)
    meddler.say(**{**genuine, "seq": genuine["seq"] + 50})
    assert (alice.private, alice.notices) == (["once"], [])
    meddler.say(**{**genuine, "seq": genuine["seq"] + 51, "id": "another-id"})
    assert alice.private == ["once"]
    assert any("old message under a new id" in text for text in alice.notices)


def test_a_message_is_not_believed_to_be_from_somebody_else(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler, network: Network
) -> None:
    carol = account(KeyPerson(network, name="carol").come(), "Carol")
    write(bob, "Alice", "hello")

    def alter(record: Record) -> list[Record]:
        if record.get("event") == "e2e-from" and record["by"] == "Carol":
            record = {**record, "by": "Bob", "by_id": user_id(bob)}
        return [record]

    meddler.alter = alter
    write(carol, "Alice", "a lie")
    assert alice.private == ["hello"]
    assert any("not signed that device" in text for text in alice.notices)
    meddler.alter = lambda record: [record]
    genuine = meddler.last("e2e-from", by="Carol")
    bobs = own_list(bob).devices[0].device
    meddler.say(**{**genuine, "by": "Bob", "by_id": user_id(bob), "device": bobs, "seq": genuine["seq"] + 50})
    network.pass_time(5)
    assert alice.private == ["hello"]
    assert any("could not be opened" in text for text in alice.notices)
    carol.leave()


def test_a_name_alone_relabels_nobody(alice: KeyPerson, bob: KeyPerson, meddler: Meddler, network: Network) -> None:
    """The server stamps a wrong name beside the right id: the conversation stays that of the id."""
    carol = account(KeyPerson(network, name="carol").come(), "Carol")
    write(bob, "Alice", "hello")

    def alter(record: Record) -> list[Record]:
        return [{**record, "by": "Bob"} if record.get("event") == "e2e-from" else record]

    meddler.alter = alter
    write(carol, "Alice", "a lie")
    shown = [(event.by, event.text) for event in alice.told if isinstance(event, e.Private)]
    assert ("Bob", "a lie") not in shown
    carol.leave()


def test_a_message_from_nobodys_device_is_told(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    write(bob, "Alice", "genuine")
    genuine = meddler.last("e2e-from")
    meddler.say(**{**genuine, "device": "AAAAAAAAAA", "seq": genuine["seq"] + 1, "id": "x1"})
    assert alice.private == ["genuine"]
    assert any("has not signed that device" in text for text in alice.notices)


def test_a_changed_ciphertext_is_told(alice: KeyPerson, bob: KeyPerson, meddler: Meddler, network: Network) -> None:
    def alter(record: Record) -> list[Record]:
        if record.get("event") == "e2e-from":
            body = record["body"]
            record = {**record, "body": body[:-4] + ("AAAA" if body[-4:] != "AAAA" else "BBBB")}
        return [record]

    meddler.alter = alter
    write(bob, "Alice", "a text")
    network.pass_time(5)
    assert (alice.private, alice.plain) == ([], [])
    assert len([text for text in alice.notices if "opened" in text]) == 1


def test_the_server_cannot_send_what_only_this_client_opens(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    write(bob, "Alice", "genuine")
    forged = {"id": "f1", "at": 0, "by": "Bob", "by_id": user_id(bob), "to": "Alice", "text": "forged", "seq": 1}
    meddler.say(event="private", encrypted=True, **forged)
    assert alice.private == ["genuine"]
    assert not alice.heard(OpenedOwn)
    (plain,) = [event for event in alice.heard(e.Private) if event.text == "forged"]
    assert not alice.encryption.sealed(plain)


def test_changes_by_somebody_else_are_refused(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    write(alice, "Bob", "mine")
    write(bob, "Alice", "yours")
    parts = bob.driver.parts
    assert parts is not None
    (mine,) = [line for line in parts.conversations._conversation(user_id(alice)).lines.values() if line.text == "mine"]
    for kind, body in (("edit", {"text": "forged"}), ("delete", {})):
        _send_inner(bob, alice, kind, {**body, "message": mine.id})
    assert not alice.heard(PrivateChange)
    assert len([text for text in alice.notices if "not from the author" in text]) == 2
    history = alice.do("history", user="Bob", messages=10)
    assert [event.text for event in history.events] == ["mine", "yours"]


def test_a_message_with_the_id_of_mine_is_refused(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    write(alice, "Bob", "mine")
    parts, alices = bob.driver.parts, user_id(alice)
    assert parts is not None
    (mine,) = parts.conversations._conversation(alices).lines.values()
    (device,) = parts.peers.recipients(bob.decide(parts.peers.find("Alice")))
    parts.port.mint = lambda: mine.id  # type: ignore[method-assign]
    bob.decide(parts.to_device(device, "msg", {"to": [alices, "Alice"], "text": "poses as it"}))
    network.flow()
    assert alice.private == []
    assert any("the id of another one" in text for text in alice.notices)
    history = alice.do("history", user="Bob", messages=10)
    assert [event.text for event in history.events] == ["mine"]


def test_a_change_from_another_conversation_is_refused(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    carol = account(KeyPerson(network, name="carol").come(), "Carol")
    write(bob, "Alice", "yours")
    (line,) = [event for event in alice.told if isinstance(event, e.Private)]
    _send_inner(carol, alice, "react", {"message": line.id, "emoji": "👍", "on": True})
    assert not alice.heard(PrivateChange)
    assert any("a message that this device does not have" in text for text in alice.notices)
    carol.leave()


def test_a_message_for_two_other_people_is_refused(alice: KeyPerson, bob: KeyPerson) -> None:
    _send_inner(bob, alice, "msg", {"text": "astray"}, to=["somebody", "Somebody"])
    assert alice.private == []
    assert any("two other people" in text for text in alice.notices)


def _send_inner(person: KeyPerson, reader: KeyPerson, kind: str, body: dict[str, Any], **fields: Any) -> None:
    """Send what an honest client would not send, sealed as it should be."""
    parts = person.driver.parts
    assert parts is not None
    peer = person.decide(parts.peers.find(reader.client.name))
    (device,) = parts.peers.recipients(peer)
    body = {"to": fields.get("to", [peer.user_id, peer.name]), **body}
    person.decide(parts.to_device(device, kind, body))
    person.network.flow()


def test_a_plain_change_of_a_plain_message_does_not_touch_sealed_ones(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler, world: World
) -> None:
    write(bob, "Alice", "sealed")
    meddler.say(event="private", id="p1", at=0, by="Bob", by_id=user_id(bob), to="Alice", text="plain lie", seq=1)
    history = alice.do("history", user="Bob", messages=10)
    assert [event.text for event in history.events] == ["sealed"]
