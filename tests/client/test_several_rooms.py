"""A client in several rooms: which room a command is for, what happens in one room, and what is unread in each."""

from __future__ import annotations

from typing import Any

import pytest
from client.network import Network, Person
from harness import Client, World
from order import PASSWORD, account, owner

from chatroom.chat.people import hello
from chatroom.chat.rooms import join_leave
from chatroom.client import backfill
from chatroom.client.errors import Rejected
from chatroom.client.status import Connected, ConversationsListed, Denied, Named
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.device import Device

ROOMS = ["one", "two", "three"]


def coming(network: Network, *rooms: str, **fields: Any) -> Person:
    """Return alice, who is in these rooms."""
    return Person(network, name="alice", room=rooms, several=True, **fields).come()


def cut(network: Network) -> None:
    """Cut all lines."""
    for line in network.lines:
        line.end()


def staying(world: World, name: str, *rooms: str) -> Client:
    """Return a program that is in all these rooms, and has read what it was told."""
    program = world.program(name)
    for room in rooms:
        program.record(do="join", room=room, stay=True)
    program.records()
    return program


def said(program: Client) -> list[tuple[str, str]]:
    """Return the room and the text of each message that a program has got since it last looked."""
    return [(record["room"], record["text"]) for record in program.records() if record["event"] == "said"]


def names(person: Person) -> list[str]:
    """Return the names of the rooms that the client is in."""
    return [room.room for room in person.client.rooms.values()]


def test_the_first_rooms_are_joined_in_order_and_the_last_has_the_focus(network: Network) -> None:
    alice = coming(network, *ROOMS, "Two")
    assert names(alice) == ["one", "Two", "three"]
    assert alice.client.room == alice.client.place.room == "three"
    assert [event.room for event in alice.heard(a.Entered)] == names(alice)
    alice.leave()


def test_a_command_is_for_the_room_in_focus_or_for_the_one_that_it_names(network: Network, world: World) -> None:
    bob = staying(world, "bob", *ROOMS)
    alice = coming(network, *ROOMS)
    alice.client.focus("ONE")
    alice.say("here")
    alice.say_in("two", "there")
    alice.client.focus("three")
    alice.client.do("me", text="waves")
    assert alice.do("names", room="two").room == "two"
    assert said(bob) == [("one", "here"), ("two", "there")]
    assert [event.room for event in alice.heard(e.Acted)] == ["three"]
    with pytest.raises(KeyError):
        alice.client.focus("four")
    alice.leave()


def test_what_is_said_on_the_way_to_a_room_is_said_there(network: Network, world: World) -> None:
    bob = staying(world, "bob", *ROOMS)
    alice = coming(network, "one")
    alice.client.do("join", room="two")
    alice.say("in two")
    alice.client.do("leave", room="one")
    alice.say("in two, too")
    network.flow()
    assert said(bob) == [("two", "in two"), ("two", "in two, too")]
    assert names(alice) == ["two"]
    alice.leave()


def test_without_a_focus_a_command_must_say_which_room_it_means(network: Network, world: World) -> None:
    bob = staying(world, "bob", *ROOMS)
    alice = coming(network, "one", "two")
    alice.do("leave")
    assert (names(alice), alice.client.room, alice.client.inside) == (["one"], "", False)
    alice.say("where?")
    alice.say_in("one", "here")
    network.flow()
    assert (alice.refused, said(bob)) == (["which-room"], [("one", "here")])
    with pytest.raises(Rejected, match="no room is in front"):
        alice.do("names")
    alice.do("history")  # of the private messages
    assert [history.room for history in alice.heard(a.History)] == [""]
    alice.leave()


def test_who_is_put_out_of_one_room_is_still_in_the_others(network: Network, world: World) -> None:
    boss, bob = owner(world, "olga", "two"), staying(world, "bob", *ROOMS)
    alice = coming(network, *ROOMS)
    cut(network)
    alice.say_in("two", "too late")
    alice.say_in("one", "still here")
    network.flow()
    boss.record(do="ban", user="alice")
    network.pass_time(3)
    assert names(alice) == ["one", "three"]
    assert [denied.wanted for denied in alice.heard(Denied)] == ["two"]
    assert (alice.refused, alice.said) == (["not-in-that-room"], ["still here"])
    assert said(bob) == [("one", "still here")]
    alice.leave()


@pytest.mark.parametrize("record", [{"do": "kick", "user": "alice"}, {"do": "ban", "user": "alice"}, {"do": "close"}])
def test_what_ends_the_stay_in_one_room_leaves_the_others_alone(network: Network, world: World, record: Any) -> None:
    boss = owner(world, "olga", "two")
    alice = coming(network, *ROOMS)
    alice.client.focus("two")
    boss.record(**record)
    network.flow()
    assert names(alice) == ["one", "three"]
    assert (alice.client.room, alice.client.place.users) == ("", [])
    assert isinstance(alice.told[-1], e.MemberRemoved | e.Closed)
    assert alice.told[-1].room == "two"
    alice.say_in("three", "still here")
    network.flow()
    assert alice.said == ["still here"]
    alice.leave()


def test_a_new_name_holds_in_all_rooms_and_is_told_once(network: Network, world: World) -> None:
    bob = staying(world, "bob", *ROOMS)
    alice = coming(network, *ROOMS)
    alice.do("name", name="alicia")
    bob.record(do="name", name="rob")
    network.flow()
    assert alice.heard(Named) == [Named("alicia")]
    assert [room.users for room in alice.client.rooms.values()] == [["rob", "alicia"]] * 3
    alice.leave()


def test_who_comes_back_is_in_the_same_rooms_with_the_same_focus(network: Network, world: World) -> None:
    bob = staying(world, "bob", *ROOMS)
    alice = coming(network, *ROOMS)
    alice.client.focus("two")
    cut(network)
    for room in ROOMS:
        bob.record(do="say", text=f"to {room}", room=room)
    network.pass_time(3)
    assert (names(alice), alice.client.room) == (ROOMS, "two")
    assert alice.texts == ["to one", "to two", "to three"]
    assert [event.room for event in alice.heard(e.Said)] == ROOMS
    assert not any(alice.client.replayed(event) for event in alice.heard(e.Said))
    alice.leave()


def test_a_server_that_allows_one_room_is_as_ever(network: Network, world: World) -> None:
    world.chat.rules.rooms = 1
    alice = coming(network, *ROOMS)
    assert names(alice) == ["three"]
    assert [(denied.what, denied.wanted) for denied in alice.heard(Denied)] == [("room", "one"), ("room", "two")]
    alice.do("join", room="four")
    assert names(alice) == ["four"]
    alice.leave()


def test_what_was_for_a_room_that_the_server_allows_no_more_is_said_nowhere_else(
    network: Network, world: World
) -> None:
    alice = coming(network, "one", "two")
    bob = staying(world, "bob", "one", "two")
    cut(network)
    world.chat.rules.rooms = 1
    alice.say_in("one", "for one")
    alice.say_in("two", "for two")
    network.pass_time(3)
    assert (names(alice), alice.refused, alice.said) == (["two"], ["not-in-that-room"], ["for two"])
    assert said(bob) == [("two", "for two")]
    alice.leave()


def test_an_old_server_that_takes_no_rooms_name_is_told_nothing_that_is_for_another_room(
    network: Network, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hello, "FEATURES", ())
    bob = staying(world, "bob", *ROOMS)
    alice = coming(network, *ROOMS)
    assert names(alice) == ["three"]
    for room in ROOMS:
        alice.say_in(room, f"for {room}")
    alice.client.do("leave", room="one").addErrback(lambda failure: alice.refused.append(failure.value.code))
    network.flow()
    assert (said(bob), alice.refused) == ([("three", "for three")], ["not-in-that-room"] * 3)
    alice.client.do("join", room="two")
    alice.say("on the way to two")
    alice.say_in("three", "no longer for three")
    network.flow()
    assert (names(alice), said(bob)) == (["two"], [("two", "on the way to two")])
    assert alice.refused == ["not-in-that-room"] * 4
    alice.leave()


@pytest.mark.parametrize("features", [hello.FEATURES, ()], ids=["new server", "old server"])
def test_a_join_that_is_asked_for_while_the_client_comes_back_is_sent_then(
    network: Network, world: World, monkeypatch: pytest.MonkeyPatch, features: tuple[str, ...]
) -> None:
    monkeypatch.setattr(hello, "FEATURES", features)
    alice = Person(network, name="alice", room="one")

    def come(event: Any) -> None:
        alice.told.append(event)
        if isinstance(event, Connected):
            alice.client.do("join", room="two")
            alice.say("in two")

    alice.client._conversation.handler.tell = come
    alice.come()
    assert (names(alice), alice.said, alice.refused) == (["two"], ["in two"], [])
    assert [event.room for event in alice.heard(e.Said)] == ["two"]
    alice.leave()


def test_unless_it_is_told_to_stay_a_client_leaves_the_room_that_it_was_in(network: Network) -> None:
    alice = Person(network, name="alice", room="one").come()
    alice.do("join", room="two")
    assert names(alice) == ["two"]
    alice.do("join", room="three", stay=True)
    assert names(alice) == ["two", "three"]
    cut(network)
    network.pass_time(3)
    assert names(alice) == ["two", "three"]
    alice.do("join", room="four")
    assert names(alice) == ["four"]
    alice.leave()


def test_unread_messages_and_mentions_are_counted_in_each_room(network: Network, world: World) -> None:
    boss, bob = owner(world, "olga", "two"), staying(world, "bob", *ROOMS)
    alice = coming(network, *ROOMS)
    one, two, three = alice.client.rooms.values()
    for text in ("hello", "alice: are you there?", "oh"):
        bob.record(do="say", text=text, room="two")
    bob.record(do="say", text="alice!", room="one")
    alice.say("my own")
    network.flow()
    assert [(room.unread, room.mentions) for room in (one, two, three)] == [(1, 1), (3, 1), (0, 0)]
    boss.record(do="delete", user="bob")
    network.flow()
    assert (two.unread, two.mentions) == (2, 1)
    alice.client.mark_read(two.after, room="two")
    assert (two.unread, two.mentions, two.read) == (0, 0, two.after)
    assert one.unread == 1
    cut(network)
    bob.record(do="say", text="meanwhile", room="two")
    network.pass_time(3)
    assert (one.unread, two.unread) == (1, 1)
    alice.leave()


def test_when_there_waits_for_one_room_or_for_all(network: Network) -> None:
    alice = coming(network, "one")
    calls: list[str] = []
    alice.client.do("join", room="two")
    alice.client.when_there(lambda: calls.append("one"), "one")
    alice.client.when_there(lambda: calls.append("two"), "Two")
    alice.client.when_there(lambda: calls.append("all"))
    assert calls == ["one"]
    network.flow()
    assert calls == ["one", "two", "all"]
    alice.leave()


def test_a_limit_of_rooms_is_a_refusal_like_any_other(network: Network, world: World) -> None:
    world.chat.rules.rooms = 3
    alice = coming(network, *ROOMS)
    with pytest.raises(Rejected) as caught:
        alice.do("join", room="four")
    assert caught.value.code == "too-many-joined"
    assert names(alice) == ROOMS
    alice.leave()


# ---- typing, and what a newer server says --------------------------------------------------------------------------


def test_typing_is_told_to_the_room_and_to_a_person(network: Network, world: World) -> None:
    bob, carol = staying(world, "bob", "one"), staying(world, "carol", "two")
    alice = coming(network, "one", "two")
    for _ in range(3):
        alice.client.typing()
        alice.client.typing(user="bob")
    network.flow()
    assert [record["room"] for record in carol.records() if record["event"] == "typing"] == ["two"]
    assert [record.get("room", "") for record in bob.records() if record["event"] == "typing"] == [""]
    carol.record(do="typing", room="two")
    network.flow()
    assert [(event.by, event.room) for event in alice.heard(a.Typing)] == [("carol", "two")]
    assert alice.heard(a.Ok) == []
    alice.leave()


def test_an_older_client_passes_over_what_it_does_not_know(network: Network, world: World) -> None:
    alice = coming(network, "one")
    line = network.lines[0].client
    line.dataReceived(b'{"event":"mind-read","room":"one","seq":99,"by":"bob"}\n')
    told = len(alice.told)
    asked: list[Any] = []
    alice.client.do("who").addErrback(asked.append)
    ref = max(alice.client._outgoing._by_ref)
    line.dataReceived(b'{"event":"crowd","size":3,"re":%d}\n' % ref)
    assert [failure.value.code for failure in asked] == ["version"]
    assert len(alice.told) == told
    alice.say("still here")
    network.flow()
    assert alice.said == ["still here"]
    alice.leave()


# ---- private conversations -----------------------------------------------------------------------------------------


def test_private_messages_are_counted_for_each_person(network: Network, world: World) -> None:
    bob, carol = world.program("bob"), world.program("carol")
    alice = coming(network, "one")
    for text in ("one", "two"):
        bob.record(do="message", user="alice", text=text)
    carol.record(do="message", user="alice", text="three")
    network.flow()
    alice.do("message", user="bob", text="zero")
    peers = alice.client.peers
    assert list(peers) == ["carol", "bob"]
    bob.records()
    assert [(peer.user, peer.unread) for peer in peers.values()] == [("carol", 1), ("bob", 2)]
    alice.client.mark_read(peers["bob"].seq, user="Bob")
    bob.record(do="name", name="rob")
    bob.record(do="message", user="alice", text="four")
    network.flow()
    assert [(peer.user, peer.unread) for peer in peers.values()] == [("carol", 1), ("rob", 1)]
    assert alice.client.unread == 4
    alice.leave()


def test_both_halves_of_a_conversation_read_as_what_they_are(network: Network, world: World) -> None:
    bob = world.program("bob")
    alice = coming(network, "one")
    alice.do("message", user="bob", text="hi")
    bob.record(do="message", user="alice", text="hello")
    network.flow()
    history = alice.do("history", user="bob")
    assert [type(event) for event in history.events] == [a.OwnPrivate, e.Private]
    assert [event.seq for event in history.events] == sorted(event.seq for event in history.events)
    listed = alice.do("conversations")
    assert [line.user for line in listed.conversations] == ["bob"]
    assert alice.client.peers["bob"].seq == history.events[-1].seq
    alice.leave()


def test_a_new_client_is_told_of_its_conversations_and_asks_for_one_unseen(network: Network, world: World) -> None:
    account(world, "alice")
    login = ("alice", PASSWORD)
    first = Person(network, several=True, login=login, room="one").come()
    bob = world.program("bob")
    for text in ("one", "two"):
        bob.record(do="message", user="alice", text=text)
    network.flow()
    sent = first.do("message", user="bob", text="three")
    first.leave()
    second = Person(network, several=True, login=login, room="one", device=Device("d", "t")).come()
    assert second.heard(ConversationsListed)
    assert second.client.peers["bob"].unread == 2
    assert second.client.peers["bob"].read == 0
    told = len(second.told)
    answers: list[Any] = []
    second.client.ask("history", user="bob", messages=20).addCallback(answers.append)
    network.flow()
    assert [event.text for event in answers[0].events] == ["one", "two", "three"]
    assert answers[0].events[-1].id == sent.id, "by this the screen knows what it shows already"
    assert len(second.told) == told
    second.leave()


# ---- read marks that are shared with other clients -----------------------------------------------------------------


def on_devices(network: Network, world: World, *names: str) -> list[Person]:
    """Return alice's clients on devices of these names; all are in the rooms one and two."""
    account(world, "alice")
    device = {name: Device(name, "tab") for name in names}
    login = ("alice", PASSWORD)
    fields: dict[str, Any] = {"room": ["one", "two"], "several": True, "login": login}
    return [Person(network, device=device[name], secret=f"the secret of {name}", **fields).come() for name in names]


def counts(person: Person) -> list[tuple[int, int]]:
    """Return the numbers of unread messages and mentions in each room."""
    return [(room.unread, room.mentions) for room in person.client.rooms.values()]


def test_a_mark_set_in_one_client_empties_the_counts_of_another(network: Network, world: World) -> None:
    phone, desk = on_devices(network, world, "phone", "desk")
    bob = staying(world, "bob", "one", "two")
    for text in ("hello", "alice?"):
        bob.record(do="say", text=text, room="one")
    bob.record(do="say", text="here, too", room="two")
    bob.record(do="message", user="alice", text="psst")
    network.flow()
    assert counts(phone) == counts(desk) == [(2, 1), (1, 0)]
    phone.client.mark_read(phone.client.rooms["one"].after, room="one")
    phone.client.mark_read(phone.client.peers["bob"].seq, user="bob")
    network.pass_time(2)
    assert counts(phone) == counts(desk) == [(0, 0), (1, 0)]
    assert [person.client.peers["bob"].unread for person in (phone, desk)] == [0, 0]
    assert [(event.room, event.user) for event in desk.heard(a.Marked)] == [("one", ""), ("", "bob")]
    assert (phone.heard(a.Marked), phone.heard(a.Ok)) == ([], [])
    for person in (phone, desk):
        person.leave()


def test_a_mark_that_was_set_while_a_client_was_away_counts_when_it_is_back(network: Network, world: World) -> None:
    """What it has not been told yet is counted by the server, and not twice."""
    phone, desk = on_devices(network, world, "phone", "desk")
    bob = staying(world, "bob", "one", "two")
    for text in ("1", "2", "alice!"):
        bob.record(do="say", text=text, room="one")
    network.flow()
    seen = phone.client.rooms["one"].after
    network.lines[1].end()
    bob.record(do="say", text="alice, are you there?", room="one")
    bob.record(do="message", user="alice", text="psst")
    phone.client.mark_read(seen, room="one")
    network.pass_time(3)
    assert desk.client.online
    assert counts(desk) == counts(phone) == [(1, 1), (0, 0)]
    assert desk.client.rooms["one"].read == seen
    assert desk.client.peers["bob"].unread == 1
    for person in (phone, desk):
        person.leave()


def test_what_is_unread_is_known_to_a_client_that_has_just_started(network: Network, world: World) -> None:
    (phone,) = on_devices(network, world, "phone")
    bob = staying(world, "bob", "one", "two")
    phone.leave()
    for text in ("1", "alice!", "3"):
        bob.record(do="say", text=text, room="two")
    bob.record(do="message", user="alice", text="psst")
    fields: dict[str, Any] = {"room": ["one", "two"], "several": True, "login": ("alice", PASSWORD), "history": 2}
    desk = Person(network, device=Device("desk", "tab"), **fields).come()
    assert counts(desk) == [(0, 0), (3, 1)]
    assert [event.text for event in desk.heard(e.Said)] == ["1", "alice!", "3"]  # more than two, as they are unread
    assert (desk.client.peers["bob"].unread, desk.client.unread) == (1, 1)
    assert desk.heard(a.Conversations) == []
    desk.client.mark_read(desk.client.peers["bob"].seq, user="bob")
    desk.leave()
    phone = Person(network, device=Device("phone", "tab"), **fields).come()
    assert phone.client.peers["bob"].unread == 0
    phone.leave()


def test_who_logs_out_on_one_device_is_still_there_on_the_other(network: Network, world: World) -> None:
    phone, desk = on_devices(network, world, "phone", "desk")
    bob = staying(world, "bob", "one", "two")
    phone.do("logout")
    guest = phone.client.name
    assert guest.startswith("guest-")
    assert desk.client.name == "alice"
    assert [sorted(room.users) for room in desk.client.rooms.values()] == [["alice", "bob", guest]] * 2
    assert (phone.heard(Named), desk.heard(Named)) == ([Named(guest)], [])
    phone.do("login", user="alice", password=PASSWORD)
    assert [sorted(room.users) for room in desk.client.rooms.values()] == [["alice", "bob"]] * 2
    assert [sorted(room.users) for room in phone.client.rooms.values()] == [["alice", "bob"]] * 2
    bob.records()
    desk.do("leave", room="one")
    phone.do("leave", room="two")
    assert bob.records() == []
    assert (names(desk), names(phone)) == (["two"], ["one"])
    for person in (phone, desk):
        person.leave()


def test_a_mark_that_is_set_without_a_connection_is_told_later(network: Network, world: World) -> None:
    phone, desk = on_devices(network, world, "phone", "desk")
    bob = staying(world, "bob", "one", "two")
    bob.record(do="say", text="alice?", room="one")
    network.flow()
    network.lines[0].end()
    phone.client.mark_read(phone.client.rooms["one"].after, room="one")
    assert counts(desk) == [(1, 1), (0, 0)]
    network.pass_time(3)
    assert counts(desk) == counts(phone) == [(0, 0), (0, 0)]
    for person in (phone, desk):
        person.leave()


def test_who_is_kicked_is_out_on_all_devices_and_still_in_the_other_room(network: Network, world: World) -> None:
    boss = owner(world, "olga", "one")
    phone, desk = on_devices(network, world, "phone", "desk")
    boss.record(do="kick", user="alice")
    network.flow()
    for person in (phone, desk):
        assert names(person) == ["two"]
        assert [(event.room, event.user) for event in person.heard(e.Kicked)] == [("one", "alice")]
        person.leave()


# ---- edits and deletions -------------------------------------------------------------------------------------------


def test_an_edit_counts_a_mention_once_and_a_deletion_counts_it_no_more(network: Network, world: World) -> None:
    bob = staying(world, "bob", "one")
    alice = coming(network, "one")
    room = alice.client.rooms["one"]
    bob.record(do="say", text="alice?", room="one")
    bob.record(do="edit", text="alice, are you there?", room="one")
    network.flow()
    assert (room.unread, room.mentions) == (1, 1)
    bob.record(do="say", text="hello", room="one")
    bob.record(do="edit", text="hello alice", room="one")
    network.flow()
    assert (room.unread, room.mentions) == (2, 2)
    bob.record(do="edit", text="hello", room="one")
    network.flow()
    assert (room.unread, room.mentions) == (2, 1)
    bob.record(do="delete", room="one")
    network.flow()
    assert (room.unread, room.mentions) == (1, 1)
    assert len(alice.heard(e.Edited)) == 3
    alice.leave()


@pytest.mark.parametrize("missed", [2, 40], ids=["short gap", "long gap"])
def test_what_was_edited_and_deleted_while_a_client_was_away_is_told_and_counted(
    network: Network, world: World, monkeypatch: pytest.MonkeyPatch, missed: int
) -> None:
    monkeypatch.setattr(join_leave, "CATCH_UP", 10)
    monkeypatch.setattr(backfill, "PAGE", 7)
    bob = staying(world, "bob", "one", "two")
    alice = coming(network, "one", "two")
    for number in range(1, 11):
        bob.record(do="say", text=f"{number}", room="one")
    network.flow()
    third, fourth = (event.seq for event in alice.heard(e.Said)[2:4])
    cut(network)
    bob.record(do="edit", seq=third, text="3, alice", room="one")
    bob.record(do="delete", seq=fourth, room="one")
    for number in range(missed):
        bob.record(do="say", text=f"meanwhile {number}", room="one")
        bob.record(do="say", text=f"meanwhile {number}", room="two")
    network.pass_time(5)
    assert [(event.message, event.text) for event in alice.heard(e.Edited)] == [(third, "3, alice")]
    assert [event.message for event in alice.heard(e.Deleted)] == [fourth]
    assert counts(alice) == [(9 + missed, 1), (missed, 0)]
    alice.leave()


def test_a_client_started_again_goes_back_into_its_rooms(network: Network) -> None:
    coming(network, "one", "two", secret="a secret of this client").leave()
    again = Person(network, name="alice", several=True, secret="a secret of this client").come()
    assert names(again) == ["one", "two"]
    assert again.client.room == "two"
    again.leave()
