"""A program names its device; the sessions of one account on several devices live side by side."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Client, World

from chatroom.model.device import NO_DEVICE, Device


def answer(program: Client, **fields: Any) -> dict[str, Any]:
    """Return the answer to a record."""
    program.record(ref="it", **fields)
    (found,) = [record for record in program.records() if record.get("re") == "it"]
    return found


def test_a_device_is_noted_and_a_tab_alone_is_none(world: World) -> None:
    program = world.connect()
    assert answer(program, do="hello", version=1, tab="a1")["event"] == "welcome"
    (session,) = world.chat.sessions.values()
    assert session.device is NO_DEVICE
    answer(program, do="hello", version=1, device="phone-7", tab="a1")
    assert session.device == Device("phone-7", "a1")
    answer(program, do="hello", version=1)
    assert session.device == Device("phone-7", "a1")


@pytest.mark.parametrize("word", ["UPPER", "two words", "a" * 33, "é", "a\n", 7, None, ["a"]], ids=repr)
@pytest.mark.parametrize("field", ["device", "tab"])
def test_a_wrong_name_is_refused(world: World, field: str, word: object) -> None:
    program = world.connect()
    told = answer(program, do="hello", version=1, **{"device": "phone", field: word})
    assert (told["event"], told["code"]) == ("error", "bad-record")
    assert next(iter(world.chat.sessions.values())).device is NO_DEVICE


def test_the_longest_name_is_accepted(world: World) -> None:
    program = world.connect()
    assert answer(program, do="hello", version=1, device="a" * 32, tab="-" * 32)["event"] == "welcome"


def test_the_device_stays_while_the_session_is_logged_in(world: World) -> None:
    program = world.connect()
    answer(program, do="hello", version=1, device="phone")
    answer(program, do="register", user="alice", password="secret")
    for fields in ({"device": "laptop"}, {"device": "phone", "tab": "2"}):
        assert answer(program, do="hello", version=1, **fields)["code"] == "log-out-first"
    assert answer(program, do="hello", version=1, device="phone")["event"] == "welcome"
    answer(program, do="logout")
    assert answer(program, do="hello", version=1, device="laptop")["event"] == "welcome"
