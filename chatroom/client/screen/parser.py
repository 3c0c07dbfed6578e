"""Parsing a typed line: it is something to say, a command of the server, or one of the client's own commands."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from chatroom.model import arguments
from chatroom.model.arguments import BLANKS, Arg, Kind
from chatroom.model.commands import BY_BARE, BY_SLASH, BY_UPPER, CommandRow
from chatroom.model.password_rules import BadPassword, check_text
from chatroom.model.suggestions import nearest

# A guest's line of only such a word is a command in a room, too: the client then asks for the name and the password,
# so that the guest does not say them to the room.
ASKED_OF_GUESTS = ("login", "register")


class Misuse(Exception):
    """A typed line is wrong; the text says what to type instead."""


@dataclass(frozen=True, slots=True)
class SayLine:
    """The meaning of a line that is said to the room."""

    text: str


@dataclass(frozen=True, slots=True)
class CommandLine:
    """The meaning of a line that is a command of the server.

    Args:
        row: The command.
        fields: The fields that were given.
        missing: The arguments that the user must still be asked for.
    """

    row: CommandRow
    fields: dict[str, Any]
    missing: tuple[Arg, ...] = ()


@dataclass(frozen=True, slots=True)
class LocalLine:
    """The meaning of a line that is one of the client's own commands: its word, and the text after the word."""

    word: str
    rest: str


def read(
    line: str, own: Collection[str], *, inside: bool = True, guest: bool = False
) -> SayLine | CommandLine | LocalLine | None:
    """Return what a line means; None for a blank line or ``/say`` alone. The rules are those of telnet.

    Several lines are one message; only if the first begins with ``/`` may they be a command.

    Args:
        line: What was typed, usually one line.
        own: The words of the client's own commands; they take precedence over the server's.
        inside: Whether the user is in a room, where most lines without ``/`` are said.
        guest: Whether the user is a guest: then ``login`` and ``register`` alone are commands in a room, too.

    Raises:
        Misuse: There is no such command, or its arguments are wrong.
    """
    if not line.strip():
        return None
    if not line.startswith("/"):
        if "\n" in line:
            return SayLine(line)
        row, rest = _without_slash(line, inside, guest)
        return SayLine(line) if row is None else _meant(row, rest, own)
    if line.startswith("//"):
        return SayLine(line[1:])
    word, rest = arguments.first_word(line[1:].strip(BLANKS))
    if word.lower() in own and f"{word} {arguments.first_word(rest)[0]}".lower() not in BY_SLASH:  # /set reactions
        _check_one_line(word, line)
        return LocalLine(word.lower(), rest)
    if word.lower() == "say":
        return SayLine(rest) if rest else None
    row, rest = _row(word, rest, own)
    if not (row.args and row.args[-1].lines):
        _check_one_line(word, line)
    return _command(row, rest)


def _check_one_line(word: str, line: str) -> None:
    """Raise ``Misuse`` if several lines were typed for a command that takes one."""
    if "\n" in line:
        raise Misuse(f"/{word.lower()} takes one line; to say these lines, begin the first with //.")


def begins_command(line: str, own: Collection[str]) -> bool:
    """Return whether a line begins with a slash and the word of a command, of which ``own`` has the client's own."""
    word = arguments.first_word(line[1:])[0].lower()
    return line.startswith("/") and (word in BY_SLASH or word in own)


def depends_on_room(line: str) -> bool:
    """Return whether a line means one thing to a user in a room, and another to a user in no room."""
    return line.strip(BLANKS).partition(" ")[0].lower() in BY_BARE


def holds_secret(line: str) -> bool:
    """Return whether the line may contain a password, so that it must not be stored."""
    word, _, rest = line.lstrip().removeprefix("/").partition(" ")
    second = rest.strip().partition(" ")[0]
    rows: tuple[CommandRow | None, ...] = (BY_SLASH.get(f"{word} {second}".lower()), BY_SLASH.get(word.lower()))
    if line.lstrip().startswith("/") and not any(rows):
        rows = (BY_SLASH.get(nearest(word, BY_SLASH) or ""),)  # a misspelled command, such as /lgoin
    return any(row is not None and row.secret for row in rows)


def secret_from(line: str, *, bare: bool = False) -> int | None:
    """Return the position where a password begins in a command, so that it can be hidden; None if none is typed yet.

    Args:
        line: What has been typed so far.
        bare: Whether commands such as ``login`` need no slash at present.
    """
    words = list(re.finditer(r"\S+", line))
    texts = [word[0].lower() for word in words]
    if bare and texts and texts[0] in BY_BARE:
        texts[0] = f"/{texts[0]}"
    if not texts or not texts[0].startswith("/"):
        return None
    for count in (2, 1):
        row = BY_SLASH.get(" ".join(texts[:count])[1:]) if len(texts) >= count else None
        if row is not None and row.secret:
            comma = line.find(",", words[count].start()) if row.takes_pair and len(words) > count else -1
            if comma >= 0 and comma < words[count].end():
                return comma + 1 if line[comma + 1 :] else None
            before = count + next(i for i, arg in enumerate(row.args) if arg.kind is Kind.SECRET)
            return words[before].start() if before < len(words) else None
    return None


def _without_slash(line: str, inside: bool, guest: bool) -> tuple[CommandRow | None, str]:
    """Return the command that a line without ``/`` means (None if the line is said), and the text after that command.

    A word that takes no argument is a command only if it stands alone.
    """
    word, _, rest = line.partition(" ")
    row = BY_UPPER.get(word)
    if row is None and inside:
        alone = line.strip(BLANKS).lower()
        if line == "leave" or (guest and alone in ASKED_OF_GUESTS):
            return BY_BARE[alone], ""
        return None, ""
    if row is None:
        word, _, rest = line.strip(BLANKS).partition(" ")
        row = BY_BARE.get(word.lower())
    rest = rest.strip(BLANKS)
    return (None, "") if row is None or (rest and not row.args) else (row, rest)


def _meant(row: CommandRow, rest: str, own: Collection[str]) -> CommandLine | LocalLine:
    """Return the client's own command if it has a name of this command; otherwise return the command of the server."""
    word = next((word for word in row.slash if word in own), "")
    return LocalLine(word, rest) if word else _command(row, rest)


def _row(word: str, rest: str, own: Collection[str]) -> tuple[CommandRow, str]:
    """Return the command with that name, and its arguments. Raises ``Misuse`` if there is none."""
    second, _, more = rest.partition(" ")
    row = BY_SLASH.get(f"{word} {second}".lower())  # as /account delete
    if row is not None:
        return row, more.strip(BLANKS)
    row = BY_SLASH.get(word.lower())
    if row is None:
        meant = nearest(word, [*(word for word in BY_SLASH if " " not in word), *own])
        raise Misuse(f"unknown command /{word[:64]}; {f'did you mean /{meant}?' if meant else 'type /help.'}")
    return row, rest


def pair(text: str) -> tuple[str, str]:
    """Return the name and the password in a text such as ``alice,secret``; if its first word has no comma, return the
    text and an empty password."""
    name, comma, password = text.partition(",")
    if not comma or any(blank in name.strip(BLANKS) + name[-1:] for blank in BLANKS):
        return text.strip(BLANKS), ""
    return name.strip(BLANKS), password.strip(BLANKS)


def _command(row: CommandRow, rest: str) -> CommandLine:
    """Parse the arguments of a command. Raises ``Misuse`` if they are wrong or too many."""
    fields: dict[str, Any] = dict(row.fixed)
    if row.takes_pair:
        name, password = pair(rest)
        rest = f"{name} {password}" if password else name
    for i, arg in enumerate(row.args):
        if not rest:
            missing = tuple(arg for arg in row.args[i:] if arg.required)
            if not all(arg.prompt for arg in missing):
                raise Misuse(f"usage: {row.usage}.")
            return CommandLine(row, fields, missing)
        value, rest = _argument(row, arg, rest)
        if value is not None:
            fields[arg.field] = value
    if rest:
        raise Misuse(f"usage: {row.usage}.")
    return CommandLine(row, fields)


def _argument(row: CommandRow, arg: Arg, rest: str) -> tuple[Any, str]:
    """Read an argument. Returns its value (None if the argument is left out) and the rest of the line."""
    try:
        value, rest = arguments.read(arg, rest, last=arg is row.args[-1])
    except arguments.Misread as misread:
        raise Misuse(str(misread) or f"usage: {row.usage}.") from None
    if arg.kind is Kind.SECRET:
        check_password(value)
    return value, rest


def check_password(password: str) -> None:
    """Raise ``Misuse`` if the typed password contained bytes that are not UTF-8."""
    try:
        check_text(password)
    except BadPassword as error:
        raise Misuse(f"{error}.") from None
