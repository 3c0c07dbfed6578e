"""docs/protocol.md is what the code says, and every example in it is true to the real decoders."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chatroom.model import replies as a
from chatroom.model.commands import ROWS, Command
from chatroom.wire.dialects.records import JsonDialect

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "protocol.md").read_text()
COMMANDS = re.findall(r"^    > (.*)$", PAGE, re.MULTILINE)
EVENTS = re.findall(r"^    < (.*)$", PAGE, re.MULTILINE)

EVERY_EVENT = a.TOLD
ANY_EVENT: Any = EVERY_EVENT[0]
for _kind in EVERY_EVENT[1:]:
    ANY_EVENT = ANY_EVENT | _kind


def test_the_page_is_current() -> None:
    spec = importlib.util.spec_from_file_location("make_protocol", DOCS / "make_protocol.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert module.protocol() == PAGE, "run: python docs/make_protocol.py > docs/protocol.md"


@pytest.mark.parametrize("example", COMMANDS)
def test_every_example_of_a_command_is_one(example: str) -> None:
    command: Any = JsonDialect().read(example.encode(), None)  # type: ignore[arg-type]
    assert isinstance(command, Command)
    assert msgspec.json.decode(msgspec.json.encode(command)).items() <= msgspec.json.decode(example).items()


@pytest.mark.parametrize("example", EVENTS)
def test_every_example_of_an_event_is_one(example: str) -> None:
    event = msgspec.json.decode(example, type=ANY_EVENT)
    assert msgspec.json.decode(msgspec.json.encode(event)) == {
        key: value for key, value in msgspec.json.decode(example).items() if key != "re"
    }


def test_every_command_and_every_event_has_an_example() -> None:
    assert {msgspec.json.decode(example)["do"] for example in COMMANDS} == {k.__struct_config__.tag for k in ROWS}
    assert {msgspec.json.decode(example)["event"] for example in EVENTS} == {
        kind.__struct_config__.tag for kind in EVERY_EVENT
    }
