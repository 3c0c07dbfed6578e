"""Attacks on names, accounts and mail: each once worked."""

from __future__ import annotations

from typing import Any

import pytest
from attackers import SlowPasswords, StepEngine, account, left_with_mail, operate
from fakes import MoodyEngine
from harness import World, result
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from chatroom.chat.limits import FAILURES_OUT
from chatroom.chat.operators.service import Operations
from chatroom.model.log import Unavailable
from chatroom.model.names import user_name


@pytest.fixture
def moody_full():
    clock = Clock()
    world = World(MoodyEngine(clock), clock, most_users=2)
    yield world
    world.engine.let_go()
    world.close()


@pytest.fixture
def passwords():
    return SlowPasswords()


@pytest.fixture
def slow(passwords):
    world = World(passwords=passwords)
    yield world
    world.close()


def test_who_asks_for_an_accounts_name_does_not_get_its_mail(moody):
    account(moody, "bob").drop()
    mallory, alice = moody.person("mallory"), moody.person("alice")
    moody.engine.slow = True
    mallory.say("/name bob")  # whether the name is an account's is being looked up
    alice.say("/msg bob the key is under the mat")
    moody.engine.let_go()
    assert mallory.lines() == ["Error: username is already used; choose another with /name <name>."]
    assert alice.lines() == ["bob is offline; the message will be delivered when bob returns."]


def test_who_asks_for_an_accounts_name_does_not_keep_its_owner_out(moody):
    account(moody, "bob").drop()
    mallory, bob = moody.person("mallory"), moody.person()
    bob.say("/login bob wrong")
    bob.lines()
    chat, authenticate = moody.chat, moody.chat.authenticator.authenticate

    async def late(*args):
        found = await authenticate(*args)
        moody.engine.slow = True
        mallory.say("/name bob")
        return found

    chat.authenticator.authenticate = late
    bob.say("/login bob secret")
    moody.engine.let_go()
    assert bob.lines()[0] == "You are logged in as bob."
    assert chat.names.get("bob") is chat.users[next(id for id, u in chat.users.items() if u.account)]
    assert mallory.lines()[-1] == "Error: username is already used; choose another with /name <name>."


@pytest.mark.parametrize("name", ["bob", "b0b"])
def test_who_is_about_to_have_a_name_that_is_registered_does_not_get_it(moody, name):
    alice = moody.person("alice", "lobby")
    mallory = moody.person("mallory", "lobby")
    alice.lines()
    moody.engine.holding = True
    mallory.say(f"/name {name}")
    held, moody.engine._held = moody.engine._held, []
    moody.engine.holding = False
    account(moody, "bob")
    for act in held:
        act()
    moody.settle()
    assert mallory.lines()[-1] == "Error: username is already used; choose another with /name <name>."
    mallory.say("who am I")
    assert mallory.lines() == ["mallory: who am I"]
    assert alice.lines()[-2:] == [f"{name} is now known as mallory.", "mallory: who am I"]
    assert moody.chat.names.get("mallory") is not None


def test_who_loses_a_name_while_taking_another_is_called_the_same_everywhere(moody):
    mallory = moody.person("bob", "lobby")
    moody.engine.mute = True  # the room knows, but who asked does not yet
    mallory.say("/name carl")
    held, moody.engine._held = moody.engine._held, []
    moody.engine.mute = False
    account(moody, "bob")
    for act in held:
        act()
    moody.settle()
    mallory.lines()
    mallory.say("/account")
    name = mallory.lines()[0].removeprefix("You are ").removesuffix(", a guest.")
    looker = moody.person("looker")
    looker.say("/join lobby")
    assert f"Current users: {name}, looker" in looker.lines()


def test_a_login_under_way_does_not_get_the_account_that_has_the_name_by_then(slow, passwords):
    account(slow, "bob").drop()
    mallory = slow.person("mallory")
    passwords.waiting = []
    mallory.say("/login bob secret")
    operate(slow, "remove_account", "bob")
    looking, passwords.waiting = passwords.waiting, None
    operate(slow, "add_account", "bob", "other")
    looking[0]()
    assert mallory.lines() == ["Error: wrong username or password."]


def test_a_login_under_way_does_not_bring_a_deleted_account_back(slow, passwords):
    account(slow, "bob").drop()
    mallory = slow.person("mallory")
    passwords.waiting = []
    mallory.say("/login bob secret")
    operate(slow, "remove_account", "bob")
    passwords.next()
    assert mallory.lines() == ["Error: wrong username or password."]
    assert operate(slow, "accounts") == []


def test_nobody_logs_in_to_an_account_that_is_deleted_while_its_hash_is_made_anew(slow, passwords):
    account(slow, "bob").drop()
    mallory = slow.person("mallory")
    passwords.waiting, passwords.stale = [], True
    mallory.say("/login bob secret")
    passwords.next()
    operate(slow, "remove_account", "bob")
    passwords.next()
    assert mallory.lines() == ["Error: wrong username or password."]


def test_who_knew_the_old_password_does_not_undo_the_new_one(slow, passwords):
    mallory = account(slow, "bob")
    passwords.waiting = []
    mallory.say("/password secret all-mine")
    passwords.next()
    making, passwords.waiting = passwords.waiting, None
    operate(slow, "set_password", "bob", "a-new-one")
    making[0]()
    assert mallory.lines() == ["Error: the password of bob was changed; log in again with the new one."]
    assert not mallory.open
    bob = slow.person()
    bob.say("/login bob a-new-one")
    assert bob.lines()[0] == "You are logged in as bob."


def test_who_is_deleted_while_there_is_no_seat_for_a_guest_is_out(moody_full):
    moody = moody_full
    assert "made" in operate(moody, "add_account", "bob", "secret")
    bob = moody.person()
    bob.say("/login bob secret")
    assert "You are logged in as bob." in bob.lines()
    moody.engine.holding = True
    operator = moody.chat
    Deferred.fromCoroutine(Operations(operator, "console").remove_account("bob"))
    moody.settle()
    moody.person("first")
    moody.person("second")  # on the seat that is bob's no more
    moody.engine.let_go()
    moody.settle()
    assert bob.lines()[-1] == "Error: the chat is full (max users 2)."
    assert not bob.open
    assert not [user for user in moody.chat.users.values() if not user.sessions]


def test_another_spelling_of_the_name_is_no_other_account(world):
    account(world, "bob").drop()
    mallory = world.person("mallory")
    for name in ("bob", "BOB", "\uff42ob"):  # the last with a full-width letter
        mallory.say(f"/login {name} guess")
    mallory.lines()
    mallory.say("/login b\uff4fb secret")
    assert mallory.lines()[0].startswith("Error: too many failed logins")


def test_many_guesses_at_once_are_no_way_round(slow, passwords):
    first = slow.person("first")
    first.say("/login victim guess")
    passwords.waiting = []
    guessing = [slow.person(f"mallory{number}") for number in range(FAILURES_OUT + 1)]
    for number, mallory in enumerate(guessing):
        mallory.say(f"/login victim{number} guess")
    assert len(passwords.waiting) == FAILURES_OUT - 1
    assert guessing[-1].lines() == ["Error: too many people are logging in at this moment; try again in a few seconds."]
    for look in passwords.waiting:
        look()


def test_a_class_that_logs_in_at_once_has_not_failed(slow, passwords):
    passwords.waiting = []
    for number in range(FAILURES_OUT + 10):
        slow.person().say(f"/login pupil{number} secret")
    assert len(passwords.waiting) == FAILURES_OUT + 10
    for look in passwords.waiting:
        look()


def test_what_is_held_against_an_account_is_held_against_its_connection_after_logging_out(world):
    alice, bob = world.person("alice", "lobby"), world.person()
    bob.say("/register bob secret", "/join lobby")
    alice.say("/mute bob")
    bob.say("/logout", "hello")
    assert bob.lines()[-1] == "Error: you are muted in lobby."
    alice.say("/unmute bob", "/ban bob")
    bob.say("/join lobby")
    assert bob.lines()[-1] == "Error: you are banned from lobby."


def test_who_is_muted_does_not_speak_by_names(world):
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.say("/mute bob")
    bob.say("/name vote-for-bob")
    assert bob.lines()[-1] == "Error: you are muted in lobby."


def test_a_program_gets_back_the_seat_that_its_ghost_has():
    world = World(most_users=1)
    ghost = world.connect()
    ghost.record(do="hello", version=1, name="bot")
    secret = ghost.records()[0]["resume"]
    again = world.connect()
    again.record(do="hello", version=1, name="bot", resume=secret)
    full, welcome = again.records()
    assert (full["code"], welcome["event"], welcome["you"]) == ("chat-full", "welcome", "bot")
    world.pass_time(60)
    assert again.open
    assert not ghost.open
    world.close()


def test_changing_a_password_again_and_again_is_no_way_to_burn_the_processor(world):
    alice = world.person()
    alice.say("/register alice secret")
    for _ in range(4):
        alice.say("/password secret secret")
    assert alice.lines()[-1] == "Error: too many new passwords; try again in 10 minutes."


def test_two_that_look_alike_are_not_both_registered():
    clock = Clock()
    world = World(StepEngine(clock), clock)
    chat, engine = world.chat, world.engine
    for pattern in range(64):  # who of the two goes on at each step
        engine.stepping = True
        made: list[Any] = []
        for name in ("bob", "b0b"):
            Deferred.fromCoroutine(chat.accounts.add(user_name(name), "")).addBoth(made.append)
        step = 0
        while engine.steps:
            engine.steps.pop(0 if len(engine.steps) == 1 or pattern >> step % 6 & 1 else 1)()
            step += 1
        engine.stepping = False
        accounts = result(chat.accounts.all())
        assert len(accounts) < 2, f"{pattern:b}"
        for each in accounts:
            result(chat.accounts.remove(each))
    world.close()


WAITED = "1 message while you were away:"


def test_mail_that_cannot_be_read_now_is_not_lost(moody):
    left_with_mail(moody)
    bob = moody.person()
    read = moody.engine.read

    def fail_once(*args, **options):
        moody.engine.read = read
        return fail(Unavailable("it is broken"))

    moody.engine.read = fail_once
    bob.say("/name bob")
    assert bob.lines() == ["You are now bob."]
    bob.drop()
    bob = moody.person()
    bob.say("/name bob")
    assert WAITED in bob.lines()


def test_mail_for_who_goes_before_it_is_read_is_not_lost(moody):
    left_with_mail(moody)
    bob = moody.person()
    read = moody.engine.read

    def slow_once(*args, **options):
        moody.engine.read, moody.engine.slow = read, True
        return read(*args, **options)

    moody.engine.read = slow_once
    bob.say("/name bob")
    bob.drop()
    moody.engine.let_go()
    moody.settle()
    bob = moody.person()
    bob.say("/name bob")
    assert WAITED in bob.lines()


@pytest.mark.parametrize("slow", ["looking", "storing"])
def test_mail_that_is_on_its_way_when_the_name_is_taken_is_not_lost(moody, slow):
    alice = left_with_mail(moody)
    bob = moody.person()
    moody.engine.slow, moody.engine.holding = slow == "looking", slow == "storing"
    alice.say("/msg bob there")
    held, moody.engine._held = moody.engine._held, []
    moody.engine.slow = False
    bob.say("/name bob")
    for act in [*held, moody.engine.let_go]:
        act()
    moody.settle()
    assert any(line.endswith("alice (private): there") for line in bob.lines())
