"""Paths: where the client keeps its files (the XDG base directory specification), and looking at those of a user.

A user may type any path: too long, of another user, of nobody, with a NUL. Looking at such a path here never fails;
using it later says why it cannot be used.
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
    """Return where somebody's own settings are."""
    return _folder(environment, "XDG_CONFIG_HOME", ".config")


def state_folder(environment: Mapping[str, str]) -> Path:
    """Return where is what the client remembers from one time to the next."""
    return _folder(environment, "XDG_STATE_HOME", ".local/state")


def _folder(environment: Mapping[str, str], variable: str, otherwise: str) -> Path:
    base = Path(environment.get(variable, ""))
    if not base.is_absolute():  # as the specification has it
        base = _home(environment) / otherwise
    return base / FOLDER


def _home(environment: Mapping[str, str]) -> Path:
    """Return the home folder; the root folder for a user without one, as in some containers."""
    try:
        return Path(environment.get("HOME") or Path.home())
    except RuntimeError:
        return Path("/")


def expanded(text: str) -> Path:
    """Return the path that a user means, with ``~`` and ``~user`` replaced; as it is if there is no such user."""
    try:
        return Path(text).expanduser()
    except (RuntimeError, ValueError):  # there is no such user, or no user can have such a name
        return Path(text)


def spelled(path: Path) -> str:
    """Return a path for a message: only its beginning if it is very long."""
    return shortened(str(path), LONGEST_SHOWN)


def is_there(path: Path) -> bool:
    """Return whether there is something of that path, as far as this user may know."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether the path is a folder, as far as this user may know."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Keep other clients from changing a file meanwhile: whoever reads it in order to write it holds this.

    Args:
        path: The file. The lock is a file of its own beside it, for the file itself is replaced when it is written.

    Raises:
        OSError: The lock cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path.with_name(f".{path.name}.lock"), flags, 0o600)
    try:
        with suppress(OSError):  # some network file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)  # others hold it for as long as a small file takes to write
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Put a text into a file that nobody else may read, all of it or nothing.

    Args:
        path: The file; its folder is made.
        text: All that it will hold.

    Raises:
        OSError: It cannot be written.
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


def why_unusable(error: OSError | ValueError) -> str:
    """Return in words why a path cannot be used; Python raises ``ValueError`` for names that no file can have."""
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return "no file can have that name"
