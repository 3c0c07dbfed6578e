"""Commands for operators, who run the server."""

from __future__ import annotations

from chatroom.model.commands.table import (
    ACCOUNT,
    NEW_PASSWORD,
    ON,
    ONE_LINE,
    PAIR,
    USER,
    Command,
    Needs,
    Secret,
    Secretive,
    Word,
    row,
)


class Announce(Command, frozen=True, gc=False):
    """Send a message to everybody on the server."""

    text: str


row(
    Announce,
    "say something to everybody",
    "announce",
    ONE_LINE,
    needs=Needs.OPERATOR,
    topic="server",
    examples=[{"text": "back in five minutes"}],
)


class AddAccount(Secretive, frozen=True, gc=False):
    """Make an account. A seat is kept free for it, even when the chat is full."""

    user: Word
    password: Secret


row(
    AddAccount,
    "make an account, and keep a seat for it",
    "add-account",
    ACCOUNT,
    NEW_PASSWORD,
    ask=PAIR,
    needs=Needs.OPERATOR,
    topic="server",
    examples=[{"user": "carol", "password": "a good one"}],
)


class RemoveAccount(Command, frozen=True, gc=False):
    """Delete an account."""

    user: Word


row(
    RemoveAccount,
    "remove an account",
    "remove-account",
    USER,
    needs=Needs.OPERATOR,
    topic="server",
    examples=[{"user": "carol"}],
)


class SetOperator(Command, frozen=True, gc=False):
    """Make the owner of an account an operator, or no longer one."""

    user: Word
    on: bool


row(
    SetOperator,
    "make the owner of an account an operator, or no longer one",
    "set-operator",
    USER,
    ON,
    needs=Needs.OPERATOR,
    topic="server",
    examples=[{"user": "alice", "on": True}],
)


class SetPassword(Secretive, frozen=True, gc=False):
    """Give an account a new password."""

    user: Word
    password: Secret


row(
    SetPassword,
    "give an account a new password",
    "set-password",
    ACCOUNT,
    NEW_PASSWORD,
    ask=PAIR,
    needs=Needs.OPERATOR,
    topic="server",
    examples=[{"user": "carol", "password": "another"}],
)


class Drain(Command, frozen=True, gc=False):
    """Stop accepting new connections, or accept them again."""

    on: bool


row(
    Drain,
    "stop letting new people in, or let them in again",
    "drain",
    ON,
    needs=Needs.OPERATOR,
    topic="server",
    examples=[{"on": True}],
)


class ShowStats(Command, frozen=True, gc=False, tag="stats"):
    """Show statistics of this server."""


row(ShowStats, "show figures of this server", "stats", needs=Needs.OPERATOR, topic="server", examples=[{}])
