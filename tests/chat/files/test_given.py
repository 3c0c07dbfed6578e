"""Files for one person: told to that person, and fetched by nobody else."""

from __future__ import annotations

from chat.files.about import account, refused
from harness import World
from sharing import DATA, fetch, hear, offer, only, share


def test_a_file_is_given_to_somebody_who_is_there(world: World) -> None:
    alice, bob, carol = world.program("alice"), world.program("bob"), world.program("carol")
    shared = share(alice, user="bob")
    assert (shared["to"], shared["by"], shared["number"]) == ("bob", "alice", 1)
    assert {**only(bob, event="shared", file=shared["file"]), "seq": 0} == {**shared, "seq": 0}
    assert "seq" not in shared, "it is one of bob's inbox"
    assert fetch(bob, number=1) == fetch(alice, file=shared["file"]) == DATA
    carol.record(do="get", file=shared["file"])
    refused(carol, "no-file")


def test_a_person_is_told_of_it_in_words(world: World) -> None:
    alice, bob = world.program("alice"), world.person("bob")
    share(alice, user="bob")
    assert bob.lines() == ["alice shares notes.txt with you (614 kB): /get 1 outside a room"]
    bob.say("/files")
    assert bob.lines()[0] == "Files for you (1):"


def test_a_file_waits_for_the_owner_of_an_account(world: World) -> None:
    account(world, "bob").drop()
    alice = world.program("alice")
    assert share(alice, user="bob")["number"] == 1
    assert share(alice, b"x", user="bob")["number"] == 2
    bob = world.program()
    bob.record(do="login", user="bob", password="secret")
    waited = [record for record in hear(bob) if record["event"] == "shared"]
    assert [record["name"] for record in waited] == ["notes.txt", "notes.txt"]
    assert fetch(bob, file=waited[0]["file"]) == DATA


def test_nothing_waits_for_guests(world: World) -> None:
    world.program("bob").drop()
    alice = world.program("alice")
    offer(alice, user="bob")
    assert refused(alice, "no-inbox") == "bob is offline and not registered; files wait only for accounts."
    offer(alice, user="zed")
    refused(alice, "no-user")


def test_who_is_ignored_is_not_heard_sharing(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    hear(alice)
    bob.record(do="ignore", user="alice")
    hear(bob)
    share(alice)
    assert hear(bob) == []


def test_who_hears_no_echo_is_told_that_it_is_shared(world: World) -> None:
    alice = world.program("alice", "lobby")
    alice.record(do="echo", on=False)
    hear(alice)
    share(alice)
