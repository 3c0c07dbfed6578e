"""Sealed files, sent through a server that learns neither names nor bytes."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from pathlib import Path

import harness
import pytest
from client.files.friends import Friend, refusal, result_of, write
from client.files.secrets import Secrets, secretive
from client.network import Network
from msgspec.structs import replace
from sharing import kept_files
from twisted.internet.defer import Deferred

from chatroom.client.crypto.file_cipher import PIECE, sealed_size
from chatroom.client.crypto.file_offers import read_offer
from chatroom.client.errors import Rejected
from chatroom.client.plain_text import recalled
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.shared_files import WINDOW

DATA = os.urandom(2 * PIECE + 1000)
BIG = os.urandom(20 * PIECE + 5)
CANARY = "canary-4711"


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """All bytes that reach the server."""
    sent: list[bytes] = []
    send = harness.Client.send

    def tap(self: harness.Client, data: bytes) -> None:
        sent.append(data)
        send(self, data)

    monkeypatch.setattr(harness.Client, "send", tap)
    return sent


def two(network: Network, *sealed: str) -> tuple[Friend, Secrets, Friend, Secrets]:
    """Return alice, who seals, and bob, who knows her offers."""
    alice, bob = Friend(network, "alice"), Friend(network, "bob")
    reader = secretive(bob)
    return alice, secretive(alice, *(sealed or ("lobby",)), readers=(reader,)), bob, reader


def sent_by(network: Network, alice: Friend, path: Path, user: str = "") -> e.Shared:
    """Send a file, and return the event that shares it."""
    sent = alice.send(path, user)
    network.flow()
    (shared,) = sent
    assert isinstance(shared, e.Shared), shared
    return shared


# ---- sending and fetching ------------------------------------------------------------------------------------------


def test_a_sealed_file_is_sent_and_fetched(network: Network, tmp_path: Path, here: Path) -> None:
    alice, secrets, bob, _ = two(network)
    shared = sent_by(network, alice, write(tmp_path, DATA))
    ((room, user, offer),) = secrets.offers
    assert (room, user) == ("lobby", "")
    assert (offer["file"], offer["name"], offer["size"]) == (shared.file, "notes.txt", len(DATA))
    assert offer["sha256"] == hashlib.sha256(DATA).hexdigest()
    got = bob.get(1, here)
    network.flow()
    assert got == [here / "notes.txt"]
    assert (here / "notes.txt").read_bytes() == DATA
    assert stat.S_IMODE((here / "notes.txt").stat().st_mode) == 0o600
    assert os.listdir(here) == ["notes.txt"]
    assert bob.transfers.fetched == {shared.sha256: here / "notes.txt"}


def test_everybody_who_knows_the_offer_sees_the_real_size(network: Network, tmp_path: Path) -> None:
    alice, _, bob, _ = two(network)
    shared = sent_by(network, alice, write(tmp_path, DATA))
    sizes = [event.size for event in alice.heard(e.Shared)]
    assert (shared.size, sizes) == (len(DATA), [len(DATA)])
    for person in (alice, bob):
        files, past = person.do("files"), person.do("history", messages=5)
        assert [line.size for line in files.files] == [len(DATA)]
        assert [event.size for event in past.events if isinstance(event, e.Shared)] == [len(DATA)]


def test_a_sealed_file_is_given_to_one_person(network: Network, tmp_path: Path, here: Path) -> None:
    alice, secrets, bob, _ = two(network, "bob")
    sent_by(network, alice, write(tmp_path, DATA), "bob")
    assert [(room, user) for room, user, _ in secrets.offers] == [("lobby", "bob")]
    got = result_of(bob.transfers.get(1, here, folder=True, given=True))
    network.flow()
    assert got[0].read_bytes() == DATA
    shared = sent_by(network, alice, write(tmp_path, DATA))  # to the room, which is not encrypted
    assert not shared.sealed


def test_the_server_learns_neither_name_nor_bytes(network: Network, tmp_path: Path, wire: list[bytes]) -> None:
    alice, *_ = two(network)
    data = CANARY.encode() * 30000
    sent_by(network, alice, write(tmp_path, data, f"{CANARY}.txt"))
    assert CANARY.encode() not in b"".join(wire)
    (record,) = kept_files(network.world)
    assert re.fullmatch("[0-9a-f]{32}", record.name)
    assert record.size == sealed_size(len(data))
    assert hashlib.sha256(data).hexdigest().encode() not in b"".join(wire)
    alice.transfers.client.privacy.files = Secrets()
    sent_by(network, alice, write(tmp_path, data, f"{CANARY}.txt"))
    sent = b"".join(wire)
    assert f'"name":"{CANARY}.txt"'.encode() in sent, "the search finds a name that is sent in plain"
    assert sent.count(CANARY.encode()) > 29990, "and bytes"


def test_nothing_is_sent_until_it_is_known_whether_to_seal(network: Network, tmp_path: Path, wire: list[bytes]) -> None:
    alice, secrets, _, _ = two(network)
    secrets.sealed.clear()
    secrets.deciding = waits = Deferred()
    sent = alice.send(write(tmp_path, CANARY.encode(), f"{CANARY}.txt"))
    network.pass_time(30)
    assert not sent
    secrets.sealed.add("lobby")
    secrets.deciding = None
    waits.callback(None)
    network.flow()
    assert sent[0].sealed
    assert CANARY.encode() not in b"".join(wire)


def test_a_room_that_is_encrypted_while_the_file_is_read_gets_it_sealed(
    network: Network, tmp_path: Path, wire: list[bytes]
) -> None:
    alice, secrets, _, _ = two(network)
    secrets.sealed.clear()
    work = alice.transfers.work

    def reads(call: object, *args: object) -> Deferred[object]:
        secrets.sealed.add("lobby")
        return work(call, *args)

    alice.transfers.work = reads
    shared = sent_by(network, alice, write(tmp_path, CANARY.encode(), f"{CANARY}.txt"))
    assert shared.sealed
    assert CANARY.encode() not in b"".join(wire)


def test_a_room_that_is_encrypted_during_a_cut_gets_the_file_sealed(network: Network, tmp_path: Path) -> None:
    alice, secrets, _, _ = two(network)
    secrets.sealed.clear()
    sent = alice.send(write(tmp_path, BIG))
    network.cut_after = network.packets + 6
    network.flow()
    assert not sent
    secrets.sealed.add("lobby")
    network.pass_time(10)
    assert sent[0].sealed
    assert [record.sealed for record in kept_files(network.world) if record.number] == [True]


def test_what_must_not_be_sent_is_refused_before_anything_is(
    network: Network, tmp_path: Path, wire: list[bytes]
) -> None:
    alice, secrets, _, _ = two(network, "bob")

    async def blocked(room: str, user: str) -> bool:
        raise Rejected("blocked", "bob's key has changed; /verify bob.")

    secrets.seals = blocked  # type: ignore[method-assign]
    sent = alice.send(write(tmp_path, name=f"{CANARY}.txt"), "bob")
    network.flow()
    assert refusal(sent, "blocked") == "bob's key has changed; /verify bob."
    assert CANARY.encode() not in b"".join(wire)


def test_an_offer_that_cannot_be_sent_fails_the_transfer(network: Network, tmp_path: Path) -> None:
    alice, secrets, _, _ = two(network)
    secrets.refusing = Rejected("blocked", "bob's key has changed; /verify bob.")
    sent = alice.send(write(tmp_path))
    network.flow()
    refusal(sent, "blocked")


@pytest.mark.parametrize("data", [b"x", os.urandom(PIECE), os.urandom(PIECE + 1), os.urandom(3 * PIECE)])
def test_files_of_any_size(network: Network, tmp_path: Path, here: Path, data: bytes) -> None:
    alice, _, bob, _ = two(network)
    sent_by(network, alice, write(tmp_path, data))
    got = bob.get(1, here)
    network.flow()
    assert got[0].read_bytes() == data


def test_an_empty_file_is_refused(network: Network, tmp_path: Path) -> None:
    alice, *_ = two(network)
    sent = alice.send(write(tmp_path, b""))
    network.flow()
    refusal(sent, "empty-file")


def test_the_same_file_sealed_twice_at_once_is_refused(network: Network, tmp_path: Path) -> None:
    alice, *_ = two(network)
    boxes = [alice.send(write(tmp_path, BIG)), alice.send(write(tmp_path, BIG))]
    network.pass_time(5)
    assert isinstance(boxes[0][0], e.Shared)
    refusal(boxes[1], "busy")


# ---- names -------------------------------------------------------------------------------------------------------


def test_names_are_shown_where_the_offer_is_known(network: Network, tmp_path: Path) -> None:
    alice, _, bob, _ = two(network)
    carol = Friend(network, "carol")
    sent_by(network, alice, write(tmp_path, DATA))
    assert [event.name for event in alice.heard(e.Shared)] == ["notes.txt"]
    (record,) = kept_files(network.world)
    for friend, name in ((alice, "notes.txt"), (bob, "notes.txt"), (carol, record.name)):
        (line,) = friend.do("files").files
        (old,) = friend.do("history").events
        (found,) = friend.do("search", words=record.name).events
        assert {line.name, old.name, found.name} == {name}


def test_a_file_that_was_taken_back_is_called_by_its_name_where_that_is_known(network: Network, tmp_path: Path) -> None:
    alice, _, bob, _ = two(network)
    carol = Friend(network, "carol")
    sent_by(network, alice, write(tmp_path, DATA))
    alice.do("unshare", name="notes.txt")
    for friend, line in ((bob, "alice shared notes.txt (deleted)"), (carol, "alice shared a file (deleted)")):
        (old,) = friend.do("history").events
        assert recalled("", old).endswith(line)


@pytest.mark.parametrize("typed", ["notes.txt", "notes.txt bob"])
def test_a_sealed_file_is_taken_back_by_its_real_name(
    network: Network, tmp_path: Path, wire: list[bytes], typed: str
) -> None:
    alice, _, bob, _ = two(network, "lobby", "bob")
    secretive(bob, "lobby")
    user = typed.partition(" ")[2]
    sent_by(network, alice, write(tmp_path, DATA), user)
    answer = alice.do("unshare", name=typed)
    assert answer.text.startswith("notes.txt")
    assert kept_files(network.world) == []
    assert b"notes.txt" not in b"".join(wire)
    sent_by(network, bob, write(tmp_path, DATA))
    with pytest.raises(Rejected, match=r"you have not shared a file named notes\.txt"):
        alice.do("unshare", name="notes.txt")  # which is bob's; alice's own is gone


def test_the_name_on_the_disk_is_clean(network: Network, tmp_path: Path, here: Path) -> None:
    alice, secrets, bob, reader = two(network)
    secrets.readers.clear()
    shared = sent_by(network, alice, write(tmp_path, DATA))
    body = {**secrets.offers[0][2], "name": "../\x1b[2J\r.ev\u202eil" + "x" * 300 + ".txt"}
    reader.known.add(shared.by_id, read_offer(body))
    got = bob.get(1, here)
    network.flow()
    assert os.listdir(here) == [got[0].name]
    assert got[0].name == "evil" + "x" * 92 + ".txt"


def test_nothing_is_overwritten(network: Network, tmp_path: Path, here: Path) -> None:
    alice, _, bob, _ = two(network)
    sent_by(network, alice, write(tmp_path, DATA))
    write(here, b"mine")
    got = bob.get(1, here)
    network.flow()
    assert got == [here / "notes (1).txt"]
    assert (here / "notes.txt").read_bytes() == b"mine"


def test_nothing_is_fetched_unasked(network: Network, tmp_path: Path, here: Path) -> None:
    alice, _, bob, _ = two(network)
    sent_by(network, alice, write(tmp_path, DATA))
    network.pass_time(60)
    assert os.listdir(here) == []
    assert not bob.heard(a.Download)


# ---- cuts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(1, 30, 3))
@pytest.mark.parametrize("noticed", [True, False])
def test_sending_goes_on_after_a_cut(network: Network, tmp_path: Path, here: Path, after: int, noticed: bool) -> None:
    alice, secrets, bob, _ = two(network)
    network.largest = 300_000
    sent = alice.send(write(tmp_path, BIG))
    network.noticed = noticed
    network.cut_after = network.packets + after
    network.pass_time(200, 5)
    assert isinstance(sent[0], e.Shared)
    assert len(secrets.offers) == 1
    assert len(kept_files(network.world)) == 1, "it is the same file"
    got = bob.get(1, here)
    network.pass_time(5)
    assert got[0].read_bytes() == BIG


@pytest.mark.parametrize("after", range(1, 30, 3))
def test_fetching_goes_on_after_a_cut(network: Network, tmp_path: Path, here: Path, after: int) -> None:
    alice, _, bob, _ = two(network)
    sent_by(network, alice, write(tmp_path, BIG))
    network.largest = 300_000
    got = bob.get(1, here)
    network.cut_after = network.packets + after
    network.pass_time(10)
    assert got == [here / "notes.txt"]
    assert got[0].read_bytes() == BIG


def test_fetching_goes_on_after_a_restart_of_the_client(network: Network, tmp_path: Path, here: Path) -> None:
    alice, _, bob, reader = two(network)
    sent_by(network, alice, write(tmp_path, BIG))
    bob.get(1, here)
    network.largest = 300_000
    network.cut_after = network.packets + 16
    network.flow()
    (part,) = here.iterdir()
    assert stat.S_IMODE(part.stat().st_mode) == 0o600
    have = part.stat().st_size
    assert 0 < have < len(BIG)
    assert part.read_bytes() == BIG[:have], "only opened bytes are on the disk"
    bob.transfers.drop(Rejected("gone", "gone"))
    carol = Friend(network, "carol")
    carol.transfers.client.privacy.files = reader
    got = carol.get(1, here)
    network.pass_time(10)
    assert got[0].read_bytes() == BIG
    assert os.listdir(here) == ["notes.txt"]


def cut_while_sending(network: Network, alice: Friend, path: Path) -> list[object]:
    """Send a file up to a cut after a few chunks; the next connection waits."""
    sent = alice.send(path)
    network.largest = 300_000
    network.cut_after = network.packets + 16
    network.flow()
    assert not sent
    assert list(network.world.engine.blobs._parts.values()), "chunks are there"  # type: ignore[attr-defined]
    return sent


def change(path: Path, index: int) -> None:
    """Change one byte of a piece; the size and the time stay."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(index * PIECE)
        byte = file.read(1)
        file.seek(index * PIECE)
        file.write(bytes([byte[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_a_file_that_changed_during_a_cut_is_offered_anew(network: Network, tmp_path: Path, here: Path) -> None:
    alice, secrets, bob, _ = two(network)
    path = write(tmp_path, BIG)
    sent = cut_while_sending(network, alice, path)
    (before,) = kept_files(network.world)
    change(path, 19)
    network.pass_time(20)
    assert isinstance(sent[0], e.Shared)
    (after,) = kept_files(network.world)
    assert after.name != before.name, "another key"
    assert after.sha256 != before.sha256
    ((_, _, offer),) = secrets.offers
    assert offer["head"]["file"] == after.name
    got = bob.get(after.number, here)
    network.pass_time(5)
    assert got[0].read_bytes() == path.read_bytes() != BIG


def test_a_file_that_became_shorter_is_offered_anew(network: Network, tmp_path: Path, here: Path) -> None:
    alice, _, bob, _ = two(network)
    path = write(tmp_path, BIG)
    sent = cut_while_sending(network, alice, path)
    os.truncate(path, 15 * PIECE)
    network.pass_time(20)
    assert isinstance(sent[0], e.Shared)
    got = bob.get(sent[0].number, here)
    network.pass_time(5)
    assert got[0].read_bytes() == BIG[: 15 * PIECE]


def test_a_file_that_changes_all_the_time_is_given_up(network: Network, tmp_path: Path) -> None:
    alice, secrets, _, _ = two(network)
    path, work = write(tmp_path, DATA), alice.transfers.work

    def reads(call: object, *args: object) -> Deferred[object]:
        if args == (1,):  # before the second chunk is sealed again
            change(path, 1)
        return work(call, *args)

    alice.transfers.work = reads
    sent = alice.send(path)
    network.pass_time(20)
    assert "has changed while it was being sent; send it again" in refusal(sent, "file-changed")
    assert not secrets.offers
    network.pass_time(5)
    assert kept_files(network.world) == []


# ---- a server with ill will, and unknown keys ----------------------------------------------------------------------


def test_a_file_without_a_key_is_refused_with_the_next_step(network: Network, tmp_path: Path, here: Path) -> None:
    alice, secrets, bob, _ = two(network)
    secrets.readers.clear()
    sent_by(network, alice, write(tmp_path, DATA))
    got = bob.get(1, here)
    network.flow()
    text = refusal(got, "no-key")
    assert text == "file 1 is encrypted, and this device has no key for it; ask alice to send it again."
    assert os.listdir(here) == []


def test_a_sealed_file_that_is_said_to_be_plain_is_opened_all_the_same(
    network: Network, tmp_path: Path, here: Path
) -> None:
    alice, _, bob, _ = two(network)
    sent_by(network, alice, write(tmp_path, DATA))
    hide_seal(bob)
    got = bob.get(1, here)
    network.flow()
    assert got[0].read_bytes() == DATA


def hide_seal(friend: Friend) -> None:
    """Let the server say that sealed files are not sealed."""
    handler = friend.client._conversation.handler
    handle = handler.handle

    def lie(event: object, re: object) -> None:
        handle(replace(event, sealed=False) if isinstance(event, a.Download) else event, re)  # type: ignore[arg-type]

    handler.handle = lie  # type: ignore[method-assign,assignment]


def test_a_plain_file_in_an_encrypted_room_is_refused_unless_it_is_asked_for(
    network: Network, tmp_path: Path, here: Path
) -> None:
    alice, secrets, bob, reader = two(network)
    secrets.sealed.clear()
    sent_by(network, alice, write(tmp_path, DATA))  # before the room was encrypted, or so the server says
    reader.sealed.add("lobby")
    got = bob.get(1, here)
    network.flow()
    assert refusal(got, "not-sealed") == (
        "file 1 is not encrypted, though lobby is: it may be older, or not genuine. "
        "/get plain 1 fetches it all the same."
    )
    assert os.listdir(here) == []
    got = result_of(bob.transfers.get(1, here, folder=True, plain=True))
    network.flow()
    assert got[0].read_bytes() == DATA


def test_a_plain_file_of_somebody_who_encrypts_is_refused(network: Network, tmp_path: Path, here: Path) -> None:
    alice, _, bob, reader = two(network)
    sent_by(network, alice, write(tmp_path, DATA), "bob")
    got = result_of(bob.transfers.get(1, here, folder=True, given=True))
    network.flow()
    assert got[0].read_bytes() == DATA, "bob does not expect alice to encrypt"
    reader.sealed.add("alice")
    got = result_of(bob.transfers.get(1, here, folder=True, given=True))
    network.flow()
    assert "file @1 is not encrypted, though what alice sends you is" in refusal(got, "not-sealed")


def test_a_plain_file_of_which_the_server_does_not_say_whose_it_is_is_refused(
    network: Network, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _, bob, _ = two(network)
    sent_by(network, alice, write(tmp_path, DATA), "bob")
    give = bob.client.do

    def nobodys(answer: e.Event) -> e.Event:
        return replace(answer, by="") if isinstance(answer, a.Download) else answer

    monkeypatch.setattr(bob.client, "do", lambda do, **fields: give(do, **fields).addCallback(nobodys))
    got = result_of(bob.transfers.get(1, here, folder=True, given=True))
    network.flow()
    assert "what it belongs to may be" in refusal(got, "not-sealed")
    assert os.listdir(here) == []


def chunks_kept(network: Network, file: str) -> dict[int, bytes]:
    """Return the chunks that the server keeps of a file, for the test to change."""
    kept: dict[int, bytes] = network.world.engine.blobs._whole[file]  # type: ignore[attr-defined]
    return kept


@pytest.mark.parametrize(("index", "at"), [(0, 0), (1, 5), (2, -1)])
def test_bytes_that_the_server_changed_are_refused(
    network: Network, tmp_path: Path, here: Path, index: int, at: int
) -> None:
    alice, _, bob, _ = two(network)
    kept = chunks_kept(network, sent_by(network, alice, write(tmp_path, DATA)).file)
    wrong = bytearray(kept[index])
    wrong[at] ^= 1
    kept[index] = bytes(wrong)
    got = bob.get(1, here)
    network.flow()
    assert "is not what its sender sealed; ask for it to be sent again" in refusal(got, "forged-file")
    assert not (here / "notes.txt").exists()
    assert all(part.stat().st_size for part in here.iterdir()), "no empty part stays"


def test_chunks_that_the_server_swapped_are_refused(network: Network, tmp_path: Path, here: Path) -> None:
    alice, _, bob, _ = two(network)
    kept = chunks_kept(network, sent_by(network, alice, write(tmp_path, BIG)).file)
    kept[3], kept[4] = kept[4], kept[3]
    got = bob.get(1, here)
    network.flow()
    refusal(got, "forged-file")
    (part,) = here.iterdir()
    assert part.stat().st_size == 3 * PIECE


def test_another_size_than_was_offered_is_refused(network: Network, tmp_path: Path, here: Path) -> None:
    alice, _, bob, reader = two(network)
    shared = sent_by(network, alice, write(tmp_path, DATA))
    offer = reader.known.get(shared.file, shared.by_id)
    assert offer is not None
    reader.known.forget(shared.file, shared.by_id)
    reader.known.add(shared.by_id, replace(offer, size=5, head=replace(offer.head, size=5)))
    got = bob.get(1, here)
    network.flow()
    refusal(got, "nonsense")


def test_a_file_whose_whole_hash_differs_is_removed(network: Network, tmp_path: Path, here: Path) -> None:
    alice, _, bob, reader = two(network)
    shared = sent_by(network, alice, write(tmp_path, DATA))
    offer = reader.known.get(shared.file, shared.by_id)
    assert offer is not None
    reader.known.forget(shared.file, shared.by_id)
    reader.known.add(shared.by_id, replace(offer, sha256="0" * 64))
    got = bob.get(1, here)
    network.flow()
    refusal(got, "wrong-hash")
    assert os.listdir(here) == []


def test_an_offer_of_somebody_else_opens_nothing(network: Network, tmp_path: Path, here: Path) -> None:
    alice, secrets, bob, reader = two(network)
    secrets.readers.clear()
    shared = sent_by(network, alice, write(tmp_path, DATA))
    offer = secrets.known.get(shared.file, shared.by_id)
    assert offer is not None
    reader.known.add("mallory", replace(offer, name="mallory.txt"))
    (line,) = bob.do("files").files
    assert line.name == offer.head.file
    got = bob.get(1, here)
    network.flow()
    refusal(got, "no-key")


def test_no_more_than_the_window_is_sent_at_once(network: Network, tmp_path: Path, wire: list[bytes]) -> None:
    alice, *_ = two(network)
    alice.send(write(tmp_path, BIG))
    assert b"".join(wire).count(b'"do":"chunk"') <= WINDOW
