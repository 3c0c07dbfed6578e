"""The table of commands: the record of each command, and how people type it.

The words on telnet, the client's parser, prompts and completion, ``/help``, docs/protocol.md and the handlers of the
server (``chatroom.chat.handlers``) are all derived from this table. To add a command, write its record and row in the
file of its topic, and a handler.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from chatroom.model.commands.account import *  # noqa: F403
from chatroom.model.commands.encryption import *  # noqa: F403
from chatroom.model.commands.files import *  # noqa: F403
from chatroom.model.commands.keys import *  # noqa: F403
from chatroom.model.commands.moderation import *  # noqa: F403
from chatroom.model.commands.operators import *  # noqa: F403
from chatroom.model.commands.rooms import *  # noqa: F403
from chatroom.model.commands.session import *  # noqa: F403
from chatroom.model.commands.table import *  # noqa: F403
from chatroom.model.commands.table import TABLE, TOPICS, Command, CommandRow
from chatroom.model.commands.talk import *  # noqa: F403

_ORDER = {name: place for place, name in enumerate((*TOPICS, ""))}
TABLE.sort(key=lambda row: _ORDER[row.topic])

ROWS: dict[type[Command], CommandRow] = {}
"""The first row of each command."""
for _each in TABLE:
    ROWS.setdefault(_each.command, _each)

BY_SLASH = {word: row for row in TABLE for word in row.slash}
BY_UPPER = {word: row for row in TABLE for word in row.upper}
BY_BARE = {word: row for row in TABLE for word in row.bare}


class OutOfBounds(ValueError):
    """A number that was typed is outside the bounds of its field. The text of the error says which bound."""


def made(row: CommandRow, values: dict[str, Any]) -> Command:
    """Return the record for a typed command.

    Texts are not checked here: the length of a line limits them, and the rules for names give better explanations.

    Args:
        row: The row of the command.
        values: The values of the fields, by name.

    Raises:
        OutOfBounds: A number is outside the bounds of its field. The same bounds hold for programs.
    """
    for arg in row.args:
        value = values.get(arg.field)
        if isinstance(value, int):
            try:
                msgspec.convert(value, _TYPES[row.command][arg.field])
            except msgspec.ValidationError as error:
                raise OutOfBounds(f"{arg.label or arg.field} must be {_bound(error)}.") from None
    return row.command(**{**row.fixed, **values})


def _bound(error: msgspec.ValidationError) -> str:
    """Return the bound that a number exceeds, as ``at most 3600``."""
    found = re.search(r"(<=|>=) (-?\d+)", str(error))
    return f"{'at most' if found[1] == '<=' else 'at least'} {found[2]}" if found is not None else "another number"


_TYPES = {row.command: {field.name: field.type for field in msgspec.structs.fields(row.command)} for row in TABLE}
