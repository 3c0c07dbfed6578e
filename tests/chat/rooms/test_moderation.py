"""Who may do what to whom in a room: every command of moderation by everybody, on everybody; what the room sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World
from order import account, ask, guest, members, owner, record_of, session_of, text_of
from twisted.internet.task import Clock

CODES = {
    "ok": "ok",
    "-": "not-moderator",
    "self": "not-to-yourself",
    "owner": "not-to-the-owner",
    "mod": "not-to-a-moderator",
    "oper": "not-to-an-operator",
    "only": "not-owner",
    "none": "no-user",
    "no": "no-such-ban",
    "bad": "bad-ban",
    "room": "not-in-room",
    "mine": "not-yours",
}

# Who is meant, for each column. ``outside``: online, and not in the room. ``away``: has an account, and is not online.
TARGETS = {
    "owner": "olga",
    "moderator": "mona",
    "member": "mary",
    "guest": "gus",
    "operator": "oscar",
    "outside": "otto",
    "away": "anna",
    "nobody": "zed",
    "address": "192.0.2.7",
    "local": "127.0.0.1",
    "noname": "a,b",
}
ACTORS = {"owner": "olga", "moderator": "max", "member": "mike", "guest": "gina", "operator": "omar", "outside": "otto"}

ON_SOMEBODY = """
kick       yourself  owner  moderator  member  guest  operator  outside  away  nobody  address  local  noname
owner      self      self   ok         ok      ok     oper      none     none  none    none     none   none
moderator  self      owner  mod        ok      ok     oper      none     none  none    none     none   none
member     -         -      -          -       -      -         -        -     -       -        -      -
guest      -         -      -          -       -      -         -        -     -       -        -      -
operator   self      ok     ok         ok      ok     oper      none     none  none    none     none   none
outside    room      room   room       room    room   room      room     room  room    room     room   room

ban        yourself  owner  moderator  member  guest  operator  outside  away  nobody  address  local  noname
owner      self      self   ok         ok      ok     oper      ok       ok    ok      ok       bad    none
moderator  self      owner  mod        ok      ok     oper      ok       ok    ok      ok       bad    none
member     -         -      -          -       -      -         -        -     -       -        -      -
guest      -         -      -          -       -      -         -        -     -       -        -      -
operator   self      ok     ok         ok      ok     oper      ok       ok    ok      ok       bad    none
outside    room      room   room       room    room   room      room     room  room    room     room   room

mute       yourself  owner  moderator  member  guest  operator  outside  away  nobody  address  local  noname
owner      self      self   ok         ok      ok     oper      ok       ok    ok      ok       bad    none
moderator  self      owner  mod        ok      ok     oper      ok       ok    ok      ok       bad    none
member     -         -      -          -       -      -         -        -     -       -        -      -
guest      -         -      -          -       -      -         -        -     -       -        -      -
operator   self      ok     ok         ok      ok     oper      ok       ok    ok      ok       bad    none
outside    room      room   room       room    room   room      room     room  room    room     room   room

unban      yourself  owner  moderator  member  guest  operator  outside  away  nobody  address  local  noname
owner      no        no     no         no      no     no        no       no    no      no       bad    none
moderator  no        no     no         no      no     no        no       no    no      no       bad    none
member     -         -      -          -       -      -         -        -     -       -        -      -
guest      -         -      -          -       -      -         -        -     -       -        -      -
operator   no        no     no         no      no     no        no       no    no      no       bad    none
outside    room      room   room       room    room   room      room     room  room    room     room   room

unmute     yourself  owner  moderator  member  guest  operator  outside  away  nobody  address  local  noname
owner      no        no     no         no      no     no        no       no    no      no       bad    none
moderator  no        no     no         no      no     no        no       no    no      no       bad    none
member     -         -      -          -       -      -         -        -     -       -        -      -
guest      -         -      -          -       -      -         -        -     -       -        -      -
operator   no        no     no         no      no     no        no       no    no      no       bad    none
outside    room      room   room       room    room   room      room     room  room    room     room   room

op         yourself  owner  moderator  member  guest  operator  outside  away  nobody  address  local  noname
owner      ok        ok     ok         ok      ok     ok        ok       ok    none    none     bad    none
moderator  ok        ok     ok         ok      ok     ok        ok       ok    none    none     bad    none
member     -         -      -          -       -      -         -        -     -       -        -      -
guest      -         -      -          -       -      -         -        -     -       -        -      -
operator   ok        ok     ok         ok      ok     ok        ok       ok    none    none     bad    none
outside    room      room   room       room    room   room      room     room  room    room     room   room

deop       yourself  owner  moderator  member  guest  operator  outside  away  nobody  address  local  noname
owner      self      self   ok         no      no     no        no       no    none    none     bad    none
moderator  ok        owner  only       no      no     no        no       no    none    none     bad    none
member     -         -      -          -       -      -         -        -     -       -        -      -
guest      -         -      -          -       -      -         -        -     -       -        -      -
operator   no        no     ok         no      no     no        no       no    none    none     bad    none
outside    room      room   room       room    room   room      room     room  room    room     room   room

invite     yourself  owner  moderator  member  guest  operator  outside  away  nobody  address  local  noname
owner      ok        ok     ok         ok      ok     ok        ok       ok    none    none     bad    none
moderator  ok        ok     ok         ok      ok     ok        ok       ok    none    none     bad    none
member     -         -      -          -       -      -         -        -     -       -        -      -
guest      -         -      -          -       -      -         -        -     -       -        -      -
operator   ok        ok     ok         ok      ok     ok        ok       ok    none    none     bad    none
outside    room      room   room       room    room   room      room     room  room    room     room   room
"""

ON_THE_ROOM = """
           topic  see-topic  lock  unlock  slow  close  bans  mutes  delete-own  delete-other
owner      ok     ok         ok    ok      ok    ok     ok    ok     ok          ok
moderator  ok     ok         ok    ok      ok    only   ok    ok     ok          ok
member     -      ok         -     -       -     only   -     -      ok          mine
guest      -      ok         -     -       -     only   -     -      ok          mine
operator   ok     ok         ok    ok      ok    ok     ok    ok     ok          ok
outside    room   room       room  room    room  room   room  room   room        room
"""
RECORDS: dict[str, dict[str, Any]] = {
    "topic": {"do": "topic", "text": "cats"},
    "see-topic": {"do": "topic"},
    "lock": {"do": "lock"},
    "unlock": {"do": "unlock"},
    "slow": {"do": "slow", "seconds": 5},
    "close": {"do": "close"},
    "bans": {"do": "ban"},
    "mutes": {"do": "mute"},
    "delete-own": {"do": "delete"},
    "delete-other": {"do": "delete", "user": "mary"},
}


def rows(tables: str) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Return, of each row of each table: the table's name, the row's, the cells by their columns."""
    for table in tables.strip("\n").split("\n\n"):
        head, *body = [line.split() for line in table.split("\n")]
        name, columns = (head[0], head[1:]) if len(head) == len(body[0]) else ("", head)
        for row, *cells in body:
            yield name, row, dict(zip(columns, cells, strict=True))


class Crowd:
    """A room with somebody of each kind in it, all of them programs, so that refusals are seen by their codes."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.olga = owner(world, "olga", "den")
        members = [owner(world, name, "den") for name in ("max", "mona", "mary", "mike")]
        guests = [guest(world, name, "den") for name in ("gus", "gina")]
        operators = [owner(world, name, "den", operator=True) for name in ("omar", "oscar")]
        outside = owner(world, "otto")
        account(world, "anna")
        names = ("max", "mona", "mary", "mike", "gus", "gina", "omar", "oscar", "otto")
        self.by_name = dict(zip(names, [*members, *guests, *operators, outside], strict=True), olga=self.olga)
        for name in ("max", "mona"):
            assert ask(self.olga, "op", user=name) == "ok"

    def __getitem__(self, kind: str) -> Client:
        return self.by_name[ACTORS[kind]]


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    """A room that somebody of each kind is in."""
    world = World()
    yield Crowd(world)
    world.close()


@pytest.mark.parametrize(("do", "who", "cells"), list(rows(ON_SOMEBODY)))
def test_who_may_do_it_to_whom(do: str, who: str, cells: dict[str, str]) -> None:
    """The whole row is compared, so that a mistake is seen with what is around it."""
    found = {}
    for column in cells:
        world = World()
        crowd = Crowd(world)
        name = ACTORS[who] if column == "yourself" else TARGETS[column]
        found[column] = ask(crowd[who], do, user=name)
        world.close()
    assert found == {column: CODES[cell] for column, cell in cells.items()}


@pytest.mark.parametrize(("who", "cells"), [(who, cells) for _, who, cells in rows(ON_THE_ROOM)])
def test_who_may_do_it_to_the_room(who: str, cells: dict[str, str]) -> None:
    found = {}
    for column in cells:
        world = World()
        crowd = Crowd(world)
        crowd.by_name["mary"].record(do="say", text="mary's own")
        crowd[who].record(do="say", text="my own")
        found[column] = ask(crowd[who], **RECORDS[column])
        world.close()
    assert found == {column: CODES[cell] for column, cell in cells.items()}


def test_what_was_refused_has_changed_nothing(crowd: Crowd) -> None:
    before = record_of(crowd.world, "den")
    there = members(crowd.world, "den")
    crowd["moderator"].records()
    for do in ("kick", "ban", "mute", "op", "deop", "invite", "unban", "unmute"):
        for name in TARGETS.values():
            ask(crowd["member"], do, user=name)
    for record in RECORDS.values():
        if record["do"] != "delete":
            ask(crowd["guest"], **record)
    assert record_of(crowd.world, "den") == before
    assert members(crowd.world, "den") == there
    assert crowd["moderator"].records() == []


def test_a_refusal_says_whom_it_is_about_and_what_to_do(crowd: Crowd) -> None:
    mod = crowd["moderator"]
    assert [
        text_of(crowd["member"], "kick", user="gus"),
        text_of(mod, "kick", user="max"),
        text_of(mod, "kick", user="olga"),
        text_of(mod, "kick", user="mona"),
        text_of(mod, "kick", user="oscar"),
        text_of(mod, "kick", user="zed"),
        text_of(mod, "close"),
        text_of(mod, "unban", user="gus"),
        text_of(mod, "unmute", user="gus"),
        text_of(mod, "deop", user="gus"),
        text_of(mod, "ban", user="127.0.0.1"),
        text_of(mod, "delete", seq=1 << 40),
    ] == [
        "only a moderator of den can do that.",
        "you cannot do that to yourself; to leave the room, use /leave.",
        "olga owns den; only an operator can do that.",
        "mona moderates den; only its owner can do that.",
        "oscar is an operator; nobody can do that to an operator from the chat.",
        "no user named zed; see /who.",
        "only the owner of den can do that.",
        "gus is not banned from den; see /ban.",
        "gus is not muted in den; see /mute.",
        "gus is not a moderator of den; see /who.",
        "127.0.0.1 is this machine itself, where everybody may come from.",
        "there is no such message in den any more; see /history.",
    ]


# ---- what the room sees ------------------------------------------------------------------------------------------


ACTS: list[tuple[str, str, dict[str, Any]]] = [
    ("/topic all about cats", "alice set the topic: all about cats", {"event": "topic", "text": "all about cats"}),
    ("/topic -", "alice cleared the topic.", {"event": "topic", "text": ""}),
    ("/kick gus", "gus was kicked by alice.", {"event": "kicked", "user": "gus"}),
    ("/kick gus be nice", "gus was kicked by alice: be nice", {"event": "kicked", "user": "gus", "reason": "be nice"}),
    ("/ban gus", "gus was banned by alice.", {"event": "banned", "user": "gus"}),
    (
        "/ban gus 10m be nice",
        "gus was banned by alice for 10 minutes: be nice",
        {"event": "banned", "user": "gus", "reason": "be nice", "until": 600_000},
    ),
    ("/ban gus 10 minutes", "gus was banned by alice: 10 minutes", {"event": "banned", "reason": "10 minutes"}),
    ("/ban zed 1w", "zed was banned by alice for 7 days.", {"event": "banned", "user": "zed"}),
    ("/ban 192.0.2.7 1h", "an address was banned by alice for 1 hour.", {"event": "banned", "user": "an address"}),
    ("/mute gus 2h", "gus was muted by alice for 2 hours.", {"event": "muted", "user": "gus"}),
    ("/mute gus shh", "gus was muted by alice: shh", {"event": "muted", "user": "gus", "reason": "shh"}),
    ("/op gus", "gus was made a moderator by alice.", {"event": "opped", "user": "gus"}),
    ("/invite gus", "gus was invited by alice.", {"event": "invited", "user": "gus"}),
    ("/lock", "alice locked the room: only the invited may join.", {"event": "locked"}),
    ("/unlock", "alice unlocked the room.", {"event": "unlocked"}),
    ("/slow 90", "alice slowed the room down: one message every 90 seconds.", {"event": "slowed", "seconds": 90}),
    ("/slow 0", "alice ended the slow mode.", {"event": "slowed", "seconds": 0}),
    ("/slow 3600", "alice slowed the room down: one message every 1 hour.", {"event": "slowed", "seconds": 3600}),
    ("/close", "alice closed the room.", {"event": "closed"}),
    ("/close moved on", "alice closed the room: moved on", {"event": "closed", "reason": "moved on"}),
    ("/delete gus", "alice deleted a message of gus.", {"event": "deleted", "user": "gus"}),
]
TAKEN_BACK: list[tuple[str, str, str, dict[str, Any]]] = [
    ("/ban gus", "/unban gus", "gus was unbanned by alice.", {"event": "unbanned", "user": "gus"}),
    ("/mute gus", "/unmute gus", "gus was unmuted by alice.", {"event": "unmuted", "user": "gus"}),
    ("/op gus", "/deop gus", "gus was removed as a moderator by alice.", {"event": "deopped", "user": "gus"}),
    ("/ban 192.0.2.7", "/unban 192.0.2.7", "an address was unbanned by alice.", {"user": "an address"}),
]


@pytest.mark.parametrize(("line", "seen", "record"), ACTS)
def test_the_room_sees_an_act_in_words_and_in_records(
    world: World, line: str, seen: str, record: dict[str, Any]
) -> None:
    alice, bob, bot = world.person("alice", "den"), world.person("bob", "den"), world.program("bot", "den")
    gus = world.person("gus", "den")
    gus.say("hello")
    for client in (alice, bob, bot, gus):
        client.take()
    alice.say(line)
    told = [seen] if line != "/invite gus" else [seen, "alice invites you to room den; join it with /join den."]
    assert (alice.lines(), bob.lines(), gus.lines()) == ([seen], [seen], told)
    (event,) = bot.records()
    expected = {"room": "den", "by": "alice", "by_id": session_of(alice).user_id, "at": world.chat.now(), **record}
    if "until" in record:
        expected["until"] += world.chat.now()
    assert {key: event.get(key) for key in expected} == expected


@pytest.mark.parametrize(("first", "line", "seen", "record"), TAKEN_BACK)
def test_the_room_sees_an_act_taken_back(
    world: World, first: str, line: str, seen: str, record: dict[str, Any]
) -> None:
    alice, bob, bot = world.person("alice", "den"), world.person("bob", "den"), world.program("bot", "den")
    world.person("gus", "den")
    alice.say(first)
    for client in (alice, bob, bot):
        client.take()
    alice.say(line)
    assert alice.lines() == bob.lines() == [seen]
    (event,) = bot.records()
    assert {key: event.get(key) for key in record} == record


def test_the_topic_is_shown_to_who_asks_who_joins_and_who_looks_around(world: World) -> None:
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.take()
    bob.say("/topic")
    assert bob.lines() == ["There is no topic."]
    alice.say("/topic   " + "c" * 400)
    alice.take()
    bob.take()
    bob.say("/topic")
    assert bob.lines() == ["Topic: " + "c" * 390]
    alice.say("/topic cats")
    assert world.person("carol", "den").open
    dave = world.person("dave")
    dave.say("/rooms", "/join den")
    assert dave.lines() == [
        "Rooms (1):",
        "  den  3 users  cats",
        "Welcome to room den!",
        "Topic: cats",
        "Current users: alice, bob, carol, dave",
    ]


def test_a_program_clears_the_topic_by_an_empty_one(world: World) -> None:
    bot = world.program("bot", "den")
    assert ask(bot, "topic", text="cats") == "ok"
    assert record_of(world, "den").topic == "cats"
    assert ask(bot, "topic", text="") == "ok"
    assert record_of(world, "den").topic == ""


def test_an_address_is_for_moderators_eyes_alone(world: World) -> None:
    """The room hears of an address; only the list, which moderators see, names it."""
    alice, bob = world.person("alice", "den"), world.person("bob", "den")
    alice.say("/ban 192.0.2.7 spam")
    assert bob.lines() == ["an address was banned by alice: spam"]
    alice.take()
    alice.say("/ban")
    assert alice.lines() == ["Banned here:", "  192.0.2.7, by alice: spam"]
    alice.say("/unban 192.0.2.7")
    assert "192.0.2.7" not in str(bob.lines() + alice.lines())


@pytest.mark.parametrize("do", ["topic", "kick", "ban", "mute", "close"])
def test_what_a_room_is_told_is_one_clean_line(world: World, do: str) -> None:
    alice, bob, bot = guest(world, "alice", "den"), world.person("bob", "den"), world.program("bot", "den")
    guest(world, "mallory", "den")
    bob.take()
    bot.take()
    nasty = "  one\r\nalice: \x1b[31mtwo\u202e\x00  "
    more = {"text": nasty} if do == "topic" else {"reason": nasty}
    assert ask(alice, do, **more, **({"user": "mallory"} if do in ("kick", "ban", "mute") else {})) == "ok"
    (line,) = bob.lines()
    assert line.endswith(": one\ufffd\ufffdalice: two")
    assert "one\ufffd\ufffdalice: two" in bot.records()[0].values()


def test_an_act_holds_from_when_it_is_decided_not_from_when_the_room_is_told() -> None:
    """The log may be slow; who is muted meanwhile is silent."""
    clock = Clock()
    engine = MoodyEngine(clock)
    world = World(engine, clock)
    alice, bob = guest(world, "alice", "den"), guest(world, "bob", "den")
    engine.holding = True
    alice.record(do="mute", user="bob")
    assert ask(bob, "say", text="hello") == "muted"
    engine.let_go()
    world.close()
