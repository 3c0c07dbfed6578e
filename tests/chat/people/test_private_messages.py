"""Private messages between people who come, go and change their names."""

from __future__ import annotations

import pytest
from harness import World


def test_a_private_message_to_oneself_arrives(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.say("/msg alice note to self")
    assert alice.lines() == ["alice (private): note to self", "To alice (private): note to self"]
    alice.say("/echo off", "/msg alice again")
    assert alice.lines()[1:] == ["alice (private): again", "To alice (private): again"]


@pytest.mark.parametrize("name", ["zed", "/me", "#x", "", "admin", "x" * 300, "alice2", "guest-none"])
def test_a_private_message_to_nobody_is_refused(world: World, name: str) -> None:
    bot = world.program("bot")
    bot.record(do="message", user=name, text="hello", ref=1)
    (error,) = bot.records()
    assert (error["event"], error["re"]) == ("error", 1)
    assert error["code"] == ("bad-record" if len(name) > 256 else "no-user")


def test_a_private_message_to_nobody_says_so_to_people(world: World) -> None:
    alice = world.person("alice")
    alice.say("/msg zed hello")
    assert alice.lines() == ["Error: no user named zed; see /who."]


def test_who_is_ignored_is_not_told_so(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    bob.say("/ignore alice")
    bob.lines()
    alice.say("/msg bob hello")
    assert alice.lines() == ["To bob (private): hello"]
    assert bob.lines() == []
    bob.say("/reply what?")
    assert bob.lines() == ["Error: nobody has written to you yet; use /msg <user> <text>."]


def test_a_private_message_is_seen_by_nobody_else(world: World) -> None:
    alice, bob, carol = (world.person(name, "lobby") for name in ("alice", "bob", "carol"))
    bot = world.program("bot", "lobby")
    for client in (alice, bob, carol):
        client.take()
    alice.say("/msg bob secret")
    bob.say("/reply mine, too")
    assert alice.lines() == ["To bob (private): secret", "bob (private): mine, too"]
    assert carol.take() == b"" == bot.take()
    carol.say("/history", "/search secret")
    assert "secret" not in carol.take().decode()


def test_private_messages_follow_a_new_name(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    alice.say("/msg bob one")
    bob.say("/name rob")
    alice.say("/msg rob two")
    assert bob.lines() == ["alice (private): one", "You are now rob.", "alice (private): two"]


def test_private_messages_do_not_reach_the_next_of_that_name(world: World) -> None:
    alice, bob = world.person("alice"), world.person("bob")
    alice.say("/msg bob one")
    bob.drop()
    other = world.person("bob")
    alice.say("/msg bob two")
    assert other.lines() == ["alice (private): two"]
