"""Attacks on rooms and on those who keep order, and on what a server can bear: each once worked."""

from __future__ import annotations

from typing import Any

import pytest
from attackers import StepEngine, account, at, operate
from fakes import person_on_a_socket
from harness import World
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from chatroom.chat.limits import ANNOUNCEMENTS, ANNOUNCEMENTS_WINDOW, INBOX_MESSAGES, LISTED, SHARE_OF_SENDER
from chatroom.chat.operators.service import Operations


def test_a_lock_holds_for_whoever_comes_from_another_room(world):
    alice = world.person("alice", "den")
    alice.say("/lock")
    mallory = world.person("mallory", "hall")
    mallory.say("/join den")
    assert mallory.lines() == ["Error: den is locked; ask a moderator to invite you."]


def test_a_ban_holds_for_whoever_is_just_leaving_another_room(moody):
    alice = moody.person("alice", "den")
    mallory = moody.person("mallory", "hall")
    moody.engine.holding = True
    mallory.say("/join den")  # its leaving waits to be stored
    held, moody.engine._held = moody.engine._held, []
    moody.engine.holding = False
    alice.say("/ban mallory")
    for act in held:
        act()
    moody.settle()
    assert mallory.lines()[-1] == "Error: you are banned from den."
    alice.lines()
    alice.say("/who")
    assert "  mallory" in alice.lines()


def test_a_moderator_cannot_put_out_the_owner_by_the_address(world):
    owner = at(world, "10.0.0.1", "olive", "den")
    mallory = at(world, "10.0.0.2", "mallory", "den")
    owner.say("/op mallory")
    owner.lines()
    mallory.say("/ban 10.0.0.1")
    assert not [line for line in owner.lines() if "kicked" in line]
    owner.say("still here")
    assert owner.lines() == ["olive: still here"]


def test_who_goes_before_being_welcomed_is_not_remembered(moody):
    mallory = moody.connect()
    moody.engine.slow = True
    mallory.record(do="hello", version=1, name="mallory")
    mallory.drop()
    moody.engine.let_go()
    moody.settle()
    assert not moody.chat.returning.awaited


@pytest.mark.parametrize("what", ["10.0.0.0/8", "10.0.0.7/8", "2001:db8::/32"])
def test_a_ban_of_a_network_that_would_be_one_of_an_address_is_refused(world, what):
    failure = operate(world, "ban", what)
    assert "is not one address" in failure.value.text
    assert not world.chat.bans.all


def test_a_network_that_counts_as_an_address_can_be_banned(world):
    assert operate(world, "ban", "2001:db8::/64") == "2001:db8::/64 is banned from this server."


def test_what_waits_for_somebody_who_does_not_read_is_bounded(world):
    """A guest is given mail, does not read, and is told more and more."""
    world.person("zed").drop()
    mallory = world.person("mallory")
    for _ in range(60):  # more than one page
        mallory.say("/msg zed " + "x" * 4000)
    reader = person_on_a_socket(world, "reader")
    reader.socket.room = 1000
    reader.say("/name zed")
    assert reader.transport.connected
    for _ in range(INBOX_MESSAGES + 10):
        mallory.say("/msg zed more")
    assert not [user for user in world.chat.users.values() if user.name == "zed"]


def test_senders_are_refused_while_somebody_does_not_read(world):
    account(world, "bob").drop()
    mallory = world.person("mallory")
    for _ in range(60):  # more than one page
        mallory.say("/msg bob " + "x" * 4000)
    bob = person_on_a_socket(world, "reader")
    bob.socket.room = 1000
    bob.say("/login bob secret")
    for _ in range(INBOX_MESSAGES):
        mallory.say("/msg bob more")
    assert bob.transport.connected
    assert mallory.lines()[-1].startswith(f"Error: bob has not read the last {SHARE_OF_SENDER} messages")
    bob.drop()
    bob = world.person()
    bob.say("/login bob secret")
    assert bob.lines()[2] == f"{SHARE_OF_SENDER} messages while you were away:"


def test_invitations_do_not_wait_without_end(world):
    account(world, "bob").drop()
    mallory = world.person("mallory", "den")
    for _ in range(SHARE_OF_SENDER + 1):
        mallory.say("/invite bob")
    last = mallory.lines()[-1]
    assert last.startswith(f"Error: bob has not read the last {SHARE_OF_SENDER} messages from you or your address;")


def test_what_a_moderator_decided_happens_even_when_the_log_took_only_the_record(moody):
    alice = moody.person("alice", "den")
    mallory = moody.person("mallory", "den")
    append = moody.engine.append

    def fail_once(log, event, done=None, *, once=False, copy=""):
        moody.engine.append = append
        moody.engine.broken = True
        append(log, event, done, once=once, copy=copy)
        moody.engine.broken = False

    moody.engine.append = fail_once
    alice.say("/ban mallory")
    assert any(line.startswith("Error: not confirmed") for line in alice.lines())
    assert mallory.lines()[-1] == "mallory was banned by alice."
    assert not moody.chat.names.get("mallory").sessions[0].room


def test_who_comes_and_goes_all_the_time_is_soon_told_of_no_more(world):
    mallory, alice = account(world, "mallory"), world.person("alice")
    for _ in range(50):
        mallory.say("/logout", "/login mallory secret")
    assert len(alice.lines()) <= ANNOUNCEMENTS
    world.pass_time(ANNOUNCEMENTS_WINDOW)
    mallory.say("/logout")
    assert alice.lines() == ["mallory has left the chat."]


def test_who_is_ignored_cannot_go_on_by_invitations(world):
    bob, mallory = world.person("bob"), world.person("mallory", "den")
    bob.say("/ignore mallory")
    bob.lines()
    mallory.say("/invite bob")
    assert bob.lines() == []


def test_the_list_of_bans_is_never_more_than_somebody_can_be_told(world):
    alice = person_on_a_socket(world, "alice", "den")
    for number in range(LISTED + 50):
        alice.say(f"/ban nobody{number} " + "y" * 200)
    alice.lines()
    alice.say("/ban")
    lines = alice.lines()
    assert len(lines) == LISTED + 2
    assert lines[-1] == "  and 50 older ones"


def test_two_operators_ban_the_same_at_the_same_time():
    clock = Clock()
    world = World(StepEngine(clock), clock)
    world.engine.stepping = True
    answers: list[Any] = []
    for by in ("one", "other"):
        Deferred.fromCoroutine(Operations(world.chat, by).ban("10.0.0.1")).addBoth(answers.append)
    while world.engine.steps:
        world.engine.steps.pop(0)()
        world.settle()
    assert answers == ["10.0.0.1 is banned from this server."] * 2
    world.engine.stepping = False
    world.close()


def test_who_logs_out_just_then_is_kicked_all_the_same():
    clock = Clock()
    world = World(StepEngine(clock), clock)
    mallory = account(world, "mallory")
    alice = world.person("alice", "den")
    mallory.say("/join den")
    world.engine.stepping = True
    alice.say("/kick mallory")
    mallory.say("/logout")
    while world.engine.steps:
        world.engine.steps.pop(0)()
        world.settle()
    world.engine.stepping = False
    mallory.lines()
    mallory.say("/account")
    guest = mallory.lines()[0].removeprefix("You are ").removesuffix(", a guest.")
    alice.say("gone?")
    assert f"{guest} was kicked by alice." in alice.lines()
    assert mallory.lines() == []
    world.close()
