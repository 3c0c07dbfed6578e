"""A daemon that shares its store with no other does nothing of what daemons do for each other."""

from __future__ import annotations

from harness import World, stored_records

from chatroom.chat.people.shared_names import NAMES
from chatroom.chat.people.shared_sessions import BUCKET as SESSIONS


def test_nothing_is_stored_for_other_daemons(world: World) -> None:
    alice = world.program("alice", "den")
    alice.record(do="register", user="alice", password="secret-1")
    carol = world.program("carol", "den")
    carol.record(do="message", user="alice", text="psst")
    world.pass_time(1200)
    buckets = {bucket for bucket, _ in stored_records(world)}
    assert buckets.isdisjoint({NAMES, SESSIONS, "leases"})
    assert all("-" not in id for id in world.chat.sessions)
    carol.drop()
    alice.record(do="leave")
    assert world.engine.who("") != []
    assert world.chat.rosters._shown == {}
    assert not world.chat.rosters._changed


def test_a_ban_of_an_address_kicks_each_member_once(world: World) -> None:
    olga = world.program("olga", "den")
    for name in ("one", "two"):
        client = world.connect("10.9.8.7")
        client.record(do="hello", version=1, name=name)
        client.record(do="join", room="den")
    olga.records()
    olga.record(do="ban", user="10.9.8.7")
    kicked = [(each["by"], each["user"]) for each in olga.records() if each["event"] == "kicked"]
    assert kicked == [("olga", "one"), ("olga", "two")]
