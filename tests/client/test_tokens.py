"""Remembered logins: by server and account, in a file that nobody else may read."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path

import pytest

from chatroom.client import tokens as module
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


def test_a_broken_file_is_as_none_and_is_put_aside(tokens: Tokens) -> None:
    tokens.path.parent.mkdir()
    tokens.path.write_text('{"chat:1": 3}')
    assert tokens.find("chat:1") is None
    tokens.keep("chat:1", "alice", "a")
    assert tokens.find("chat:1") == ("alice", "a")
    assert tokens.path.with_name("tokens.json.broken").read_text() == '{"chat:1": 3}'


def test_a_file_that_cannot_be_read_is_not_replaced(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens.keep("chat:1", "alice", "a")

    def forbidden(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", forbidden)
        assert tokens.find("chat:1") is None
        with pytest.raises(PermissionError):
            tokens.keep("chat:2", "bob", "b")
    assert tokens.find("chat:1") == ("alice", "a")


# ---- a server with ill will ----------------------------------------------------------------------------------------


def test_endless_tokens_of_one_server_cost_no_other_its_own(tokens: Tokens) -> None:
    tokens.keep("chat:1", "alice", "a")
    for number in range(3 * module.MOST):
        tokens.keep(
            "evil:1", f"{number:03}".ljust(module.LONGEST_NAME, "\N{PARTY POPPER}"), "\\" * module.LONGEST_TOKEN
        )
    assert tokens.find("chat:1") == ("alice", "a")
    assert tokens.path.stat().st_size < module.MOST_BYTES // 20
    assert tokens.find("evil:1", "000".ljust(module.LONGEST_NAME, "\N{PARTY POPPER}")) is None


@pytest.mark.parametrize(("user", "token"), [("u" * 65, "t"), ("u", "t" * 257)])
def test_what_is_too_long_is_not_kept(tokens: Tokens, user: str, token: str) -> None:
    tokens.keep("chat:1", "alice", "a")
    before = tokens.path.read_bytes()
    with pytest.raises(OSError, match="too long"):
        tokens.keep("evil:1", user, token)
    assert tokens.path.read_bytes() == before


def test_a_full_file_loses_nothing_and_can_be_made_smaller(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 200)
    tokens.keep("chat:1", "alice", "a" * 90)
    with pytest.raises(OSError, match="full"):
        tokens.keep("evil:1", "mallory", "b" * 90)
    assert tokens.find("chat:1") == ("alice", "a" * 90)
    assert tokens.find("evil:1") is None
    tokens.keep("chat:1", "alice", "")
    tokens.keep("evil:1", "mallory", "b" * 90)


@pytest.mark.parametrize("name", ["", "chat:1", "__proto__", '"}', "\\u0000", "../x", "İ", "ß"])
def test_a_name_is_only_a_name(tokens: Tokens, name: str) -> None:
    tokens.keep("chat:1", "alice", "a")
    tokens.keep("evil:1", name, "e")
    assert tokens.find("evil:1") == (name, "e")
    assert tokens.find("chat:1") == ("alice", "a")
    assert sorted(os.listdir(tokens.path.parent)) == [".tokens.json.lock", "tokens.json"]


# ---- two clients at once -------------------------------------------------------------------------------------------


def keep_many(path: Path, server: str) -> None:
    """Be one of several clients."""
    for number in range(module.MOST):
        Tokens(path).keep(server, f"user-{number}", "t")


def test_clients_that_write_at_the_same_time_lose_nothing(tokens: Tokens) -> None:
    context = multiprocessing.get_context("fork")
    clients = [context.Process(target=keep_many, args=(tokens.path, f"chat:{number}")) for number in (1, 2, 3)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert [client.exitcode for client in clients] == [0, 0, 0]
    for number in (1, 2, 3):
        for user in range(module.MOST):
            assert tokens.find(f"chat:{number}", f"user-{user}") is not None
