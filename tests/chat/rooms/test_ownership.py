"""Rooms change their owners: by an owner, an operator, or the server when the owner has left for good."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest
from harness import Client, World, result
from order import account, owner, session_of, settled
from twisted.internet.defer import fail

from chatroom.chat.limits import LEFT_FOR_GOOD, OWNED
from chatroom.chat.operators.service import Operations
from chatroom.chat.rooms.ownership import EVERY
from chatroom.model.errors import Refused
from chatroom.model.log import Unavailable

LONG = LEFT_FOR_GOOD + 2 * EVERY


def owner_of(world: World, room: str = "den") -> str:
    """Return the name of a room's owner."""
    return str(result(world.chat.room_records.lookup(room)).owner)


def record_of(world: World, room: str = "den") -> Any:
    """Return a room's record."""
    return result(world.chat.room_records.lookup(room))


def member(world: World, name: str, host: str = "127.0.0.1") -> Client:
    """Return a member of the den who is logged in, and has heard everything."""
    client = owner(world, name, "den", host=host)
    client.take()
    return client


def wait(world: World, seconds: float, *clients: Client) -> None:
    """Let time pass while the clients stay."""
    while seconds > 0:
        world.pass_time(min(seconds, EVERY / 2))
        seconds -= EVERY / 2
        for client in clients:
            client.record(do="pong")


def owned(client: Client) -> list[dict[str, Any]]:
    """Return what the client has heard of new owners."""
    return [record for record in client.records() if record["event"] == "owned"]


# ---- the owner has left for good ---------------------------------------------------------------------------------


def test_the_member_with_an_account_who_was_there_longest_becomes_the_owner(world: World) -> None:
    gus = world.person("gus", "den")
    guest, olga, nina = world.program("guest", "den"), member(world, "olga"), member(world, "nina")
    gus.drop()
    wait(world, LEFT_FOR_GOOD - EVERY, guest, olga, nina)
    assert owner_of(world) == "gus"
    wait(world, 3 * EVERY, guest, olga, nina)
    assert owner_of(world) == "olga"
    for client in (guest, olga, nina):
        (event,) = owned(client)
        assert (event["user"], event["before"], event["by"]) == ("olga", "gus", "")
    olga.record(do="topic", text="mine now", ref=1)
    assert olga.records()[-1]["event"] == "ok"


def test_people_are_told_in_words(world: World) -> None:
    gus, anna = world.person("gus", "den"), world.person("anna", "den")
    member(world, "olga").take()
    gus.drop()
    anna.take()
    olga = world.clients[-1]
    wait(world, LONG, olga)
    assert "gus has left for good; olga now owns the room." in anna.lines()


def test_an_owner_who_is_here_stays_the_owner(world: World) -> None:
    gus = world.program("gus", "den")
    olga = member(world, "olga")
    gus.record(do="leave")
    wait(world, LONG, gus, olga)
    assert owner_of(world) == "gus"


def test_an_owner_who_comes_back_in_time_stays_the_owner(world: World) -> None:
    gus = world.connect()
    gus.record(do="hello", version=1, name="gus", resume="a secret of gus's own")
    gus.record(do="join", room="den")
    olga = member(world, "olga")
    for _ in range(3):
        gus.drop()
        wait(world, LEFT_FOR_GOOD - 2 * EVERY, olga)
        gus = world.connect()
        gus.record(do="hello", version=1, name="gus", resume="a secret of gus's own")
        wait(world, 2 * EVERY, olga, gus)
    assert owner_of(world) == "gus"


def test_an_owner_who_comes_back_too_late_still_moderates(world: World) -> None:
    gus = world.connect()
    gus.record(do="hello", version=1, name="gus", resume="a secret of gus's own")
    gus.record(do="join", room="den")
    olga = member(world, "olga")
    gus.drop()
    wait(world, LONG, olga)
    gus = world.connect()
    gus.record(do="hello", version=1, name="gus", resume="a secret of gus's own")
    gus.record(do="join", room="den")
    gus.record(do="topic", text="still here", ref=7)
    assert gus.records()[-1]["event"] == "ok"
    assert owner_of(world) == "olga"


def test_an_account_stays_the_owner_however_long_it_is_away(world: World) -> None:
    world_owner = member(world, "nina")
    olga = member(world, "olga")
    world_owner.drop()
    wait(world, 3 * LONG, olga)
    assert owner_of(world) == "nina"


def test_a_room_of_an_account_that_was_removed_goes_to_a_member(world: World) -> None:
    nina, olga = member(world, "nina"), member(world, "olga")
    nina.drop()
    settled(world, Operations(world.chat, "root").remove_account("nina"))
    wait(world, LONG, olga)
    assert owner_of(world) == "olga"


def test_a_moderator_comes_before_those_who_were_there_longer(world: World) -> None:
    gus = world.person("gus", "den")
    nina, olga = member(world, "nina"), member(world, "olga")
    gus.say("/op olga")
    gus.drop()
    wait(world, LONG, nina, olga)
    assert owner_of(world) == "olga"


def test_a_muted_member_is_passed_over(world: World) -> None:
    gus = world.person("gus", "den")
    nina, olga = member(world, "nina"), member(world, "olga")
    gus.say("/mute nina")
    gus.drop()
    wait(world, LONG, nina, olga)
    assert owner_of(world) == "olga"


def test_a_member_who_owns_as_many_rooms_as_one_may_is_passed_over(world: World) -> None:
    gus = world.person("gus", "den")
    nina = member(world, "nina")
    for number in range(OWNED):
        nina.record(do="join", room=f"hall{number}")
    nina.record(do="join", room="den")
    olga = member(world, "olga")
    gus.drop()
    wait(world, LONG, nina, olga)
    assert owner_of(world) == "olga"


def test_without_a_member_who_has_an_account_the_room_waits_for_one(world: World) -> None:
    gus, guest = world.person("gus", "den"), world.program("guest", "den")
    gus.drop()
    wait(world, LONG, guest)
    assert owner_of(world) == "gus"
    olga = member(world, "olga")
    wait(world, 2 * EVERY, guest, olga)
    assert owner_of(world) == "olga"


def test_a_room_that_was_given_away_counts_for_its_new_owner_and_lasts(world: World) -> None:
    gus = world.person("gus", "den", host="192.0.2.7")
    olga = member(world, "olga")
    gus.drop()
    wait(world, LONG, olga)
    olga.drop()
    world.pass_time(LONG)
    record = record_of(world)
    assert record.counted == f"account:{record.owner_id}"
    box: list[Any] = []
    world.engine.get("rooms-of-guest", "address:192.0.2.7").addCallback(box.append)
    assert box == [None]


def test_of_two_daemons_only_one_gives_the_room_away() -> None:
    first = World()
    second = World(first.engine, first.clock, first_id=10**6)
    gus = first.person("gus", "den")
    olga = member(first, "olga")
    nina = owner(second, "nina", "den")
    gus.drop()
    wait(first, LONG, olga, nina)
    assert owner_of(first) == owner_of(second) == "olga"
    assert len(owned(nina)) == 1
    first.close(second)


def test_the_owner_on_another_daemon_is_not_away() -> None:
    first = World()
    second = World(first.engine, first.clock, first_id=10**6)
    gus = second.program("gus", "den")
    olga = member(first, "olga")
    gus.record(do="leave")
    wait(first, LONG, olga, gus)
    assert owner_of(first) == "gus"
    first.close(second)


def test_a_room_that_cannot_be_given_away_now_is_given_away_later(world: World, monkeypatch: Any) -> None:
    gus = world.person("gus", "den")
    olga = member(world, "olga")
    gus.drop()
    change = world.engine.change
    monkeypatch.setattr(world.engine, "change", lambda changes: fail(Unavailable("disk full")))
    wait(world, LONG, olga)
    assert owner_of(world) == "gus"
    monkeypatch.setattr(world.engine, "change", change)
    wait(world, 2 * EVERY, olga)
    assert owner_of(world) == "olga"


# ---- given away --------------------------------------------------------------------------------------------------


def test_an_owner_gives_the_room_away_and_moderates_on(world: World) -> None:
    gus, olga = world.person("gus", "den"), member(world, "olga")
    gus.take()
    gus.say("/owner olga")
    assert gus.lines() == ["olga was made the owner by gus."]
    assert owner_of(world) == "olga"
    gus.say("/topic still", "/owner gus")
    assert gus.lines() == ["gus set the topic: still", "Error: only the owner of den can do that."]
    olga.record(do="owner", user="gus", ref=1)
    assert olga.records()[-1]["code"] == "no-account"
    olga.record(do="deop", user="gus", ref=1)
    assert olga.records()[-1]["event"] == "ok"


def test_an_operator_names_an_owner_in_the_room(world: World) -> None:
    world.person("gus", "den").drop()
    account(world, "olga")
    root = owner(world, "root", "den", operator=True)
    root.take()
    root.record(do="owner", user="olga", ref=1)
    assert [record["event"] for record in root.records()] == ["owned", "ok"]
    assert owner_of(world) == "olga"


def test_an_operator_names_an_owner_from_the_console(world: World) -> None:
    anna = world.person("anna", "den")
    account(world, "olga")
    anna.take()
    assert settled(world, Operations(world.chat, "root").give_room("den", "OLGA")) == "The room den is olga's now."
    assert anna.lines() == ["olga was made the owner by root."]
    for room, user in (("den", "olga"), ("den", "nobody"), ("no-den", "olga")):
        with pytest.raises(Refused):
            settled(world, Operations(world.chat, "root").give_room(room, user))


def test_nobody_else_gives_a_room_away(world: World) -> None:
    gus, olga, mod = world.person("gus", "den"), member(world, "olga"), world.person("moira", "den")
    gus.say("/op moira")
    mod.take()
    mod.say("/owner olga")
    assert mod.lines() == ["Error: only the owner of den can do that."]
    olga.record(do="owner", user="olga", ref=1)
    assert olga.records()[-1]["code"] == "not-owner"
    assert owner_of(world) == "gus"


def test_a_room_is_given_to_nobody_who_owns_as_many_as_one_may(world: World) -> None:
    nina = member(world, "nina")
    for number in range(OWNED - 1):
        nina.record(do="join", room=f"hall{number}")
    gus = world.person("gus", "porch")
    gus.say("/owner nina")
    assert gus.lines() == [f"Error: you have made {OWNED} rooms; close one of them with /close."]
    assert owner_of(world, "porch") == "gus"


def test_a_room_that_could_not_be_given_is_counted_no_more_after_a_minute(world: World, monkeypatch: Any) -> None:
    nina = member(world, "nina")
    for number in range(OWNED - 2):
        nina.record(do="join", room=f"hall{number}")
    gus = world.person("gus", "porch")
    monkeypatch.setattr(world.engine, "change", lambda changes: fail(Unavailable("disk full")))
    gus.say("/owner nina")
    monkeypatch.undo()
    assert owner_of(world, "porch") == "gus"
    world.pass_time(60)
    nina.record(do="join", room="the-last", ref=1)
    assert nina.records()[-1]["event"] == "entered"
    nina.record(do="join", room="one-more", ref=2)
    assert nina.records()[-1]["code"] == "too-many-owned"


@pytest.mark.parametrize("throttle", [True, False])
def test_the_rooms_that_a_guest_made_go_to_the_account_wherever_the_guest_is(throttle: bool) -> None:
    with closing(World(throttle=throttle)) as world:
        zoe, bob = world.person("zoe", "den"), world.person("bob", "den")
        zoe.say("/join attic", "/leave", "/register zoe s3cret-enough", "/join den", "/topic ours")
        assert bob.lines()[-1] == "zoe set the topic: ours"
        assert record_of(world, "attic").owner == "zoe"
        assert record_of(world, "attic").owner_id == session_of(zoe).user_id == record_of(world, "den").owner_id
