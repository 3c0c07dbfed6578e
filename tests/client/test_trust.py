"""Known servers: trusted when first seen, refused when their key changes, never spoken to in plain after TLS."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.client.reasons import Failed
from chatroom.client.trust import KnownServers, spell

KEY, OTHER = "SHA256:first", "SHA256:other"


def somebody() -> bool:
    """Some authority vouches for it."""
    return True


def nobody() -> bool:
    """None does."""
    return False


@pytest.fixture
def known(tmp_path: Path) -> KnownServers:
    """A memory with nothing in it yet."""
    return KnownServers(tmp_path / "state" / "known_servers")


def test_a_server_is_trusted_when_first_seen_and_remembered(known: KnownServers) -> None:
    assert known.check("chat:8888", KEY, nobody)
    assert not known.check("chat:8888", KEY, nobody)
    assert known.path.read_text() == f"chat:8888 {KEY}\n"
    assert known.path.stat().st_mode & 0o777 == 0o600
    assert known.path.parent.stat().st_mode & 0o777 == 0o700


def test_the_authorities_are_asked_for_another_key_alone(known: KnownServers) -> None:
    asked: list[str] = []
    for key in (KEY, KEY, OTHER):
        known.check("chat:8888", key, lambda key=key: not asked.append(key))  # type: ignore[misc]
    assert asked == [OTHER]


def test_another_key_is_refused_with_both_and_how_to_accept_it(known: KnownServers) -> None:
    known.check("[::1]:8888", KEY, nobody)
    with pytest.raises(Failed, match="another key") as caught:
        known.check("[::1]:8888", OTHER, nobody)
    assert caught.value.hopeless
    for part in (KEY, OTHER, "--accept-new-key ::1 8888"):
        assert part in caught.value.why
    assert known.fingerprint("[::1]:8888") == KEY


def test_another_port_is_another_server(known: KnownServers) -> None:
    known.check("chat:8888", KEY, nobody)
    assert known.check("chat:8889", OTHER, nobody)


def test_a_new_key_that_an_authority_vouches_for_is_taken(known: KnownServers) -> None:
    known.check("chat:8888", KEY, somebody)
    assert not known.check("chat:8888", OTHER, somebody)
    assert known.fingerprint("chat:8888") == OTHER
    with pytest.raises(Failed):
        known.check("chat:8888", KEY, nobody)


def test_plain_text_is_refused_once_tls_was_seen(known: KnownServers) -> None:
    known.allow_plain("chat:8888")
    known.check("chat:8888", KEY, nobody)
    with pytest.raises(Failed, match="remove its line") as caught:
        known.allow_plain("chat:8888")
    assert caught.value.hopeless


def test_comments_and_other_servers_are_kept(known: KnownServers) -> None:
    known.path.parent.mkdir()
    known.path.write_text(f"# mine\n\nchat:8888 {KEY}\nother:1 {KEY}\n")
    known.remember("chat:8888", OTHER)
    assert known.path.read_text() == f"# mine\n\nother:1 {KEY}\nchat:8888 {OTHER}\n"


@pytest.mark.parametrize("text", ["chat:8888\n", "chat:8888 MD5:x\n", "a b c\n"])
def test_a_broken_file_is_named_with_its_line_and_left_alone(known: KnownServers, text: str) -> None:
    known.path.parent.mkdir()
    known.path.write_text(f"# mine\n{text}")
    with pytest.raises(Failed, match="known_servers, line 2"):
        known.check("chat:8888", KEY, somebody)
    assert known.path.read_text() == f"# mine\n{text}"


def test_a_file_that_cannot_be_read_trusts_nobody(known: KnownServers) -> None:
    known.path.mkdir(parents=True)
    with pytest.raises(Failed, match="cannot be read"):
        known.check("chat:8888", KEY, nobody)


def test_servers_are_spelled_one_way() -> None:
    assert spell("Chat.Example", 8888) == "chat.example:8888"
    assert spell("::1", 8888) == "[::1]:8888"


def test_who_cannot_remember_is_told_where_else_it_could_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failed, match=r"File exists; give a folder that can be written by XDG_STATE_HOME$"):
        KnownServers(tmp_path / "file" / "known_servers").remember("chat.example:8888", KEY)
