"""Commands about the user: name, account and settings."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands.table import (
    ACCOUNT,
    NEW_PASSWORD,
    ON_PERHAPS,
    PAIR,
    PASSWORD,
    Command,
    Count,
    Needs,
    Secret,
    Secretive,
    Word,
    row,
)


class SetName(Command, frozen=True, gc=False, tag="name"):
    """Change your name."""

    name: Word


row(SetName, "take a name", "name|nick", Arg("name"), topic="you", examples=[{"name": "bob"}])


class Register(Secretive, frozen=True, gc=False):
    """Make an account and log in. ``remember`` and ``client`` are the same as for ``login``."""

    user: Word
    password: Secret
    remember: bool = False
    client: Annotated[str, Meta(max_length=100)] = ""


row(
    Register,
    "make an account, and log in",
    "register",
    ACCOUNT,
    NEW_PASSWORD,
    bare="register",
    ask=PAIR,
    needs=Needs.GUEST,
    topic="you",
    examples=[{"user": "bob", "password": "a good one"}],
)


class Login(Secretive, frozen=True, gc=False):
    """Log in to an account with its password, or with a ``token`` from an earlier login.

    With ``remember``, the answer contains a new token, which logs in without the password. ``client`` is the name that
    ``sessions`` shows for it.
    """

    user: Word
    password: Secret = ""
    token: Secret = ""
    remember: bool = False
    client: Annotated[str, Meta(max_length=100)] = ""


row(
    Login,
    "log in to your account",
    "login",
    ACCOUNT,
    PASSWORD,
    bare="login",
    ask=PAIR,
    needs=Needs.GUEST,
    topic="you",
    examples=[{"user": "bob", "password": "a good one"}],
)


class Takeover(Command, frozen=True, gc=False):
    """Log in here, and end the sessions of the account that stand in the way: those that logged in longest ago.

    This needs no password, but works only for a minute after ``login`` was refused on the same connection, as
    ``already-logged-in``, ``too-many-devices`` or ``too-many-tabs``.
    """


row(
    Takeover,
    "log in here and end your session elsewhere, when /login says that there is one",
    "takeover",
    needs=Needs.GUEST,
    topic="you",
    examples=[{}],
)


class Logout(Command, frozen=True, gc=False):
    """Log out and become a guest again."""


row(Logout, "log out and become a guest again", "logout", bare="logout", needs=Needs.LOGIN, topic="you", examples=[{}])


class ShowAccount(Command, frozen=True, gc=False, tag="account"):
    """Show who you are."""


row(ShowAccount, "see who you are", "account", topic="you", examples=[{}])


class ChangePassword(Secretive, frozen=True, gc=False, tag="password"):
    """Change your password."""

    old: Secret
    new: Secret


row(
    ChangePassword,
    "change your password",
    "password",
    Arg("old", Kind.SECRET, ask="Your password, as it is now:", prompt="Your password, as it is now:"),
    Arg("new", Kind.SECRET, ask="The new password:", prompt="The new password:", twice=True),
    needs=Needs.LOGIN,
    topic="you",
    examples=[{"old": "a good one", "new": "a better one"}],
)


class ListSessions(Command, frozen=True, gc=False, tag="sessions"):
    """List the places where you are logged in or can log in without the password."""


row(
    ListSessions,
    "list the places where you are logged in or can log in without a password",
    "sessions",
    needs=Needs.LOGIN,
    topic="you",
    examples=[{}],
)


class EndSession(Command, frozen=True, gc=False):
    """End one of your sessions. ``number`` is its place in the answer to ``sessions``; the first is 1."""

    number: Count


row(
    EndSession,
    "end one of your sessions; /sessions shows their numbers",
    "sessions end",
    Arg("number", Kind.COUNT),
    needs=Needs.LOGIN,
    topic="you",
    examples=[{"number": 2}],
)


class DeleteAccount(Secretive, frozen=True, gc=False):
    """Delete your account and your mail. Then anybody may take the name."""

    password: Secret


row(
    DeleteAccount,
    "delete your account and your mail",
    "account delete",
    PASSWORD,
    needs=Needs.LOGIN,
    topic="you",
    examples=[{"password": "a better one"}],
)


class ShowSettings(Command, frozen=True, gc=False, tag="set"):
    """Show your settings."""


row(ShowSettings, "show your settings", "set", topic="settings", examples=[{}])


class SetEcho(Command, frozen=True, gc=False, tag="echo"):
    """Choose whether you see your own messages. Without ``on``, show the setting."""

    on: bool | None = None


row(
    SetEcho,
    "show or hide your own messages; alone, it shows the setting",
    "echo",
    ON_PERHAPS,
    topic="settings",
    examples=[{"on": False}],
)


class SetReactions(Command, frozen=True, gc=False, tag="reactions"):
    """Choose whether people's reactions to messages are shown to you on telnet. Without ``on``, show the setting."""

    on: bool | None = None


row(
    SetReactions,
    "show or hide reactions to messages; alone, it shows the setting",
    "reactions|set reactions",
    ON_PERHAPS,
    topic="settings",
    examples=[{"on": False}],
)


class SetTimestamps(Command, frozen=True, gc=False, tag="timestamps"):
    """Choose whether each message is shown with its time. Without ``on``, show the setting."""

    on: bool | None = None


row(
    SetTimestamps,
    "show or hide the time before each message; alone, it shows the setting",
    "timestamps",
    ON_PERHAPS,
    topic="settings",
    examples=[{"on": True}],
)
