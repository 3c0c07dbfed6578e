"""Every refusal there is: a code for programs, a text for people. Handlers raise them, one place formats them."""

from __future__ import annotations

from dataclasses import dataclass


class Refused(Exception):
    """Raised by whoever cannot do what was asked; shown to the one who asked, as an answer and not as a crash.

    Args:
        code: A kebab-case word for programs.
        text: What is wrong and what to do next, for people.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.ref: int | str | None = None  # of the record that could not even be read


@dataclass(frozen=True, slots=True)
class Refusal:
    """A kind of refusal: its code, its text with ``{fields}``. Calling it gives the exception to raise."""

    code: str
    text: str

    def __call__(self, **fields: object) -> Refused:
        return Refused(self.code, self.text.format(**fields))


ALREADY_THERE = Refusal("already-there", "you are already in room {room}.")
BAD_NAME = Refusal("bad-name", "{why}; choose another with /name <name>.")
BAD_RECORD = Refusal("bad-record", "{why}.")
BAD_ROOM = Refusal("bad-room", "{why}; choose another name for the room.")
BAD_TELNET = Refusal("bad-telnet", "{why}.")
CHAT_FULL = Refusal("chat-full", "the chat is full (max users {most}).")
INTERNAL = Refusal("internal", "something went wrong here; it has been logged. Try again.")
NAME_IN_USE = Refusal("name-in-use", "username is already used; choose another with /name <name>.")
NO_COMMAND = Refusal("no-command", "unknown command {word}; type /help.")
NO_ROOM = Refusal("no-room", "no room named {room}; create it with /create {room}.")
NO_USER = Refusal("no-user", "no user named {user}; see /who.")
NOBODY_TO_REPLY = Refusal("nobody-to-reply", "nobody has written to you yet; use /msg <user> <text>.")
NOT_CONFIRMED = Refusal("not-confirmed", "not confirmed: the message may not have been stored; send it again.")
NOT_IN_ROOM = Refusal("not-in-room", "you are not in a room; join one with /join <room>.")
NOTHING_SAID = Refusal("nothing-said", "there is nothing in that message; say something.")
ROOM_EXISTS = Refusal("room-exists", "room {room} already exists; join it with /join {room}.")
TOO_FAST = Refusal("too-fast", "you are sending too fast.")
TOO_LONG = Refusal("too-long", "line too long (limit {limit} bytes).")
TOO_MANY_CONNECTIONS = Refusal("too-many-connections", "too many connections from your address; try again later.")
TOO_MANY_IGNORED = Refusal("too-many-ignored", "you ignore {most} people already; see /set.")
TOO_MANY_ROOMS = Refusal("too-many-rooms", "there are too many rooms ({most}); join one of them, see /rooms.")
TOO_QUIET = Refusal("too-quiet", "nothing was heard from you for {seconds} seconds.")
USAGE = Refusal("usage", "usage: {usage}.")
VERSION = Refusal("version", "this server speaks version {version} of the records.")

REFUSALS = tuple(value for value in list(globals().values()) if isinstance(value, Refusal))
