"""Files in a room: shared by programs, seen by everybody, fetched by whoever is there."""

from __future__ import annotations

import pytest
from chat.files.about import BIG, blobs, refused
from harness import World
from sharing import DATA, begin, chunk, fetch, hear, kept_files, offer, only, send, share

from chatroom.model.shared_files import WINDOW


def test_a_file_is_shared_with_the_room_and_fetched(world: World) -> None:
    alice, bob, carol = world.program("alice", "lobby"), world.program("bob", "lobby"), world.person("carol", "lobby")
    hear(alice)
    hear(bob)
    shared = share(alice)
    assert (shared["room"], shared["by"], shared["number"], shared["size"]) == ("lobby", "alice", 1, len(DATA))
    assert only(bob, event="shared") == shared, "who shares sees it as everybody does"
    assert carol.lines() == ["alice shares notes.txt (614 kB): /get 1"]
    assert fetch(bob, number=1) == fetch(bob, file=shared["file"]) == DATA


def test_a_person_is_told_how_to_fetch(world: World) -> None:
    carol = world.person("carol", "lobby")
    carol.say("/get 3")
    assert carol.lines() == ["Files are fetched with chatroom-client: /get 3 there."]


def test_the_files_of_a_room_are_listed(world: World) -> None:
    alice, carol = world.program("alice", "lobby"), world.person("carol", "lobby")
    carol.say("/files")
    assert carol.lines() == ["No files in lobby."]
    share(alice)
    share(alice, b"x", "b.txt")
    begin(alice, b"yz", "under way.txt")
    carol.take()
    carol.say("/files")
    first, *rest = carol.lines()
    assert first == "Files in lobby (2):"
    assert [line.rsplit("  ", 1)[0] for line in rest] == ["  1  notes.txt  614 kB  alice", "  2  b.txt  1 B  alice"]
    alice.record(do="files", ref=7)
    files = only(alice, event="files", room="lobby", re=7)["files"]
    assert [(line["number"], line["name"], line["by"]) for line in files] == [
        (1, "notes.txt", "alice"),
        (2, "b.txt", "alice"),
    ]


def test_who_comes_later_sees_it_in_the_history(world: World) -> None:
    share(world.program("alice", "lobby"))
    carol = world.person("carol")
    carol.say("/join lobby")
    assert carol.lines()[-1].endswith("] alice shares notes.txt (614 kB): /get 1")


def test_numbers_are_a_rooms_own_and_never_come_again(world: World) -> None:
    alice = world.program("alice", "lobby")
    shared = share(alice, b"1")
    alice.record(do="delete", seq=shared["seq"])
    hear(alice)
    assert share(alice, b"2")["number"] == 2
    alice.record(do="join", room="den")
    hear(alice)
    assert share(alice, b"3")["number"] == 1


def test_only_members_fetch(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "den")
    file = share(alice)["file"]
    bob.record(do="get", file=file)
    refused(bob, "no-file")
    bob.record(do="get", number=1)
    refused(bob, "no-file")
    bob.record(do="join", room="lobby")
    hear(bob)
    assert fetch(bob, file=file) == DATA


def test_who_is_banned_while_fetching_gets_no_more(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    file = share(alice, BIG)["file"]
    hear(bob)
    bob.record(do="get", file=file)
    assert len(hear(bob)) == 1 + WINDOW
    alice.record(do="ban", user="bob")
    hear(bob)
    bob.record(do="got", file=file, index=WINDOW - 1)
    only(bob, event="error", code="no-file", file=file)
    bob.record(do="get", file=file)
    refused(bob, "no-file")


@pytest.mark.parametrize("act", ["kick", "mute"])
def test_who_is_put_out_or_silenced_shares_no_more(world: World, act: str) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    file = begin(bob)
    bob.send(chunk(file, 0))
    alice.record(do=act, user="bob")
    hear(bob)
    bob.send(chunk(file, 1))
    only(bob, event="error", code="muted" if act == "mute" else "not-in-room", file=file)
    offer(bob)
    refused(bob, "muted" if act == "mute" else "not-in-room")


def test_a_file_that_is_something_else_is_removed(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    hear(alice)
    file = begin(alice)
    send(alice, file, DATA[::-1])
    *_, error = hear(alice)
    assert (error["code"], error["file"]) == ("wrong-hash", file)
    assert error["text"] == "notes.txt does not match its announced SHA-256; share it again."
    assert blobs(world) == set()
    assert kept_files(world) == []
    bob.record(do="files")
    assert only(bob, event="files")["files"] == []
    share(alice)
