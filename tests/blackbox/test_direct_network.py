"""Direct links between two machines, over IPv4 and IPv6; what is said, and what arrives, if their packets are lost."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon
from blackbox.keyed import Client, Person
from blackbox.machines import LINK, SERVER, V4, V6, Machines

SIZE = 16 * 1024 * 1024
BEGUN = 1024 * 1024  # bytes of a file that are there when the packets get lost
ATTEMPTS = 5  # a file may be there before they do
GONE = "messages and files to {} are relayed by the server, encrypted as before"


class Pair:
    """Alice and bob at their machines, who know each other.

    Args:
        machines: The machines.
        stack: Ends what is begun.
        folder: The test's folder.
    """

    def __init__(self, machines: Machines, stack: ExitStack, folder: Path) -> None:
        self.machines = machines
        options = ("--no-announce", "--interface", "::")
        daemon = stack.enter_context(Daemon(folder, *options, within=machines.within(SERVER)))
        self.folders = folder / "alice", folder / "bob"
        self.alice, self.bob = (self._client(stack, path, daemon.port) for path in self.folders)
        self.alice.type("/join lobby")
        self.alice.out.wait_for("Current users")
        self.bob.type("/join lobby")
        self.bob.out.wait_for("Current users: alice, bob")

    def _client(self, stack: ExitStack, path: Path, port: int) -> Client:
        name = path.name
        person = Person(path, self.machines.within(name), self.machines.server(name))
        return stack.enter_context(person).client(port, "--name", name)

    def ask(self) -> None:
        """Let alice ask for a link, and bob agree; assert that both are told exactly the addresses that they have."""
        self.alice.type("/direct bob", "/direct bob yes")
        self.bob.err.wait_for("alice asks for a direct link")
        self.bob.type("/direct alice", "/direct alice yes")
        for client, other, person in ((self.alice, "bob", "alice"), (self.bob, "alice", "bob")):
            shown = client.out.wait_for(rf"It shows {other} the addresses of this computer: (\S+(?:, \S+)*)\.")[1]
            assert set(shown.split(", ")) == set(self.machines.addresses(person))

    def connect(self) -> None:
        """Make a link."""
        self.ask()
        self.alice.err.wait_for("messages and files to bob go directly now")
        self.bob.err.wait_for("messages and files to alice go directly now")

    def say(self, *lines: str) -> None:
        """Let alice send bob messages, which must come."""
        self.alice.type(*(f"/msg bob {line}" for line in lines))
        for line in lines:
            self.bob.out.wait_for(rf"alice \(private\): {line}$")

    def end(self) -> str:
        """Let both leave; return what bob was told."""
        self.alice.end()
        self.bob.end()
        return self.bob.out.text


Meet = Callable[..., Pair]


@pytest.fixture
def meet(tmp_path: Path) -> Iterator[Meet]:
    """Makes a pair, on machines with these kinds of addresses; where that is not possible, the test is skipped, but
    fails in CI, which has what it takes."""
    with ExitStack() as stack:

        def make(*kinds: str) -> Pair:
            try:
                machines = stack.enter_context(Machines(*kinds))
            except OSError as error:
                if os.environ.get("CI"):
                    pytest.fail(str(error))
                pytest.skip(str(error))
            return Pair(machines, stack, tmp_path)

        yield make


@pytest.mark.parametrize("kinds", [(V4,), (V6,)], ids=" ".join)
def test_two_machines_are_linked_over_what_they_have(meet: Meet, kinds: tuple[str, ...]) -> None:
    pair = meet(*kinds)
    pair.connect()
    data = os.urandom(BEGUN)
    (pair.folders[0] / "big").write_bytes(data)
    pair.alice.type("/send big bob")
    pair.bob.err.wait_for("alice offers you big .* over the direct link")
    pair.bob.type("/get d1 fetched")
    pair.bob.out.wait_for("fetched fetched ")
    assert (pair.folders[1] / "fetched").read_bytes() == data
    pair.say("hello")
    assert "relayed" not in pair.alice.err.text + pair.bob.err.text
    pair.end()


def test_an_address_that_only_one_network_knows_is_not_shown_to_anybody(meet: Meet) -> None:
    pair = meet(LINK)
    pair.alice.type("/direct bob")
    pair.alice.err.wait_for("this computer has no address that bob could reach; messages are relayed")
    pair.say("hello")
    pair.bob.end()
    assert "fe80" not in pair.bob.out.text


def test_if_all_packets_between_them_are_lost_both_are_told_and_messages_are_relayed(meet: Meet) -> None:
    pair = meet(V4, V6)
    pair.machines.drop()
    pair.ask()
    pair.alice.err.wait_for(GONE.format("bob") + r" \(no connection within 5 seconds\)")
    pair.bob.err.wait_for(GONE.format("alice") + r" \(no connection within 5 seconds\)")
    pair.say("hello")
    assert pair.end().count("hello") == 1


def test_if_packets_are_lost_in_the_middle_of_a_file_it_arrives_whole_and_what_was_said_arrives_once(
    meet: Meet,
) -> None:
    pair = meet(V4, V6)
    pair.connect()
    data = random.Random(9).randbytes(SIZE)
    (pair.folders[0] / "big").write_bytes(data)
    number = next((number for number in range(1, ATTEMPTS + 1) if _halted(pair, number)), 0)
    assert number, "the file was always there before packets were lost"
    pair.machines.drop()
    pair.bob.process.send_signal(signal.SIGCONT)
    pair.alice.err.wait_for(GONE.format("bob") + r" \(nothing was acknowledged for 5 seconds\)")
    pair.bob.out.wait_for(rf"fetched fetched-{number} \(17 MB, SHA-256 checked\)")
    assert (pair.folders[1] / f"fetched-{number}").read_bytes() == data
    pair.say("first", "second")
    heard = pair.end()
    assert heard.count("first") == heard.count("second") == 1


def _halted(pair: Pair, number: int) -> bool:
    """Let alice send a file, and halt bob in its middle; return whether that was soon enough."""
    pair.alice.type("/send big bob")
    pair.bob.err.wait_for(rf"/get d{number} fetches it")
    pair.bob.type(f"/get d{number} fetched-{number}")
    whole = pair.folders[1] / f"fetched-{number}"
    deadline = time.monotonic() + DEADLINE
    while not whole.exists() and sum(path.stat().st_size for path in whole.parent.glob("*.part")) < BEGUN:
        assert time.monotonic() < deadline, "nothing came over the link"
        os.sched_yield()
    pair.bob.process.send_signal(signal.SIGSTOP)
    if not whole.exists():
        return True
    pair.bob.process.send_signal(signal.SIGCONT)
    return False
