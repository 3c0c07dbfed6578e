"""``chatroom-admin``: commands on a data folder, for operators and their scripts. Each command has a module of its own.

The exit status is 0 for success, 1 if the command failed or found faults, and 2 if it was called wrongly.
"""

from __future__ import annotations

import argparse
import os
import sqlite3
import sys
from collections.abc import Iterable, Sequence
from getpass import getpass
from pathlib import Path
from typing import BinaryIO, NoReturn

import msgspec

import chatroom
from chatroom.admin.add_account import add_account, check_name
from chatroom.admin.atomic_file import whole_file
from chatroom.admin.backup import backup
from chatroom.admin.check import check
from chatroom.admin.errors import CommandFailed
from chatroom.admin.export import export
from chatroom.admin.restore import restore
from chatroom.engines.data_folder import state_folder
from chatroom.model.password_rules import LEAST
from chatroom.model.text import clean

MOST_READ = 4096  # bytes of a line with a password; longer than any password


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: The arguments; by default those of the command line.

    Returns:
        The exit status.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:  # --help, or wrong arguments; argparse has printed the text
        return int(end.code or 0)
    try:
        return int(options.run(_folder(options.data), options))
    except CommandFailed as error:
        return _complain(str(error))
    except BrokenPipeError:  # the reader of the output has ended
        return 1
    except KeyboardInterrupt:
        return _complain("interrupted")
    except msgspec.MsgspecError as error:
        return _complain(f"the database holds what cannot be read ({error}); restore a backup")
    except OSError as error:
        return _complain(f"{error.filename}: {error.strerror}" if error.filename else str(error))
    except (sqlite3.Error, RuntimeError) as error:
        return _complain(str(error))


def _folder(data: str | None) -> Path:
    """Return the data folder. An empty name, as from an empty variable of a script, is an error."""
    if data == "":
        raise CommandFailed("--data is empty; give a folder")
    return Path(data) if data is not None else state_folder()


def _complain(why: str) -> int:
    """Print an error to stderr; return the exit status 1."""
    print(f"chatroom-admin: {clean(why)}", file=sys.stderr)
    return 1


def _say(line: str) -> None:
    _write([f"{clean(line)}\n".encode()])


def _write(lines: Iterable[bytes]) -> None:
    """Write lines to stdout and flush it, so that an error can still be reported."""
    try:
        sys.stdout.buffer.writelines(lines)
        sys.stdout.flush()
    except OSError as error:
        # Without this, Python would write to stdout again when it exits, and print a message of its own.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            raise
        raise CommandFailed(f"the output cannot be written: {error.strerror}") from None


# ---- the commands -----------------------------------------------------------------------------------------------


def _add_account(folder: Path, options: argparse.Namespace) -> int:
    name = check_name(options.name)
    password = _password(options.password_file)
    add_account(folder, name, password, operator=options.operator, least=options.min_password)
    _say(f"account {name.shown} added{', an operator' if options.operator else ''}")
    return 0


def _password(file: str | None) -> str:
    """Return the password: from the first line of the file or of the input, or from the terminal."""
    try:
        if file is not None:
            with open(file, "rb") as lines:
                return _first_line(lines)
        if not sys.stdin.isatty():
            return _first_line(sys.stdin.buffer)
        password = getpass("Password: ")
        again = getpass("Once more: ")
    except UnicodeError:  # the text of this error would show a part of the password
        raise CommandFailed("the password is not UTF-8; give another") from None
    except EOFError:
        raise CommandFailed("no password was given") from None
    except OSError as error:
        raise CommandFailed(f"--password-file {file}: {error.strerror}; give another") from None
    if again != password:
        raise CommandFailed("the two passwords differ; try again")
    return password


def _first_line(lines: BinaryIO) -> str:
    """Return the first line, without the characters that end it. Raises EOFError if the input is empty."""
    line = lines.readline(MOST_READ)
    if not line:
        raise EOFError
    return line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8-sig")


def _backup(folder: Path, options: argparse.Namespace) -> int:
    if options.file == "-":
        raise CommandFailed("a backup cannot go to the output; give a file")
    backup(folder, Path(options.file), force=options.force)
    return 0


def _restore(folder: Path, options: argparse.Namespace) -> int:
    aside = restore(folder, Path(options.file), force=options.force)
    if aside is not None:
        _say(f"the database that was there is {aside} now")
    return 0


def _export(folder: Path, options: argparse.Namespace) -> int:
    lines = export(folder, room=options.room, private=options.private)
    if options.file in (None, "-"):
        _write(lines)
        return 0
    with whole_file(Path(options.file), force=options.force) as made, made.open("wb") as file:
        file.writelines(lines)
    return 0


def _check(folder: Path, options: argparse.Namespace) -> int:
    found = check(folder)
    for remark in found.remarks:
        _say(remark)
    for fault in found.faults:
        _complain(fault)
    return 1 if found.faults else 0


# ---- the arguments of the commands ------------------------------------------------------------------------------


class _Parser(argparse.ArgumentParser):
    """Reports errors in one sentence, and never repeats an argument that might be a password."""

    def error(self, message: str) -> NoReturn:
        if message.startswith("unrecognized arguments"):
            message = "too many arguments, or an unknown option"
        print(f"chatroom-admin: {clean(message)}; see {self.prog} --help", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="chatroom-admin",
        description="Look after a chatroom daemon's data folder. Run it as the user that the daemon runs as.",
        epilog="chatroom-admin COMMAND --help explains each.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"chatroom {chatroom.__version__}")
    _add_data(parser, default=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_account_parser(commands)
    _backup_parser(commands)
    _restore_parser(commands)
    _export_parser(commands)
    _command(commands, "check", _check, "say whether the database is whole, and what is wrong", "")
    return parser


def _command(commands: argparse._SubParsersAction[_Parser], name: str, run: object, does: str, more: str) -> _Parser:
    """Add a command that calls ``run``. Its help is ``does``, also shown in the list of commands, and ``more``."""
    parser = commands.add_parser(
        name, help=does, description=f"{does[0].upper()}{does[1:]}. {more}", allow_abbrev=False
    )
    _add_data(parser, default=argparse.SUPPRESS)  # so that a --data before the command stays in force
    parser.set_defaults(run=run)
    return parser


def _add_data(parser: _Parser, default: str | None) -> None:
    """Add the option for the data folder, which may stand before or after the command."""
    parser.add_argument(
        "--data",
        "-d",
        metavar="DIR",
        default=default,
        help="the data folder (systemd's STATE_DIRECTORY, else ~/.local/state/chatroom)",
    )


def _add_account_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "add-account",
        _add_account,
        "make an account while the daemon is stopped",
        "The password is asked for on a terminal, or read as one line from the input. "
        "While the daemon runs, use add_account on its console.",
    )
    parser.add_argument("name", metavar="NAME", help="what the account is called")
    parser.add_argument("--operator", action="store_true", help="it may do everything everywhere")
    parser.add_argument(
        "--min-password",
        metavar="N",
        type=int,
        default=LEAST,
        help=f"characters that the password must have ({LEAST})",
    )
    parser.add_argument("--password-file", metavar="FILE", help="file whose first line is the password")


def _backup_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "backup",
        _backup,
        "copy the database to a file, also while the daemon runs",
        "All that anybody has seen before it began is in it. Keys that lie beside the database are not.",
    )
    parser.add_argument("file", metavar="FILE", help="the copy")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")


def _restore_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "restore",
        _restore,
        "make a backup the database of a data folder, while the daemon is stopped",
        "The backup is checked before anything is touched.",
    )
    parser.add_argument("file", metavar="FILE", help="the backup")
    parser.add_argument("--force", action="store_true", help="move a database that is there aside, and say where to")


def _export_parser(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = _command(
        commands,
        "export",
        _export,
        "write accounts, rooms and what was said as JSON lines, also while the daemon runs",
        "All is of one moment. Until it has ended the daemon's file chat.db-wal grows: do not leave it in a pager.",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--room", metavar="NAME", help="only this room")
    which.add_argument("--private", action="store_true", help="private messages, too")
    parser.add_argument("--force", action="store_true", help="replace a file that is there")
    parser.add_argument("file", metavar="FILE", nargs="?", help="where to (stdout)")


if __name__ == "__main__":
    raise SystemExit(main())
