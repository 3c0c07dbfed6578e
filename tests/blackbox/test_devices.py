"""One account on several devices: the real client from one and from two state folders, and each device's own mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from blackbox.daemon import Daemon, Log, Peer
from blackbox.piped import Folder

MAKE = "/register alice secret-1\n/logout\n"


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon."""
    with Daemon(tmp_path, "--no-announce") as started:
        yield started


class Piped:
    """A client of alice's in a pipe, in the lobby."""

    def __init__(self, folder: Folder, daemon: Daemon, name: str) -> None:
        self.process = folder.start("localhost", daemon.port, "--plain")
        self.log = Log(self.process.stdout, folder.path / f"{name}.log")
        self.type("/login alice secret-1")
        self.log.wait_for("You are logged in as alice")
        self.type("/join lobby")
        self.log.wait_for("Current users: alice$")

    def type(self, line: str) -> None:
        """Give it a line."""
        self.process.stdin.write(f"{line}\n".encode())
        self.process.stdin.flush()

    def end(self) -> str:
        """End its input; return what it says on stderr."""
        self.process.stdin.close()
        assert self.process.wait() == 0
        self.log.finish()
        return str(self.process.stderr.read().decode())


def on(daemon: Daemon, device: str, tab: str = "", user: str = "alice", do: str = "login") -> Peer:
    """Return a program on a device that has asked to log in."""
    peer = daemon.connect()
    peer.record(do="hello", version=1, device=device, tab=tab, ref=1)
    peer.event(event="welcome", re=1)
    peer.record(do=do, user=user, password="secret-1", ref=2)
    return peer


def private(peer: Peer) -> dict[str, Any]:
    """Return the next record, a private message."""
    return peer.event(event="private", by="bob")


def test_clients_from_one_folder_and_from_two_live_side_by_side(tmp_path: Path, daemon: Daemon) -> None:
    folders = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        folders.append(Folder(tmp_path / name))
    assert folders[0].run(MAKE, "localhost", daemon.port, "--plain")[0] == 0
    clients = [
        Piped(folder, daemon, f"client-{number}") for number, folder in enumerate((folders[0], folders[0], folders[1]))
    ]
    clients[0].type("hello from the first")
    for client in clients:
        client.log.wait_for("alice: hello from the first")
    clients[2].type("hello from the third")
    for client in clients:
        client.log.wait_for("alice: hello from the third")
    said = [client.end() for client in clients]
    linked, locked = sorted(said[:2], key=lambda words: "your keys are in use" in words)  # one of both has the keys
    assert "a device that calls itself" in linked
    assert "waits to be linked" in linked
    assert "your keys are in use by process" in locked
    assert "this device is not linked" in said[2]
    files = [folder.path / "state" / "chatroom" / "device" for folder in folders]
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600]
    assert len({file.read_text() for file in files}) == 2
    for folder in folders:
        folder.close()


def test_the_ninth_device_is_refused_and_a_second_telnet(daemon: Daemon) -> None:
    first = on(daemon, "device-1", do="register")
    first.event(event="account", re=2, name="alice")
    others = [on(daemon, f"device-{number}") for number in range(2, 9)]
    for other in others:
        other.event(event="account", re=2, name="alice")
    on(daemon, "device-9").event(event="error", re=2, code="too-many-devices")
    on(daemon, "device-8", "another-tab").event(event="account", re=2)
    one, two = daemon.connect(), daemon.connect()
    one.say("/login alice secret-1")
    one.greeted()
    one.until(lambda line: line.startswith("Users online"))
    two.say("/login alice secret-1")
    two.greeted()
    two.expect("Error: alice is already logged in.", "Type /takeover to end that session and log in here.")
    for other in (first, *others):
        other.record(do="pong", ref="marker")
        *before, _ = other.until(lambda line: '"marker"' in line)
        assert before, "whoever is in the way is pinged"
        assert set(before) == {'{"event":"ping"}'}
    on(daemon, "device-3").event(event="account", re=2)
    others[1].event(event="error", code="session-taken-over")
    others[1].eof()


def test_a_device_that_was_away_gets_its_mail_also_after_a_crash(tmp_path: Path) -> None:
    with Daemon(tmp_path, "--no-announce") as daemon:
        bob = on(daemon, "phone", user="bob", do="register")
        bob.event(event="account", re=2)
        laptop = on(daemon, "laptop", do="register")
        laptop.event(event="account", re=2)
        phone = on(daemon, "phone")
        phone.event(event="account", re=2)
        for device in (laptop, phone):
            device.no_more_events()
        laptop.reset()
        for number in range(3):
            bob.record(do="message", user="alice", text=f"message {number}", ref=number)
            bob.event(event="sent", re=number)
        seqs = [private(phone)["seq"] for _ in range(3)]
        phone.record(do="ack", seq=seqs[1], ref=9)
        phone.event(event="ok", re=9)
        bob.record(do="message", user="alice", text="after the mark", ref=3)  # stored after it: so the mark is, too
        bob.event(event="sent", re=3)
        phone.event(event="private", text="after the mark")
        phone.reset()
        daemon.kill()
    with Daemon(tmp_path, "--no-announce") as daemon:
        phone, laptop = on(daemon, "phone"), on(daemon, "laptop")
        for device, first in ((phone, 2), (laptop, 0)):
            device.event(event="account", re=2)
            for number in range(first, 3):
                device.event(event="private", text=f"message {number}", late=True)
            device.event(event="private", text="after the mark", late=True)
            device.no_more_events()
