"""Remembered logins: by server and account, in a file that nobody else may read."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.client.tokens import Tokens


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    """A memory with nothing in it yet."""
    return Tokens(tmp_path / "state" / "tokens.json")


def test_a_token_is_found_by_server_and_account(tokens: Tokens) -> None:
    assert tokens.find("chat:1") is None
    tokens.keep("chat:1", "Alice", "a")
    tokens.keep("chat:1", "bob", "b")
    tokens.keep("chat:2", "alice", "c")
    assert tokens.find("chat:1", "alice") == ("Alice", "a")
    assert tokens.find("chat:1") == ("bob", "b")
    assert tokens.find("chat:2") == ("alice", "c")
    assert tokens.find("chat:1", "carol") is None
    assert tokens.path.stat().st_mode & 0o777 == 0o600


def test_a_new_token_is_in_place_of_the_old_and_none_forgets_it(tokens: Tokens) -> None:
    tokens.keep("chat:1", "alice", "a")
    tokens.keep("chat:1", "ALICE", "b")
    assert tokens.find("chat:1", "alice") == ("ALICE", "b")
    tokens.keep("chat:1", "alice", "")
    assert tokens.find("chat:1", "alice") is None
    assert "chat:1" not in tokens.path.read_text()


def test_a_broken_file_is_as_none(tokens: Tokens) -> None:
    tokens.path.parent.mkdir()
    tokens.path.write_text('{"chat:1": 3}')
    assert tokens.find("chat:1") is None
    tokens.keep("chat:1", "alice", "a")
    assert tokens.find("chat:1") == ("alice", "a")
