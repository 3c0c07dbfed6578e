"""The real daemon in a process of its own, and clients of it over real sockets.

Nothing here sleeps: what is waited for is an event (a log line, a line from the server, the end of a process), and the
deadline is only ever reached by a test that fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import pytest

# Long enough for a test run under nice on a machine that others keep busy, where a start alone may take ten seconds.
DEADLINE = 60.0  # seconds until a test that waits has failed
STOPS_WITHIN = 20.0  # seconds in which a daemon that is asked to end has ended

ROOT = Path(__file__).resolve().parents[2]
TWISTD = Path(sys.executable).with_name("twistd")

LISTENING = r"listening on \S+ port (\d+)"  # what the daemon says when its door is open
BOUND = r"ChatFactory starting on (\d+)"  # what twistd says a little before, at every --log-level

_PACKAGES = {
    "telnet": "inetutils-telnet",
    "nc": "netcat-openbsd",
    "setsid": "util-linux",
    "prlimit": "util-linux",
    "ssh": "openssh-client",
    "ip": "iproute2",
}
_PACKAGES |= {"ssh-keygen": "openssh-client", "tmux": "tmux", "openssl": "openssl"}
_HEADING = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d\] ")
_ECHO = re.compile(rb"\xff[\xfb\xfc]\x01")  # WILL ECHO, WONT ECHO
_WELCOME = re.compile(r"Welcome to (.+)\. You are (\S+)\.")


def needs(program: str) -> str:
    """Return where the program is; without it the test is skipped, but fails where CI should have installed it."""
    path = shutil.which(program)
    if path is not None:
        return path
    why = f"{program} is missing; it is in Debian's package {_PACKAGES[program]}"
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """Return our environment, but for what names a data folder, with this tree's chatroom and with the changes."""
    kept = {key: value for key, value in os.environ.items() if key not in ("STATE_DIRECTORY", "XDG_STATE_HOME")}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


def run_twistd(folder: Path, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run twistd, which must end by itself.

    Args:
        folder: Where it runs.
        arguments: For twistd.
        changes: Of its environment.
    """
    command = [str(TWISTD), *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(changes), capture_output=True, text=True, timeout=DEADLINE
    )


@contextmanager
def ignored(number: signal.Signals) -> Iterator[None]:
    """Let what is started meanwhile inherit that the signal is ignored, as in the background of a script."""
    before = signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(number, before)


class Log:
    """What a process says, kept line by line also in a file; who waits for a line is woken when it comes.

    Args:
        stream: The process's output; it is read on a thread, so that the process never waits for us.
        path: The file.
    """

    def __init__(self, stream: IO[bytes], path: Path) -> None:
        self.path = path
        self._lines: list[str] = []
        self._ended = False
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(stream,), name="log-of-daemon", daemon=True)
        self._thread.start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Return the first match in a line that is there or comes."""
        deadline = time.monotonic() + DEADLINE
        seen = 0
        with self._news:
            while True:
                for line in self._lines[seen:]:
                    if match := re.search(pattern, line):
                        return match
                seen = len(self._lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    raise AssertionError(f"nothing like {pattern!r} in the log:\n{self.text}")
                self._news.wait(left)

    @property
    def text(self) -> str:
        """What has been said up to now; everything once the process has ended and ``finish`` returned."""
        return "".join(self._lines)

    @property
    def lines(self) -> list[str]:
        """The same by lines; split at line feeds alone, as whoever reads the file does."""
        return self.text.split("\n")

    def finish(self) -> None:
        """Return when all that the ended process said is here."""
        self._thread.join(DEADLINE)
        assert not self._thread.is_alive(), "somebody still holds the daemon's output open"

    def _read(self, stream: IO[bytes]) -> None:
        with stream, self.path.open("wb") as file:
            for line in stream:
                file.write(line)
                file.flush()
                with self._news:
                    self._lines.append(line.decode("utf-8", "backslashreplace"))
                    self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


def _followed(path: Path, pid: int) -> subprocess.Popen[bytes]:
    """Return a process that gives what another one writes to a file, until that one has ended."""
    path.touch()
    command = [needs("tail"), "-n", "+1", "-F", f"--pid={pid}", str(path)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


class Daemon:
    """``twistd -n chatroom`` in its own process, listening on 127.0.0.1, with no limit on how fast one may speak.

    As a context manager it closes its clients, stops well (SIGTERM, status 0) and must not have logged an error; when
    the test has failed it is just killed.

    Args:
        folder: The test's folder. The daemon runs there; its data is in ``data``, its log in ``daemon-N.log``.
        options: Come last, so they win over those given here.
        keep: Give it ``--data``; without, it decides by itself where its data is.
        paced: Leave it to ``--config``, or the default, how fast one may speak.
        ready: The log line after which clients may come; its group is the port.
        twistd: Options of twistd itself.
        descriptors: The most it may have open; 0 for what the system allows.
        within: What its command begins with, as for another machine; see ``Machines.within``.
        logfile: Where it writes its log with ``--logfile``; what it still says otherwise goes to ``said`` beside it.
        changes: Of its environment.
    """

    def __init__(
        self,
        folder: Path,
        *options: str,
        keep: bool = True,
        paced: bool = False,
        ready: str = LISTENING,
        twistd: Sequence[str] = (),
        descriptors: int = 0,
        within: Sequence[str] = (),
        logfile: Path | None = None,
        **changes: str,
    ) -> None:
        self.data = folder / "data"
        self._peers: list[Peer] = []
        twistd = [*twistd, *(["--logfile", str(logfile)] if logfile is not None else [])]
        command = [str(TWISTD), "-n", "--pidfile=", *twistd, "chatroom", "--port", "0", "--interface", "127.0.0.1"]
        command += [] if paced else ["--rate", "0"]
        command += [*(["--data", str(self.data)] if keep else []), *options]
        if descriptors:
            command = [needs("prlimit"), f"--nofile={descriptors}", *command]
        command = [*within, *command]
        said: Any = subprocess.PIPE if logfile is None else logfile.with_name("said").open("wb")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment(changes),
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        self.pid = self._process.pid
        self._writes = self._process
        if logfile is not None:
            said.close()
            self._writes = _followed(logfile, self.pid)
        assert self._writes.stdout is not None
        self.log = Log(self._writes.stdout, folder / f"daemon-{self.pid}.log")
        try:
            self.port = int(self.log.wait_for(ready)[1])
        except BaseException:
            self.kill()
            raise

    # ---- the end ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def send_signal(self, number: int) -> None:
        """Send a signal, and wait for nothing."""
        self._process.send_signal(number)

    def wait(self) -> int:
        """Return the exit status; asserts that there soon is one."""
        try:
            status = self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"it has not ended within {STOPS_WITHIN} s:\n{self.log.text}") from None
        self._writes.wait(STOPS_WITHIN)
        self.log.finish()
        return status

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, and return its exit status."""
        self.send_signal(number)
        return self.wait()

    def kill(self) -> None:
        """Let it end at once, as a crash would."""
        self._process.kill()
        self._process.wait()
        self._writes.wait(STOPS_WITHIN)
        self.log.finish()

    def __enter__(self) -> Daemon:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for peer in self._peers:
            peer.close()
        if kind is not None:
            self.kill()
            return
        if self.running:
            status = self.stop()
            assert status == 0, f"exit status {status}:\n{self.log.text}"
        assert "Traceback" not in self.log.text, self.log.text

    # ---- its clients -----------------------------------------------------------------------------------------------

    def connect(self, *, receive_buffer: int = 0) -> Peer:
        """Return a client that has connected and said nothing; it is closed with the daemon."""
        peer = Peer(self.port, receive_buffer=receive_buffer)
        self._peers.append(peer)
        return peer

    def person(self, name: str, room: str = "") -> Peer:
        """Return a person who is called so, is in the room, and has heard all of that.

        Who speaks at once is greeted at once, so none of these waits for the Door to find out who is there.
        """
        peer = self.connect()
        peer.say(f"/name {name}")
        assert _WELCOME.fullmatch(peer.line())
        peer.line()
        peer.expect(f"You are now {name}.")
        peer.name = name
        if room:
            peer.say(f"/join {room}")
            peer.until(lambda line: line.startswith("Current users: "))
        return peer

    def program(self, name: str, room: str = "") -> Peer:
        """Return a program that is called so, is in the room, and has heard all of that."""
        peer = self.connect()
        peer.record(do="hello", version=1, name=name)
        peer.event(event="welcome", you=name)
        peer.name = name
        if room:
            peer.record(do="join", room=room)
            peer.event(event="entered", room=room)
        return peer


class Peer:
    """A blocking client on a bare socket.

    Args:
        port: Of the daemon, on 127.0.0.1.
        receive_buffer: Bytes that the system takes for us while we do not read; 0: as many as it likes.

    Attributes:
        name: Who we are, if we have said so.
    """

    def __init__(self, port: int, *, receive_buffer: int = 0) -> None:
        self.name = ""
        self._socket = socket.socket()
        if receive_buffer:  # before connecting, for it decides about the window
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._socket.settimeout(DEADLINE)
        self._socket.connect(("127.0.0.1", port))
        self._data = b""

    # ---- saying ----------------------------------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        """Send bytes, as they are."""
        self._socket.settimeout(DEADLINE)
        self._socket.sendall(data)

    def say(self, *lines: str) -> None:
        """Send lines, as a person types them, in one packet."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def record(self, **fields: Any) -> None:
        """Send a record, as a program does."""
        self.send(json.dumps(fields).encode() + b"\n")

    def half_close(self) -> None:
        """Say that no more will be said, as ``nc -N`` does at the end of its input; go on listening."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def reset(self) -> None:
        """End the connection as a crash or a pulled plug does, without a goodbye."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self._socket.close()

    # ---- hearing, in words -----------------------------------------------------------------------------------------

    def line(self) -> str:
        """Return the next line, which must end in CR LF; hiding and showing what is typed is no part of it."""
        data, end, rest = self._data.partition(b"\n")
        while not end:
            more = self._receive()
            assert more, f"the connection was closed; before it came {self._data!r}"
            data, end, rest = (self._data + more).partition(b"\n")
            self._data += more
        self._data = rest
        assert data.endswith(b"\r"), f"a line that does not end in CR LF: {data!r}"
        return _ECHO.sub(b"", data[:-1]).decode()

    def expect(self, *lines: str) -> None:
        """Read as many lines; they must be exactly these."""
        heard: list[str] = []
        for _ in lines:
            heard.append(self.line())
            assert heard == list(lines[: len(heard)]), f"{self.name or 'somebody'} heard {heard}\ninstead of {lines}"

    def expect_dated(self, *lines: str) -> None:
        """Read as many lines; they must be these, each after its day and time, as what was said before is shown."""
        heard = [self.line() for _ in lines]
        undated = [_HEADING.sub("", line, count=1) for line in heard]
        assert all(map(_HEADING.match, heard)), f"not all are dated: {heard}"
        assert undated == list(lines), f"{self.name or 'somebody'} heard {heard}\ninstead of {lines}"

    def ask(self, line: str, *answers: str) -> None:
        """Say a line; what is heard next must be exactly this."""
        self.say(line)
        self.expect(*answers)

    def until(self, wanted: Callable[[str], bool]) -> list[str]:
        """Return the lines up to and including the first that is wanted."""
        lines = [self.line()]
        while not wanted(lines[-1]):
            lines.append(self.line())
        return lines

    def greeted(self, server: str = "chatroom") -> list[str]:
        """Return the lines of the greeting after the first, which tells our name."""
        match = _WELCOME.fullmatch(self.line())
        assert match, "not a welcome"
        assert match[1] == server, f"{match[1]} welcomes us instead of {server}"
        self.name = match[2]
        return self.until(lambda line: "/help" in line)

    def nothing_more(self) -> None:
        """Assert that nothing has come but what was read: the answer to a question comes next."""
        self.ask("/hello", f"Hello, {self.name}!")

    # ---- hearing, in records ---------------------------------------------------------------------------------------

    def event(self, **fields: Any) -> dict[str, Any]:
        """Return the next record; it must have these fields, and may have more, which a program would ignore."""
        record: dict[str, Any] = json.loads(self.line())
        seen = {key: record.get(key) for key in fields}
        assert seen == fields, f"{self.name or 'a program'} heard {record}\ninstead of {fields}"
        return record

    def no_more_events(self) -> None:
        """Assert that nothing has come but what was read: the answer to a question comes next."""
        self.record(do="pong", ref="marker")
        self.event(event="ok", re="marker")

    # ---- hearing, in bytes -----------------------------------------------------------------------------------------

    def rest(self) -> bytes:
        """Return all that comes up to the end of the connection, an abrupt one included."""
        data, self._data = self._data, b""
        try:
            while more := self._receive():
                data += more
        except ConnectionResetError:
            pass
        return data

    def eof(self) -> None:
        """Assert that the server says no more and closes."""
        data = self._data + self._receive()
        assert data == b"", f"instead of the end came {data!r}"

    def _receive(self) -> bytes:
        self._socket.settimeout(DEADLINE)
        try:
            return self._socket.recv(65536)
        except TimeoutError:
            raise AssertionError(f"{self.name or 'somebody'} heard nothing more but {self._data!r}") from None
