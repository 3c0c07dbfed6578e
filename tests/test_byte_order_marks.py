"""Editors of some systems begin a file with U+FEFF. Whatever file somebody edits or pipes in, it is read past."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from client.network import Network
from client.test_pipe import Piped
from daemon.test_tls_files import make_pair
from harness import World

from chatroom.admin import command_line
from chatroom.admin.keys import AuthorizedKeys, host_key
from chatroom.chat.people import accounts_file
from chatroom.client import config
from chatroom.client.known_hosts import KnownHosts
from chatroom.client.screen.saved_state import SavedState, load, save
from chatroom.client.tokens import Tokens
from chatroom.daemon.options import ChatOptions, motd

BOM = "\ufeff".encode()


def marked(path: Path, text: str | bytes) -> Path:
    """Write a file as such an editor does."""
    path.write_bytes(BOM + (text if isinstance(text, bytes) else text.encode()))
    return path


def test_accounts(tmp_path: Path) -> None:
    entries = accounts_file.read(marked(tmp_path / "people.txt", "alice:secret-one\r\nbob:secret-two\r\n"))
    assert [(entry.name.folded, entry.secret) for entry in entries] == [("alice", "secret-one"), ("bob", "secret-two")]


def test_options_and_the_greeting(tmp_path: Path) -> None:
    options = ChatOptions()
    greeting = marked(tmp_path / "motd", "Be kind.\n")
    config = marked(tmp_path / "chatroom.toml", f'name = "lab"\nmotd = "{greeting}"\n')
    options.parseOptions(["--config", str(config)])
    assert (options.settings.name, motd(options.settings)) == ("lab", "Be kind.\n")


def test_certificate_and_key(tmp_path: Path) -> None:
    files = make_pair(tmp_path)
    before = files.load().fingerprint
    for path in (files.certificate, files.key):
        marked(path, path.read_bytes())
    assert files.load().fingerprint == before


def test_keys_of_the_console(tmp_path: Path) -> None:
    own = host_key(tmp_path)
    path = tmp_path / "manhole_host_key"
    marked(path, path.read_bytes())
    assert host_key(tmp_path) == own
    keys = AuthorizedKeys(marked(tmp_path / "keys", own.public().toString("OPENSSH") + b"\n"))
    assert keys.read() == [own.public()]


@pytest.mark.parametrize("way", ["file", "input"])
def test_a_password_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    file = marked(tmp_path / "password", "correct horse\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(file.read_bytes()), encoding="utf-8"))
    assert command_line._password(str(file) if way == "file" else None) == "correct horse"


def test_the_settings_of_the_client(tmp_path: Path) -> None:
    assert config.load(marked(tmp_path / "client.toml", 'name = "alice"\n'), required=True).name == "alice"


def test_known_servers(tmp_path: Path) -> None:
    known = KnownHosts(marked(tmp_path / "known_servers", "chat:8888 SHA256:first\n"))
    assert known.fingerprint("chat:8888") == "SHA256:first"
    known.remember("other:8888", "SHA256:second", vouched=False)
    assert known.fingerprint("chat:8888") == "SHA256:first"


def test_what_the_client_remembers(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "tokens.json")
    tokens.keep("chat:1", "alice", "t0ken")
    marked(tokens.path, tokens.path.read_bytes())
    assert tokens.find("chat:1") == ("alice", "t0ken")
    path = tmp_path / "remembered"
    save(path, SavedState({"lobby": 7}, ["bob"]))
    assert load(marked(path, path.read_bytes())) == SavedState({"lobby": 7}, ["bob"])


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_commands_piped_into_a_connection(world: World, size: int) -> None:
    client = world.connect()
    data = BOM + b"/name zoe\n/join den\n" + BOM + b"leave\n"
    for start in range(0, len(data), size):
        client.send(data[start : start + size])
    assert {"You are now zoe.", "Welcome to room den!", "You have left room den."} <= set(client.lines())


@pytest.mark.parametrize("size", [1, 2, 3, 4, 100])
def test_records_piped_into_a_connection(world: World, size: int) -> None:
    client = world.connect()
    data = BOM + b'{"do":"hello","version":1,"name":"bot"}\n{"do":"join","room":"den"}\n'
    for start in range(0, len(data), size):
        client.send(data[start : start + size])
    assert [record["event"] for record in client.records()] == ["welcome", "entered"]


def test_commands_piped_into_the_client(world: World) -> None:
    hearing = world.person("ann", "x")
    piped = Piped(Network(world))
    piped.pipe.dataReceived(BOM + b"/me comes with a file\n")
    piped.end()
    assert "* al comes with a file" in hearing.lines()
