"""The settings: what is not set has a default, what is wrong is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from chatroom.client.config import BadConfig, Config, load, parse

PATH = Path("client.toml")


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert load(tmp_path / "none") == Config()
    with pytest.raises(BadConfig, match="No such file"):
        load(tmp_path / "none", required=True)


def test_what_is_set_counts(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_text('server = "chat.example:9000"\nname = "alice"\nbell = "all"\ncolours = false\ntimestamps = false\n')
    assert load(path) == Config("chat.example:9000", "alice", bell="all", colours=False, timestamps=False)


@pytest.mark.parametrize(
    ("text", "rooms"),
    [("", []), ('room = "x"', ["x"]), ('room = ["x", "y"]', ["x", "y"]), ("room = []", [])],
)
def test_there_may_be_several_rooms(text: str, rooms: list[str]) -> None:
    assert parse(text, PATH).rooms == rooms


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('name = "a"\nroom = \n', "client.toml, line 2: invalid value."),
        ("server = localhost", 'client.toml, line 1: invalid value; text needs quotes: server = "localhost".'),
        (
            "\nroom = 2nd # it\n",
            "client.toml, line 2: expected newline or end of document after a statement; text needs",
        ),
        ("bell = off", 'client.toml, line 1: invalid value; text needs quotes: bell = "off", and a switch is true'),
        ("bell = True", "client.toml, line 1: invalid value; give true or false."),
        ('name = "a" b', "client.toml, line 1: expected newline or end of document after a statement."),
        ('name = "a', "client.toml, line 1: "),
        ('name = "a"\n\ncolour = true\n', "client.toml, line 3: there is no setting colour; there are server, name"),
        ("room = 7", "client.toml, line 1: room: expected `str | array`, got `int`."),
        ("# bell\nbell = 'loud'\n", "client.toml, line 2: bell: give off, private or all."),
        ("name = 'a'\ntimestamps = 'no'\n", "client.toml, line 2: timestamps: expected `bool`, got `str`."),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, why: str) -> None:
    with pytest.raises(BadConfig) as caught:
        parse(text, PATH)
    assert str(caught.value).startswith(why)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "client.toml"
    path.write_bytes(b'name = "\xff"')
    with pytest.raises(BadConfig, match=r"byte 8 is no UTF-8\.$"):
        load(path)


def test_a_file_that_cannot_be_looked_at_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be read: File name too long"):
        load(tmp_path / ("y" * 300))
    with pytest.raises(BadConfig, match="cannot be read: Is a directory"):
        load(tmp_path)
    (tmp_path / "file").touch()
    assert load(tmp_path / "file" / "client.toml") == Config()


def test_a_file_without_end_is_too_large() -> None:
    with pytest.raises(BadConfig, match="too large to be a config file"):
        load(Path("/dev/zero"))
