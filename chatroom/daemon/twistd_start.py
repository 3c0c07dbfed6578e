"""What comes before a start by twistd: choosing the reactor, and checking twistd's own options.

The options that are checked are the user, the folder to run in, and the log file. twistd itself would fail with a
traceback, and only after the daemon has made its data folder.
"""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class BadStart(Exception):
    """twistd could not start the daemon with these options; the text says why and what to do."""


def choose_reactor() -> None:
    """Install the daemon's own reactor, unless ``twistd --reactor`` has installed one, or the system has no epoll.

    If none is installed here, the first import of ``twisted.internet.reactor`` installs Twisted's default.
    """
    if "twisted.internet.reactor" in sys.modules:
        return
    try:
        from chatroom.daemon.reactor import install
    except ImportError:
        return
    install()


def check_twistd(twistd: Mapping[str, Any] | None) -> None:
    """Check that twistd can do what its options say. Nothing is changed.

    Args:
        twistd: twistd's own options; None if twistd has not parsed them.

    Raises:
        BadStart: twistd can't obey an option.
    """
    if twistd is not None:
        if twistd.get("chroot"):
            raise BadStart(
                f"--chroot {twistd['chroot']}: the daemon cannot run so; use a container, or RootDirectory= of systemd"
            )
        _check_user(twistd.get("uid"), twistd.get("gid"))
        _check_rundir(twistd.get("rundir") or ".")
        _check_log_file(twistd)


def _check_user(uid: int | None, gid: int | None) -> None:
    if uid is not None and (uid != os.getuid() or gid is None):  # else twistd does not look the user up
        try:
            pwd.getpwuid(uid)
        except KeyError:
            raise BadStart(f"--uid {uid}: there is no such user; make it first") from None
    if os.geteuid() != 0 and (uid not in (None, os.getuid()) or gid not in (None, os.getgid())):
        raise BadStart("--uid and --gid: only root can become another user; start it as root or without them")


def _check_rundir(rundir: str) -> None:
    if not os.path.isdir(rundir):
        raise BadStart(f"--rundir {rundir}: there is no such folder")


def _check_log_file(twistd: Mapping[str, Any]) -> None:
    """Check that this user can write the log file, which twistd opens before it becomes another user."""
    foreground = twistd.get("nodaemon") or twistd.get("debug")
    name = twistd.get("logfile") or ("" if foreground else "twistd.log")
    if not name or name == "-" or twistd.get("syslog") or twistd.get("logger"):
        return
    path = Path(name).absolute()
    if not path.parent.is_dir():
        raise BadStart(f"the log file {path} cannot be written: there is no such folder; give another --logfile")
    if path.is_dir():
        raise BadStart(f"the log file {path} cannot be written: it is a folder; give another --logfile")
    if not os.access(path if path.exists() else path.parent, os.W_OK, effective_ids=True):
        raise BadStart(f"the log file {path} cannot be written: Permission denied; give another --logfile")
