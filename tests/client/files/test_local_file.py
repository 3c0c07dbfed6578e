"""What is read of a file that is sent: it may be anything, and become anything else meanwhile."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from chatroom.client.errors import Rejected
from chatroom.client.files import local_file
from chatroom.model.shared_files import CHUNK

DATA = os.urandom(CHUNK + 7)


def wanted() -> bool:
    """Somebody wants it."""
    return True


def file_of(folder: Path) -> Path:
    """Make a file."""
    path = folder / "notes.txt"
    path.write_bytes(DATA)
    return path


def test_what_it_is_and_its_chunks(tmp_path: Path) -> None:
    path = file_of(tmp_path)
    assert local_file.look(path, 0, wanted) == local_file.LocalFile(len(DATA), hashlib.sha256(DATA).hexdigest())
    assert [local_file.chunk_of(path, len(DATA), index) for index in (0, 1)] == [DATA[:CHUNK], DATA[CHUNK:]]


def test_what_is_added_to_it_meanwhile_is_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file_of(tmp_path)
    stat = os.fstat

    def grown(descriptor: int) -> os.stat_result:
        about = stat(descriptor)
        path.write_bytes(DATA + b"more")
        return about

    monkeypatch.setattr(os, "fstat", grown)
    assert local_file.look(path, 0, wanted) == local_file.LocalFile(len(DATA), hashlib.sha256(DATA).hexdigest())


def test_what_nobody_wants_any_more_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = file_of(tmp_path)
    answers = iter([True, False])
    with pytest.raises(Rejected) as caught:
        local_file.look(path, 0, answers.__next__)
    assert caught.value.code == "cancelled"
    assert next(answers, None) is None


def test_what_has_become_shorter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file_of(tmp_path)
    stat = os.fstat

    def shorter(descriptor: int) -> os.stat_result:
        about = stat(descriptor)
        path.write_bytes(b"less")
        return about

    monkeypatch.setattr(os, "fstat", shorter)
    with pytest.raises(Rejected, match="has changed while it was being sent; send it again"):
        local_file.look(path, 0, wanted)
    with pytest.raises(Rejected, match="has changed while it was being sent; send it again"):
        local_file.chunk_of(path, len(DATA), 1)


@pytest.mark.parametrize("kind", ["fifo", "folder", "nothing", "/dev/zero", "loop"])
def test_what_is_no_file_any_more_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "notes.txt"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    elif kind == "/dev/zero":
        path.symlink_to(kind)
    for read in (lambda: local_file.look(path, 0, wanted), lambda: local_file.chunk_of(path, len(DATA), 0)):
        with pytest.raises(Rejected) as caught:
            read()
        assert caught.value.code == "no-file"


@pytest.mark.parametrize("name", ["a\0b", "x" * 256, "\udcff"])
def test_names_that_cannot_be(tmp_path: Path, name: str) -> None:
    with pytest.raises(Rejected) as caught:
        local_file.look(tmp_path / name, 0, wanted)
    assert caught.value.code == "no-file"


def test_a_name_that_is_no_text_is_sent_under_one_that_is(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff.txt")
    path.write_bytes(DATA)
    assert local_file.look(path, 0, wanted).size == len(DATA)
