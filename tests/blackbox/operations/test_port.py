"""The port: taken before anything else is done, given back at the end."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, TWISTD, Daemon, Peer, environment, run_twistd
from blackbox.operations.running import SHUTDOWN, refusal, twistd


@pytest.mark.parametrize("interface", ["127.0.0.1", ""])
def test_a_port_that_is_in_use_is_named(daemon: Daemon, tmp_path: Path, interface: str) -> None:
    """And what to do about it; whoever has the port keeps it."""
    al = daemon.person("al")
    options = ("--port", str(daemon.port), "--interface", interface, "--data", str(tmp_path / "other"))
    sentence = refusal(tmp_path, *options)
    assert f"port {daemon.port}" in sentence
    assert "in use" in sentence
    al.nothing_more()


def needs_ipv6() -> None:
    """Skip the test where there is no IPv6, not even on the loopback."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"this system has no IPv6: {error}")


def test_a_port_that_somebody_has_by_ipv6_alone_is_in_use(tmp_path: Path) -> None:
    """Else half of those who come by the server's name would find somebody else there, and nobody would know why."""
    needs_ipv6()
    with socket.create_server(("::", 0), family=socket.AF_INET6) as squatter:
        port = squatter.getsockname()[1]
        sentence = refusal(tmp_path, "--port", str(port), "--interface", "", "--ephemeral")
    assert f"port {port}" in sentence
    assert "in use" in sentence


def test_it_listens_on_all_addresses_when_none_is_given(tmp_path: Path) -> None:
    """By IPv4 and by IPv6."""
    needs_ipv6()
    with Daemon(tmp_path, "--interface", "") as daemon:
        daemon.person("al").nothing_more()
        with socket.create_connection(("::1", daemon.port), DEADLINE) as client:
            client.sendall(b"/quit\n")
            assert client.recv(8) == b"Welcome "


def test_in_the_background_a_port_that_is_in_use_is_named_as_well(daemon: Daemon, tmp_path: Path) -> None:
    """Whoever starts it so is told at once, and no pidfile stays to mislead anybody."""
    pidfile, logfile = tmp_path / "pid", tmp_path / "log"
    files = ["--pidfile", str(pidfile), "--logfile", str(logfile)]
    options = ["--port", str(daemon.port), "--interface", "127.0.0.1", "--data", str(tmp_path / "other")]
    result = run_twistd(tmp_path, *files, "chatroom", *options)
    assert result.returncode > 0
    assert f"port {daemon.port}" in result.stderr
    assert not pidfile.exists()


@contextmanager
def ending(pid: int) -> Iterator[int]:
    """Give a handle of a daemon in the background; at the end it is told to end, and must have done so."""
    process = os.pidfd_open(pid)
    try:
        yield process
        signal.pidfd_send_signal(process, signal.SIGTERM)
        assert select.select([process], [], [], DEADLINE)[0], "it has not ended"
    finally:
        os.close(process)


def free_port() -> int:
    """Return a port that was free just now."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
    return port


def test_it_runs_in_the_background_as_well(tmp_path: Path) -> None:
    """twistd without ``-n`` returns when the daemon is up, which then ends by SIGTERM as ever."""
    port = free_port()
    files = ["--pidfile", str(tmp_path / "pid"), "--logfile", str(tmp_path / "log")]
    options = ["--port", str(port), "--interface", "127.0.0.1", "--data", str(tmp_path / "data")]
    assert twistd(tmp_path, *files, "chatroom", *options) == ""
    with closing(Peer(port)) as al:
        with ending(int((tmp_path / "pid").read_text())):
            al.greeted()
            al.ask("/join lobby", "Welcome to room lobby!", f"Current users: {al.name}")
            al.ask("hi", f"{al.name}: hi")
        al.expect(SHUTDOWN)
        al.eof()
    assert not (tmp_path / "pid").exists()


def test_it_runs_in_the_background_when_whoever_starts_it_has_closed_what_it_would_inherit(tmp_path: Path) -> None:
    """Else the lock, or the port, would be where twistd puts /dev/null for input and output."""
    port = free_port()
    files = ["--pidfile", "pid", "--logfile", "log"]
    options = ["--port", str(port), "--interface", "127.0.0.1", "--data", "data"]
    command = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", str(TWISTD), *files, "chatroom", *options]
    assert subprocess.run(command, cwd=tmp_path, env=environment({}), timeout=DEADLINE, check=False).returncode == 0
    with ending(int((tmp_path / "pid").read_text())):
        with closing(Peer(port)) as al:
            al.greeted()
        assert "in use by another" in refusal(tmp_path, "--data", str(tmp_path / "data"))
    assert "Traceback" not in (tmp_path / "log").read_text()
