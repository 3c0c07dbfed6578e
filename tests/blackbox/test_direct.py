"""Direct links between two real clients: what goes over one does not pass the server, nor is it lost with the link."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.cutting import Cutting
from blackbox.daemon import DEADLINE, Daemon
from blackbox.keyed import Client, Person
from blackbox.windows import Window

SIZE = 16 * 1024 * 1024
SMALL = 64 * 1024  # bytes that may pass the server while a file goes directly
BEGUN = 1024 * 1024  # bytes of a file that are there when the link is ended
ATTEMPTS = 5  # a file may be there before the link is ended


@pytest.fixture(scope="module")
def data() -> bytes:
    """What is sent: nothing that could be compressed."""
    return random.Random(6).randbytes(SIZE)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Cutting]:
    """The way to a daemon, which counts what passes."""
    with Daemon(tmp_path, "--no-announce") as daemon, Cutting(daemon.port) as network:
        yield network


@pytest.fixture
def bob(tmp_path: Path) -> Iterator[Person]:
    """Bob's computer."""
    with Person(tmp_path / "bob") as person:
        yield person


def agree(bob: Client) -> None:
    """Let bob agree to the link that alice asks for."""
    bob.err.wait_for("alice asks for a direct link")
    bob.type("/direct alice", "/direct alice yes")
    bob.err.wait_for("messages and files to alice go directly now")


def test_a_message_and_a_file_do_not_pass_the_server(
    tmp_path: Path, network: Cutting, bob: Person, data: bytes
) -> None:
    with Person(tmp_path / "alice") as alice:
        (alice.path / "big").write_bytes(data)
        here, there = alice.client(network.port, "--name", "alice"), bob.client(network.port, "--name", "bob")
        there.type("/join lobby")
        there.out.wait_for("Current users")
        here.type("/direct bob", "/direct bob yes")
        agree(there)
        here.err.wait_for("messages and files to bob go directly now")
        before = network.passed
        here.type("/msg bob hello", "/send big bob")
        there.out.wait_for(r"alice \(private\): hello")
        there.err.wait_for(r"alice offers you big \(17 MB\) over the direct link; /get d1 fetches it")
        there.type("/get d1 fetched")
        there.out.wait_for(r"fetched fetched \(17 MB, SHA-256 checked\)")
        assert network.passed - before < SMALL
        assert (bob.path / "fetched").read_bytes() == data
        for client in (here, there):
            client.end()


class Cut:
    """A direct transfer at whose middle the sender ends the link; the sender is at a terminal, to type meanwhile."""

    def __init__(self, alice: Window, bob: Client, folder: Path) -> None:
        self._alice = alice
        self._bob = bob
        self._folder = folder

    def link(self) -> None:
        """Make the link."""
        self._alice.enter("/direct bob")
        self._alice.until(lambda rows: any("/direct bob yes asks bob" in row for row in rows))
        self._alice.enter("/direct bob yes")
        agree(self._bob)

    def attempt(self, number: int) -> bool:
        """Send a file, and end the link in its middle; return whether that was soon enough."""
        self._alice.enter("/send big bob")
        self._bob.err.wait_for(rf"/get d{number} fetches it")
        self._bob.type(f"/get d{number} fetched-{number}")
        self._stop_when_begun(self._folder / f"fetched-{number}")
        self._alice.enter("/direct bob off")
        self._alice.until(lambda rows: any("relayed by the server" in row for row in rows))
        self._bob.process.send_signal(signal.SIGCONT)
        return not (self._folder / f"fetched-{number}").exists()

    def _stop_when_begun(self, whole: Path) -> None:
        """Halt bob when a part of the file is there."""
        deadline = time.monotonic() + DEADLINE
        while not whole.exists() and sum(path.stat().st_size for path in self._folder.glob("*.part")) < BEGUN:
            assert time.monotonic() < deadline, "nothing came over the link"
            os.sched_yield()
        self._bob.process.send_signal(signal.SIGSTOP)


def test_a_link_that_is_ended_in_the_middle_of_a_file_loses_nothing(
    network: Cutting, bob: Person, window: Callable[[str], Window], data: bytes
) -> None:
    """The rest of the file goes by the server, and only the rest."""
    alice = window("alice")
    alice.start_as(network.port, "alice", plain=False)
    (alice.folder / "big").write_bytes(data)
    there = bob.client(network.port, "--name", "bob", "--room", "lobby")
    there.out.wait_for("Current users")
    cut = Cut(alice, there, bob.path)
    for number in range(1, ATTEMPTS + 1):
        before = network.passed
        cut.link()
        if cut.attempt(number):
            break
    else:
        pytest.fail("the file was always there before the link was ended")
    there.out.wait_for(rf"fetched fetched-{number} \(17 MB, SHA-256 checked\)")
    assert (bob.path / f"fetched-{number}").read_bytes() == data
    assert SMALL < network.passed - before < 2 * (SIZE - BEGUN) + SMALL
    there.end()
