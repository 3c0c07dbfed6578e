"""Which server the command line means."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chatroom.client.command_line import wanted
from chatroom.client.config import BadConfig


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        (["chat.example"], "chat.example", 8888),
        (["chat.example", "9000"], "chat.example", 9000),
        (["chat.example:9000"], "chat.example", 9000),
        (["[::1]:9000"], "::1", 9000),
        (["::1"], "::1", 8888),
        (["[::1]"], "::1", 8888),
        (["::1", "9000"], "::1", 9000),
        (["fe80::1%eth0"], "fe80::1%eth0", 8888),
        (["fe80::1%eth0:9000"], "fe80::1%eth0", 9000),
        (["[fe80::1%Lan-0]:9000"], "fe80::1%Lan-0", 9000),
        (["[fe80::1%eth0]"], "fe80::1%eth0", 8888),
        (["fe80::1%eth0", "9000"], "fe80::1%eth0", 9000),
        (["192.0.2.7:9000"], "192.0.2.7", 9000),
    ],
)
def test_a_server_may_be_written_as_it_is_shown(typed: list[str], host: str, port: int) -> None:
    wish = wanted(typed, {"HOME": "/nowhere"})
    assert (wish.host, wish.port) == (host, port)


@pytest.mark.parametrize(
    "server",
    ["", "a b", "a\0b", "http://chat.example:8888", "[chat]:1", "[::1", "::1]", "fe80::1%", "chat%eth0", "a\udcff"],
)
def test_what_can_be_no_server_is_refused_on_the_command_line_and_in_the_file(server: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"give the name or the address of a server, such as chat\.example or"):
        wanted([server], {"HOME": "/nowhere"})
    if server and server.isascii():
        path = tmp_path / "client.toml"
        path.write_text(f"server = {json.dumps(server)}\n")
        with pytest.raises(BadConfig, match="server: give the name or the address of a server"):
            wanted(["--config", str(path)], {"HOME": "/nowhere"})


def test_a_zone_may_stand_in_the_config_file(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text('server = "[fe80::2%wlan0]:9000"\n')
    wish = wanted(["--config", str(path)], {"HOME": str(tmp_path)})
    assert (wish.host, wish.port) == ("fe80::2%wlan0", 9000)
    assert wish.folder.name == "[fe80::2%wlan0]:9000"


def test_a_port_that_is_given_twice_is_refused() -> None:
    with pytest.raises(BadConfig, match="the port is given twice"):
        wanted(["chat.example:9000", "9001"], {"HOME": "/nowhere"})


@pytest.mark.parametrize(("folder", "why"), [("~nosuchuser/x", "there is no user ~nosuchuser"), ("a\\u0000", "a NUL")])
def test_a_folder_for_downloads_that_can_be_none_is_refused_at_the_start(folder: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text(f'server = "chat.example"\ndownloads = "{folder}"\n')
    with pytest.raises(BadConfig, match=why):
        wanted(["--config", str(path)], {"HOME": str(tmp_path)})


def test_a_wrong_port_is_named_however_it_is_written() -> None:
    with pytest.raises(BadConfig, match=r"^chat\.example:x: x is no port; it is a number from 1 to 65535\.$"):
        wanted(["chat.example:x"], {"HOME": "/nowhere"})


def test_a_user_without_a_home_folder_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", none)
    assert wanted(["chat.example"], {}).state == Path("/.local/state/chatroom")


def test_a_second_client_may_have_a_state_folder_of_its_own() -> None:
    assert wanted(["chat.example", "--state", "/tmp/second"], {"HOME": "/nowhere"}).state == Path("/tmp/second")


def test_several_rooms_may_be_named_instead_of_those_of_the_config_file(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text('room = ["a", "b"]\n')
    config = ["chat.example", "--config", str(path)]
    assert wanted(config, {}).config.rooms == ["a", "b"]
    assert wanted([*config, "--room", "c"], {}).config.rooms == ["c"]
    assert wanted([*config, "--room", "c", "--room", "d"], {}).config.rooms == ["c", "d"]


def test_what_the_terminal_is_told_may_be_said_in_both_places(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text('links = "on"\nnotify = "osc9"\n')
    config = wanted(["chat", "--config", str(path)], {"HOME": str(tmp_path)}).config
    assert (config.links, config.notify) == ("on", "osc9")
    typed = ["--links", "off", "--notify", "osc777"]
    config = wanted(["chat", "--config", str(path), *typed], {"HOME": str(tmp_path)}).config
    assert (config.links, config.notify) == ("off", "osc777")
    config = wanted(["chat"], {"HOME": str(tmp_path)}).config
    assert (config.links, config.notify) == ("auto", "auto")
    path.write_text('notify = "osc8"\n')
    with pytest.raises(BadConfig, match="notify: give auto, osc9, osc777 or off"):
        wanted(["chat", "--config", str(path)], {"HOME": str(tmp_path)})


def test_the_place_of_the_passphrase_is_taken_from_the_command_line_before_the_file(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text('passphrase = "ask"\n')
    typed = ["--config", str(path), "chat.example"]
    assert wanted(typed, {"HOME": "/nowhere"}).config.passphrase == "ask"
    assert wanted(["--passphrase", "fd:3", *typed], {"HOME": "/nowhere"}).config.passphrase == "fd:3"


def test_a_passphrase_that_was_given_itself_is_refused_and_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        wanted(["--passphrase", "correct horse", "chat.example"], {"HOME": "/nowhere"})
    assert "the passphrase itself is no argument" in (told := capsys.readouterr().err)
    path = tmp_path / "client.toml"
    path.write_text('passphrase = "correct horse"\n')
    with pytest.raises(BadConfig, match="give ask, fd:N or file:PATH") as caught:
        wanted(["--config", str(path), "chat.example"], {"HOME": "/nowhere"})
    assert "horse" not in told + str(caught.value)
