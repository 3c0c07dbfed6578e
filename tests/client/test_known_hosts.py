"""Known servers: trusted when first seen, refused when their key changes, never spoken to in plain after TLS."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from chatroom.client import known_hosts
from chatroom.client.errors import Failed
from chatroom.client.known_hosts import KnownHosts, spell

KEY, OTHER = "SHA256:first", "SHA256:other"


def somebody() -> bool:
    """Some authority vouches for it."""
    return True


def nobody() -> bool:
    """None does."""
    return False


@pytest.fixture
def known(tmp_path: Path) -> KnownHosts:
    """A memory with nothing in it yet."""
    return KnownHosts(tmp_path / "state" / "known_servers")


def test_a_server_is_trusted_when_first_seen_and_remembered(known: KnownHosts) -> None:
    assert known.check("chat:8888", KEY, nobody)
    assert not known.check("chat:8888", KEY, nobody)
    assert known.path.read_text() == f"chat:8888 {KEY} key\n"
    assert known.path.stat().st_mode & 0o777 == 0o600
    assert known.path.parent.stat().st_mode & 0o777 == 0o700


def test_the_authorities_are_asked_only_when_it_matters(known: KnownHosts) -> None:
    asked: list[str] = []
    for key in (KEY, KEY, OTHER, OTHER):
        known.check("chat:8888", key, lambda key=key: not asked.append(key))  # type: ignore[misc]
    assert asked == [KEY, OTHER]


def test_another_key_is_refused_with_both_and_how_to_accept_it(known: KnownHosts) -> None:
    known.check("[::1]:8888", KEY, nobody)
    with pytest.raises(Failed, match="a different key") as caught:
        known.check("[::1]:8888", OTHER, nobody)
    assert caught.value.hopeless
    for part in (KEY, OTHER, "somebody may be intercepting the connection", "--accept-new-key ::1 8888"):
        assert part in caught.value.why
    assert known.fingerprint("[::1]:8888") == KEY


def test_another_port_is_another_server(known: KnownHosts) -> None:
    known.check("chat:8888", KEY, nobody)
    assert known.check("chat:8889", OTHER, nobody)


def test_a_server_that_an_authority_vouched_for_may_renew_its_key(known: KnownHosts) -> None:
    known.check("chat:8888", KEY, somebody)
    assert known.path.read_text() == f"chat:8888 {KEY} ca\n"
    assert not known.check("chat:8888", OTHER, somebody)
    assert known.path.read_text() == f"chat:8888 {OTHER} ca\n"
    with pytest.raises(Failed, match="a different key") as caught:
        known.check("chat:8888", KEY, nobody)
    assert "authority" not in caught.value.why
    assert not known.check("chat:8888", OTHER, nobody), "the same key is the same server, also when it has expired"


def test_a_key_that_nobody_vouched_for_is_not_replaced_by_whom_an_authority_vouches_for(known: KnownHosts) -> None:
    known.check("chat:8888", KEY, nobody)
    with pytest.raises(Failed, match="A public authority vouches for the new key, but none did for the") as caught:
        known.check("chat:8888", OTHER, somebody)
    assert caught.value.hopeless
    assert "--accept-new-key chat 8888" in caught.value.why
    assert known.path.read_text() == f"chat:8888 {KEY} key\n"
    known.remember("chat:8888", OTHER, vouched=True)
    assert not known.check("chat:8888", KEY, somebody), "accepted on purpose, it is a server of the other kind"


@pytest.mark.parametrize(("vouched", "kind"), [(somebody, "ca"), (nobody, "key")])
def test_an_older_line_gets_its_kind_when_its_key_matches(
    known: KnownHosts, vouched: Callable[[], bool], kind: str
) -> None:
    known.path.parent.mkdir()
    known.path.write_text(f"chat:8888 {KEY}\nother:1 {KEY}\n")
    assert not known.check("chat:8888", KEY, vouched)
    assert known.path.read_text() == f"other:1 {KEY}\nchat:8888 {KEY} {kind}\n"


def test_an_older_line_of_another_key_counts_as_one_that_nobody_vouched_for(known: KnownHosts) -> None:
    known.path.parent.mkdir()
    known.path.write_text(f"chat:8888 {KEY}\n")
    with pytest.raises(Failed, match="a different key"):
        known.check("chat:8888", OTHER, somebody)
    assert known.path.read_text() == f"chat:8888 {KEY}\n"


def test_a_right_key_is_let_in_though_its_kind_cannot_be_written(
    known: KnownHosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    known.path.parent.mkdir()
    known.path.write_text(f"chat:8888 {KEY}\n")

    def full(path: Path, text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(known_hosts, "write_private", full)
    assert not known.check("chat:8888", KEY, nobody)
    with pytest.raises(Failed, match="No space left"):
        known.check("other:1", KEY, nobody)


def test_of_two_keys_that_come_first_at_the_same_time_one_counts(known: KnownHosts) -> None:
    def meanwhile() -> bool:
        """Another client meets the server while ours asks the authorities."""
        known.remember("chat:8888", KEY, vouched=False)
        return True

    with pytest.raises(Failed, match="a different key"):
        known.check("chat:8888", OTHER, meanwhile)
    assert known.path.read_text() == f"chat:8888 {KEY} key\n"


def meet_many(path: Path, name: str) -> None:
    """Be one of several clients."""
    for port in range(1, 21):
        KnownHosts(path).check(f"{name}:{port}", KEY, nobody)


def test_clients_that_meet_servers_at_the_same_time_forget_none(known: KnownHosts) -> None:
    context = multiprocessing.get_context("fork")
    clients = [context.Process(target=meet_many, args=(known.path, name)) for name in ("one", "two", "three")]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert len(known.path.read_text().splitlines()) == 60


def test_plain_text_is_refused_once_tls_was_seen(known: KnownHosts) -> None:
    known.allow_plain("chat:8888")
    known.check("chat:8888", KEY, nobody)
    with pytest.raises(Failed, match="remove its line") as caught:
        known.allow_plain("chat:8888")
    assert caught.value.hopeless


def test_comments_and_other_servers_are_kept(known: KnownHosts) -> None:
    known.path.parent.mkdir()
    known.path.write_text(f"# mine\n\nchat:8888 {KEY}\nother:1 {KEY}\n")
    known.remember("chat:8888", OTHER, vouched=False)
    assert known.path.read_text() == f"# mine\n\nother:1 {KEY}\nchat:8888 {OTHER} key\n"


@pytest.mark.parametrize("text", ["chat:8888\n", "chat:8888 MD5:x\n", "a b c\n", f"a {KEY} CA\n", f"a {KEY} ca key\n"])
def test_a_broken_file_is_named_with_its_line_and_left_alone(known: KnownHosts, text: str) -> None:
    known.path.parent.mkdir()
    known.path.write_text(f"# mine\n{text}")
    with pytest.raises(Failed, match="known_servers, line 2"):
        known.check("chat:8888", KEY, somebody)
    assert known.path.read_text() == f"# mine\n{text}"


def test_a_file_that_cannot_be_read_trusts_nobody(known: KnownHosts) -> None:
    known.path.mkdir(parents=True)
    with pytest.raises(Failed, match="cannot be read"):
        known.check("chat:8888", KEY, nobody)


def test_servers_are_spelled_one_way() -> None:
    assert spell("Chat.Example", 8888) == "chat.example:8888"
    assert spell("::1", 8888) == "[::1]:8888"
    assert spell("FE80::1%Lan0", 8888) == "[fe80::1%Lan0]:8888"


def test_who_cannot_remember_is_told_where_else_it_could_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Failed, match=r"File exists; give a folder that can be written by XDG_STATE_HOME$"):
        KnownHosts(tmp_path / "file" / "known_servers").remember("chat.example:8888", KEY, vouched=False)
