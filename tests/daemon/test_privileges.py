"""Being another user for a while: as root really, and otherwise nothing changes."""

from __future__ import annotations

import os
from pathlib import Path

from chatroom.daemon.privileges import NewUser

OTHER = 65534 if os.geteuid() == 0 else os.geteuid()


def test_who_is_told_nothing_stays() -> None:
    assert NewUser.of(None) == NewUser.of({"uid": None, "gid": 5}) == NewUser()
    before = os.geteuid(), os.getegid()
    with NewUser().already():
        assert (os.geteuid(), os.getegid()) == before


def test_only_root_becomes_somebody_else() -> None:
    wanted = NewUser.of({"uid": OTHER, "gid": OTHER})
    assert wanted == (NewUser(OTHER, OTHER) if os.geteuid() == 0 else NewUser())


def test_what_is_made_meanwhile_is_the_others(tmp_path: Path) -> None:
    before = os.geteuid(), os.getegid()
    becoming = NewUser.of({"uid": OTHER, "gid": None})
    path = tmp_path / "a" / "b"
    becoming.make_folder(path)
    if not path.exists():
        path.mkdir(parents=True)
    assert path.stat().st_uid == OTHER
    with open(path / "x", "x") as file, becoming.already():
        assert os.geteuid() == OTHER
        # Whether folders further up may be entered is nothing that we change; the descriptor is ours already.
        assert os.fstat(file.fileno()).st_uid == before[0]
    assert (os.geteuid(), os.getegid()) == before
    becoming.make_folder(tmp_path)
    assert tmp_path.stat().st_uid == before[0]
