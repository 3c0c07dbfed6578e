"""Notifications on the desktop: when they come, and that nothing but a short text is in them."""

from __future__ import annotations

import re

import pytest
from client.screen.stage import NOW, said
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from chatroom.client.screen.notifier import LONGEST, Notifier, sequence
from chatroom.model import events as e

PRIVATE = e.Private("i", NOW * 1000, "bob", "b", to="me", text="psst; are\nyou there?")


class Told:
    """A notifier, and what it writes."""

    def __init__(self, way: str = "osc9") -> None:
        self.clock = Clock()
        self.written: list[str] = []
        self.notifier = Notifier(self.clock.seconds, self.written.append, way)  # type: ignore[arg-type]


def test_only_while_the_terminal_has_no_focus_and_only_what_concerns_the_user() -> None:
    told = Told()
    told.notifier.heard(PRIVATE, own=False, mentioned=False)
    assert told.written == []  # a terminal that says nothing has the focus
    told.notifier.focus(False)
    told.notifier.heard(said("hello"), own=False, mentioned=False)
    told.notifier.heard(said("hello me"), own=True, mentioned=True)
    assert told.written == []
    told.notifier.heard(PRIVATE, own=False, mentioned=False)
    told.notifier.heard(PRIVATE, own=False, mentioned=False)
    assert told.written == ["\x1b]9;bob (private): psst, are you there?\x1b\\"]
    told.clock.advance(1)
    told.notifier.heard(said("hello me"), own=False, mentioned=True)
    assert told.written[1:] == ["\x1b]9;bob in lobby: hello me\x1b\\"]
    told.notifier.focus(True)
    told.clock.advance(1)
    told.notifier.heard(PRIVATE, own=False, mentioned=False)
    assert len(told.written) == 2


def test_the_other_sequence_and_none() -> None:
    shown = "\x1b]777;notify;chatroom;bob (private): psst, are you there?\x1b\\"
    for way, wanted in (("osc777", [shown]), ("off", [])):
        told = Told(way)
        told.notifier.focus(False)
        told.notifier.heard(PRIVATE, own=False, mentioned=False)
        assert told.written == wanted


@given(st.text())
def test_nothing_in_a_text_ends_the_sequence(text: str) -> None:
    whole = re.compile(r"\x1b\]777;notify;chatroom;([^;\x00-\x1f\x7f-\x9f\u2028\u2029]*)\x1b\\")
    for hostile in (text, f"\x07{text}", f"\x1b\\{text}\x1b]52;c;aGk=\x07", f";{text}\x9c;"):
        shown = sequence("osc777", hostile)
        assert whole.fullmatch(shown), ascii(shown)
        assert len(shown) <= LONGEST + 30


@pytest.mark.parametrize("text", ["x" * 5000, "\u0301" * 5000, "\n" * 4000])
def test_it_is_short(text: str) -> None:
    assert len(sequence("osc9", text)) <= LONGEST + 10
