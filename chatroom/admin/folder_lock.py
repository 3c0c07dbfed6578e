"""Locks a data folder, so that no daemon runs on it or starts on it."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatroom.admin.errors import CommandFailed
from chatroom.engines.data_folder import BadFolder, DataFolder, FolderInUse


class InUse(CommandFailed):
    """A daemon is using the folder."""


@contextmanager
def holding(folder: Path, instead: str = "") -> Iterator[None]:
    """Lock a data folder until the block ends.

    Args:
        folder: The data folder; made if there is none.
        instead: Appended to the error that a daemon uses the folder: what to do if the daemon is not to be stopped.

    Raises:
        InUse: A daemon is using the folder.
        CommandFailed: The folder cannot be used.
    """
    _check_owner(folder)
    try:
        held = DataFolder(folder)
    except FolderInUse:
        raise InUse(f"a daemon is using {folder}; stop it first{instead}") from None
    except BadFolder as error:
        raise CommandFailed(str(error)) from None
    try:
        yield
    finally:
        held.close()


def _check_owner(folder: Path) -> None:
    """Refuse to run as root on another user's folder, because that user's daemon could not open files that root makes.

    Raises:
        CommandFailed: This is root, and the folder belongs to another user.
    """
    if os.geteuid() != 0 or not folder.exists():
        return
    owner = folder.stat().st_uid
    if owner != 0:
        try:
            name = pwd.getpwuid(owner).pw_name
        except KeyError:
            name = f"#{owner}"
        raise CommandFailed(
            f"{folder} is {name}'s, who could not open what root makes; run this as {name}: sudo -u '{name}' …"
        )
