"""A pid file that is there already: the data folder's lock decides whether the daemon starts, not the pid file."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from blackbox.daemon import DEADLINE, TWISTD, Daemon, environment, run_twistd
from blackbox.operations.running import twistd

WITH_PID_FILE = ("--pidfile", "twistd.pid")  # twistd's default, which the other tests turn off


def in_background(folder: Path, port: int = 0) -> list[str]:
    """Return the arguments that start a daemon in the background."""
    files = [*WITH_PID_FILE, "--logfile", str(folder / "log")]
    return [*files, "chatroom", "--port", str(port), "--interface", "127.0.0.1", "--data", str(folder / "data")]


def ended() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


@pytest.mark.parametrize("text", [str(ended()), "", "1"])
def test_a_stale_file_is_written_over_and_removed_at_the_end(tmp_path: Path, text: str) -> None:
    """Also when its number was given to another process meanwhile, as 1 is here: the file is older than that."""
    path = tmp_path / "twistd.pid"
    path.write_text(text)
    os.utime(path, (1_000_000_000, 1_000_000_000))
    with Daemon(tmp_path, twistd=WITH_PID_FILE) as daemon:
        daemon.person("al").nothing_more()
        assert path.read_text() == str(daemon.pid)
    assert not path.exists()


@pytest.mark.parametrize("text", [str(os.getpid()), "Dear diary,"])
def test_a_file_of_others_is_left_alone_and_the_daemon_starts(tmp_path: Path, text: str) -> None:
    """The log says why there is no pid file."""
    path = tmp_path / "twistd.pid"
    path.write_text(text)
    with Daemon(tmp_path, twistd=WITH_PID_FILE) as daemon:
        daemon.person("al").nothing_more()
        daemon.log.wait_for(
            rf"no pid file is written: {path} (names process {os.getpid()}, which is running|is no pid)"
        )
    assert path.read_text() == text


def test_a_file_with_the_number_that_the_daemon_itself_gets_is_stale(tmp_path: Path) -> None:
    """As in a container, where each start gets the number of the one before."""
    options = ["chatroom", "--port", "0", "--interface", "127.0.0.1", "--ephemeral"]
    script = 'echo $$ >twistd.pid; exec "$@"'
    command = ["sh", "-c", script, "sh", str(TWISTD), "-n", *options]
    with subprocess.Popen(command, cwd=tmp_path, env=environment({}), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert any("listening on" in line for line in process.stdout), "it has ended"
        process.terminate()
        process.stdout.read()
        assert process.wait(DEADLINE) == 0


def test_a_daemon_that_runs_keeps_its_file_and_its_folder(tmp_path: Path) -> None:
    """The second one is told which folder is in use, not which pid file is there."""
    with Daemon(tmp_path, twistd=WITH_PID_FILE) as daemon:
        options = ("chatroom", "--port", "0", "--data", str(daemon.data))
        for flags in (["-n"], []):
            done = run_twistd(tmp_path, *flags, *options)
            assert done.returncode == 1
            assert done.stderr.startswith(f"chatroom: the data folder {daemon.data} is in use by another")
        assert (tmp_path / "twistd.pid").read_text() == str(daemon.pid)


def test_in_the_background_a_file_of_others_is_refused(tmp_path: Path) -> None:
    """For nobody could stop that daemon by its pid file."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        (tmp_path / "twistd.pid").write_text(str(stranger.pid))
        done = run_twistd(tmp_path, *in_background(tmp_path))
        stranger.communicate(b"\n")
    assert done.returncode == 1
    assert f"twistd.pid names process {stranger.pid}, which is running; give another: twistd --pidfile" in done.stderr
    assert (tmp_path / "twistd.pid").read_text() == str(stranger.pid)


def test_in_the_background_a_stale_file_is_written_over_and_stops_the_daemon(tmp_path: Path) -> None:
    """By the number in it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    path = tmp_path / "twistd.pid"
    path.write_text(str(ended()))
    assert twistd(tmp_path, *in_background(tmp_path, port)) == ""
    process = os.pidfd_open(int(path.read_text()))
    try:
        signal.pidfd_send_signal(process, signal.SIGTERM)
        assert select.select([process], [], [], DEADLINE)[0], "it has not ended"
    finally:
        os.close(process)
    assert not path.exists()
