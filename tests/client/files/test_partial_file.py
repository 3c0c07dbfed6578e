"""A fetched file on the disk: gone on with, put where it belongs, never in the place of another."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import resource
from pathlib import Path
from typing import Any

import pytest

from chatroom.client.errors import Rejected
from chatroom.client.files.partial_file import PartialFile
from chatroom.model.replies import Download
from chatroom.model.shared_files import CHUNK

DATA = os.urandom(2 * CHUNK + 7)
SERVER = "chat.example:8888"


def about(name: str = "notes.txt", **more: Any) -> Download:
    """What the server says of the file."""
    fields = {"size": len(DATA), "sha256": hashlib.sha256(DATA).hexdigest(), "chunk": CHUNK, "number": 1, "file": "f1"}
    return Download(name=name, **{**fields, **more})


def fetch(wanted: Path, what: Download | None = None) -> Path:
    """Write all chunks, and return where the file stands."""
    part = PartialFile(what or about(), SERVER, wanted)
    try:
        while not part.complete:
            part.write(DATA[part.have * CHUNK : (part.have + 1) * CHUNK])
        return part.finish()
    finally:
        part.close()


def refused(wanted: Path, what: Download | None = None) -> str:
    """Return why it may not be fetched to there."""
    with pytest.raises(Rejected) as caught:
        fetch(wanted, what)
    return caught.value.text


def test_a_file_is_put_into_a_folder_under_a_name_that_is_free(tmp_path: Path) -> None:
    names = [fetch(tmp_path).name for _ in range(3)]
    assert names == ["notes.txt", "notes (1).txt", "notes (2).txt"]
    assert sorted(os.listdir(tmp_path)) == sorted(names)
    archives = [fetch(tmp_path, about("notes.tar.gz")).name for _ in range(2)]
    assert archives == ["notes.tar.gz", "notes (1).tar.gz"]
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {DATA}


def test_a_name_that_is_taken_is_refused_before_a_byte_comes(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("mine", "dangling"):
        text = refused(tmp_path / name)
        assert text == f"there is a {tmp_path}/{name} already, and it is not overwritten; give another name."
    assert sorted(os.listdir(tmp_path)) == ["dangling", "mine"]
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_name_that_was_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    part = PartialFile(about(), SERVER, tmp_path / "mine")
    for index in range(3):
        part.write(DATA[index * CHUNK : (index + 1) * CHUNK])
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(Rejected, match="and it is not overwritten"):
        part.finish()
    part.close()
    assert (tmp_path / "mine").read_text() == "precious"
    assert fetch(tmp_path / "other").read_bytes() == DATA, "what was fetched is still there"


@pytest.mark.parametrize(
    ("name", "stands_as"),
    [
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("..", "file"),
        (".bashrc", "bashrc"),
        ("a\x1b[2Jb\u202e.txt", "ab.txt"),
        ("x" * 90 + "\N{PARTY POPPER}" * 300 + ".txt", "x" * 90 + "\N{PARTY POPPER}" * 6 + ".txt"),
        ("日" * 90 + ".tar.gz", "日" * 64 + ".tar.gz"),
        ("\u1000\u103c\u200d" * 30 + ".odt", ("\u1000\u103c\u200d" * 22)[:65] + ".odt"),
        ("日" * 96 + ".txt", "日" * 65 + ".txt"),
        ("a." + "日" * 98, "a." + "日" * 66),
    ],
)
def test_whatever_the_server_calls_it_it_stands_in_the_folder(tmp_path: Path, name: str, stands_as: str) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    assert fetch(folder, about(name)) == folder / stands_as
    assert os.listdir(tmp_path) == ["here"]


def test_it_is_gone_on_with_by_whole_chunks(tmp_path: Path) -> None:
    part = PartialFile(about(), SERVER, tmp_path)
    part.write(DATA[:CHUNK])
    part.close()
    (path,) = tmp_path.iterdir()
    with path.open("ab") as file:
        file.write(b"torn")
    part = PartialFile(about(), SERVER, tmp_path)
    assert (part.have, part.done, part.complete) == (1, CHUNK, False)
    part.close()
    assert fetch(tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("other", [about(file="f2"), about(sha256="0" * 64)], ids=["id", "sha256"])
def test_another_file_begins_anew(tmp_path: Path, other: Download) -> None:
    part = PartialFile(about(), SERVER, tmp_path)
    part.write(DATA[:CHUNK])
    second = PartialFile(other, SERVER, tmp_path)
    assert second.have == 0
    part.close()
    second.close()


def test_what_is_not_what_was_announced_is_removed(tmp_path: Path) -> None:
    text = refused(tmp_path, about(sha256="0" * 64))
    assert text == "notes.txt is not what was announced, and was removed; fetch it again."
    assert os.listdir(tmp_path) == []


def test_one_at_a_time(tmp_path: Path) -> None:
    part = PartialFile(about(), SERVER, tmp_path)
    assert refused(tmp_path) == f"notes.txt is being fetched to {tmp_path} already."
    part.close()
    fetch(tmp_path)


def test_no_folder_no_room(tmp_path: Path) -> None:
    assert refused(tmp_path / "no" / "x") == f"there is no folder {tmp_path}/no; make it, or name another."
    assert f"{tmp_path} has room for" in refused(tmp_path, about(size=2**60))
    assert os.listdir(tmp_path) == [], "nothing was fetched, so nothing is left to go on with"


def test_a_part_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    part = PartialFile(about(), SERVER, tmp_path)
    part.close()
    (path,) = tmp_path.iterdir()
    path.unlink()
    precious = tmp_path / "precious"
    precious.write_text("mine")
    path.symlink_to(precious)
    assert "cannot be written" in refused(tmp_path)
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("umask", [0, 0o077])
def test_a_fetched_file_is_for_its_owner_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        part, path = begun(tmp_path)
        assert path.stat().st_mode & 0o777 == 0o600
        part.close()
        assert fetch(tmp_path).stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)


def test_a_part_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part, path = begun(tmp_path)
    part.close()
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    text = refused(tmp_path)
    assert f"{path} belongs to another user, so it is not used; remove it" in text
    assert path.stat().st_size == CHUNK


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_part_that_others_can_write_to_is_refused(tmp_path: Path, mode: int) -> None:
    part, path = begun(tmp_path)
    part.close()
    path.chmod(mode)
    assert f"{path} can be written by others, so it is not used; remove it" in refused(tmp_path)
    path.chmod(0o640)  # as parts were made before
    assert fetch(tmp_path).stat().st_mode & 0o777 == 0o600


# ---- what others do to the folder meanwhile ------------------------------------------------------------------------


def begun(folder: Path, chunks: int = 1) -> tuple[PartialFile, Path]:
    """Return a part of which there is something, and where it is."""
    part = PartialFile(about(), SERVER, folder)
    (path,) = (one for one in folder.iterdir() if one.name.startswith(".chatroom-"))
    for index in range(chunks):
        part.write(DATA[index * CHUNK : (index + 1) * CHUNK])
    return part, path


@pytest.mark.parametrize("kind", ["fifo", "folder", "link", "second name"])
def test_a_part_that_is_something_else_is_left_alone(tmp_path: Path, kind: str) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    part, path = begun(tmp_path)
    part.close()
    path.unlink()
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(precious)
    else:
        os.link(precious, path)
    text = refused(tmp_path)
    assert text.startswith(f"notes.txt cannot be written to {tmp_path}: ")
    assert kind == "folder" or f"is {'a link' if kind == 'link' else 'something else'}, so it is not used" in text
    assert precious.read_text() == "mine"


@pytest.mark.parametrize("act", ["removed", "replaced", "folder removed"])
@pytest.mark.parametrize("chunks", [1, 3])
def test_a_part_that_is_gone_is_not_written_any_further(tmp_path: Path, act: str, chunks: int) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    part, path = begun(folder, chunks)
    path.unlink()
    if act == "replaced":
        path.write_text("something else")
    elif act == "folder removed":
        folder.rmdir()
    with pytest.raises(Rejected) as caught:
        part.finish() if part.complete else part.write(DATA[CHUNK : 2 * CHUNK])
    part.remove()
    part.close()
    assert "has been removed in the meantime; fetch it again" in caught.value.text
    if act == "replaced":
        assert os.listdir(folder) == [path.name]
        assert path.read_text() == "something else"


def test_a_backup_that_links_the_part_does_not_stop_it(tmp_path: Path) -> None:
    part, path = begun(tmp_path)
    os.link(path, tmp_path / "backup")
    for index in (1, 2):
        part.write(DATA[index * CHUNK : (index + 1) * CHUNK])
    assert part.finish().read_bytes() == DATA
    part.close()


def test_whoever_waited_for_the_lock_does_not_take_what_stands_in_its_place_already(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = begun(tmp_path, 3)
    flock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        """The first is done between our opening the part and our locking it."""
        monkeypatch.setattr(fcntl, "flock", flock)
        first.finish()
        first.close()
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    second = PartialFile(about(), SERVER, tmp_path)
    assert second.have == 0
    second.close()
    assert (tmp_path / "notes.txt").read_bytes() == DATA


def test_a_name_that_could_not_be_used_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part, path = begun(tmp_path, 3)

    def broken(source: object, target: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(Rejected, match="input/output error; correct that"):
        part.finish()
    part.close()
    assert os.listdir(tmp_path) == [path.name]


def test_a_disk_that_is_full_says_so_and_it_can_be_gone_on_with(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    part, _ = begun(tmp_path)
    resource.setrlimit(resource.RLIMIT_FSIZE, (CHUNK + 1000, hard))
    try:
        with pytest.raises(Rejected) as caught:
            part.write(DATA[CHUNK : 2 * CHUNK])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    part.close()
    assert caught.value.text.startswith(f"notes.txt cannot be written to {tmp_path}: file too large; correct that or")
    part, _ = begun(tmp_path, 0)
    assert part.have == 1
    part.close()
    assert fetch(tmp_path).read_bytes() == DATA


@pytest.mark.parametrize("name", ["x" * 256, "\N{PARTY POPPER}" * 64, "a\0b", "x" * 300 + "/y"])
def test_a_name_that_cannot_be_is_refused_before_a_byte_comes(tmp_path: Path, name: str) -> None:
    with pytest.raises(Rejected):
        PartialFile(about(), SERVER, tmp_path / name)
    assert os.listdir(tmp_path) == []


def test_names_of_any_bytes(tmp_path: Path) -> None:
    wanted = tmp_path / os.fsdecode(b"\xff" * 255)
    assert fetch(wanted).read_bytes() == DATA
