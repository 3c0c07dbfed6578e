"""Encrypted rooms of clients with keys, over a whole server in memory."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network
from harness import World
from twisted.internet.defer import Deferred

from chatroom.chat.operators.service import Operations, RoomRow
from chatroom.client.errors import Rejected
from chatroom.client.status import Denied
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.device import Device


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """The owner of the encrypted room ``den``."""
    person = account(KeyPerson(network, name="alice", several=True).come(), "Alice")
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    """A member of the room."""
    person = account(KeyPerson(network, name="bob", several=True).come(), "Bob")
    person.do("join", room="den")
    network.flow()
    yield person
    person.leave()


def say(person: KeyPerson, *texts: str) -> None:
    """Say something in the room."""
    for text in texts:
        person.say_in("den", text)
    person.network.flow()


def test_members_read_one_another_and_the_server_does_not(alice: KeyPerson, bob: KeyPerson, world: World) -> None:
    say(alice, "canary one", "canary two")
    say(bob, "canary three")
    assert alice.said == ["canary one", "canary two"]
    assert alice.texts == bob.texts == ["canary one", "canary two", "canary three"]
    assert "canary" not in repr(vars(world.chat.engine))
    assert not [text for text in (*alice.notices, *bob.notices) if "device" in text or "cannot" in text]


def test_who_has_no_keys_is_refused_at_the_door(alice: KeyPerson, world: World, network: Network) -> None:
    carol = world.person("carol")
    carol.say("/join den")
    assert "den is encrypted; join with chatroom-client" in "\n".join(carol.lines())
    assert "den  1 user  [e2e]" in "\n".join(_rooms(carol))


def _rooms(person: object) -> list[str]:
    person.say("/rooms")  # type: ignore[attr-defined]
    lines: list[str] = person.lines()  # type: ignore[attr-defined]
    return lines


def test_who_cannot_follow_is_named_and_put_out(network: Network, world: World) -> None:
    alice = account(KeyPerson(network, name="alice").come(), "Alice")
    alice.do("create", room="pub")
    carol = world.person("carol", "pub")
    carol.lines()
    answer = alice.do("encrypt", room="pub")
    assert "carol" in answer.text
    assert "/encrypt yes" in answer.text
    alice.do("say", text="still plain", room="pub")
    network.flow()
    alice.do("encrypt", room="pub", yes=True)
    network.flow()
    assert any("encrypted" in line for line in carol.lines())
    say_in = alice.do("say", text="now sealed", room="pub")
    assert isinstance(say_in, e.Said)
    assert not carol.lines()
    alice.leave()


def test_a_joiner_reads_from_its_join_on(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(alice, "before")
    dora = account(KeyPerson(network, name="dora", history=20).come(), "Dora")
    dora.do("join", room="den")
    network.flow()
    assert dora.texts == []
    say(alice, "after")
    assert (dora.texts, bob.texts) == (["after"], ["before", "after"])
    dora.leave()


def test_who_was_removed_reads_nothing_any_more(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(alice, "before")
    sid = _session(alice)
    alice.do("kick", user="Bob", room="den")
    say(alice, "after")
    assert _session(alice) != sid
    assert bob.texts == ["before"]


def _session(person: KeyPerson) -> str:
    parts = person.driver.parts
    assert parts is not None
    room = person.client.rooms["den"]
    session = parts.ring.groups.outbound._current(room.id)
    assert session is not None
    return session.name.sid


def test_edits_reactions_and_quotes_are_sealed(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(alice, "helo", "something else")
    alice.do("edit", room="den", last=2, text="hello")
    bob.do("react", room="den", last=2, emoji="👍")
    bob.do("quote", room="den", last=1, text="indeed")
    network.flow()
    (edited,) = bob.heard(e.Edited)
    assert (edited.text, edited.by) == ("hello", "Alice")
    (reacted,) = alice.heard(e.Reacted)
    assert (reacted.emoji, reacted.user, reacted.text) == ("👍", "Alice", "hello")
    assert edited.message == reacted.message == alice.heard(e.Said)[0].seq
    assert alice.heard(e.Said)[-1].quoted == e.Quoted("Alice", "something else")
    with pytest.raises(Rejected, match="no such message"):
        bob.do("edit", room="den", seq=alice.heard(e.Said)[0].seq, text="not mine")


def test_what_was_said_just_now_can_be_edited_before_its_echo_comes(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "before")
    alice.client.say("helo", "den")
    alice.do("edit", room="den", text="hello")
    (edited,) = bob.heard(e.Edited)
    assert (edited.text, edited.message) == ("hello", bob.heard(e.Said)[-1].seq)
    say(bob, "and then")
    alice.do("react", room="den", emoji="👍")
    assert [reacted.text for reacted in bob.heard(e.Reacted)] == ["and then"]


def test_a_message_that_was_refused_is_not_edited(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(bob, "before")
    alice.do("mute", room="den", user="Bob")
    bob.say_in("den", "never said")
    network.flow()
    assert bob.refused == ["muted"]
    alice.do("unmute", room="den", user="Bob")
    bob.do("edit", room="den", text="after")
    assert [edited.message for edited in alice.heard(e.Edited)] == [alice.heard(e.Said)[0].seq]


def test_what_the_server_refused_is_not_missing(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(bob, "before")
    alice.do("mute", room="den", user="Bob")
    say(bob, "never said", "nor that")
    alice.do("unmute", room="den", user="Bob")
    say(bob, "after")
    assert bob.refused == ["muted", "muted"]
    assert alice.texts == ["before", "after"]
    assert not [text for text in alice.notices if "missing" in text]


def test_a_reaction_that_is_lost_with_the_connection_is_not_missing(bob: KeyPerson, network: Network) -> None:
    """Dora has another device in the room, so that the members stay the same while her connection is lost."""
    say(bob, "before")
    dora = account(KeyPerson(network, name="dora", device=Device("laptop", "one"), several=True).come(), "Dora")
    dora.do("join", room="den")
    phone = KeyPerson(network, login=("Dora", "a good password"), device=Device("phone", "one")).come()
    dora.decide(dora.encryption.link(phone.decide(phone.encryption.keys()).code))
    phone.do("join", room="den")
    say(dora, "one")
    line = dora.driver.conversation._connection
    dora.client.do("react", room="den", emoji="👍").addErrback(lambda failure: None)
    dora.say_in("den", "two")
    (own,) = (each for each in network.lines if each.client is line)
    own.transport.clear()
    own.end()
    network.pass_time(5)
    say(dora, "three")
    assert bob.texts == ["before", "one", "two", "three"]
    assert not [text for text in bob.notices if "missing" in text]
    for device in (dora, phone):
        device.leave()


def test_a_search_is_answered_by_the_client_itself(alice: KeyPerson, bob: KeyPerson) -> None:
    say(alice, "find this needle", "and not that")
    found = bob.do("search", room="den", words="NEEDLE")
    assert [event.text for event in found.events] == ["find this needle"]


def test_what_is_said_while_the_room_is_encrypted_is_sealed(network: Network, world: World) -> None:
    alice = account(KeyPerson(network, name="alice").come(), "Alice")
    bob = account(KeyPerson(network, name="bob").come(), "Bob")
    alice.do("create", room="pub")
    bob.do("join", room="pub")
    network.flow()
    alice.client.do("encrypt", room="pub", yes=True)
    bob.client.do("say", room="pub", text="in between")
    network.flow()
    assert alice.texts == ["in between"]
    stored = repr(vars(world.chat.engine))
    assert "in between" not in stored or stored.index("in between") < stored.index("encrypted")
    alice.leave()
    bob.leave()


def test_the_room_goes_on_over_a_lost_connection(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(alice, "one")
    network.lines[1].end()
    say(alice, "two")
    network.pass_time(5)
    say(bob, "three")
    say(alice, "four")
    assert bob.texts == ["one", "two", "three", "four"] == alice.texts


def test_a_room_that_was_encrypted_gets_nothing_in_plain_text(
    alice: KeyPerson, bob: KeyPerson, network: Network, world: World
) -> None:
    say(alice, "sealed")
    alice.do("close", room="den")
    network.flow()
    carol = world.person("carol")
    carol.say("/create den")
    bob.do("join", room="den")
    network.flow()
    assert any("is not encrypted, but a room of that name was" in text for text in bob.notices)
    say(bob, "not for the server")
    assert "not for the server" not in "\n".join(carol.lines())
    assert not bob.heard(Denied)
    assert isinstance(bob.do("rooms"), a.Rooms)


def test_a_line_that_is_sealed_again_stays_before_a_later_one(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    """Somebody joins while the first line is on its way, so that the server refuses it."""
    say(alice, "first")
    dora = account(KeyPerson(network, name="dora").come(), "Dora")
    line = network.lines[0]
    dora.client.do("join", room="den")
    network.lines[2].server.send(network.lines[2].transport.value())
    network.lines[2].transport.clear()
    alice.say_in("den", "second")  # sealed for the members that alice knows of
    line.client.dataReceived(line.server.take())
    alice.say_in("den", "third")  # to be sealed for dora, too
    network.flow()
    assert bob.texts == ["first", "second", "third"]
    assert dora.texts == ["second", "third"]
    dora.leave()


def test_a_device_that_nobody_believes_seals_nothing(alice: KeyPerson, bob: KeyPerson) -> None:
    say(alice, "first")
    assert alice.driver.parts is not None
    alice.driver.parts.ring.identity.user_key = ""
    say(alice, "nobody could open this")
    assert (alice.refused, bob.texts) == (["not-linked"], ["first"])


def test_operators_see_which_rooms_are_encrypted(alice: KeyPerson, bob: KeyPerson, world: World) -> None:
    alice.do("create", room="pub")
    operations = Operations(world.chat, "root")
    rows: list[list[RoomRow]] = []
    Deferred.fromCoroutine(operations.rooms()).addCallback(rows.append)
    world.settle()
    assert {row.name: row.encrypted for row in rows[0]} == {"den": True, "pub": False}
    figures = operations.stats()
    assert (figures["rooms in use"], figures["encrypted rooms in use"]) == (2, 1)
