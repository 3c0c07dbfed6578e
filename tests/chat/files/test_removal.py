"""The end of files: deleted, too old, or of somebody or a room that is no more."""

from __future__ import annotations

from chat.files.about import account, blobs, refused
from harness import Client, World
from sharing import DATA, begin, chunk, fetch, hear, kept_files, only, send, sha256, share

from chatroom.chat.retention import EVERY
from chatroom.model.replies import FEATURES

DAY = 24 * 3600.0


def gone(world: World, client: Client, file: str) -> None:
    """Assert that nothing is left of a file."""
    hear(client)
    client.record(do="get", file=file)
    refused(client, "no-file")
    assert file not in blobs(world)


def test_who_shared_it_deletes_it(world: World) -> None:
    world.person("zoe", "lobby")
    alice = world.program("alice", "lobby")
    shared = share(alice)
    alice.record(do="delete", seq=shared["seq"])
    gone(world, alice, shared["file"])


def test_a_person_is_told_which_file_the_own_last_message_was(world: World) -> None:
    mona, bot = world.person("mona", "lobby"), world.program("bot", "lobby")
    mona.take()
    file = share(bot, name="plan.txt")["file"]
    mona.say("/help delete")
    assert "delete your last message or file here" in " ".join(mona.lines())
    mona.say("/delete bot")
    assert mona.lines()[-1] == "The file plan.txt has been deleted."
    gone(world, bot, file)


def test_a_moderator_deletes_it_and_nobody_else(world: World) -> None:
    alice, bob, carol = (world.program(name, "lobby") for name in ("alice", "bob", "carol"))
    hear(bob)
    shared = share(bob)
    hear(carol)
    carol.record(do="delete", seq=shared["seq"])
    refused(carol, "not-yours")
    assert fetch(bob, number=1) == DATA
    alice.record(do="delete", seq=shared["seq"])
    gone(world, bob, shared["file"])
    dave = world.person("dave")
    dave.say("/join lobby")
    assert any(line.endswith("] bob shared a file (deleted)") for line in dave.lines())


def test_a_closed_rooms_files_are_gone(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice)["file"]
    alice.record(do="close")
    gone(world, alice, file)


def test_a_deleted_accounts_files_are_gone(world: World) -> None:
    bob, alice = account(world, "bob"), world.program("alice")
    file = share(alice, user="bob")["file"]
    bob.record(do="delete-account", password="secret")
    gone(world, alice, file)


def test_what_comes_of_a_file_for_nobody_any_more_is_not_kept(world: World) -> None:
    bob, alice = account(world, "bob"), world.program("alice")
    file = begin(alice, user="bob")
    bob.record(do="delete-account", password="secret")
    send(alice, file)
    assert hear(alice)[-1]["code"] == "no-file"
    assert blobs(world) == set()


def test_a_file_is_kept_for_thirty_days(world: World) -> None:
    alice = world.person("alice", "lobby")
    bob = world.program("bob", "lobby")
    file = share(bob)["file"]
    bob.drop()
    for _ in range(29):
        world.pass_time(DAY)
    assert file in blobs(world)
    world.pass_time(DAY + EVERY)
    assert blobs(world) == set()
    alice.take()
    alice.say("/files")
    assert alice.lines() == ["No files in lobby."]


def test_an_interrupted_upload_leaves_nothing_after_a_day(world: World) -> None:
    world.person("zoe", "lobby")
    alice = world.program("alice", "lobby")
    file = begin(alice)
    alice.send(chunk(file, 0))
    alice.drop()
    world.pass_time(0.9 * DAY)
    assert blobs(world) == {file}
    world.pass_time(0.2 * DAY)
    assert blobs(world) == set()
    assert kept_files(world) == []


def test_what_a_crash_or_a_restore_left_alone_is_swept_away(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice)["file"]
    world.engine.blobs.write("stray", 0, b"x")
    world.pass_time(EVERY)
    assert blobs(world) == {file}
    world.engine.blobs.drop(file)
    world.pass_time(EVERY)
    hear(alice)
    alice.record(do="files")
    assert only(alice, event="files")["files"] == []


def test_who_says_it_has_files_says_so(world: World) -> None:
    client = world.connect()
    client.record(do="hello", version=1)
    assert only(client, event="welcome")["features"] == list(FEATURES)
    assert "files" in FEATURES
    assert sha256(b"hello").startswith("2cf24d")
