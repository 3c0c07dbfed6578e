"""The server's commands as they are typed, and which record each becomes.

To add one: a row. What a command does and who may give it is the server's to say (``/help``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chatroom.model.arguments import Arg, Kind


@dataclass(frozen=True, slots=True)
class WordRow:
    """One command.

    Args:
        words: Its words after ``/``; the first is the usual one.
        do: Its record's ``do``.
        args: Its arguments.
        fixed: Fields that its record always has.
        upper: Its upper-case words, which are commands anywhere.
        bare: Its words outside a room, without ``/``.
    """

    words: tuple[str, ...]
    do: str
    args: tuple[Arg, ...] = ()
    fixed: dict[str, Any] = field(default_factory=dict)
    upper: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()

    @property
    def usage(self) -> str:
        """How it is typed."""
        word = f"/{self.words[0]}" if self.words else self.upper[0]
        return " ".join([word, *(arg.usage for arg in self.args)])

    @property
    def secret(self) -> bool:
        """Whether a password may stand in its line."""
        return any(arg.kind is Kind.SECRET for arg in self.args)

    @property
    def takes_pair(self) -> bool:
        """Whether it takes a name and a password, which may be typed as on telnet with a comma between them."""
        return [arg.kind for arg in self.args] == [Kind.WORD, Kind.SECRET]


_ROOM = Arg("room")
_USER = Arg("user")
_TEXT = Arg("text", Kind.REST)
_TEXT_PERHAPS = Arg("text", Kind.REST, required=False)
_REASON = Arg("reason", Kind.REST, required=False)
_HOW_LONG = Arg("seconds", Kind.DURATION, "duration", required=False)
_USER_PERHAPS = Arg("user", required=False)
_MESSAGES = Arg("messages", Kind.COUNT, required=False)
_ON = Arg("on", Kind.SWITCH, "on|off")
_ON_PERHAPS = Arg("on", Kind.SWITCH, "on|off", required=False)
_ACCOUNT = Arg("user", ask="Name: ")
_PASSWORD = Arg("password", Kind.SECRET, ask="Password: ")
_NEW_PASSWORD = Arg("password", Kind.SECRET, ask="Choose a password: ", twice=True)


def _row(words: str, do: str, *args: Arg, upper: str = "", bare: str = "", **fixed: Any) -> WordRow:
    return WordRow(_split(words), do, args, fixed, _split(upper), _split(bare))


def _split(words: str) -> tuple[str, ...]:
    return tuple(words.split("|")) if words else ()


ROWS = (
    _row("name|nick", "name", Arg("name")),
    _row("create", "create", _ROOM, upper="CREATE_ROOM"),
    _row("join|j", "join", _ROOM, _MESSAGES, bare="join"),
    _row("", "join", _ROOM, upper="JOIN_ROOM", create=False),
    _row("leave|part", "leave", upper="LEAVE_ROOM", bare="leave"),
    _row("rooms|list", "rooms", upper="LIST_ROOMS", bare="rooms"),
    _row("files", "files"),
    _row("unshare", "unshare", Arg("name", Kind.REST)),
    _row("names", "names"),
    _row("who", "who", bare="who"),
    _row("whois", "whois", _USER),
    _row("me", "me", _TEXT),
    _row("msg|message|query|w", "message", _USER, _TEXT, bare="message|msg"),
    _row("reply|r", "reply", _TEXT),
    _row("history", "history", _MESSAGES),
    _row("search", "search", Arg("words", Kind.REST), again=True),
    _row("hello", "hello", bare="hello|hi"),
    _row("help", "help", Arg("command", Kind.REST, "topic or command", required=False), bare="help"),
    _row("quit|exit", "quit", upper="EXIT", bare="exit|quit"),
    _row("echo", "echo", _ON_PERHAPS),
    _row("away", "away", _TEXT_PERHAPS),
    _row("set", "set"),
    _row("register", "register", _ACCOUNT, _NEW_PASSWORD, bare="register"),
    _row("login", "login", _ACCOUNT, _PASSWORD, bare="login"),
    _row("takeover", "takeover"),
    _row("logout", "logout", bare="logout"),
    _row(
        "password",
        "password",
        Arg("old", Kind.SECRET, ask="Your password, as it is now: "),
        Arg("new", Kind.SECRET, ask="The new password: ", twice=True),
    ),
    _row("sessions end", "end-session", Arg("number", Kind.COUNT)),
    _row("sessions", "sessions"),
    _row("account delete", "delete-account", _PASSWORD),
    _row("account", "account"),
    _row("topic", "topic", _TEXT_PERHAPS),
    _row("kick", "kick", _USER, _REASON),
    _row("ban", "ban", _USER_PERHAPS, _HOW_LONG, _REASON),
    _row("unban", "unban", _USER),
    _row("mute", "mute", _USER_PERHAPS, _HOW_LONG, _REASON),
    _row("unmute", "unmute", _USER),
    _row("op", "op", _USER),
    _row("deop", "deop", _USER),
    _row("owner", "owner", _USER),
    _row("invite", "invite", _USER),
    _row("lock", "lock"),
    _row("unlock", "unlock"),
    _row("slow", "slow", Arg("seconds", Kind.COUNT)),
    _row("close", "close", _REASON),
    _row("delete", "delete", _USER_PERHAPS),
    _row("announce", "announce", _TEXT),
    _row("add-account", "add-account", _ACCOUNT, _NEW_PASSWORD),
    _row("remove-account", "remove-account", _USER),
    _row("set-operator", "set-operator", _USER, _ON),
    _row("set-password", "set-password", _ACCOUNT, _NEW_PASSWORD),
    _row("drain", "drain", _ON),
    _row("stats", "stats"),
)
BY_WORD = {word: row for row in ROWS for word in row.words}
BY_UPPER = {word: row for row in ROWS for word in row.upper}
BY_BARE = {word: row for row in ROWS for word in row.bare}
