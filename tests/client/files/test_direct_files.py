"""Files over direct links between whole clients, and by the server when the link is lost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import harness
import pytest
from client.files.direct_friend import DirectFriend
from client.files.friends import refusal, result_of, write
from client.files.links import Links, join
from client.network import Network
from msgspec.structs import replace
from sharing import kept_files

from chatroom.client.crypto.file_cipher import PIECE
from chatroom.client.crypto.file_offers import read_offer
from chatroom.client.errors import Rejected
from chatroom.client.files import direct_files
from chatroom.client.files.commands import FileCommands
from chatroom.client.files.direct_transfer import Frame, FrameKind, pack
from chatroom.client.files.upload import ANEW, AWAY_EVERY
from chatroom.model.shared_files import spell_size

DATA = os.urandom(20 * PIECE + 5)


class Two:
    """Alice, bob, and a link between them."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.alice, self.bob = DirectFriend(network, "alice"), DirectFriend(network, "bob")
        self.alice.offers_to(self.bob)
        self.link = join(self.alice.links, self.bob.links)

    def flow(self) -> None:
        """Deliver everything, on the link and by the server."""
        self.link.flow()
        self.network.pass_time(5)
        self.link.flow()


@pytest.fixture
def two(network: Network) -> Two:
    """Alice, bob, and a link between them."""
    return Two(network)


def begin(two: Two, tmp_path: Path, here: Path) -> tuple[list[Any], list[Any]]:
    """Let alice offer a file and bob ask for it."""
    sent = two.alice.send_directly(write(tmp_path, DATA), "bob")
    assert two.bob.numbers == [1]
    return sent, two.bob.get_directly(1, here)


def test_a_file_does_not_pass_the_server(two: Two, tmp_path: Path, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wire: list[bytes] = []
    monkeypatch.setattr(harness.Client, "send", lambda self, data: wire.append(data))
    sent, got = begin(two, tmp_path, here)
    two.link.flow()
    assert sent == [None]
    assert got == [here / "notes.txt"]
    assert got[0].read_bytes() == DATA
    two.network.flow()
    assert not wire, "the offer is all that goes by the server, and it is the encryption's"
    assert two.alice.transfers.lines() == two.bob.transfers.lines() == []


def test_what_travels_is_sealed(two: Two, tmp_path: Path, here: Path) -> None:
    begin(two, tmp_path, here)
    two.link.flow()
    carried = b"".join(frame.data for frame in two.link.carried)
    assert len(carried) > len(DATA)
    assert DATA[:1000] not in carried


def test_nothing_is_sent_unasked(two: Two, tmp_path: Path, here: Path) -> None:
    sent = two.alice.send_directly(write(tmp_path, DATA), "bob")
    two.flow()
    assert not sent
    assert two.link.carried == []
    assert two.alice.transfers.lines() == ["sending notes.txt waits"]
    got = two.bob.get_directly(1, here)
    two.flow()
    assert got[0].read_bytes() == DATA


@pytest.mark.parametrize("after", range(0, 23, 2))
def test_when_the_link_is_lost_the_rest_goes_by_the_server(two: Two, tmp_path: Path, here: Path, after: int) -> None:
    two.link.cut_after = after
    sent, got = begin(two, tmp_path, here)
    two.flow()
    assert sent == [None]
    assert got == [here / "notes.txt"]
    assert got[0].read_bytes() == DATA
    assert os.listdir(here) == ["notes.txt"]
    if two.link.open:
        return
    over_the_link = max(two.link.pieces(), default=-1) + 1
    (record,) = kept_files(two.network.world)
    assert record.sealed
    offer = two.alice.secrets.offers[-1][2]
    assert offer["first"] == min(over_the_link, 20)
    assert record.size == sum(len(DATA[i * PIECE :][:PIECE]) + 16 for i in range(offer["first"], 21))
    assert two.bob.numbers == [1, 0]


def test_a_file_that_was_fetched_over_an_earlier_link_is_refused_and_leaves_no_part(
    two: Two, tmp_path: Path, here: Path
) -> None:
    begin(two, tmp_path, here)
    two.flow()
    two.link.cut()
    two.link = join(two.alice.links, two.bob.links)
    again = two.bob.get_directly(1, here)
    two.link.flow()
    assert "does not send notes.txt any more; ask for it again" in refusal(again, "stopped")
    assert os.listdir(here) == ["notes.txt"]
    assert two.bob.transfers.lines() == []


def test_a_file_whose_rest_is_on_its_way_to_the_server_is_not_refused_on_a_new_link(
    two: Two, tmp_path: Path, here: Path
) -> None:
    two.link.cut_after = 10
    sent, waits = begin(two, tmp_path, here)
    two.link.flow()
    two.bob.transfers.cancel("")
    refusal(waits, "cancelled")
    two.link = join(two.alice.links, two.bob.links)
    got = two.bob.get_directly(1, here)
    two.link.flow()
    assert not got
    two.flow()
    assert sent == [None]
    assert got[0].read_bytes() == DATA


def test_when_the_rest_cannot_go_to_the_server_whoever_asks_on_a_new_link_is_told(
    two: Two, tmp_path: Path, here: Path
) -> None:
    two.link.cut_after = 10
    sent, waits = begin(two, tmp_path, here)
    two.link.flow()
    two.bob.transfers.cancel("")
    refusal(waits, "cancelled")
    two.link = join(two.alice.links, two.bob.links)
    got = two.bob.get_directly(1, here)
    two.link.flow()
    two.alice.transfers.cancel("")
    refusal(sent, "cancelled")
    two.flow()
    refusal(got, "stopped")


def test_an_empty_part_does_not_stay_when_the_wait_for_the_server_is_cancelled(
    two: Two, tmp_path: Path, here: Path
) -> None:
    _, waits = begin(two, tmp_path, here)
    two.link.cut()
    two.bob.transfers.cancel("")
    refusal(waits, "cancelled")
    assert os.listdir(here) == []


def test_the_rest_waits_for_a_guest_who_is_cut_off_from_the_server_too(two: Two, tmp_path: Path, here: Path) -> None:
    two.link.cut_after = 10
    sent, got = begin(two, tmp_path, here)
    secrets = two.alice.secrets
    seals = secrets.seals

    async def away(room: str, user: str) -> bool:
        raise Rejected("no-longer-encrypted", "the server has no keys of bob")

    secrets.seals = away  # type: ignore[method-assign]
    two.flow()
    assert not sent
    secrets.seals = seals  # type: ignore[method-assign]
    two.network.pass_time(AWAY_EVERY)
    two.flow()
    assert sent == [None]
    assert got[0].read_bytes() == DATA


def test_the_rest_goes_to_nobody_else_of_that_name(two: Two, tmp_path: Path, here: Path) -> None:
    two.link.cut_after = 10
    sent, _ = begin(two, tmp_path, here)
    two.alice.secrets.ids["bob"] = "another"
    two.flow()
    assert "was meant for another bob" in refusal(sent, "other-person")
    assert kept_files(two.network.world) == []


def test_a_file_that_nobody_wanted_yet_goes_by_the_server_when_the_link_is_lost(
    two: Two, tmp_path: Path, here: Path
) -> None:
    sent = two.alice.send_directly(write(tmp_path, DATA), "bob")
    two.link.cut()
    two.flow()
    assert sent == [None]
    got = two.bob.get_directly(1, here)
    two.flow()
    assert got[0].read_bytes() == DATA


def test_the_rest_may_come_after_a_restart_of_the_receiver(two: Two, tmp_path: Path, here: Path) -> None:
    two.link.cut_after = 10
    begin(two, tmp_path, here)
    two.link.flow()
    two.bob.transfers.cancel("")
    two.flow()
    (part,) = here.iterdir()
    assert part.stat().st_size == 9 * PIECE
    got = result_of(two.bob.transfers.get(1, here, folder=True, given=True))  # as any file from the server
    two.flow()
    assert got[0].read_bytes() == DATA


def test_a_rest_without_its_beginning_is_refused(two: Two, tmp_path: Path, here: Path) -> None:
    two.link.cut_after = 10
    _, got = begin(two, tmp_path, here)
    two.flow()
    got[0].unlink()
    again = result_of(two.bob.transfers.get(1, here, folder=True, given=True))
    two.flow()
    assert refusal(again, "no-beginning") == (
        "the beginning of notes.txt is missing here; ask for it to be sent again."
    )


def test_a_file_that_changed_is_offered_anew_over_the_link(two: Two, tmp_path: Path, here: Path) -> None:
    sent = two.alice.send_directly(write(tmp_path, DATA), "bob")
    changed = bytes([DATA[0] ^ 1]) + DATA[1:]
    write(tmp_path, changed)
    first = two.bob.get_directly(1, here)
    two.flow()
    refusal(first, "stopped")
    assert two.bob.numbers == [1, 2]
    one, other = (offer["head"]["file"] for _, _, offer in two.alice.secrets.offers)
    assert one != other
    got = two.bob.get_directly(2, here)
    two.flow()
    assert got[0].read_bytes() == changed
    assert sent == [None]


def test_a_file_that_changed_after_the_cut_is_offered_anew(two: Two, tmp_path: Path, here: Path) -> None:
    two.link.cut_after = 10
    _, waits = begin(two, tmp_path, here)
    changed = DATA[:-1] + bytes([DATA[-1] ^ 1])
    write(tmp_path, changed)
    two.flow()
    assert "notes.txt has changed where it comes from, and is offered anew" in refusal(waits, "stopped")
    got = result_of(two.bob.transfers.get(1, here, folder=True, given=True))
    two.flow()
    assert got[0].read_bytes() == changed
    one, other = (offer for _, _, offer in two.alice.secrets.offers)
    assert (other["first"], other["replaces"]) == (0, one["head"]["file"])
    assert one["key"] != other["key"]


def test_a_file_that_changes_while_its_rest_goes_to_the_server_is_offered_anew(
    two: Two, tmp_path: Path, here: Path
) -> None:
    two.link.cut_after = 10
    _, waits = begin(two, tmp_path, here)
    two.link.flow()
    changed = DATA[:-1] + bytes([DATA[-1] ^ 1])
    two.network.cut_after = two.network.packets + 1
    two.network.flow()
    write(tmp_path, changed)
    two.flow()
    refusal(waits, "stopped")
    (record,) = kept_files(two.network.world)
    got = result_of(two.bob.transfers.get(record.number, here, folder=True, given=True))
    two.flow()
    assert got[0].read_bytes() == changed


def unnoticed_by_bob(two: Two, after: int) -> None:
    """Let the link be lost after so many frames, and only alice notice it: bob waits for more, and sends nothing."""
    two.link.cut_after = after
    del two.link.lost[1]


def test_a_receiver_that_does_not_notice_the_loss_goes_on_with_what_the_server_has(
    two: Two, tmp_path: Path, here: Path
) -> None:
    unnoticed_by_bob(two, 10)
    sent, got = begin(two, tmp_path, here)
    two.flow()
    assert sent == [None]
    assert got[0].read_bytes() == DATA


def test_a_receiver_that_does_not_notice_the_loss_is_told_that_the_file_is_offered_anew(
    two: Two, tmp_path: Path, here: Path
) -> None:
    unnoticed_by_bob(two, 10)
    _, got = begin(two, tmp_path, here)
    write(tmp_path, DATA[:-1] + bytes([DATA[-1] ^ 1]))
    two.flow()
    assert "is offered anew; fetch the new one" in refusal(got, "stopped")
    refusal(two.bob.get_directly(1, here), "stopped")


# ---- what is not possible ------------------------------------------------------------------------------------------


def test_without_a_link_a_file_goes_by_the_server(two: Two, tmp_path: Path, here: Path) -> None:
    two.link.cut()
    sent = two.alice.send_directly(write(tmp_path, DATA), "bob")
    two.flow()
    assert sent == [None]
    assert two.bob.numbers == [0]
    assert len(kept_files(two.network.world)) == 1


def test_a_file_for_the_room_goes_by_the_server(two: Two, tmp_path: Path) -> None:
    sent = two.alice.send_directly(write(tmp_path, DATA), "")
    two.flow()
    assert sent == [None]
    assert len(kept_files(two.network.world)) == 1


def test_an_unknown_number_and_a_closed_link_are_refused(two: Two, tmp_path: Path, here: Path) -> None:
    assert refusal(two.bob.get_directly(3, here), "no-file") == ("no file d3 was offered; ask for it to be sent again.")
    two.alice.send_directly(write(tmp_path, DATA), "bob")
    two.link.cut()
    assert "open it again with /direct" in refusal(two.bob.get_directly(1, here), "no-link")
    assert os.listdir(here) == []


def test_an_offer_that_cannot_be_sent_ends_the_transfer(two: Two, tmp_path: Path) -> None:
    two.alice.secrets.refusing = Rejected("blocked", "bob's key has changed; /verify bob.")
    sent = two.alice.send_directly(write(tmp_path, DATA), "bob")
    refusal(sent, "blocked")
    two.flow()
    assert two.alice.transfers.lines() == []


def test_to_somebody_who_gets_files_in_plain_nothing_goes_over_a_link(two: Two, tmp_path: Path) -> None:
    two.alice.secrets.sealed.clear()
    sent = two.alice.send_directly(write(tmp_path, DATA), "bob")
    two.flow()
    assert sent == [None]
    assert two.link.carried == two.alice.secrets.offers == []
    (record,) = kept_files(two.network.world)
    assert not record.sealed


def test_only_so_many_files_wait_for_somebody_to_fetch_them(
    two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct_files, "MOST", 2)
    for name in ("one", "two"):
        assert two.alice.send_directly(write(tmp_path, b"x", name), "bob") == []
    assert "2 files are offered already" in refusal(two.alice.send_directly(write(tmp_path, b"x", "3"), "bob"), "busy")
    two.alice.transfers.cancel("one")
    assert two.alice.send_directly(write(tmp_path, b"x", "3"), "bob") == []
    for name in ("two", "3"):
        two.alice.transfers.cancel(name)


def test_a_file_that_changes_all_the_time_is_given_up(two: Two, tmp_path: Path, here: Path) -> None:
    sent = two.alice.send_directly(write(tmp_path, DATA), "bob")
    for number in range(1, ANEW + 2):
        assert not sent
        assert two.bob.numbers[-1] == number
        write(tmp_path, bytes([number]) * len(DATA))
        refusal_of = two.bob.get_directly(number, here)
        two.link.flow()
        refusal(refusal_of, "stopped")
    assert "has changed while it was being sent; send it again" in refusal(sent, "file-changed")
    assert len({offer["key"] for _, _, offer in two.alice.secrets.offers}) == ANEW + 1


def test_a_file_that_cannot_be_read_is_not_offered(two: Two, tmp_path: Path) -> None:
    refusal(two.alice.send_directly(tmp_path / "nothing", "bob"), "no-file")
    assert two.bob.numbers == []


def test_another_device_cannot_ask_for_the_file(two: Two, tmp_path: Path) -> None:
    two.alice.send_directly(write(tmp_path, DATA), "bob")
    file = two.alice.secrets.offers[0][2]["head"]["file"]
    mallory = Links(("id of mallory", "DEVICE"))
    mallory.files = two.bob.direct
    link = join(two.alice.links, mallory)
    link.send(1, pack(Frame(file, FrameKind.WANT)))
    link.send(1, b"nonsense")
    link.flow()
    two.link.flow()
    assert link.pieces() == two.link.pieces() == []


def test_what_is_offered_is_listed_until_it_is_replaced(two: Two, tmp_path: Path) -> None:
    assert two.bob.direct.lines() == []
    two.alice.send_directly(write(tmp_path, DATA), "bob")
    assert two.bob.direct.lines() == [
        "Files offered over direct links (1):",
        f"  d1  notes.txt  {spell_size(len(DATA))}",
    ]
    two.bob.direct._offers[1].end()
    assert two.bob.direct.lines() == []


def test_somebody_else_neither_replaces_an_offer_nor_says_where_it_goes_on(two: Two, tmp_path: Path) -> None:
    two.alice.send_directly(write(tmp_path, DATA), "bob")
    offer = read_offer(two.alice.secrets.offers[0][2])
    mallory = ("id of mallory", "DEVICE")
    other = replace(offer.head, file="0" * 32)
    two.bob.direct.offered(mallory, replace(offer, file="elsewhere"))
    two.bob.direct.offered(mallory, replace(offer, file="0" * 32, head=other, replaces=offer.head.file))
    kept = two.bob.direct._offers[1]
    assert (kept.relayed, kept.replaced) == (None, None)
    two.alice.transfers.cancel("")


def test_another_device_cannot_send_pieces_of_the_file(two: Two, tmp_path: Path, here: Path) -> None:
    _, got = begin(two, tmp_path, here)
    file = two.alice.secrets.offers[0][2]["head"]["file"]
    mallory = Links(("id of mallory", "DEVICE"))
    mallory.files = two.alice.direct
    link = join(mallory, two.bob.links)
    for kind in (FrameKind.PIECE, FrameKind.STOP):
        link.send(0, pack(Frame(file, kind, 0, b"forged")))
    link.flow()
    two.flow()
    assert got[0].read_bytes() == DATA


def test_the_loss_of_another_link_changes_nothing(two: Two, tmp_path: Path, here: Path) -> None:
    sent, got = begin(two, tmp_path, here)
    for _ in range(8):
        two.link.step()
    for friend in (two.alice, two.bob):
        friend.direct.lost(("id of mallory", "DEVICE"))
    two.flow()
    assert (sent, len(kept_files(two.network.world))) == ([None], 0)
    assert got[0].read_bytes() == DATA


def test_the_same_offer_is_not_fetched_twice_at_once(two: Two, tmp_path: Path, here: Path) -> None:
    _, got = begin(two, tmp_path, here)
    refusal(two.bob.get_directly(1, tmp_path / "another folder"), "busy")
    two.flow()
    assert got[0].read_bytes() == DATA


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_either_side_cancels(two: Two, tmp_path: Path, here: Path, who: str) -> None:
    sent, got = begin(two, tmp_path, here)
    for _ in range(8):
        two.link.step()
    friend = getattr(two, who)
    assert friend.transfers.lines()[0].startswith(("sending notes.txt ", "fetching notes.txt "))
    assert "%" in friend.transfers.lines()[0]
    friend.transfers.cancel("notes.txt")
    two.link.flow()
    if who == "alice":
        refusal(sent, "cancelled")
        refusal(got, "stopped")
    else:
        refusal(got, "cancelled")
        assert os.listdir(here) == [], "the part is removed"
        assert two.alice.transfers.lines()[0].startswith("sending notes.txt")
        two.alice.transfers.cancel("notes.txt")
    assert two.alice.transfers.lines() == two.bob.transfers.lines() == []


def test_waiting_for_the_server_can_be_cancelled(two: Two, tmp_path: Path, here: Path) -> None:
    two.link.cut_after = 10
    _, got = begin(two, tmp_path, here)
    two.link.flow()
    assert two.bob.transfers.lines() == ["fetching notes.txt waits"]
    two.bob.transfers.cancel("d1")
    refusal(got, "cancelled")
    two.flow()
    assert two.bob.transfers.lines() == []


def test_the_oldest_offers_are_forgotten(two: Two, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_files, "MOST", 5)
    monkeypatch.setattr(direct_files, "MOST_OF_ONE", 3)
    two.alice.send_directly(write(here, b"x"), "bob")
    offer = read_offer(two.alice.secrets.offers[0][2])

    for number in range(10):
        file = f"{number:032x}"
        two.bob.direct.offered(("mallory", "M"), replace(offer, file=file, head=replace(offer.head, file=file)))
    assert sorted(two.bob.direct._offers) == [1, 9, 10, 11]
    for number in range(10, 20):
        file = f"{number:032x}"
        peer = f"user {number}", "M"
        two.bob.direct.offered(peer, replace(offer, file=file, head=replace(offer.head, file=file)))
    assert sorted(two.bob.direct._offers) == [17, 18, 19, 20, 21]
    two.alice.transfers.cancel("")


def test_the_commands_use_the_link(two: Two, tmp_path: Path, here: Path) -> None:
    said: list[str] = []
    alice = FileCommands(two.alice.transfers, here, said.append, two.alice.direct)
    bob = FileCommands(two.bob.transfers, here, said.append, two.bob.direct)
    result_of(alice.run("send", str(write(tmp_path, DATA)), "bob"))
    result_of(bob.run("get", "d1"))
    two.flow()
    assert said == [
        "notes.txt (5.2 MB) is offered to bob over the direct link.",
        f"fetched {here / 'notes.txt'} (5.2 MB, SHA-256 checked).",
        "bob has fetched notes.txt over the direct link.",
    ]
    plain = FileCommands(two.bob.transfers, here, said.append)
    refusal(result_of(plain.run("get", "d1")), "usage")
