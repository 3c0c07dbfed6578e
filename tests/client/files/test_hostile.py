"""A server with ill will: whatever it says, nothing is written elsewhere or held for ever, and all can be cancelled."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from client.files.evil import ABOUT, ENTERED, LIMITS, WELCOME, Evil
from client.files.friends import ByHand, refusal, result_of, write
from sharing import DATA

from chatroom.client.errors import Rejected
from chatroom.model.shared_files import CHUNK, WINDOW

SHA256 = hashlib.sha256(DATA).hexdigest()
UPLOAD = {"event": "upload", "file": "f1", "chunk": CHUNK, "have": 0}
SHARED = {"event": "shared", "id": "i", "at": 1, "by": "me", "by_id": "m", "room": "lobby", "seq": 2, "number": 1}


@pytest.fixture
def evil() -> Iterator[Evil]:
    """The server; whatever has happened, all that is under way can be cancelled."""
    made = Evil()
    yield made
    while made.transfers.lines():
        made.transfers._under_way[0].cancel()
    made.close()


def written(folder: Path) -> int:
    """Return how many bytes are on the disk."""
    return sum(path.stat().st_size for path in folder.iterdir())


# ---- answers -----------------------------------------------------------------------------------------------------


def test_a_file_of_the_room_is_not_taken_for_one_that_was_given(evil: Evil, here: Path) -> None:
    got = evil.get(here, 1, given=True)
    record = evil.answer("get", ABOUT, size=1, sha256=SHA256)
    assert (record["number"], record["given"]) == (1, True)
    assert refusal(got, "version") == "file @1 cannot be fetched: the server sent a different file."
    assert written(here) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"chunk": 0},
        {"chunk": 1},
        {"chunk": 2**53},
        {"size": 0},
        {"file": ""},
        {"file": "\u202e\x00"},
        {"event": "upload", "have": 0},
        {"event": "ok"},
        {"event": "chunk", "index": 1},
        {**SHARED, "name": "x", "size": 1, "sha256": SHA256},
        {"event": "error", "code": "lost", "text": "not really", "file": "f1"},
    ],
)
def test_an_answer_that_is_nonsense_ends_it(evil: Evil, here: Path, fields: dict[str, Any]) -> None:
    got = evil.get(here)
    evil.answer("get", {**ABOUT, "size": len(DATA), "sha256": SHA256, **fields})
    (refused,) = got
    assert isinstance(refused, Rejected)
    assert os.listdir(here) == []


@pytest.mark.parametrize("fields", [{"size": -1}, {"size": 2**53 + 1}, {"size": "5"}, {"number": -1}, {"from": -1}])
def test_an_answer_that_is_none_can_be_waited_for_or_not(evil: Evil, here: Path, fields: dict[str, Any]) -> None:
    got = evil.get(here)
    evil.answer("get", {**ABOUT, "size": len(DATA), "sha256": SHA256, **fields})
    assert got == []
    evil.transfers.cancel("1")
    refusal(got, "cancelled")


def test_there_is_no_room_for_that_much(evil: Evil, here: Path) -> None:
    got = evil.get(here)
    evil.answer("get", {**ABOUT, "size": 2**53, "sha256": SHA256})
    refusal(got, "no-room")
    assert written(here) == 0


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "~/x", "a/b\\c", "", ".", "..", "\x1b]0;x\x07", "\N{PARTY POPPER}" * 300]
)
@pytest.mark.parametrize("file", ["f1", "../../x", "/etc/passwd", "x" * 500_000, "a\nb", " "])
def test_names_are_only_names(evil: Evil, tmp_path: Path, here: Path, name: str, file: str) -> None:
    got = evil.begin(here, DATA, name=name, file=file, sha256=SHA256.upper())
    for index in range(3):
        evil.piece(index, DATA[index * CHUNK : (index + 1) * CHUNK], file)
    (path,) = got
    assert path.read_bytes() == DATA
    assert os.listdir(tmp_path) == ["here"]
    assert path.parent == here


@pytest.mark.parametrize("sha256", ["", "no hex", "/", "0" * 64, SHA256[:-1], SHA256 + "0"])
def test_a_hash_that_is_none_fits_nothing(evil: Evil, here: Path, sha256: str) -> None:
    got = evil.begin(here, b"x", sha256=sha256)
    evil.piece(0, b"x")
    refusal(got, "wrong-hash")
    assert os.listdir(here) == []


@pytest.mark.parametrize("fields", [{"sha256": "1" * 64}, {"size": 5}, {"file": "f2"}, {"event": "ok"}])
def test_the_second_answer_is_about_the_same_file(evil: Evil, here: Path, fields: dict[str, Any]) -> None:
    what = {**ABOUT, "size": len(DATA), "sha256": SHA256}
    got = evil.get(here)
    evil.answer("get", what)
    evil.answer("get", {**what, **fields})
    refusal(got, "nonsense")


def test_two_files_with_one_id_are_one(evil: Evil, here: Path) -> None:
    first = evil.begin(here, DATA, sha256=SHA256)
    second = evil.get(here, 2)
    evil.answer("get", {**ABOUT, "size": 5, "sha256": SHA256, "number": 2})
    refusal(second, "busy")
    for index in range(3):
        evil.piece(index, DATA[index * CHUNK : (index + 1) * CHUNK])
    assert first == [here / "notes.txt"]


# ---- pieces --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "piece", [(1, DATA[:CHUNK]), (0, DATA[: CHUNK - 1]), (0, b"x"), (2**53, DATA[:CHUNK]), (0, DATA[: CHUNK - 5])]
)
def test_a_piece_that_does_not_fit_is_not_written(evil: Evil, here: Path, piece: tuple[int, bytes]) -> None:
    got = evil.begin(here, DATA)
    evil.piece(*piece)
    refusal(got, "nonsense")
    assert written(here) == 0
    assert [record["do"] for record in evil.hear()] == ["cancel"]


def test_a_last_piece_that_is_too_long_is_not_written(evil: Evil, here: Path) -> None:
    got = evil.begin(here, b"12345")
    evil.piece(0, b"123456")
    refusal(got, "nonsense")
    assert written(here) == 0


def test_a_piece_larger_than_any_ends_the_connection(evil: Evil, here: Path) -> None:
    evil.begin(here, DATA)
    evil.send(json.dumps({"event": "chunk", "file": "f1", "index": 0, "bytes": CHUNK + 1}).encode() + b"\n")
    assert evil.transport.aborted


def test_pieces_of_what_nobody_asked_for_are_thrown_away(evil: Evil, here: Path) -> None:
    got = evil.begin(here, DATA, sha256=SHA256)
    for index in range(3):
        evil.piece(7, b"x" * CHUNK, "f2")
        evil.piece(0, b"", "f1")
        evil.piece(index, DATA[index * CHUNK : (index + 1) * CHUNK])
        evil.piece(index, b"y" * 10, "")
    assert got == [here / "notes.txt"]
    told = len(evil.told)
    for index in range(1000):
        evil.piece(index, b"z")
    assert len(evil.told) == told
    assert written(here) == len(DATA)
    assert evil.client.online


def test_no_more_than_eight_pieces_are_held(here: Path) -> None:
    by_hand = ByHand()
    evil = Evil(by_hand)
    data = os.urandom((WINDOW + 5) * CHUNK)
    what = {**ABOUT, "size": len(data), "sha256": "0" * 64}
    got = evil.get(here)
    evil.answer("get", what)
    by_hand.step()
    evil.answer("get", what)
    for index in range(WINDOW + 1):
        evil.piece(index, data[:CHUNK])
        assert got == []
    evil.piece(WINDOW + 1, data[:CHUNK])
    by_hand.step()
    refusal(got, "nonsense")
    evil.close()


def test_a_piece_may_look_like_records_and_records_like_a_piece(evil: Evil, here: Path) -> None:
    said = {"event": "said", "id": "i", "at": 1, "by": "b", "by_id": "b", "room": "lobby", "seq": 2, "text": "no"}
    data = (json.dumps(said).encode() + b"\n") * 5
    got = evil.begin(here, data, sha256=hashlib.sha256(data).hexdigest())
    told = len(evil.told)
    evil.piece(0, data)
    assert got[0].read_bytes() == data
    assert len(evil.told) == told
    evil.send(data[:50] + b"\n")
    assert evil.transport.aborted


def test_bytes_come_one_at_a_time(evil: Evil, here: Path) -> None:
    data = os.urandom(5000)
    got = evil.begin(here, data, sha256=hashlib.sha256(data).hexdigest())
    head = json.dumps({"event": "chunk", "file": "f1", "index": 0, "bytes": len(data)}).encode() + b"\r\n"
    for byte in head + data:
        evil.send(bytes([byte]))
    assert got[0].read_bytes() == data


def test_a_piece_that_is_cut_off_comes_again(evil: Evil, here: Path) -> None:
    got = evil.begin(here, DATA, sha256=SHA256)
    evil.piece(0, DATA[:CHUNK])
    head = json.dumps({"event": "chunk", "file": "f1", "index": 1, "bytes": CHUNK}).encode() + b"\r\n"
    evil.send(head + DATA[CHUNK : 2 * CHUNK - 1])
    evil.hear()
    evil.cut()
    what = {**ABOUT, "size": len(DATA), "sha256": SHA256}
    assert evil.answer("get", what)["from"] == 1
    for index in (1, 2):
        evil.piece(index, DATA[index * CHUNK : (index + 1) * CHUNK])
    assert got[0].read_bytes() == DATA


def test_pieces_that_come_while_it_catches_up_are_of_nothing(evil: Evil, here: Path) -> None:
    got = evil.begin(here, DATA, sha256=SHA256)
    evil.piece(0, DATA[:CHUNK])
    evil.hear()
    evil.lose()
    evil.answer("hello", WELCOME, limits=LIMITS)
    evil.answer("join", {**ENTERED, "complete": False}, seq=50)
    for _ in range(WINDOW * 2):
        evil.piece(1, DATA[CHUNK : 2 * CHUNK])
    evil.say({**SHARED, "file": "f1", "name": "x", "size": 1, "sha256": SHA256, "seq": 51})
    evil.answer("history", {"event": "history", "room": "lobby", "events": [], "complete": True})
    evil.answer("pong", {"event": "ok"})
    what = {**ABOUT, "size": len(DATA), "sha256": SHA256}
    assert evil.answer("get", what)["from"] == 1
    for index in (1, 2):
        evil.piece(index, DATA[index * CHUNK : (index + 1) * CHUNK])
    assert got[0].read_bytes() == DATA


# ---- sending -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [{"chunk": 0}, {"chunk": 5}, {"file": ""}, {"event": "ok"}, {"event": "error", "code": "lost", "text": ""}],
)
def test_an_upload_that_is_nonsense_ends_it(evil: Evil, tmp_path: Path, fields: dict[str, Any]) -> None:
    sent = result_of(evil.transfers.send(write(tmp_path)))
    evil.answer("share", {**UPLOAD, **fields})
    assert isinstance(sent[0], Rejected)


@pytest.mark.parametrize("have", [3, 4, 2**53])
def test_a_server_that_has_all_is_sent_nothing(evil: Evil, tmp_path: Path, have: int) -> None:
    sent = result_of(evil.transfers.send(write(tmp_path)))
    evil.answer("share", {**UPLOAD, "have": have})
    assert evil.hear() == []
    assert evil.transfers.lines() == ["sending notes.txt 100%"]
    evil.transfers.cancel("")
    refusal(sent, "cancelled")


def test_acknowledgements_of_what_was_not_sent(evil: Evil, tmp_path: Path) -> None:
    sent = result_of(evil.transfers.send(write(tmp_path, os.urandom(20 * CHUNK))))
    evil.answer("share", UPLOAD)
    for index in (2**53, 0, 5, 2**53 - 1):
        evil.say({"event": "chunk", "file": "f1", "index": index})
    assert [record["index"] for record in evil.hear()] == list(range(20))
    assert evil.transfers.lines() == ["sending notes.txt 100%"]
    evil.piece(0, b"x")
    assert sent == []


def test_shared_is_told_to_everybody_else_as_well(evil: Evil, tmp_path: Path) -> None:
    shared = {**SHARED, "name": "x", "size": 1, "sha256": SHA256}
    evil.say({**shared, "file": "f9"})
    sent = result_of(evil.transfers.send(write(tmp_path)))
    evil.say({**shared, "file": "", "seq": 3})
    evil.say({**shared, "file": "f1", "seq": 4})
    assert sent == []
    assert [event.file for event in evil.told if type(event).__name__ == "Shared"] == ["f9", "", "f1"]


@pytest.mark.parametrize("state", ["asked", "under way", "cancelled"])
def test_errors_at_any_time(evil: Evil, tmp_path: Path, here: Path, state: str) -> None:
    sent = result_of(evil.transfers.send(write(tmp_path)))
    if state != "asked":
        evil.answer("share", UPLOAD)
    if state == "cancelled":
        evil.transfers.cancel("")
    evil.say({"event": "error", "code": "\x1b[2Jcancelled", "text": "\x1b[2Jx" * 10000, "file": "f1"})
    evil.say({"event": "error", "code": "lost", "text": "x", "file": "f1"})
    evil.say({"event": "error", "code": "lost", "text": "x", "file": ""})
    assert bool(sent) is (state != "asked")
    assert not sent or "\x1b" not in sent[0].text
