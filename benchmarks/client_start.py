"""How long chatroom-client takes to start, and its memory, when its vault holds many contacts.

    python benchmarks/client_start.py [--contacts 1000] [--rounds 5]

A real daemon, and the real client in a terminal, over TLS. The first start registers an account and makes the vault;
then contacts with genuine signed device lists are put into it, by the classes of the client. Each further start logs
in with the token that is remembered, and is measured: until the client is on the server and takes typed lines, until it
has answered ``/devices``, for which the vault must be open, and how much memory it has then (VmRSS). It is unlocked
by its key file, and then, in as many further rounds, by a passphrase. The daemon and the client share both processors.
Prints a table in Markdown, with the best and the median of the rounds.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ports import free_port, wait_for
from sealed_room import Member
from tls import processor_time
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from chatroom.client.crypto.contacts import Contacts
from chatroom.client.crypto.identity import Identity
from chatroom.client.crypto.rows import MemoryRows
from chatroom.client.vault.vault import Vault, open_vault
from chatroom.client.vault.vault_key import KEY_FILE, KeyFile, Passphrase

PATIENCE = 30.0  # seconds
USER, PASSWORD, PASSPHRASE = "alice", "secret-1", "correct horse battery staple"
CLIENT = [sys.executable, "-c", "import sys; from chatroom.client.main import main; sys.exit(main())"]
READY = rb"connected to chatroom as alice"
TOO_EARLY, ANSWERED = rb"Error: ", rb"your devices:"  # what ``/devices`` is answered with
_CURSOR = re.compile(rb"\x1b\[C")  # a blank that is there already is not written again
SIZE = struct.pack("HHHH", 60, 100, 0, 0)  # rows and columns; so many rows that nothing scrolls


@dataclass(frozen=True, slots=True)
class Start:
    """What a start took.

    Args:
        ready: Seconds until the client was on the server.
        spent: Seconds of CPU that this took.
        keys: Seconds until it had answered a command that needs the vault.
        memory: Its resident memory then, in MB.
        most: The most resident memory that it ever had, in MB.
    """

    ready: float
    spent: float
    keys: float
    memory: float
    most: float


class Terminal:
    """The client in a terminal.

    Args:
        port: The server's port.
        home: The folder in which the client keeps its state.
        more: Further arguments.
    """

    def __init__(self, port: int, home: Path, *more: str) -> None:
        self._screen = self.seen = b""
        self.since = time.perf_counter()
        self.pid, self._terminal = pty.fork()
        if not self.pid:
            names = {"HOME": str(home), "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
            kept = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}
            fcntl.ioctl(0, termios.TIOCSWINSZ, SIZE)
            os.execve(CLIENT[0], [*CLIENT, "127.0.0.1", str(port), *more], {**kept, **names})

    def see(self, wanted: bytes) -> float:
        """Wait until something that was not seen before is written; return the seconds since the start."""
        end = time.monotonic() + PATIENCE
        while not (match := re.search(wanted, self._screen)):
            if not select.select([self._terminal], [], [], max(0.0, end - time.monotonic()))[0]:
                raise SystemExit(f"{wanted!r} is not on the screen: {self._screen[-2000:]!r}")
            self._screen = _CURSOR.sub(b" ", self._screen + os.read(self._terminal, 65536))
        self._screen, self.seen = self._screen[match.end() :], match[0]
        return time.perf_counter() - self.since

    def list_devices(self) -> float:
        """List the devices, again and again until the vault is open; return the seconds since the start."""
        while True:
            self.enter("/devices")
            seconds = self.see(TOO_EARLY + rb"|" + ANSWERED)
            if self.seen == ANSWERED:
                return seconds

    def enter(self, line: str) -> None:
        """Type a line."""
        os.write(self._terminal, line.encode() + b"\r")

    def memory(self, which: str) -> float:
        """Return ``VmRSS`` or ``VmHWM`` in MB."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.findall(rf"{which}:\s+(\d+) kB", status)[0]) * 1024 / 1e6

    def end(self) -> None:
        """End the client."""
        os.kill(self.pid, signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                self._screen += os.read(self._terminal, 65536)
            except OSError:  # the terminal has no other side any more
                break
        os.waitpid(self.pid, 0)
        os.close(self._terminal)


def measure(port: int, home: Path, *more: str) -> Start:
    """Start the client once, and return what that took."""
    terminal = Terminal(port, home, *more)
    ready, spent = terminal.see(READY), processor_time(terminal.pid) / 1e9
    keys = terminal.list_devices()
    start = Start(ready, spent, keys, terminal.memory("VmRSS"), terminal.memory("VmHWM"))
    terminal.end()
    return start


def register(port: int, home: Path) -> None:
    """Let the client register, so that it has a vault and remembers its login."""
    terminal = Terminal(port, home)
    terminal.see(rb"connected to chatroom as guest")
    terminal.enter(f"/register {USER} {PASSWORD}")
    terminal.see(rb"alice *\| TLS")
    terminal.list_devices()
    terminal.end()


def user_of(port: int) -> tuple[str, str]:
    """Return the ids of the server and of the account."""
    member = Member(port, "probe")
    welcome = member.ask("hello", version=1, device="probe")
    member.ask("login", user=USER, password=PASSWORD)
    id: str = member.ask("account")["id"]
    member.socket.close()
    return str(welcome["server_id"]), id


def add_contacts(contacts: Contacts, server: str, number: int) -> None:
    """Learn so many users, each with one device, to whom messages were encrypted."""
    for each in range(number):
        other = Identity(MemoryRows(), os.urandom)
        other.act_as(server, f"user{each:08}")
        other.make_user_key()
        listed = other.sign_list([other.device_keys("laptop")], 1)
        contacts.learn(other.user_id, f"user-{each}", listed)
        contacts.note_encrypted(other.user_id)


async def fill(path: Path, key: Path, user: tuple[str, str], number: int) -> None:
    """Put contacts into a vault."""
    vault = await open_vault(path.parent, path.stem, KeyFile(key), reactor)
    add_contacts(_contacts(vault, user), user[0], number)
    await vault.close()


async def use_passphrase(path: Path, key: Path, user: tuple[str, str], number: int) -> None:
    """Let the passphrase unlock a vault from now on, and check that the contacts are there."""
    vault = await open_vault(path.parent, path.stem, KeyFile(key), reactor)
    if _contacts(vault, user).count() < number:
        raise SystemExit("contacts are missing")
    await vault.change_unlock(Passphrase(PASSPHRASE))
    await vault.close()


def _contacts(vault: Vault, user: tuple[str, str]) -> Contacts:
    identity = Identity(vault, os.urandom)
    identity.act_as(*user)
    return Contacts(vault, identity)


def vault_of(state: Path, user: tuple[str, str]) -> Path:
    """Return the vault of the account."""
    return state / "vaults" / f"{sha256(chr(0).join(user).encode()).hexdigest()[:32]}.vault"


@contextmanager
def server(folder: Path) -> Iterator[int]:
    """Run a daemon with TLS; give its port."""
    port = free_port()
    twistd = [str(Path(sys.executable).with_name("twistd")), "-n", "--pidfile=", "chatroom", "--data", str(folder)]
    options = ["--port", str(port), "--interface", "127.0.0.1"]
    process = subprocess.Popen([*twistd, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


async def measure_all(folder: Path, number: int, rounds: int) -> None:
    """Measure both ways to unlock, and print the table."""
    home, state = folder / "home", folder / "home" / ".local" / "state" / "chatroom"
    home.mkdir()
    with server(folder / "data") as port:
        register(port, home)
        user = user_of(port)
        vault, key = vault_of(state, user), state / KEY_FILE
        await fill(vault, key, user, number)
        print("| unlocked by | contacts | ready to type | CPU until then | keys read | VmRSS | most ever |")
        print("|---|---|---|---|---|---|---|")
        print(row("key file", number, [measure(port, home) for _ in range(rounds)]), flush=True)
        await use_passphrase(vault, key, user, number)
        words = folder / "passphrase"
        words.write_text(PASSPHRASE + "\n")
        words.chmod(0o600)
        starts = [measure(port, home, "--passphrase", f"file:{words}") for _ in range(rounds)]
        print(row("passphrase", number, starts))


def row(name: str, number: int, starts: list[Start]) -> str:
    """Return a line of the table."""

    def both(values: list[float], unit: str, digits: int) -> str:
        return f"{min(values):.{digits}f} {unit} ({statistics.median(values):.{digits}f})"

    times = [both(list(each), "s", 2) for each in zip(*((s.ready, s.spent, s.keys) for s in starts), strict=True)]
    sizes = [both(list(each), "MB", 1) for each in zip(*((s.memory, s.most) for s in starts), strict=True)]
    return f"| {name} | {number} | {' | '.join([*times, *sizes])} |"


def main() -> None:
    """Run everything and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contacts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    running: Any = reactor
    failures: list[Any] = []

    def begin() -> None:
        done = Deferred.fromCoroutine(measure_all(Path(folder), args.contacts, args.rounds))
        done.addErrback(failures.append).addCallback(lambda _: running.stop())

    with tempfile.TemporaryDirectory() as folder:
        running.callWhenRunning(begin)
        running.run()
    for failure in failures:
        raise SystemExit(failure.getTraceback())


if __name__ == "__main__":
    main()
