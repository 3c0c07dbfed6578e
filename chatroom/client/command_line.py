"""What the command line of ``chatroom-client`` and the config file ask for."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chatroom import __version__
from chatroom.client.config import FILE, BadConfig, Config, load
from chatroom.client.known_hosts import KnownHosts, spell
from chatroom.client.passphrase import WRONG_PLACE, is_place
from chatroom.client.paths import config_folder, expanded, state_folder
from chatroom.client.server_address import port_of, read_address

PORT = 8888
PATIENCE = 60  # seconds
LONGEST_PATIENCE = 10**9
_OPTIONS = ("name", "room", "links", "notify", "passphrase")  # options that are settings of the config file, too

_EXAMPLES = """\
on a terminal:  chatroom-client chat.example 8888 --name alice --room lobby
in a pipe:      printf '/join lobby\\nthe build is done\\n' | chatroom-client chat.example 8888 --name builder
                chatroom-client chat.example 8888 < commands > log

With several rooms, an output line of a room begins with the room in brackets, as [lobby]. Input lines go to the room
that was named or joined last; /window lobby makes it the lobby.

Each input line is treated as if it were typed: text is said to the room, /help lists the commands. At the end of the
input the client waits until all messages are stored, and then leaves. The exit status is 0 when everything was done, 1
when something was not (stderr says what), 2 when the command line or the config file is wrong.

files: {config}
         server = "chat.example:8888", name = "alice", room = "lobby" or ["lobby", "work"], colours = true,
         bell = "off", "private" or "all", timestamps = true, downloads = "~/Downloads" (otherwise: the current folder),
         links, notify and passphrase as the options above
       {known}
         the keys of the servers that this client has connected to
       {tokens}
         remembered logins: by --name, or on a terminal the last one; /sessions lists and ends them, /logout forgets
       {servers}
         the lines that were typed, and what lets a guest keep the name next time
"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line and the config file ask for.

    Args:
        host: The server's name or address.
        port: The server's port.
        plain: Whether to use plain text instead of TLS.
        records: Whether to write JSON records (docs/protocol.md) instead of text.
        patience: In a pipe, for how many seconds to try to reconnect; 0: for ever.
        accept: Whether to accept the server's new key.
        config: The other settings.
        state: The folder for what the client remembers, such as the keys of servers.
        passphrase: What unlocks the keys of this client, once it was read; empty if a key file does.
    """

    host: str
    port: int
    plain: bool
    records: bool
    patience: float
    accept: bool
    config: Config
    state: Path
    passphrase: str = field(default="", repr=False)

    @property
    def downloads(self) -> Path:
        """The folder for fetched files."""
        return expanded(self.config.downloads)

    @property
    def folder(self) -> Path:
        """The folder for what the client remembers of this server, such as the lines that were typed."""
        return self.state / "servers" / spell(self.host, self.port).replace("/", "_")

    @property
    def known(self) -> KnownHosts:
        """The remembered keys of servers."""
        return KnownHosts(self.state / "known_servers")


def wanted(arguments: Sequence[str], environment: Mapping[str, str]) -> Wish:
    """Return what the command line and the config file ask for.

    Raises:
        BadConfig: One of them holds an error, or neither names a server.
        SystemExit: The command line is wrong (2), or asks for help (0).
    """
    options = _parser(environment).parse_args(arguments)
    path = options.config or config_folder(environment) / FILE
    config = load(path, required=options.config is not None)
    _check_downloads(config, path)
    if config.passphrase and not is_place(config.passphrase):
        raise BadConfig(f"{path}: passphrase: {WRONG_PLACE}.")
    host, port = _server(options, config, path)
    config = _overridden(config, options)
    state = expanded(options.state) if options.state else state_folder(environment)
    return Wish(host, port, options.plain, options.json, options.patience, options.accept_new_key, config, state)


def _server(options: argparse.Namespace, config: Config, path: Path) -> tuple[str, int]:
    """Return the host and the port of the server.

    Args:
        options: The command line.
        config: The settings.
        path: The config file, for errors.

    Raises:
        BadConfig: No server is named, or its address is wrong.
    """
    if options.host is None:
        if not config.server:
            raise BadConfig(f'say which server: chatroom-client chat.example 8888 (or put server = "..." into {path}).')
        host, port = read_address(config.server, f"{path}: server")
    else:
        host, port = read_address(options.host, options.host)
    if options.port is not None and port is not None:
        raise BadConfig(f"{options.host} {options.port}: the port is given twice; leave out one of them.")
    return host, options.port or port or PORT


def _check_downloads(config: Config, path: Path) -> None:
    """Check the name of the folder for fetched files; the folder itself is made when a file is fetched.

    Raises:
        BadConfig: No folder can have that name.
    """
    if "\0" in config.downloads:
        raise BadConfig(f"{path}: downloads: no folder's name holds a NUL.")
    folder = expanded(config.downloads)
    if config.downloads.startswith("~") and folder == Path(config.downloads):
        raise BadConfig(f"{path}: downloads: there is no user {folder.parts[0]}; give another folder.")


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    state = state_folder(environment)
    files = {
        "config": config_folder(environment) / FILE,
        "known": state / "known_servers",
        "tokens": state / "tokens.json",
        "servers": state / "servers",
    }
    parser = argparse.ArgumentParser(
        prog="chatroom-client",
        description="Chat on a chatroom server; stays connected through outages and loses no message.",
        epilog=_EXAMPLES.format(**files),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "host", metavar="HOST", nargs="?", help="the server (or HOST:PORT); default: from the config file"
    )
    parser.add_argument("port", metavar="PORT", nargs="?", type=_port, help=f"its port ({PORT})")
    parser.add_argument("--name", help="the name to take")
    parser.add_argument(
        "--room", action="append", help="the room to join; given more than once, all of them: see /window"
    )
    parser.add_argument("--plain", action="store_true", help="use plain text instead of TLS: others can read it")
    parser.add_argument(
        "--json", action="store_true", help="show records (docs/protocol.md) instead of words, on a terminal, too"
    )
    parser.add_argument(
        "--patience",
        metavar="SECONDS",
        type=_patience,
        default=PATIENCE,
        help=f"in a pipe: how long to try to reconnect when the connection is lost ({PATIENCE}); 0: forever",
    )
    _add_terminal_options(parser)
    _add_key_options(parser)
    parser.add_argument("--config", metavar="FILE", type=Path, help="the config file, instead of the usual one")
    parser.add_argument(
        "--accept-new-key",
        action="store_true",
        help="accept the server's new key in place of the remembered one; in a pipe, then read the input",
    )
    parser.add_argument("--version", action="version", version=f"chatroom-client {__version__}")
    return parser


def _add_key_options(parser: argparse.ArgumentParser) -> None:
    """Add the options about where this client keeps its keys, and what locks them."""
    parser.add_argument(
        "--passphrase",
        metavar="WHERE",
        type=_place,
        help="lock this client's keys with a passphrase: ask (on the terminal), fd:N or file:PATH (its first line); "
        "without it, a file beside the keys unlocks them",
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        help="the folder for what this client remembers, including its keys, instead of the usual one; a second client "
        "beside another needs a folder of its own, and is a device of its own",
    )


def _add_terminal_options(parser: argparse.ArgumentParser) -> None:
    """Add the options about what the terminal can do."""
    parser.add_argument(
        "--links",
        choices=["auto", "on", "off"],
        help="write links so that the terminal can follow them (OSC 8); auto: if the terminal is known to",
    )
    parser.add_argument(
        "--notify",
        choices=["auto", "osc9", "osc777", "off"],
        help="notify of private messages and your name while the terminal has no focus; auto: as it is known to",
    )


def _port(text: str) -> int:
    try:
        return port_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _place(text: str) -> str:
    """Return where a passphrase is read. What was typed is not repeated: it may be the passphrase itself."""
    if not is_place(text):
        raise argparse.ArgumentTypeError(WRONG_PLACE)
    return text


def _patience(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= LONGEST_PATIENCE:  # false for NaN, too
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds; 0 means forever")
    return seconds


def _overridden(config: Config, options: argparse.Namespace) -> Config:
    """Return the settings of the config file, with those of the command line in place of theirs."""
    given = {key: value for key in _OPTIONS if (value := getattr(options, key)) is not None}
    return Config(**{**{field: getattr(config, field) for field in Config.__struct_fields__}, **given})
