"""What the windows show of encrypted rooms and conversations after the client was started again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network

from chatroom.client.errors import Rejected
from chatroom.client.opened import PrivateChange, SentSealed
from chatroom.client.status import SecurityNotice
from chatroom.model import events as e
from chatroom.model.device import Device

LAPTOP = Device("laptop", "1")


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
def bob(network: Network, alice: KeyPerson) -> KeyPerson:
    """A member of the room."""
    person = account(KeyPerson(network, name="bob", several=True, device=LAPTOP).come(), "Bob")
    person.do("join", room="den")
    network.flow()
    return person


def started_again(person: KeyPerson, history: int = 10) -> KeyPerson:
    """Stop somebody's client, who has read everything, and start it again; it is told so many messages of the room."""
    person.client.mark_read(person.client.rooms["den"].after, room="den")
    login = person.client.state.credentials.login
    person.leave()
    fields: dict[str, Any] = {"several": True, "login": login, "device": LAPTOP, "history": history, "room": "den"}
    again = KeyPerson(person.network, person.stores, **fields)
    again.come()
    return again


def say(person: KeyPerson, *texts: str) -> None:
    """Say something in the room."""
    for text in texts:
        person.say_in("den", text)
    person.network.flow()


def alarms(person: KeyPerson) -> list[str]:
    """Return the errors that were told."""
    return [notice.text for notice in person.heard(SecurityNotice) if notice.alarm]


def test_what_is_about_messages_before_the_replay_is_resolved(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "first", "second", "third")
    alice.do("quote", room="den", last=3, text="an answer")
    alice.do("react", room="den", last=3, emoji="👍")
    alice.do("edit", room="den", last=3, text="second, better")
    again = started_again(bob, history=3)
    assert alarms(again) == []
    (answer,) = again.heard(e.Said)
    assert (answer.text, answer.quoted) == ("an answer", e.Quoted("Alice", "first"))
    (reacted,) = again.heard(e.Reacted)
    assert (reacted.user, reacted.text) == ("Alice", "second, better")
    assert [edited.text for edited in again.heard(e.Edited)] == ["second, better"]
    again.leave()


def test_the_history_has_each_message_with_what_was_done_to_it(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "first", "helo")
    alice.do("edit", room="den", text="hello")
    bob.do("react", room="den", last=1, emoji="👍")
    bob.do("react", room="den", last=2, emoji="👎")
    bob.do("react", room="den", last=2, emoji="👎", on=False)
    alice.do("quote", room="den", last=2, text="indeed")
    again = started_again(bob, history=2)
    for person in (alice, again):
        history = person.do("history", room="den", messages=20)
        assert [(event.text, bool(event.edited)) for event in history.events] == [
            ("first", False),
            ("hello", True),
            ("indeed", False),
        ]
        assert [[each.emoji for each in event.reactions] for event in history.events] == [[], ["👍"], []]
        assert history.events[-1].quoted == e.Quoted("Alice", "first")
        assert not [text for text in person.notices if "cannot be opened" in text]
    found = again.do("search", room="den", words="indeed").events
    assert [event.quoted for event in found] == [e.Quoted("Alice", "first")]
    again.leave()


def test_a_change_of_a_message_that_is_opened_later_is_kept_for_it(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    dora = account(KeyPerson(network, name="dora", several=True).come(), "Dora")
    dora.do("join", room="den")
    say(alice, "the first of its key")
    parts = bob.driver.parts
    assert parts is not None

    async def not_yet() -> None:
        pass

    genuine, parts.room_keys.ask = parts.room_keys.ask, not_yet  # type: ignore[method-assign]
    for name in parts.ring.groups.inbound.names():
        parts.ring.groups.inbound.forget(name)
    say(alice, "hello")
    dora.do("react", room="den", last=1, emoji="👍")
    assert "Dora reacted 👍 to a message that this device does not have." in bob.notices
    bob.decide(genuine())
    assert [(event.text, [each.emoji for each in event.reactions]) for event in bob.heard(e.Said)[1:]] == [
        ("hello", ["👍"])
    ]
    assert alarms(bob) == []
    for person in (dora, bob):
        person.leave()


def test_what_is_said_about_a_message_from_before_ones_time_is_no_error(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "before")
    dora = account(KeyPerson(network, name="dora", several=True).come(), "Dora")
    dora.do("join", room="den")
    network.flow()
    alice.do("react", room="den", last=1, emoji="👍")
    alice.do("quote", room="den", last=1, text="an answer")
    assert alarms(dora) == []
    assert "Alice reacted 👍 to a message that this device does not have." in dora.notices
    assert dora.heard(e.Said)[-1].quoted == e.Quoted("", "")
    for person in (dora, bob):
        person.leave()


def test_a_deleted_message_stays_deleted(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(alice, "a secret", *(f"message {number}" for number in range(3)))
    again = started_again(bob, history=2)
    alice.do("delete", room="den", last=4)
    assert again.do("search", room="den", words="secret").events == []
    history = again.do("history", room="den", messages=20)
    assert isinstance(history.events[0], e.SealedMessage)
    assert [event.text for event in history.events[1:]] == ["message 0", "message 1", "message 2"]
    again.leave()


def test_a_deletion_counts_messages_and_not_what_was_done_to_them(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one", "two", "three")
    alice.do("react", room="den", emoji="👍")
    alice.do("edit", room="den", last=2, text="two, better")
    alice.do("delete", room="den")
    alice.client.say("four", "den")
    alice.do("delete", room="den")
    alice.do("delete", room="den", last=2)
    history = bob.do("history", room="den", messages=20)
    assert [event.text for event in history.events] == ["", "two, better", "", ""]
    with pytest.raises(Rejected, match="no such message"):
        alice.do("delete", room="den", last=2)
    bob.leave()


def test_the_history_has_as_many_messages_as_were_asked_for(alice: KeyPerson, bob: KeyPerson) -> None:
    say(alice, "one", "two", "three", "four")
    for emoji in "👍👎🎉":
        alice.do("react", room="den", emoji=emoji)
    history = bob.do("history", room="den", messages=3)
    assert [event.text for event in history.events] == ["two", "three", "four"]
    assert not history.complete
    earlier = bob.do("history", room="den", messages=3, before=history.searched_to)
    assert ([event.text for event in earlier.events], earlier.complete) == (["one"], True)
    assert [event.text for event in bob.do("history", room="den").events] == ["one", "two", "three", "four"]
    bob.leave()


def test_a_shared_file_counts_as_a_message(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    say(alice, "hello")
    file: dict[str, Any] = {"id": "f", "at": 1, "by": "Alice", "by_id": alice.client.state.user_id, "room": "den"}
    shared = e.Shared(**file, seq=50, file="1", number=1, name="0" * 32, size=3, sha256="0", sealed=True)
    for person in (alice, bob):
        person.driver.opening.note(shared)
    bob.do("react", room="den", emoji="👍")
    bob.do("quote", room="den", last=1, text="thank you")
    network.flow()
    (reacted,) = alice.heard(e.Reacted)
    assert (reacted.message, reacted.text) == (50, "an encrypted file")
    assert alice.heard(e.Said)[-1].quoted == e.Quoted("Alice", "an encrypted file")
    alice.do("edit", room="den", text="hello again")
    assert [edited.text for edited in bob.heard(e.Edited)] == ["hello again"]
    assert alice.do("search", room="den", words="encrypted").events == []
    forged = e.Shared(
        **{**file, "id": alice.heard(e.Said)[0].id, "by_id": "bob"},
        seq=51,
        file="2",
        number=2,
        name="1" * 32,
        size=3,
        sha256="0",
        sealed=True,
    )
    bob.driver.opening.note(forged)
    alice.do("edit", room="den", text="and again")
    assert bob.heard(e.Edited)[-1].text == "and again"
    bob.leave()


def test_reactions_to_private_messages_are_kept(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    alice.do("message", user="Bob", text="hello")
    bob.do("react", user="Alice", last=1, emoji="👍")
    bob.do("react", user="Alice", last=1, emoji="👎")
    bob.do("react", user="Alice", last=1, emoji="👎", on=False)
    alice.do("react", user="Bob", last=1, emoji="🎉")
    again = started_again(bob)
    for person, other in ((alice, "Bob"), (again, "Alice")):
        (message,) = person.do("history", user=other, messages=10).events
        assert [(each.emoji, each.by) for each in message.reactions] == [("👍", "Bob"), ("🎉", "Alice")]
    again.leave()


def test_ones_own_quote_says_what_it_answers_at_once(alice: KeyPerson, bob: KeyPerson) -> None:
    alice.do("message", user="Bob", text="shall we?")
    sent = bob.do("quote", user="Alice", last=1, text="yes")
    assert isinstance(sent, SentSealed)
    assert sent.quoted == e.Quoted("Alice", "shall we?")
    bob.leave()


def test_what_was_refused_is_not_in_the_history(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    alice.do("message", user="Bob", text="hello")
    parts = alice.driver.parts
    assert parts is not None

    async def refused(*args: Any, **fields: Any) -> None:
        raise Rejected("muted", "no")

    genuine, parts.private._server.send = parts.private._server.send, refused  # type: ignore[assignment,method-assign]
    for do, fields in (
        ("message", {"text": "not said"}),
        ("edit", {"text": "not edited"}),
        ("react", {"emoji": "👍"}),
        ("delete", {}),
    ):
        with pytest.raises(Rejected, match="no"):
            alice.do(do, user="Bob", **fields)
    parts.private._server.send = genuine  # type: ignore[method-assign]
    (message,) = alice.do("history", user="Bob", messages=10).events
    assert (message.text, message.reactions) == ("hello", ())
    assert not alice.heard(PrivateChange)
    bob.leave()
