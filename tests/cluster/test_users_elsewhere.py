"""Users who are on two daemons, or go from one to another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cluster.nodes import Nodes
from harness import Client
from twisted.internet.defer import Deferred

from chatroom.chat.operators.service import Operations


@pytest.fixture(params=range(5), ids="seed-{}".format)
def two(request: pytest.FixtureRequest) -> Iterator[Nodes]:
    """Two daemons."""
    nodes = Nodes(request.param)
    yield nodes
    nodes.close()


def hello(nodes: Nodes, node: int, **fields: Any) -> tuple[Client, dict[str, Any]]:
    """Return a program on a daemon, and what it was welcomed with."""
    client = nodes.worlds[node].connect()
    heard = nodes.ask(client, do="hello", version=1, **fields)
    return client, next(each for each in heard if each["event"] == "welcome")


def logged_in(nodes: Nodes, node: int, do: str = "login") -> Client:
    """Return a program that is logged in as alice."""
    client, _ = hello(nodes, node, device=f"device{node}")
    heard = nodes.ask(client, do=do, user="alice", password="secret-1")
    assert "account" in [each["event"] for each in heard], heard
    return client


def test_a_guest_who_comes_back_elsewhere_ends_the_old_connection(two: Nodes) -> None:
    old, welcome = hello(two, 0, name="gus")
    two.ask(old, do="join", room="lobby")
    watcher = two.program(1, "wanda", "lobby")
    new, again = hello(two, 1, name="gus", resume=welcome["resume"])
    assert (again["you"], again["you_id"]) == ("gus", welcome["you_id"])
    assert not old.open
    assert [each["event"] for each in watcher.records()] == ["disconnected"]
    two.ask(new, do="join", room="lobby")
    assert [(each["event"], each["by"]) for each in watcher.records()] == [("joined", "gus")]


def test_nobody_else_ends_a_guests_connection(two: Nodes) -> None:
    old, welcome = hello(two, 0, name="gus")
    hello(two, 1, resume=f"{welcome['you_id']}.{'0' * 64}")
    hello(two, 1, resume="a secret of somebody else")
    assert old.open


def test_an_operator_who_is_made_on_one_daemon_is_one_on_the_other(two: Nodes) -> None:
    logged_in(two, 0, "register")
    there = logged_in(two, 1)
    done = Deferred.fromCoroutine(Operations(two.worlds[0].chat, "root").set_operator("alice", True))
    two.settle()
    assert done.called
    (user,) = [user for user in two.worlds[1].chat.users.values() if user.account is not None]
    assert user.operator
    assert not [each for each in two.ask(there, do="kick", user="nobody", everywhere=True) if "operator" in str(each)]


def test_settings_are_shared(two: Nodes) -> None:
    first, second = logged_in(two, 0, "register"), logged_in(two, 1)
    two.ask(first, do="away", text="lunch")
    two.ask(first, do="echo", on=False)
    (told,) = [each for each in two.ask(second, do="set") if each["event"] == "settings"]
    assert (told.get("away"), told.get("echo", False)) == ("lunch", False)


def test_a_new_password_ends_the_sessions_elsewhere(two: Nodes) -> None:
    first, second = logged_in(two, 0, "register"), logged_in(two, 1)
    two.ask(first, do="password", old="secret-1", new="secret-2")
    assert (first.open, second.open) == (True, False)


def test_a_deleted_account_is_gone_elsewhere(two: Nodes) -> None:
    first, second = logged_in(two, 0, "register"), logged_in(two, 1)
    two.ask(first, do="delete-account", password="secret-1")
    told = [each for each in second.records() if each["event"] == "account"]
    assert told[-1]["guest"] is True


def codes(heard: list[dict[str, Any]]) -> list[str]:
    """Return the codes of the errors in what a client has heard."""
    return [each["code"] for each in heard if each["event"] == "error"]


def test_the_limit_on_sessions_holds_for_all_daemons_together(two: Nodes) -> None:
    for world in two.worlds:
        world.rules.sessions = 1
    first, _ = hello(two, 0)
    two.ask(first, do="register", user="alice", password="secret-1")
    second, _ = hello(two, 1)
    assert codes(two.ask(second, do="login", user="alice", password="secret-1")) == ["already-logged-in"]
    assert [each["event"] for each in two.ask(second, do="takeover") if each["event"] == "account"] == ["account"]
    assert codes(first.records()) == ["session-taken-over"]
    assert not first.open
    second.drop()
    two.settle()
    third, _ = hello(two, 0)
    assert codes(two.ask(third, do="login", user="alice", password="secret-1")) == []


def test_of_many_logins_at_once_as_many_succeed_as_may(two: Nodes) -> None:
    for world in two.worlds:
        world.rules.sessions = 2
    account, _ = hello(two, 0)
    two.ask(account, do="register", user="alice", password="secret-1")
    account.drop()
    two.settle()
    clients = [hello(two, number % 2)[0] for number in range(8)]
    for client in clients:
        client.record(do="login", user="alice", password="secret-1")
    two.settle(4)
    told = [codes(client.records()) for client in clients]
    assert sorted(told) == [[]] * 2 + [["already-logged-in"]] * 6


def test_a_program_that_comes_back_elsewhere_takes_the_place_of_its_old_session(two: Nodes) -> None:
    first, _ = hello(two, 0, device="laptop")
    two.ask(first, do="register", user="alice", password="secret-1")
    second, _ = hello(two, 1, device="laptop")
    assert codes(two.ask(second, do="login", user="alice", password="secret-1")) == []
    assert codes(first.records()) == ["session-taken-over"]
    assert (first.open, second.open) == (False, True)


def test_an_account_comes_and_goes_once(two: Nodes) -> None:
    watcher = two.program(1, "wanda")
    first, second = logged_in(two, 0, "register"), logged_in(two, 1)
    assert [each["event"] for each in watcher.records()] == ["arrived"]
    first.drop()
    two.settle()
    assert watcher.records() == []
    second.drop()
    two.settle()
    assert [each["event"] for each in watcher.records()] == ["departed"]


def test_the_sessions_of_a_daemon_that_died_do_not_count(two: Nodes) -> None:
    for world in two.worlds:
        world.rules.sessions = 1
    first, _ = hello(two, 0)
    two.ask(first, do="register", user="alice", password="secret-1")
    two.kill(0)
    second, _ = hello(two, 1)
    assert codes(two.ask(second, do="login", user="alice", password="secret-1")) == []


def test_the_end_of_a_daemon_is_the_end_of_its_accounts_and_told_once(two: Nodes) -> None:
    watchers = [two.program(1, "wanda")]
    two.start()
    watchers.append(two.program(2, "wendy"))
    logged_in(two, 0, "register")
    both, _ = hello(two, 0, device="here")
    two.ask(both, do="register", user="bob", password="secret-1")
    there, _ = hello(two, 1, device="there")
    two.ask(there, do="login", user="bob", password="secret-1")
    for watcher in watchers:
        watcher.records()
    two.kill(0)
    for watcher in watchers:
        assert [(each["event"], each["by"]) for each in watcher.records()] == [("departed", "alice")]


def test_a_session_that_was_taken_over_is_not_told_as_the_end_of_the_account(two: Nodes) -> None:
    for world in two.worlds:
        world.rules.sessions = 1
    watcher = two.program(1, "wanda")
    first, _ = hello(two, 0)
    two.ask(first, do="register", user="alice", password="secret-1")
    second, _ = hello(two, 1)
    two.ask(second, do="login", user="alice", password="secret-1")
    two.ask(second, do="takeover")
    assert not first.open
    assert [each["event"] for each in watcher.records()] == ["arrived"]
