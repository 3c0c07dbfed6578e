"""Files, with an end, a cut or a move at any moment: between any two packets, and while the disk is at work."""

from __future__ import annotations

import os
import shutil
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from client.files.friends import ByHand, Friend, write
from client.network import Network
from harness import World
from hypothesis import given, settings
from hypothesis import strategies as st

from chatroom.client.errors import Rejected
from chatroom.model import events as e
from chatroom.model.shared_files import CHUNK

OTHER = os.urandom(3 * CHUNK)
HARMLESS = ["packet", "cut", "silent cut", "time", "name", "register", "logout"]
ENDING = ["cancel send", "cancel get", "room", "kick", "delete"]


class Story:
    """Alice sends a file and fetches another; what happens meanwhile is told by a test."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.folder = folder
        self.network = Network(world)
        self.network.largest = 100_000
        self.boss = world.program("boss")
        self.boss.record(do="create", room="lobby")
        self.bob = Friend(self.network, "bob")
        (self.given,) = self.done(self.bob.send(write(folder, OTHER, "other.txt")))
        self.work = ByHand()
        self.alice = Friend(self.network, "alice", work=self.work)
        self.here = folder / "here"
        self.here.mkdir()
        self.names = 0
        self.sent = self.alice.send(write(folder))
        self.got = self.alice.get(self.given.number, self.here)

    def act(self, what: str) -> None:
        """Let something happen."""
        line = next(
            (line for line in self.network.lines if line.client is self.alice.client._conversation._connection), None
        )
        if what == "work":
            self.network.flow()
            self.work.step()
        elif what == "packet":
            for one in list(self.network.lines):
                self.network._step(one)
        elif what == "time":
            self.world.pass_time(1)
        elif what in ("cut", "silent cut") and line is not None:
            line.end(noticed=what == "cut")
        elif what == "name":
            self.names += 1
            self.do("name", name=f"alice{self.names}")
        elif what == "register":
            self.do("register", user="alicia", password="secret")
        elif what == "logout":
            self.do("logout")
        elif what == "room":
            self.do("join", room="den")
        elif what == "kick":
            self.boss.record(do="kick", user=self.alice.client.name)
        elif what == "delete":
            self.boss.record(do="delete", seq=self.given.seq)
        elif what.startswith("cancel"):
            which = "notes.txt" if what == "cancel send" else str(self.given.number)
            for one in self.alice.transfers._under_way:
                if one.is_called(which):
                    one.cancel()

    def do(self, do: str, **fields: str) -> None:
        """Let Alice do something, which may be refused."""
        self.alice.client.do(do, **fields).addErrback(lambda failure: failure.trap(Rejected))

    def done(self, *boxes: list[Any]) -> list[Any]:
        """Let all go on until it is done, and return what came of it."""
        for _ in range(200):
            if all(boxes):
                break
            self.network.flow()
            while hasattr(self, "work") and self.work.step():
                self.network.flow()
            self.world.pass_time(1)
        self.network.flow()
        assert all(boxes), "it hangs"
        return [box[0] for box in boxes]

    def check(self, *, harmless: bool) -> None:
        """See that all has come to a good end, and that nothing is held any more."""
        sent, got = self.done(self.sent, self.got)
        if harmless:
            assert isinstance(sent, e.Shared), sent
            assert isinstance(got, Path), got
        assert not isinstance(got, Path) or got.read_bytes() == OTHER
        names = [name for name in os.listdir(self.here) if not name.startswith(".chatroom-")]
        assert names == ["other.txt"] * isinstance(got, Path)
        if isinstance(got, Rejected) and got.code == "cancelled":
            assert os.listdir(self.here) == []
        assert self.alice.transfers.lines() == []
        self.network.pass_time(5)
        if self.alice.client.room != "lobby":
            self.alice.do("join", room="lobby")
        boxes = [self.alice.send(write(self.folder, bytes([i]), f"{i}.txt")) for i in range(4)]
        for one in self.done(*boxes):
            assert isinstance(one, e.Shared), one
        for name, value in self.world.chat.files.receiving.items():
            raise AssertionError(f"{value} waits for {name} for ever")

    def close(self) -> None:
        """Everybody goes."""
        for friend in (self.alice, self.bob):
            friend.leave()


def play(acts: list[str]) -> None:
    """See that all comes to a good end."""
    folder = Path(mkdtemp())
    try:
        with closing(World()) as world:
            story = Story(world, folder)
            for act in acts:
                story.act(act)
            story.check(harmless=not set(acts) & set(ENDING))
            story.close()
    finally:
        shutil.rmtree(folder)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*["work"] * 10, *HARMLESS]), max_size=40))
def test_whatever_happens_to_the_line_both_get_there(acts: list[str]) -> None:
    play(acts)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from([*["work"] * 20, *HARMLESS, *ENDING]), max_size=40))
def test_whatever_is_done_both_end(acts: list[str]) -> None:
    play(acts)
