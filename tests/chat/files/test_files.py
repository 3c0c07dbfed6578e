"""Files in rooms and for one person: who may share and fetch them, what they are called, and when they go."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from fakes import MoodyEngine, SocketClient
from harness import Client, World
from sharing import DATA, begin, chunk, fetch, hear, offer, only, send, sha256, share
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from chatroom.chat.rooms.retention import EVERY
from chatroom.engines.memory import MemoryEngine
from chatroom.log import Unavailable
from chatroom.shared_files import CHUNK, WINDOW, safe_name, spell_size

DAY = 24 * 3600.0
BIG = b"0123456789abcdef" * (11 * CHUNK // 16)  # more chunks than may be under way


def refused(client: Client, code: str) -> str:
    """Assert that what came is this refusal; return its text."""
    return str(only(client, event="error", code=code)["text"])


def blobs(world: World) -> set[str]:
    """Return the ids of the bytes that the engine keeps."""
    found: list[set[str]] = []
    world.engine.blobs.all().addCallback(found.append)
    return found[0]


def records(world: World) -> list[Any]:
    """Return what is known of files, also of those that are still being sent."""
    found: list[Any] = []
    world.engine.all("file").addCallback(found.extend)
    return found


def account(world: World, name: str, room: str = "") -> Client:
    """Return a program that is logged in."""
    client = world.program()
    client.record(do="register", user=name, password="secret")
    if room:
        client.record(do="join", room=room)
    hear(client)
    return client


# ---- in a room ---------------------------------------------------------------------------------------------------


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
    assert error["text"] == "notes.txt is not what was announced: its SHA-256 is another; share it again."
    assert blobs(world) == set()
    assert records(world) == []
    bob.record(do="files")
    assert only(bob, event="files")["files"] == []
    share(alice)


# ---- names and sizes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "safe"),
    [
        ("notes.txt", "notes.txt"),
        ("/etc/passwd", "passwd"),
        ("..\\..\\evil.exe", "evil.exe"),
        ("../..", "file"),
        (".bashrc", "bashrc"),
        ("a\nb\x1b[31mc\x00\u202ed", "abcd"),
        ("  spaced out.txt  ", "spaced out.txt"),
        ("x" * 300, "x" * 100),
        ("", "file"),
        ("dir/", "file"),
        ("\xe9t\xe9 \u2603.txt", "\xe9t\xe9 \u2603.txt"),
    ],
)
def test_names_are_safe(given: str, safe: str) -> None:
    assert safe_name(given) == safe


def test_a_name_is_cleaned_before_anybody_sees_it(world: World) -> None:
    assert share(world.program("alice", "lobby"), name="../../\x1b]0;x\x07.ssh/.keys")["name"] == "keys"


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1500, "1.5 kB"),
        (12345, "12 kB"),
        (999_999, "1 MB"),
        (2**24, "17 MB"),
    ],
)
def test_sizes_are_said_in_words(size: int, words: str) -> None:
    assert spell_size(size) == words


def test_too_big_is_refused_before_a_byte_is_sent() -> None:
    with closing(World(max_file=1000)) as world:
        alice = world.program("alice", "lobby")
        offer(alice, b"x" * 1001, ref=5)
        error = only(alice, event="error", code="file-too-big", re=5)
        assert error["text"] == "notes.txt has 1001 B, and a file here has at most 1000 B; make it smaller."
        offer(alice, b"")
        refused(alice, "empty-file")
        share(alice, b"x" * 1000)


def test_nobody_has_more_than_a_tenth_but_everybody_one_file() -> None:
    with closing(World(store=1000)) as world:
        alice, bob = world.program("alice", "lobby"), world.connect("10.0.0.2")
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        share(alice, b"a" * 900)
        offer(alice, b"b")
        refused(alice, "too-many-files")
        hear(bob)
        offer(bob, b"c" * 101)
        refused(bob, "store-full")
        share(bob, b"c" * 99)
        hear(alice)
        alice.record(do="delete")
        share(alice, b"b" * 500)


def test_a_guest_with_a_new_name_has_the_same_part_of_it() -> None:
    with closing(World(store=1000)) as world:
        alice = world.program("alice", "lobby")
        share(alice, b"a" * 90)
        alice.record(do="name", name="zoe")
        hear(alice)
        offer(alice, b"b" * 90)
        refused(alice, "too-many-files")


def test_zero_is_no_limit() -> None:
    with closing(World(store=0, max_file=0)) as world:
        alice = world.program("alice", "lobby")
        share(alice, b"a")
        alice.record(do="share", name="huge", size=2**50, sha256="0" * 64)
        only(alice, event="upload")


def test_four_at_a_time(world: World) -> None:
    alice = world.program("alice", "lobby")
    files = [begin(alice, bytes([i])) for i in range(4)]
    offer(alice, b"x")
    assert refused(alice, "too-many-transfers") == "4 files are under way already; wait for one, or cancel it."
    alice.record(do="cancel", file=files[2], ref=1)
    only(alice, event="ok", re=1)
    begin(alice, b"x")


# ---- to one person -----------------------------------------------------------------------------------------------


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


# ---- cut and gone on with ----------------------------------------------------------------------------------------


def test_an_upload_goes_on_where_it_was_cut(world: World) -> None:
    alice = account(world, "alice", "lobby")
    file = begin(alice)
    alice.send(chunk(file, 0) + chunk(file, 1)[:-1])
    assert len(hear(alice)) == 1
    alice.drop()
    alice = world.program()
    alice.record(do="login", user="alice", password="secret")
    alice.record(do="join", room="lobby")
    hear(alice)
    offer(alice)
    only(alice, event="upload", file=file, have=1)
    send(alice, file, start=1)
    assert [record["event"] for record in hear(alice)] == ["chunk", "chunk", "shared"]
    assert fetch(alice, number=1) == DATA


def test_somebody_elses_same_file_is_another(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    hear(alice)
    file = begin(alice)
    assert begin(bob) != file


def test_a_connection_that_is_dead_but_not_gone_loses_its_upload_to_the_next() -> None:
    with closing(World(sessions=0)) as world:
        before = account(world, "alice", "lobby")
        file = begin(before)
        before.send(chunk(file, 0))
        after = world.program()
        after.record(do="login", user="alice", password="secret")
        after.record(do="join", room="lobby")
        hear(after)
        offer(after)
        only(after, event="upload", file=file, have=1)
        hear(before)
        before.send(chunk(file, 1))
        refused(before, "no-transfer")
        send(after, file, start=1)
        assert hear(after)[-1]["event"] == "shared"


def test_a_file_is_shared_by_whom_its_sender_is_at_its_end(world: World) -> None:
    zoe, mallory = world.program("zoe", "lobby"), world.program("alice", "lobby")
    file = begin(mallory)
    mallory.record(do="name", name="mallory")
    account(world, "alice")
    hear(zoe)
    send(mallory, file)
    assert only(zoe, event="shared", file=file)["by"] == "mallory", "alice is somebody else by now"
    zoe.record(do="files")
    assert only(zoe, event="files")["files"][0]["by"] == "mallory"


def test_who_logs_in_while_sending_has_sent_it_as_the_owner_of_the_account(world: World) -> None:
    bob, alice = world.program("bob", "lobby"), world.program("guest", "lobby")
    file = begin(alice, user="bob")
    alice.record(do="register", user="alice", password="secret")
    hear(bob)
    send(alice, file)
    assert only(bob, event="shared", file=file)["by"] == "alice"
    hear(alice)
    assert fetch(alice, file=file) == DATA


def test_what_is_shared_already_is_told_again_and_not_sent_again(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    hear(alice)
    shared = share(alice)
    hear(bob)
    offer(alice)
    upload, again = hear(alice)
    assert (upload["file"], upload["have"]) == (shared["file"], 3)
    assert again == shared
    assert hear(bob) == []


def test_a_download_goes_on_where_it_was_cut(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice)["file"]
    alice.record(do="get", file=file, **{"from": 1}, ref=3)
    download, first, second = hear(alice)
    assert (download["from"], download["re"], first["index"]) == (1, 3, 1)
    assert first["raw"] + second["raw"] == DATA[CHUNK:]
    alice.record(do="get", file=file, **{"from": 3})
    refused(alice, "no-file")


def test_a_cancelled_download_ends(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice, BIG)["file"]
    alice.record(do="get", file=file)
    hear(alice)
    alice.record(do="cancel", file=file)
    alice.record(do="got", file=file, index=0)
    refused(alice, "no-transfer")


def test_what_it_is_can_be_asked_before_it_is_sent(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice)["file"]
    alice.record(do="get", number=1, send=False, ref=1)
    only(alice, event="download", file=file, sha256=sha256(DATA), re=1)
    alice.record(do="got", file=file, index=0)
    refused(alice, "no-transfer")


def test_a_cancelled_upload_takes_up_no_room() -> None:
    with closing(World(store=1000)) as world:
        alice = world.program("alice", "lobby")
        begin(alice, b"a" * 60)
        file = begin(alice, b"b" * 40)
        offer(alice, b"c" * 40)
        refused(alice, "too-many-files")
        alice.record(do="cancel", file=file, ref=1)
        only(alice, event="ok")
        begin(alice, b"c" * 40)


def test_whose_half_is_closed_after_the_last_chunk_is_told_before_the_other(world: World) -> None:
    alice, bob = world.program("alice", "lobby"), world.program("bob", "lobby")
    file = begin(alice)
    hear(bob)
    alice.transport.protocol.dataReceived(b"".join(chunk(file, index) for index in range(3)))
    alice.transport.protocol.readConnectionLost()
    world.settle()
    assert [event["event"] for event in hear(alice)] == ["chunk", "chunk", "chunk", "shared"]
    assert not alice.open
    assert [event["event"] for event in hear(bob)] == ["shared"]


def test_room_that_is_kept_for_nothing_is_given_to_others() -> None:
    """Of a file that was announced, and of which nothing came; unless whoever announced it is there still."""
    with closing(World(store=1000)) as world:
        alice, bob = world.program("alice", "lobby"), world.connect("10.0.0.2")
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        hear(bob)
        begin(alice, b"a" * 950)
        offer(bob, b"b" * 90)
        refused(bob, "store-full")
        alice.drop()
        hear(bob)
        share(bob, b"b" * 90)
        alice = world.program("alice", "lobby")
        share(alice, b"a" * 900)


def test_room_for_a_file_of_which_something_came_is_kept() -> None:
    with closing(World(store=len(DATA) + 1000)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice, DATA)
        alice.send(chunk(file, 0))
        alice.drop()
        bob = world.connect("10.0.0.2")
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        hear(bob)
        offer(bob, b"b" * 1001)
        refused(bob, "store-full")


def test_a_file_that_is_all_there_is_not_cancelled(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice)["file"]
    alice.record(do="get", file=file)
    hear(alice)
    alice.record(do="cancel", file=file, ref=1)
    only(alice, event="ok")
    assert fetch(alice, file=file) == DATA


def test_a_store_that_takes_no_more_says_so_and_it_can_be_gone_on_with() -> None:
    clock = Clock()
    engine = MemoryEngine(clock)
    with closing(World(engine, clock)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice)
        alice.send(chunk(file, 0))
        hear(alice)
        write = engine.blobs.write
        engine.blobs.write = lambda *_: fail(Unavailable("the disk is full"))  # type: ignore[method-assign]
        alice.send(chunk(file, 1))
        error = only(alice, event="error", code="not-stored", file=file)
        assert error["text"] == "notes.txt could not be stored; share it again to go on."
        engine.blobs.write = write  # type: ignore[method-assign]
        offer(alice)
        assert only(alice, event="upload", file=file)["have"] == 1


def test_a_log_that_fails_at_the_end_can_be_asked_again() -> None:
    clock = Clock()
    engine = MoodyEngine(clock)
    with closing(World(engine, clock)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice, b"x")
        engine.broken = True
        alice.send(chunk(file, 0, b"x"))
        assert hear(alice)[-1]["code"] == "not-stored"
        engine.let_go()
        offer(alice, b"x")
        assert [record["event"] for record in hear(alice)] == ["upload", "shared"]


# ---- how it goes -------------------------------------------------------------------------------------------------


def test_no_more_than_eight_chunks_are_on_their_way(world: World) -> None:
    alice = world.program("alice", "lobby")
    file = share(alice, BIG)["file"]
    alice.record(do="get", file=file)
    assert [record.get("index") for record in hear(alice)[1:]] == list(range(WINDOW))
    alice.record(do="got", file=file, index=1)
    assert [record["index"] for record in hear(alice)] == [8, 9]
    alice.record(do="got", file=file, index=10)
    refused(alice, "no-transfer")


def test_reading_stops_while_chunks_are_being_written() -> None:
    clock = Clock()
    engine = MemoryEngine(clock)
    with closing(World(engine, clock)) as world:
        alice = world.program("alice", "lobby")
        file = begin(alice, BIG)
        written: list[Deferred[None]] = []
        engine.blobs.write = lambda *_: written.append(Deferred()) or written[-1]  # type: ignore[method-assign,func-returns-value,return-value]
        alice.send(b"".join(chunk(file, i, BIG) for i in range(8)))
        assert len(written) == 2, "the rest waits in the network"
        assert not alice.transport.readable()
        written[0].callback(None)
        alice.send(b"")
        assert len(written) == 3
        assert [record["index"] for record in hear(alice)] == [0]
        alice.drop()
        for one in written[1:]:
            one.callback(None)


def test_a_slow_reader_is_sent_the_next_chunk_when_it_has_taken_the_last() -> None:
    with closing(World(send_queue=1024)) as world:
        share(world.program("alice", "lobby"), BIG)
        bob = SocketClient(world)
        bob.record(do="hello", version=1, name="bob")
        bob.record(do="join", room="lobby")
        hear(bob)
        bob.socket.room = 1000
        bob.record(do="get", number=1)
        assert bob.open, "a chunk is not counted as what a slow reader leaves lying"
        assert len(bob.socket.taken) == 1000
        data, chunks = bytes(bob.take()), 0
        while True:
            bob.transport.make_room(CHUNK)
            world.settle()
            more = bytes(bob.take())
            if not more:
                break
            data, chunks = data + more, chunks + 1
        assert chunks >= WINDOW
        assert data.count(b'"event":"chunk"') == WINDOW


def test_two_downloads_take_turns(world: World) -> None:
    alice = world.program("alice", "lobby")
    one, two = share(alice, BIG, "1")["file"], share(alice, BIG[::-1], "2")["file"]
    alice.record(do="get", file=one)
    hear(alice)
    alice.record(do="get", file=two)
    hear(alice)
    alice.send(b"".join(b'{"do":"got","file":"%s","index":2}\n' % file.encode() for file in (one, two)))
    order = [record["file"] for record in hear(alice)]
    assert sorted(order) == sorted([one] * 3 + [two] * 3)
    assert order[1] != order[2] != order[3], "neither waits for the other's end"


# ---- the end of files --------------------------------------------------------------------------------------------


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
    assert records(world) == []


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
    assert only(client, event="welcome")["features"] == ["files"]
    assert sha256(b"hello").startswith("2cf24d")
