"""However somebody spells a name, it is the same name in every command; and nobody may be called like the server."""

from __future__ import annotations

import pytest
from harness import World
from msgspec.structs import replace
from order import account, ask, owner, settled

from chatroom.model.account import Preferences
from chatroom.model.names import user_name

ZOE = "Zo\xeb"
SPELLINGS = ["zo\xeb", "ZOE\u0308", "zoe\u0308", "\uff3a\uff4f\xeb"]  # lower, decomposed upper and lower, full width


@pytest.mark.parametrize("spelled", SPELLINGS, ids=ascii)
def test_moderators_may_spell_a_name_as_they_like(world: World, spelled: str) -> None:
    anna = owner(world, "anna", "den")
    zoe = world.person(ZOE, "den")
    zoe.say("a slip")
    anna.records()
    assert ask(anna, "delete", user=spelled) == "ok"
    assert ask(anna, "mute", user=spelled) == ask(anna, "unmute", user=spelled) == "ok"
    assert ask(anna, "op", user=spelled) == ask(anna, "deop", user=spelled) == "ok"
    assert ask(anna, "kick", user=spelled) == "ok"
    assert "Zo\xeb was kicked by anna." in zoe.lines()


@pytest.mark.parametrize("spelled", SPELLINGS, ids=ascii)
def test_a_former_moderator_who_is_away_is_found(world: World, spelled: str) -> None:
    anna = owner(world, "anna", "den")
    zoe = owner(world, ZOE)
    assert ask(anna, "op", user=ZOE) == "ok"
    zoe.drop()
    assert ask(anna, "deop", user=spelled) == "ok"
    assert ask(anna, "ban", user=ZOE) == ask(anna, "unban", user=spelled) == "ok"


@pytest.mark.parametrize("spelled", SPELLINGS, ids=ascii)
def test_everybody_may_ignore_and_write_to_it(world: World, spelled: str) -> None:
    bob, zoe = world.person("bob", "den"), world.person(ZOE, "den")
    bob.say(f"/ignore {spelled}")
    zoe.say("hello?")
    assert bob.lines() == ["Zo\xeb has joined the room.", "You ignore Zo\xeb."]
    bob.say(f"/ignore {spelled} off", f"/msg {spelled} hi")
    zoe.lines()
    zoe.say("hello!")
    assert bob.lines() == ["You ignore nobody.", "To Zo\xeb (private): hi", "Zo\xeb: hello!"]


@pytest.mark.parametrize("spelled", SPELLINGS, ids=ascii)
def test_who_is_ignored_stays_so_by_every_spelling_of_the_name(world: World, spelled: str) -> None:
    """The next connection of that name is somebody with another id."""
    bob = world.person("bob", "den")
    first = world.person(ZOE)
    bob.say(f"/ignore {ZOE}")
    first.drop()
    second = world.person(spelled, "den")
    second.say("me again")
    assert not [line for line in bob.lines() if "me again" in line]


def test_mail_for_a_guest_is_found_by_every_spelling(world: World) -> None:
    world.person(ZOE).drop()
    bob = world.person("bob")
    bob.say(f"/msg {SPELLINGS[1]} call me")
    assert bob.lines() == ["Zo\xeb is offline and not registered; whoever takes that name next will read this."]


def test_what_an_account_of_before_ignores_is_compared_in_the_same_way(world: World) -> None:
    """Its record was written with another folding."""
    account(world, "bob")
    record = settled(world, world.chat.accounts.get(user_name("bob")))
    before = Preferences(ignored=(("strasse", "Stra\xdfe", "an id of before"),))
    settled(world, world.chat.accounts.change(record, lambda now: replace(now, preferences=before)))
    bob, strasse = owner(world, "bob", "den"), world.person("Stra\xdfe", "den")
    strasse.say("lost")
    assert not [line for line in bob.records() if line.get("text") == "lost"]


# ---- posing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Error", "5ystem", "m0derator", "Welcome", "TO", "Chatr00m"])
def test_nobody_chooses_a_name_that_poses(world: World, name: str) -> None:
    bob = world.person("bob")
    refusal = "Error: this name, or one that looks like it, could be taken for the server's; "
    for line, step in (
        (f"/name {name}", "/name <name>"),
        (f"/register {name} a-good-one", "/register <user> <password>"),
    ):
        bob.say(line)
        assert bob.lines() == [refusal + f"choose another with {step}."]
    program = world.connect()
    program.record(do="hello", version=1, name=name, ref=1)
    assert [(r["event"], r["code"]) for r in program.records()] == [("error", "bad-name")]


def test_nor_that_of_a_server_with_another_name() -> None:
    lab = World(name="Physics Lab")
    bob = lab.person("bob")
    bob.say("/name Physics_Lab", "/name physics")
    assert [line[:24] for line in bob.lines()] == ["Error: this name, or one", "You are now physics."]
    lab.close()


def test_an_account_that_an_operator_named_so_is_as_good_as_any(world: World) -> None:
    boss = owner(world, "boss", "den", operator=True)
    assert ask(boss, "add-account", user="Moderator", password="a-good-one") == "ok"
    helper = world.program()
    assert ask(helper, "login", user="moderatoR", password="a-good-one") == "ok"
    assert ask(helper, "away", text="lunch") == "ok"
    bob = world.person("bob")
    bob.say("/msg moderator help")
    assert bob.lines() == ["To Moderator (private): help", "Moderator is away: lunch"]
