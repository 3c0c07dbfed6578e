"""Log files that logrotate moves away: the daemon goes on at their paths, told by SIGHUP or by itself."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from blackbox.daemon import LISTENING, STOPS_WITHIN, TWISTD, Log, Peer, environment, needs


@contextmanager
def followed(path: Path) -> Iterator[Log]:
    """Give what is written at a path, whichever file is there."""
    path.touch()
    command = [needs("tail"), "-n", "+1", "-F", str(path)]
    tail = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert tail.stdout is not None
    log = Log(tail.stdout, path.with_suffix(".seen"))
    try:
        yield log
    finally:
        tail.kill()
        tail.wait()
        log.finish()


def test_logs_that_were_moved_go_on_at_their_paths(tmp_path: Path) -> None:
    path, data = tmp_path / "log", tmp_path / "data"
    command = [str(TWISTD), "-n", "--pidfile=", "--logfile", str(path)]
    command += ["chatroom", "--port", "0", "--interface", "127.0.0.1", "--data", str(data)]
    with followed(path) as log, subprocess.Popen(command, cwd=tmp_path, env=environment({})) as process:
        port = int(log.wait_for(LISTENING)[1])
        for moved in (path, data / "audit.log", data / "audit-members.log"):
            moved.rename(moved.with_name(f"{moved.name}.old"))
        process.send_signal(signal.SIGHUP)
        log.wait_for("options read again")
        assert path.exists()
        assert (data / "audit.log").read_text() == (data / "audit-members.log").read_text() == ""
        path.rename(tmp_path / "log.older")
        peer = Peer(port)
        peer.greeted()
        log.wait_for(f"{peer.name} connected")
        peer.close()
        process.terminate()
        assert process.wait(STOPS_WITHIN) == 0
    assert "listening on" in (tmp_path / "log.old").read_text()
    assert "options read again" in (tmp_path / "log.older").read_text()
    assert f"{peer.name} connected" in path.read_text()
