"""The daemon's own log: loggers that obey ``--log-level`` and never write two lines for one event."""

from __future__ import annotations

from collections.abc import Callable
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


_watching: dict[str, tuple[Callable[[LogEvent], None], ...]] = {}  # by namespace


@implementer(ILogObserver)
class _OneLine:
    """Escapes whatever could end a line in the values of an event, then passes it on."""

    def __call__(self, event: LogEvent) -> None:
        _escape(event)
        globalLogPublisher(event)


_filtered = FilteringLogObserver(_OneLine(), [_levels])


@implementer(ILogObserver)
class _All:
    """Gives an event to whoever watches its namespace, then to the log if it is grave enough."""

    def __call__(self, event: LogEvent) -> None:
        watching = _watching.get(event["log_namespace"])
        if watching:
            _escape(event)
            for observer in watching:
                observer(event)
        _filtered(event)


_observer = _All()


def _escape(event: LogEvent) -> None:
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = value.encode("unicode_escape").decode("ascii")


def watch(namespace: str, observer: Callable[[LogEvent], None]) -> Callable[[], None]:
    """Give an observer, which must not raise, all that the loggers of a namespace say, however grave.

    Returns:
        What ends that.
    """
    _watching[namespace] = (*_watching.get(namespace, ()), observer)

    def unwatch() -> None:
        _watching[namespace] = tuple(other for other in _watching.get(namespace, ()) if other is not observer)

    return unwatch


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
