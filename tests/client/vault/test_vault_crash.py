"""The process is killed, or the machine loses its power, anywhere in a commit."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

from client.vault.crashing import change, stored
from client.vault.pump import Vaults

from chatroom.client.vault.errors import VaultDamaged
from chatroom.client.vault.vault import Vault

TESTS = Path(__file__).parents[2]


def test_every_commit_that_answered_survives_a_kill_and_none_is_there_by_half(vaults: Vaults) -> None:
    chance = random.Random(2026)
    environment = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}"}
    for generation in range(1, 16, 2):
        program = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("crashing.py")), str(vaults.folder.parent)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert program.stdout is not None
        assert program.stdout.readline() == f"open {generation}\n"
        lines = [program.stdout.readline() for _ in range(chance.randrange(1, 60))]
        program.kill()
        lines += program.stdout.readlines()
        program.wait()
        program.stdout.close()
        vault = vaults.open()
        assert vault.generation == generation + 1
        assert stored(vaults, vault) >= max(int(line) for line in lines if line.endswith("\n"))
        vaults.close(vault)


def cut_copies(vaults: Vaults, vault: Vault, before: int) -> list[Path]:
    """Return copies of the vault's folder as it was after each write of SQLite's log since its size was ``before``.

    A commit only appends to that log: a header and a page for each changed page. The copies also cut writes in two.
    """
    page = vault._reads.execute("PRAGMA page_size").fetchone()[0]
    log = vaults.path.with_name("me.vault-wal")
    size = log.stat().st_size
    writes = [
        at for frame in range(max(before, 32), size, page + 24) for at in (frame, frame + 12, frame + 24, frame + page)
    ]
    copies = []
    for at in [*([] if before else [0, 16]), *writes, size]:
        copy = vaults.copy(f"cut at {at}")
        os.truncate(copy / log.name, at)
        (copy / "me.vault-shm").unlink()  # it is memory that processes share, and does not survive
        copies.append(copy)
    return copies


def test_the_power_fails_after_any_write_of_a_commit(vaults: Vaults) -> None:
    vault = vaults.open()
    change(vault, 1)
    vaults.commit(vault)
    before = vaults.path.with_name("me.vault-wal").stat().st_size
    change(vault, 2)
    vaults.commit(vault)
    copies = cut_copies(vaults, vault, before)
    assert len(copies) > 20
    found = []
    for copy in copies:
        opened = vaults.open(folder=copy)
        found.append(stored(vaults, opened))
        assert opened.generation == 2
        vaults.close(opened)
        shutil.rmtree(copy)
    assert found == [1] * (len(found) - 1) + [2]


def test_the_power_fails_after_any_write_of_the_opening(vaults: Vaults) -> None:
    """The generation is as before, or counted up; and it is counted up when the opening answers."""
    vault = vaults.open()
    change(vault, 1)
    vaults.close(vault)
    vault = vaults.open()
    copies = cut_copies(vaults, vault, 32)
    found = []
    for copy in copies:
        opened = vaults.open(folder=copy)
        found.append(opened.generation)
        assert stored(vaults, opened) == 1
        vaults.close(opened)
    assert found == [2] * (len(found) - 1) + [3]


def test_the_power_fails_while_a_new_vault_is_made(vaults: Vaults) -> None:
    vault = vaults.open()
    copies = cut_copies(vaults, vault, 0)
    found = []
    for copy in copies:
        opened = vaults.open(folder=copy)
        found.append(opened.generation)
        vaults.close(opened)
    assert found == [1] * (len(found) - 1) + [2]


def test_the_power_fails_after_any_write_of_a_checkpoint(vaults: Vaults) -> None:
    """SQLite's log is copied into the database, page by page; until that is done, the log has everything."""
    vault = vaults.open()
    change(vault, 1)
    change(vault, 2)
    vaults.commit(vault)
    copy = vaults.copy("before")
    (copy / "me.vault-shm").unlink()
    before = vaults.path.read_bytes()
    vaults.close(vault)
    after = vaults.path.read_bytes()
    page = 4096
    assert len(after) > len(before)
    for end in range(0, len(after) + 1, page // 2):
        torn = vaults.folder.parent / f"torn at {end}"
        shutil.copytree(copy, torn)
        (torn / "me.vault").write_bytes(after[:end] + before[end:])
        opened = vaults.open(folder=torn)
        assert stored(vaults, opened) == 2
        vaults.close(opened)
        shutil.rmtree(torn)


def test_a_lost_log_of_sqlite_is_no_way_back(vaults: Vaults) -> None:
    """Without the log the file is an older one: the generation tells, or the file is refused."""
    vault = vaults.open()
    change(vault, 1)
    vaults.commit(vault)
    copy = vaults.copy("copy")
    (copy / "me.vault-wal").unlink()
    (copy / "me.vault-shm").unlink()
    try:
        generation = vaults.open(folder=copy).generation
    except VaultDamaged:
        generation = 0
    assert generation <= vault.generation
