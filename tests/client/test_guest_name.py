"""The name that a guest has chosen, from one start of the client to the next."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.client.guest_name import GuestName, chosen


def test_a_name_is_kept_for_the_same_secret_alone(tmp_path: Path) -> None:
    GuestName(tmp_path / "new", "one secret").keep("Zoë")
    assert GuestName(tmp_path / "new", "one secret").load() == "Zoë"
    assert GuestName(tmp_path / "new", "another").load() == ""
    (file,) = (tmp_path / "new").glob("name-*")
    assert file.stat().st_mode & 0o77 == 0
    assert "secret" not in file.name


def test_an_empty_name_is_forgotten(tmp_path: Path) -> None:
    kept = GuestName(tmp_path, "one secret")
    kept.keep("zoe")
    kept.keep("")
    assert kept.load() == ""


@pytest.mark.parametrize("data", [b"\xff\xfe", b"guest-ab12\n", b"two words\n", b"x" * 5000])
def test_what_can_be_no_chosen_name_is_none(tmp_path: Path, data: bytes) -> None:
    kept = GuestName(tmp_path, "one secret")
    kept.keep("zoe")
    (file,) = tmp_path.glob("name-*")
    file.write_bytes(data)
    assert kept.load() == ""


def test_where_nothing_can_be_kept_the_client_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = GuestName(tmp_path / "file" / "folder", "one secret")
    kept.keep("zoe")
    assert kept.load() == ""


def test_names_of_the_servers_making_are_not_chosen() -> None:
    assert (chosen("guest-k3f9"), chosen("guus"), chosen("")) == (False, True, False)
