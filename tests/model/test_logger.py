"""The daemon's log: one line for one event, and only what is grave enough."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from twisted.logger import globalLogPublisher, textFileLogObserver

from chatroom.model.logger import logger, set_level


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """Return what is written to the log."""
    stream = io.StringIO()
    observer = textFileLogObserver(stream)
    globalLogPublisher.addObserver(observer)
    yield stream
    globalLogPublisher.removeObserver(observer)
    set_level("info")


@pytest.mark.parametrize("name", ["a\nb", "a\r\nb", "a\x1b[31mb", "a\u2028b", "a\x85b", "a\x00b"])
def test_a_value_never_makes_a_line(out: io.StringIO, name: str) -> None:
    logger("chatroom.test").info("{name} connected", name=name)
    text = out.getvalue()
    assert len(text.splitlines()) == 1
    assert text.endswith("b connected\n")
    assert text[:-1].isprintable()


def test_only_what_is_grave_enough_is_written(out: io.StringIO) -> None:
    log = logger("chatroom.test")
    set_level("warn")
    log.info("no")
    log.warn("yes")
    set_level("debug")
    log.debug("yes, too")
    assert [line.partition("] ")[2] for line in out.getvalue().splitlines()] == ["yes", "yes, too"]
