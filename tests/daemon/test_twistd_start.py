"""What twistd cannot do is said in a sentence before anything is made."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from chatroom.daemon.twistd_start import BadStart, check_twistd

OTHER = 4_000_000_000  # a user that no system has


def refusal(**options: Any) -> str:
    """Return why twistd could not start with these options; empty if it could."""
    try:
        check_twistd({"nodaemon": 1, "logfile": None, "uid": None, "gid": None, "rundir": ".", **options})
    except BadStart as error:
        return str(error)
    return ""


def test_what_twistd_is_given_by_default_is_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_twistd(None)
    assert refusal() == refusal(nodaemon=0) == refusal(uid=os.geteuid(), gid=os.getegid()) == ""
    assert list(tmp_path.iterdir()) == []


def test_a_user_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """twistd asks the system for its groups; only who is that user already needs none if there is a group."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert refusal(uid=OTHER) == refusal(uid=OTHER, gid=OTHER) == f"--uid {OTHER}: there is no such user; make it first"
    monkeypatch.setattr(os, "getuid", lambda: OTHER)
    assert refusal(uid=OTHER) != ""
    assert refusal(uid=OTHER, gid=OTHER) == ""


def test_only_root_becomes_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    monkeypatch.setattr(os, "getuid", lambda: 1234)
    monkeypatch.setattr(os, "getgid", lambda: 1234)
    assert "only root can become another user" in refusal(uid=1, gid=1234)
    assert "only root can become another user" in refusal(gid=5)
    assert refusal(gid=1234) == ""


def test_the_folder_to_run_in_is_there(tmp_path: Path) -> None:
    assert refusal(rundir=str(tmp_path)) == ""
    assert refusal(rundir=str(tmp_path / "no")) == f"--rundir {tmp_path}/no: there is no such folder"


@pytest.mark.parametrize("nodaemon", [0, 1])
def test_a_log_file_that_cannot_be_written_is_named(tmp_path: Path, nodaemon: int) -> None:
    def why(name: str) -> str:
        return refusal(logfile=str(tmp_path / name), nodaemon=nodaemon)

    assert why("log") == ""
    assert (
        why("no/log")
        == f"the log file {tmp_path}/no/log cannot be written: there is no such folder; give another --logfile"
    )
    (tmp_path / "folder").mkdir()
    assert "it is a folder" in why("folder")
    assert refusal(logfile="/nowhere/log", syslog=1) == refusal(logfile="-") == ""


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_log_file_in_a_folder_of_others_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in refusal(logfile=str(tmp_path / "log"))


def test_another_root_folder_is_refused() -> None:
    """The data folder is taken before, and more of Python is loaded after."""
    assert refusal(chroot="/srv").startswith("--chroot /srv: the daemon cannot run so; ")
