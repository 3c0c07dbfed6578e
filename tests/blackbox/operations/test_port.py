"""The port: taken before anything else is done, given back at the end."""

from __future__ import annotations

import os
import select
import signal
import socket
from contextlib import closing
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, Daemon, Peer, run_twistd
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


def test_it_runs_in_the_background_as_well(tmp_path: Path) -> None:
    """twistd without ``-n`` returns when the daemon is up, which then ends by SIGTERM as ever."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    files = ["--pidfile", str(tmp_path / "pid"), "--logfile", str(tmp_path / "log")]
    options = ["--port", str(port), "--interface", "127.0.0.1", "--data", str(tmp_path / "data")]
    assert twistd(tmp_path, *files, "chatroom", *options) == ""
    process = os.pidfd_open(int((tmp_path / "pid").read_text()))
    try:
        with closing(Peer(port)) as al:
            al.greeted()
            al.ask("/join lobby", "Welcome to room lobby!", f"Current users: {al.name}")
            al.ask("hi", f"{al.name}: hi")
            signal.pidfd_send_signal(process, signal.SIGTERM)
            al.expect(SHUTDOWN)
            al.eof()
        assert select.select([process], [], [], DEADLINE)[0], "it has not ended"
    finally:
        os.close(process)
    assert not (tmp_path / "pid").exists()
