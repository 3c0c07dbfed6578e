"""Conversations: both halves are read and searched in one order, and listed by person, whoever has the name by now."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any

import pytest
from chat.people.test_own_copies import come, program
from coming_back import come as hello
from fakes import MoodyEngine
from harness import Client, World
from stepping import nobody_is_left

from chatroom.chat.limits import CONVERSATIONS, INBOX_MESSAGES
from chatroom.chat.people.private_messages import MOST_STEPS, STEP
from chatroom.model.replies import ConversationLine, Conversations
from chatroom.model.wording import ANSWERS

DATED = re.compile(r"^\[\d{4}-\d\d-\d\d \d\d:\d\d\] ")


@pytest.fixture
def moody(engine: MoodyEngine) -> Iterator[World]:
    """A server over an engine that can be made to wait and to fail, with the accounts alice, bob and carol."""
    world = World(engine, engine._reactor, sessions=3, announce=False, throttle=False)
    for name in ("alice", "bob", "carol"):
        maker = world.person()
        maker.say(f"/register {name} secret")
        maker.drop()
    yield world
    engine.let_go()
    nobody_is_left(world)
    world.close()


@pytest.fixture
def alice(moody: World) -> Client:
    return program(moody, "alice")


@pytest.fixture
def bob(moody: World) -> Client:
    return program(moody, "bob")


@pytest.fixture
def carol(moody: World) -> Client:
    return program(moody, "carol")


def tell(client: Client, to: str, *texts: str) -> None:
    """Write to somebody."""
    for text in texts:
        client.record(do="message", user=to, text=text)


def ask(client: Client, do: str, **fields: Any) -> dict[str, Any]:
    """Return the answer to a command."""
    client.records()
    client.record(do=do, ref=99, **fields)
    (answer,) = (record for record in client.records() if record.get("re") == 99)
    return answer


def texts(answer: dict[str, Any]) -> list[str]:
    """Return what was said in the messages of an answer."""
    return [event["text"] for event in answer["events"]]


def talk(alice: Client, bob: Client, carol: Client) -> None:
    """Let three people write to one another."""
    tell(alice, "bob", "b1")
    tell(bob, "alice", "b2")
    tell(alice, "carol", "c1")
    tell(bob, "alice", "b3")
    tell(carol, "alice", "c2")
    tell(alice, "bob", "b4")
    tell(bob, "carol", "not alice's")


# ---- history -----------------------------------------------------------------------------------------------------


def test_both_read_the_same_conversation_in_one_order(alice: Client, bob: Client, carol: Client) -> None:
    talk(alice, bob, carol)
    mine, his = ask(alice, "history", user="bob"), ask(bob, "history", user="Alice")
    assert texts(mine) == texts(his) == ["b1", "b2", "b3", "b4"]
    assert [event["by"] for event in mine["events"]] == ["alice", "bob", "bob", "alice"]
    seqs = [event["seq"] for event in mine["events"]]
    assert seqs == sorted(set(seqs))
    assert (mine["room"], mine["user"], his["user"], mine["complete"]) == ("", "bob", "alice", True)
    assert not [event for event in mine["events"] if "via" in event]
    assert texts(ask(alice, "history", user="carol")) == ["c1", "c2"]
    assert texts(ask(alice, "history")) == ["b1", "b2", "c1", "b3", "c2", "b4"], "with everybody"


def test_a_conversation_is_read_from_inside_a_room(alice: Client, bob: Client, carol: Client) -> None:
    talk(alice, bob, carol)
    for room in ("lobby", "work"):
        alice.record(do="join", room=room, stay=True)
    assert texts(ask(alice, "history", user="bob", room="lobby")) == ["b1", "b2", "b3", "b4"]
    assert texts(ask(alice, "history", user="bob")) == ["b1", "b2", "b3", "b4"], "no room needs to be said"


def test_a_conversation_is_read_page_by_page_in_both_directions(alice: Client, bob: Client, carol: Client) -> None:
    talk(alice, bob, carol)
    newest = ask(alice, "history", user="bob", messages=3)
    assert (texts(newest), newest["complete"]) == (["b2", "b3", "b4"], False)
    assert newest["searched_to"] == newest["events"][0]["seq"]
    rest = ask(alice, "history", user="bob", messages=3, before=newest["searched_to"])
    assert (texts(rest), rest["complete"], rest.get("searched_to", 0)) == (["b1"], True, 0)
    oldest = ask(alice, "history", user="bob", messages=3, after=0)
    assert (texts(oldest), oldest["complete"]) == (["b1", "b2", "b3"], False)
    onward = ask(alice, "history", user="bob", messages=3, after=oldest["searched_to"])
    assert (texts(onward), onward["complete"]) == (["b4"], True)


@pytest.mark.parametrize("step", [1, 3, STEP])
@pytest.mark.parametrize("messages", [1, 2, 7, 200])
def test_every_message_is_on_one_page(
    alice: Client, bob: Client, carol: Client, messages: int, step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatroom.chat.people.private_messages.STEP", step)
    for number in range(30):
        tell(alice if number % 3 else bob, "bob" if number % 3 else "alice", f"b{number}")
        tell(carol if number % 4 else alice, "alice" if number % 4 else "carol", f"c{number}")
    for peer, expected in (("bob", [f"b{number}" for number in range(30)]), ("carol", [f"c{n}" for n in range(30)])):
        back: list[str] = []
        on: list[str] = []
        before, after = None, 0
        while True:
            page = ask(alice, "history", user=peer, messages=messages, **({} if before is None else {"before": before}))
            back[:0] = texts(page)
            before = page.get("searched_to")
            if page["complete"]:
                break
        while True:
            page = ask(alice, "history", user=peer, messages=messages, after=after)
            on += texts(page)
            after = page.get("searched_to")
            if page["complete"]:
                break
        assert back == on == expected


def test_few_messages_among_many_of_others_are_found_in_several_answers(
    moody: World, alice: Client, bob: Client, carol: Client
) -> None:
    tell(bob, "alice", "first")
    for number in range(STEP * MOST_STEPS + 10):
        carol.record(do="message", user="alice", text=f"c{number}")
        alice.record(do="ack", seq=alice.records()[-1]["seq"])
        carol.take()
    answer = ask(alice, "history", user="bob", messages=5)
    assert (texts(answer), answer["complete"]) == ([], False)
    answer = ask(alice, "history", user="bob", messages=5, before=answer["searched_to"])
    assert (texts(answer), answer["complete"]) == (["first"], True)


def test_people_see_both_halves(moody: World, alice: Client, bob: Client, carol: Client) -> None:
    talk(alice, bob, carol)
    person = come(moody, "alice")
    person.say("/history")
    assert [DATED.sub("", line) for line in person.lines()] == [
        "To bob (private): b1",
        "bob (private): b2",
        "To carol (private): c1",
        "bob (private): b3",
        "carol (private): c2",
        "To bob (private): b4",
    ]
    person.say("/history 2 bob")
    assert [DATED.sub("", line) for line in person.lines()] == ["bob (private): b3", "To bob (private): b4"]
    person.say("/join lobby", "/history 9 zed")
    assert person.lines()[-1] == "Error: no user named zed; see /who."
    person.say("/history 9 alice")
    assert person.lines() == ["No private messages with alice."]


def test_what_one_wrote_to_oneself_is_there_once(alice: Client) -> None:
    tell(alice, "alice", "note")
    assert texts(ask(alice, "history", user="alice")) == ["note"]
    assert texts(ask(alice, "history")) == ["note"]


def test_a_log_that_cannot_be_read_is_said_so(moody: World, alice: Client) -> None:
    engine: Any = moody.engine
    engine.broken = True
    for do in ("history", "conversations"):
        assert ask(alice, do)["code"] == "not-confirmed"
    assert ask(alice, "search", words="x")["code"] == "not-confirmed"


# ---- whose conversation ------------------------------------------------------------------------------------------


def test_a_new_holder_of_a_guests_name_is_another_person(moody: World, alice: Client) -> None:
    first = moody.program("dave")
    tell(first, "alice", "one")
    tell(alice, "dave", "two")
    first.drop()
    assert texts(ask(alice, "history", user="dave")) == ["one", "two"], "though gone"
    second = moody.program("dave")
    tell(second, "alice", "three")
    assert texts(ask(alice, "history", user="dave")) == ["three"]
    assert texts(ask(second, "history", user="alice")) == ["three"]
    lines = ask(alice, "conversations")["conversations"]
    assert [line["user"] for line in lines] == ["dave", "dave"]
    assert len({line["user_id"] for line in lines}) == 2


def test_a_guest_who_comes_back_reads_both_halves(moody: World, alice: Client) -> None:
    dave, secret = hello(moody, name="dave")
    tell(dave, "alice", "one")
    tell(alice, "dave", "two")
    dave.drop()
    tell(alice, "dave", "three")
    dave, _ = hello(moody, name="dave", resume=secret)
    assert texts(ask(dave, "history", user="alice")) == ["one", "two", "three"]


def test_the_clock_steps_back_and_the_times_do_not(moody: World, alice: Client, bob: Client) -> None:
    for client in (alice, bob):
        client.record(do="join", room="lobby")
    before = moody.chat.clock
    tell(alice, "bob", "one")
    alice.record(do="say", text="in the room")
    moody.chat.clock = lambda: before() - 3600
    tell(bob, "alice", "two")
    bob.record(do="say", text="in the room, too")
    for history in (ask(alice, "history", user="bob"), ask(bob, "history", user="alice"), ask(bob, "history")):
        times = [event["at"] for event in history["events"]]
        assert len(times) == 2
        assert times == sorted(times)
    tell(moody.program("eve"), "carol", "elsewhere")
    told = ask(program(moody, "carol"), "history")["events"]
    assert told[0]["at"] < times[0], "other logs have the clock's time"


def test_who_has_another_name_by_now_is_the_same_person(moody: World, alice: Client) -> None:
    guest = moody.program("dave")
    tell(guest, "alice", "one")
    guest.record(do="name", name="dana")
    tell(alice, "dana", "two")
    assert texts(ask(alice, "history", user="dana")) == ["one", "two"]
    (line,) = ask(alice, "conversations")["conversations"]
    assert line["user"] == "dana"


def test_what_waited_for_a_guests_name_is_of_the_conversation_with_who_took_it(moody: World, alice: Client) -> None:
    moody.program("dave").drop()
    tell(alice, "dave", "are you there?")
    assert texts(ask(alice, "history", user="dave")) == ["are you there?"]
    (line,) = ask(alice, "conversations")["conversations"]
    assert (line["user"], line["user_id"]) == ("dave", "")
    dave = moody.connect()
    dave.record(do="hello", version=1, name="dave")
    tell(dave, "alice", "I am")
    assert texts(ask(alice, "history", user="dave")) == ["are you there?", "I am"]
    assert texts(ask(dave, "history", user="alice")) == ["are you there?", "I am"]
    (line,) = ask(alice, "conversations")["conversations"]
    assert line["user_id"]


def test_the_conversation_with_a_deleted_account_can_be_read(moody: World, alice: Client, bob: Client) -> None:
    tell(bob, "alice", "one")
    tell(alice, "bob", "two")
    bob.record(do="delete-account", password="secret")
    assert texts(ask(alice, "history", user="bob")) == ["one", "two"]
    assert ask(alice, "history", user="nobody")["code"] == "no-user"


# ---- the list ----------------------------------------------------------------------------------------------------


def test_conversations_are_listed_the_newest_first(moody: World, alice: Client, bob: Client, carol: Client) -> None:
    assert ask(alice, "conversations")["conversations"] == []
    talk(alice, bob, carol)
    lines = ask(alice, "conversations")["conversations"]
    assert [line["user"] for line in lines] == ["bob", "carol"]
    newest = ask(alice, "history", user="bob")["events"][-1]
    assert {key: lines[0][key] for key in ("seq", "at")} == {key: newest[key] for key in ("seq", "at")}
    bob.record(do="read", user="alice")
    person = come(moody, "bob")
    tell(alice, "bob", "b5")
    tell(carol, "bob", "c3")
    assert len(person.lines()) == 2, "which reads them"
    person.say("/conversations")
    assert [line.partition("  (")[2] for line in person.lines()] == [""] * 3
    person = come(moody, "alice")
    person.say("/conversations")
    told = person.lines()
    assert told[0] == "Conversations (2); /history 20 <user> shows them:"
    assert re.fullmatch(r"  bob  \d{4}-\d\d-\d\d.*", told[1])
    other = moody.person("eve")
    other.say("/conversations")
    assert other.lines() == ["No private messages."]


def test_whom_one_wrote_long_ago_is_listed_however_much_came_since(
    moody: World, alice: Client, bob: Client, carol: Client
) -> None:
    tell(alice, "bob", "long ago")
    for number in range(INBOX_MESSAGES + 5):
        carol.record(do="message", user="alice", text=f"c{number}")
        alice.record(do="ack", seq=alice.records()[-1]["seq"])
        carol.take()
    assert [line["user"] for line in ask(alice, "conversations")["conversations"]] == ["carol", "bob"]


def test_people_are_told_how_many_messages_are_unread() -> None:
    """Nobody has such on telnet, but people type commands in the client, too."""
    lines = [ConversationLine("bob", "x", 1, 0, 3), ConversationLine("carol", "y", 1, 0)]
    told = ANSWERS[Conversations](lambda *_: "", Conversations(lines))
    assert [line.partition("  (")[2] for line in told[1:]] == ["3 unread)", ""]


def test_so_many_conversations_are_listed(moody: World, alice: Client) -> None:
    for number in range(CONVERSATIONS + 3):
        guest = moody.program(f"guy{number}")
        tell(guest, "alice", "hi")
        guest.drop()
    lines = ask(alice, "conversations")["conversations"]
    assert [line["user"] for line in lines] == [f"guy{number}" for number in range(CONVERSATIONS + 2, 2, -1)]


# ---- search ------------------------------------------------------------------------------------------------------


def test_private_messages_are_searched_outside_a_room_and_by_person(
    moody: World, alice: Client, bob: Client, carol: Client
) -> None:
    tell(alice, "bob", "lunch on monday?")
    tell(bob, "alice", "lunch on tuesday", "dinner")
    tell(carol, "alice", "lunch with me")
    tell(bob, "carol", "lunch without alice")
    found = ask(alice, "search", words="lunch")
    assert texts(found) == ["lunch on monday?", "lunch on tuesday", "lunch with me"]
    assert ("searched_to" not in found, [event["by"] for event in found["events"]]) == (True, ["alice", "bob", "carol"])
    assert texts(ask(alice, "search", words="lunch", user="bob")) == ["lunch on monday?", "lunch on tuesday"]
    alice.record(do="join", room="lobby")
    alice.record(do="say", text="lunch for all")
    assert texts(ask(alice, "search", words="lunch")) == ["lunch for all"]
    assert texts(ask(alice, "search", words="lunch", user="carol")) == ["lunch with me"]
    person = come(moody, "alice")
    person.say("/search monday")
    lines = person.lines()
    assert lines[0] == "1 message found:"
    assert DATED.sub("", lines[1]) == "To bob (private): lunch on monday?"


@pytest.mark.parametrize("seed", range(5))
def test_a_search_finds_every_message_once_however_the_two_sides_alternate(
    alice: Client, bob: Client, carol: Client, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatroom.chat.rooms.search.FOUND", 7)
    chance = random.Random(seed)
    wanted: dict[str, list[str]] = {"bob": [], "carol": []}
    for number in range(60):
        peer, client = chance.choice([("bob", bob), ("carol", carol)])
        text = f"{chance.choice(['word', 'other'])} {number}"
        sender, to = (alice, peer) if chance.random() < 0.3 else (client, "alice")
        tell(sender, to, text)
        if text.startswith("word"):
            wanted[peer].append(text)
    for fields, expected in (
        ({"user": "bob"}, wanted["bob"]),
        ({"user": "carol"}, wanted["carol"]),
        ({}, sorted(wanted["bob"] + wanted["carol"], key=lambda text: int(text.split()[1]))),
    ):
        found: list[str] = []
        before: int | None = None
        while before != 0:
            answer = ask(alice, "search", words="word", **fields, **({} if before is None else {"before": before}))
            found[:0] = texts(answer)
            before = answer.get("searched_to", 0)
        assert found == expected


def test_a_search_of_private_messages_goes_on_with_older_ones(moody: World, alice: Client, bob: Client) -> None:
    for number in range(80):
        tell(alice if number % 2 else bob, "bob" if number % 2 else "alice", f"word {number}")
    first = ask(alice, "search", words="word", user="bob")
    assert (texts(first), first["complete"]) == ([f"word {number}" for number in range(30, 80)], False)
    rest = ask(alice, "search", words="word", user="bob", before=first["searched_to"])
    assert (texts(rest), "searched_to" in rest) == ([f"word {number}" for number in range(30)], False)
    again = [texts(ask(alice, "search", words="word", user="bob", again=True)) for _ in range(2)]
    assert [len(one) for one in again] == [50, 30]
    ask(alice, "search", words="word", user="bob", again=True)
    other = ask(alice, "search", words="word", again=True)
    assert len(texts(other)) == 50, "a search of all private messages is another one"
