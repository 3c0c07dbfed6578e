"""The pid file: which process it names, when it is written over, and what is left of it at the end."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chatroom.daemon.pid_file import BadPidFile, PidFile, running_owner, take_from
from chatroom.daemon.privileges import NewUser

ROOT = os.geteuid() == 0
NOBODY = NewUser(65534, 65534) if ROOT else NewUser()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may enter, as pytest's own may not be."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture
def path(folder: Path) -> Path:
    """Where the file is."""
    return folder / "twistd.pid"


@pytest.fixture
def stranger() -> Iterator[int]:
    """Another process that runs."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        process.communicate(b"\n")


def ended() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_a_file_that_is_not_there_names_nobody(path: Path) -> None:
    assert running_owner(path) is None


@pytest.mark.parametrize("form", ["%d", "%d\n", " %d \n"])
def test_a_process_that_runs_is_named(path: Path, stranger: int, form: str) -> None:
    path.write_text(form % stranger)
    assert running_owner(path) == stranger


@pytest.mark.parametrize("text", [str(ended()), "", " \n", str(os.getpid()), "4194305", "9" * 10])
def test_a_process_that_does_not_run_and_this_one_itself_own_nothing(path: Path, text: str) -> None:
    """In a container each start has the number of the one before."""
    path.write_text(text)
    assert running_owner(path) is None


def test_a_process_that_began_after_the_file_was_written_is_another(path: Path, stranger: int) -> None:
    """The number was given again, as after a crash of the machine."""
    path.write_text(str(stranger))
    os.utime(path, (1_000_000_000, 1_000_000_000))
    assert running_owner(path) is None


@pytest.mark.parametrize("text", ["Dear diary,", "12a", "-1", "0", "+5", "1 2", "9" * 11, "\xb2", "5\n6"])
def test_what_holds_no_number_is_no_pid_file(path: Path, text: str) -> None:
    path.write_text(text)
    with pytest.raises(BadPidFile, match=r"twistd\.pid is no pid file"):
        running_owner(path)


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_plain_file_is_no_pid_file_and_nobody_waits_for_it(path: Path, make: Any) -> None:
    make(path)
    with pytest.raises(BadPidFile, match=r"twistd\.pid is no plain file"):
        running_owner(path)


def test_a_file_that_cannot_be_read_is_told(path: Path) -> None:
    path.write_text("1")
    path.chmod(0)
    with NOBODY.already(), pytest.raises(BadPidFile, match=r"twistd\.pid cannot be read: Permission denied"):
        running_owner(path)


@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("before", [None, "", str(ended())])
def test_it_is_written_and_removed(path: Path, before: str | None, needed: bool) -> None:
    if before is not None:
        path.write_text(before)
    file = PidFile(path, needed)
    file.check()
    file.write()
    assert path.read_text() == str(os.getpid())
    assert path.stat().st_mode & 0o022 == 0, "others could let an operator kill any process"
    file.remove()
    assert not path.exists()
    file.remove()


def test_a_link_is_replaced_and_what_it_leads_to_is_not_touched(path: Path) -> None:
    (path.parent / "precious").write_text("")
    path.symlink_to("precious")
    file = PidFile(path, True)
    file.write()
    assert not path.is_symlink()
    file.remove()
    assert (path.parent / "precious").read_text() == ""


@pytest.mark.parametrize("text", ["Dear diary,", "{stranger}"])
def test_a_file_of_others_is_left_alone(path: Path, stranger: int, text: str) -> None:
    """In the background there has to be one of ours; in the foreground we do without."""
    path.write_text(text.format(stranger=stranger))
    before = path.read_text()
    needed, optional = PidFile(path, True), PidFile(path, False)
    with pytest.raises(BadPidFile, match=r"give another: twistd --pidfile FILE"):
        needed.check()
    with pytest.raises(BadPidFile, match=r"give another"):
        needed.write()
    optional.check()
    optional.write()
    optional.remove()
    needed.remove()
    assert path.read_text() == before


def test_it_is_not_removed_when_somebody_has_put_another_there(path: Path) -> None:
    file = PidFile(path, True)
    file.write()
    path.unlink()
    path.write_text("77")
    file.remove()
    assert path.read_text() == "77"


only_root = pytest.mark.skipif(not ROOT, reason="only root can become another user")


@only_root
def test_roots_stale_file_is_replaced_where_the_folder_allows_it(path: Path) -> None:
    os.chown(path.parent, 65534, 65534)
    path.write_text(str(ended()))
    with NOBODY.already():
        file = PidFile(path, True)
        file.check()
        file.write()
        assert path.read_text() == str(os.getpid())
        file.remove()
    assert not path.exists()


@only_root
def test_a_folder_that_cannot_be_written_keeps_only_the_background_from_starting(path: Path) -> None:
    path.write_text(str(ended()))
    with NOBODY.already():
        needed, optional = PidFile(path, True), PidFile(path, False)
        with pytest.raises(BadPidFile, match="cannot be written: Permission denied; give another"):
            needed.check()
        optional.check()
        optional.write()
        optional.remove()


@only_root
def test_what_root_wrote_names_nobody_after_the_end_of_whom_root_became(path: Path) -> None:
    """The user may not remove it from a folder of root's, such as /run."""
    file = PidFile(path, True)
    file.write()
    with NOBODY.already():
        file.remove()
    assert path.read_text() == ""


@only_root
def test_a_file_of_the_users_is_written_where_the_folder_may_not_be(path: Path) -> None:
    """As when somebody made it beforehand in a folder of root's."""
    path.write_text("")
    os.chown(path, 65534, 65534)
    with NOBODY.already():
        file = PidFile(path, True)
        file.check()
        file.write()
        assert path.read_text() == str(os.getpid())
        file.remove()
    assert path.read_text() == ""


def test_it_is_taken_from_twistd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    twistd = {"pidfile": "twistd.pid", "nodaemon": 1, "debug": False}
    assert take_from(twistd) == PidFile(tmp_path / "twistd.pid", False)
    assert twistd["pidfile"] == "", "or twistd would check it, too"
    assert take_from(twistd) is None
    assert take_from({"pidfile": "/run/chat.pid", "nodaemon": 0, "debug": False}) == PidFile(
        Path("/run/chat.pid"), True
    )
    assert take_from({"pidfile": "x", "nodaemon": 0, "debug": True}) == PidFile(tmp_path / "x", False)
    assert take_from(None) is None
