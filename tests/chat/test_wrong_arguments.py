"""Every command of the table, with arguments that are wrong in every way: an error in words, and never one of ours."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from harness import Client, World
from order import PASSWORD, owner

from chatroom.model.commands import ROWS, TABLE, Command, CommandRow

WRONG = (
    "",
    "abc",
    "-1",
    "0",
    "3600",
    "3601",
    "99999999999999999999",
    "on",
    "\u0663",
    "\N{PILE OF POO}" * 40,
    "x" * 2000,
)
VALUES: tuple[Any, ...] = (None, True, -1, 1, 2**60, 1.5, "", "x", "x" * 300, "\ud800", [], {}, [["x"]])
TYPED = [row for row in TABLE if row.spellings]


def anybody(world: World, room: str, operator: bool) -> Client:
    """Return somebody on telnet: a guest, or the operator."""
    person = world.person("" if operator else "bob", "")
    if operator:
        person.say(f"/login alice {PASSWORD}")
    if room:
        person.say(f"/join {room}")
    return person


@pytest.mark.parametrize("operator", [False, True])
@pytest.mark.parametrize("room", ["", "lobby"])
@pytest.mark.parametrize("row", TYPED, ids=lambda row: row.spellings[0])
def test_what_people_type(world: World, row: CommandRow, room: str, operator: bool) -> None:
    owner(world, "alice", operator=True).drop()
    person = anybody(world, room, operator)
    person.lines()
    for word in row.spellings:
        for first in WRONG:
            for second in ("", "abc", "9" * 30):
                person.say(f"{word} {first} {second}".rstrip(" "), "", "")  # empty lines end the questions
                assert not [line for line in person.lines() if "internal" in line]
                if not person.open:
                    person.drop()
                    person = anybody(world, room, operator)


@pytest.mark.parametrize("command", ROWS, ids=lambda command: command.__name__)
def test_what_programs_send(world: World, command: type[Command]) -> None:
    example = next((example for row in TABLE if row.command is command for example in row.examples), {})
    for field in msgspec.structs.fields(command):
        for value in VALUES:
            program = owner(world, "alice", "lobby", operator=True)
            record = {**msgspec.to_builtins(example), "do": ROWS[command].do, field.encode_name: value}
            program.send(json.dumps(record).encode() + b"\n")
            assert "internal" not in [answer.get("code") for answer in program.records()]
            program.drop()


def test_a_number_that_is_too_large_is_told(world: World) -> None:
    alice = world.person("alice", "den")
    alice.say("/slow 3601", "/slow abc")
    assert alice.lines() == ["Error: seconds must be at most 3600.", "Error: usage: /slow <seconds>."]
