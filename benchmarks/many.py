"""What many users cost: memory, time and CPU to come in, the start, and how long anybody ever waits for the reactor.

    python benchmarks/many.py [--only memory --only gaps ...] [--repeat 3]

The daemon on processor 0, everybody else on processor 1. Prints a table in Markdown. The gap is seen from outside: a
bystander asks ``/hello`` a thousand times a second, on a process of its own that nothing else holds up, and the longest
that it waited for ``Hello`` is the longest that the daemon's reactor was busy with something else. The first such row,
with nothing else going on, says how much of it is the machine's.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import resource
import select
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from ports import free_port

from chatroom.chat.people.passwords import Argon2

PATIENCE = 120.0  # seconds until something has failed
SETTLE = 0.5  # seconds of nothing, before what must not be measured with what comes
QUIET = 5.0  # seconds for which those who do nothing are watched
PAUSE = 0.001  # seconds between a bystander's questions
UNBOUNDED = ("--rate", "0", "--per-address", "0", "--replay", "0", "--sendq", "0")

Row = tuple[str, str]


def main() -> None:
    """Run what is asked for and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=list(PARTS))
    parser.add_argument("--repeat", type=int, default=3, help="times that what varies is measured (3)")
    args = parser.parse_args()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 10_200:
        raise SystemExit(f"10,000 connections need more descriptors than the {hard} that this system allows")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, {1})
    print("| what | measured |")
    print("|---|---|")
    for part in args.only or PARTS:
        for what, measured in PARTS[part](args):
            print(f"| {what} | {measured} |", flush=True)


# ---- the daemon -------------------------------------------------------------------------------------------------


class Server:
    """A daemon that keeps its data in a new folder; a context manager.

    Args:
        processors: The processors it may run on, as for ``taskset``.
        accounts: Lines for ``--accounts``.
        bounds: Options of the daemon; none of its limits hold if not given.
        descriptors: The most descriptors it may have open; as many as the system allows if not given.
        database: Writes the database with which it starts, at the given path; none if not given.
    """

    def __init__(
        self,
        processors: str = "0",
        accounts: str = "",
        bounds: Sequence[str] = UNBOUNDED,
        descriptors: int = 0,
        database: Callable[[Path], None] | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory()
        if database is not None:
            database(Path(self._folder.name) / "chat.db")
        self.port = free_port()
        twistd = [str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "chatroom"]
        bounds = ["--interface", "127.0.0.1", *bounds]
        if accounts:
            path = Path(self._folder.name) / "accounts"
            path.write_text(accounts)
            bounds += ["--accounts", str(path)]
        command = ["taskset", "-c", processors, *twistd, "--port", str(self.port), *bounds]
        command += ["--data", self._folder.name]
        if descriptors:
            command = ["prlimit", f"--nofile={descriptors}", *command]
        self.began = time.monotonic()
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.pid = self._process.pid
        self.first = greeted(self.port)
        self.greeted_after = time.monotonic() - self.began

    def __enter__(self) -> Server:
        time.sleep(SETTLE)
        return self

    def __exit__(self, *error: object) -> None:
        self.first.close()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._folder.cleanup()

    def resident(self) -> int:
        """Return the bytes of memory that it holds."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * resource.getpagesize()

    def cpu(self) -> float:
        """Return the seconds of CPU that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def greeted(port: int) -> socket.socket:
    """Connect as soon as somebody listens; return when greeted."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        client = socket.socket()
        client.settimeout(PATIENCE)
        if client.connect_ex(("127.0.0.1", port)) == 0:
            ask(client)
            return client
        client.close()
        time.sleep(0.001)
    raise SystemExit(f"nothing listens on {port}")


def ask(client: socket.socket) -> None:
    """Say hello and wait for the answer."""
    client.sendall(b"/hello\r\n")
    heard = b""
    while b"Hello, " not in heard:
        data = client.recv(65536)
        if not data:
            raise SystemExit("the daemon has hung up")
        heard = heard[-16:] + data


# ---- everybody else ---------------------------------------------------------------------------------------------


class Crowd:
    """Many people on one loop; they read all, and remember only whether they have heard what they wait for."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._tails: dict[int, bytes] = {}

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *error: object) -> None:
        self.leave()
        self._poll.close()

    def add(self, number: int, first: Callable[[int], bytes] = lambda i: b"") -> None:
        """Connect so many more; each says something at once."""
        for i in range(number):
            client = socket.create_connection(("127.0.0.1", self._port))
            client.setblocking(False)
            self._sockets[client.fileno()] = client
            self._poll.register(client, select.EPOLLIN)
            if data := first(i):
                client.send(data)

    def wait(self, words: bytes, number: int = 1) -> None:
        """Read until everybody has heard the words so many times."""
        waiting = dict.fromkeys(self._sockets, number)
        end = time.monotonic() + PATIENCE
        while waiting:
            if time.monotonic() > end:
                raise SystemExit(f"{len(waiting)} of {len(self._sockets)} never heard {words!r}")
            for fd, _ in self._poll.poll(1):
                count = self._heard(fd, words)
                if count and fd in waiting:
                    waiting[fd] -= count
                    if waiting[fd] <= 0:
                        del waiting[fd]

    def _heard(self, fd: int, words: bytes) -> int:
        data = self._sockets[fd].recv(1 << 20)
        if not data:
            raise SystemExit("the daemon has hung up")
        data = self._tails.get(fd, b"") + data
        end = data.rfind(b"\n") + 1
        self._tails[fd] = data[end:]
        return data.count(words, 0, end)

    def say(self, what: Callable[[int], bytes]) -> None:
        """Let everybody say something."""
        for i, client in enumerate(self._sockets.values()):
            if data := what(i):
                client.send(data)

    def leave(self) -> None:
        """Let everybody hang up."""
        for client in self._sockets.values():
            client.close()
        self._sockets.clear()

    def join(self, number: int, rooms: int) -> None:
        """Let so many more come, and go into the rooms, in turn; return when they are there."""
        self.add(number, lambda i: b"/join room%d\r\n" % (i % rooms))
        self.wait(b"Current users: ")


class Bystander:
    """Asks ``/hello`` all the time while its context lasts, and says how long it had to wait."""

    def __init__(self, port: int) -> None:
        # Not forked: it would hold our connections open, too.
        ours, theirs = multiprocessing.Pipe()
        self._pipe = ours
        self._process = multiprocessing.get_context("spawn").Process(target=stand_by, args=(port, theirs))
        self.waits: list[float] = []

    def __enter__(self) -> Bystander:
        self._process.start()
        self._pipe.recv()
        time.sleep(SETTLE)
        return self

    def __exit__(self, *error: object) -> None:
        self._pipe.send("enough")
        self.waits = self._pipe.recv()
        self._process.join()


def stand_by(port: int, pipe: Connection) -> None:
    """Be a bystander, until told that it is enough; then tell how long each answer took."""
    with contextlib.suppress(PermissionError):  # ahead of whoever else is on this processor
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    client = greeted(port)
    waits = []
    pipe.send("ready")
    while not pipe.poll():
        began = time.perf_counter()
        ask(client)
        waits.append(time.perf_counter() - began)
        time.sleep(PAUSE)
    pipe.send(waits)


# ---- what is measured -------------------------------------------------------------------------------------------


def memory(args: argparse.Namespace) -> Iterator[Row]:
    """Ten to a room. How much of it is holes in the heap depends on how they happened to come: hence several times."""
    found = [joined_memory() for _ in range(args.repeat)]
    yield "memory of the daemon with nobody", f"{statistics.median(before for before, _ in found) / 2**20:.0f} MiB"
    each = [each / 1024 for _, each in found]
    yield (
        "memory per connection, 10,000 joined in 1,000 rooms",
        f"{statistics.median(each):.1f} KiB ({listed(each, 1)})",
    )


def rooms(args: argparse.Namespace) -> Iterator[Row]:
    """A thousand programs of ten to a room: what each takes in one room, and what each of 19 further rooms takes."""
    found = [memory_of_rooms() for _ in range(args.repeat)]
    further = [each for _, each in found]
    yield (
        "memory of a further room per connection, 1,000 programs in 20 rooms each",
        f"{statistics.median(further):.0f} bytes ({listed(further)})",
    )


def memory_of_rooms() -> tuple[float, float]:
    """Return the bytes that each of a thousand programs takes in one room, and in each of 19 further rooms."""
    number, most = 1000, 20

    def join(room: int) -> Callable[[int], bytes]:
        return lambda i: b'{"do":"join","room":"room%d-%d","stay":true}\n' % (room, i % (number // 10))

    with Server() as server, Crowd(server.port) as crowd:
        before = server.resident()
        crowd.add(number, lambda i: b'{"do":"hello","version":1}\n' + join(0)(i))
        crowd.wait(b'"entered"')
        time.sleep(SETTLE)
        one = server.resident()
        for room in range(1, most):
            crowd.say(join(room))
            crowd.wait(b'"entered"')
        time.sleep(SETTLE)
        return (one - before) / number, (server.resident() - one) / number / (most - 1)


def joined_memory() -> tuple[float, float]:
    """Return the bytes that the daemon holds with nobody, and how many more each of ten thousand takes."""
    with Server() as server, Crowd(server.port) as crowd:
        before = server.resident()
        crowd.join(10_000, 1000)
        time.sleep(SETTLE)
        return before, (server.resident() - before) / 10_000


def listed(numbers: list[float], digits: int = 0) -> str:
    """Return the single results of what was measured several times."""
    return ", ".join(f"{number:.{digits}f}" for number in numbers)


def coming(args: argparse.Namespace) -> Iterator[Row]:
    """A hundred to a room, each of whom sees all the others come."""
    with Server() as server, Crowd(server.port) as crowd:
        cpu, began = server.cpu(), time.monotonic()
        crowd.join(5000, 50)
        seconds = time.monotonic() - began
        yield "5,000 connect and join 50 rooms", f"{seconds:.1f} s, {server.cpu() - cpu:.1f} s of CPU"


def start(args: argparse.Namespace) -> Iterator[Row]:
    """From the command to the first greeting, which is a new database, too."""
    times = []
    for _ in range(5):
        with Server() as server:
            times.append(server.greeted_after)
    yield "start to first greeting, median of 5", f"{statistics.median(times):.2f} s"


def gaps(args: argparse.Namespace) -> Iterator[Row]:
    """The longest wait of a bystander while something large happens."""
    for what, happening in GAPS.items():
        found = [happening() for _ in range(args.repeat)]
        worst = [max(bystander.waits) * 1000 for bystander in found]
        usual = statistics.median(wait * 1000 for bystander in found for wait in bystander.waits)
        yield f"longest wait: {what}", f"{statistics.median(worst):.0f} ms ({listed(worst)}; usually {usual:.2f})"


def nothing() -> Bystander:
    """Nothing happens."""
    with Server() as server, Bystander(server.port) as bystander:
        time.sleep(QUIET)
    return bystander


def ten_thousand_lines() -> Bystander:
    """One says ten thousand lines in one packet, to a room of two."""
    with Server() as server, Crowd(server.port) as crowd:
        crowd.join(2, 1)
        with Bystander(server.port) as bystander, socket.create_connection(("127.0.0.1", server.port)) as speaker:
            speaker.sendall(b"/join room0\r\n" + b"".join(b"line %d\r\n" % i for i in range(10_000)) + b"the end\r\n")
            crowd.wait(b": the end")
    return bystander


def joining(rooms: int) -> Bystander:
    """Two thousand, who are there already, join at once."""
    with Server() as server, Crowd(server.port) as crowd:
        crowd.add(2000, lambda i: b"/hello\r\n")
        crowd.wait(b"Hello, ")
        with Bystander(server.port) as bystander:
            crowd.say(lambda i: b"/join room%d\r\n" % (i % rooms))
            crowd.wait(b"Current users: ")
            time.sleep(SETTLE)
    return bystander


def coming_in() -> Bystander:
    """Ten thousand connect and join."""
    with Server() as server, Crowd(server.port) as crowd, Bystander(server.port) as bystander:
        crowd.join(10_000, 1000)
        time.sleep(SETTLE)
    return bystander


def leaving() -> Bystander:
    """Ten thousand hang up."""
    with Server() as server, Crowd(server.port) as crowd:
        crowd.join(10_000, 1000)
        time.sleep(SETTLE)
        with Bystander(server.port) as bystander:
            crowd.leave()
            time.sleep(SETTLE * 4)
    return bystander


def searching() -> Bystander:
    """A hundred thousand messages are searched before there was time to index them."""
    with Server() as server, Crowd(server.port) as crowd:
        crowd.join(1, 1)
        for start in range(0, 100_000, 1000):
            crowd.say(lambda _, start=start: some_messages(start))  # type: ignore[misc]
            crowd.wait(b"gamma\r\n", 1000)
        with Bystander(server.port) as bystander:
            crowd.say(lambda i: b"/search alpha\r\n")
            crowd.wait(b"messages found:")
    return bystander


def some_messages(start: int) -> bytes:
    """Return a thousand messages of common words."""
    return b"".join(b"message %d has some words: alpha beta gamma\r\n" % i for i in range(start, start + 1000))


def idle() -> Bystander:
    """Ten thousand are in a thousand rooms and say nothing."""
    with Server() as server, Crowd(server.port) as crowd:
        crowd.join(10_000, 1000)
        time.sleep(SETTLE)
        with Bystander(server.port) as bystander:
            time.sleep(QUIET)
    return bystander


def talking() -> Bystander:
    """Ten thousand are in a thousand rooms, and one in each room says something, one after the other."""
    with Server() as server, Crowd(server.port) as crowd:
        crowd.join(10_000, 1000)
        with Bystander(server.port) as bystander:
            for _ in range(10):
                crowd.say(lambda i: b"hello\r\n" if i < 1000 else b"")
                crowd.wait(b": hello")
    return bystander


def listing(question: bytes, answer: bytes, rooms: int) -> Bystander:
    """Somebody asks for the list of rooms, or of people."""
    with Server() as server, Crowd(server.port) as crowd:
        crowd.join(10_000, rooms)
        time.sleep(SETTLE)
        with Bystander(server.port) as bystander:
            for _ in range(10):
                server.first.sendall(question)
                heard = b""
                while answer not in heard:
                    heard += server.first.recv(65536)
                time.sleep(PAUSE * 50)
    return bystander


LOGINS = 250
LOGINS_A_SECOND = 50


def logging_in() -> Bystander:
    """Fifty a second log in for five seconds, while twenty in a room say something twice a second each."""
    hashed = Argon2().hash("secret")
    accounts = "".join(f"user{i}:{hashed}\n" for i in range(LOGINS))
    with Server("0,1", accounts) as server, Crowd(server.port) as crowd, Crowd(server.port) as room:
        room.join(20, 1)
        crowd.add(LOGINS, lambda i: b"/hello\r\n")
        crowd.wait(b"Hello, ")
        with Bystander(server.port) as bystander:
            began = time.monotonic()
            for i in range(LOGINS):
                crowd.say(lambda k, i=i: b"/login user%d secret\r\n" % i if k == i else b"")  # type: ignore[misc]
                if not i % 25:
                    room.say(lambda k: b"hello\r\n")
                time.sleep(max(0.0, began + (i + 1) / LOGINS_A_SECOND - time.monotonic()))
            crowd.wait(b"You are logged in as ")
            print(f"  {LOGINS} logins in {time.monotonic() - began:.2f} s", file=sys.stderr)
    return bystander


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "memory": memory,
    "rooms": rooms,
    "coming": coming,
    "start": start,
    "gaps": gaps,
}
GAPS: dict[str, Callable[[], Bystander]] = {
    "nothing else happens": nothing,
    "10,000 lines come in one packet": ten_thousand_lines,
    "2,000 join one room": lambda: joining(1),
    "2,000 join 50 rooms": lambda: joining(50),
    "10,000 connect and join 1,000 rooms": coming_in,
    "10,000 hang up": leaving,
    "100,000 messages are searched": searching,
    "10,000 are idle in 1,000 rooms": idle,
    "10,000 are in 1,000 rooms, 1,000 of them talk": talking,
    f"{LOGINS_A_SECOND} log in each second, a room chats": logging_in,
    "/rooms with 10,000 rooms": lambda: listing(b"/rooms\r\n", b"  and 9800 more", 10_000),
    "/who with 10,000 people": lambda: listing(b"/who\r\n", b" more\r\n", 1000),
}

if __name__ == "__main__":
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    main()
