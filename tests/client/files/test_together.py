"""Several files at once, and what happens meanwhile: the same one twice, another room, an end at any moment."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from client.files.friends import ByHand, Friend, refusal, share, write
from client.network import Network
from msgspec.structs import replace
from sharing import DATA

from chatroom.client.errors import Failed, Rejected
from chatroom.client.files import transfers
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.shared_files import CHUNK, TRANSFERS, WINDOW

BIG = os.urandom(20 * CHUNK + 5)


# ---- the same file twice -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("same", [True, False], ids=["same folder", "another folder"])
def test_who_fetches_the_same_file_twice_at_once_is_told_so(
    network: Network, tmp_path: Path, here: Path, same: bool
) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    number = share(network, alice, write(tmp_path, BIG))
    boxes = [bob.get(number, here), bob.get(number, here if same else tmp_path / "there.txt")]
    network.pass_time(5)
    assert boxes[0] == [here / "notes.txt"]
    assert "notes.txt is already being sent or fetched" in refusal(boxes[1], "busy")
    assert bob.heard(a.Error) == []


def test_who_sends_the_same_file_twice_at_once_is_told_so(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    path = write(tmp_path, BIG)
    boxes = [alice.send(path), alice.send(path)]
    network.pass_time(5)
    assert isinstance(boxes[0][0], e.Shared)
    assert "notes.txt is already being sent or fetched" in refusal(boxes[1], "busy")
    assert len(alice.heard(e.Shared)) == 1
    assert alice.heard(a.Error) == []


def test_who_sends_what_they_are_fetching_fetches_it(network: Network, tmp_path: Path, here: Path) -> None:
    alice = Friend(network, "alice")
    path = write(tmp_path, BIG)
    number = share(network, alice, path)
    boxes = [alice.get(number, here), alice.send(path)]
    network.pass_time(5)
    assert boxes[0] == [here / "notes.txt"]
    refusal(boxes[1], "busy")
    assert alice.heard(a.Error) == []


def test_files_of_one_name_are_cancelled_by_their_paths(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    alice.client.drop("a test")
    (tmp_path / "other").mkdir()
    paths = [write(tmp_path), write(tmp_path / "other", BIG)]
    boxes = [alice.send(path) for path in paths]
    with pytest.raises(Rejected, match="which file"):
        alice.transfers.cancel("notes.txt")
    alice.transfers.cancel(str(paths[1]))
    refusal(boxes[1], "cancelled")
    network.pass_time(5)
    assert isinstance(boxes[0][0], e.Shared)


# ---- another room ------------------------------------------------------------------------------------------------


def test_what_waits_is_not_shared_with_another_room(network: Network, tmp_path: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob", room="den")
    alice.client.drop("a test")
    sent = alice.send(write(tmp_path))
    given = alice.send(write(tmp_path, BIG, "for bob"), "bob")
    network.pass_time(0.1)
    alice.client.state.joined.leave("lobby")
    network.pass_time(5)
    alice.do("join", room="den")
    network.pass_time(5)
    assert "lobby" in refusal(sent, "not-in-room")
    assert given[0].to == "bob"
    assert [event.name for event in bob.heard(e.Shared)] == ["for bob"]


def test_who_goes_to_another_room_before_the_turn_comes_shares_nothing_there(network: Network, tmp_path: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob", room="den")
    boxes = [alice.send(write(tmp_path, BIG + bytes([i]), f"{i}.txt")) for i in range(TRANSFERS + 1)]
    alice.client.do("join", room="den")
    network.pass_time(30)
    for box in boxes:
        refusal(box, "not-in-room")
    assert bob.heard(e.Shared) == []


def test_a_number_means_a_file_of_the_room_where_it_was_said(network: Network, tmp_path: Path, here: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob", room="den")
    share(network, bob, write(tmp_path, b"something else", "other.txt"))
    share(network, alice, write(tmp_path))
    alice.client.drop("a test")
    got = alice.get(1, here)
    network.pass_time(0.1)
    alice.client.state.joined.leave("lobby")
    network.pass_time(5)
    alice.do("join", room="den")
    network.pass_time(5)
    assert "lobby" in refusal(got, "not-in-room")
    assert os.listdir(here) == []


def test_who_goes_to_a_room_and_then_fetches_fetches_what_is_there(
    network: Network, tmp_path: Path, here: Path
) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob", room="den")
    share(network, bob, write(tmp_path, b"something else", "other.txt"))
    share(network, alice, write(tmp_path))
    alice.client.do("join", room="den")
    got = alice.get(1, here)
    sent = alice.send(write(tmp_path, BIG))
    network.pass_time(5)
    assert got == [here / "other.txt"]
    assert sent[0].room == "den"


def test_what_is_asked_for_before_there_is_a_connection_goes_to_the_first_room(
    network: Network, tmp_path: Path
) -> None:
    Friend(network, "bob")
    network.refusing = Failed("there is no server")
    alice = Friend(network, "alice", room="LOBBY")
    sent = alice.send(write(tmp_path))
    network.refusing = None
    network.pass_time(5)
    assert sent[0].room == "lobby"


def test_a_file_stays_with_its_room_though_another_gets_the_focus(network: Network, tmp_path: Path, here: Path) -> None:
    bob, carol = Friend(network, "bob"), Friend(network, "carol", room="den")
    share(network, carol, write(tmp_path, b"of the den", "den.txt"))
    share(network, bob, write(tmp_path, b"of the lobby", "lobby.txt"))
    alice = Friend(network, "alice", several=True)
    alice.client.drop("a test")
    sent, got = alice.send(write(tmp_path, BIG)), alice.get(1, here)
    network.pass_time(2)
    alice.client.do("join", room="den")
    others = alice.get(1, here)
    network.pass_time(10)
    assert alice.client.room == "den"
    assert [event.room for event in sent] == ["lobby"]
    assert (got, others) == ([here / "lobby.txt"], [here / "den.txt"])
    assert [event.name for event in carol.heard(e.Shared)] == ["den.txt"]


def test_a_file_is_not_sent_to_a_room_that_was_left_for_another_in_which_one_is(
    network: Network, tmp_path: Path
) -> None:
    alice, bob = Friend(network, "alice", several=True), Friend(network, "bob", room="den")
    alice.do("join", room="den")
    alice.client.focus("lobby")
    alice.client.drop("a test")
    sent = alice.send(write(tmp_path))
    network.pass_time(0.1)
    alice.client.state.joined.leave("lobby")
    network.pass_time(5)
    assert "lobby" in refusal(sent, "not-in-room")
    assert bob.heard(e.Shared) == []


# ---- while the disk is at work -----------------------------------------------------------------------------------


def at_the_end(network: Network, tmp_path: Path, here: Path) -> tuple[Friend, ByHand, list[object]]:
    """Return somebody all of whose file is there, but not yet in its place."""
    work = ByHand()
    alice, bob = Friend(network, "alice"), Friend(network, "bob", work=work)
    number = share(network, alice, write(tmp_path))
    got = bob.get(number, here)
    for _ in range(4):
        network.flow()
        assert work.step()
    network.flow()
    assert len(work.waiting) == 1
    (part,) = here.iterdir()
    assert part.stat().st_size == len(DATA)
    return bob, work, got


def test_a_cut_while_it_is_put_in_its_place_does_not_matter(network: Network, tmp_path: Path, here: Path) -> None:
    bob, work, got = at_the_end(network, tmp_path, here)
    bob.client.drop("a test")
    network.flow()
    work.step()
    network.pass_time(5)
    while work.step():
        network.pass_time(1)
    assert got == [here / "notes.txt"]
    assert os.listdir(here) == ["notes.txt"]


def test_what_is_there_is_not_cancelled_any_more(network: Network, tmp_path: Path, here: Path) -> None:
    bob, work, got = at_the_end(network, tmp_path, here)
    bob.transfers.cancel("")
    work.step()
    network.pass_time(5)
    assert got == [here / "notes.txt"]
    assert os.listdir(here) == ["notes.txt"]


def test_what_is_given_to_somebody_is_the_same_from_every_room(network: Network, tmp_path: Path) -> None:
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    path = write(tmp_path, BIG)
    first = alice.send(path, "bob")
    alice.client.do("join", room="den")
    second = alice.send(path, "BOB")
    network.pass_time(5)
    assert [replace(event, seq=0) for event in bob.heard(e.Shared)] == first
    refusal(second, "busy")
    assert alice.heard(a.Error) == []


def test_a_disk_that_hangs_does_not_keep_anybody_from_cancelling(network: Network, tmp_path: Path) -> None:
    work = ByHand()
    alice = Friend(network, "alice", work=work)
    for steps in range(4):
        sent = alice.send(write(tmp_path, BIG + bytes([steps])))
        for _ in range(steps):
            work.step()
            network.flow()
        alice.transfers.cancel("")
        refusal(sent, "cancelled")
        network.flow()
        while work.step():
            network.flow()
    assert alice.heard(a.Error) == []


def test_who_has_left_is_told_so_at_once(network: Network, tmp_path: Path, here: Path) -> None:
    alice = Friend(network, "alice")
    alice.leave()
    refusal(alice.send(write(tmp_path)), "not-confirmed")
    refusal(alice.get(1, here), "not-confirmed")


def test_what_was_on_its_way_is_not_complained_about_chunk_by_chunk(network: Network, tmp_path: Path) -> None:
    boss = network.world.person("boss")
    boss.say("/create den")
    alice = Friend(network, "alice", room="den")
    sent = alice.send(write(tmp_path, BIG))
    (line,) = network.lines
    network._step(line)
    assert line.transport.value().count(b'"do":"chunk"') == WINDOW
    boss.say("/kick alice")
    network.flow()
    assert refusal(sent, "not-in-room").startswith("sending notes.txt has ended: you are not in a room; ")
    assert alice.heard(a.Error) == []


def test_what_an_account_was_sending_is_not_shared_by_the_guest_it_becomes(network: Network, tmp_path: Path) -> None:
    owner = network.world.program()
    owner.record(do="register", user="olive", password="secret")
    owner.drop()
    alice = Friend(network, "", login=("olive", "secret"))
    bob = Friend(network, "bob")
    sent = alice.send(write(tmp_path, BIG))
    network.lines[0].end()
    owner = network.world.program()
    owner.record(do="login", user="olive", password="secret")
    owner.record(do="password", old="secret", new="another")
    owner.drop()
    network.pass_time(5)
    assert alice.client.guest
    refusal(sent, "not-logged-in")
    assert bob.heard(e.Shared) == []
    share(network, alice, write(tmp_path, b"by a guest", "more.txt"))


def test_files_are_sent_again_after_an_end_that_the_user_has_decided_about(network: Network, tmp_path: Path) -> None:
    alice = Friend(network, "alice")
    network.refusing = Failed("it has another key", hopeless=True)
    network.lines[0].end()
    network.pass_time(2)
    refusal(alice.send(write(tmp_path)), "ended")
    network.refusing = None
    assert alice.client.try_now()
    network.flow()
    share(network, alice, write(tmp_path))


def test_what_was_fetched_is_known_by_its_hash_up_to_a_bound(
    network: Network, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transfers, "MOST_REMEMBERED", 2)
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    paths = []
    for text in (b"one", b"two", b"three"):
        box = bob.get(share(network, alice, write(tmp_path, text)), here)
        network.pass_time(5)
        paths.append((hashlib.sha256(text).hexdigest(), box[0]))
    assert list(bob.transfers.fetched.items()) == paths[1:]
    assert alice.transfers.fetched == {}
