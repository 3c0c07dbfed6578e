"""What a program has been given is read: encrypted private messages, too, as those in plain text are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.testing import StringTransport

from chatroom.client.bot import Bot
from chatroom.client.encryption.driver import EncryptionDriver
from chatroom.client.encryption.setup import encrypt
from chatroom.client.files.commands import FileCommands
from chatroom.client.files.transfers import Transfers
from chatroom.client.opened import Opened
from chatroom.client.pipe import Pipe
from chatroom.model.device import Device

LOGIN = ("Bob", "a good password")


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """Somebody who writes to Bob."""
    person = account(KeyPerson(network, name="alice").come(), "Alice")
    yield person
    person.leave()


@pytest.fixture
def away(network: Network, alice: KeyPerson) -> KeyPerson:
    """Bob, who has left, and for whom two messages wait."""
    bob = account(KeyPerson(network, name="bob", device=Device("laptop", "one")).come(), "Bob")
    bob.leave()
    for text in ("one", "two"):
        alice.do("message", user="Bob", text=text)
    return bob


def unread(bob: KeyPerson) -> dict[str, int]:
    """Return how many messages are unread in the next run on the same device, by the author's name."""
    again = KeyPerson(bob.network, bob.stores, login=LOGIN, device=Device("laptop", "one")).come()
    counted = {name: peer.unread for name, peer in again.client.peers.items() if peer.unread}  # type: ignore[attr-defined]
    again.leave()
    return counted


def test_what_a_pipe_has_written_is_read(network: Network, away: KeyPerson) -> None:
    bob = KeyPerson(network, away.stores, login=LOGIN, device=Device("laptop", "one"))
    pipe, transport, clock = Pipe(network.world.clock, lambda text: None), StringTransport(), network.world.clock
    bob.client._conversation.handler.tell = pipe.told
    pipe.makeConnection(transport)
    files = FileCommands(Transfers(bob.client, "chat.example:8888", clock, maybeDeferred), Path(), pipe.say)
    pipe.begin(bob.client, files)
    network.pass_time(1)
    assert [line.rpartition(": ")[2] for line in transport.value().decode().splitlines() if "private" in line] == [
        "one",
        "two",
    ]
    pipe.readConnectionLost()
    network.pass_time(3)
    assert not unread(away)


def test_what_a_bot_has_taken_is_read(network: Network, away: KeyPerson) -> None:
    clock = network.world.clock
    bot = Bot(clock, network.dial, "chat.example:8888", login=LOGIN, device=Device("laptop", "one"))

    def open_store(server: str, user_id: str) -> Deferred[object]:
        opened: Deferred[object] = Deferred()
        away.stores[user_id].generation += 1
        opened.callback(away.stores[user_id])
        return opened

    ids = iter(range(1000))
    encrypt(bot.client, open_store, lambda: f"bot-{next(ids)}", "bot", clock)  # type: ignore[arg-type]
    assert isinstance(bot.client._conversation.sealing, EncryptionDriver)
    Deferred.fromCoroutine(bot.arrive())
    network.pass_time(1)
    taken: list[str] = []

    async def take() -> None:
        async for event in bot.events():
            if isinstance(event, Opened):
                taken.append(event.text)
                return

    Deferred.fromCoroutine(take())
    network.pass_time(1)
    assert taken == ["one"]
    Deferred.fromCoroutine(bot.leave())
    network.pass_time(3)
    assert not unread(away)
