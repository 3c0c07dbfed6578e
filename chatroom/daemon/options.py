"""The options of ``twistd chatroom``, which may also stand in a TOML file; the command line takes precedence.

All options are checked before anything starts, and every wrong option is reported. This module is imported even for
``--help``, so it imports little itself.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NoReturn, get_args

import msgspec
from msgspec import Meta
from twisted.cred import strcred
from twisted.cred.credentials import IUsernamePassword
from twisted.python import usage

import chatroom
from chatroom.chat.limits import MOST_JOINED
from chatroom.daemon.log_file import DaemonLog, log_of
from chatroom.daemon.pid_file import PidFile, take_from
from chatroom.model.message_format import DEFAULT, check_format
from chatroom.model.operator_file import read_plain_file
from chatroom.model.password_rules import LEAST, LONGEST
from chatroom.model.toml_hints import hint

MOST_BYTES = 256 * 1024  # the most bytes of a file that an option names and that is read here

Number = Annotated[int, Meta(ge=0, le=2**31)]
Bytes = Annotated[int, Meta(ge=0, le=2**53)]
Amount = Annotated[float, Meta(ge=0, le=1e6)]


class DaemonSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The checked options. ``ChatOptions`` explains each of them."""

    port: Annotated[int, Meta(ge=0, le=65535)] = 8888
    interface: str = ""
    data: str = ""
    ephemeral: bool = False
    name: Annotated[str, Meta(min_length=1, max_length=64)] = "chatroom"
    motd: str = ""
    message_format: str = DEFAULT
    replay: Annotated[int, Meta(ge=0, le=200)] = 10
    rate: Amount = 2.0
    per_address: Number = 64
    sendq: Number = 256 * 1024
    max_users: Number = 0
    accounts: str = ""
    rooms: Annotated[int, Meta(ge=1, le=MOST_JOINED)] = 20
    sessions: Number = 1
    devices: Number = 8
    min_password: Annotated[int, Meta(ge=0, le=LONGEST)] = LEAST
    no_announce: bool = False
    no_register: bool = False
    auth: list[str] = []
    keep: Number = 100_000
    keep_days: Amount = 90.0
    max_file: Bytes = 16 * 1024 * 1024
    store: Bytes = 1024 * 1024 * 1024
    disk: Bytes = 10 * 1024**3
    manhole: str = ""
    manhole_keys: str = ""
    metrics: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    require_tls: Literal["", "login", "all"] = ""
    log_level: Literal["debug", "info", "warn", "error", "critical"] = "info"


class BadOptions(usage.UsageError):
    """Some options are wrong; the text of the exception names each of them.

    Args:
        faults: A sentence for each wrong option.
        sound: The settings with harmless values in place of the wrong ones, so that ``--check-config`` can check the
            rest; None if the file of ``--config`` can't be read.
    """

    def __init__(self, faults: list[str], sound: DaemonSettings | None = None) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults
        self.sound = sound


_FIELDS = {field.encode_name: field for field in msgspec.structs.fields(DaemonSettings)}


def _parameter(name: str, text: str, short: str | None = None) -> list[str | None]:
    """Return the row of ``optParameters`` for an option.

    Args:
        name: The option's name without the dashes.
        text: What the option means; the default in ``DaemonSettings``, if any, is added in parentheses.
        short: The option's letter, if any.
    """
    field = _FIELDS.get(name)
    default = field.default if field is not None else ""
    if default == "":
        return [name, short, None, text]
    shown = f"{default:g}" if isinstance(default, float) else repr(default) if " " in str(default) else str(default)
    return [name, short, None, f"{text} ({shown})"]


class ChatOptions(usage.Options, strcred.AuthOptionMixin):
    """The parser of the options, and the text of ``twistd -n chatroom --help``.

    Attributes:
        settings: The checked options.
        faults: A sentence for each wrong option. Only ``--check-config`` goes on if there are any.
        pid_file: The pid file that twistd's own options name; None for none.
        log: The log file that twistd's own options name; None for none.
    """

    synopsis = "[options]"
    longdesc = (
        "A chat server: people come by telnet or nc, programs by JSON records, all through one port. "
        "What is said is on the disk before anybody sees it."
    )
    optParameters: ClassVar = [
        _parameter("port", "TCP port to listen on; 0 for any", short="p"),
        _parameter("interface", "address to listen on (all)", short="i"),
        _parameter(
            "data",
            "folder for everything that is kept (systemd's STATE_DIRECTORY, else ~/.local/state/chatroom)",
            short="d",
        ),
        _parameter("name", "the server's name in its greeting", short="n"),
        _parameter("motd", "file with lines to show after the greeting", short="m"),
        _parameter("message-format", "form of a message; may use {user}, {room} and {text}"),
        _parameter("replay", "messages shown to somebody who joins a room"),
        _parameter("rate", "lines per second from one connection, after a burst of 10; 0: no limit"),
        _parameter("per-address", "guests from one address, loopback excepted; 0: no limit"),
        _parameter("sendq", "bytes held for a slow reader before the connection is dropped; 0: no limit"),
        _parameter("max-users", "users at the same time; 0: as many as the system can hold"),
        _parameter("accounts", "file of name:password lines; each account gets a reserved seat"),
        _parameter("rooms", "rooms that one connection can be in; 1: joining a room always leaves the one before"),
        _parameter("sessions", "connections of one account at the same time that name no device; 0: no limit"),
        _parameter("devices", "devices of one account at the same time; 0: no limit"),
        _parameter("min-password", "minimum length of a new password"),
        _parameter("keep", "messages kept of each room; 0: all"),
        _parameter("keep-days", "days for which messages are kept; 0: for ever"),
        _parameter("max-file", "largest shared file in bytes; 0: no limit"),
        _parameter("store", "bytes of all shared files; one user may use a tenth, one address a quarter; 0: no limit"),
        _parameter("disk", "largest database in bytes; the oldest history makes room; 0: no limit"),
        _parameter("manhole", "PORT (on 127.0.0.1) or ADDRESS:PORT for the operators' console over SSH (none)"),
        _parameter("manhole-keys", "file with the public keys that open the console, like ~/.ssh/authorized_keys"),
        _parameter("metrics", "ADDRESS:PORT (or PORT on 127.0.0.1) for /metrics and /healthz; 0: any port (none)"),
        _parameter("tls-cert", "file with the certificate for TLS in PEM; its chain may follow (made by the daemon)"),
        _parameter("tls-key", "file with the certificate's key in PEM"),
        _parameter("require-tls", "login: refuse passwords without TLS; all: refuse everything without TLS (none)"),
        _parameter("config", "TOML file with the same names; the command line takes precedence", short="c"),
        _parameter("log-level", "debug, info, warn, error or critical"),
    ]
    optFlags: ClassVar = [
        ["ephemeral", "e", "keep everything in memory; it is lost when the daemon stops"],
        ["no-register", None, "only operators make accounts"],
        ["no-announce", None, "do not announce logins and logouts"],
        ["check-config", None, "only check whether the daemon could start with these options; nothing is changed"],
    ]
    compData = usage.Completions(
        optActions={
            "data": usage.CompleteDirs(),
            "motd": usage.CompleteFiles(),
            "accounts": usage.CompleteFiles(),
            "manhole-keys": usage.CompleteFiles(),
            "tls-cert": usage.CompleteFiles(),
            "tls-key": usage.CompleteFiles(),
            "config": usage.CompleteFiles(),
        }
    )

    supportedInterfaces = (IUsernamePassword,)

    settings: DaemonSettings
    faults: list[str]
    pid_file: PidFile | None
    log: DaemonLog | None
    _folder: Path  # the working folder at the start; twistd changes it when it goes into the background

    @property
    def checkers(self) -> list[Any]:
        """The credential checkers of ``twisted.cred`` that ``--auth`` names."""
        return list(self.get("credCheckers", ()))

    def opt_version(self) -> NoReturn:
        """Print chatroom's version, and exit."""
        print(f"chatroom {chatroom.__version__}")
        raise SystemExit(0)

    def parseOptions(self, options: Any = None) -> None:
        """Parse the options; if some are wrong, print a sentence for each of them, and exit."""
        _open_standard_streams()
        try:
            super().parseOptions(options)
        except BadOptions as error:
            refuse("; see twistd chatroom --help\nchatroom: ".join(error.faults) + "; see twistd chatroom --help")
        except usage.UsageError as error:
            refuse(f"{error}; see twistd chatroom --help")

    def postOptions(self) -> None:
        """Check the options, and set ``settings``.

        Raises:
            BadOptions: Some options are wrong. With ``--check-config`` the sentences about them are kept in ``faults``
                instead, so that the check can look for other faults.
        """
        self._folder = Path.cwd()
        self.pid_file = take_from(self.parent)
        self.log = log_of(self.parent)
        self.faults = []
        try:
            self.settings = self.reread()
        except BadOptions as error:
            if not self["check-config"] or error.sound is None:
                raise
            self.settings, self.faults = error.sound, error.faults
        for spec in self.settings.auth:
            self.opt_auth(spec)

    def reread(self) -> DaemonSettings:
        """Return the settings that follow from the command line and from the files as they are now.

        Raises:
            BadOptions: Some settings are wrong; the text names each.
        """
        faults: dict[str, str] = {}  # a sentence for each wrong option, by the option's name
        given: dict[str, Any] = {}
        readable = True
        if self["config"]:
            given, readable = _from_file(self._folder / self["config"], faults)
        given.update(_from_flags(self, faults))
        if self["data"] == "":
            faults["data"] = "--data: it is empty; give a folder"
        for key in ("data", "accounts", "motd", "manhole-keys", "tls-cert", "tls-key"):  # twistd may go elsewhere
            if given.get(key):
                given[key] = str(self._folder / given[key])
        if "data" in faults:
            given["ephemeral"] = True  # to check the rest without looking at a folder that nobody meant
        if "port" in faults:
            given["port"] = 0
        settings, more = _check_rest(msgspec.convert(given, DaemonSettings))
        if faults or more:
            raise BadOptions([*faults.values(), *more], settings if readable else None)
        return settings


def _open_standard_streams() -> None:
    """Open /dev/null in place of each standard stream (input, output, error) that is closed.

    Otherwise the next file that is opened would get the number of a standard stream, and twistd would close that file
    when it goes into the background.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def refuse(why: str) -> NoReturn:
    """End the process with a sentence on standard error, which says why, and with a status that is not zero."""
    raise SystemExit(f"chatroom: {why}")


def motd(settings: DaemonSettings) -> str:
    """Return the text of the file of ``--motd``, which users see after the greeting; empty if no file is given.

    Raises:
        UsageError: The file can't be read, or is too long.
    """
    if not settings.motd:
        return ""
    try:
        text = _read(Path(settings.motd))
    except (OSError, ValueError) as error:
        raise usage.UsageError(f"--motd {settings.motd}: {_why(error)}") from None
    if len(text) > 8192:
        raise usage.UsageError(f"--motd {settings.motd}: longer than 8192 characters")
    return text


def address_and_port(option: str, text: str) -> tuple[str, int]:
    """Return the address and port in ``PORT`` (on loopback), ``ADDRESS:PORT`` or ``[IPV6]:PORT``.

    Args:
        option: The name of the option; the error begins with it.
        text: The value of the option.

    Raises:
        UsageError: The text has none of these forms.
    """
    address, colon, port = text.rpartition(":")
    bracketed = address.startswith("[") and address.endswith("]")
    bare = address[1:-1] if bracketed else address
    if (bare == "" and colon) or (":" in bare) != bracketed or not re.fullmatch(r"\d{1,5}", port, re.ASCII):
        raise usage.UsageError(f"{option} {text}: give PORT, ADDRESS:PORT or [IPV6-ADDRESS]:PORT")
    if int(port) > 65535:
        raise usage.UsageError(f"{option} {text}: a port is at most 65535")
    return bare or "127.0.0.1", int(port)


def _read(path: Path) -> str:
    """Return the text of a file, without the byte order mark that some editors write.

    Raises:
        OSError: The file can't be read, or is too large.
        ValueError: The file is not UTF-8.
    """
    return read_plain_file(path, MOST_BYTES).decode("utf-8-sig")


def _why(error: OSError | ValueError) -> str:
    """Return why a file can't be read, or what is wrong in it."""
    return str((error.strerror if isinstance(error, OSError) else None) or error)


_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list of texts in quotes",
}


def _from_file(path: Path, faults: dict[str, str]) -> tuple[dict[str, Any], bool]:
    """Read the file of ``--config``.

    Args:
        path: The file.
        faults: Sentences about wrong options, by the option's name; those for this file are added.

    Returns:
        The valid settings by name, and whether the file could be read and is TOML.
    """
    text = ""
    try:
        text = _read(path)
        read = tomllib.loads(text)
    except (OSError, ValueError) as error:
        more = hint(text, str(error)) if isinstance(error, tomllib.TOMLDecodeError) else ""
        faults["config"] = f"--config {path}: {_why(error)}{more}"
        return {}, False
    given = {}
    for key, value in read.items():
        if key not in _FIELDS:
            faults[key] = f"--config {path}: unknown key {key!r}; known are {', '.join(_FIELDS)}"
            continue
        try:
            given[key] = _convert(f"--config {path}: {key}", key, value, strict=True)
        except usage.UsageError as error:
            faults[key] = str(error)
    return given, True


def _from_flags(options: ChatOptions, faults: dict[str, str]) -> dict[str, Any]:
    """Return the valid options of the command line by name; add a sentence about each wrong one to ``faults``."""
    given = {}
    for key in _FIELDS:
        value = options.get(key)
        if value is not None and value != 0:  # 0 is a flag that was not given
            try:
                given[key] = _convert(f"--{key} {value}", key, value, strict=False)
            except usage.UsageError as error:
                faults[key] = f"{faults[key]}; {error}" if key in faults else str(error)
    return given


def _convert(where: str, key: str, value: Any, *, strict: bool) -> Any:
    try:
        return msgspec.convert(value, _FIELDS[key].type, strict=strict)
    except msgspec.ValidationError as error:
        choices = [choice for choice in get_args(_FIELDS[key].type) if isinstance(choice, str) and choice]
        what = f"{', '.join(choices[:-1])} or {choices[-1]}" if choices else _what(str(error))
        raise usage.UsageError(f"{where}: give {what}") from None


def _what(error: str) -> str:
    """Return what the operator should give instead of a wrong value, such as ``a whole number of at least 0``.

    Args:
        error: The text of msgspec's error, such as ``Expected `int` >= 0`` or ``Expected `int`, got `str```.
    """
    found = re.match(r"Expected `(?P<kind>\w+)`(?: (?P<bound>[<>]=) (?P<number>\S+))?", error)
    if found is None:
        return f"something else: {error}"
    bound = {">=": " of at least ", "<=": " of at most ", None: ""}[found["bound"]]
    return f"{_KINDS.get(found['kind'], found['kind'])}{bound}{(found['number'] or '').removesuffix('.0')}"


def _check_rest(settings: DaemonSettings) -> tuple[DaemonSettings, list[str]]:
    """Check what types can't express. Return the settings with ``_RULES``' values for wrong ones, and the faults."""
    sound, faults = settings, []
    for check, unset in _RULES:
        try:
            check(settings)
        except usage.UsageError as error:
            sound = msgspec.structs.replace(sound, **unset)
            faults.append(str(error))
    return sound, faults


def _check_message_format(settings: DaemonSettings) -> None:
    try:
        check_format(settings.message_format)
    except ValueError as error:
        raise usage.UsageError(f"--message-format: {error}") from None


def _check_name(settings: DaemonSettings) -> None:
    if not settings.name.isprintable():
        raise usage.UsageError("--name: holds characters that cannot be shown")


def _check_metrics(settings: DaemonSettings) -> None:
    if settings.metrics:
        address_and_port("--metrics", settings.metrics)


def _check_manhole(settings: DaemonSettings) -> None:
    if settings.manhole:
        address_and_port("--manhole", settings.manhole)
        if not settings.manhole_keys:
            raise usage.UsageError(
                "--manhole: nobody could log in; say by --manhole-keys FILE whose public keys open it"
                " (such as ~/.ssh/authorized_keys)"
            )
    elif settings.manhole_keys:
        raise usage.UsageError("--manhole-keys: there is no console to open; give --manhole PORT, too")


def _check_pair(settings: DaemonSettings) -> None:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        given, missing = ("--tls-cert", "--tls-key") if settings.tls_cert else ("--tls-key", "--tls-cert")
        raise usage.UsageError(f"{given}: give {missing}, too, or neither; then the daemon makes its own certificate")


# Each check of ``_check_rest``, with the values that the settings get if it fails, so that the rest can be checked.
_RULES: tuple[tuple[Callable[[DaemonSettings], object], dict[str, Any]], ...] = (
    (_check_message_format, {"message_format": DEFAULT}),
    (_check_name, {"name": "chatroom"}),
    (_check_metrics, {"metrics": ""}),
    (motd, {"motd": ""}),
    (_check_manhole, {"manhole": ""}),
    (_check_pair, {"tls_cert": "", "tls_key": ""}),
)
