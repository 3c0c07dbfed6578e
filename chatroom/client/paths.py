"""Paths: where the client keeps its files (by the XDG base directory specification), and paths that a user types.

A user may type any path: a very long path, the home of another user or of nobody, a path with a NUL. The functions that
look at such a path never fail; using it later tells why it cannot be used.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from chatroom.model.text import shortened

FOLDER = "chatroom"
LONGEST_SHOWN = 300  # characters of a path in a message


def config_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of the user's settings."""
    return _folder(environment, "XDG_CONFIG_HOME", ".config")


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of what the client remembers between runs."""
    return _folder(environment, "XDG_STATE_HOME", ".local/state")


def _folder(environment: Mapping[str, str], variable: str, otherwise: str) -> Path:
    """Return our folder in the folder that a variable names, or in ``otherwise`` below the home folder."""
    base = Path(environment.get(variable, ""))
    if not base.is_absolute():  # the specification says that a relative path is ignored
        base = _home(environment) / otherwise
    return base / FOLDER


def _home(environment: Mapping[str, str]) -> Path:
    """Return the home folder; the root folder for a user without one, as in some containers."""
    try:
        return Path(environment.get("HOME") or Path.home())
    except RuntimeError:
        return Path("/")


def expanded(text: str) -> Path:
    """Return a typed path with ``~`` and ``~user`` replaced; unchanged if there is no such user."""
    try:
        return Path(text).expanduser()
    except (RuntimeError, ValueError):  # there is no such user, or no user can have such a name
        return Path(text)


def spelled(path: Path) -> str:
    """Return a path as a message shows it, shortened if it is very long."""
    return shortened(str(path), LONGEST_SHOWN)


def is_there(path: Path) -> bool:
    """Return whether a path exists, as far as this user may know."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder, as far as this user may know."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Lock a file against other clients, while it is read and written.

    Args:
        path: The file to protect. A second file beside it is locked, because each write replaces the file at ``path``.

    Raises:
        OSError: The lock cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path.with_name(f".{path.name}.lock"), flags, 0o600)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # may wait, but only while another client writes a small file
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Replace a file by one with new content that only this user may read; after an error, the old file remains.

    Args:
        path: The file; its folder is made if it is missing.
        text: The new content.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # made with 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def write_new_private(path: Path, text: str) -> None:
    """Write a new file that only this user may read; after an error there is none.

    Args:
        path: The file; its folder is made if it is missing.
        text: The content.

    Raises:
        FileExistsError: There is something of that name, even a link that leads nowhere; it stays as it is.
        OSError: The file cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        os.unlink(path)
        raise


def why_unusable(error: OSError | ValueError) -> str:
    """Return in words why a path cannot be used. Python raises ``ValueError`` for names that no file can have."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "no file can have that name"
