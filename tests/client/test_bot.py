"""The library for bots: the very example of the package's docstring, and what it does when it cannot."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import pytest_twisted
from client.network import Network
from client.tls_server import Certificate, Server
from harness import World
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

import chatroom.client
from chatroom.chat.people import hello
from chatroom.client import bot
from chatroom.client.bot import Bot
from chatroom.client.errors import Rejected


def the_example() -> Any:
    """Return the function of the docstring."""
    code = re.search(r":\n\n(    from .*?)\n\nRun", chatroom.client.__doc__ or "", re.DOTALL)
    assert code is not None
    assert len(code[1].splitlines()) <= 10
    names: dict[str, Any] = {}
    exec(dedent(code[1]), names)
    return names


class Greeting:
    """The example on a network in memory.

    Args:
        network: What it dials.
    """

    def __init__(self, network: Network) -> None:
        self.network = network
        self.bots: list[Bot] = []
        names = the_example()
        names["connect"] = self._connect
        self.running = Deferred.fromCoroutine(names["greet"](network.world.clock, "chat.example", 8888))
        network.flow()

    async def _connect(self, clock: Clock, host: str, port: int, *, name: str) -> Bot:
        self.bots.append(Bot(clock, self.network.dial, "chat.example:8888", name=name))
        await self.bots[-1].arrive()
        return self.bots[-1]


def test_the_example_greets_whoever_says_hello(network: Network, world: World) -> None:
    alice = world.person("alice", "lobby")
    greeting = Greeting(network)
    alice.say("hello")
    network.flow()
    assert alice.lines() == ["greeter has joined the room.", "alice: hello", "greeter: hello alice"]
    network.lines[0].end()
    alice.say("hello")
    network.pass_time(2)
    assert alice.lines()[-1] == "greeter: hello alice"
    stopped = Deferred.fromCoroutine(greeting.bots[0].leave())
    network.pass_time(1)
    assert stopped.called
    assert greeting.running.called


@pytest.mark.parametrize("features", [hello.FEATURES, ()], ids=["new server", "old server"])
def test_a_bot_may_say_several_lines(
    network: Network, world: World, monkeypatch: pytest.MonkeyPatch, features: tuple[str, ...]
) -> None:
    monkeypatch.setattr(hello, "FEATURES", features)
    alice = world.person("alice", "lobby")
    made = Bot(world.clock, network.dial, "chat.example:8888", name="bot", room="lobby")
    Deferred.fromCoroutine(made.arrive())
    network.flow()
    alice.lines()
    for saying in (made.say("one\ntwo"), made.tell("alice", "three\r\nfour")):
        Deferred.fromCoroutine(saying)
        network.flow()
    marked = ["bot: one", "    | two", "bot (private): three", "    | four"]
    one_line = ["bot: one two", "bot (private): three four"]  # an old server would spoil the ends of lines
    assert alice.lines() == (marked if features else one_line)
    stopped = Deferred.fromCoroutine(made.leave())
    network.pass_time(1)
    assert stopped.called


def test_a_bot_is_in_several_rooms_if_it_says_so(network: Network, world: World) -> None:
    x, y = world.person("xenia", "x"), world.person("yvo", "y")
    made = Bot(world.clock, network.dial, "chat.example:8888", name="bot", room="x")

    async def work() -> None:
        await made.arrive()
        await made.join("y", stay=True)
        await made.say("in y")
        await made.say("in x", "x")
        assert made.rooms == ["x", "y"]
        await made.join("z")
        assert made.rooms == ["z"]
        await made.leave()

    worked = Deferred.fromCoroutine(work())
    for _ in range(10):
        network.pass_time(0.5)
    assert worked.called
    assert worked.result is None
    assert x.lines() == ["bot has joined the room.", "bot: in x", "bot has left the room."]
    assert y.lines() == ["bot has joined the room.", "bot: in y", "bot has left the room."]


def test_a_bot_that_reads_slowly_stops_the_server_not_its_memory(network: Network, world: World) -> None:
    made = Bot(world.clock, network.dial, "chat.example:8888", name="slow", room="lobby")
    Deferred.fromCoroutine(made.arrive())
    network.flow()
    alice = world.person("alice", "lobby")
    for i in range(bot.MOST + 500):
        alice.say(str(i))
        network.flow()
    assert len(made._waiting) == bot.MOST
    heard: list[Any] = []

    async def take() -> None:
        async for event in made.events():
            heard.append(event)

    taking = Deferred.fromCoroutine(take())
    network.flow()
    texts = [event.text for event in heard if type(event).__name__ == "Said"]
    assert texts == [str(i) for i in range(bot.MOST + 500)]
    Deferred.fromCoroutine(made.leave())
    network.pass_time(1)
    assert taking.called


def test_what_it_came_for_and_does_not_get_is_an_exception(network: Network, world: World) -> None:
    world.person("taken")
    made = Bot(world.clock, network.dial, "chat.example:8888", name="taken")
    arriving = Deferred.fromCoroutine(made.arrive())
    network.flow()
    failure = arriving.result
    arriving.addErrback(lambda it: None)
    assert isinstance(failure.value, Rejected)
    assert failure.value.code == "name-in-use"
    Deferred.fromCoroutine(made.leave())
    network.pass_time(1)


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[Server]:
    """A server on a real socket."""
    made = Server(Certificate())
    yield made
    await made.close()


async def test_connecting_by_tls_for_real(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    chat = await bot.connect(reactor, "localhost", server.port, name="guest-1")
    assert (chat.name, chat.client.server, chat.client.security) == ("guest-1", "small", "TLS 1.3")
    assert (tmp_path / "chatroom" / "known_servers").exists()
    chat.client.drop("enough")
    await chat.leave()
