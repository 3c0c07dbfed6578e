"""Which function handles each command: ``@handles(Join)`` above a function registers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from chatroom.model.commands import Command

# The type of a handler: a function that is called for each command of one kind.
Handler = Callable[..., Any]
"""Given the chat, the session and the command; for a ``RoomCommand`` also the room that the command is about.

That room is None only if the row of the command does not say ``in_room``.

It returns an answer, None when it answers by itself, or a coroutine of either, which is awaited before the session's
next line.
"""

F = TypeVar("F", bound=Handler)

HANDLERS: dict[type[Command], Handler] = {}


def handles(command: type[Command]) -> Callable[[F], F]:
    """Register a function as the handler of a command.

    Args:
        command: The class of the command, such as ``Join``.
    """

    def register(handler: F) -> F:
        HANDLERS[command] = handler
        return handler

    return register
