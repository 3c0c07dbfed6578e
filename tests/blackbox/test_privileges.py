"""``twistd --uid``: started as root, the daemon is somebody else. Who is not root becomes whom they are already."""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from blackbox.daemon import Daemon, run_twistd
from blackbox.test_tls import SHOWN, SecurePeer
from cryptography import x509
from daemon.test_tls_files import make_pair

from chatroom.model.fingerprint import fingerprint

ROOT = os.geteuid() == 0
UID = 65534 if ROOT else os.geteuid()  # Debian's nobody
BECOME = ("--uid", str(UID))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that anybody may enter, as pytest's own may not be."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def user_of(daemon: Daemon) -> int:
    """Return who the process is."""
    return Path(f"/proc/{daemon.pid}").stat().st_uid


def test_all_that_lasts_is_that_users(folder: Path) -> None:
    """From the first start, and at the second."""
    with Daemon(folder, twistd=BECOME) as daemon:
        assert user_of(daemon) == UID
        SecurePeer(daemon).named("alice", "lobby").ask("hello", "alice: hello")
        key = daemon.log.wait_for(SHOWN)[1]
    kept = [daemon.data, *daemon.data.iterdir()]
    assert {"chat.db", "tls_key.pem", "tls_cert.pem", "lock"} <= {path.name for path in kept}
    assert {(path.stat().st_uid, path.stat().st_mode & 0o077) for path in kept} == {(UID, 0)}
    with Daemon(folder, twistd=BECOME) as again:
        assert SecurePeer(again).fingerprint == key
        bob = again.connect()
        bob.say("/join lobby")
        bob.until(lambda line: line.endswith("] alice: hello"))


def test_a_key_that_only_root_may_read_is_used_and_kept(folder: Path) -> None:
    """It is read before the privileges go; at SIGHUP it cannot be, which is said, and nothing changes."""
    files = make_pair(folder)
    files.key.chmod(0o600)
    with Daemon(folder, "--tls-cert", "cert.pem", "--tls-key", "key.pem", twistd=BECOME) as daemon:
        before = SecurePeer(daemon).fingerprint
        if not ROOT:
            files.key.chmod(0)
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for("the TLS certificate stays as it was: .*key.pem cannot be read: Permission denied")
        assert SecurePeer(daemon).fingerprint == before
        files.key.unlink()
        make_pair(folder)
        if ROOT:
            os.chown(files.key, UID, -1)
        new = fingerprint(x509.load_pem_x509_certificate(files.certificate.read_bytes()))
        daemon.send_signal(signal.SIGHUP)
        daemon.log.wait_for(re.escape(new))
        assert SecurePeer(daemon).fingerprint == new


def test_a_data_folder_of_somebody_elses_is_refused_in_a_sentence(folder: Path) -> None:
    """Not once root has put files into it that the daemon could not use."""
    data = folder / "data"
    data.mkdir(mode=0o700 if ROOT else 0o500)
    done = run_twistd(folder, "-n", "--pidfile=", *BECOME, "chatroom", "--port", "0", "--data", str(data))
    data.chmod(0o700)
    assert done.returncode == 1
    assert done.stderr == f"chatroom: the data folder {data} cannot be used: Permission denied; give another --data\n"
    assert not list(data.iterdir())
