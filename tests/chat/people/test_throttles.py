"""How often one may fail to log in, and register: by address and account, by address; and what does not count."""

from __future__ import annotations

import pytest
from harness import Client, World
from stepping import HeldPasswords
from twisted.internet.task import Clock

from chatroom.chat.limits import FAILURES_SPREAD, Rules
from chatroom.chat.people import throttles
from chatroom.chat.people.throttles import Window

WRONG = "Error: wrong username or password."
HERE, THERE, LOCAL = "192.0.2.1", "192.0.2.2", "127.0.0.1"


def come(world: World, host: str = HERE) -> Client:
    """Return a person from there, who has been greeted."""
    client = world.connect(host)
    world.pass_time(0.3)
    client.take()
    return client


def account(world: World, name: str) -> None:
    """Make an account whose password is ``secret``."""
    maker = world.connect(f"198.51.100.{len(world.clients)}")
    world.pass_time(0.3)
    maker.say(f"/register {name} secret")
    maker.drop()


def said(client: Client, line: str) -> str:
    """Return the first line of the answer."""
    client.take()
    client.say(line)
    return client.lines()[0]


def test_three_failures_a_minute_for_each_address_and_account(world: World) -> None:
    account(world, "alice")
    account(world, "bob")
    mallory = come(world)
    assert [said(mallory, "/login alice wrong") for _ in range(3)] == [WRONG] * 3
    assert said(mallory, "/login alice secret") == "Error: too many failed logins; try again in 1 minute."
    assert said(mallory, "/login bob wrong") == WRONG, "another account"
    assert said(come(world, THERE), "/login alice wrong") == WRONG, "another address"
    again = come(world)
    assert said(again, "/login alice secret").startswith("Error: too many"), "another connection is no way round"
    world.pass_time(60)
    assert said(again, "/login alice secret") == "You are logged in as alice."


@pytest.mark.parametrize("spelling", ["ALICE", "\uff41lice", "\uff21\uff2c\uff29\uff23\uff25"])
def test_another_spelling_of_the_name_is_the_same_account(world: World, spelling: str) -> None:
    account(world, "alice")
    mallory = come(world)
    for _ in range(3):
        said(mallory, "/login alice wrong")
    assert said(mallory, f"/login {spelling} wrong").startswith("Error: too many failed logins")


def test_right_passwords_do_not_count(world: World) -> None:
    account(world, "alice")
    alice = come(world)
    for _ in range(5):
        assert said(alice, "/login alice secret") == "You are logged in as alice."
        said(alice, "/logout")


def test_who_does_not_know_the_password_of_the_account_is_slowed_when_changing_or_deleting_it(world: World) -> None:
    account(world, "alice")
    alice = come(world)
    said(alice, "/login alice secret")
    assert said(alice, "/password wrong better") == WRONG
    assert said(alice, "/account delete wrong") == WRONG
    assert said(alice, "/password wrong better") == WRONG
    assert said(alice, "/account delete secret").startswith("Error: too many failed logins")


def fail_often(world: World, client: Client, name: str, times: int) -> None:
    """Fail to log in so often to one account, as fast as that is allowed."""
    for i in range(times):
        if i and i % 3 == 0:
            world.pass_time(60)
        assert said(client, f"/login {name} wrong") == WRONG


def test_twenty_failures_for_an_address_and_account_and_that_pair_is_out_for_an_hour(world: World) -> None:
    account(world, "alice")
    mallory = come(world)
    fail_often(world, mallory, "alice", 20)
    world.pass_time(60)
    assert said(mallory, "/login alice secret") == "Error: too many failed logins; try again in 53 minutes."
    assert said(come(world, THERE), "/login alice secret") == "You are logged in as alice."
    world.pass_time(3600)
    assert said(mallory, "/login alice wrong") == WRONG


def test_other_accounts_from_that_address_are_not_locked_out(world: World) -> None:
    account(world, "alice")
    account(world, "bob")
    mallory = come(world)
    fail_often(world, mallory, "alice", 20)
    for i in range(40):
        assert said(mallory, f"/login somebody{i} wrong") == WRONG
    assert said(come(world), "/login bob secret") == "You are logged in as bob."
    assert said(come(world), "/login alice secret").startswith("Error: too many failed logins")


def test_a_valid_token_is_never_locked_out(world: World) -> None:
    account(world, "alice")
    bot = world.connect(HERE)
    bot.record(do="hello", version=1)
    bot.record(do="login", user="alice", password="secret", remember=True)
    token = bot.records()[-1]["token"]
    bot.drop()
    mallory = come(world)
    fail_often(world, mallory, "alice", 20)
    for guess in ("x" * 32, "y" * 32, "z" * 32, "w" * 32):
        evil = world.connect(HERE)
        evil.record(do="login", user="alice", token=guess)
    assert evil.records()[-1]["code"] == "too-many-failures"
    again = world.connect(HERE)
    again.record(do="login", user="alice", token=token)
    assert again.records()[-1]["name"] == "alice"


def test_tokens_that_are_worth_nothing_any_more_do_not_lock_out_the_password(world: World) -> None:
    """A client tries its token first, on each connection."""
    account(world, "alice")
    for _ in range(5):
        bot = world.connect(HERE)
        bot.record(do="login", user="alice", token="old" * 10)
        bot.record(do="login", user="alice", password="secret")
        assert bot.records()[-1]["name"] == "alice"
        bot.drop()


def test_who_tries_names_by_the_hundred_is_out_but_not_those_who_are_known_there(world: World) -> None:
    account(world, "alice")
    account(world, "bob")
    alice = come(world)
    assert said(alice, "/login alice secret") == "You are logged in as alice."
    said(alice, "/logout")
    mallory = come(world)
    for i in range(FAILURES_SPREAD):
        assert said(mallory, f"/login somebody{i} wrong") == WRONG
    assert said(mallory, "/login bob secret") == "Error: too many failed logins; try again in 1 hour."
    assert said(alice, "/login alice secret") == "You are logged in as alice.", "it has logged in from there"
    assert said(come(world, THERE), "/login bob secret") == "You are logged in as bob."


def test_on_this_machine_failures_are_counted_by_connection(world: World) -> None:
    """A proxy may be there, and everybody come through it."""
    account(world, "alice")
    mallory, alice = come(world, LOCAL), come(world, LOCAL)
    for _ in range(3):
        assert said(mallory, "/login alice wrong") == WRONG
    assert said(mallory, "/login alice secret") == "Error: too many failed logins; try again in 1 minute."
    assert said(alice, "/login alice secret") == "You are logged in as alice."


def test_on_this_machine_new_connections_are_no_way_round_for_long(world: World) -> None:
    account(world, "alice")
    account(world, "bob")
    for _ in range(20):
        assert said(come(world, LOCAL), "/login alice wrong") == WRONG
    assert said(come(world, LOCAL), "/login alice secret").startswith("Error: too many failed logins")
    for i in range(FAILURES_SPREAD + 1):
        assert said(come(world, LOCAL), f"/login somebody{i} wrong") == WRONG
    assert said(come(world, LOCAL), "/login bob secret") == "You are logged in as bob."
    world.pass_time(600)
    assert said(come(world, LOCAL), "/login alice secret") == "You are logged in as alice."


def test_an_ipv6_network_is_one_address(world: World) -> None:
    for i in range(3):
        assert said(come(world, f"2001:db8:0:1::{i + 1}"), "/login alice wrong") == WRONG
    assert said(come(world, "2001:db8:0:1:ffff::1"), "/login alice wrong").startswith("Error: too many")
    assert said(come(world, "2001:db8:0:2::1"), "/login alice wrong") == WRONG


def test_many_at_once_are_no_way_round() -> None:
    """They count before it is known that they fail; a right one is forgiven."""
    passwords = HeldPasswords()
    world = World(passwords=passwords)
    account(world, "alice")
    people = [come(world) for _ in range(5)]
    passwords.holding = True
    for person in people:
        person.say("/login alice wrong")
    assert len(passwords.waiting) == 3
    passwords.let_go()
    world.settle()
    assert [person.lines() == [WRONG] for person in people] == [True] * 3 + [False] * 2
    world.close()


def test_sixty_registrations_an_hour_from_an_address(world: World) -> None:
    for i in range(60):
        person = come(world)
        assert said(person, f"/register somebody{i} secret") == f"You are logged in as somebody{i}."
        person.drop()
    late = come(world)
    told = said(late, "/register late secret")
    assert told.startswith("Error: too many accounts from your address; try again in "), told
    assert said(come(world, THERE), "/register late secret") == "You are logged in as late."
    world.pass_time(3600)
    assert said(late, "/register later secret") == "You are logged in as later."


def test_registrations_that_did_not_happen_do_not_count(world: World) -> None:
    account(world, "alice")
    person = come(world)
    for name in ("alice", "a,b", "server", "alice", "alice"):
        assert said(person, f"/register {name} secret").startswith("Error: ")
    assert said(person, "/register bob secret") == "You are logged in as bob."


def test_the_rules_can_turn_it_off() -> None:
    world = World(throttle=False)
    mallory = come(world)
    assert {said(mallory, "/login alice wrong") for _ in range(30)} == {WRONG}
    for i in range(5):
        assert "logged in" in said(mallory, f"/register somebody{i} secret")
        said(mallory, "/logout")
    world.close()


def test_a_window_counts_what_happened_lately() -> None:
    clock = Clock()
    window = Window(2, 10, clock.seconds)
    window.count(("a",))
    clock.advance(4)
    assert window.wait(("a",)) == 0
    window.count(("a",))
    assert window.wait(("a",)) == 6
    assert window.wait(("b",)) == 0
    clock.advance(6)
    assert window.wait(("a",)) == 0
    window.count(("a",))
    window.forgive(("a",))
    window.forgive(("nobody",))
    assert window.wait(("a",)) == 0


def test_a_window_forgets_whom_it_has_not_heard_of_for_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttles, "MOST_KEYS", 3)
    window = Window(1, 10, Clock().seconds)
    for key in "abcad":
        window.count((key,))
    assert [bool(window.wait((key,))) for key in "abcd"] == [True, False, True, True]
    assert Rules().throttle, "by default it counts"
