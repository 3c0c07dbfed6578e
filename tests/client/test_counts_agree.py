"""What a client counts as unread by what it is told is what the server counts for a client that has just come."""

from __future__ import annotations

import random

import pytest
from client.network import Network, Person
from client.test_several_rooms import counts, on_devices, staying
from harness import Client, World
from order import PASSWORD

from chatroom.model.device import Device

TEXTS = ("hello", "Alice?", "@alice, bob says", "malice", "alice's")


def seqs(bob: Client) -> list[int]:
    """Return the seqs of what bob has said since the last look, and been told."""
    return [one["seq"] for one in bob.records() if one["event"] in ("said", "acted") and one["by"] == "bob"]


@pytest.mark.parametrize("seed", range(12))
def test_the_counts_of_a_client_are_those_of_the_server(network: Network, world: World, seed: int) -> None:
    chance = random.Random(seed)
    phone, desk = on_devices(network, world, "phone", "desk")
    bob = staying(world, "bob", "one", "two")
    own: list[tuple[str, int]] = []
    for _ in range(40):
        room = chance.choice(["one", "two"])
        what = chance.choice(["say", "say", "say", "me", "edit", "delete", "react", "own", "read", "cut"])
        if what in ("say", "me"):
            bob.record(do=what, text=chance.choice(TEXTS), room=room)
            own += [(room, seq) for seq in seqs(bob)]
        elif what == "own":
            phone.say_in(room, "alice says so")
        elif what == "read":
            phone.client.mark_read(chance.randint(0, phone.client.rooms[room].after), room=room)
        elif what == "cut":
            network.lines[-1].end()
        elif own:
            room, seq = chance.choice(own)
            more = {"edit": {"text": chance.choice(TEXTS)}, "react": {"emoji": "\N{THUMBS UP SIGN}"}, "delete": {}}[
                what
            ]
            bob.record(do=what, room=room, seq=seq, **more)
        network.pass_time(3)
    fields = {"room": ["one", "two"], "several": True, "login": ("alice", PASSWORD), "history": 2}
    late = Person(network, device=Device("late", "tab"), **fields).come()
    assert counts(phone) == counts(late)
    assert counts(desk) == counts(late)
    for person in (phone, desk, late):
        person.leave()
