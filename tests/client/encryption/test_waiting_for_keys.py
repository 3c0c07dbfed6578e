"""What is asked, or sent, while our keys are still on their way: it waits for them."""

from __future__ import annotations

from typing import Any

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network
from twisted.internet.defer import Deferred

from chatroom.chat.limits import KEYS_WITHIN
from chatroom.client.client import Client
from chatroom.client.encryption.commands import EncryptionCommands
from chatroom.client.encryption.dialogue import Dialogue
from chatroom.client.encryption.interface import Verification
from chatroom.client.errors import Failed, Rejected
from chatroom.client.sealing import LateSealing, NoSealing
from chatroom.model.key_replies import E2eNotice


def commands(client: Client, said: list[str]) -> EncryptionCommands:
    """Return what carries out ``/devices`` and so on for a client; sentences go into a list."""

    def show(found: Verification, before: list[str], after: list[str]) -> None:
        said.extend([*before, found.digits, *after])

    return EncryptionCommands(client.privacy, Dialogue(said.append, show))


def run(client: Client, said: list[str], word: str, rest: str = "") -> list[Any]:
    """Give a command for encryption. Returns a list that gets its result."""
    done: list[Any] = []
    Deferred.fromCoroutine(commands(client, said).run(word, rest)).addBoth(done.append)
    return done


@pytest.mark.parametrize("word", ["devices", "keys"])
def test_a_command_right_after_register_is_about_the_keys_of_the_account(network: Network, word: str) -> None:
    alice = KeyPerson(network, name="alice")
    alice.come()
    guest = alice.driver.parts
    said: list[str] = []
    alice.client.do("register", user="Alice", password="a good password")
    done = run(alice.client, said, word)
    assert done == [], "it waits"
    network.flow()
    parts = alice.driver.parts
    assert parts is not None
    assert parts is not guest
    assert done == [None]
    assert parts.ring.identity.device in said[0]
    alice.leave()


def test_verify_right_after_register_shows_the_digits_of_the_account(network: Network) -> None:
    bob = account(KeyPerson(network, name="bob").come(), "Bob")  # type: ignore[arg-type]
    alice = KeyPerson(network, name="alice")
    alice.come()
    said: list[str] = []
    alice.client.do("register", user="Alice", password="a good password")
    done = run(alice.client, said, "verify", "Bob")
    network.flow()
    assert done == [None]
    assert bob.decide(bob.encryption.verify("Alice")).digits in said
    alice.leave()
    bob.leave()


def test_an_encrypted_room_that_is_joined_right_after_register_is_not_refused(network: Network) -> None:
    bob = account(KeyPerson(network, name="bob").come(), "Bob")  # type: ignore[arg-type]
    bob.do("join", room="hall")
    bob.do("encrypt", yes=True)
    network.flow()
    alice = KeyPerson(network, name="alice")
    alice.come()
    refused: list[str] = []
    alice.client.do("register", user="Alice", password="a good password")
    alice.client.do("join", room="hall").addErrback(lambda failure: refused.append(failure.value.code))
    alice.client.say("I am here").addErrback(lambda failure: refused.append(failure.value.code))
    network.flow()
    assert refused == []
    assert "Alice" in bob.client.users
    assert "hall" in alice.client.rooms
    alice.leave()
    bob.leave()


def test_what_follows_a_login_that_is_refused_is_sent_all_the_same(network: Network) -> None:
    alice = KeyPerson(network, name="alice")
    alice.come()
    refused: list[str] = []
    answer = alice.client.do("login", user="nobody", password="a bad password")
    answer.addErrback(lambda failure: refused.append(failure.value.code))
    alice.client.do("join", room="lobby")
    network.flow()
    assert refused == ["wrong-password"]
    assert "lobby" in alice.client.rooms
    alice.leave()


def test_a_command_before_the_first_connection_says_that_there_is_none() -> None:
    late = LateSealing(lambda: True, Deferred)
    said: list[Any] = []
    late.settled().addErrback(lambda failure: said.append(failure.value.text))
    assert said == [
        "there is no connection to the server yet, and the keys are loaded when there is one; try again then."
    ]


def test_a_command_while_the_keys_are_loaded_waits_for_them() -> None:
    loading: Deferred[Any] = Deferred()
    late = LateSealing(lambda: True, lambda: loading)
    late.arrive()
    settled: list[object] = []
    late.settled().addBoth(settled.append)
    assert settled == []
    loading.callback(NoSealing)
    assert settled == [None]


def test_a_server_without_keys_is_said_to_know_no_encryption() -> None:
    late = LateSealing(lambda: False, Deferred)
    late.arrive()
    said: list[Any] = []
    late.settled().addErrback(lambda failure: said.append(failure.value.text))
    assert said == ["this server knows no encryption, so nothing is encrypted here."]


def test_without_a_connection_a_command_for_encryption_says_so_at_once(network: Network) -> None:
    alice = account(KeyPerson(network, name="alice").come(), "Alice")  # type: ignore[arg-type]
    network.refusing = Failed("nobody is there")
    for line in network.lines:
        line.end()
    done = run(alice.client, [], "devices")
    assert isinstance(done[0].value, Rejected)
    assert done[0].value.text == "there is no connection to the server at the moment; try again later."
    alice.leave()


NOTICE = E2eNotice(by="kb", by_id="x7k2")


def test_no_notice_of_a_sealed_message_is_shown_while_our_keys_are_loaded() -> None:
    loading: Deferred[Any] = Deferred()
    late = LateSealing(lambda: True, lambda: loading)
    late.arrive()
    assert late.receive(NOTICE, None), "it is dropped: we get the message itself"
    loading.callback(NoSealing)
    assert not late.receive(NOTICE, None), "it is shown: there are no keys here"


def test_a_client_with_keys_shows_no_notice_of_a_sealed_message(network: Network) -> None:
    alice = account(KeyPerson(network, name="alice").come(), "Alice")  # type: ignore[arg-type]
    assert alice.driver.receive(NOTICE, None)
    alice.driver.parts = None  # they are on their way
    assert alice.driver.receive(NOTICE, None)
    alice.driver.problem = "the keys cannot be read."
    assert not alice.driver.receive(NOTICE, None)
    alice.leave()


def test_who_writes_to_a_client_whose_keys_are_on_their_way_is_told_nothing_false(network: Network) -> None:
    """Its program has been killed and started again: there is a session, which has not published its keys yet."""
    alice = account(KeyPerson(network, name="alice").come(), "Alice")  # type: ignore[arg-type]
    bob = account(KeyPerson(network, name="bob").come(), "Bob")  # type: ignore[arg-type]
    alice.do("message", user="Bob", text="one")
    network.flow()
    (user,) = (user for user in network.world.chat.users.values() if user.name == "Bob")
    (session,) = user.sessions
    session.sit(user)  # as after a login: the keys are not published yet
    alice.do("message", user="Bob", text="two")
    network.flow()
    assert not [text for text in alice.notices if "cannot be read" in text]
    assert not bob.heard(E2eNotice)
    network.world.pass_time(KEYS_WITHIN / 1000)
    alice.do("message", user="Bob", text="three")
    assert [text for text in alice.notices if "cannot be read" in text]
    alice.leave()
    bob.leave()
