"""Taking a file back: whoever shared it may, wherever that was; it is gone then, and takes up no room."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from harness import Client, World
from sharing import DATA, begin, chunk, hear, kept_files, offer, only, share

NO_FILE_OF_YOURS = "you have not shared a file named notes.txt; see /files."


def test_a_file_is_taken_back_and_the_room_sees_it(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    carol = world.person("carol", "lobby")
    hear(bob)
    share(alice)
    seq = only(bob, event="shared")["seq"]
    alice.record(do="unshare", name="notes.txt", ref=1)
    deleted, ok = hear(alice)
    assert (ok["event"], ok["text"], ok["re"]) == ("ok", "notes.txt is not shared in lobby any more.", 1)
    assert (deleted["event"], deleted["message"], deleted["user"]) == ("deleted", seq, "alice")
    only(bob, event="deleted", message=seq, by="alice")
    bob.record(do="get", number=1, ref=1)
    only(bob, event="error", code="no-file")
    carol.take()
    carol.say("/history")
    assert carol.lines()[-1].endswith("alice shared a file (deleted)")
    assert kept_files(world) == []


def test_people_on_telnet_take_back_what_they_shared_before(world: World) -> None:
    owner = world.program()
    owner.record(do="register", user="ann", password="secret")
    owner.record(do="join", room="lobby")
    share(owner, name="my notes.txt")
    owner.record(do="leave")
    owner.drop()
    ann = world.person("guest")
    ann.say("/login ann secret")
    ann.take()
    ann.say("/unshare my notes.txt")
    assert ann.lines() == ["my notes.txt is not shared in lobby any more."]
    ann.say("/unshare my notes.txt")
    assert ann.lines() == ["Error: you have not shared a file named my notes.txt; see /files."]


def test_what_was_given_is_taken_back_from_the_inbox(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob")
    share(alice, user="bob")
    hear(bob)
    alice.record(do="unshare", name="notes.txt", ref=1)
    only(alice, event="ok", text="notes.txt, which you gave to bob, is taken back.")
    bob.record(do="get", number=1)
    only(bob, event="error", code="no-file")
    bob.record(do="history")
    (event,) = only(bob, event="history")["events"]
    assert event["name"] == ""


def test_nobody_takes_back_what_is_somebody_elses(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    share(alice)
    hear(bob)
    bob.record(do="unshare", name="notes.txt")
    only(bob, event="error", code="not-your-file", text=NO_FILE_OF_YOURS)
    alice.drop()
    hear(bob)
    bob.record(do="name", name="alice")
    hear(bob)
    bob.record(do="unshare", name="notes.txt")
    only(bob, event="error", code="not-your-file", text=NO_FILE_OF_YOURS)
    bob.record(do="get", number=1, send=False)
    only(bob, event="download")


def test_of_several_of_one_name_the_last_goes(world: World) -> None:
    alice = world.program("alice", "lobby")
    share(alice, b"first")
    world.pass_time(1)
    share(alice, b"second")
    alice.record(do="unshare", name="notes.txt")
    hear(alice)
    alice.record(do="files")
    (line,) = only(alice, event="files")["files"]
    assert line["size"] == len(b"first")


def test_what_was_begun_is_taken_back_but_not_what_is_under_way() -> None:
    with closing(World(store=len(DATA) * 10)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice)
        alice.send(chunk(file, 0))
        hear(alice)
        alice.record(do="unshare", name="notes.txt")
        only(alice, event="error", code="not-your-file")
        alice.record(do="hello", version=1)
        secret = only(alice, event="welcome")["resume"]
        alice.drop()
        offer(other := world.program("other", "lobby"), b"x" * len(DATA))
        only(other, event="error", code="too-many-files")
        alice = world.connect()
        alice.record(do="hello", version=1, resume=secret)
        hear(alice)
        alice.record(do="unshare", name="notes.txt", ref=1)
        only(alice, event="ok", text="notes.txt is not shared in lobby any more.")
        offer(other, b"x" * len(DATA))
        only(other, event="upload")


def take_back(client: Client, name: str, **more: Any) -> str:
    """Take back a file, and return what is said of it."""
    hear(client)
    client.record(do="unshare", name=name, ref=1, **more)
    return str(hear(client)[-1]["text"])


def test_of_several_the_one_that_is_meant_goes_and_is_named(world: World) -> None:
    alice, _bob, _carol = world.program("alice", "lobby"), world.program("bob"), world.program("carol")
    share(alice, b"in the lobby")
    alice.record(do="join", room="other")
    hear(alice)
    share(alice, b"in other")
    for number, user in enumerate(("bob", "carol", "bob")):
        world.pass_time(1)
        share(alice, f"given {number}".encode(), user=user)
    assert take_back(alice, "notes.txt") == "notes.txt is not shared in other any more."
    assert take_back(alice, "notes.txt", user="CAROL") == "notes.txt, which you gave to carol, is taken back."
    assert take_back(alice, "notes.txt", user="carol") == NO_FILE_OF_YOURS
    assert take_back(alice, "notes.txt bob") == "notes.txt, which you gave to bob, is taken back."
    assert [file.size for file in kept_files(world) if file.to == "bob"] == [len(b"given 0")]
    assert take_back(alice, "notes.txt") == "notes.txt, which you gave to bob, is taken back."
    assert take_back(alice, "notes.txt") == "notes.txt is not shared in lobby any more."
    assert take_back(alice, "notes.txt") == NO_FILE_OF_YOURS


def test_a_file_whose_name_ends_like_a_user_is_meant_first(world: World) -> None:
    alice, _bob = world.program("alice", "lobby"), world.program("bob")
    share(alice, b"x", name="notes.txt bob")
    share(alice, b"y", user="bob")
    assert take_back(alice, "notes.txt bob") == "notes.txt bob is not shared in lobby any more."
    assert take_back(alice, "notes.txt bob") == "notes.txt, which you gave to bob, is taken back."
