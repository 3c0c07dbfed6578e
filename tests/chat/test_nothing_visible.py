"""What nobody can see is not said, in whatever way it is given; and nothing is called so."""

from __future__ import annotations

import pytest
from harness import World
from order import ask, owner

REFUSAL = "Error: there is nothing visible in that; write something."
UNSEEN = ["\u200b", "\u2800\u2800", "\u3164", "\xad \xad", "\u2062\U000e0061\U000e007f", "\ufeff\ufe0f\u200e"]


@pytest.mark.parametrize("text", UNSEEN, ids=ascii)
def test_people_are_told_that_it_was_not_said(world: World, text: str) -> None:
    anna, bob = world.person("anna", "den"), world.person("bob", "den")
    anna.lines()
    bob.say("/msg anna hi")
    anna.lines()
    bob.lines()
    for command in ("", "/say ", "/me ", "/msg bob ", "/reply ", "/topic ", "/away "):
        anna.say(command + text)
        assert anna.lines() == [REFUSAL], command
    anna.say("/msg", "bob", text)
    assert anna.lines() == ["To whom?", "Message:", REFUSAL]
    assert bob.lines() == []


@pytest.mark.parametrize("text", UNSEEN, ids=ascii)
def test_programs_are_told_so_too(world: World, text: str) -> None:
    anna = owner(world, "anna", "den")
    bot = world.program("bot", "den")
    for do, fields in (("say", {}), ("me", {}), ("message", {"user": "bot"}), ("topic", {}), ("away", {})):
        assert ask(anna, do, text=text, **fields) == "nothing-said"
    bot.records()
    bot.record(do="message", user="anna", text="hi")
    assert ask(anna, "reply", text=text) == "nothing-said"
    assert ask(anna, "name", name=text) == "log-out-first"
    assert ask(bot, "name", name=text) == "bad-name"
    assert ask(bot, "create", room=text) == "bad-room"


def test_a_topic_and_an_absence_still_end_with_an_empty_text(world: World) -> None:
    anna = owner(world, "anna", "den")
    for do in ("topic", "away"):
        assert ask(anna, do, text="lunch") == ask(anna, do, text=" ") == "ok"


def test_a_reason_that_nobody_can_see_is_none(world: World) -> None:
    anna, bob = owner(world, "anna", "den"), world.person("bob", "den")
    assert ask(anna, "kick", user="bob", reason="\u2800\u200b") == "ok"
    assert bob.lines()[-1] == "bob was kicked by anna."


def test_words_with_invisible_characters_in_them_are_said_as_they_are(world: World) -> None:
    anna = world.person("anna", "den")
    anna.say("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "co\xadop", "\U0001f469\u200d\U0001f680")
    assert anna.lines() == [
        "anna: \u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "anna: co\xadop",
        "anna: \U0001f469\u200d\U0001f680",
    ]
