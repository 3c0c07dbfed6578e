"""Locked rooms and invitations, kicks, closed rooms; and what of it lasts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World
from msgspec.structs import replace
from order import (
    FAR,
    PASSWORD,
    account,
    ask,
    found,
    guest,
    history,
    members,
    owner,
    record_of,
    restarted,
    say,
    session_of,
    settled,
    text_of,
)
from twisted.internet.task import Clock


def moody() -> tuple[World, MoodyEngine]:
    """Return a world whose engine waits when it is told to."""
    clock = Clock()
    engine = MoodyEngine(clock)
    return World(engine, clock), engine


def go_on(world: World, engine: MoodyEngine) -> None:
    """Let the engine do all that it held."""
    while engine._held:
        engine.let_go()
        world.settle()


# ---- locked ------------------------------------------------------------------------------------------------------


def test_a_locked_room_admits_the_invited_and_those_who_keep_order(world: World) -> None:
    alice, bob, carol = owner(world, "alice", "den"), owner(world, "bob"), guest(world, "carol")
    mona, oscar = owner(world, "mona"), owner(world, "oscar", operator=True)
    assert ask(alice, "lock") == "ok"
    assert text_of(bob, "join", room="den") == "den is locked; ask a moderator to invite you."
    assert (ask(alice, "invite", user="bob"), ask(alice, "op", user="mona")) == ("ok", "ok")
    assert [ask(client, "join", room="den") for client in (bob, mona, oscar, carol)] == ["ok", "ok", "ok", "locked"]
    assert ask(alice, "unlock") == "ok"
    assert ask(carol, "join", room="den") == "ok"


def test_who_is_in_stays_in_when_the_room_is_locked_and_comes_back_only_invited(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    assert ask(alice, "lock") == "ok"
    assert members(world, "den") == ["alice", "bob"]
    bob.record(do="say", text="still here")
    assert alice.records()[-1]["text"] == "still here"
    assert ask(bob, "leave") == "ok"
    assert ask(bob, "join", room="den") == "locked"


def test_who_is_in_a_locked_room_may_log_in(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    account(world, "bert")
    assert ask(alice, "lock") == "ok"
    assert ask(bob, "login", user="bert", password=PASSWORD) == "ok"
    assert members(world, "den") == ["alice", "bert"]


def test_an_invitation_does_not_help_who_is_banned(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), owner(world, "bob")
    for do in ("lock", "invite", "ban"):
        assert ask(alice, do, **({"user": "bob"} if do != "lock" else {})) == "ok"
    assert ask(bob, "join", room="den") == "banned"


def test_an_invitation_reaches_who_is_elsewhere_and_who_is_offline(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob")
    account(world, "carol")
    assert ask(alice, "lock") == "ok"
    assert (ask(alice, "invite", user="bob"), ask(alice, "invite", user="carol")) == ("ok", "ok")
    (told,) = [record for record in bob.records() if record["event"] == "invited"]
    assert (told["room"], told["by"], told["user"]) == ("den", "alice", "bob")
    carol = world.person()
    carol.say(f"/login carol {PASSWORD}")
    assert "alice invites you to room den; join it with /join den." in carol.lines()
    carol.say("/join den")
    assert carol.lines()[0] == "Welcome to room den!"


def test_an_invitation_is_told_once_to_a_person_and_until_acknowledged_to_a_program(world: World) -> None:
    alice = owner(world, "alice", "den")
    account(world, "bob")
    assert ask(alice, "invite", user="bob") == "ok"
    bob = world.connect()
    bob.record(do="hello", version=1)
    told: list[dict[str, Any]] = []
    for _ in range(2):
        bob.record(do="login", user="bob", password=PASSWORD)
        (invited,) = [record for record in bob.records() if record["event"] == "invited"]
        told.append(invited)
        bob.record(do="logout")
        bob.records()
    assert told[0] == told[1]
    bob.record(do="login", user="bob", password=PASSWORD)
    bob.record(do="ack", seq=told[0]["seq"])
    bob.record(do="logout")
    bob.records()
    bob.record(do="login", user="bob", password=PASSWORD)
    assert "invited" not in [record["event"] for record in bob.records()]


# ---- put out -----------------------------------------------------------------------------------------------------


def answers(client: Client, id: str) -> list[str]:
    """Return what answers the message with that id, or the command with that ref."""
    return [record["event"] for record in client.records() if id in (record.get("id"), record.get("re"))]


@pytest.mark.parametrize("act", ["kick", "ban", "close"])
@pytest.mark.parametrize("first", ["said", "put-out"])
@pytest.mark.parametrize("held", [False, True])
def test_who_is_put_out_with_a_message_under_way_is_answered_exactly_once(act: str, first: str, held: bool) -> None:
    """Whichever the log took first, and whether in one batch or in two."""
    world, engine = moody()
    alice, bob, carol = guest(world, "alice", "den"), guest(world, "bob", "den"), guest(world, "carol", "den")
    for client in (alice, bob, carol):
        client.records()
    engine.holding = held
    acts = [(bob, {"do": "say", "text": "hi", "id": "own-1", "ref": "own-1"})]
    acts.insert(0 if first == "put-out" else 1, (alice, {"do": act, **({"user": "bob"} if act != "close" else {})}))
    for client, record in acts:
        client.transport.protocol.dataReceived(json.dumps(record).encode() + b"\n")
    world.settle()
    go_on(world, engine)
    heard = bob.records()
    answered = [record["event"] for record in heard if "own-1" in (record.get("id"), record.get("re"))]
    assert answered == ["said" if first == "said" else "error"], heard
    assert session_of(bob).pending == 0
    assert ask(bob, "join", room="other") == "ok"
    world.close()


@pytest.mark.parametrize("echo", [True, False])
def test_who_is_put_out_in_the_batch_of_a_message_is_answered_once_also_with_the_echo_off(echo: bool) -> None:
    world, engine = moody()
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    bob.record(do="echo", on=echo)
    bob.records()
    engine.holding = True
    bob.record(do="say", text="hi", id="own-1", ref="own-1")
    alice.record(do="kick", user="bob")
    go_on(world, engine)
    assert answers(bob, "own-1") == ["said" if echo else "ok"]
    world.close()


def test_who_is_kicked_hears_why_and_nothing_after_it_and_may_come_again(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.say("/kick bob be nice", "and he was gone")
    assert bob.lines() == ["bob was kicked by alice: be nice"]
    bob.say("hello?")
    assert bob.lines() == ["Error: you are not in a room; join one with /join <room>."]
    bob.say("/who")
    assert bob.lines() == ["Users online (2):", "  alice  in den", "  bob"]
    bob.say("/join den 0")
    assert bob.lines() == ["Welcome to room den!", "Current users: alice, bob"]


def test_all_connections_of_who_is_kicked_are_put_out() -> None:
    world = World(sessions=0)
    alice = owner(world, "alice", "den")
    bobs = [owner(world, "bob", "den"), owner(world, "bob", "den")]
    assert members(world, "den") == ["alice", "bob", "bob"]
    assert ask(alice, "kick", user="bob") == "ok"
    assert members(world, "den") == ["alice"]
    assert [[record["event"] for record in bob.records()][-1] for bob in bobs] == ["kicked", "kicked"]
    world.close()


def test_who_logs_in_while_being_kicked_is_put_out() -> None:
    """The room has not seen the login yet when the moderator looks who that is."""
    world, engine = moody()
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    account(world, "bert")
    engine.holding = True
    bob.record(do="login", user="bert", password=PASSWORD)
    alice.record(do="kick", user="bob")
    go_on(world, engine)
    assert members(world, "den") == ["alice"]
    assert session_of(bob).room is None
    world.close()


# ---- closed ------------------------------------------------------------------------------------------------------


def test_a_closed_room_is_left_by_all_and_its_namesake_is_a_new_one(world: World) -> None:
    alice, bob, carol = owner(world, "alice", "den"), world.person("bob", "den"), guest(world, "carol")
    old = record_of(world, "den").id
    alice.record(do="topic", text="cats")
    alice.record(do="ban", user="mallory")
    alice.record(do="lock")
    say(alice, "red secret")
    bob.take()
    assert ask(alice, "close", reason="moved") == "ok"
    assert bob.lines() == ["alice closed the room: moved"]
    assert ask(carol, "join", room="den", create=False) == "no-room"
    assert members(world, "den") == []
    bob.say("hello?", "/rooms")
    assert bob.lines() == [
        "Error: you are not in a room; join one with /join <room>.",
        "No rooms yet; create one with /create <room>.",
    ]
    assert ask(carol, "create", room="DEN") == "ok"
    new = record_of(world, "den")
    assert (new.id != old, new.name, new.owner, new.topic, new.locked, new.bans) == (
        True,
        "DEN",
        "carol",
        "",
        False,
        (),
    )
    assert history(carol) == []
    assert found(carol, "red") == []
    assert ask(alice, "join", room="den") == "ok"
    assert ask(alice, "lock") == "not-moderator"


def test_who_joins_at_the_moment_of_closing_is_told_that_there_is_no_such_room() -> None:
    world, engine = moody()
    alice, bob = guest(world, "alice", "den"), guest(world, "bob")
    engine.holding = True
    alice.record(do="close")
    bob.record(do="join", room="den", ref="asked")
    go_on(world, engine)
    assert [(record["event"], record.get("code")) for record in bob.records()] == [("error", "no-room")]
    assert session_of(bob).room is None
    assert ask(bob, "join", room="den") == "ok"
    assert record_of(world, "den").owner == "bob"
    world.close()


def test_who_came_in_just_before_the_closing_is_put_out() -> None:
    world, engine = moody()
    alice, bob = guest(world, "alice", "den"), guest(world, "bob")
    engine.holding = True
    bob.record(do="join", room="den", ref="asked")
    alice.record(do="close")
    go_on(world, engine)
    assert [record["event"] for record in bob.records()] == ["entered", "closed"]
    assert session_of(bob).room is None
    assert not world.chat.loaded_rooms.by_name
    world.close()


def test_a_room_that_is_closed_while_it_is_being_loaded_is_not_joined() -> None:
    """An operator, who is not in it, closes it just when somebody is on the way in."""
    world, engine = moody()
    alice, oscar = owner(world, "alice", "den"), owner(world, "oscar", operator=True)
    assert ask(alice, "leave") == "ok"
    old = record_of(world, "den").id
    follow = engine.follow

    def slowly(*args: Any, **options: Any) -> Any:
        """The record has been read; the log is followed a while later."""
        engine.follow = follow  # type: ignore[method-assign]
        engine.slow = True
        deferred = engine.follow(*args, **options)
        engine.slow = False
        return deferred

    engine.follow = slowly  # type: ignore[method-assign]
    alice.record(do="join", room="den", ref="asked")
    assert ask(oscar, "close", room="den") == "ok"
    go_on(world, engine)
    assert session_of(alice).room.id == record_of(world, "den").id != old
    world.close()


def test_what_changed_while_a_room_was_being_loaded_holds() -> None:
    """As when another server of the same log acts at that moment."""
    world, engine = moody()
    alice = owner(world, "alice", "den")
    assert ask(alice, "leave") == "ok"
    follow = engine.follow

    def changing(*args: Any, **options: Any) -> Any:
        engine.follow = follow  # type: ignore[method-assign]
        settled(world, world.chat.room_changes.amend(record_of(world, "den"), lambda now: replace(now, topic="new")))
        return follow(*args, **options)

    engine.follow = changing  # type: ignore[method-assign]
    assert ask(alice, "join", room="den") == "ok"
    assert text_of(alice, "topic") == "Topic: new"
    world.close()


def test_who_closes_rooms_may_make_others(world: World) -> None:
    alice = guest(world, "alice")
    for i in range(25):
        assert ask(alice, "create", room=f"room-{i}") == "ok"
        assert ask(alice, "close") == "ok"


# ---- what lasts --------------------------------------------------------------------------------------------------


def test_who_made_a_room_as_a_guest_and_registers_keeps_it(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    assert ask(alice, "op", user="bob") == "ok"
    for client, name in ((alice, "alice"), (bob, "bert")):
        client.record(do="register", user=name, password=PASSWORD)
    kept = record_of(world, "den")
    assert (kept.owner, list(kept.moderators.values())) == ("alice", ["bert"])
    alice.drop()
    bob.drop()
    alice = owner(world, "alice", "den")
    assert ask(alice, "lock") == "ok"
    assert ask(owner(world, "bert", "den"), "unlock") == "ok"
    assert ask(guest(world, "gus", "den"), "lock") == "not-moderator"
    assert ask(alice, "close") == "ok"


def test_a_guests_rights_end_with_the_guest(world: World) -> None:
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    alice.drop()
    assert ask(guest(world, "alice", "den"), "lock") == "not-moderator"
    assert ask(bob, "lock") == "not-moderator"


def test_who_logs_out_keeps_no_rights_and_has_them_again_after_logging_in(world: World) -> None:
    alice = owner(world, "alice", "den")
    assert ask(alice, "logout") == "ok"
    assert ask(alice, "lock") == "not-moderator"
    assert ask(alice, "login", user="alice", password=PASSWORD) == "ok"
    assert ask(alice, "lock") == "ok"


def kept_order(world: World) -> None:
    """Make a room with all that can last of it, and leave it."""
    alice = owner(world, "alice", "den")
    for name in ("mona", "ivy", "bob"):
        account(world, name)
    for record in (
        {"do": "op", "user": "mona"},
        {"do": "invite", "user": "ivy"},
        {"do": "ban", "user": "bob", "reason": "spam"},
        {"do": "ban", "user": FAR + "9", "seconds": 3600},
        {"do": "mute", "user": "ivy"},
        {"do": "topic", "text": "cats"},
        {"do": "slow", "seconds": 30},
        {"do": "lock"},
    ):
        assert ask(alice, **record) == "ok"
    alice.drop()


def order_is_kept(world: World) -> None:
    """Assert that all of it holds."""
    ivy, bob, gus = owner(world, "ivy"), owner(world, "bob"), guest(world, "gus")
    assert not world.chat.loaded_rooms.by_name
    assert [ask(client, "join", room="den") for client in (bob, gus, ivy)] == ["banned", "locked", "ok"]
    assert ask(ivy, "say", text="hello") == "muted"
    assert text_of(ivy, "topic") == "Topic: cats"
    mona = owner(world, "mona", "den")
    assert text_of(mona, "ban") == f"Banned here:\n  bob, by alice: spam\n  {FAR}9, by alice for 1 hour"
    assert [ask(mona, do, user="ivy") for do in ("unmute", "op")] == ["ok", "ok"]
    assert ask(ivy, "deop", user="mona") == "not-owner"
    assert [ask(ivy, do, user="ivy") for do in ("deop",)] == ["ok"]
    bot = guest(world, "bot")
    assert ask(mona, "invite", user="bot") == "ok"
    assert ask(bot, "join", room="den") == "ok"
    bot.record(do="say", text="once")
    assert ask(bot, "say", text="twice") == "too-soon"
    assert ask(owner(world, "alice", "den"), "deop", user="mona") == "ok"
    assert ask(mona, "unlock") == "not-moderator"


def test_order_is_kept_while_nobody_is_in_the_room(world: World) -> None:
    kept_order(world)
    order_is_kept(world)


def test_order_is_kept_across_a_restart(world: World) -> None:
    kept_order(world)
    again = restarted(world)
    order_is_kept(again)
    again.close()


def test_a_closed_room_stays_closed_across_a_restart(world: World) -> None:
    alice = owner(world, "alice", "den")
    assert ask(alice, "close") == "ok"
    again = restarted(world)
    assert settled(again, again.chat.room_records.all()) == []
    again.close()
