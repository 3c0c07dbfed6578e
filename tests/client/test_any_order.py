"""Rooms are joined, left and looked at, and the line is cut at any time: each message reaches its room once."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from client.network import Network, Person
from harness import World
from order import PASSWORD, account, owner
from twisted.python.failure import Failure

from chatroom.chat.rooms import join_leave
from chatroom.client import backfill
from chatroom.client.errors import Rejected
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.device import Device
from chatroom.model.names import fold

ROOMS = ["one", "two", "three"]
STEPS = 60


class Walk:
    """A person who does things at random in a few rooms, and a program that is in all of them and sees what comes.

    Args:
        seed: Decides what is done.
        several: Whether the client stays in the other rooms.
        history: How many earlier messages the client asks for.
    """

    def __init__(self, seed: int, *, several: bool, history: int = 0) -> None:
        self.random = Random(seed)
        self.world = World()
        self.network = Network(self.world)
        self.network.largest = self.random.choice([200, 1000, 1 << 30])
        self.watcher = self.world.program("bob")
        for room in ROOMS:
            self.watcher.record(do="join", room=room, stay=True)
        self.watcher.records()
        self.person = Person(
            self.network, name="alice", room=ROOMS[:2] if several else "one", several=several, history=history
        )
        self.meant: dict[str, str] = {}  # the room of each message, as it was when it was typed
        self.outcome: dict[str, str] = {}  # "said", or the code of the refusal
        self.seen: list[tuple[str, str]] = []
        self.person.come()

    def go(self) -> None:
        """Do a few things, and wait until all is answered."""
        for _ in range(STEPS):
            self.random.choice([self.say, self.say, self.say, self.move, self.look, self.cut, self.flow, self.flow])()
            self._watch()
        self.network.pass_time(10)
        self._watch()

    def say(self) -> None:
        """Say something, in the room where a typed line would go or in one that is named."""
        client, text = self.person.client, f"text {len(self.meant)}"
        named = self.random.choice(["", "", *ROOMS])
        self.meant[text] = fold(named or client.target)

        def done(result: Any) -> None:
            self.outcome[text] = result.value.code if isinstance(result, Failure) else "said"

        client.say(text, named).addBoth(done)

    def move(self) -> None:
        """Join or leave a room."""
        do, room = self.random.choice(["join", "join", "leave"]), self.random.choice(ROOMS)
        self.person.client.do(do, room=room).addErrback(lambda failure: failure.trap(Rejected))

    def look(self) -> None:
        """Give the focus to a room."""
        rooms = [room.room for room in self.person.client.rooms.values()]
        if rooms:
            self.person.client.focus(self.random.choice(rooms))

    def cut(self) -> None:
        """Cut the line now or in the middle of what comes next; the server may not notice."""
        self.network.noticed = self.random.random() < 0.5
        self.network.cut_after = self.network.packets + self.random.randrange(12)

    def flow(self) -> None:
        """Let packets flow, and perhaps some time pass."""
        self.network.flow()
        if self.random.random() < 0.4:
            self.network.pass_time(2)

    def _watch(self) -> None:
        said = (record for record in self.watcher.records() if record["event"] == "said")
        self.seen += [(record["room"], record["text"]) for record in said if record["by"] != "bob"]

    def end(self) -> None:
        """End it all."""
        self.person.leave()
        self.world.close()


@pytest.mark.parametrize("several", [True, False], ids=["several", "one at a time"])
@pytest.mark.parametrize("seed", range(80))
def test_each_message_reaches_the_room_that_it_was_typed_for_once_and_in_order(seed: int, several: bool) -> None:
    walk = Walk(seed, several=several)
    walk.go()
    texts = [text for _, text in walk.seen]
    assert len(texts) == len(set(texts))
    assert all(walk.meant[text] == room for room, text in walk.seen)
    for text, outcome in walk.outcome.items():
        assert outcome in ("said", "lost", "which-room", "not-in-room", "not-in-that-room")
        if outcome != "lost":  # then nobody knows
            assert (text in texts) == (outcome == "said"), text
    assert walk.outcome.keys() == walk.meant.keys()
    said = [(room, int(text.split()[1])) for room, text in walk.seen if walk.outcome[text] == "said"]
    for room in ROOMS:
        numbers = [number for there, number in said if there == room]
        assert numbers == sorted(numbers)
    (session,) = [session for session in walk.world.chat.sessions.values() if session.name == "alice"]
    there = {fold(room.name): sorted(room.names(99)) for room in session.rooms}
    assert {key: sorted(room.users) for key, room in walk.person.client.rooms.items()} == there
    told = [(event.room, event.seq) for event in walk.person.heard(e.Said)]
    assert len(told) == len(set(told))
    walk.end()


class BusyWalk(Walk):
    """A walk among others, who speak, edit, delete and kick; the person reads some of it.

    The server tells little of what was missed by itself, so that the client must fetch the rest.
    """

    def __init__(self, seed: int) -> None:
        super().__init__(seed, several=True, history=200)
        self.others = 0
        self.olga = owner(self.world, "olga", operator=True)
        for room in ROOMS:
            self.olga.record(do="join", room=room, stay=True)

    def go(self) -> None:
        """Do a few things, and wait until all is answered."""
        theirs = [self.talk, self.talk, self.talk, self.edit, self.delete, self.kick, self.read]
        mine = [self.say, self.move, self.look, self.cut, self.flow, self.flow]
        for _ in range(2 * STEPS):
            self.random.choice([*theirs, *mine])()
            self._watch()
        self.network.pass_time(10)
        self._watch()

    def talk(self) -> None:
        """Let somebody else speak, sometimes much, and sometimes to the person."""
        for _ in range(self.random.choice([1, 1, 1, 12])):
            self.others += 1
            text = f"alice {self.others}" if self.random.random() < 0.3 else f"bob {self.others}"
            self.watcher.record(do="say", room=self.random.choice(ROOMS), text=text)

    def edit(self) -> None:
        """Let somebody else correct a message."""
        text = self.random.choice(["alice, corrected", "corrected"])
        self.watcher.record(do="edit", room=self.random.choice(ROOMS), last=self.random.randrange(1, 4), text=text)

    def delete(self) -> None:
        """Let somebody else delete a message."""
        self.watcher.record(do="delete", room=self.random.choice(ROOMS))

    def kick(self) -> None:
        """Let an operator put the person out of a room, or only out for a while."""
        if self.random.random() < 0.3:
            room = self.random.choice(ROOMS)
            do = self.random.choice(["kick", "ban", "unban"])
            self.olga.record(do=do, user="alice", room=room)

    def read(self) -> None:
        """Let the person read a room."""
        for room in self.person.client.rooms.values():
            if self.random.random() < 0.5:
                self.person.client.mark_read(room.after, room=room.room)

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return our read mark in each room, and how many messages are unread, and how many of these mention us."""
        rooms = self.person.client.rooms.values()
        return {room.room: (room.read, room.unread, room.mentions) for room in rooms}


@pytest.mark.parametrize("seed", range(60))
def test_what_is_unread_agrees_with_the_server_whatever_happens(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(join_leave, "CATCH_UP", 8)
    monkeypatch.setattr(backfill, "PAGE", 5)
    walk = BusyWalk(seed)
    walk.go()
    mine = walk.counts()
    (session,) = [session for session in walk.world.chat.sessions.values() if session.name == "alice"]
    assert sorted(mine) == sorted(room.name for room in session.rooms)
    walk.network.lines[0].end()
    walk.network.pass_time(5)
    theirs = {event.room: (event.read, event.unread, event.mentions) for event in walk.person.heard(a.Entered)}
    assert mine == {room: theirs[room] for room in mine} == walk.counts()
    walk.end()


@pytest.mark.parametrize("seed", range(30))
def test_two_clients_of_one_account_agree_on_what_is_unread(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(join_leave, "CATCH_UP", 8)
    monkeypatch.setattr(backfill, "PAGE", 5)
    random, world = Random(seed), World()
    network = Network(world)
    bob = world.program("bob")
    for room in ROOMS:
        bob.record(do="join", room=room, stay=True)
    account(world, "alice")
    more: dict[str, Any] = {"room": ROOMS, "several": True, "login": ("alice", PASSWORD)}
    clients = [Person(network, device=Device(name, "t"), **more).come() for name in ("phone", "desk")]
    for number in range(STEPS):
        step = random.randrange(6)
        client = random.choice(clients).client
        if step < 2:
            bob.record(do="say", room=random.choice(ROOMS), text=random.choice(["alice!", f"{number}"]))
        elif step == 2:
            bob.record(do="message", user="alice", text=f"{number}")
        elif step == 3:
            room = random.choice([*client.rooms.values()])
            client.mark_read(room.after, room=room.room)
        elif step == 4 and "bob" in client.peers:
            client.mark_read(client.peers["bob"].seq, user="bob")
        else:
            random.choice(network.lines).end(noticed=random.random() < 0.5) if network.lines else None
        if random.random() < 0.6:
            network.pass_time(random.choice([0.3, 2]))
    network.pass_time(10)
    counts = [
        {
            **{room.room: (room.read, room.unread, room.mentions) for room in person.client.rooms.values()},
            **{f"@{peer.user}": (peer.count.read, peer.unread) for peer in person.client.peers.values()},
        }
        for person in clients
    ]
    assert counts[0] == counts[1]
    assert list(clients[0].client.rooms) == list(clients[1].client.rooms) == ROOMS
    for person in clients:
        person.leave()
    world.close()
