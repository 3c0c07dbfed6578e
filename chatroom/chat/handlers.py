"""Which function handles each command: ``@handles(Join)`` above a function registers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from chatroom.model.commands import Command

Handler = Callable[[Any, Any, Any], Any]
"""Given the chat, the session and the command.

It returns an answer, None when it answers by itself, or a coroutine of either, which is awaited before the session's
next line.
"""

F = TypeVar("F", bound=Handler)

HANDLERS: dict[type[Command], Handler] = {}


def handles(command: type[Command]) -> Callable[[F], F]:
    """Register a function as the handler of a command.

    Args:
        command: The record that the function is given.
    """

    def register(handler: F) -> F:
        HANDLERS[command] = handler
        return handler

    return register
