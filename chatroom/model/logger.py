"""Loggers for the daemon's log. They obey ``--log-level``, and write one line for each event."""

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


_watching: dict[str, tuple[Callable[[LogEvent], None], ...]] = {}  # observers by namespace


@implementer(ILogObserver)
class _OneLine:
    """Escapes line breaks and control characters in the values of an event, then passes the event on."""

    def __call__(self, event: LogEvent) -> None:
        _escape(event)
        globalLogPublisher(event)


_filtered = FilteringLogObserver(_OneLine(), [_levels])


@implementer(ILogObserver)
class _All:
    """Gives an event to the observers of its namespace, then to the log if its level is high enough."""

    def __call__(self, event: LogEvent) -> None:
        watching = _watching.get(event["log_namespace"])
        if watching:
            _escape(event)
            for observer in watching:
                observer(event)
        _filtered(event)


_observer = _All()


def _escape(event: LogEvent) -> None:
    """Escape, in place, each text in an event that has line breaks or other characters that are not printable."""
    for key, value in event.items():
        if isinstance(value, str) and not value.isprintable():
            event[key] = value.encode("unicode_escape").decode("ascii")


def watch(namespace: str, observer: Callable[[LogEvent], None]) -> Callable[[], None]:
    """Give an observer all events of the loggers of a namespace, whatever their level.

    Args:
        namespace: The namespace.
        observer: Called with each event; it must not raise.

    Returns:
        A function to call when the observer is to get no more events.
    """
    _watching[namespace] = (*_watching.get(namespace, ()), observer)

    def unwatch() -> None:
        _watching[namespace] = tuple(other for other in _watching.get(namespace, ()) if other is not observer)

    return unwatch


def set_level(name: str) -> None:
    """Log only events of at least this level.

    Args:
        name: One of ``LEVELS``.
    """
    _levels.defaultLogLevel = LogLevel.levelWithName(name)
    _levels.clearLogLevels()


def logger(namespace: str, **more: Any) -> Logger:
    """Return the logger of a module.

    Args:
        namespace: The module's ``__name__``.
        more: Further arguments of ``twisted.logger.Logger``.
    """
    return Logger(namespace=namespace, observer=_observer, **more)
