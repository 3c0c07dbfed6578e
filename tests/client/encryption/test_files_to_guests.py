"""Sealed files to guests whose connections are cut: the rest waits until the guest is back, and goes to nobody else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client.encryption.people import KeyPerson
from client.files.friends import refusal, result_of, write
from client.network import Network
from harness import World
from twisted.internet.defer import maybeDeferred

from chatroom.client.errors import Failed
from chatroom.client.files.transfers import Transfers
from chatroom.client.files.upload import AWAY_WITHIN
from chatroom.model import events as e
from chatroom.model.shared_files import CHUNK

BIG = os.urandom(20 * CHUNK + 5)


class Cut:
    """Two guests, each with a network of their own, of whom one sends a file to the other when both are cut off.

    Attributes:
        sent: What came of the file.
        fa: The sender, who is back at once.
        fb: The reader, who is away.
    """

    def __init__(self, network: Network, world: World, path: Path) -> None:
        self.near, self.far = network, Network(world)
        self.fa, self.fb = KeyPerson(self.near, name="fa", room="lobby"), KeyPerson(self.far, name="fb", room="lobby")
        self.transfers = [
            Transfers(it.client, "chat.example:8888", world.clock, maybeDeferred) for it in (self.fa, self.fb)
        ]
        self.fa.come()
        self.fb.come()
        self.pass_time(1)
        self.sent: list[Any] = result_of(self.transfers[0].send(path, "fb"))
        self.near.largest = CHUNK
        (upload,) = self.transfers[0]._under_way
        while not upload._stored:  # chunks that the server has
            self.near._step(self.near.lines[0])
        assert not self.sent
        self.near.lines[0].end()
        self.near.largest = 1 << 30
        self.far.refusing = Failed("the network is down")
        self.far.lines[0].end()

    def pass_time(self, seconds: int) -> None:
        """Let time pass for both."""
        for _ in range(seconds):
            self.near.pass_time(0.5)
            self.far.pass_time(0.5)

    def leave(self) -> None:
        """Let both go."""
        self.fa.leave()
        self.fb.leave()


@pytest.fixture
def cut(network: Network, world: World, tmp_path: Path) -> Iterator[Cut]:
    """The two after the cut."""
    two = Cut(network, world, write(tmp_path, BIG))
    yield two
    two.leave()


def test_a_file_to_a_guest_goes_on_when_the_guest_is_back(cut: Cut, tmp_path: Path) -> None:
    cut.pass_time(60)
    assert cut.fa.client.online
    assert cut.sent == [], "it waits"
    cut.far.refusing = None
    cut.pass_time(60)
    assert isinstance(cut.sent[0], e.Shared)
    got = result_of(cut.transfers[1].get(1, tmp_path / "there", folder=True, given=True))
    cut.pass_time(10)
    assert got[0].read_bytes() == BIG


def test_a_guest_who_does_not_come_back_is_waited_for_only_so_long(cut: Cut) -> None:
    cut.pass_time(int(AWAY_WITHIN) - 10)
    assert cut.sent == []
    cut.pass_time(20)
    assert "so this was not sent" in refusal(cut.sent, "no-longer-encrypted")


def test_while_a_guest_is_away_the_file_can_be_cancelled(cut: Cut) -> None:
    cut.pass_time(5)
    cut.transfers[0].cancel("")
    refusal(cut.sent, "cancelled")


@pytest.mark.parametrize("keys", [True, False])
def test_the_rest_goes_to_nobody_else_of_that_name(cut: Cut, keys: bool, world: World) -> None:
    cut.pass_time(5)
    other = KeyPerson(cut.near, name="fb").come() if keys else world.person("fb")
    cut.pass_time(5)
    assert "was meant for another fb" in refusal(cut.sent, "other-person")
    if keys:
        other.leave()


def test_to_a_guest_who_is_away_at_the_beginning_nothing_is_begun(cut: Cut, tmp_path: Path) -> None:
    cut.pass_time(5)
    sent = result_of(cut.transfers[0].send(write(tmp_path, b"another", "another.txt"), "fb"))
    cut.pass_time(1)
    refusal(sent, "no-longer-encrypted")
