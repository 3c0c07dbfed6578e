"""Reads a line from a person: which words are commands, what the person is asked for, and what is said to the room.

The rules stand in docs/protocol.md, "What people type". ``/word`` and the upper-case words are commands anywhere. Bare
words are commands outside a room. Inside a room the only bare commands are ``leave``, alone on its line, and for guests
``login`` and ``register``, so that nobody says a password to a room. A line after a question is the answer to it.
Everything else is said to the room.

If a person's answer to a password question fails inside a room, the question is asked again: the next line is probably
a password, and must not be said to the room.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from chatroom.chat.dispatch import check_allowed
from chatroom.chat.help import unknown_command
from chatroom.chat.session import Session
from chatroom.model import arguments
from chatroom.model.arguments import BLANKS, Arg, Kind
from chatroom.model.commands import BY_BARE, BY_SLASH, BY_UPPER, Command, CommandRow, Leave, OutOfBounds, Say, made
from chatroom.model.errors import ANSWER_FIRST, EXPECTED_PAIR, MISREAD, NOT_IN_ROOM, USAGE, Refused
from chatroom.model.replies import Ok

_UPPER_INITIALS = {word[0] for word in BY_UPPER}
AGAIN = "Try again; an empty line or /cancel ends the question."
_ASKED_OF_GUESTS = {"login", "register"}


@dataclass(frozen=True, slots=True)
class OpenQuestion:
    """A question for missing arguments of a command, which a person has not answered yet.

    Args:
        row: The command's row in the table of commands, which lists its arguments.
        values: The values of the arguments that are known, by field.
        missing: The arguments that are still to be asked for.
        together: Whether all missing arguments are asked for at once, and answered with commas between them.
        before: The first question about this command; None if this is the first.
    """

    row: CommandRow
    values: dict[str, Any]
    missing: tuple[Arg, ...]
    together: bool = False
    before: OpenQuestion | None = None

    @property
    def secret(self) -> bool:
        """Whether the answer holds a password."""
        asked = self.missing if self.together else self.missing[:1]
        return any(arg.kind is Kind.SECRET for arg in asked)


def read(line: bytes, session: Session) -> Command | None:
    """Return the command in a line; None if the line holds none, or if the person is asked for an argument first.

    Raises:
        Refused: There is no such command, its arguments are wrong, or the line is a message outside a room.
    """
    text = line.decode("utf-8", "replace").removeprefix("\ufeff")  # a piped file may begin with a byte order mark
    session.ask_again = None
    if session.question is not None:
        return _answered(text.strip(BLANKS), session)
    if text.startswith("/"):
        if text.startswith("//"):
            return Say(text=text[1:])
        return _slash(text, session)
    if text[:1] in _UPPER_INITIALS:
        word, _, rest = text.partition(" ")
        row = BY_UPPER.get(word)
        if row is not None and (row.args or not rest.strip()):
            return _build(row, rest, session)
    if session.room is not None:
        if text == "leave":
            return Leave()
        word = text.strip(BLANKS).lower()
        if word in _ASKED_OF_GUESTS and session.user.account is None:
            return _build(BY_BARE[word], "", session)
        return Say(text=text) if text and not text.isspace() else None
    return _outside(text.strip(BLANKS), session)


def _slash(text: str, session: Session) -> Command | None:
    word, _, rest = text[1:].partition(" ")
    second, _, more = rest.partition(" ")
    row = BY_SLASH.get(f"{word} {second}".lower())  # as /account delete
    if row is not None:
        return _build(row, more, session)
    row = BY_SLASH.get(word.strip().lower())
    if row is None:
        raise unknown_command(word, session)
    return _build(row, rest, session)


def _command_in(text: str) -> str:
    """Return the known ``/command`` at the beginning of a line; empty if there is none."""
    word = text[1:].partition(" ")[0].strip(BLANKS).lower()
    return f"/{word}" if word in BY_SLASH or word == "cancel" else ""


def _outside(text: str, session: Session) -> Command | None:
    """Return the command in a line typed outside a room; None if the line is empty.

    Raises:
        Refused: The line is no command, so it could only be said in a room. The name of a command that takes no
            arguments must stand alone.
    """
    if not text:
        return None
    word, _, rest = text.partition(" ")
    row = BY_BARE.get(word.lower())
    if row is None or (rest and not row.args):
        raise NOT_IN_ROOM()
    return _build(row, rest, session)


# ---- arguments and questions ------------------------------------------------------------------------------------


def _build(row: CommandRow, rest: str, session: Session) -> Command | None:
    """Return a command with the arguments in ``rest``; None if the person is asked for missing arguments.

    Args:
        row: The command's row in the table of commands.
        rest: What follows the command's word on the line.
        session: The session of the person.

    Raises:
        Refused: An argument is wrong, or an argument is missing that is never asked for.
    """
    values: dict[str, Any] = dict(row.fixed)
    rest = rest.strip(BLANKS)
    if row.ask and "," in rest and not any(blank in rest for blank in BLANKS):  # no name has a comma
        return _record(row, {**values, **_given_together(rest, row.args)})
    for i, arg in enumerate(row.args):
        if not rest:
            missing = tuple(arg for arg in row.args[i:] if arg.required)
            if not missing:
                break
            if row.ask and i == 0:
                _ask(OpenQuestion(row, values, missing, together=True), session)
                return None
            if all(arg.ask for arg in missing):
                _ask(OpenQuestion(row, values, missing), session)
                return None
            raise USAGE(usage=row.usage)
        value, rest = _argument(row, arg, rest)
        if value is not None:
            values[arg.field] = value
    if rest:
        raise USAGE(usage=row.usage)
    return _record(row, values)


def _record(row: CommandRow, values: dict[str, Any]) -> Command:
    """Return the command of a row with these values as its arguments.

    Raises:
        Refused: A value is outside its bounds, which are the same for people and programs.
    """
    try:
        return made(row, values)
    except OutOfBounds as error:
        raise MISREAD(why=error) from None


def _argument(row: CommandRow, arg: Arg, rest: str) -> tuple[Any, str]:
    """Read an argument; return its value (None if it is left out) and the rest of the line.

    Raises:
        Refused: The argument can't be read.
    """
    try:
        return arguments.read(arg, rest, last=arg is row.args[-1])
    except arguments.Misread as misread:
        raise (MISREAD(why=misread) if misread.args else USAGE(usage=row.usage)) from None


def _ask(question: OpenQuestion, session: Session) -> None:
    """Send a question to a person, and keep it as the session's open question.

    Raises:
        Refused: The session may not give the command that the question is about.
    """
    check_allowed(question.row, session, session.room)
    session.question = question
    session.answer(Ok(question.row.ask if question.together else question.missing[0].ask))


def _ask_again(question: OpenQuestion, session: Session) -> None:
    """Ask the first question about a command again, because the command failed with the answers.

    Outside a room nothing is asked again: nobody else would see a password on the next line.
    """
    if session.room is None:
        return
    try:
        check_allowed(question.row, session, session.room)
    except Refused:
        return
    session.answer(Ok(AGAIN))
    _ask(question.before or question, session)


def _answered(text: str, session: Session) -> Command | None:
    """Take a line as the answer to the open question; an empty line or ``/cancel`` ends the question.

    At a question for a password any other line is the password. At any other question a command is refused and the
    question asked again, because nobody means ``/who`` as an answer; ``//who`` answers ``/who``.

    Returns:
        The command, if its last missing argument was answered; otherwise None.
    """
    question: OpenQuestion = session.question
    session.question = None
    if not text or text.lower() == "/cancel":
        session.answer(Ok("Cancelled."))
        return None
    if not question.secret and text.startswith("/"):
        word = _command_in(text)
        if word:
            session.refuse(ANSWER_FIRST(word=word))
            _ask(question, session)
            return None
        text = text[1:] if text.startswith("//") else text
    return _taken(text, question, session)


def _taken(text: str, question: OpenQuestion, session: Session) -> Command | None:
    """Add an answer to the command's arguments. Return the command if it is complete, else ask the next question."""
    count = len(question.missing) if question.together else 1
    asked, missing = question.missing[:count], question.missing[count:]
    try:
        given = _given_together(text, asked) if question.together else _given(text, asked[0], question.row)
    except Refused as refused:
        if not question.secret or session.room is None:
            raise
        session.refuse(refused)
        _ask_again(question, session)
        return None
    values = {**question.values, **given}
    first = question.before or question
    if missing:
        _ask(OpenQuestion(question.row, values, missing, before=first), session)
        return None
    if question.secret:
        session.ask_again = partial(_ask_again, first)
    return _record(question.row, values)


def _given(text: str, arg: Arg, row: CommandRow) -> dict[str, Any]:
    """Return the value in an answer, keyed by the argument's field; a password is all of ``text``, inner blanks too."""
    if arg.kind is Kind.SECRET:
        return {arg.field: text}
    value, rest = _argument(row, arg, text)
    if rest:
        raise USAGE(usage=row.usage)
    return {arg.field: value}


def _given_together(text: str, asked: tuple[Arg, ...]) -> dict[str, Any]:
    """Return the values in an answer with commas between them, by field; only the last value may hold a comma."""
    parts = [part.strip(BLANKS) for part in text.split(",", len(asked) - 1)]
    if len(parts) < len(asked) or not all(parts):
        raise EXPECTED_PAIR()
    return dict(zip((arg.field for arg in asked), parts, strict=True))
