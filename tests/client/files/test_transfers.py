"""Files that clients send and fetch, the server and the clients joined in memory, the disk a real folder."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from client.files.friends import Friend, refusal, result_of, share, write
from client.network import Network
from harness import World
from msgspec.structs import replace
from sharing import DATA, fetch, hear

from chatroom.client.errors import Rejected
from chatroom.client.status import ConversationsListed
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.device import Device
from chatroom.model.shared_files import CHUNK

BIG = os.urandom(20 * CHUNK + 5)


# ---- sending and fetching ----------------------------------------------------------------------------------------


def test_a_file_is_sent_and_fetched(network: Network, tmp_path: Path, here: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    sent = alice.send(write(tmp_path))
    network.flow()
    (shared,) = sent
    assert (shared.name, shared.size, shared.sha256) == ("notes.txt", len(DATA), hashlib.sha256(DATA).hexdigest())
    assert bob.heard(e.Shared) == alice.heard(e.Shared) == [shared]
    got = bob.get(shared.number, here)
    network.flow()
    assert got == [here / "notes.txt"]
    assert (here / "notes.txt").read_bytes() == DATA
    assert os.listdir(here) == ["notes.txt"], "nothing else is left"
    assert not bob.heard(a.Chunk)
    assert not bob.heard(a.Error)
    assert bob.transfers.lines() == alice.transfers.lines() == []


@pytest.mark.parametrize("user", ["", "bob"])
def test_who_sends_what_is_there_already_is_told_so(network: Network, tmp_path: Path, user: str) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    for _ in range(2):
        sent = alice.send(write(tmp_path), user)
        network.flow()
    assert alice.heard(e.Shared) == sent * 2
    assert len(bob.heard(e.Shared)) == 1


def test_a_file_is_given_to_one_person(network: Network, tmp_path: Path, here: Path) -> None:
    alice, bob, carol = Friend(network, "alice"), Friend(network, "bob", room=""), Friend(network, "carol")
    sent = alice.send(write(tmp_path), "bob")
    network.flow()
    assert sent[0].to == "bob"
    assert [replace(event, seq=0) for event in bob.heard(e.Shared)] == sent
    assert not carol.heard(e.Shared)
    got, refused = bob.get(1, here), carol.get(1, here)
    network.flow()
    assert got[0].read_bytes() == DATA
    refusal(refused, "no-file")


def test_a_file_that_was_given_is_unread_until_it_is_marked_as_read(network: Network, tmp_path: Path) -> None:
    fields: dict[str, Any] = {"several": True, "device": Device("laptop", "one")}
    alice, bob = Friend(network, "alice"), Friend(network, "bob", **fields)
    bob.do("register", user="Bob", password="a good password")
    alice.send(write(tmp_path), "bob")
    network.flow()
    assert [(peer.user, peer.unread) for peer in bob.client.peers.values()] == [("alice", 1)]
    bob.client.mark_read(bob.heard(e.Shared)[0].seq, user="alice")
    assert bob.client.peers["alice"].unread == 0
    network.pass_time(3)
    bob.leave()
    again = Friend(network, "bob", login=("Bob", "a good password"), **fields)
    assert again.heard(ConversationsListed)
    assert again.client.peers["alice"].unread == 0
    again.leave()


def test_who_gives_a_file_finds_it_in_the_history_until_it_is_taken_back(network: Network, tmp_path: Path) -> None:
    fields: dict[str, Any] = {"several": True, "device": Device("laptop", "one")}
    alice, bob = Friend(network, "alice", **fields), Friend(network, "bob")
    alice.do("register", user="Alice", password="a good password")
    alice.send(write(tmp_path), "bob")
    network.flow()
    alice.do("message", user="bob", text="that is it")
    network.flow()
    alice.leave()
    again = Friend(network, "alice", login=("Alice", "a good password"), **fields)
    shared, message = again.do("history", user="bob", messages=10).events
    assert (shared.name, shared.by, shared.to, message.text) == ("notes.txt", "Alice", "bob", "that is it")
    assert [(peer.user, peer.unread) for peer in again.client.peers.values()] == [("bob", 0)]
    again.do("unshare", name="notes.txt", user="bob")
    assert [event.text for event in again.do("history", user="bob", messages=10).events] == ["", "that is it"]
    assert [
        event.name for event in bob.do("history", user="Alice", messages=10).events if isinstance(event, e.Shared)
    ] == [""]
    again.leave()


def test_a_file_that_we_give_is_not_unread(network: Network, tmp_path: Path) -> None:
    alice, bob = Friend(network, "alice", several=True), Friend(network, "bob")
    alice.send(write(tmp_path), "bob")
    network.flow()
    assert bob.heard(e.Shared)
    assert [peer.unread for peer in alice.client.peers.values()] in ([], [0])


def test_a_file_that_was_given_is_fetched_on_the_way_to_another_room(
    network: Network, tmp_path: Path, here: Path
) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    share(network, alice, write(tmp_path, b"for all"))
    alice.send(write(tmp_path, b"for bob"), "bob")
    network.flow()
    given = result_of(bob.transfers.get(1, here, given=True))
    of_the_room = bob.get(1, here)
    assert bob.transfers.lines() == ["fetching file @1", "fetching file 1"]
    bob.do("join", room="elsewhere")
    network.flow()
    assert [path.read_bytes() for path in given] == [b"for bob"]
    assert refusal(of_the_room, "no-file") == "there is no such file here; see /files."


def test_what_is_fetched_is_cancelled_by_the_number_of_its_kind(network: Network, tmp_path: Path, here: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    share(network, alice, write(tmp_path, b"for all"))
    alice.send(write(tmp_path, b"for bob"), "bob")
    network.flow()
    given, of_the_room = result_of(bob.transfers.get(1, here, given=True)), bob.get(1, here)
    bob.transfers.cancel("1")
    assert refusal(of_the_room, "cancelled") == "file 1: cancelled."
    bob.transfers.cancel("@1")
    assert refusal(given, "cancelled") == "file @1: cancelled."
    network.flow()


@pytest.mark.parametrize("wait", [0, 1], ids=["before it is acknowledged", "after"])
def test_a_file_that_was_given_is_told_once_over_reconnections(network: Network, tmp_path: Path, wait: float) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    alice.send(write(tmp_path), "bob")
    network.pass_time(wait)
    for _ in range(2):
        for line in network.lines:
            line.end()
        network.pass_time(2)
    assert len(bob.heard(e.Shared)) == 1


def test_a_program_gets_what_a_client_sent(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    program = network.world.program("bot", "lobby")
    number = share(network, alice, write(tmp_path))
    hear(program)
    assert fetch(program, number=number) == DATA


def test_more_than_four_take_their_turns(network: Network, tmp_path: Path, here: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    sent = [alice.send(write(tmp_path, bytes([i]) * (i + 1), f"{i}.txt")) for i in range(7)]
    assert alice.transfers.lines()[4:] == [f"sending {i}.txt waits" for i in (4, 5, 6)]
    network.pass_time(30)
    assert sorted(box[0].name for box in sent) == [f"{i}.txt" for i in range(7)]
    got = [bob.get(number, here) for number in range(1, 8)]
    network.pass_time(30)
    assert all(isinstance(box[0], Path) for box in got)
    assert sorted(os.listdir(here)) == [f"{i}.txt" for i in range(7)]


def test_they_talk_meanwhile(network: Network, tmp_path: Path, here: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    number = share(network, alice, write(tmp_path, BIG))
    got = bob.get(number, here)
    bob.say("meanwhile")
    network.flow()
    assert alice.texts == ["meanwhile"]
    assert got[0].read_bytes() == BIG


def test_no_more_than_eight_chunks_are_under_way(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    (line,) = network.lines
    alice.send(write(tmp_path, BIG))
    world_takes = line.server.send
    line.server.send = lambda data: world_takes(data) if b'"share"' in data else None  # type: ignore[method-assign]
    network.flow()
    assert line.transport.value() == b""
    assert alice.transfers.lines() == ["sending notes.txt 0%"]
    waits: list[int] = []
    line.client.when_free(lambda: waits.append(1))
    assert waits, "it waits for the server, not for the network"


def test_nothing_is_sent_while_the_network_takes_nothing(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    (line,) = network.lines
    sent = alice.send(write(tmp_path, BIG))
    line.client.when_free(lambda: None)
    producer = line.transport.producer
    producer.pauseProducing()
    network.flow()
    assert alice.transfers.lines() == ["sending notes.txt 0%"]
    producer.resumeProducing()
    network.flow()
    assert sent[0].size == len(BIG)


# ---- cuts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noticed", [True, False], ids=["noticed", "ghost"])
def test_a_file_gets_there_wherever_the_line_is_cut(noticed: bool, tmp_path: Path) -> None:
    path = write(tmp_path, DATA)
    cuts = 0
    for cut_after in itertools.count():
        world = World()
        network = Network(world)
        network.largest = 100_000
        alice, bob = Friend(network, "alice"), Friend(network, "bob")
        network.noticed = noticed
        network.packets, network.cut_after = 0, cut_after
        sent = alice.send(path)
        network.pass_time(5)
        where = f"cut after packet {cut_after}"
        assert isinstance(sent[0], e.Shared), where
        folder = tmp_path / str(cut_after)
        folder.mkdir()
        got = bob.get(1, folder)
        network.pass_time(5)
        assert got == [folder / "notes.txt"], where
        assert got[0].read_bytes() == DATA, where
        assert os.listdir(folder) == ["notes.txt"], where
        assert [event.file for event in bob.heard(e.Shared)] == [sent[0].file], f"{where}: it is told once"
        cut = network.cut_after is None
        for friend in (alice, bob):
            friend.leave()
        world.close()
        if not cut:
            break
        cuts += 1
    assert cuts > 10


def test_what_is_there_is_not_sent_again_after_a_cut(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    sent = alice.send(write(tmp_path, BIG))
    indices: list[int] = []
    original = alice.client.write

    def written(record: dict[str, Any], data: bytes = b"") -> None:
        if data:
            indices.append(record["index"])
        original(record, data)

    alice.client.write = written  # type: ignore[method-assign]
    network.largest = 100_000
    for _ in range(3):
        network.packets, network.cut_after = 0, 20
        network.flow()
        assert network.cut_after is None
        network.world.pass_time(3)
    network.pass_time(5)
    assert sent[0].size == len(BIG)
    assert set(indices) == set(range(21))
    assert len(indices) < 21 + 3 * 9, "only what was under way at a cut goes twice"


def test_a_new_client_goes_on_where_the_old_one_was(network: Network, tmp_path: Path, here: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    number = share(network, alice, write(tmp_path, BIG))
    got = bob.get(number, here)
    network.largest = 100_000
    network.packets, network.cut_after = 0, 40
    network.flow()
    assert network.cut_after is None
    bob.leave()
    refusal(got, "not-confirmed")
    (part,) = here.iterdir()
    there = part.stat().st_size // CHUNK
    assert 0 < there < 20
    bob = Friend(network, "bob")
    records: list[dict[str, Any]] = []
    original = bob.client.write
    bob.client.write = lambda record, data=b"": (records.append(record), original(record, data))[1]  # type: ignore
    got = bob.get(number, here)
    network.pass_time(3)
    assert [path.name for path in here.iterdir()] == ["notes.txt"]
    assert got[0].read_bytes() == BIG
    assert [record["index"] for record in records if record["do"] == "got"] == list(range(there, 21))


# ---- refusals, before a byte is sent -----------------------------------------------------------------------------


def test_what_cannot_be_sent_is_not_announced(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    boxes = [alice.send(tmp_path / name) for name in ("nothing", "folder", "pipe")]
    boxes.append(alice.send(write(tmp_path, b"", "empty")))
    boxes.append(alice.send(write(tmp_path, b"x" * (16 * 2**20 + 1), "big")))
    assert [box[0].text.removeprefix(str(tmp_path)) for box in boxes] == [
        f"there is no file {tmp_path}/nothing.",
        "/folder is a folder; only files can be sent.",
        "/pipe is not a file; only files can be sent.",
        "/empty is empty.",
        "/big has 16777217 B; the server takes 16777216 B at most.",
    ]
    assert b"share" not in network.lines[0].transport.value()


def test_the_server_says_no(network: Network, tmp_path: Path, here: Path) -> None:
    alice = Friend(network, "alice", room="")
    boxes = [alice.send(write(tmp_path)), alice.get(3, here), alice.send(write(tmp_path), "nobody")]
    network.flow()
    assert [box[0].code for box in boxes] == ["not-in-room", "no-file", "no-user"]
    assert alice.transfers.lines() == []
    assert os.listdir(here) == []


def test_whoever_is_put_out_of_the_room_sends_no_more(network: Network, tmp_path: Path) -> None:
    boss = network.world.person("boss")
    boss.say("/create den")
    alice = Friend(network, "alice", room="den")
    sent = alice.send(write(tmp_path, BIG))
    network.packets, network.cut_after = 0, None
    alice.network.world.settle()
    boss.say("/kick alice")
    network.flow()
    refusal(sent, "not-in-that-room")
    assert alice.client.online


# ---- cancelling ----------------------------------------------------------------------------------------------------


def test_a_file_is_cancelled_by_name_and_by_number(network: Network, tmp_path: Path, here: Path) -> None:
    alice = Friend(network, "alice")
    number = share(network, alice, write(tmp_path, BIG))
    line = network.lines[0]
    take = line.server.send
    line.server.send = lambda data: take(data) if b'"do":"chunk"' not in data and b'"got"' not in data else None  # type: ignore
    sent, got = alice.send(write(tmp_path, BIG[1:], "other.txt")), alice.get(number, here)
    network.flow()
    assert len(os.listdir(here)) == 1
    with pytest.raises(Rejected, match="which file"):
        alice.transfers.cancel("")
    with pytest.raises(Rejected, match="which file"):
        alice.transfers.cancel("7")
    alice.transfers.cancel(str(number))
    assert refusal(got, "cancelled") == "notes.txt: cancelled."
    assert os.listdir(here) == []
    alice.transfers.cancel("other.txt")
    assert refusal(sent, "cancelled") == "other.txt: cancelled."
    network.flow()
    assert alice.heard(a.Error) == []
    with pytest.raises(Rejected, match="no file is being sent or fetched"):
        alice.transfers.cancel("")


def test_one_is_cancelled_before_the_server_has_answered(network: Network, tmp_path: Path, here: Path) -> None:
    alice = Friend(network, "alice")
    number = share(network, alice, write(tmp_path, BIG))
    boxes = [alice.send(write(tmp_path, BIG[1:], "other.txt")), alice.get(number, here)]
    alice.transfers.cancel("other.txt")
    alice.transfers.cancel(str(number))
    for box in boxes:
        refusal(box, "cancelled")
    network.flow()
    assert alice.heard(a.Error) == []
    for i in range(4):
        share(network, alice, write(tmp_path, BIG[2:], f"{i}.txt"))
        assert alice.transfers.lines() == []


def test_one_that_waits_for_its_turn_is_cancelled_at_once(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    alice.client.drop("a test")
    boxes = [alice.send(write(tmp_path, bytes([i]), f"{i}.txt")) for i in range(6)]
    alice.transfers.cancel("5.txt")
    refusal(boxes[5], "cancelled")
    network.pass_time(10)
    assert [isinstance(box[0], e.Shared) for box in boxes] == [True] * 5 + [False]


def test_leaving_ends_all(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    boxes = [alice.send(write(tmp_path, bytes([i]), f"{i}.txt")) for i in range(6)]
    alice.leave()
    assert {box[0].code for box in boxes if isinstance(box[0], Rejected)} <= {"not-confirmed"}
    assert all(boxes)
