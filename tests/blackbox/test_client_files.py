"""Files by the real client, over TLS: at terminals, in pipes, over lines that are cut, over crashes at either end."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from blackbox.cutting import Cutting
from blackbox.daemon import DEADLINE, Daemon
from blackbox.piped import Folder
from blackbox.windows import CTRL_D, Window

SIZE = 16 * 1024 * 1024
PART = 5 * 1024 * 1024  # bytes after which a connection is cut


@pytest.fixture(scope="module")
def data() -> bytes:
    """What is sent: nothing that could be compressed."""
    return random.Random(5).randbytes(SIZE)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the test's own."""
    with Daemon(tmp_path) as running:
        yield running


def test_at_two_terminals_and_by_telnet(daemon: Daemon, window: Callable[[str], Window], data: bytes) -> None:
    """Everybody is told; who has the client fetches it, and what is there is not overwritten."""
    carol = daemon.person("carol", "lobby")
    ann, bob = window("ann"), window("bob")
    for one in (ann, bob):
        one.start_as(daemon.port, one.name, "--room", "lobby", plain=False)
        carol.expect(f"{one.name} has joined the room.")
    (ann.folder / "my notes.txt").write_bytes(data)
    (bob.folder / "my notes.txt").write_text("bob's own")
    ann.type("half a line")
    ann.press("C-a")
    ann.enter("/send my notes.txt")  # sends "/send my notes.txthalf a line": there is no such file
    ann.until(lambda rows: any("there is no file my notes.txthalf a line." in row for row in rows))
    ann.enter("/send my notes.txt")
    carol.expect("ann shares my notes.txt (17 MB): /get 1")
    carol.ask("/get 1", "Files are fetched with chatroom-client: /get 1 there.")
    bob.enter("/get 1")
    bob.see("-- fetched my notes (1).txt (17 MB, SHA-256 checked).", "[lobby]")
    assert (bob.folder / "my notes (1).txt").read_bytes() == data
    assert (bob.folder / "my notes.txt").read_text() == "bob's own"
    bob.enter("/send my notes.txt carol")
    carol.expect("bob shares my notes.txt with you (9 B): /get @1")
    ann.see("ann shares my notes.txt (17 MB): /get 1", "[lobby]")
    for one in (ann, bob):
        one.press(CTRL_D)
        one.is_over()


def test_in_pipes(daemon: Daemon, here: Folder, data: bytes) -> None:
    (here.path / "notes.txt").write_bytes(data)
    daemon.person("carol", "lobby")  # the room and its files stay
    where = ("127.0.0.1", daemon.port, "--room", "lobby", "--name")
    status, out, _ = here.shell("printf '/send notes.txt\\nthere it is\\n' | CLIENT", *where, "ann")
    assert status == 0
    assert out.splitlines()[-2:] == ["ann shares notes.txt (17 MB): /get 1", "ann: there it is"]
    status, out, _ = here.shell("mkdir there && echo /get 1 there | CLIENT", *where, "bob")
    assert status == 0
    assert out.splitlines()[-1] == "fetched there/notes.txt (17 MB, SHA-256 checked)."
    assert (here.path / "there" / "notes.txt").read_bytes() == data
    status, _, err = here.shell("echo /get 1 there/notes.txt | CLIENT", *where, "bob")
    assert status == 1
    assert err.splitlines()[-1].endswith(
        "there is a there/notes.txt already, and it is not overwritten; give another name."
    )


def test_a_file_gets_there_though_the_line_is_cut_three_times(daemon: Daemon, here: Folder, data: bytes) -> None:
    """In both directions; it is not sent anew each time, for then less would be left at the end than there is."""
    (here.path / "notes.txt").write_bytes(data)
    daemon.person("carol", "lobby")
    for name, line, told in (
        ("ann", "/send notes.txt", "ann shares notes.txt (17 MB): /get 1"),
        ("bob", "/get 1 fetched.txt", "fetched fetched.txt (17 MB, SHA-256 checked)."),
    ):
        with Cutting(daemon.port, [PART] * 3) as network:
            status, out, err = here.run(f"{line}\n", "127.0.0.1", network.port, "--room", "lobby", "--name", name)
            assert (status, network.failed) == (0, 3), err
            assert told in out
            assert err.count("connected again") == 3
            assert network.passed < SIZE + 3 * (PART - 1)
    assert (here.path / "fetched.txt").read_bytes() == data


def test_sending_goes_on_after_a_crash_of_the_daemon(tmp_path: Path, here: Folder, data: bytes) -> None:
    (here.path / "notes.txt").write_bytes(data)
    with Daemon(tmp_path) as daemon, Cutting(daemon.port, [PART], stuck=True) as network:
        ann = here.start("127.0.0.1", network.port, "--room", "lobby", "--name", "ann")
        ann.stdin.write(b"/send notes.txt\n")
        ann.stdin.close()
        network.until_failed()
        daemon.kill()
        with Daemon(tmp_path, "--port", str(daemon.port)):
            told = [line.decode().rstrip() for line in ann.stdout]
            assert ann.wait(DEADLINE) == 0, ann.stderr.read()
            assert told[-1] == "ann shares notes.txt (17 MB): /get 1"
            assert network.passed < SIZE + PART, "it was sent anew"


def test_fetching_goes_on_after_a_crash_of_the_client(daemon: Daemon, here: Folder, data: bytes) -> None:
    (here.path / "notes.txt").write_bytes(data)
    daemon.person("carol", "lobby")
    assert here.run("/send notes.txt\n", "127.0.0.1", daemon.port, "--room", "lobby", "--name", "ann")[0] == 0
    fetch = "/get 1 fetched.txt\n"
    with Cutting(daemon.port, [PART], stuck=True) as network:
        where = ("127.0.0.1", network.port, "--room", "lobby", "--name")
        bob = here.start(*where, "bob")
        bob.stdin.write(fetch.encode())
        bob.stdin.flush()
        network.until_failed()
        bob.kill()
        bob.wait()
        assert not (here.path / "fetched.txt").exists()
        status, lines, err = here.run(fetch, *where, "bob")
        assert status == 0, err
        assert lines[-1] == "fetched fetched.txt (17 MB, SHA-256 checked)."
        assert network.passed < SIZE + PART, "it was fetched anew"
    assert (here.path / "fetched.txt").read_bytes() == data
    assert [path.name for path in here.path.iterdir() if path.suffix == ".part"] == []
