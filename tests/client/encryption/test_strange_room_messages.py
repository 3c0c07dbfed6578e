"""What somebody in an encrypted room, or its server, might send that an honest client would not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.meddling import Meddler, Record
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.encryption import waiting_messages
from chatroom.client.errors import Rejected
from chatroom.model import events as e


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """The owner of the encrypted room ``den``, whose client is not honest."""
    person = account(KeyPerson(network, name="alice", several=True).come(), "Alice")
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    """He reads."""
    person = account(KeyPerson(network, name="bob", several=True).come(), "Bob")
    person.do("join", room="den")
    network.flow()
    yield person
    person.leave()


def send(alice: KeyPerson, kind: str, **body: Any) -> None:
    """Let alice's client seal anything for the room."""
    parts = alice.driver.parts
    assert parts is not None

    async def anything(*told: Any) -> tuple[str, dict[str, Any]]:
        return kind, body

    genuine, parts.room._body = parts.room._body, anything  # type: ignore[method-assign]
    alice.say_in("den", "anything")
    alice.network.flow()
    parts.room._body = genuine  # type: ignore[method-assign]


def test_a_type_of_a_newer_client_is_told_and_does_nothing(alice: KeyPerson, bob: KeyPerson) -> None:
    send(alice, "poll", text="tea?")
    assert bob.texts == []
    assert "Alice sent something that a newer client can read." in bob.notices


@pytest.mark.parametrize("text", [None, 5, "", " ", "\n" * 3], ids=repr)
def test_a_text_that_is_none_is_refused(alice: KeyPerson, bob: KeyPerson, text: Any) -> None:
    send(alice, "msg", text=text)
    assert bob.texts == []
    assert [text for text in bob.notices if "has no proper text" in text]


def test_no_escape_reaches_the_screen(alice: KeyPerson, bob: KeyPerson) -> None:
    send(alice, "msg", text="\x1b[31mred\u202e\x07")
    (text,) = bob.texts
    assert not set(text) & set("\x1b\x07\u202e")


def test_a_message_for_a_room_that_we_are_not_in_is_nothing(alice: KeyPerson, bob: KeyPerson) -> None:
    meddler = Meddler(bob)
    send(alice, "msg", text="genuine")
    genuine = meddler.last("sealed")
    before = list(bob.notices)
    meddler.say(**{**genuine, "room": "attic", "id": "astray", "seq": genuine["seq"] + 100})
    assert (bob.texts, bob.notices) == (["genuine"], before)


def test_a_deleted_message_is_not_one_that_cannot_be_opened(alice: KeyPerson, bob: KeyPerson) -> None:
    meddler = Meddler(bob)
    send(alice, "msg", text="genuine")
    genuine = meddler.last("sealed")
    before = list(bob.notices)
    meddler.say(**{**genuine, "id": "gone", "ct": "", "sid": "", "seq": genuine["seq"] + 1})
    assert bob.notices == before
    assert len(bob.heard(e.SealedMessage)) == 1


def test_only_so_many_messages_wait_for_their_keys(
    alice: KeyPerson, bob: KeyPerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting_messages, "MOST_WAITING", 3)
    meddler = Meddler(bob)
    send(alice, "msg", text="genuine")
    genuine = meddler.last("sealed")
    for number in range(5):
        made_up = {"id": f"id-{number}", "sid": f"session-{number}", "seq": genuine["seq"] + 1 + number}
        meddler.say(**{**genuine, **made_up})
    parts = bob.driver.parts
    assert parts is not None
    assert [name.sid for name in parts.news._waiting] == ["session-2", "session-3", "session-4"]


# ---- keys that do not arrive -----------------------------------------------------------------------------------------


def refuse_first(meddler: Meddler, code: str) -> None:
    """Let the server say once that it refused a sealed message, though it has it."""
    left = [True]

    def alter(record: Record) -> list[Record]:
        if record.get("event") == "e2e-sent" and left:
            left.clear()
            return [{"event": "error", "code": code, "text": "No.", "re": record["re"]}]
        return [record]

    meddler.alter = alter


def keys_that_came(meddler: Meddler) -> int:
    """Return how many sealed messages have come to somebody; here all are keys of the room."""
    return len([record for record in meddler.came if record.get("event") == "e2e-from"])


def test_a_key_that_the_server_refused_is_given_again_before_the_next_message(alice: KeyPerson, bob: KeyPerson) -> None:
    reader = Meddler(bob)
    refuse_first(Meddler(alice), "busy")
    with pytest.raises(Rejected, match="No"):
        alice.do("say", room="den", text="not without the key")
    assert (keys_that_came(reader), bob.texts) == (1, [])
    alice.say_in("den", "with the key")
    alice.network.flow()
    assert (keys_that_came(reader), bob.texts) == (2, ["with the key"])


def test_devices_that_changed_get_the_key_before_the_message_is_sealed(alice: KeyPerson, bob: KeyPerson) -> None:
    reader = Meddler(bob)
    refuse_first(Meddler(alice), "stale-devices")
    alice.say_in("den", "once")
    alice.network.flow()
    assert (keys_that_came(reader), bob.texts) == (2, ["once"])


def test_a_device_that_got_nothing_gets_the_key_when_it_can(alice: KeyPerson, bob: KeyPerson) -> None:
    meddler = Meddler(alice)
    meddler.alter = lambda record: [{**record, "keys": []} if record.get("event") == "claimed" else record]
    alice.say_in("den", "nobody has a key")
    alice.network.flow()
    assert bob.texts == []
    meddler.alter = lambda record: [record]
    alice.say_in("den", "now there is one")
    alice.network.flow()
    assert bob.texts == ["now there is one"]


def test_a_message_that_goes_out_again_has_the_same_bytes(alice: KeyPerson, bob: KeyPerson) -> None:
    alice.say_in("den", "before")
    alice.network.flow()
    sent: list[Record] = []
    genuine = alice.driver.port.write

    def write(record: Record) -> None:
        sent.append(record)
        if len(sent) > 1:
            genuine(record)

    alice.driver.port.write = write  # type: ignore[method-assign]
    alice.say_in("den", "again")
    alice.network.flow()
    parts = alice.driver.parts
    assert parts is not None
    (command,) = parts.room._sent.values()
    parts.room.lost()
    alice.driver._again(command)
    alice.network.flow()
    first, second = (record["ct"] for record in sent)
    assert first == second
    assert bob.texts == ["before", "again"]
