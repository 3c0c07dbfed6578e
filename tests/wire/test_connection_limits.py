"""A class behind one address: guests hold slots there, whoever logs in gives it back and comes and goes freely."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from attackers import operate
from harness import Client, World

from chatroom.chat.limits import TABS
from chatroom.daemon.options import DaemonSettings
from chatroom.wire.connection_limits import NEW, WINDOW

HOST = "198.51.100.23"
TOO_MANY = "Error: too many connections from your address; try again later."
SECRET = "a secret of its own making"


@pytest.fixture
def school() -> Iterator[World]:
    """A server that lets four guests come from one address."""
    with closing(World(per_address=4)) as world:
        yield world


def pupil(world: World, number: int) -> Client:
    """Return somebody who has come from the school and logged in, with an account that the operator made."""
    operate(world, "add_account", f"pupil{number}", "secret")
    client = world.connect(HOST)
    client.say(f"/login pupil{number} secret")
    assert f"You are logged in as pupil{number}." in client.lines()
    return client


def guest(world: World) -> bool:
    """Return whether a guest is let in from the school; it stays there."""
    client = world.connect(HOST)
    client.say("/hello")
    return client.lines() != [TOO_MANY]


def test_by_default_sixty_four_guests_come_from_one_address() -> None:
    with closing(World(per_address=DaemonSettings().per_address)) as world:
        assert [guest(world) for _ in range(66)] == [True] * 64 + [False] * 2


def test_a_class_that_logs_in_fits_and_so_do_guests_beside_it(school: World) -> None:
    pupils = [pupil(school, number) for number in range(30)]
    assert [guest(school) for _ in range(5)] == [True] * 4 + [False]
    assert all(client.open for client in pupils)


def test_a_class_whose_pages_are_loaded_again_and_again_gets_in() -> None:
    """Each page is a new connection of a guest; nobody comes back by a secret."""
    with closing(World(per_address=DaemonSettings().per_address)) as world:
        for _ in range(NEW // 30):
            pages = [world.connect(HOST) for _ in range(30)]
            for page in pages:
                page.record(do="hello", version=1)
                assert page.records()[0]["event"] == "welcome"
            for page in pages:
                page.drop()
        assert not guest(world)
        world.pass_time(WINDOW + 1)
        assert guest(world)


def test_all_devices_and_tabs_of_an_account_leave_the_slots_to_guests(school: World) -> None:
    operate(school, "add_account", "ann", "secret")
    for device in range(school.rules.devices):
        for tab in range(TABS):
            client = school.connect(HOST)
            client.record(do="hello", version=1, device=f"device-{device}", tab=f"{tab}")
            client.record(do="login", user="ann", password="secret")
            assert client.records()[1]["event"] == "account"
    assert [guest(school) for _ in range(5)] == [True] * 4 + [False]


def test_more_than_the_new_ones_may_come_if_they_log_in(school: World) -> None:
    for number in range(NEW + 20):
        pupil(school, number).drop()
    assert guest(school)


def test_registering_is_logging_in() -> None:
    with closing(World(per_address=4, throttle=False)) as world:
        for number in range(6):
            client = world.connect(HOST)
            client.say(f"/register pupil{number} secret")
            assert f"You are logged in as pupil{number}." in client.lines()
        assert guest(world)


def test_a_login_that_fails_gives_nothing_back(school: World) -> None:
    operate(school, "add_account", "ann", "secret")
    for _ in range(4):
        client = school.connect(HOST)
        client.say("/login ann wrong")
    assert not guest(school)


def test_the_slot_is_given_back_once(school: World) -> None:
    first = pupil(school, 1)
    first.drop()
    assert [guest(school) for _ in range(5)] == [True] * 4 + [False]


def test_logging_out_takes_a_slot_again(school: World) -> None:
    first = pupil(school, 1)
    first.say("/logout")
    assert first.open
    assert [guest(school) for _ in range(4)] == [True] * 3 + [False]
    first.drop()
    assert guest(school)


def test_logging_out_ends_the_connection_when_no_slot_is_free(school: World) -> None:
    first = pupil(school, 1)
    assert [guest(school) for _ in range(4)] == [True] * 4
    first.say("/logout")
    assert first.lines()[-1] == TOO_MANY
    assert not first.open
    assert len(school.chat.sessions) == 4


def test_an_account_that_is_deleted_leaves_a_guest_who_needs_a_slot(school: World) -> None:
    first, second = pupil(school, 1), pupil(school, 2)
    assert [guest(school) for _ in range(3)] == [True] * 3
    operate(school, "remove_account", "pupil1")
    operate(school, "remove_account", "pupil2")
    assert first.open
    assert second.lines()[-1] == TOO_MANY
    assert not second.open


# ---- programs that come back -------------------------------------------------------------------------------------


def come(world: World, **fields: str) -> Client:
    """Return a program that has come from the school and said hello."""
    client = world.connect(HOST)
    client.record(do="hello", version=1, **fields)
    return client


def test_a_program_that_comes_back_is_not_counted_as_new(school: World) -> None:
    (welcome,) = come(school, name="bot").records()
    for _ in range(NEW + 20):
        client = come(school, resume=welcome["resume"])
        assert client.records()[0]["you"] == "bot"
        client.drop()
    assert guest(school)


def test_one_with_a_secret_of_its_own_making_is_new_once(school: World) -> None:
    for _ in range(NEW + 20):
        client = come(school, name="bot", resume=SECRET)
        assert client.records()[0]["you"] == "bot"
        client.drop()
    assert guest(school)


def test_a_made_up_secret_is_as_good_as_none(school: World) -> None:
    for number in range(NEW):
        come(school, resume=f"{SECRET} {number}").drop()
    assert not guest(school)
