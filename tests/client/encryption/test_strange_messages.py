"""What a friend's client might seal that an honest client would not; the server cannot check it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.meddling import Meddler, user_id
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.errors import Rejected
from chatroom.client.opened import Opened, PrivateChange
from chatroom.model.text import MOST_LINES


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """She reads."""
    person = account(KeyPerson(network, name="alice").come(), "Alice")
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network) -> Iterator[KeyPerson]:
    """His client is not honest."""
    person = account(KeyPerson(network, name="bob").come(), "Bob")
    yield person
    person.leave()


def send(bob: KeyPerson, alice: KeyPerson, kind: str, **body: Any) -> None:
    """Let bob's client seal anything for alice."""
    parts = bob.driver.parts
    assert parts is not None
    peer = bob.decide(parts.peers.find("Alice"))
    (device,) = parts.peers.recipients(peer)
    bob.decide(parts.to_device(device, kind, {"to": [user_id(alice), "Alice"], **body}))
    bob.network.flow()


def test_a_type_of_a_newer_client_is_told_and_does_nothing(alice: KeyPerson, bob: KeyPerson) -> None:
    send(bob, alice, "poll", text="tea?")
    assert alice.private == []
    assert alice.notices == ["Bob sent something that a newer chatroom-client can read."]


@pytest.mark.parametrize(
    "to", [None, "alice", [], ["account:1"], ["account:1", 2], [1, "Alice"], {"a": 1, "b": 2}], ids=str
)
def test_a_message_that_does_not_say_for_whom_it_is_is_refused(alice: KeyPerson, bob: KeyPerson, to: Any) -> None:
    send(bob, alice, "msg", text="hi", to=to)
    assert alice.private == []
    assert [text for text in alice.notices if "does not say for whom it is" in text]


@pytest.mark.parametrize("text", [None, 5, ["hi"], "", " ", "\u200b", "\n" * 3, "x\n" * MOST_LINES + "x"], ids=repr)
@pytest.mark.parametrize("kind", ["msg", "edit"])
def test_a_text_that_is_none_is_refused(alice: KeyPerson, bob: KeyPerson, kind: str, text: Any) -> None:
    send(bob, alice, "msg", text="genuine")
    (genuine,) = alice.heard(Opened)
    send(bob, alice, kind, text=text, message=genuine.id)
    assert alice.private == ["genuine"]
    assert not alice.heard(PrivateChange)
    assert [text for text in alice.notices if "has no proper text" in text]


def test_no_escape_reaches_the_screen(alice: KeyPerson, bob: KeyPerson) -> None:
    send(bob, alice, "msg", text="\x1b[31mred\u202e\x07", quoted=["b\x1b[0mob", "a\u202e\x07\x1b]0;title\x07 b"])
    (event,) = alice.heard(Opened)
    shown = [event.text, event.quoted.by, event.quoted.text]
    assert not set("".join(shown)) & set("\x1b\x07\u202e")


@pytest.mark.parametrize("quoted", ["ab", 5, [], ["bob"], ["bob", "hi", "x"], {"a": 1, "b": 2}], ids=repr)
def test_a_quotation_that_is_none_is_left_out(alice: KeyPerson, bob: KeyPerson, quoted: Any) -> None:
    send(bob, alice, "msg", text="hi", quoted=quoted)
    (event,) = alice.heard(Opened)
    assert (event.text, event.quoted) == ("hi", None)


@pytest.mark.parametrize("emoji", [None, 5, "", "x", "\x1b", ["👍"]], ids=repr)
def test_a_reaction_without_an_emoji_is_refused(alice: KeyPerson, bob: KeyPerson, emoji: Any) -> None:
    send(bob, alice, "msg", text="genuine")
    (genuine,) = alice.heard(Opened)
    send(bob, alice, "react", message=genuine.id, emoji=emoji)
    assert not alice.heard(PrivateChange)
    assert [text for text in alice.notices if "has no emoji" in text]


def test_a_message_that_comes_sealed_ends_the_consent_to_plain_text(alice: KeyPerson, bob: KeyPerson) -> None:
    send(bob, alice, "msg", text="sealed")
    alice.decide(alice.encryption.accept_plain("Bob"))
    send(bob, alice, "msg", text="sealed again")
    Meddler(alice).swap_list(user_id(bob), lambda listed: None)
    with pytest.raises(Rejected, match="were encrypted before"):
        alice.do("message", user="Bob", text="not for the server")
    assert bob.plain == []


def test_a_message_that_goes_sealed_ends_the_consent_to_plain_text(alice: KeyPerson, bob: KeyPerson) -> None:
    for text in ("sealed", "sealed again"):
        alice.do("message", user="Bob", text=text)
        alice.network.flow()
        if text == "sealed":
            alice.decide(alice.encryption.accept_plain("Bob"))
    assert bob.private == ["sealed", "sealed again"]
    Meddler(alice).swap_list(user_id(bob), lambda listed: None)
    with pytest.raises(Rejected, match="were encrypted before"):
        alice.do("message", user="Bob", text="not for the server")
    assert bob.plain == []
