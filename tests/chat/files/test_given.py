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
    assert bob.lines() == ["alice shares notes.txt with you (614 kB): /get @1"]
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


def test_a_number_means_one_file_wherever_one_is(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    share(alice, b"for all")
    share(alice, b"for bob", user="bob")
    share(alice, b"for bob, too", user="bob")
    hear(bob)
    assert fetch(bob, number=1) == b"for all"
    assert fetch(bob, number=1, given=True) == b"for bob"
    bob.record(do="get", number=2, ref=7)
    assert refused(bob, "no-file") == "there is no such file here; see /files.", "the room has one file alone"
    bob.record(do="join", room="elsewhere")
    hear(bob)
    assert fetch(bob, number=2, given=True) == b"for bob, too"
    bob.record(do="leave")
    hear(bob)
    assert fetch(bob, number=1) == fetch(bob, number=1, given=True) == b"for bob"


def test_what_is_fetched_says_whether_it_was_given(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    share(alice)
    share(alice, b"x", user="bob")
    hear(bob)
    bob.record(do="get", number=1, send=False)
    assert "given" not in only(bob, event="download")
    bob.record(do="get", number=1, given=True, send=False)
    only(bob, event="download", given=True, size=1)


def test_nobody_is_given_the_files_of_another(world: World) -> None:
    alice, _bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    share(alice)
    share(alice, user="bob")
    hear(alice)
    alice.record(do="get", number=1, given=True)
    refused(alice, "no-file")


def test_in_a_room_both_kinds_are_listed_each_with_its_numbers(world: World) -> None:
    alice, bob, carol = world.program("alice", "lobby"), world.person("bob", "lobby"), world.person("carol", "lobby")
    share(alice, name="all.txt")
    share(alice, name="bob.txt", user="bob")
    for person in (bob, carol):
        person.take()
        person.say("/files")
    in_lobby, first, for_you, second = bob.lines()
    assert (in_lobby, for_you) == ("Files in lobby (1):", "Files for you (1):")
    assert first.startswith("  1  all.txt  614 kB  alice  ")
    assert second.startswith("  @1  bob.txt  614 kB  alice  ")
    assert carol.lines() == [in_lobby, first]
    bob.say("/join other", "/files")
    *_, none, head, line = bob.lines()
    assert (none, head, line) == ("No files in other.", for_you, second)
    bob.say("/get @1")
    assert bob.lines() == ["Files are fetched with chatroom-client: /get @1 there."]
