"""A server that knew keys is remembered."""

from __future__ import annotations

from pathlib import Path

from chatroom.client.known_keys import knows_keys


def test_a_server_that_knew_keys_is_expected_to_know_them(tmp_path: Path) -> None:
    assert not knows_keys(tmp_path / "old", ["edit"])
    assert knows_keys(tmp_path / "new", ["edit", "keys"])
    assert knows_keys(tmp_path / "new", ["edit"])
    assert not knows_keys(tmp_path / "old", [])
