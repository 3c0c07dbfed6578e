"""The daemon's own log: loggers that obey ``--log-level`` and never write two lines for one event."""

from __future__ import annotations

from typing import Any

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    Logger,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogPublisher,
)
from zope.interface import implementer

LEVELS = tuple(level.name for level in LogLevel.iterconstants())

_levels = LogLevelFilterPredicate(defaultLogLevel=LogLevel.info)


@implementer(ILogObserver)
class _OneLine:
    """Escapes whatever could end a line in the values of an event, then passes it on."""

    def __call__(self, event: LogEvent) -> None:
        for key, value in event.items():
            if isinstance(value, str) and not value.isprintable():
                event[key] = value.encode("unicode_escape").decode("ascii")
        globalLogPublisher(event)


_observer = FilteringLogObserver(_OneLine(), [_levels])


def set_level(name: str) -> None:
    """Let only what is at least this grave (one of ``LEVELS``) be logged by chatroom."""
    _levels.defaultLogLevel = LogLevel.levelWithName(name)
    _levels.clearLogLevels()


def logger(namespace: str, **more: Any) -> Logger:
    """Return the logger of a module.

    Args:
        namespace: The module's ``__name__``.
    """
    return Logger(namespace=namespace, observer=_observer, **more)
