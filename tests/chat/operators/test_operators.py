"""What operators do to the whole server from the chat, who may, and what everybody sees of it."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Client, World, stored_records
from order import FAR, PASSWORD, account, ask, guest, members, owner, record_of, session_of, text_of

from chatroom.chat.server_log import SLICE

COMMANDS: dict[str, dict[str, Any]] = {
    "announce": {"text": "cake at four"},
    "add-account": {"user": "nina", "password": "secret"},
    "remove-account": {"user": "mary"},
    "set-operator": {"user": "mary", "on": True},
    "set-password": {"user": "mary", "password": "secret"},
    "drain": {"on": True},
    "stats": {},
    "kick": {"user": "mary", "everywhere": True},
    "ban": {"user": "mary", "everywhere": True},
    "unban": {"user": "banned", "everywhere": True},
    "close": {"room": "cellar"},
}
WHO = ("operator", "owner", "moderator", "member", "guest")


class Crowd:
    """Everybody in a room of a server that has banned somebody."""

    def __init__(self, world: World) -> None:
        self.of = {"owner": owner(world, "olga", "den"), "operator": owner(world, "oscar", operator=True)}
        assert ask(self.of["operator"], "ban", user="banned", everywhere=True) == "ok"
        assert ask(self.of["operator"], "join", room="cellar") == "ok"
        assert ask(self.of["operator"], "join", room="den") == "ok"
        self.of["moderator"], self.of["member"] = owner(world, "mona", "den"), owner(world, "mary", "den")
        self.of["guest"] = guest(world, "gus", "den")
        assert ask(self.of["owner"], "op", user="mona") == "ok"


@pytest.mark.parametrize("do", COMMANDS)
def test_only_an_operator_may(do: str) -> None:
    found = {}
    for who in WHO:
        world = World()
        found[who] = ask(Crowd(world).of[who], do, **COMMANDS[do])
        world.close()
    assert found == {who: "ok" if who == "operator" else "not-operator" for who in WHO}


@pytest.mark.parametrize("do", COMMANDS)
def test_what_was_refused_has_changed_nothing(world: World, do: str) -> None:
    crowd = Crowd(world)
    kept = stored_records(world)
    bystander = guest(world, "bystander")
    for who in WHO[1:]:
        ask(crowd.of[who], do, **COMMANDS[do])
    assert stored_records(world) == kept
    assert len(members(world, "den")) == 5
    assert not world.chat.connections.draining
    assert bystander.records() == []


@pytest.mark.parametrize("line", ["/kick gus", "/ban gus", "/unban gus", "/close"])
def test_outside_a_room_who_is_no_operator_is_told_that_a_room_is_needed(world: World, line: str) -> None:
    world.person("gus")
    alice = world.person("alice")
    alice.say(line)
    assert alice.lines() == ["Error: you are not in a room; join one with /join <room>."]


def operator(world: World, name: str = "oscar") -> Client:
    """Return an operator who is a person, in no room, and has heard all of it."""
    account(world, name, operator=True)
    client = world.person()
    client.say(f"/login {name} {PASSWORD}")
    client.lines()
    return client


def test_help_lists_what_operators_may_to_operators(world: World) -> None:
    oscar = operator(world)
    oscar.say("/help")
    assert {"/announce", "/drain", "/stats"} <= set(" ".join(oscar.lines()).split())
    mary = world.person("mary")
    mary.say("/help")
    assert not {"/announce", "/drain", "/stats"} & set(" ".join(mary.lines()).split())


@pytest.mark.parametrize(
    "line", ["/add-account zelda", "/set-password zelda"], ids=lambda line: line.split()[0].lstrip("/")
)
def test_the_password_that_an_operator_is_asked_for_is_the_whole_line(world: World, line: str) -> None:
    oscar = operator(world)
    oscar.say("/join den")
    if line.startswith("/set"):
        account(world, "zelda")
    oscar.lines()
    oscar.say(line, "short", "a very  long secret", "done")
    heard = oscar.lines()
    assert heard[0] == "Password:"
    assert heard[-1] == "oscar: done"
    assert [text for text in heard if text.startswith("Error")] == ["Error: a password has at least 6 characters."]
    zelda = world.person()
    zelda.say("/login zelda", "a very  long secret")
    assert "You are logged in as zelda." in zelda.lines()


# ---- putting out and keeping out ---------------------------------------------------------------------------------


def test_who_is_kicked_off_the_server_hears_why_and_may_come_again(world: World) -> None:
    oscar, alice, gus = operator(world), world.person("alice", "den"), world.person("gus", "den")
    alice.take()
    oscar.say("/kick gus be nice")
    assert oscar.lines() == ["gus was put out."]
    assert gus.lines() == ["Error: you were removed from this server by oscar: be nice"]
    assert not gus.open
    assert alice.lines() == ["gus has disconnected."]
    assert world.person("gus", "den").open


def test_a_program_that_is_kicked_off_the_server_is_told_by_a_code(world: World) -> None:
    oscar, bot = owner(world, "oscar", operator=True), guest(world, "bot", "den")
    assert ask(oscar, "kick", user="bot") == "ok"
    assert [(record["event"], record["code"], record["text"]) for record in bot.records()] == [
        ("error", "expelled", "you were removed from this server by oscar.")
    ]
    assert not bot.open


def test_all_connections_of_an_account_are_kicked_off() -> None:
    world = World(sessions=0)
    oscar = owner(world, "oscar", operator=True)
    bobs = [owner(world, "bob", "den"), owner(world, "bob"), owner(world, "bob", "lair")]
    assert ask(oscar, "kick", user="bob") == "ok"
    assert [bob.open for bob in bobs] == [False] * 3
    assert ask(oscar, "kick", user="bob") == "no-user"
    world.close()


@pytest.mark.parametrize("do", ["kick", "ban"])
def test_an_operator_puts_neither_another_off_nor_oneself(world: World, do: str) -> None:
    """An operator's rights are the console's to take."""
    oscar, olga = (owner(world, name, operator=True, host=FAR + "1") for name in ("oscar", "olga"))
    account(world, "otto", operator=True)
    assert ask(oscar, do, user="oscar", everywhere=True) == "not-to-yourself"
    assert ask(oscar, do, user="olga", everywhere=True) == "not-to-an-operator"
    assert ask(oscar, do, user="zed", everywhere=True) == ("no-user" if do == "kick" else "ok")
    assert ask(oscar, do, user="otto", everywhere=True) == ("no-user" if do == "kick" else "not-to-an-operator")
    if do == "ban":
        assert ask(oscar, do, user=FAR + "1", everywhere=True) == "not-to-yourself"
        assert ask(oscar, do, user="127.0.0.1", everywhere=True) == "bad-ban"
    assert oscar.open
    assert olga.open


def test_a_banned_account_is_put_out_and_kept_out_at_its_login(world: World) -> None:
    oscar, bob = owner(world, "oscar", operator=True), owner(world, "bob", "den", host=FAR + "1")
    assert ask(oscar, "ban", user="bob", seconds=60, reason="spam", everywhere=True) == "ok"
    assert bob.records()[-1]["code"] == "expelled"
    assert not bob.open
    again = guest(world, "rob", host=FAR + "1")
    assert (
        text_of(again, "login", user="bob", password=PASSWORD) == "you are banned from this server for 1 minute: spam."
    )
    assert session_of(again).user.account is None
    assert ask(again, "name", name="bob") == "name-in-use"
    world.pass_time(60)
    again.record(do="pong")
    assert ask(again, "login", user="bob", password=PASSWORD) == "ok"


def test_a_banned_guest_is_kept_out_at_the_door_and_by_name(world: World) -> None:
    oscar, mallory = owner(world, "oscar", operator=True), guest(world, "mallory", host=FAR + "1")
    assert ask(oscar, "ban", user="mallory") == "ok"
    assert not mallory.open
    again = world.connect(FAR + "1")
    again.record(do="hello", version=1)
    assert [(record["code"], record["text"]) for record in again.records()] == [
        ("server-banned", "you are banned from this server.")
    ]
    person = world.connect(FAR + "1")
    world.pass_time(0.3)
    assert person.lines() == ["Error: you are banned from this server."]
    elsewhere = world.person()
    elsewhere.say("/name MALLORY")
    assert elsewhere.lines() == ["Error: you are banned from this server."]
    bot = world.connect(FAR + "2")
    bot.record(do="hello", version=1, name="mallory")
    assert "server-banned" in [record.get("code") for record in bot.records()]


def test_a_banned_name_cannot_be_registered(world: World) -> None:
    oscar, mallory = owner(world, "oscar", operator=True), guest(world, "m2")
    assert ask(oscar, "ban", user="mallory") == "ok"
    assert ask(mallory, "register", user="mallory", password=PASSWORD) == "server-banned"
    assert ask(oscar, "set-operator", user="mallory", on=True) == "no-account", "nor was it made all the same"


def test_a_banned_network_is_kept_out_at_the_door_until_it_is_unbanned(world: World) -> None:
    oscar = operator(world)
    bob = guest(world, "bob", host="2001:db8:1:2::3")
    oscar.say("/ban 2001:db8:1:2::1 1h spam", "/ban")
    assert oscar.lines() == [
        "2001:db8:1:2::1 is banned from this server for 1 hour.",
        "Banned from this server:",
        "  2001:db8:1:2::1, by oscar for 1 hour: spam",
    ]
    assert not bob.open
    refused = world.connect("2001:db8:1:2:9::9")
    refused.record(do="hello", version=1)
    assert refused.records()[0]["text"] == "you are banned from this server for 1 hour: spam."
    assert ask(guest(world, "carol", host="2001:db8:1:3::1"), "account") == "ok"
    oscar.say("/unban 2001:db8:1:2::7", "/ban", "/unban 2001:db8:1:2::7")
    assert oscar.lines() == [
        "2001:db8:1:2::7 may come again.",
        "Nobody is banned from this server.",
        "Error: 2001:db8:1:2::7 is not banned from this server; see the list of bans.",
    ]
    assert ask(guest(world, "bob", host="2001:db8:1:2::3"), "account") == "ok"


def test_an_operator_at_a_banned_address_is_not_put_out(world: World) -> None:
    oscar = owner(world, "oscar", operator=True)
    olga, gus = owner(world, "olga", operator=True, host=FAR + "1"), guest(world, "gus", host=FAR + "1")
    assert ask(oscar, "ban", user=FAR + "1") == "ok"
    assert (olga.open, gus.open) == (True, False)


def test_a_ban_of_the_server_lasts_across_a_restart(world: World) -> None:
    oscar = owner(world, "oscar", operator=True)
    assert ask(oscar, "ban", user=FAR + "1", reason="spam") == "ok"
    world.close()
    world.engine._stopping = None  # type: ignore[attr-defined]
    again = World(world.engine, world.clock)
    refused = again.connect(FAR + "1")
    refused.record(do="hello", version=1)
    assert refused.records()[0]["code"] == "server-banned"
    again.close()


def test_an_operator_keeps_order_in_any_room_though_it_is_locked(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    assert ask(alice, "lock") == "ok"
    oscar = owner(world, "oscar", "den", operator=True)
    assert members(world, "den") == ["alice", "bob", "oscar"]
    assert ask(oscar, "kick", user="bob") == "ok"
    assert bob.open, "in a room it is for the room"
    assert ask(oscar, "deop", user="alice") == "no-such-ban"
    assert ask(oscar, "kick", user="alice") == "ok"
    assert record_of(world, "den").owner == "alice"


def test_an_operator_closes_a_room_from_outside(world: World) -> None:
    oscar, alice = owner(world, "oscar", operator=True), world.person("alice", "den")
    assert text_of(oscar, "close", room="DEN", reason="too loud") == "The room den has been closed."
    assert alice.lines() == ["oscar closed the room: too loud"]
    assert ask(oscar, "close", room="den") == "no-room"
    alice.say("/join den")
    assert alice.lines()[0] == "Welcome to room den!"


def test_a_room_that_nobody_is_in_is_closed_too(world: World) -> None:
    oscar, alice = owner(world, "oscar", operator=True), owner(world, "alice", "den")
    old = record_of(world, "den").id
    assert ask(alice, "leave") == "ok"
    assert ask(oscar, "close", room="den") == "ok"
    assert ask(alice, "join", room="den") == "ok"
    assert record_of(world, "den").id != old


# ---- announcements -----------------------------------------------------------------------------------------------


def test_an_announcement_reaches_everybody_wherever_they_are(world: World) -> None:
    oscar = operator(world)
    inside, outside = world.person("inside", "den"), world.person("outside")
    bot, nameless = world.program("bot", "den"), world.program()
    inside.take()
    oscar.say("/announce cake at four")
    line = "Announcement by oscar: cake at four"
    assert (inside.lines(), outside.lines()) == ([line], [line])
    for program in (bot, nameless):
        (event,) = program.records()
        assert (event["event"], event["by"], event["text"]) == ("announced", "oscar", "cake at four")
    assert oscar.lines() == [line, "Everybody online has been told (5 connections)."]


@pytest.mark.parametrize("text", ["", "   ", "\x1b[2J", "\0"])
def test_an_announcement_of_nothing_is_refused(world: World, text: str) -> None:
    oscar, bot = owner(world, "oscar", operator=True), world.program("bot")
    assert ask(oscar, "announce", text=text) == "nothing-said"
    assert bot.records() == []


def test_an_announcement_is_one_clean_line(world: World) -> None:
    oscar, alice = owner(world, "oscar", operator=True), world.person("alice")
    assert ask(oscar, "announce", text="one\r\nalice: \x1b[31mtwo\u202e") == "ok"
    assert alice.lines() == ["Announcement by oscar: one\ufffd\ufffdalice: two"]


def test_five_hundred_are_told_in_slices_and_who_leaves_in_the_middle_stops_nobody(world: World) -> None:
    """Each slice is a turn of the reactor; who has gone by then is passed over, who is left hears it once."""
    oscar = owner(world, "oscar", operator=True)
    people = [world.program(f"p{i}") for i in range(500)]
    told: list[int] = []

    def turn() -> None:
        """What a bystander sees between any two turns of the server's."""
        told.append(sum(b'"one"' in person.transport.value() for person in people))
        if told[-1] and len(people) == 500:
            for person in (people[SLICE + 50], people[-1]):
                people.remove(person)
                person.transport.end()
        if told[-1] < len(people):
            world.clock.callLater(0, turn)

    world.clock.callLater(0, turn)
    for text in ("one", "two"):
        oscar.transport.protocol.dataReceived(b'{"do":"announce","text":"%s"}\n' % text.encode())
    world.settle()
    assert [number for number in dict.fromkeys(told) if number] == [SLICE - 1, 2 * SLICE - 2, 498]
    assert [[record["text"] for record in person.records()] for person in people] == [["one", "two"]] * 498


# ---- accounts ----------------------------------------------------------------------------------------------------


def test_an_operator_is_one_at_once_and_at_once_no_more(world: World) -> None:
    oscar, bob = owner(world, "oscar", operator=True), owner(world, "bob")
    alice = owner(world, "alice", "den")
    assert ask(alice, "lock") == "ok"
    assert ask(bob, "stats") == "not-operator"
    assert text_of(oscar, "set-operator", user="BOB", on=True) == "bob is an operator now."
    assert (ask(bob, "stats"), ask(bob, "join", room="den"), ask(bob, "unlock")) == ("ok", "ok", "ok")
    assert text_of(oscar, "set-operator", user="bob", on=False) == "bob is an operator no more."
    assert (ask(bob, "stats"), ask(bob, "lock")) == ("not-operator", "not-moderator")
    bob.drop()
    assert ask(owner(world, "bob"), "stats") == "not-operator"


def test_an_operators_flag_lasts(world: World) -> None:
    oscar, bob = owner(world, "oscar", operator=True), owner(world, "bob")
    assert ask(oscar, "set-operator", user="bob", on=True) == "ok"
    bob.drop()
    assert ask(owner(world, "bob"), "stats") == "ok"


def test_accounts_are_made_changed_and_removed(world: World) -> None:
    oscar = operator(world)
    oscar.say("/add-account nina first word", "/add-account nina another", "/set-password nina second", "/stats")
    lines = oscar.lines()
    assert lines[:3] == [
        "The account nina has been made, with a seat of its own.",
        "Error: username is already used; choose another with /name <name>.",
        "nina has another password.",
    ]
    nina = world.program()
    assert ask(nina, "login", user="nina", password="first word") == "wrong-password"
    assert ask(nina, "login", user="nina", password="second") == "ok"
    oscar.take()
    oscar.say("/remove-account nina")
    assert "The account nina has been removed." in oscar.lines()
    assert session_of(nina).user.account is None
    for line in ("/remove-account nina", "/set-operator nina on", "/set-password nina x"):
        oscar.say(line)
        assert oscar.lines()[-1] == "Error: there is no account nina; check the name."


# ---- the server --------------------------------------------------------------------------------------------------


def test_a_server_that_drains_lets_nobody_new_in_and_keeps_who_is_there(world: World) -> None:
    oscar, alice = operator(world), world.person("alice", "den")
    oscar.say("/drain on")
    line = "Announcement by oscar: This server lets nobody new in; it is going to be stopped."
    assert oscar.lines() == [line, "Nobody new is let in; 2 connections are left."]
    assert alice.lines() == [line]
    alice.say("still here")
    assert alice.lines() == ["alice: still here"]
    bot = world.connect()
    bot.record(do="hello", version=1)
    assert [record["code"] for record in bot.records()] == ["draining"]
    late = world.connect()
    world.pass_time(0.3)
    assert late.lines() == ["Error: the server is not accepting new connections at the moment; come back later."]
    oscar.say("/drain on", "/drain off")
    assert oscar.lines() == ["Nobody new is let in; 2 connections are left.", "People are let in again."]
    assert world.person("bob").open


def test_figures_of_the_server_are_shown(world: World) -> None:
    oscar = owner(world, "oscar", operator=True)
    guest(world, "gus")
    lines = dict(line.split("  ", 1) for line in text_of(oscar, "stats").split("\n"))
    figures = {name: value.strip() for name, value in lines.items()}
    expected = {"connections": "2", "users": "2", "accounts online": "1", "logins": "1", "log": "ok", "draining": "no"}
    assert {name: figures[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("add-account", "The account vera has been made, with a seat of its own."),
        ("set-password", "vera has another password."),
    ],
)
def test_a_password_is_asked_for_and_not_said_to_the_room(world: World, word: str, answer: str) -> None:
    if word == "set-password":
        account(world, "vera")
    oscar, gus = operator(world), world.person("gus", "den")
    oscar.say("/join den")
    oscar.take()
    gus.take()
    oscar.say(f"/{word}")
    assert oscar.take() == b"user,password:\r\n\xff\xfb\x01", "what is typed is hidden"
    oscar.say("vera: geheim77", "vera, geheim77")
    again = "Try again; an empty line or /cancel ends the question."
    assert oscar.lines() == ["Error: expected user,password.", again, "user,password:", answer]
    assert gus.lines() == []
    assert ask(world.program(), "login", user="vera", password="geheim77") == "ok"


@pytest.mark.parametrize("line", ["/add-account", "/set-password vera"])
def test_nobody_else_is_asked_for_a_password(world: World, line: str) -> None:
    gus = world.person("gus")
    gus.say(line, "/who")
    error, *others = gus.lines()
    assert error.startswith("Error: ")
    assert others, "it is no answer to a question"
