"""The user that ``twistd --uid`` switches to after the ports are taken; data is made as that user from the start."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class NewUser:
    """The user and group that this process will run as.

    Args:
        uid: The user's id; None if the process keeps its user.
        gid: The group's id; None if the process keeps its group.
    """

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def of(cls, twistd: Mapping[str, Any] | None) -> NewUser:
        """Return the user in twistd's options; only root can become another user, so for others it is ignored."""
        uid = twistd.get("uid") if twistd else None
        if twistd is None or uid is None or os.geteuid() != 0:
            return cls()
        gid = twistd.get("gid")
        return cls(uid, _group_of(uid) if gid is None else gid)

    def make_folder(self, path: Path) -> None:
        """Make a folder that belongs to that user, who might not have the right to make it; an existing one is kept.

        Raises:
            OSError: The folder can't be made.
        """
        if self.uid is not None and self.gid is not None and not path.exists():
            path.mkdir(mode=0o700, parents=True)
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    @contextmanager
    def already(self) -> Iterator[None]:
        """Run the block with the rights of that user. The process's real user stays the same, so it can switch back."""
        if self.uid is None or self.gid is None:
            yield
            return
        user, group = os.geteuid(), os.getegid()
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(user)
            os.setegid(group)


def _group_of(uid: int) -> int:
    """Return a user's group, as twistd would choose it."""
    return pwd.getpwuid(uid).pw_gid
