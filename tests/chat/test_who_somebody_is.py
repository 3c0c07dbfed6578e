"""/names and /whois: who is in the room, and who somebody is."""

from __future__ import annotations

import pytest
from harness import World
from order import ask, owner

from chatroom.chat.limits import LISTED


def test_the_names_in_the_room_are_in_the_order_of_joining(world: World) -> None:
    zoe, anna = world.person("zoe", "den"), world.person("anna", "den")
    anna.say("/names")
    assert anna.lines() == ["Users in den (2): zoe, anna"]
    zoe.say("/part")
    anna.lines()
    anna.say("/NAMES")
    assert anna.lines() == ["Users in den (1): anna"]
    zoe.lines()
    zoe.say("/names")
    assert zoe.lines() == ["Error: you are not in a room; join one with /join <room>."]


def test_a_long_list_of_names_is_cut(world: World) -> None:
    bot = world.program("bot", "den")
    for number in range(LISTED + 3):
        world.program(f"u{number}", "den")
    bot.records()
    bot.record(do="names")
    (record,) = bot.records()
    assert (record["event"], len(record["users"]), record["more"]) == ("members", LISTED, 4)


def test_whois_tells_guest_and_owner_room_and_absence(world: World) -> None:
    anna, boss = owner(world, "anna", "den"), owner(world, "boss", operator=True)
    gus = world.person("gus")
    for name, line in (
        ("ANNA", "anna is the owner of an account, online in den."),
        ("boss", "boss is an operator, online, in no room."),
        ("gus", "gus is a guest, online, in no room."),
    ):
        gus.say(f"/whois {name}")
        assert gus.lines() == [line]
    ask(anna, "away", text="lunch")
    anna.record(do="leave")
    gus.say("/whois anna")
    assert gus.lines() == ["anna is the owner of an account, online, in no room.", "anna is away: lunch"]
    for client in (anna, boss):
        client.drop()
    gus.lines()
    gus.say("/whois anna", "/whois Boss")
    assert gus.lines() == ["anna is the owner of an account, offline.", "boss is an operator, offline."]


def test_whois_knows_guests_of_before_and_nobody_else(world: World) -> None:
    world.person("zo\xeb").drop()
    gus = world.person("gus")
    gus.say("/whois ZOE\u0308", "/whois zed", "/whois a,b", "/whois")
    assert gus.lines() == [
        "zo\xeb is a guest, offline.",
        "Error: no user named zed; see /who.",
        "Error: no user named a,b; see /who.",
        "Error: usage: /whois <user>.",
    ]


def test_an_owner_in_two_rooms_is_in_both() -> None:
    world = World(sessions=2)
    anna, again = owner(world, "anna", "den"), owner(world, "anna", "attic")
    bot = world.program("bot")
    bot.record(do="whois", user="anna")
    (record,) = bot.records()
    assert record == {
        "event": "person",
        "name": "anna",
        "account": True,
        "online": True,
        "rooms": ["attic", "den"],
    }
    assert anna.open
    assert again.open
    world.close()


@pytest.mark.parametrize("word", ["/w", "/query"])
def test_the_usual_short_forms(world: World, word: str) -> None:
    anna, gus = world.person("anna"), world.person("gus")
    gus.say("/j den", f"{word} anna psst")
    assert gus.lines()[-1] == "To anna (private): psst"
    anna.say("/r thanks", "/nick annie", "/whois annie")
    answers = ["To gus (private): thanks", "You are now annie.", "annie is a guest, online, in no room."]
    assert anna.lines()[-3:] == answers
