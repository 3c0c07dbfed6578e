"""The command table: every spelling once, every argument a field of its record, help for all of it."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest
from harness import World

from chatroom.chat import commands
from chatroom.chat.refusals import REFUSALS
from chatroom.chat.table import ROWS, TABLE, Needs, Row


@pytest.mark.parametrize("kind", ["slash", "upper", "bare"])
def test_no_word_means_two_things(kind: str) -> None:
    words = Counter(word for row in TABLE for word in getattr(row, kind))
    assert not [word for word, times in words.items() if times > 1]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.command.__name__)
def test_arguments_are_fields_of_the_record(row: Row) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(row.command)}
    assert {arg.field for arg in row.args} | set(row.fixed) <= set(fields)
    given_otherwise = {"password"} if row.command is commands.Login else set()  # a program may give a token instead
    assert all(fields[arg.field].required for arg in row.args if arg.required and arg.field not in given_otherwise)
    required = {name for name, field in fields.items() if field.required}
    assert not row.spellings or required <= {arg.field for arg in row.args}, "what must be given can be typed"


def test_every_code_of_a_refusal_is_one_kind_of_refusal() -> None:
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS)


def test_help_lists_every_command_that_one_may_give(world: World) -> None:
    alice = world.person("alice")
    alice.say("/help")
    _, *lines, _ = alice.lines()
    rows = [row for row in TABLE if row.spellings and row.needs is not Needs.OPERATOR]
    assert [line.split("  ")[1] for line in lines] == [row.usage for row in rows]
    assert len({line.index(row.help) for line, row in zip(lines, rows, strict=True)}) == 1


@pytest.mark.parametrize("word", ["join", "/join", "JOIN"])
def test_help_explains_one(world: World, word: str) -> None:
    alice = world.person("alice")
    alice.say(f"/help {word}")
    assert alice.lines() == [
        "/join <room> [messages]: join a room, making it if there is none; shows the last messages.",
        "Spellings: /join, join",
    ]


def test_help_for_nothing_we_know(world: World) -> None:
    alice = world.person("alice")
    alice.say("/help dance")
    assert alice.lines() == ["Error: unknown command /dance; type /help."]


def test_every_record_has_a_row() -> None:
    records = {
        kind
        for kind in vars(commands).values()
        if isinstance(kind, type)
        and issubclass(kind, commands.Command)
        and kind not in (commands.Command, commands.Secretive)
    }
    assert records == set(ROWS)
