"""Bans, mutes and slow rooms: by account, name and address; how long they hold; what programs are answered."""

from __future__ import annotations

import pytest
from harness import World
from order import FAR, account, ask, guest, members, owner, record_of, session_of, text_of

from chatroom.chat.limits import SANCTIONS

# ---- who is kept out ---------------------------------------------------------------------------------------------


def test_a_banned_account_is_kept_out_wherever_it_comes_from_and_as_a_guest_of_its_name(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), owner(world, "bob", "den", host=FAR + "1")
    assert ask(alice, "ban", user="bob", reason="spam") == "ok"
    assert members(world, "den") == ["alice"]
    assert ask(bob, "join", room="den") == "banned"
    assert text_of(bob, "join", room="den") == "you are banned from den: spam."
    bob.drop()
    again = owner(world, "bob", host=FAR + "2")
    assert ask(again, "join", room="den") == "banned"
    assert ask(again, "join", room="other") == "ok"


def test_a_ban_of_an_account_that_is_not_there_waits_for_it(world: World) -> None:
    alice = owner(world, "alice", "den")
    account(world, "bob")
    assert ask(alice, "ban", user="BOB") == "ok"
    assert ask(owner(world, "bob"), "join", room="den") == "banned"


def test_a_ban_of_an_account_is_not_for_others_at_its_address(world: World) -> None:
    alice = owner(world, "alice", "den")
    owner(world, "bob", "den", host=FAR + "1")
    assert ask(alice, "ban", user="bob") == "ok"
    assert ask(guest(world, "carol", host=FAR + "1"), "join", room="den") == "ok"


def test_a_banned_guest_is_kept_out_by_name_and_by_address(world: World) -> None:
    alice = owner(world, "alice", "den")
    mallory = guest(world, "mallory", "den", host=FAR + "1")
    assert ask(alice, "ban", user="mallory") == "ok"
    assert members(world, "den") == ["alice"]
    assert ask(mallory, "join", room="den") == "banned"
    assert ask(mallory, "name", name="nobody-you-know") == "ok"
    assert ask(mallory, "join", room="den") == "banned"
    mallory.drop()
    assert ask(guest(world, "mallory", host=FAR + "2"), "join", room="den") == "banned"
    assert ask(guest(world, "carol", host=FAR + "1"), "join", room="den") == "banned"
    assert ask(guest(world, "carl", host=FAR + "2"), "join", room="den") == "ok"


def test_a_guest_on_this_machine_is_banned_by_name_alone(world: World) -> None:
    alice = owner(world, "alice", "den")
    guest(world, "mallory", "den")
    bystander = guest(world, "bob", "den")
    assert ask(alice, "ban", user="mallory") == "ok"
    assert members(world, "den") == ["alice", "bob"]
    assert ask(bystander, "leave") == "ok"
    assert ask(bystander, "join", room="den") == "ok"


def test_a_banned_name_stays_banned_when_it_becomes_an_account(world: World) -> None:
    alice = owner(world, "alice", "den")
    assert ask(alice, "ban", user="mallory") == "ok"
    mallory = guest(world, "m2")
    mallory.record(do="register", user="mallory", password="secret")
    assert ask(mallory, "join", room="den") == "banned"


def test_nobody_takes_a_banned_name_while_in_the_room(world: World) -> None:
    alice = owner(world, "alice", "den")
    assert ask(alice, "ban", user="mallory") == "ok"
    sneak = guest(world, "sneak", "den")
    assert ask(sneak, "name", name="mallory") == "banned"
    assert members(world, "den") == ["alice", "sneak"]


def test_who_is_banned_under_a_name_is_not_let_in_by_logging_in_while_in_the_room(world: World) -> None:
    alice = owner(world, "alice", "den")
    account(world, "bob")
    assert ask(alice, "ban", user="bob") == "ok"
    sneak = guest(world, "sneak", "den")
    assert ask(sneak, "login", user="bob", password="correct horse") == "banned"
    assert members(world, "den") == ["alice", "sneak"]


def test_an_address_is_kept_out_with_all_who_are_there(world: World) -> None:
    alice = owner(world, "alice", "den")
    inside = [guest(world, "bob", "den", host=FAR + "1"), owner(world, "carol", "den", host=FAR + "1")]
    other = guest(world, "dave", "den", host=FAR + "2")
    other.records()
    assert ask(alice, "ban", user=FAR + "1", reason="spam") == "ok"
    assert members(world, "den") == ["alice", "dave"]
    seen = [(record["event"], record["user"]) for record in other.records()]
    assert seen == [("banned", "an address"), ("kicked", "bob"), ("kicked", "carol")]
    assert [ask(client, "join", room="den") for client in inside] == ["banned", "banned"]
    assert ask(alice, "unban", user=FAR + "1") == "ok"
    assert [ask(client, "join", room="den") for client in inside] == ["ok", "ok"]


@pytest.mark.parametrize("who", ["2001:db8:1:2::7", "2001:db8:1:2::/64", "2001:db8:1:2::7/64", "2001:db8:1:2:ffff::9"])
def test_an_ipv6_network_counts_as_one_address(world: World, who: str) -> None:
    alice = owner(world, "alice", "den")
    bob = guest(world, "bob", "den", host="2001:db8:1:2:3:4:5:6")
    assert ask(alice, "ban", user=who) == "ok"
    assert members(world, "den") == ["alice"]
    assert ask(bob, "join", room="den") == "banned"
    assert ask(guest(world, "carol", host="2001:db8:1:3::1"), "join", room="den") == "ok"
    assert ask(alice, "unban", user="2001:db8:1:2::1") == "ok"
    assert ask(bob, "join", room="den") == "ok"


@pytest.mark.parametrize("who", ["10.0.0.0/8", "192.0.2.0/24", "2001:db8::/32", "2001:db8:1:2:3::/80", "::/0"])
def test_a_network_that_does_not_count_as_one_address_is_not_taken_for_one(world: World, who: str) -> None:
    """Else a moderator would think that it is kept out."""
    alice = owner(world, "alice", "den")
    assert ask(alice, "ban", user=who) == "bad-ban"
    assert record_of(world, "den").bans == ()


def test_a_ban_of_an_address_puts_no_moderator_out(world: World) -> None:
    """They would be let in again at once: a ban is not for those who keep order."""
    alice = owner(world, "alice", "den", host=FAR + "1")
    mona, oscar = (
        owner(world, "mona", "den", host=FAR + "1"),
        owner(world, "oscar", "den", operator=True, host=FAR + "1"),
    )
    guest(world, "gus", "den", host=FAR + "1")
    assert ask(alice, "op", user="mona") == "ok"
    assert ask(mona, "ban", user=FAR + "1") == "ok"
    assert members(world, "den") == ["alice", "mona", "oscar"]
    assert ask(oscar, "leave") == "ok"
    assert ask(oscar, "join", room="den") == "ok"


def test_a_ban_of_a_guest_puts_out_who_comes_from_the_same_place_but_no_moderator(world: World) -> None:
    alice = owner(world, "alice", "den", host=FAR + "1")
    mona = owner(world, "mona", "den")
    guest(world, "gus", "den", host=FAR + "1")
    guest(world, "gina", "den", host=FAR + "1")
    assert ask(alice, "op", user="mona") == "ok"
    assert ask(mona, "ban", user="gus") == "ok"
    assert members(world, "den") == ["alice", "mona"]


def test_who_is_unbanned_by_name_is_unbanned_by_address_too(world: World) -> None:
    alice = owner(world, "alice", "den")
    mallory = guest(world, "mallory", "den", host=FAR + "1")
    assert ask(alice, "ban", user="mallory") == "ok"
    assert ask(mallory, "name", name="m2") == "ok"
    assert ask(alice, "unban", user="mallory") == "ok"
    assert record_of(world, "den").bans == ()
    assert ask(mallory, "join", room="den") == "ok"


# ---- how long, and how many ---------------------------------------------------------------------------------------


def test_a_ban_ends_when_its_time_is_over_and_not_before(world: World) -> None:
    alice = owner(world, "alice", "den")
    bob = guest(world, "bob", "den")
    assert ask(alice, "ban", user="bob", seconds=600, reason="spam") == "ok"
    assert text_of(bob, "join", room="den") == "you are banned from den for 10 minutes: spam."
    for _ in range(60):  # a program that says nothing is let go
        world.pass_time(9.99)
        bob.record(do="pong")
        alice.record(do="pong")
    assert text_of(bob, "join", room="den") == "you are banned from den for 1 second: spam."
    assert text_of(alice, "ban") == "Banned here:\n  bob, by alice for 1 second: spam"
    world.pass_time(0.7)
    assert text_of(alice, "ban") == "Nobody is banned here."
    assert ask(bob, "join", room="den") == "ok"


def test_a_second_ban_of_the_same_replaces_the_first(world: World) -> None:
    alice = owner(world, "alice", "den")
    for seconds in (600, 60, 0):
        assert ask(alice, "ban", user="bob", seconds=seconds) == "ok"
    (ban,) = record_of(world, "den").bans
    assert (ban.key, ban.until) == ("name:bob", 0)


def test_a_room_has_so_many_bans_and_those_that_are_over_do_not_count(world: World) -> None:
    alice = owner(world, "alice", "den")
    for i in range(SANCTIONS):
        alice.record(do="ban", user=f"b{i}", seconds=20)
    assert ask(alice, "ban", user="one-more") == "too-many-sanctions"
    assert ask(alice, "ban", user="b0", seconds=30) == "ok", "it takes the place of the one before"
    world.pass_time(21)
    assert ask(alice, "ban", user="one-more") == "ok"
    assert [ban.shown for ban in record_of(world, "den").bans] == ["b0", "one-more"]


@pytest.mark.parametrize("seconds", [-1, 10 * 365 * 86400 + 1, 1.5, "10m"])
def test_a_duration_that_is_none_is_refused(world: World, seconds: object) -> None:
    alice = owner(world, "alice", "den")
    assert ask(alice, "ban", user="bob", seconds=seconds) == "bad-record"
    assert record_of(world, "den").bans == ()


@pytest.mark.parametrize("line", ["/ban bob 5q", "/mute bob 1h30m spam", "/ban bob 10mins"])
def test_a_duration_that_cannot_be_read_does_not_become_a_reason_for_good(world: World, line: str) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.take()
    alice.say(line)
    word = line.split()[2]
    assert alice.lines() == [f"Error: {word} is no duration; write it as 10m, 2h or 7d."]
    assert record_of(world, "den").bans == record_of(world, "den").mutes == ()
    assert bob.open


# ---- who is silent ------------------------------------------------------------------------------------------------


def test_who_is_muted_hears_all_and_says_nothing(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.say("/mute bob 10m shh")
    bob.take()
    alice.take()
    bob.say("hello", "/me waves", "/say psst", "//hello")
    assert bob.lines() == ["Error: you are muted in den for 10 minutes: shh."] * 4
    assert alice.lines() == []
    bob.say("/msg alice in private")
    assert alice.lines() == ["bob (private): in private"]
    alice.say("do you hear?")
    assert bob.lines() == ["To alice (private): in private", "alice: do you hear?"]


def test_a_muted_program_is_answered_by_a_refusal_with_its_ref_and_the_message_is_not_stored(world: World) -> None:
    alice, bot = owner(world, "alice", "den"), guest(world, "bot", "den")
    assert ask(alice, "mute", user="bot") == "ok"
    bot.records()
    bot.record(do="say", text="one", ref=1)
    bot.record(do="me", text="two", ref="two")
    assert [(record["event"], record["code"], record["re"]) for record in bot.records()] == [
        ("error", "muted", 1),
        ("error", "muted", "two"),
    ]
    assert alice.records()[1:] == []
    alice.record(do="history")
    assert alice.records()[-1]["events"] == []


def test_a_mute_ends_when_its_time_is_over_and_when_it_is_taken_back(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.say("/mute bob 30s")
    world.pass_time(29.9)
    bob.take()
    bob.say("not yet")
    assert bob.lines() == ["Error: you are muted in den for 1 second."]
    world.pass_time(0.2)
    bob.say("now")
    assert bob.lines() == ["bob: now"]
    alice.say("/mute bob", "/unmute bob")
    bob.take()
    bob.say("and now")
    assert bob.lines() == ["bob: and now"]


def test_a_mute_holds_after_going_and_coming_and_under_another_name_from_the_same_address(world: World) -> None:
    alice = owner(world, "alice", "den")
    bob = guest(world, "bob", "den", host=FAR + "1")
    assert ask(alice, "mute", user="bob") == "ok"
    assert ask(bob, "leave") == "ok"
    assert ask(bob, "name", name="rob") == "ok"
    assert ask(bob, "join", room="den") == "ok"
    assert ask(bob, "say", text="hello") == "muted"
    bob.drop()
    assert ask(guest(world, "carol", "den", host=FAR + "1"), "say", text="hello") == "muted"
    assert ask(guest(world, "bob", "den", host=FAR + "2"), "say", text="hello") == "muted"


def test_to_make_somebody_a_moderator_lifts_the_mute_for_good(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.say("/mute bob", "/op bob")
    bob.take()
    bob.say("thanks")
    assert bob.lines() == ["bob: thanks"]
    alice.say("/mute", "/deop bob")
    assert "Nobody is muted here." in alice.lines()
    bob.take()
    bob.say("oh")
    assert bob.lines() == ["bob: oh"]


def test_who_is_muted_is_listed(world: World) -> None:
    alice = owner(world, "alice", "den")
    assert text_of(alice, "mute") == "Nobody is muted here."
    guest(world, "bob", "den", host=FAR + "1")
    ask(alice, "mute", user="bob", seconds=7200, reason="shh")
    ask(alice, "mute", user="carol")
    assert text_of(alice, "mute") == "Muted here:\n  bob, by alice for 2 hours: shh\n  carol, by alice"


def test_what_was_under_way_when_its_author_was_muted_is_said(world: World) -> None:
    """The mute decides about what is said after it."""
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.take()
    bob.transport.protocol.dataReceived(b"before\r\n")
    alice.say("/mute bob")
    assert alice.lines() == ["bob: before", "bob was muted by alice."]


# ---- slow rooms ---------------------------------------------------------------------------------------------------


def test_in_a_slow_room_everybody_speaks_once_in_a_while_but_for_moderators(world: World) -> None:
    alice, bob, carol = (world.person(name, "den") for name in ("alice", "bob", "carol"))
    alice.say("/slow 10")
    for client in (alice, bob, carol):
        client.take()
    bob.say("one")
    bob.say("two")
    assert bob.lines() == ["bob: one", "Error: den is slow: one message every 10 s; try again in 10 seconds."]
    carol.say("/me waves")
    carol.say("/me waves again")
    assert carol.lines()[-1] == "Error: den is slow: one message every 10 s; try again in 10 seconds."
    alice.take()
    alice.say("a", "b", "c")
    assert alice.lines() == ["alice: a", "alice: b", "alice: c"]
    world.pass_time(9.5)
    bob.take()
    bob.say("three")
    assert bob.lines() == ["Error: den is slow: one message every 10 s; try again in 1 second."]
    world.pass_time(0.5)
    bob.say("four")
    assert bob.lines() == ["bob: four"]
    alice.say("/slow 0")
    bob.take()
    bob.say("five", "six")
    assert bob.lines() == ["bob: five", "bob: six"]


def test_a_slow_room_answers_programs_with_their_refs_and_cannot_be_hurried_by_leaving(world: World) -> None:
    alice, bot = owner(world, "alice", "den"), guest(world, "bot", "den")
    assert ask(alice, "slow", seconds=10) == "ok"
    bot.records()
    for ref in (1, 2):
        bot.record(do="say", text=f"m{ref}", id=f"own-{ref}", ref=ref)
    said, refused = bot.records()
    assert (said["event"], said["id"]) == ("said", "own-1")
    assert (refused["event"], refused["code"], refused["re"]) == ("error", "too-soon", 2)
    assert ask(bot, "leave") == "ok"
    assert ask(bot, "join", room="den") == "ok"
    assert ask(bot, "say", text="m3") == "too-soon"


def test_a_refused_message_does_not_make_the_wait_longer(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.say("/slow 10")
    bob.say("one")
    for _ in range(3):
        world.pass_time(3.3)
        bob.say("again?")
    world.pass_time(0.1)
    bob.take()
    bob.say("two")
    assert bob.lines() == ["bob: two"]


def test_a_slow_room_does_not_remember_everybody_for_ever(world: World) -> None:
    alice = owner(world, "alice", "den")
    assert ask(alice, "slow", seconds=10) == "ok"
    room = session_of(alice).room
    for i in range(5000):
        room.note_speaking(f"user-{i}", world.chat.now() + 20 * i)
    assert len(room.spoke) <= 1001
