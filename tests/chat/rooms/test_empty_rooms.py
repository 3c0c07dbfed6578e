"""Rooms that guests make: how many there may be, and when those in which nothing was said end."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Client, World, result

from chatroom.chat.limits import EMPTY, GUEST_ROOMS, OWNED
from chatroom.chat.rooms.empty_rooms import AT_ONCE
from chatroom.engines.memory import MemoryEngine
from chatroom.model.names import room_name

HERE = "192.0.2.7"
TOO_MANY = (
    f"Error: guests from your address have made {GUEST_ROOMS} rooms already; log in, or close one of them with /close."
)


def come(world: World, host: str = HERE) -> Client:
    """Return a person from that address who has been greeted."""
    return world.person(host=host)


def make(client: Client, *rooms: str) -> list[str]:
    """Make rooms, one after the other, leave each at once, and return the errors."""
    client.take()
    for room in rooms:
        client.say(f"/create {room}", "/leave")
    return [line for line in client.lines() if line.startswith("Error: ") and "not in a room" not in line]


def rooms(world: World) -> list[str]:
    """Return the names of all rooms there are."""
    return sorted(record.name for record in result(world.chat.room_records.all()))


def test_an_empty_room_of_a_guest_ends_after_ten_minutes(world: World) -> None:
    guest = come(world)
    make(guest, "den")
    world.pass_time(EMPTY - 1)
    assert rooms(world) == ["den"]
    world.pass_time(1)
    assert rooms(world) == []
    guest.say("/create den")
    assert "Room den created." in guest.lines()


def test_the_ten_minutes_begin_when_the_last_member_leaves(world: World) -> None:
    guest, friend = come(world), come(world)
    guest.say("/join den")
    friend.say("/join den")
    guest.drop()
    world.pass_time(3 * EMPTY)
    friend.say("/leave")
    world.pass_time(EMPTY - 1)
    friend.say("/join den", "/leave")
    world.pass_time(EMPTY - 1)
    assert rooms(world) == ["den"]
    world.pass_time(1)
    assert rooms(world) == []


@pytest.mark.parametrize("words", ["hello", "/me waves"])
def test_a_room_in_which_something_was_said_stays(world: World, words: str) -> None:
    guest = come(world)
    guest.say("/join den", words, "/leave")
    world.pass_time(2 * EMPTY)
    assert rooms(world) == ["den"]


@pytest.mark.parametrize("act", ["/topic a topic", "/slow 5", "/ban 192.0.2.99", "/delete"])
def test_what_moderators_do_does_not_keep_a_room(world: World, act: str) -> None:
    guest = come(world)
    guest.say("/join den", act, "/leave")
    world.pass_time(EMPTY)
    assert rooms(world) == []


def test_a_room_of_an_account_stays(world: World) -> None:
    owner = come(world)
    owner.say("/register olga secret", "/join den", "/leave")
    world.pass_time(2 * EMPTY)
    assert rooms(world) == ["den"]


def test_a_room_of_a_guest_who_registers_in_it_stays(world: World) -> None:
    owner = come(world)
    owner.say("/join den", "/register olga secret", "/leave")
    world.pass_time(2 * EMPTY)
    assert rooms(world) == ["den"]


def test_many_rooms_end_a_few_in_each_turn_of_the_reactor(world: World, monkeypatch: Any) -> None:
    for number, guest in enumerate([come(world, f"192.0.2.{number}") for number in range(AT_ONCE + 3)]):
        make(guest, f"den{number}", f"hall{number}")
    ended: list[list[str]] = []  # the rooms that end in each turn
    who, forget = world.chat.who, world.chat.directory.forget
    monkeypatch.setattr(world.chat, "who", lambda: [ended.append([]), *who()][1:])
    monkeypatch.setattr(world.chat.directory, "forget", lambda id, *more: [ended[-1].append(id), forget(id, *more)][1])
    world.pass_time(EMPTY)
    assert [len(turn) for turn in ended if turn] == [AT_ONCE, AT_ONCE, 6]
    assert rooms(world) == []


def test_an_empty_room_ends_after_a_restart_too() -> None:
    first = World()
    guest = come(first)
    make(guest, "den")
    guest.say("/join hall", "something")
    first.pass_time(EMPTY - 1)
    second = World(first.engine, first.clock, first_id=10**6)  # a daemon that starts on the same engine
    first.pass_time(EMPTY - 1)
    assert rooms(second) == ["hall"]
    first.close(second)


def test_a_daemon_does_not_end_the_room_that_a_member_on_another_daemon_is_in() -> None:
    first = World()
    second = World(first.engine, first.clock, first_id=10**6)
    guest, friend = come(first), come(second)
    guest.say("/join den")
    friend.say("/join den")
    guest.drop()
    first.pass_time(3 * EMPTY)
    friend.take()
    assert rooms(first) == ["den"]
    friend.say("anybody?")
    assert [line.partition(": ")[2] for line in friend.lines()] == ["anybody?"]
    friend.drop()
    first.close(second)


# ---- how many ----------------------------------------------------------------------------------------------------


def test_guests_from_one_address_make_so_many_rooms_whatever_they_are_called(world: World) -> None:
    for number in range(GUEST_ROOMS):
        guest = come(world)
        guest.say(f"/name guy{number}")
        assert make(guest, f"den{number}") == []
        guest.drop()
    assert make(come(world), "one-more") == [TOO_MANY]
    assert make(come(world, "192.0.2.8"), "elsewhere") == []
    world.pass_time(EMPTY)
    assert make(come(world), "one-more") == []


def test_an_ipv6_network_counts_as_one_address(world: World) -> None:
    for number in range(GUEST_ROOMS):
        assert make(come(world, f"2001:db8:0:7::{number:x}"), f"den{number}") == []
    assert make(come(world, "2001:db8:0:7:ffff::1"), "one-more") == [TOO_MANY]
    assert make(come(world, "2001:db8:0:8::1"), "elsewhere") == []


def test_a_room_that_is_closed_counts_no_more(world: World) -> None:
    guests = [come(world) for _ in range(GUEST_ROOMS)]
    for number, guest in enumerate(guests):
        guest.say(f"/create den{number}")
    guests[5].say("/close")
    assert make(come(world), "one-more") == []
    assert make(come(world), "two-more") == [TOO_MANY]


def test_what_was_made_is_counted_after_a_restart_and_by_every_daemon() -> None:
    first = World()
    for number in range(GUEST_ROOMS - 1):
        guest = come(first)
        guest.say(f"/join den{number}", "hello")
    second = World(first.engine, first.clock, first_id=10**6)
    assert make(come(second), "the-last") == []
    assert make(come(first), "one-more") == [TOO_MANY]
    first.close(second)


def test_one_guest_and_one_account_make_so_many_rooms(world: World) -> None:
    guest = come(world)
    assert make(guest, *(f"den{number}" for number in range(OWNED))) == []
    refused = f"Error: you have made {OWNED} rooms; close one of them with /close."
    assert make(guest, "one-more") == [refused]
    guest.say("/register olga secret")
    assert make(guest, "one-more") == [refused], "the guest's rooms are the account's now"
    account = come(world)
    account.say("/register otto secret")
    assert make(account, *(f"hall{number}" for number in range(OWNED))) == []
    assert make(account, "one-more") == [refused]


def test_registering_in_a_room_is_no_way_to_own_more(world: World) -> None:
    """The account moderates the room in which it has logged in, but does not own more than it may."""
    owner = come(world)
    owner.say("/register olga secret")
    make(owner, *(f"hall{number}" for number in range(OWNED)))
    owner.say("/logout", "/join den", "/login olga secret")
    owner.take()
    owner.say("/topic still mine")
    assert owner.lines()[-1].endswith("still mine")
    record = result(world.chat.room_records.lookup("den"))
    assert sum(one.owner == "olga" for one in result(world.chat.room_records.all())) == OWNED
    assert [*record.moderators.values()] == ["olga"]
    assert make(owner, "one-more") == [f"Error: you have made {OWNED} rooms; close one of them with /close."]


def test_a_room_that_an_account_takes_over_counts_no_more_for_the_address(world: World) -> None:
    for number in range(GUEST_ROOMS - 1):
        come(world).say(f"/join den{number}", "hello")
    owner = come(world)
    owner.say("/join hall", "hello")
    assert make(come(world), "one-more") == [TOO_MANY]
    owner.say("/register olga secret")
    assert make(come(world), "one-more") == []


def test_a_room_that_a_crash_kept_from_being_made_counts_no_more_after_a_minute(world: World, monkeypatch: Any) -> None:
    change, lost = MemoryEngine.change, 0

    def crash(engine: MemoryEngine, changes: Any) -> Any:
        nonlocal lost
        if changes[0].bucket != "room":
            return change(engine, changes)
        lost += 1
        raise SystemError("the daemon is gone")

    monkeypatch.setattr(MemoryEngine, "change", crash)
    for number in range(GUEST_ROOMS):
        with pytest.raises(SystemError):
            result(world.chat.directory._make(room_name(f"den{number}"), come(world).transport.protocol._session))
    monkeypatch.setattr(MemoryEngine, "change", change)
    assert lost == GUEST_ROOMS
    assert make(come(world), "one-more") == [TOO_MANY]
    world.pass_time(60)
    assert make(come(world), "one-more") == []
    assert rooms(world) == ["one-more"]


def test_without_limits_by_address_only_each_guest_is_counted() -> None:
    world = World(throttle=False)
    for number in range(GUEST_ROOMS + 1):
        assert make(come(world), f"den{number}") == []
    world.close()
