"""What somebody may have meant: near enough, and not merely made of the same letters."""

from __future__ import annotations

import pytest

from chatroom.model.suggestions import hint, nearest

COMMANDS = ["create", "join", "leave", "msg", "reply", "register", "set", "who", "whois"]


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("mgs", "msg"),
        ("jion", "join"),
        ("creat", "create"),
        ("regsiter", "register"),
        ("leaves", "leave"),
        ("WHOSI", "whois"),
        ("secret", None),
        ("x", None),
        ("", None),
        ("msg", None),
        ("join" * 50, None),
    ],
)
def test_the_nearest_word(word: str, meant: str | None) -> None:
    assert nearest(word, COMMANDS) == meant


def test_a_name_is_compared_in_every_spelling() -> None:
    assert nearest("Cafe\u0301s", ["caf\xe9"]) == "caf\xe9"


def test_a_command_in_capitals_is_meant() -> None:
    assert hint("WHO", COMMANDS, "") == " Did you mean who?"
    assert hint("dance", COMMANDS) == ""
