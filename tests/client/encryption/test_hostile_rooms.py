"""A hostile server in an encrypted room: it is refused or told, and nothing goes plain."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from client.encryption.meddling import Meddler, Record, false_list, user_id
from client.encryption.people import KeyPerson, account
from client.network import Network
from harness import World

from chatroom.client.encryption.secrecy_marks import PLAIN_MARK, SecrecyMarks
from chatroom.client.errors import Rejected
from chatroom.client.opened import OpenedSaid
from chatroom.model import events as e


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """The owner of the encrypted rooms ``den`` and ``attic``."""
    person = account(KeyPerson(network, name="alice", several=True).come(), "Alice")
    for room in ("den", "attic"):
        person.do("create", room=room)
        person.do("encrypt", room=room, yes=True)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    """A member of both rooms."""
    person = account(KeyPerson(network, name="bob", several=True).come(), "Bob")
    for room in ("den", "attic"):
        person.do("join", room=room)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def meddler(bob: KeyPerson) -> Meddler:
    """Between Bob and the server."""
    return Meddler(bob)


def say(person: KeyPerson, *texts: str, room: str = "den") -> None:
    """Say something in a room."""
    for text in texts:
        person.say_in(room, text)
    person.network.flow()


def test_a_message_that_is_replayed_under_another_number_or_id_is_refused(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler
) -> None:
    say(alice, "once")
    genuine = meddler.last("sealed")
    meddler.say(**genuine)
    assert bob.texts == ["once"]
    for change in ({"id": "another-id"}, {"id": "another-id", "at": genuine["at"] + 1}):
        meddler.say(**{**genuine, **change, "seq": genuine["seq"] + 100 + len(change)})
    assert bob.texts == ["once"]
    assert len([text for text in bob.notices if "was not shown" in text]) == 2


def test_a_message_is_not_shown_twice_under_two_numbers(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    say(alice, "pay 100")
    genuine = meddler.last("sealed")
    meddler.say(**{**genuine, "seq": genuine["seq"] + 100, "at": genuine["at"] + 1})
    assert bob.texts == ["pay 100"]
    assert any("was not shown" in text for text in bob.notices)


def test_a_message_of_another_room_is_refused(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    say(alice, "for the attic", room="attic")
    say(alice, "for the den")
    genuine = meddler.last("sealed", room="attic")
    meddler.say(**{**genuine, "room": "den", "seq": genuine["seq"] + 100, "id": "moved"})
    meddler.say(**{**genuine, "room": "den", "seq": genuine["seq"] + 101})
    bob.network.pass_time(5)
    assert [(event.room, event.text) for event in bob.heard(e.Said)] == [
        ("attic", "for the attic"),
        ("den", "for the den"),
    ]
    assert any("cannot be opened yet" in text or "was not shown" in text for text in bob.notices)


def test_a_message_under_somebody_elses_id_is_refused(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler, network: Network
) -> None:
    dora = account(KeyPerson(network, name="dora", several=True).come(), "Dora")
    dora.do("join", room="den")
    say(alice, "genuine")

    def alter(record: Record) -> list[Record]:
        if record.get("event") == "sealed" and record["by"] == "Dora":
            record = {**record, "by": "Alice", "by_id": user_id(alice)}
        return [record]

    meddler.alter = alter
    say(dora, "a lie")
    assert bob.texts == ["genuine"]
    assert any("names another sender" in text for text in bob.notices)
    dora.leave()


def test_nobody_is_shown_under_the_name_of_somebody_else_who_is_known(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler, network: Network
) -> None:
    dora = account(KeyPerson(network, name="dora", several=True).come(), "Dora")
    dora.do("join", room="den")
    say(alice, "genuine")
    meddler.alter = lambda record: [{**record, "by": "Alice"} if record.get("event") == "sealed" else record]
    say(dora, "a lie")
    assert [(event.by, event.text) for event in bob.heard(e.Said)] == [("Alice", "genuine"), ("Dora", "a lie")]
    dora.leave()


def test_withheld_messages_are_counted(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    say(alice, "one")
    meddler.alter = lambda record: [] if record.get("event") == "sealed" else [record]
    say(alice, "two", "three")
    meddler.alter = lambda record: [record]
    say(alice, "four")
    assert bob.texts == ["one", "four"]
    assert "2 messages of Alice are missing before this one." in bob.notices


def test_a_withheld_key_is_told_and_asked_for(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    withheld: list[Record] = []

    def alter(record: Record) -> list[Record]:
        if record.get("event") == "e2e-from":
            withheld.append(record)
            return []
        return [record]

    meddler.alter = alter
    say(alice, "without a key")
    assert bob.texts == []
    assert any("key is missing" in text for text in bob.notices)
    meddler.alter = lambda record: [record]
    meddler.say(**withheld[0])
    assert bob.texts == ["without a key"]


def test_a_room_that_the_server_calls_plain_gets_only_sealed_messages(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler, network: Network
) -> None:
    say(bob, "sealed")

    def alter(record: Record) -> list[Record]:
        return [{**record, "encrypted": False} if record.get("event") == "entered" else record]

    meddler.alter = alter
    bob.driver.conversation.drop("a test")
    network.pass_time(5)
    assert any("is not encrypted, which it was" in text for text in bob.notices)
    said: list[Record] = []
    server = Meddler(alice)
    server.alter = lambda record: (said.append(record), [record])[1]  # type: ignore[func-returns-value]
    say(bob, "still sealed")
    assert not [record for record in said if record.get("event") == "said"]
    assert alice.texts == ["sealed", "still sealed"]


def test_a_plain_message_in_an_encrypted_room_is_marked(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler, network: Network
) -> None:
    say(alice, "sealed")
    forged = {"id": "f1", "at": 0, "by": "Alice", "by_id": user_id(alice), "room": "den"}
    meddler.say(event="said", text="forged", seq=500, encrypted=True, **forged)
    marks = SecrecyMarks(bob.client.privacy, lambda: "Bob")
    assert {event.text: marks.of(event) for event in bob.heard(e.Said)} == {"sealed": "", "forged": PLAIN_MARK}


def test_a_plain_change_of_a_sealed_message_is_refused(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    say(alice, "sealed")
    (said,) = bob.heard(e.Said)
    forged = {"id": "f1", "at": 0, "by": "Alice", "by_id": user_id(alice), "room": "den", "message": said.seq}
    meddler.say(event="edited", text="forged", seq=500, **forged)
    meddler.say(event="reacted", emoji="👍", on=True, user="Alice", text="sealed", seq=501, **forged)
    assert not bob.heard(e.Edited)
    assert not bob.heard(e.Reacted)
    assert len([text for text in bob.notices if "came without encryption" in text]) == 2
    found = bob.do("search", room="den", words="forged")
    assert found.events == []


def test_a_plain_change_is_refused_where_nothing_sealed_was_seen_yet(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler
) -> None:
    forged = {"id": "f1", "at": 0, "by": "Alice", "by_id": user_id(alice), "room": "den", "message": 1}
    meddler.say(event="edited", text="forged", seq=500, **forged)
    assert not bob.heard(e.Edited)
    assert any("came without encryption" in text for text in bob.notices)


def test_changes_by_somebody_else_are_refused(alice: KeyPerson, bob: KeyPerson) -> None:
    say(alice, "mine")
    (said,) = alice.heard(e.Said)
    _seal(bob, "den", "edit", {"message": said.id, "text": "forged"})
    assert not alice.heard(e.Edited)
    assert any("not from the author" in text for text in alice.notices)


def test_changes_from_another_room_are_refused(alice: KeyPerson, bob: KeyPerson) -> None:
    say(bob, "mine")
    (said,) = alice.heard(e.Said)
    for kind, body in (("edit", {"text": "forged"}), ("react", {"emoji": "👍", "on": True})):
        _seal(bob, "attic", kind, {**body, "message": said.id})
    assert not alice.heard(e.Edited)
    assert not alice.heard(e.Reacted)
    assert len([text for text in alice.notices if "a message that this device does not have" in text]) == 2


def test_a_message_cannot_have_the_id_of_somebody_elses(alice: KeyPerson, bob: KeyPerson) -> None:
    say(alice, "mine")
    (said,) = alice.heard(e.Said)
    bob.client.do("say", room="den", text="in its place", id=said.id).addErrback(lambda failure: None)
    bob.network.flow()
    assert alice.texts == ["mine"]
    assert any("has the id of another one" in text for text in alice.notices)


def test_an_edit_that_comes_before_its_message_is_believed_of_the_author_only(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    carol = account(KeyPerson(network, name="carol", several=True).come(), "Carol")
    carol.do("join", room="den")
    say(bob, "the first of its key")
    parts = alice.driver.parts
    assert parts is not None

    async def not_yet() -> None:
        pass

    genuine, parts.room_keys.ask = parts.room_keys.ask, not_yet  # type: ignore[method-assign]
    for name in parts.ring.groups.inbound.names():
        parts.ring.groups.inbound.forget(name)
    say(bob, "genuine")
    _seal(carol, "den", "edit", {"message": carol.heard(e.Said)[-1].id, "text": "forged"})
    alice.decide(genuine())
    assert [(said.text, said.edited) for said in alice.heard(e.Said)[1:]] == [("genuine", 0)]
    carol.leave()


def test_a_file_cannot_be_edited_and_takes_no_messages_place(alice: KeyPerson, bob: KeyPerson) -> None:
    say(alice, "mine")
    (said,) = bob.heard(e.Said)
    file = {"at": 1, "room": "den", "file": "f", "number": 1, "name": "0" * 32, "size": 3, "sha256": "0"}
    for id, by_id, seq in (("f", user_id(alice), 50), (said.id, user_id(bob), 51)):
        bob.driver.opening.note(e.Shared(id=id, by="Alice", by_id=by_id, seq=seq, sealed=True, **file))  # type: ignore[arg-type]
    _seal(alice, "den", "edit", {"message": "f", "text": "a text"})
    assert not bob.heard(e.Edited)
    _seal(alice, "den", "edit", {"message": said.id, "text": "better"})
    assert [edited.message for edited in bob.heard(e.Edited)] == [said.seq]


def _seal(person: KeyPerson, name: str, kind: str, body: Record) -> None:
    """Send what an honest client would not send, sealed as it should be."""
    parts = person.driver.parts
    assert parts is not None

    async def sealed(record: Record, room: object) -> tuple[str, Record]:
        return kind, body

    parts.room._body = sealed  # type: ignore[method-assign]
    say(person, "not sent as given", room=name)
    del parts.room._body


def test_a_ghost_among_the_members_devices_is_refused(alice: KeyPerson, bob: KeyPerson, meddler: Meddler) -> None:
    def haunted(listed: Record) -> Record:
        ghost = false_list(listed)["devices"][0]
        return {**listed, "rev": listed["rev"] + 1, "devices": [*listed["devices"], ghost]}

    meddler.swap_list(user_id(alice), haunted)

    def with_revs(record: Record) -> list[Record]:
        if record.get("event") == "member-ids":
            members = [[id, name, rev + (id == user_id(alice))] for id, name, rev in record["members"]]
            record = {**record, "members": members}
        return swapped(record)

    swapped, meddler.alter = meddler.alter, with_revs
    bob.say_in("den", "not for ghosts")
    bob.network.flow()
    assert bob.refused == ["forged"]
    assert alice.texts == []


def test_a_member_with_a_swapped_user_key_gets_no_key_and_that_is_told(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler, network: Network
) -> None:
    say(bob, "before")
    meddler.swap_list(user_id(alice), lambda listed: false_list(listed, listed["rev"] + 1))

    def with_revs(record: Record) -> list[Record]:
        if record.get("event") == "member-ids":
            members = [[id, name, rev + (id == user_id(alice))] for id, name, rev in record["members"]]
            record = {**record, "members": members}
        return swapped(record)

    swapped, meddler.alter = meddler.alter, with_revs
    say(bob, "after")
    network.pass_time(5)
    assert alice.texts == ["before"]
    assert any("Alice's key has changed" in text for text in bob.notices)
    assert any("Alice cannot read what you write here" in text for text in bob.notices)


def test_who_is_not_in_the_room_any_more_by_the_servers_word_cannot_read_on(
    alice: KeyPerson, bob: KeyPerson, network: Network, world: World
) -> None:
    say(alice, "before")
    bob.do("leave", room="den")
    say(alice, "after")
    assert bob.texts == ["before"]


def test_an_opened_message_of_a_room_is_known_as_one(alice: KeyPerson, bob: KeyPerson) -> None:
    say(alice, "sealed")
    (said,) = bob.heard(e.Said)
    assert isinstance(said, OpenedSaid)
    assert bob.encryption.sealed(said)
    found = bob.do("search", room="den", words="sealed")
    assert [bob.encryption.sealed(event) for event in found.events] == [True]


def test_a_plain_command_that_the_server_pretends_to_have_wanted_is_not_given(
    alice: KeyPerson, bob: KeyPerson, meddler: Meddler
) -> None:
    """A server that refuses sealed messages gets no plain ones instead."""

    def alter(record: Record) -> list[Record]:
        if record.get("event") == "sealed" and record["by"] == "Bob":
            return [
                {"event": "error", "code": "unknown-command", "text": "No such command.", "re": next(iter(waiting))}
            ]
        return [record]

    waiting = bob.driver.conversation._outgoing._by_ref
    meddler.alter = alter
    with pytest.raises(Rejected, match="No such command"):
        bob.do("say", room="den", text="only sealed")
    assert not [event for event in alice.heard(e.Said) if not isinstance(event, OpenedSaid)]
