"""What is encrypted between two real clients is found nowhere in what the daemon has; what is plain is found there."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from base64 import b64encode
from pathlib import Path

import pytest
from blackbox.cutting import Cutting
from blackbox.daemon import DEADLINE, Daemon, environment
from blackbox.keyed import Client, Person
from blackbox.searching import found, in_files, in_memory

RANDOM = random.Random(13)
HALF = 150_000  # bytes of a file before and after what is looked for, so that it has more than one piece


def canary(what: str) -> str:
    """Return a word that is nowhere else."""
    return f"canary-{what}-{RANDOM.randbytes(8).hex()}"


PLAIN = {what: canary(f"plain-{what}") for what in ("room", "private", "name", "bytes")}
SECRET = {what: canary(f"secret-{what}") for what in ("room", "edit", "private", "me", "name", "bytes")}
WORDS = {word: word.encode() for word in (*PLAIN.values(), *SECRET.values())}


def make_file(folder: Path, words: dict[str, str]) -> str:
    """Make a file whose name and bytes have words in them; return its name."""
    around = RANDOM.randbytes(HALF)
    name = f"{words['name']}.txt"
    (folder / name).write_bytes(around + words["bytes"].encode() + around)
    return name


class Conversation:
    """Alice and bob have clients, and carol has telnet; they speak in plain first, and then with encryption.

    Args:
        daemon: The server.
        port: Through which alice and bob reach it.
        alice: Her computer.
        bob: His.
    """

    def __init__(self, daemon: Daemon, port: int, alice: Person, bob: Person) -> None:
        self.carol = daemon.person("carol")
        self.folders = alice.path, bob.path
        self.alice = alice.client(port, "--plain", "--name", "alice")
        self.bob = bob.client(port, "--plain", "--name", "bob")
        self.alice.type("/create den")
        self.alice.out.wait_for("Current users: alice")
        self.bob.type("/join den")
        self.bob.out.wait_for("Current users: alice, bob")
        self.carol.say("/join den")
        self.carol.until(lambda line: line.startswith("Current users: "))

    def in_plain(self) -> None:
        """Say all in plain; carol reads the messages, and bob fetches the file."""
        name = make_file(self.folders[0], PLAIN)
        self.alice.type(PLAIN["room"], f"/msg carol {PLAIN['private']}", f"/send {name}")
        heard = self.carol.until(lambda line: name in line)
        assert [line for line in heard if "canary" in line] == [
            f"alice: {PLAIN['room']}",
            f"alice (private): {PLAIN['private']}",
            f"alice shares {name} (300 kB): /get 1",
        ]
        self._fetch("1", "plain.txt")

    def encrypted(self) -> None:
        """Encrypt the room, and say all again; bob reads it and fetches the file."""
        name = make_file(self.folders[0], SECRET)
        self.alice.type("/encrypt yes")
        self.bob.out.wait_for("alice encrypted the room")
        self.alice.type(SECRET["room"])
        self.alice.out.wait_for(SECRET["room"])
        self.alice.type(f"/edit {SECRET['edit']}", f"/me {SECRET['me']}", f"/send {name}")
        for words in (f"alice: {SECRET['room']}", SECRET["edit"], f"alice {SECRET['me']}"):
            self.bob.out.wait_for(words)
        self._fetch(self.bob.out.wait_for(rf"{name} \(300 kB, encrypted\): /get (\d+)")[1], "of-room.txt")
        self.alice.type(f"/msg bob {SECRET['private']}", f"/send {name} bob")
        self.bob.out.wait_for(rf"alice \(private\): {SECRET['private']}")
        self._fetch(self.bob.out.wait_for(rf"{name} with you \(300 kB, encrypted\): /get (@\d+)")[1], "given.txt")
        for copy in ("of-room.txt", "given.txt"):
            assert (self.folders[1] / copy).read_bytes() == (self.folders[0] / name).read_bytes()

    def _fetch(self, which: str, path: str) -> None:
        self.bob.type(f"/get {which} {path}")
        self.bob.out.wait_for(rf"fetched {path} \(300 kB, SHA-256 checked\)")

    def end(self) -> None:
        """Let the clients leave; they have only complained of what was plain."""
        assert complaints(self.alice) == ["chatroom-client: To carol in plain text: the server can read it."]
        assert complaints(self.bob) == []


def complaints(client: Client) -> list[str]:
    """Let a client leave; return what it has complained of, but for what every guest is told about the keys."""
    return [line for line in client.end().splitlines() if "a guest, and end with the name" not in line]


def back_up(daemon: Daemon, copy: Path) -> None:
    """Take a backup of what a daemon has."""
    command = [sys.executable, "-m", "chatroom.admin.command_line", "backup", str(copy), "--data", str(daemon.data)]
    subprocess.run(command, check=True, env=environment({}), timeout=DEADLINE, capture_output=True)


@pytest.mark.parametrize("before", range(3))
def test_the_search_knows_base64_and_hexadecimal(before: int) -> None:
    word = b"canary-1"
    text = b"y" * before + word + b"z"
    for data in (text, b64encode(text), text.hex().encode()):
        assert found({"word": word}, [data]) == found({"word": word}, [data[:7], data[7:]]) == {"word"}
    assert found({"word": word}, [b64encode(b"another-1"), b"another-1"]) == set()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str] | str]:
    """Return which words are found where; or why the system does not let us search there.

    It is without TLS, so that what goes over the line shows what encryption from end to end hides.
    """
    folder = tmp_path_factory.mktemp("canary")
    there: dict[str, set[str] | str] = {}
    (folder / "logs").mkdir()
    with (
        Person(folder / "alice") as alice,
        Person(folder / "bob") as bob,
        Daemon(folder, "--no-announce", "--log-level", "debug", logfile=folder / "logs" / "chat.log") as daemon,
        Cutting(daemon.port, records=True) as network,
    ):
        people = Conversation(daemon, network.port, alice, bob)
        people.in_plain()
        people.encrypted()
        there["memory"] = found_in_memory(daemon.pid)
        there["data"] = found(WORDS, in_files(daemon.data))
        back_up(daemon, folder / "copy.db")
        there["backup"] = found(WORDS, in_files(folder / "copy.db"))
        people.end()
        there["connections"] = found(WORDS, network.recordings)
    there["data at the end"] = found(WORDS, in_files(daemon.data))
    there["logs"] = found(WORDS, in_files(folder / "logs"))
    return there


def found_in_memory(pid: int) -> set[str] | str:
    """Return which words are in the memory of a process; or why the system does not let us read it."""
    try:
        return found(WORDS, in_memory(pid))
    except PermissionError as error:
        return f"the system does not let us read the memory of the daemon: {error}"


SAID = {PLAIN["room"], PLAIN["private"], PLAIN["name"]}


@pytest.mark.parametrize(
    ("where", "plain"),
    [
        ("memory", SAID),
        ("data", {*SAID, PLAIN["bytes"]}),
        ("data at the end", {*SAID, PLAIN["bytes"]}),
        ("backup", SAID),  # it is one of the database; what is in files is copied otherwise
        ("connections", {*SAID, PLAIN["bytes"]}),
        ("logs", {PLAIN["name"]}),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_what_is_encrypted_is_nowhere(there: dict[str, set[str] | str], where: str, plain: set[str]) -> None:
    """And what was said in plain is there, so the search works."""
    words = there[where]
    if isinstance(words, str):
        assert not os.environ.get("CI"), words  # there the memory can be read
        pytest.skip(words)
    assert words & set(SECRET.values()) == set()
    assert plain <= words
