"""Files over real direct links: TLS on loopback, between clients that share a server in memory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from client.direct.two_clients import MOST_TURNS, Pair, Somebody
from client.files.direct_friend import DirectFriend
from client.files.friends import Friend, refusal, write
from client.network import Network
from sharing import kept_files
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chatroom.client.crypto.file_cipher import PIECE
from chatroom.client.direct.direct_links import LinkState
from chatroom.client.direct.offer import LinkPeer
from chatroom.client.files.direct_files import DirectFiles

DATA = os.urandom(12 * PIECE + 5)


@pytest.fixture
def network(network: Network) -> Iterator[Network]:
    """What clients dial; those who are there at the end leave."""
    Friend.there = []
    yield network
    for friend in Friend.there:
        friend.leave()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """Where files are fetched to."""
    folder = tmp_path / "here"
    folder.mkdir()
    return folder


class RealLinks:
    """The direct links of one client, as ``FileLinks``.

    Args:
        end: Has the links.
        other: The name of the other user.
        chunks: After so many chunks the link is closed.
    """

    def __init__(self, end: Somebody, other: str, chunks: int = 1000) -> None:
        self._end = end
        self._other = other
        self._left = chunks
        self.files: DirectFiles | None = None
        end.chunk = self._chunk  # type: ignore[method-assign]
        self._changed = end.state_changed
        end.state_changed = self._state_changed  # type: ignore[method-assign]

    def peer(self, user: str) -> LinkPeer | None:
        """Return the device of the other user."""
        peer = self._end.other.peer if self._end.other is not None else None
        return peer if user == self._other and peer is not None and self.is_open(peer) else None

    def is_open(self, peer: Any) -> bool:
        """Return whether a link is open."""
        return self._end.links.state(peer) is LinkState.DIRECT

    def send_chunk(self, peer: Any, data: bytes) -> Deferred[None]:
        """Send bytes over a link."""
        return self._end.links.send_chunk(peer, data)

    def _chunk(self, peer: LinkPeer, data: bytes) -> Any:
        self._left -= 1
        if not self._left:
            self._end.links.close(peer)
        assert self.files is not None
        return self.files.received(peer, data)

    def _state_changed(self, peer: LinkPeer, state: LinkState, why: str) -> None:
        self._changed(peer, state, why)
        if state is LinkState.RELAYED and self.files is not None:
            self.files.lost(peer)


async def two(network: Network, pair: Pair, chunks: int = 1000) -> tuple[DirectFriend, DirectFriend, Somebody]:
    """Return alice and bob with an open link, and bob's end of it."""
    alice, bob = DirectFriend(network, "alice"), DirectFriend(network, "bob")
    ends = pair()
    for friend, end, other, most in ((alice, ends[0], "bob", 1000), (bob, ends[1], "alice", chunks)):
        friend.links.me = end.peer
        links = RealLinks(end, other, most)
        links.files = friend.direct = DirectFiles(friend.transfers, links)
    alice.offers_to(bob)
    ends[0].links.ask(ends[1].peer)
    ends[1].links.agree(ends[0].peer)
    for end in ends:
        await end.reaches(LinkState.DIRECT)
    return alice, bob, ends[1]


async def result(box: list[Any], network: Network, end: Somebody) -> Any:
    """Let the sockets, the server and the clocks do their work until something has come of a transfer."""
    for _ in range(MOST_TURNS):
        if box:
            return box[0]
        await deferLater(reactor, 0)  # type: ignore[arg-type]
        network.pass_time(0.01)
        for one in (end, end.other):
            assert one is not None
            one.clock.advance(0.01)
    raise AssertionError("nothing has come of it")


@pytest_twisted.ensureDeferred
async def test_a_file_goes_over_a_link_and_not_by_the_server(
    network: Network, pair: Pair, tmp_path: Path, here: Path
) -> None:
    alice, bob, end = await two(network, pair)
    sent = alice.send_directly(write(tmp_path, DATA), "bob")
    got = bob.get_directly(bob.numbers[0], here)
    assert (await result(got, network, end)).read_bytes() == DATA
    assert await result(sent, network, end) is None
    assert kept_files(network.world) == []
    assert DATA[:1000] not in b"".join(end.chunks)


@pytest_twisted.ensureDeferred
async def test_a_file_goes_on_by_the_server_when_the_link_ends(
    network: Network, pair: Pair, tmp_path: Path, here: Path
) -> None:
    alice, bob, end = await two(network, pair, chunks=5)
    sent = alice.send_directly(write(tmp_path, DATA), "bob")
    got = bob.get_directly(bob.numbers[0], here)
    assert (await result(got, network, end)).read_bytes() == DATA
    assert await result(sent, network, end) is None
    (record,) = kept_files(network.world)
    assert 0 < alice.secrets.offers[-1][2]["first"] <= 5
    assert record.size < len(DATA)
    assert os.listdir(here) == ["notes.txt"]


@pytest_twisted.ensureDeferred
async def test_a_cancelled_file_ends_on_both_sides(network: Network, pair: Pair, tmp_path: Path, here: Path) -> None:
    alice, bob, end = await two(network, pair)
    sent = alice.send_directly(write(tmp_path, DATA), "bob")
    got = bob.get_directly(bob.numbers[0], here)
    alice.transfers.cancel("notes.txt")
    refusal([await result(sent, network, end)], "cancelled")
    refusal([await result(got, network, end)], "stopped")
