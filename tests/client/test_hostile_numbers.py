"""Whatever number a server puts wherever one belongs: the event is ignored, or can be shown like any other."""

from __future__ import annotations

import json
import re
import types
import typing
from typing import Any

import msgspec
import pytest

from chatroom.client.connection import LATEST, NoRecord, decoded
from chatroom.client.plain_text import lines_of, recalled
from chatroom.client.screen.formatter import Formatter
from chatroom.model import events as e
from chatroom.model import replies as a

NUMBER = 424_242  # stands for the literal under test
LITERALS = ["NaN", "-Infinity", "1e400", "-1", "-1e3", "0", "1e15", "1.5", str(LATEST), str(2**53), str(10**30)]
KINDS = a.TOLD


def example(kind: Any) -> Any:
    """Return a value of a type as JSON has it, with a number wherever there can be one."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = {field.encode_name: example(field.type) for field in msgspec.structs.fields(kind)}
        tag = kind.__struct_config__.tag
        return {"event": tag, **fields} if tag else fields
    if typing.get_origin(kind) is typing.Annotated:
        base, *metas = typing.get_args(kind)
        patterns = [meta.pattern for meta in metas if meta.pattern]
        fitting = (text for text in ("x", "A" * 10, "A" * 43, "A" * 86) if all(re.match(one, text) for one in patterns))
        return next(fitting) if patterns else example(base)
    if typing.get_origin(kind) is list:
        (item,) = typing.get_args(kind)
        return [example(one) for one in typing.get_args(item) or (item,)]
    if typing.get_origin(kind) is tuple:
        return [example(one) for one in typing.get_args(kind) if one is not ...]
    if isinstance(kind, type) and issubclass(kind, tuple):
        return [example(one) for one in typing.get_type_hints(kind).values()]
    if isinstance(kind, types.UnionType):
        return example(typing.get_args(kind)[0])
    if typing.get_origin(kind) is typing.Literal:
        return typing.get_args(kind)[0]
    return {str: "x", int: NUMBER, float: NUMBER, bool: True}[kind]


def spelled(event: Any) -> list[str]:
    """Show an event in all the ways in which the client shows events."""
    screen = Formatter(lambda: "me", lambda: 0)
    shown = lines_of(event) + ["".join(text for _, text in line) for line in screen.heard(event)]
    return shown + ([recalled("lobby", event)] if isinstance(event, e.MESSAGES) else [])


@pytest.mark.parametrize("literal", LITERALS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_event_is_shown_or_ignored(kind: Any, literal: str) -> None:
    line = json.dumps(example(kind)).replace(str(NUMBER), literal)
    try:
        event, _ = decoded(line.encode())
    except NoRecord:
        return  # the connection ends
    assert event is None or all("\n" not in text for text in spelled(event))


def test_a_moment_that_no_calendar_has_is_never_heard() -> None:
    for kind in (e.Said, e.Banned, a.Sessions, a.Files, e.Private):
        for far in (LATEST + 1, -1):
            line = json.dumps(example(kind)).replace(str(NUMBER), str(far))
            assert decoded(line.encode())[0] is None
