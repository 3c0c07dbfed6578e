"""Who the user is, and what the user sees: names, accounts, settings."""

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
    """Take a name."""

    name: Word


row(SetName, "take a name", "name|nick", Arg("name"), topic="you", examples=[{"name": "bob"}])


class Register(Secretive, frozen=True, gc=False):
    """Make an account, and log in; ``remember`` and ``client`` are those of ``login``."""

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
    """Become the owner of an account, by its password or by a ``token`` from a login before.

    ``remember``: the answer has a new token, which logs in without the password; ``client`` names it in ``sessions``.
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
    """Log in after all, ending the account's oldest session: for a minute after a ``login`` was refused as
    ``already-logged-in``, on the same connection, without the password.
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
    """Be a guest again."""


row(Logout, "log out and become a guest again", "logout", bare="logout", needs=Needs.LOGIN, topic="you", examples=[{}])


class ShowAccount(Command, frozen=True, gc=False, tag="account"):
    """Say who I am."""


row(ShowAccount, "see who you are", "account", topic="you", examples=[{}])


class ChangePassword(Secretive, frozen=True, gc=False, tag="password"):
    """Change one's password."""

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
    """Where am I logged in, or may log in without the password?"""


row(
    ListSessions,
    "list the places where you are logged in or can log in without a password",
    "sessions",
    needs=Needs.LOGIN,
    topic="you",
    examples=[{}],
)


class EndSession(Command, frozen=True, gc=False):
    """End one of them, by its place in the list."""

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
    """Delete my account and my mail. The name is free then."""

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
    """Show my settings."""


row(ShowSettings, "show your settings", "set", topic="settings", examples=[{}])


class SetEcho(Command, frozen=True, gc=False, tag="echo"):
    """Show my own messages to me, or do not; without ``on``, show the setting."""

    on: bool | None = None


row(
    SetEcho,
    "show or hide your own messages; alone, it shows the setting",
    "echo",
    ON_PERHAPS,
    topic="settings",
    examples=[{"on": False}],
)


class SetTimestamps(Command, frozen=True, gc=False, tag="timestamps"):
    """Show the time before each message, or do not; without ``on``, show the setting."""

    on: bool | None = None


row(
    SetTimestamps,
    "show or hide the time before each message; alone, it shows the setting",
    "timestamps",
    ON_PERHAPS,
    topic="settings",
    examples=[{"on": True}],
)
