"""What the operator gives becomes settings, also when it is read again; what is wrong is named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from twisted.python import usage

from chatroom.daemon.options import ChatOptions, address_and_port, motd


def parsed(*arguments: str) -> ChatOptions:
    """Return the options after parsing a command line."""
    options = ChatOptions()
    options.parseOptions(list(arguments))
    return options


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("9100", ("127.0.0.1", 9100)),
        ("0", ("127.0.0.1", 0)),
        ("0.0.0.0:9100", ("0.0.0.0", 9100)),
        ("localhost:65535", ("localhost", 65535)),
        ("[::1]:9100", ("::1", 9100)),
        ("[::]:0", ("::", 0)),
    ],
)
def test_a_place_is_an_address_and_a_port(text: str, place: tuple[str, int]) -> None:
    assert address_and_port("--metrics", text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "localhost",
        "localhost:",
        ":9100",
        "[]:9100",
        "1.2.3.4:65536",
        "1.2.3.4:-1",
        "x:\uff11\uff12",
        "9" * 5000,
    ],
)
def test_what_is_no_place_is_told_how_to_give_one(text: str) -> None:
    with pytest.raises(usage.UsageError, match=r"give PORT|at most 65535"):
        address_and_port("--metrics", text)


@pytest.mark.parametrize(("given", "least"), [((), 6), (("--min-password", "12"), 12), (("--min-password", "0"), 0)])
def test_how_short_a_password_may_be(given: tuple[str, ...], least: int) -> None:
    assert parsed(*given).settings.min_password == least


@pytest.mark.parametrize("given", ["129", "-1", "six"])
def test_no_password_could_be_that_long(given: str) -> None:
    with pytest.raises(SystemExit, match=f"--min-password {given}: give a whole number"):
        parsed("--min-password", given)


@pytest.mark.parametrize("text", ["::1:9100", "::1", "::"])
def test_an_ipv6_address_wants_brackets(text: str) -> None:
    with pytest.raises(usage.UsageError, match=r"give PORT, ADDRESS:PORT or \[IPV6-ADDRESS\]:PORT"):
        address_and_port("--metrics", text)


def test_what_is_no_place_for_the_metrics_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"--metrics ::1:1: give PORT"):
        parsed("--metrics", "::1:1")
    config = tmp_path / "chatroom.toml"
    config.write_text("metrics = 'here'\n")
    with pytest.raises(SystemExit, match="--metrics here: give PORT"):
        parsed("--config", str(config))


def test_the_options_are_read_again_and_the_command_line_still_wins(tmp_path: Path) -> None:
    config = tmp_path / "chatroom.toml"
    config.write_text("name = 'one'\nreplay = 1\nrate = 1.0\n")
    options = parsed("--config", str(config), "--replay", "5")
    config.write_text("name = 'two'\nreplay = 2\n")
    again = options.reread()
    assert (again.name, again.replay, again.rate) == ("two", 5, 2.0)
    assert options.settings.name == "one"


def test_files_are_found_again_from_where_the_daemon_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the background it is in another folder."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "motd").write_text("be kind")
    (tmp_path / "chatroom.toml").write_text("motd = 'motd'\n")
    monkeypatch.chdir(tmp_path)
    options = parsed("--config", "chatroom.toml")
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Path(options.reread().motd) == tmp_path / "motd"


@pytest.mark.parametrize(
    ("text", "named"),
    [("rate = -1", "rate"), ("colour = 1", "colour"), ("name = oops", "line 1"), (None, "No such file")],
)
def test_reading_again_ends_nothing_and_names_what_is_wrong(tmp_path: Path, text: str | None, named: str) -> None:
    config = tmp_path / "chatroom.toml"
    config.write_text("")
    options = parsed("--config", str(config))
    config.unlink() if text is None else config.write_text(text)
    with pytest.raises(usage.UsageError, match=named):
        options.reread()


def test_text_without_quotes_is_told_that_it_needs_them(tmp_path: Path) -> None:
    (tmp_path / "chatroom.toml").write_text("replay = 3\ninterface = 127.0.0.1\n")
    with pytest.raises(SystemExit, match=r'text needs quotes: interface = "127\.0\.0\.1"; see twistd chatroom --help$'):
        parsed("--config", str(tmp_path / "chatroom.toml"))


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    config = tmp_path / "chatroom.toml"
    config.write_text("colour = 1\nreplay = 999\nsendq = 'x'\n")
    with pytest.raises(SystemExit) as caught:
        parsed("--config", str(config), "--keep", "some", "--motd", str(tmp_path / "none"), "--metrics", "x", "--data=")
    faults = str(caught.value).split("\n")
    keys = ["colour", "replay", "sendq", "--keep some", "--data", "--metrics x", "--motd"]
    assert len(faults) == len(keys)
    for fault, key in zip(faults, keys, strict=True):
        assert key in fault
        assert fault.startswith("chatroom: ")
        assert fault.endswith("; see twistd chatroom --help")


# ---- TLS ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "missing"), [("--tls-cert", "--tls-key"), ("--tls-key", "--tls-cert")])
def test_a_certificate_and_its_key_come_together(given: str, missing: str) -> None:
    with pytest.raises(SystemExit, match=f"{given}: give {missing}, too"):
        parsed(given, "file.pem")


def test_a_certificate_stays_where_it_is_wherever_twistd_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = parsed("--tls-cert", "cert.pem", "--tls-key", "/etc/key.pem").settings
    assert (settings.tls_cert, settings.tls_key) == (str(tmp_path / "cert.pem"), "/etc/key.pem")


@pytest.mark.parametrize("much", ["login", "all"])
def test_tls_may_be_required(much: str) -> None:
    assert parsed("--require-tls", much).settings.require_tls == much
    assert parsed().settings.require_tls == ""


def test_tls_is_not_required_by_halves() -> None:
    with pytest.raises(SystemExit, match="--require-tls some: give login or all; see"):
        parsed("--require-tls", "some")


@pytest.mark.parametrize("option", ["--motd", "--config"])
def test_a_file_that_is_not_there_is_said_in_words(option: str) -> None:
    with pytest.raises(SystemExit, match=f"{option} /nowhere: No such file or directory; see"):
        parsed(option, "/nowhere")


@pytest.mark.parametrize(
    ("option", "given", "what"),
    [
        ("--keep", "many", "a whole number"),
        ("--keep", "-1", "a whole number of at least 0"),
        ("--port", "70000", "a whole number of at most 65535"),
        ("--rate", "fast", "a number"),
        ("--rate", "-0.5", "a number of at least 0"),
    ],
)
def test_what_is_no_number_is_told_what_to_give(option: str, given: str, what: str) -> None:
    with pytest.raises(SystemExit, match=f"{option} {given}: give {what}; see"):
        parsed(option, given)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('keep = "many"', "keep: give a whole number"),
        ("name = 5", "name: give text in quotes"),
        ("ephemeral = 1", "ephemeral: give true or false"),
        ('auth = "file"', "auth: give a list of texts in quotes"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_what_to_give(tmp_path: Path, line: str, what: str) -> None:
    (tmp_path / "chat.toml").write_text(f"{line}\n")
    with pytest.raises(SystemExit, match=f"chat.toml: {what}; see"):
        parsed("--config", str(tmp_path / "chat.toml"))


@pytest.mark.parametrize("option", ["--motd", "--config"])
def test_a_file_is_read_without_waiting_and_within_bounds(tmp_path: Path, option: str) -> None:
    """At SIGHUP everybody in the chat would wait, too."""
    os.mkfifo(tmp_path / "pipe")
    for path, why in ((tmp_path / "pipe", "it is no plain file"), (Path("/dev/zero"), "it is larger than")):
        with pytest.raises(SystemExit, match=f"{option} {path}: {why}"):
            parsed(option, str(path))


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    """As editors on other systems write it."""
    (tmp_path / "motd").write_text("be kind", "utf-8-sig")
    (tmp_path / "chat.toml").write_text(f"motd = '{tmp_path}/motd'\n", "utf-8-sig")
    assert motd(parsed("--config", str(tmp_path / "chat.toml")).settings) == "be kind"
