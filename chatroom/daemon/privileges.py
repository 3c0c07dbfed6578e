"""Whom ``twistd --uid`` makes of us once the ports are taken: what lasts is made as that user from the start."""

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
    """See the module.

    Args:
        uid: Of the user; None: we stay who we are.
        gid: Of the group; None: we stay in ours.
    """

    uid: int | None = None
    gid: int | None = None

    @classmethod
    def of(cls, twistd: Mapping[str, Any] | None) -> NewUser:
        """Return what the options of twistd say; only root can become somebody else."""
        uid = twistd.get("uid") if twistd else None
        if twistd is None or uid is None or os.geteuid() != 0:
            return cls()
        gid = twistd.get("gid")
        return cls(uid, _group_of(uid) if gid is None else gid)

    def make_folder(self, path: Path) -> None:
        """Make a folder for that user, where the user may not; one that is there stays whose it is.

        Raises:
            OSError: It cannot be made.
        """
        if self.uid is not None and self.gid is not None and not path.exists():
            path.mkdir(mode=0o700, parents=True)
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    @contextmanager
    def already(self) -> Iterator[None]:
        """Be that user for as long as this lasts, with no more rights; the real user stays, and can come back."""
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
    """As twistd does."""
    return pwd.getpwuid(uid).pw_gid
