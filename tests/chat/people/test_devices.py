"""A program names its device; the sessions of one account on several devices live side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import Client, World
from stepping import all_is_one, nobody_is_left

from chatroom.chat.limits import TABS
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


# ---- how many ------------------------------------------------------------------------------------------------------


@pytest.fixture
def alice(world: World) -> Client:
    """A program that has made the account, and has gone."""
    maker = world.program()
    answer(maker, do="register", user="alice", password="secret")
    maker.drop()
    return maker


def program(world: World, device: str = "", tab: str = "") -> Client:
    """Return a program on a device."""
    client = world.connect()
    client.record(do="hello", version=1, device=device, tab=tab)
    client.records()
    return client


def login(client: Client) -> str:
    """Let a program log in; return ``account``, or the code of the refusal."""
    told = answer(client, do="login", user="alice", password="secret")
    return str(told.get("code", told["event"]))


def on(world: World, device: str = "", tab: str = "") -> Client:
    """Return a program on a device that is logged in."""
    client = program(world, device, tab)
    assert login(client) == "account"
    return client


@pytest.mark.usefixtures("alice")
def test_so_many_devices_and_no_more(world: World) -> None:
    here = [on(world, f"device-{number}") for number in range(8)]
    late = program(world, "device-9")
    late.record(do="login", user="alice", password="secret", ref=1)
    (refused,) = late.records()
    assert (refused["code"], refused["re"]) == ("too-many-devices", 1)
    assert (
        refused["text"]
        == "alice is already in use on the most devices allowed (8); end a session there, see /sessions."
    )
    assert all(client.open for client in here)
    here[3].drop()
    assert login(late) == "account"
    nobody_is_left(world)


@pytest.mark.usefixtures("alice")
def test_sessions_without_a_device_are_counted_by_themselves(world: World) -> None:
    phone = on(world, "phone")
    person = world.person()
    person.say("/login alice secret")
    assert person.lines()[0] == "You are logged in as alice."
    assert login(program(world)) == "already-logged-in"
    assert login(program(world, "laptop")) == "account"
    assert phone.open
    assert person.open
    nobody_is_left(world)


@pytest.mark.parametrize(("devices", "most"), [(1, 1), (2, 2), (0, 12)])
@pytest.mark.usefixtures("alice")
def test_the_operator_may_choose_the_number_while_the_server_runs(world: World, devices: int, most: int) -> None:
    world.rules.devices = devices
    assert [login(program(world, f"device-{number}")) for number in range(12)].count("account") == most


@pytest.mark.usefixtures("alice")
def test_tabs_of_a_device_are_one_device(world: World) -> None:
    world.rules.devices = 1
    one, two = on(world, "laptop", "1"), on(world, "laptop", "2")
    assert one.open
    assert two.open
    assert login(program(world, "phone")) == "too-many-devices"


@pytest.mark.usefixtures("alice")
def test_a_device_has_so_many_tabs(world: World) -> None:
    tabs = [on(world, "laptop", str(number)) for number in range(TABS)]
    late = program(world, "laptop", "late")
    assert login(late) == "too-many-tabs"
    assert on(world, "laptop", "3").open, "it takes the place of a tab"
    assert not tabs[3].open
    assert answer(late, do="takeover")["event"] == "account"
    assert [tab.open for tab in tabs] == [False, True, True, False, *[True] * (TABS - 4)]
    nobody_is_left(world)


# ---- the same program again ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("tab", ["", "1"])
@pytest.mark.usefixtures("alice")
def test_the_same_device_and_tab_ends_the_earlier_session_for_good(world: World, tab: str) -> None:
    bob = world.person("bob")
    other, old = on(world, "phone", tab), on(world, "laptop", tab)
    bob.take()
    new = on(world, "laptop", tab)
    assert [record["code"] for record in old.records()] == ["session-taken-over"]
    assert not old.open
    assert new.open
    assert other.open
    assert bob.lines() == [], "alice was here all the time"
    old.drop()
    assert login(old_again := program(world, "laptop", "9")) == "account"
    assert new.open
    assert old_again.open
    all_is_one(world)
    nobody_is_left(world)


@pytest.mark.usefixtures("alice")
def test_a_login_that_is_refused_ends_no_session(world: World) -> None:
    old = on(world, "laptop", "1")
    new = program(world, "laptop", "1")
    assert answer(new, do="login", user="alice", password="wrong")["code"] == "wrong-password"
    world.person("owner", "lobby").say("/ban alice")
    answer(new, do="join", room="lobby")
    assert login(new) == "banned"
    assert old.open


@pytest.mark.usefixtures("alice")
def test_a_device_without_a_login_ends_nobody(world: World) -> None:
    old = on(world, "laptop", "1")
    guests = [program(world, "laptop", "1") for _ in range(3)]
    answer(guests[0], do="register", user="bob", password="secret")
    assert all(client.open for client in (old, *guests))


@pytest.mark.usefixtures("alice")
def test_a_program_that_resumes_and_logs_in_again_ends_only_its_own_old_session(world: World) -> None:
    """The old connection, cut without the server's noticing, must not throw out the new one when it ends at last."""
    other = on(world, "phone", "1")
    old = world.connect()
    secret = "a secret of my own"
    for client in (old, new := world.connect()):
        answer(client, do="hello", version=1, device="laptop", tab="1", resume=secret)
        assert login(client) == "account"
    assert not old.open
    old.drop()
    assert new.open
    assert other.open
    assert len(world.chat.users) == 1
    all_is_one(world)
    nobody_is_left(world)


# ---- takeover ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("alice")
def test_a_takeover_without_a_device_ends_the_session_without_one(world: World) -> None:
    phone, old = on(world, "phone"), on(world)
    new = program(world)
    assert login(new) == "already-logged-in"
    assert answer(new, do="takeover")["event"] == "account"
    assert (phone.open, old.open, new.open) == (True, False, True)
    all_is_one(world)


@pytest.mark.usefixtures("alice")
def test_a_takeover_by_a_device_ends_all_of_the_device_that_logged_in_longest_ago(world: World) -> None:
    world.rules.devices = 2
    plain, one, two, three = on(world), on(world, "a", "1"), on(world, "b"), on(world, "a", "2")
    new = program(world, "c")
    assert login(new) == "too-many-devices"
    assert answer(new, do="takeover")["event"] == "account"
    assert [client.open for client in (plain, one, two, three, new)] == [True, True, False, True, True]
    newer = program(world, "b")
    assert login(newer) == "too-many-devices"
    assert answer(newer, do="takeover")["event"] == "account"
    assert [client.open for client in (plain, one, three, new, newer)] == [True, False, False, True, True]
    all_is_one(world)


@pytest.mark.usefixtures("alice")
def test_a_takeover_ends_nobody_when_there_is_room_by_then(world: World) -> None:
    world.rules.devices = 1
    old = on(world, "a")
    new = program(world, "b")
    assert login(new) == "too-many-devices"
    world.rules.devices = 2
    assert answer(new, do="takeover")["event"] == "account"
    assert old.open


# ---- the end of a device -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "end",
    [
        {"do": "end-session", "number": 2},
        {"do": "password", "old": "secret", "new": "better-secret"},
        {"do": "delete-account", "password": "secret"},
    ],
    ids=lambda end: str(end["do"]),
)
@pytest.mark.usefixtures("alice")
def test_a_device_that_is_ended_hears_nothing_more(world: World, end: dict[str, Any]) -> None:
    """Not even what is written in the same packet."""
    here, there = on(world, "laptop"), on(world, "phone")
    message = {"do": "message", "user": "alice", "text": "a secret"}
    here.send("".join(f"{json.dumps(record)}\n" for record in (end, message)).encode())
    there.record(do="ack", seq=9)
    assert "a secret" not in str(there.records())
    assert not there.open or end["do"] == "delete-account"
    nobody_is_left(world)


# ---- the list ------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("alice")
def test_the_list_has_a_line_for_each_device(world: World) -> None:
    world.pass_time(60)
    person = world.person()
    person.say("/login alice secret")
    one, two = on(world, "laptop", "1"), on(world, "laptop", "2")
    phone = program(world, "phone")
    answer(phone, do="login", user="alice", password="secret", remember=True, client="chatroom on a phone")
    person.take()
    person.say("/sessions")
    assert [line.partition("  since")[0].split("  ", 2)[-1] for line in person.lines()[1:]] == [
        "chatroom on a phone (device phone)",
        "text from 127.0.0.1",
        "records from 127.0.0.1 (device laptop, 2 connections)",
    ]
    person.say("/sessions end 3")
    assert person.lines() == ["Session 3 has been ended."]
    assert (one.open, two.open, phone.open, person.open) == (False, False, True, True)
    phone.drop()
    person.say("/sessions")
    assert "chatroom on a phone  since" in person.lines()[1]
