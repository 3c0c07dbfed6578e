"""The real daemon, and many clients for it that one loop in the test's own thread serves.

Nothing here sleeps: everything waits for an event, and a deadline serves only to fail.
"""

from __future__ import annotations

import json
import os
import re
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

PATIENCE = 30.0  # seconds until a wait has failed
STOP_IN = 20.0

_TWISTD = Path(sys.executable).with_name("twistd")
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, for no time: close sends RST


class Daemon:
    """A chatroom daemon, started and listening. A context manager, so that none outlives its test.

    Args:
        data: Its folder for what lasts.
        options: More options of ``twistd chatroom``.

    Attributes:
        port: Where it listens, on 127.0.0.1.
        log: The lines that it has logged so far.
    """

    def __init__(self, data: Path, *options: str) -> None:
        command = [str(_TWISTD), "-n", "--pidfile=", "chatroom", "--port", "0", "--interface", "127.0.0.1"]
        command += ["--data", str(data), "--rate", "0", *options]
        self.log: list[str] = []
        self._news = threading.Condition()
        # A pipe, for a log file would be held to the limits that tests set.
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()
        try:
            self.port = int(self.wait_for_log(r"listening on \S+ port (\d+)")[1])
        except BaseException:
            self.kill()
            raise

    def __enter__(self) -> Daemon:
        return self

    def __exit__(self, *error: object) -> None:
        if self.alive:
            self.stop()

    # ---- its end -----------------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it in good order; fail if it does not end well."""
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(STOP_IN)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the daemon did not stop in {STOP_IN} s; it logged {self.log[-20:]}") from None
        self._close()
        assert status == 0, f"the daemon ended with status {status}; it logged {self.log[-20:]}"

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        self._reader.join(STOP_IN)
        self._process.stdout.close()  # type: ignore[union-attr]

    # ---- its log -----------------------------------------------------------------------------------------------

    def _read_log(self) -> None:
        """On a thread of its own, so that a full pipe never holds the daemon up."""
        for line in self._process.stdout:  # type: ignore[union-attr]
            with self._news:
                self.log.append(line.decode("utf-8", "replace").rstrip())
                self._news.notify_all()
        with self._news:
            self.log.append("(the end of the log)")
            self._news.notify_all()

    def wait_for_log(self, pattern: str) -> re.Match[str]:
        """Return where the first line matches that ever did or will."""
        wanted = re.compile(pattern)
        with self._news:
            self._news.wait_for(lambda: self._found(wanted) or "(the end of the log)" in self.log, PATIENCE)
            found = self._found(wanted)
        assert found, f"the daemon never logged {pattern!r} but {self.log[-20:]}"
        return found

    def _found(self, wanted: re.Pattern[str]) -> re.Match[str] | None:
        return next((match for line in self.log if (match := wanted.search(line))), None)

    def troubles(self) -> list[str]:
        """Return what it logged as an error, and tracebacks."""
        return [line for line in self.log if re.search(r"#(error|critical)|Traceback|Unhandled", line)]

    # ---- what it uses ------------------------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def descriptors(self) -> int:
        """Return how many files it has open."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident(self) -> int:
        """Return the bytes of memory that it holds."""
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * resource.getpagesize()

    def limit(self, which: int, soft: int) -> None:
        """Set one of its resource limits; the hard one stays, so that it can be raised again."""
        hard = resource.prlimit(self.pid, which)[1]
        resource.prlimit(self.pid, which, (hard if soft == resource.RLIM_INFINITY else soft, hard))


class Client:
    """One connection. Made by a Crowd; whatever waits serves all connections of the crowd meanwhile.

    Args:
        crowd: Serves it.
        receive_buffer: Bytes of the socket's receive buffer; 0 leaves it to the system.

    Attributes:
        heard: The lines that have come and were not yet taken.
        ended: The daemon has closed the connection, or it was lost.
    """

    def __init__(self, crowd: Crowd, receive_buffer: int = 0) -> None:
        self.crowd = crowd
        self.heard: list[str] = []
        self.ended = False
        self._tail = b""
        self._unsent = b""
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.connect(("127.0.0.1", crowd.port))
        self.socket.setblocking(False)

    # ---- saying ------------------------------------------------------------------------------------------------

    def say(self, *lines: str) -> None:
        """Send lines, as a person types them."""
        self.send("".join(f"{line}\r\n" for line in lines).encode())

    def record(self, **fields: Any) -> None:
        """Send a record."""
        self.send(json.dumps(fields).encode() + b"\n")

    def send(self, data: bytes) -> None:
        """Send bytes; what does not fit now goes when it does."""
        self._unsent += data
        self.flush()

    def flush(self) -> None:
        """Send what waits."""
        try:
            while self._unsent:
                self._unsent = self._unsent[self.socket.send(self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:
            self._unsent, self.ended = b"", True
        self.crowd.watch(self, writing=bool(self._unsent))

    # ---- hearing -----------------------------------------------------------------------------------------------

    def read(self) -> None:
        """Read what is there."""
        try:
            data = self.socket.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        *lines, self._tail = (self._tail + data).split(b"\r\n")
        for line in lines:
            self.on_line(line.decode())

    def on_line(self, line: str) -> None:
        """A line has come."""
        self.heard.append(line)

    def take(self) -> list[str]:
        """Return what was heard and not taken yet."""
        lines, self.heard = self.heard, []
        return lines

    def hear(self, *words: str) -> list[str]:
        """Return what comes up to and with the first line that holds one of these words; wait for it."""

        seen = 0

        def found() -> bool:
            nonlocal seen
            while seen < len(self.heard):
                if any(word in self.heard[seen] for word in words):
                    return True
                seen += 1
            return self.ended

        self.crowd.until(found, f"a line with {words}")
        assert seen < len(self.heard), f"the connection ended before a line with {words}; heard {self.heard[-5:]}"
        lines, self.heard = self.heard[: seen + 1], self.heard[seen + 1 :]
        return lines

    def answer(self, do: str, **fields: Any) -> dict[str, Any]:
        """Send a record and return its answer, passing over what else comes meanwhile."""
        ref = self.crowd.next_ref()
        self.record(do=do, ref=ref, **fields)
        answer: dict[str, Any] = json.loads(self.hear(f'"re":{ref}}}')[-1])
        return answer

    def caught_up(self) -> list[str]:
        """Return all that the daemon had to say before it answers a ``/hello`` (a person's) sent now."""
        self.say("/hello")
        return self.hear("Hello, ")[:-1]

    # ---- ending ------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close, in good order if all has been read."""
        self.crowd.ignore(self)
        self.socket.close()
        self.ended = True

    def reset(self) -> None:
        """Close with a RST, whatever is under way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close()


SomeClient = TypeVar("SomeClient", bound=Client)


class Crowd:
    """Connections to one daemon, and the loop that serves them. A context manager; closes them all.

    Args:
        port: Where the daemon listens, on 127.0.0.1.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.clients: set[Client] = set()
        self._selector = selectors.DefaultSelector()
        self._ref = 1000

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *error: object) -> None:
        for client in tuple(self.clients):
            client.close()
        self._selector.close()

    def next_ref(self) -> int:
        """Return a number that no record has carried yet."""
        self._ref += 1
        return self._ref

    # ---- who comes ---------------------------------------------------------------------------------------------

    def add(self, client: SomeClient) -> SomeClient:
        """Serve a client from now on."""
        self.clients.add(client)
        self._selector.register(client.socket, selectors.EVENT_READ, client)
        return client

    def connect(self, receive_buffer: int = 0) -> Client:
        """Return a client that has connected and said nothing."""
        return self.add(Client(self, receive_buffer))

    def person(self, name: str, room: str = "", receive_buffer: int = 0) -> Client:
        """Return a person who is called so, is in the room if there is one, and has heard all of that."""
        client = self.connect(receive_buffer)
        client.say(f"/name {name}")
        client.hear("You are now ")
        if room:
            client.say(f"/join {room}")
            client.hear("Current users: ")
        return client

    def program(self, name: str, room: str = "") -> Client:
        """Return a program that is called so, is in the room if there is one, and has heard all of that."""
        client = self.connect()
        client.record(do="hello", version=1, name=name)
        client.hear('"event":"welcome"')
        if room:
            client.answer("join", room=room)
        return client

    # ---- the loop ----------------------------------------------------------------------------------------------

    def watch(self, client: Client, *, writing: bool) -> None:
        """Look whether the client can be read, and whether it can be written."""
        if client in self.clients:
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if writing else 0)
            if self._selector.get_key(client.socket).events != wanted:
                self._selector.modify(client.socket, wanted, client)

    def ignore(self, client: Client) -> None:
        """Look at the client no more."""
        if client in self.clients:
            self.clients.discard(client)
            self._selector.unregister(client.socket)

    def until(self, done: Callable[[], bool], what: str) -> None:
        """Serve everybody until that is so; fail if it is not within ``PATIENCE``."""
        deadline = time.monotonic() + PATIENCE
        while not done():
            left = deadline - time.monotonic()
            assert left > 0, f"waited {PATIENCE} s in vain for {what}"
            for key, mask in self._selector.select(left):
                if mask & selectors.EVENT_WRITE:
                    key.data.flush()
                if mask & selectors.EVENT_READ:
                    key.data.read()


def history(client: Client, page: int = 200) -> list[dict[str, Any]]:
    """Return all messages of the room that the program is in, the oldest first."""
    return [message for messages in reversed(list(_pages(client, page))) for message in messages]


def _pages(client: Client, page: int) -> Iterator[list[dict[str, Any]]]:
    """Give the newest page first."""
    before: dict[str, int] = {}
    while True:
        answer = client.answer("history", messages=page, **before)
        yield answer["events"]
        if answer["complete"]:
            return
        before = {"before": answer["events"][0]["seq"]}
