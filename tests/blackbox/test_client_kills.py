"""A client that is killed while it sends encrypted messages: each arrives once, in order, and none in plain text."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.cutting import Cutting
from blackbox.daemon import Daemon
from blackbox.keyed import Client, Person

KILLS = 5
MANY = 190  # lines that are given at once: not more than a mailbox takes from one sender who is faster than its reader
EARLY = 100  # the client is killed when one of so many of the first has come

FORMS = {"room": "{}", "private": "/msg bob {}"}


class Sender:
    """Alice, whose client is killed.

    Args:
        computer: Hers.
        port: Where her clients connect to.
        form: What she types to send a word.
    """

    def __init__(self, computer: Person, port: int, form: str) -> None:
        self._computer = computer
        self._port = port
        self._form = form
        self.client = self._start()
        self.client.type("/create den", "/encrypt yes")
        self.client.out.wait_for("alice encrypted the room")

    def _start(self) -> Client:
        return self._computer.client(self._port, "--plain", "--name", "alice")

    def say(self, *words: str) -> None:
        """Send words."""
        self.client.type(*(self._form.format(word) for word in words))

    def kill(self) -> list[str]:
        """Kill the client, and start it again; return the words that the dead one has shown as sent."""
        self.client.kill()
        shown = words(self.client)
        self.client = self._start()
        self.client.type("/join den")
        return shown


def words(client: Client) -> list[str]:
    """Return the words that a client has shown."""
    return re.findall(r": (word-\S+)$", client.out.text, re.MULTILINE)


@pytest.fixture
def network(tmp_path: Path) -> Iterator[Cutting]:
    """The way of alice's client to a daemon; what passes is kept."""
    with Daemon(tmp_path, "--no-announce") as daemon, Cutting(daemon.port, records=True) as network:
        yield network


@pytest.mark.parametrize("where", FORMS)
def test_each_message_of_a_killed_client_arrives_once(tmp_path: Path, network: Cutting, where: str) -> None:
    """A line that was not sent before is lost with the client's input; what was, is a beginning of the lines."""
    chance = random.Random(where)
    with Person(tmp_path / "alice") as computer, Person(tmp_path / "bob") as other:
        alice = Sender(computer, network.port, FORMS[where])
        bob = other.client(network.port, "--plain", "--name", "bob")
        bob.type("/join den")
        bob.out.wait_for("Current users: alice, bob")
        for number in range(KILLS):
            given = [f"word-{number}-{i}" for i in range(MANY)]
            alice.say(*given)
            chance.choice([alice.client, bob]).out.wait_for(f"{given[chance.randrange(EARLY)]}$")
            shown = alice.kill()
            alice.say(f"word-{number}-end")
            bob.out.wait_for(f"word-{number}-end$")
            came = [word for word in words(bob) if word.startswith(f"word-{number}-")]
            assert came == [*given[: len(came) - 1], f"word-{number}-end"]
            assert [word for word in shown if word not in came and word in given] == []
        alice.client.end()
        bob.end()
        assert len(words(bob)) == len(set(words(bob)))
        assert "cannot be opened" not in bob.err.text
        assert "missing before" not in bob.out.text + bob.err.text
        assert b"word-" not in b"\n".join(network.recordings)
