"""A vault that cannot be opened, or not be written: nothing goes plain, that is told, and the rest works."""

from __future__ import annotations

from typing import Any

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network
from harness import World
from twisted.internet.defer import Deferred, fail

from chatroom.client.errors import Rejected
from chatroom.client.status import Ended
from chatroom.client.vault.errors import VaultBroken, VaultInUse, WrongPassphrase
from chatroom.model import events as e


class Locked(KeyPerson):
    """Somebody whose vault cannot be opened."""

    error: Exception

    def _open(self, server: str, user_id: str) -> Deferred[Any]:
        return fail(self.error)


def test_a_wrong_passphrase_ends_the_client_so_that_the_next_try_is_not_said_to_a_room(network: Network) -> None:
    alice = Locked(network, name="alice", room="lobby")
    alice.error = WrongPassphrase("the passphrase is wrong")
    alice.come()
    assert "the passphrase is wrong" in alice.heard(Ended)[-1].why
    alice.say("the right passphrase")
    network.flow()
    assert alice.refused
    alice.leave()


def test_without_the_vault_nothing_private_is_sent_and_the_rest_works(network: Network) -> None:
    bob = account(KeyPerson(network, name="bob").come(), "Bob")  # type: ignore[arg-type]
    alice = Locked(network, name="alice")
    alice.error = VaultInUse(4711)
    alice.come()
    assert any("encryption does not work here: your keys are in use by process 4711" in text for text in alice.notices)
    with pytest.raises(Rejected, match="not sent"):
        alice.do("message", user="Bob", text="not for the server")
    network.flow()
    assert (bob.private, bob.plain) == ([], [])
    alice.do("join", room="lobby")
    bob.do("join", room="lobby")
    alice.do("say", text="hello, all", room="lobby")
    network.flow()
    assert bob.texts == ["hello, all"]
    for person in (alice, bob):
        person.leave()


def test_a_vault_that_breaks_sends_nothing_and_acknowledges_nothing(network: Network, world: World) -> None:
    alice = account(KeyPerson(network, name="alice", several=True).come(), "Alice")  # type: ignore[arg-type]
    bob = account(KeyPerson(network, name="bob", several=True).come(), "Bob")  # type: ignore[arg-type]
    alice.do("create", room="den")
    alice.do("encrypt", room="den", yes=True)
    bob.do("join", room="den")
    bob.do("message", user="Alice", text="before")
    network.pass_time(3)
    store = alice.stores[alice.client.state.user_id]
    store.commit = lambda: fail(VaultBroken("the disk is full"))  # type: ignore[method-assign]
    with pytest.raises(Rejected, match="not sent"):
        alice.do("say", room="den", text="not in plain text")
    for _ in range(2):
        with pytest.raises(Rejected, match="not sent"):
            alice.do("message", user="Bob", text="not in plain text")
        with pytest.raises(Rejected, match="not sent"):
            alice.do("say", room="den", text="not in plain text")
    assert any("disk is full" in text for text in alice.notices)
    bob.do("message", user="Alice", text="kept by the server")
    network.pass_time(3)
    assert alice.private == ["before"]
    assert (bob.private, bob.plain, bob.heard(e.Said)) == ([], [], [])
    assert "not in plain text" not in repr(vars(world.chat.engine))
    del store.commit
    alice.driver.conversation.drop("a test")
    network.pass_time(5)
    assert alice.private == ["before", "kept by the server"]
    for person in (alice, bob):
        person.leave()
