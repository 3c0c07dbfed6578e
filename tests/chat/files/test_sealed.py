"""A file that is encrypted end to end is marked so wherever the server names it."""

from __future__ import annotations

from harness import World
from sharing import hear, only, share

OPAQUE = "0f" * 16


def test_a_sealed_file_is_marked_wherever_it_is_named(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    assert share(alice, name=OPAQUE, sealed=True)["sealed"] is True
    (shared,) = [record for record in hear(bob) if record["event"] == "shared"]
    assert (shared["sealed"], shared["name"]) == (True, OPAQUE)
    bob.record(do="files")
    (line,) = only(bob, event="files")["files"]
    assert (line["sealed"], line["by_id"]) == (True, shared["by_id"])
    bob.record(do="get", number=1, send=False)
    only(bob, event="download", sealed=True, by="alice", by_id=shared["by_id"])


def test_a_plain_file_is_not_marked(world: World) -> None:
    alice = world.program("alice", "lobby")
    assert "sealed" not in share(alice)
    alice.record(do="files")
    assert "sealed" not in only(alice, event="files")["files"][0]


def test_people_on_telnet_are_told_of_an_encrypted_file(world: World) -> None:
    alice, carol = world.program("alice", "lobby"), world.person("carol", "lobby")
    carol.take()
    share(alice, name=OPAQUE, sealed=True)
    assert b"alice shares an encrypted file (614 kB): /get 1" in carol.take()
