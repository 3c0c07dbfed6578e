"""The user to which ``twistd --uid`` switches the process when the listening sockets are open.

The data folder and the files in it are made with that user's rights from the start.
"""

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
        """Return the user in twistd's own options.

        Only root can become another user. If this process does not run as root, the options are ignored.

        Args:
            twistd: twistd's own options; None if twistd has not parsed them.
        """
        uid = twistd.get("uid") if twistd else None
        if twistd is None or uid is None or os.geteuid() != 0:
            return cls()
        gid = twistd.get("gid")
        return cls(uid, _group_of(uid) if gid is None else gid)

    def make_folder(self, path: Path) -> None:
        """Make a folder and give it to the new user, who might not have the right to make it.

        Nothing is done if the folder exists, or if the process keeps its user.

        Raises:
            OSError: The folder can't be made.
        """
        if self.uid is not None and self.gid is not None and not path.exists():
            path.mkdir(mode=0o700, parents=True)
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    @contextmanager
    def already(self) -> Iterator[None]:
        """Run the block with the rights of the new user, and then switch back.

        Only the effective user changes; the real user stays root, so the process may switch back.
        """
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
    """Return the id of a user's primary group, which twistd takes, too, if no group is given."""
    return pwd.getpwuid(uid).pw_gid
