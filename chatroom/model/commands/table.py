"""What the records of commands and the rows of their table are made of. The other files define the commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

from chatroom.model.arguments import Arg, Kind
from chatroom.model.event_base import tag

Ref = Annotated[int, Meta(ge=-(2**53), le=2**53)] | Annotated[str, Meta(max_length=64)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
MessageSeq = Annotated[int, Meta(ge=1, le=2**53)]  # of a message; 0 is no message's seq
MOST_BACK = 200  # messages that somebody can count back to the one that is meant
Back = Annotated[int, Meta(ge=1, le=MOST_BACK)]
Id = Annotated[str, Meta(pattern=r"^[!-9;-~]{1,64}\Z")]
Word = Annotated[str, Meta(max_length=256)]  # names have stricter limits; this one keeps checking them cheap

LINES_IN_ONE = 5  # lines of one text that count as one line of the budget for messages

Secret = Annotated[str, Meta(max_length=1024)]  # passwords have stricter limits; this one keeps checking them cheap
Reason = Annotated[str, Meta(max_length=4096)]
Seconds = Annotated[int, Meta(ge=0, le=10 * 365 * 86400)]


class Command(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, tag_field="do", tag=tag):
    """A command to the server. The answer has the command's ``ref`` as ``re``."""

    ref: Ref | None = None

    @property
    def cost(self) -> int:
        """What the command costs of the budget for queries; 0 if it counts as a line of the budget for messages.

        A client gives many queries by itself, such as those to resume its rooms. They must not delay what people say.
        """
        return 0

    @property
    def weight(self) -> int:
        """How many lines of the budget for messages the command counts as: more than one if its text has many lines."""
        text = getattr(self, "text", None)
        return 1 + text.count("\n") // LINES_IN_ONE if text else 1


class Secretive(Command, frozen=True, gc=False, kw_only=True):
    """A command that contains a secret. Its ``repr`` shows none of its fields."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(...)"


class RoomCommand(Command, frozen=True, gc=False, kw_only=True):
    """A command about a room that the session is in.

    ``room`` is the name of the room. Without it, the room is the one that the session joined last; a program that is in
    several rooms must say which.

    Attributes:
        elsewhere: Whether ``room`` may also name a room that the session is not in.
    """

    elsewhere: ClassVar[bool] = False

    room: Word = ""

    @property
    def needs_room(self) -> bool:
        """Whether a program that is in several rooms must say which room it means; some fields make that needless."""
        return True


# ---- the table ---------------------------------------------------------------------------------------------------


class Needs(Enum):
    """What a user must be to give a command."""

    NOTHING = ""
    GUEST = "no login"
    LOGIN = "a login"
    MODERATOR = "a moderator"
    OWNER = "the owner"
    OPERATOR = "an operator"


TOPICS = {
    "talk": "say something, to the room or to one person",
    "room": "go into a room, or look around",
    "people": "see who is there",
    "you": "take a name, or have an account",
    "share": "share files",
    "settings": "choose what you see, and how",
    "order": "keep order in a room that is yours",
    "server": "run the server",
    "end": "get help, or leave",
}
"""The topics of ``/help``: the word to type after it, and what the user wants to do. No command has such a name."""


@dataclass(frozen=True, slots=True)
class CommandRow:
    """How a command is typed, and who may use it.

    Args:
        command: The class of the command's record.
        help: What the command does, in a few words.
        slash: The words for it after ``/``; the first is the usual one.
        upper: The upper-case words for it, which are commands everywhere.
        bare: The words for it outside a room.
        args: The arguments that are typed after the word.
        ask: What telnet asks if no argument is given; the answer has all required arguments, separated by commas.
        in_room: Whether the user must be in a room.
        needs: What the user must be, such as logged in or a moderator.
        pipelined: Whether the command can be handled before the session's earlier messages are stored.
        long: Whether the answer may be long. Then the command waits until the client has taken what it was sent before.
        fixed: Fields that always have these values when the command is typed in this way.
        topic: The topic of ``/help`` that lists the command; empty if nobody can type the command.
        examples: The fields of the examples on the protocol page.

    Attributes:
        secret: Whether one of the arguments is a password.
        about_room: Whether the command is a ``RoomCommand``: its handler is given the room.
    """

    command: type[Command]
    help: str
    slash: tuple[str, ...] = ()
    upper: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    args: tuple[Arg, ...] = ()
    ask: str = ""
    in_room: bool = False
    needs: Needs = Needs.NOTHING
    pipelined: bool = False
    long: bool = False
    fixed: dict[str, Any] = field(default_factory=dict)
    topic: str = ""
    examples: Sequence[dict[str, Any]] = ()
    secret: bool = field(init=False)
    about_room: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "secret", any(arg.kind is Kind.SECRET for arg in self.args))
        object.__setattr__(self, "about_room", issubclass(self.command, RoomCommand))

    @property
    def do(self) -> str:
        """The value of ``do`` in the record."""
        return str(self.command.__struct_config__.tag)

    @property
    def usage(self) -> str:
        """How the command is typed: its usual word and its arguments."""
        word = f"/{self.slash[0]}" if self.slash else self.upper[0] if self.upper else ""
        return " ".join([word, *(arg.usage for arg in self.args)])

    @property
    def spellings(self) -> list[str]:
        """All words by which the command can be typed."""
        return [*(f"/{word}" for word in self.slash), *self.upper, *self.bare]

    @property
    def takes_pair(self) -> bool:
        """Whether the arguments are a name and a password, which may be typed with a comma between them."""
        return [arg.kind for arg in self.args] == [Kind.WORD, Kind.SECRET]


TABLE: list[CommandRow] = []


def row(
    command: type[Command], help: str, slash: str, *args: Arg, upper: str = "", bare: str = "", **more: Any
) -> None:
    """Add a row to the table.

    Args:
        command: The class of the command's record.
        help: What the command does, in a few words.
        slash: The words for it after ``/``, separated by ``|``.
        args: The arguments.
        upper: The upper-case words for it, separated by ``|``.
        bare: The words for it outside a room, separated by ``|``.
        more: Further fields of ``CommandRow``.
    """
    words = [tuple(spelled.split("|")) if spelled else () for spelled in (slash, upper, bare)]
    TABLE.append(CommandRow(command, help, words[0], words[1], words[2], args, **more))


USER = Arg("user")
TEXT = Arg("text", Kind.REST, ask="Message:", lines=True)
ONE_LINE = Arg("text", Kind.REST, ask="Message:")
USER_PERHAPS = Arg("user", required=False)
ACCOUNT = Arg("user", prompt="Name:")
REASON = Arg("reason", Kind.REST, required=False)
ROOM = Arg("room")
ON_PERHAPS = Arg("on", Kind.SWITCH, "on|off", required=False)
NEW_PASSWORD = Arg("password", Kind.SECRET, ask="Password:", prompt="Choose a password:", twice=True)
TEXT_PERHAPS = Arg("text", Kind.REST, required=False)
BACK = Arg("last", Kind.BACK, "-n")
BACK_PERHAPS = Arg("last", Kind.BACK, "-n", required=False)
MESSAGES = Arg("messages", Kind.COUNT, required=False)
PASSWORD = Arg("password", Kind.SECRET, ask="Password:", prompt="Password:")
HOW_LONG = Arg("seconds", Kind.DURATION, "duration", required=False)
ON = Arg("on", Kind.SWITCH, "on|off")
PAIR = "user,password:"  # asks for a name and a password together
