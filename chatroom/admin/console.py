"""The functions that an operator can call on the console.

``Operating`` does the work, and raises ``Refused`` if it cannot; ``Console`` only makes tables and sentences of the
results. ``help()`` shows the docstrings of these functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Final

from chatroom.admin.tables import Column, Table
from chatroom.chat.operators.service import BanRow, Operating, RoomRow, UserRow
from chatroom.model.errors import Refused
from chatroom.model.names import fold
from chatroom.model.text import clean

Ask = Callable[[str], Awaitable[str]]

_USERS: tuple[Column[UserRow], ...] = (
    Column("user", lambda row: row.name),
    Column("account", lambda row: "operator" if row.operator else "yes" if row.account else "-"),
    Column("room", lambda row: row.room or "-"),
    Column("address", lambda row: row.address),
    Column("speaks", lambda row: row.speaks),
    Column("online", lambda row: duration(row.seconds)),
    Column("away", lambda row: row.away),
)
_ROOMS: tuple[Column[RoomRow], ...] = (
    Column("room", lambda row: row.name),
    Column("users", lambda row: row.users),
    Column("owner", lambda row: row.owner or "-"),
    Column("locked", lambda row: "yes" if row.locked else "-"),
    Column("encrypted", lambda row: "yes" if row.encrypted else "-"),
    Column("slow", lambda row: f"{row.slow} s" if row.slow else "-"),
    Column("topic", lambda row: row.topic),
)
_BANS: tuple[Column[BanRow], ...] = (
    Column("banned", lambda row: row.what),
    Column("is", lambda row: row.kind),
    Column("until", lambda row: moment(row.until)),
    Column("by", lambda row: row.by),
    Column("reason", lambda row: row.reason),
)
_ACCOUNTS: tuple[Column[tuple[str, bool, bool]], ...] = (
    Column("account", lambda row: row[0]),
    Column("operator", lambda row: "yes" if row[1] else "-"),
    Column("seat reserved", lambda row: "yes" if row[2] else "-"),
)
_STATS: tuple[Column[tuple[str, int | float | str]], ...] = (
    Column("figure", lambda row: row[0]),
    Column("value", lambda row: row[1]),
)

# In the order of help(): an example, and what the function does.
HELP: Final = {
    "users": ("users()", "who is connected"),
    "rooms": ("rooms()", "all rooms, the fullest first"),
    "accounts": ("accounts()", "all accounts"),
    "bans": ("bans()", "who is banned from the server"),
    "stats": ("stats()", "figures of this daemon"),
    "user": ("user('bob')", "one user, with .kick(reason) and .ban(duration, reason)"),
    "room": ("room('lobby')", "one room, with .close(reason) and .give(user)"),
    "unban": ("unban('bob')", "let a user, an account or an address in again"),
    "announce": ("announce('Back soon.')", "say something to everybody"),
    "add_account": ("add_account('bob')", "make an account; the password is asked for"),
    "remove_account": ("remove_account('bob')", "remove an account and its mail"),
    "set_password": ("set_password('bob')", "change a password; the new one is asked for"),
    "set_operator": ("set_operator('bob')", "make somebody an operator; False ends that"),
    "drain": ("drain()", "let no new people in; drain(False) ends that"),
    "help": ("help()", "this list; help(user) explains one of them"),
}
_MORE = "Ctrl-D leaves, Tab completes. The rest is Python: [u.name for u in users()]"


def duration(seconds: int) -> str:
    """Return a number of seconds in short words, such as ``3h 05m``."""
    minutes, seconds = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days}d {hours:02}h"
    if hours:
        return f"{hours}h {minutes:02}m"
    return f"{minutes}m {seconds:02}s" if minutes else f"{seconds}s"


def moment(milliseconds: int) -> str:
    """Return a time, given in milliseconds since 1970, in words; 0 means for good."""
    return f"{datetime.fromtimestamp(milliseconds / 1000, UTC):%Y-%m-%d %H:%M} UTC" if milliseconds else "for good"


class Text(str):
    """A text that is shown without quotes and escapes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class ConsoleUser:
    """A user, by name: ``user('bob').kick('spam')``, ``user('bob').ban('2h', 'spam')``."""

    def __init__(self, operating: Operating, name: str) -> None:
        self._operating = operating
        self.name = name

    def __repr__(self) -> str:
        rows = [row for row in self._operating.users() if fold(row.name) == fold(self.name)]
        if not rows:
            return f"{clean(self.name)}: not connected. Still possible: .ban(duration, reason)"
        told = [
            f"{clean(row.name)}: {'in ' + clean(row.room) if row.room else 'in no room'}, from {clean(row.address)}, "
            f"online for {duration(row.seconds)}"
            for row in rows
        ]
        return "\n".join([*told, "What to do: .kick(reason), .ban(duration, reason)"])

    async def kick(self, reason: str = "") -> Text:
        """End all connections of the user: ``user('bob').kick('that is enough')``."""
        return Text(await self._operating.kick(self.name, _text("reason", reason)))

    async def ban(self, duration: str = "", reason: str = "") -> Text:
        """Ban the user from the server, for ``'10m'``, ``'2h'`` or ``'7d'``; without a duration, for good."""
        return Text(await self._operating.ban(self.name, _text("duration", duration), _text("reason", reason)))


class ConsoleRoom:
    """A room, by name: ``room('lobby').close('moved to hall')``, ``room('lobby').give('bob')``."""

    def __init__(self, operating: Operating, name: str) -> None:
        self._operating = operating
        self.name = name

    def __repr__(self) -> str:
        return f"room {clean(self.name)}. What to do: .close(reason), .give(user)"

    async def close(self, reason: str = "") -> Text:
        """End the room: ``room('lobby').close('moved to hall')``."""
        return Text(await self._operating.close_room(self.name, _text("reason", reason)))

    async def give(self, user: str) -> Text:
        """Make a user with an account the owner of the room: ``room('lobby').give('bob')``."""
        return Text(await self._operating.give_room(self.name, _name("room('lobby').give('bob')", user)))


class Console:
    """The functions of the console, for one operator.

    Args:
        operating: Carries out what the operator asks for.
        ask: Asks the operator for a password, which is not shown. If None, passwords must be given as arguments.
    """

    def __init__(self, operating: Operating, ask: Ask | None = None) -> None:
        self._operating = operating
        self._ask = ask

    def namespace(self) -> dict[str, Any]:
        """Return the functions that the operator can call, by name."""
        return {name: getattr(self, name) for name in HELP}

    # ---- showing ---------------------------------------------------------------------------------------------------

    def users(self) -> Table[UserRow]:
        """Return who is connected; each has name, account, operator, room, away, address, speaks and seconds."""
        return Table(self._operating.users(), _USERS, "user")

    async def rooms(self) -> Table[RoomRow]:
        """Return all rooms, the fullest first; each has name, users, owner, topic, locked, encrypted and slow."""
        return Table(await self._operating.rooms(), _ROOMS, "room")

    async def accounts(self) -> Table[tuple[str, bool, bool]]:
        """Return all accounts: the name, whether it is an operator's, and whether a seat is reserved for it."""
        return Table(await self._operating.accounts(), _ACCOUNTS, "account")

    def bans(self) -> Table[BanRow]:
        """Return who is banned from the server; unban lifts a ban."""
        return Table(self._operating.bans(), _BANS, "ban")

    def stats(self) -> Table[tuple[str, int | float | str]]:
        """Return the figures of this daemon, as pairs; dict(stats()) has them by name."""
        return Table(list(self._operating.stats().items()), _STATS, "figure")

    # ---- acting ----------------------------------------------------------------------------------------------------

    def user(self, name: str) -> ConsoleUser:
        """Return a user: user('bob').kick('spam'), user('bob').ban('2h', 'spam')."""
        return ConsoleUser(self._operating, _name("user('bob')", name))

    def room(self, name: str) -> ConsoleRoom:
        """Return a room: room('lobby').close('moved to hall')."""
        return ConsoleRoom(self._operating, _name("room('lobby')", name))

    async def unban(self, what: str) -> Text:
        """Lift the ban of a user, an account or an address in bans()."""
        return Text(await self._operating.unban(_name("unban('bob')", what)))

    async def announce(self, text: str) -> Text:
        """Send a message to everybody who is connected."""
        return Text(await self._operating.announce(_name("announce('text')", text)))

    async def add_account(self, name: str, password: str = "") -> Text:
        """Make an account. If you leave the password out, you are asked for it, and it is not shown."""
        name = _name("add_account('bob')", name)
        return Text(await self._operating.add_account(name, await self._password(name, password)))

    async def remove_account(self, name: str) -> Text:
        """Delete an account and its mail. Then anybody may take the name."""
        return Text(await self._operating.remove_account(_name("remove_account('bob')", name)))

    async def set_password(self, name: str, password: str = "") -> Text:
        """Give an account a new password. If you leave the password out, you are asked for it, and it is not shown."""
        name = _name("set_password('bob')", name)
        return Text(await self._operating.set_password(name, await self._password(name, password)))

    async def set_operator(self, name: str, on: bool = True) -> Text:
        """Make the owner of an account an operator: set_operator('bob'). set_operator('bob', False) ends that."""
        return Text(await self._operating.set_operator(_name("set_operator('bob')", name), bool(on)))

    async def drain(self, on: bool = True) -> Text:
        """Accept no new connections; those that are open stay. drain(False) ends that."""
        return Text(await self._operating.drain(bool(on)))

    async def _password(self, name: str, given: str) -> str:
        """Return the password given as an argument; if it is empty, ask for a password twice."""
        if given:
            return _text("password", given)
        if self._ask is None:
            raise Refused("usage", "there is nobody to ask for the password; give it as the second argument.")
        password = await self._ask(f"Password for {clean(name)}: ")
        if not password:
            raise Refused("usage", "no password was given; nothing was changed.")
        if await self._ask("The same again: ") != password:
            raise Refused("usage", "that was not the same twice; nothing was changed.")
        return password

    # ---- explaining ------------------------------------------------------------------------------------------------

    def help(self, what: object = None) -> Text:
        """Return the list of functions; help(users) explains one of them."""
        if what is None:
            wide = max(len(example) for example, _ in HELP.values())
            return Text("\n".join([*(f"{example:{wide}}  {does}" for example, does in HELP.values()), _MORE]))
        return explain(what) or Text("There is no help for that; help() lists what there is.")


def explain(what: object) -> Text | None:
    """Return the explanation of a function of the console, or of its result; None if there is none.

    Args:
        what: The function, its name, or its result.
    """
    if isinstance(what, str) and what in HELP:
        what = getattr(Console, what)
    ours = inspect.getmodule(type(what) if not callable(what) else what)
    if ours is not inspect.getmodule(Console):
        return None
    if callable(what):
        name = getattr(what, "__name__", "")
        example = HELP[name][0] if name in HELP else f".{name}{_arguments(what)}"
        return Text(f"{example}: {_plain(inspect.getdoc(what))}")
    return Text(_plain(inspect.getdoc(type(what))))


def _arguments(method: Callable[..., object]) -> str:
    return f"({', '.join(name for name in inspect.signature(method).parameters if name != 'self')})"


def _plain(documentation: str | None) -> str:
    return (documentation or "").replace("``", "")


def _name(example: str, value: object) -> str:
    """Return an argument; if it is not text or is blank, raise ``Refused`` with an example of the call."""
    if not isinstance(value, str) or not value.strip():
        raise Refused("usage", f"give it as text, as in {example}.")
    return value


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise Refused("usage", f"the {what} must be text, in quotes.")
    return value
