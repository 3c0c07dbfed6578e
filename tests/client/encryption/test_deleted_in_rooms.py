"""What was deleted in an encrypted room stays deleted: on the screen, in memory, in the history, behind late keys."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.encryption.meddling import Meddler
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.encryption.room_lines import KeptRoomLine
from chatroom.client.plain_text import lines_of
from chatroom.model import events as e
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
    """A member of the room, who is shown what was said before he joins."""
    fields = {"name": "bob", "several": True, "device": Device("laptop", "one"), "history": 50}
    person = account(KeyPerson(network, **fields).come(), "Bob")
    person.do("join", room="den")
    network.flow()
    yield person
    person.leave()


def linked(bob: KeyPerson) -> KeyPerson:
    """Return another device of Bob, which is linked now and not in the room yet."""
    fields = {"login": ("Bob", "a good password"), "device": Device("phone", "one"), "history": 50}
    person = KeyPerson(bob.network, several=True, **fields).come()
    bob.decide(bob.encryption.link(person.decide(person.encryption.keys()).code))
    return person


def say(person: KeyPerson, text: str) -> int:
    """Say something in the room. Returns the seq of the message."""
    person.say_in("den", text)
    person.network.flow()
    return [event for event in person.heard(e.Said) if event.text == text][-1].seq


def told(person: KeyPerson) -> list[str]:
    """Return all that a person was told, as lines."""
    return [line for event in person.heard(e.Event) for line in lines_of(event)] + person.notices


def line(bob: KeyPerson, text: str) -> KeptRoomLine | None:
    """Return what this client keeps of a message that Bob has heard with a text."""
    parts = bob.driver.parts
    assert parts is not None
    event = next(event for event in bob.heard(e.Said) if event.text == text)
    return parts.memory.find(bob.client.rooms["den"].id, event.id)


def test_a_message_that_was_edited_and_deleted_does_not_come_back_with_the_next_join(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    seq = say(alice, "as it was")
    alice.do("edit", room="den", seq=seq, text="SECRETWORD")
    alice.do("delete", room="den", seq=seq)
    bob.do("leave", room="den")
    heard = len(bob.heard(e.Event))
    bob.do("join", room="den")
    network.flow()
    after = bob.heard(e.Event)[heard:]
    assert [event.ct for event in after if isinstance(event, e.SealedMessage)] == [""]
    assert not [event for event in after if isinstance(event, e.Edited)]
    assert not [text for event in after for text in lines_of(event) if "SECRETWORD" in text]


def test_an_edit_or_a_reaction_that_comes_after_the_deletion_changes_nothing(alice: KeyPerson, bob: KeyPerson) -> None:
    say(alice, "as it was")
    kept = line(bob, "as it was")
    assert kept is not None
    gone = KeptRoomLine(id=kept.id, seq=kept.seq, at=kept.at, by=kept.by, by_id=kept.by_id, text="")
    who = {"message": kept.seq, "by": kept.by, "by_id": kept.by_id, "room": "den"}
    edited = e.Edited(id="x", seq=kept.seq + 5, at=kept.at, text="SECRETWORD", **who)
    reacted = e.Reacted(id="y", seq=kept.seq + 6, at=kept.at, emoji="👍", on=True, **who)
    assert gone.after(edited) is gone
    assert gone.after(reacted) is gone


def test_an_edit_is_not_told_of_a_message_that_came_only_as_a_deleted_one(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    phone = linked(bob)
    phone.do("join", room="den")
    network.lines[1].end()  # Bob's laptop; his phone stays in the room
    seq = say(alice, "as it was")
    alice.do("edit", room="den", seq=seq, text="SECRETWORD")
    alice.do("delete", room="den", seq=seq)
    network.pass_time(5)
    assert [event.ct for event in bob.heard(e.SealedMessage)] == [""]
    assert not [text for text in told(bob) if "SECRETWORD" in text]
    phone.leave()


def test_a_message_that_was_deleted_while_this_client_was_away_leaves_its_history(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    seq = say(alice, "SECRETWORD")
    bob.do("leave", room="den")
    alice.do("delete", room="den", seq=seq)
    room = Meddler(bob)
    room.alter = lambda record: [] if record.get("event") == "deleted" else [record]  # it is further back than we look
    bob.do("join", room="den")
    network.flow()
    kept = line(bob, "SECRETWORD")
    assert kept is None or not kept.text
    found = bob.do("search", room="den", words="SECRETWORD")
    assert found.events == []


def test_a_page_of_the_history_takes_what_was_deleted_out_of_this_clients_own(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    seq = say(alice, "SECRETWORD")
    Meddler(bob).alter = lambda record: [] if record.get("event") == "deleted" else [record]
    alice.do("delete", room="den", seq=seq)
    bob.do("history", room="den", messages=10)
    assert bob.do("search", room="den", words="SECRETWORD").events == []


def test_a_message_that_is_deleted_before_its_key_comes_is_not_shown(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    seq = say(alice, "SECRETWORD")
    assert bob.driver.parts is not None
    given = bob.driver.parts.mail.takers["room.key.request"]
    phone = linked(bob)
    asked: list[tuple[object, ...]] = []
    bob.driver.parts.mail.takers["room.key.request"] = lambda *args: asked.append(args)
    assert alice.driver.parts is not None
    alice.driver.parts.mail.takers["room.key.request"] = lambda *args: None
    phone.do("join", room="den")
    network.pass_time(3)
    assert asked
    alice.do("delete", room="den", seq=seq)
    for args in asked:
        given(*args)  # type: ignore[arg-type]
    network.flow()
    assert say(alice, "after")
    assert "after" in phone.texts
    assert not [text for text in told(phone) if "SECRETWORD" in text]
    assert not [text for text in phone.notices if "missing before" in text]
    phone.leave()
