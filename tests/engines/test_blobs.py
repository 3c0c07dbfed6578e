"""Files in a folder: what is whole there, what a crash leaves, who may read it, and a disk that takes no more."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor

from chatroom.engines.blobs import FolderBlobs
from chatroom.model.log import Unavailable
from chatroom.model.shared_files import CHUNK


@pytest_twisted.async_yield_fixture()
async def blobs(tmp_path: Path) -> AsyncIterator[FolderBlobs]:
    made = FolderBlobs(reactor, tmp_path / "files")
    yield made
    await made.close()


async def test_only_what_is_sealed_has_its_own_name(blobs: FolderBlobs, tmp_path: Path) -> None:
    await blobs.write("b1", 0, b"hello")
    assert os.listdir(tmp_path / "files") == ["b1.part"]
    await blobs.seal("b1", hashlib.sha256(b"hello").hexdigest())
    assert os.listdir(tmp_path / "files") == ["b1"]


async def test_nobody_else_on_the_machine_reads_them(blobs: FolderBlobs, tmp_path: Path) -> None:
    await blobs.write("b1", 0, b"hello")
    assert stat.S_IMODE((tmp_path / "files").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "files" / "b1.part").stat().st_mode) == 0o600


async def test_a_part_is_there_for_the_next_process(blobs: FolderBlobs, tmp_path: Path) -> None:
    await blobs.write("b1", 0, b"x" * CHUNK)
    after = FolderBlobs(reactor, tmp_path / "files")
    assert await after.size("b1") == CHUNK
    await after.write("b1", 1, b"y")
    assert await after.seal("b1", hashlib.sha256(b"x" * CHUNK + b"y").hexdigest())
    await after.close()


@pytest.mark.parametrize("id", ["", "../chat", "a/b", ".", "a.part", "\xe9", "a" * 65])
def test_an_id_leads_nowhere_else(blobs: FolderBlobs, id: str) -> None:
    with pytest.raises(ValueError, match="no id of a blob"):
        blobs.drop(id)


async def test_what_the_system_refuses_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("this is no folder")
    blobs = FolderBlobs(reactor, tmp_path / "files")
    with pytest.raises(Unavailable):
        await blobs.write("b1", 0, b"hello")
    await blobs.close()


async def test_a_server_without_files_has_neither_folder_nor_thread(tmp_path: Path) -> None:
    blobs = FolderBlobs(reactor, tmp_path / "files")
    assert await blobs.all() == set()
    await blobs.close()
    assert blobs._worker is None
    assert not (tmp_path / "files").exists()
