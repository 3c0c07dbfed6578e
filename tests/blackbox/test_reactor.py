"""Which reactor twistd runs the daemon with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from blackbox import daemon
from blackbox.daemon import Daemon

CLASSES = {
    "select": "twisted.internet.selectreactor.SelectReactor",
    "poll": "twisted.internet.pollreactor.PollReactor",
    "epoll": "twisted.internet.epollreactor.EPollReactor",
}


def reactor_of(running: Daemon) -> str:
    """Return the class of the reactor that twistd says it uses, after two users have talked through it."""
    alice, bob = running.person("alice", "lobby"), running.program("bob", "lobby")
    alice.expect("bob has joined the room.")
    bob.record(do="say", text="hello")
    alice.expect("bob: hello")
    return running.log.wait_for(r"reactor class: (\S+)\.$")[1]


def test_the_daemon_has_a_reactor_of_its_own(tmp_path: Path) -> None:
    with Daemon(tmp_path) as running:
        assert reactor_of(running) == "chatroom.daemon.reactor.DirectReactor"


@pytest.mark.parametrize("name", CLASSES)
def test_the_reactor_that_twistd_is_asked_for_is_used(tmp_path: Path, name: str) -> None:
    with Daemon(tmp_path, twistd=["--reactor", name]) as running:
        assert reactor_of(running) == CLASSES[name]


def test_without_epoll_the_reactor_is_the_one_that_twisted_chooses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = tmp_path / "twistd"
    without.write_text(
        f"#!{sys.executable}\nimport select\ndel select.epoll\nfrom twisted.scripts.twistd import run\nrun()\n"
    )
    without.chmod(0o755)
    monkeypatch.setattr(daemon, "TWISTD", without)
    with Daemon(tmp_path) as running:
        assert reactor_of(running) == CLASSES["poll"]
