"""The command table: every spelling once, every argument a field of its record, help for all of it."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import msgspec
import pytest
from harness import Client, World
from order import owner

from chatroom.model import commands
from chatroom.model.commands import ROWS, TABLE, TOPICS, CommandRow, Needs
from chatroom.model.errors import REFUSALS
from chatroom.model.replies import Help
from chatroom.model.wording import ANSWERS


@pytest.mark.parametrize("kind", ["slash", "upper", "bare"])
def test_no_word_means_two_things(kind: str) -> None:
    words = Counter(word for row in TABLE for word in getattr(row, kind))
    assert not [word for word, times in words.items() if times > 1]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.command.__name__)
def test_arguments_are_fields_of_the_record(row: CommandRow) -> None:
    fields = {field.name: field for field in msgspec.structs.fields(row.command)}
    assert {arg.field for arg in row.args} | set(row.fixed) <= set(fields)
    given_otherwise = {"password"} if row.command is commands.Login else set()  # a program may give a token instead
    assert all(fields[arg.field].required for arg in row.args if arg.required and arg.field not in given_otherwise)
    required = {name for name, field in fields.items() if field.required}
    assert not row.spellings or required <= {arg.field for arg in row.args}, "what must be given can be typed"


def test_every_code_of_a_refusal_is_one_kind_of_refusal() -> None:
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS)


def test_every_command_that_can_be_typed_is_in_a_topic() -> None:
    """Where it is not, /help does not show it."""
    assert all((row.topic in TOPICS) is bool(row.spellings) for row in TABLE)
    assert {row.topic for row in TABLE} == {*TOPICS, ""}


@pytest.mark.parametrize("row", [row for row in TABLE if row.spellings], ids=lambda row: row.usage)
def test_a_help_text_says_in_words_what_an_argument_that_is_left_out_means(row: CommandRow) -> None:
    """As ``alone, it shows the setting`` does; ``alone: show it`` is a riddle."""
    assert not re.search(r"(alone|off|-|moderator|room): ", row.help)
    if row.args and row.args[0] in {arg for arg in row.args if arg.field in ("on", "user") and not arg.required}:
        assert "alone, it " in row.help or row.command is commands.Delete


def test_no_topic_is_called_like_a_command() -> None:
    words = {word.lower().lstrip("/") for row in TABLE for word in row.spellings}
    assert not words & TOPICS.keys()


@pytest.mark.parametrize("operator", [False, True])
def test_help_shows_what_there_is_to_do_on_one_screen(world: World, operator: bool) -> None:
    alice = owner(world, "alice", operator=operator)
    lines = ANSWERS[Help](lambda room, event: "", told(alice, "help"))
    assert len(lines) < 20  # and chatroom-client has a topic, the prompt and a bar of its own
    assert max(map(len, lines)) < 80
    words = set(" ".join(lines).split())
    for row in TABLE:
        if row.slash and (operator or row.needs is not Needs.OPERATOR):
            assert f"/{row.slash[0].split()[0]}" in words
    assert ("server" in words) is operator


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_explains_its_commands(world: World, topic: str) -> None:
    alice = owner(world, "alice", operator=True)
    help = told(alice, "help", command=topic.upper())
    assert [line.usage for line in help.commands] == [row.usage for row in TABLE if row.topic == topic]
    lines = ANSWERS[Help](lambda room, event: "", help)
    assert lines[0] == f"To {TOPICS[topic]}:"
    assert max(map(len, lines)) < 80
    text = " ".join(" ".join(lines).split())
    assert all(f"{line.usage} {line.help}" in text for line in help.commands)


def test_what_operators_do_is_no_topic_for_others(world: World) -> None:
    alice = world.person("alice")
    alice.say("/help server")
    assert alice.lines()[0].startswith("Error: unknown command /server; type /help.")


def test_help_lists_every_command_to_programs(world: World) -> None:
    rows = [row for row in TABLE if row.spellings and row.needs is not Needs.OPERATOR]
    help = told(world.program("bot"), "help")
    assert [line.usage for line in help.commands] == [row.usage for row in rows]


def told(client: Client, do: str, **fields: Any) -> Help:
    """Return the help that a program is given."""
    client.records()
    client.record(do=do, **fields)
    (record,) = client.records()
    assert record.pop("event") == "help"
    return msgspec.convert(record, Help)


@pytest.mark.parametrize("word", ["join", "/join", "JOIN"])
def test_help_explains_one(world: World, word: str) -> None:
    alice = world.person("alice")
    alice.say(f"/help {word}")
    assert alice.lines() == [
        "/join <room> [messages]: join a room, which is made if there is none, and see its last messages.",
        "Spellings: /join, /j, join",
    ]


def test_help_for_nothing_we_know(world: World) -> None:
    alice = world.person("alice")
    alice.say("/help dance", "/help jon")
    assert alice.lines() == [
        "Error: unknown command /dance; type /help.",
        "Error: unknown command /jon; type /help. Did you mean /join?",
    ]


def test_help_for_a_command_of_two_words(world: World) -> None:
    alice = world.person("alice")
    alice.say("/help account  delete")
    assert alice.lines()[1] == "Spellings: /account delete"


def test_every_record_has_a_row() -> None:
    records = {
        kind
        for kind in vars(commands).values()
        if isinstance(kind, type)
        and issubclass(kind, commands.Command)
        and kind not in (commands.Command, commands.Secretive, commands.RoomCommand)
    }
    assert records == set(ROWS)
