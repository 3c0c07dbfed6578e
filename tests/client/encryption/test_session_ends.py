"""What a server withholds at the end of a session of an encrypted room is told when the next session begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from client.encryption.people import KeyPerson, account
from client.encryption.withholding import Withholding, lost, missing, say
from client.network import Network

from chatroom.client.crypto.room_messages import SessionName
from chatroom.client.crypto.room_plaintext import SessionEnd, mark_of
from chatroom.client.encryption.room_streams import RoomStreams
from chatroom.model import events as e
from chatroom.model.device import Device

DAY = 24 * 3600  # seconds
LAPTOP = Device("laptop", "one")


@pytest.fixture
def alice(network: Network) -> Iterator[KeyPerson]:
    """The owner of the encrypted room ``den``."""
    person = account(KeyPerson(network, name="alice", several=True, device=LAPTOP).come(), "Alice")
    person.do("create", room="den")
    person.do("encrypt", room="den", yes=True)
    network.flow()
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    yield from member(network, "Bob")


@pytest.fixture
def carol(network: Network, alice: KeyPerson) -> Iterator[KeyPerson]:
    yield from member(network, "Carol")


def member(network: Network, name: str) -> Iterator[KeyPerson]:
    """Yield a member of the room, who leaves at the end."""
    person = account(KeyPerson(network, name=name.lower(), several=True, device=LAPTOP).come(), name)
    person.do("join", room="den")
    network.flow()
    yield person
    person.leave()


def by_number(alice: KeyPerson, carol: KeyPerson) -> None:
    """Let her session have a hundred messages."""


def by_leaving(alice: KeyPerson, carol: KeyPerson) -> None:
    """Let a member leave."""
    carol.do("leave", room="den")


def by_time(alice: KeyPerson, carol: KeyPerson) -> None:
    """Let a day pass."""
    alice.network.pass_time(DAY)


def by_coming_back(alice: KeyPerson, carol: KeyPerson) -> None:
    """Let the author leave and join again."""
    alice.do("leave", room="den")
    alice.do("join", room="den")


def by_reconnecting(alice: KeyPerson, carol: KeyPerson) -> None:
    """Cut the line of the author while something is under way that is not sent again."""
    alice.client.do("react", room="den", last=1, emoji="👍").addErrback(lambda failure: None)
    alice.network.lines[0].end()
    alice.network.pass_time(5)


ENDINGS = [by_number, by_leaving, by_time, by_coming_back, by_reconnecting]


@pytest.mark.parametrize("end", ENDINGS)
@pytest.mark.parametrize("number", [0, 1, 2, 5])
def test_the_last_messages_of_a_session_that_are_withheld_are_told_once(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, end: Callable[[KeyPerson, KeyPerson], None], number: int
) -> None:
    server = Withholding(bob)
    most = 100 if end is by_number else number + 2
    say(alice, *(str(i) for i in range(most - number)))
    server.on = True
    say(alice, *(f"withheld {i}" for i in range(number)))
    server.on = False
    end(alice, carol)
    say(alice, "after", "and more")
    assert bob.texts[-2:] == ["after", "and more"]
    assert missing(bob) == lost(number)
    assert not missing(alice, carol)


@pytest.mark.parametrize("number", [1, 3])
def test_it_is_told_if_the_first_messages_of_the_next_session_are_withheld_too(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, number: int
) -> None:
    server = Withholding(bob)
    say(alice, "before")
    server.on = True
    say(alice, "withheld")
    by_leaving(alice, carol)
    say(alice, *(f"withheld {i}" for i in range(number)))
    server.on = False
    say(alice, "after", "and more")
    assert missing(bob) == lost(number)


def test_the_end_of_a_session_that_was_sent_at_once_with_the_next_one_is_told_with_what_is_said_later(
    alice: KeyPerson, bob: KeyPerson
) -> None:
    server = Withholding(bob)
    say(alice, *(str(i) for i in range(97)))
    server.most = 3
    server.on = True
    for i in range(8):
        alice.say_in("den", f"at once {i}")
    bob.network.flow()
    assert bob.texts[97:] == [f"at once {i}" for i in range(3, 8)]
    say(alice, "after", "and more")
    assert missing(bob) == lost(3)


def test_a_session_that_is_withheld_with_its_key_is_told(alice: KeyPerson, bob: KeyPerson, carol: KeyPerson) -> None:
    server = Withholding(bob)
    say(alice, "before")
    by_leaving(alice, carol)
    server.on = server.keys = True
    say(alice, "one", "two", "three")
    server.on = server.keys = False
    by_coming_back(alice, carol)
    for text in ("after", "and more"):  # both say it, because they are under way at the same time
        alice.say_in("den", text)
    bob.network.flow()
    assert missing(bob) == lost(3)


@pytest.mark.parametrize("number", [0, 1])
def test_the_end_of_a_session_whose_key_comes_late_is_told(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, tmp_path: Path, number: int
) -> None:
    server = Withholding(bob)
    say(alice, "before")
    by_coming_back(alice, carol)
    server.keys = True
    say(alice, "one", "two")
    server.on = True
    say(alice, *(f"withheld {i}" for i in range(number)))
    server.keys = server.on = False
    by_coming_back(alice, carol)
    say(alice, "after", "and more")
    assert bob.texts == ["before", "after", "and more"]
    assert not missing(bob)
    carol.decide(carol.encryption.export_keys(tmp_path / "keys", "a long passphrase"))
    bob.decide(bob.encryption.import_keys(tmp_path / "keys", "a long passphrase"))
    assert bob.texts == ["before", "after", "and more", "one", "two"]
    assert missing(bob) == lost(number)


def test_the_first_messages_of_a_session_whose_key_is_withheld_at_first_are_told(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson
) -> None:
    server = Withholding(bob)
    say(alice, "before")
    by_coming_back(alice, carol)
    server.on = server.keys = True
    say(alice, "withheld", "withheld, too")
    server.on = server.keys = False
    say(alice, "after")  # its key is asked for
    alice.network.pass_time(3)
    assert bob.texts == ["before", "after"]
    assert missing(bob) == lost(2)


def test_what_comes_late_is_not_told_again(alice: KeyPerson, bob: KeyPerson, carol: KeyPerson) -> None:
    server = Withholding(bob)
    say(alice, "before")
    server.on = True
    say(alice, "one", "two")
    server.on = False
    by_leaving(alice, carol)
    say(alice, "after")
    server.kept = [{**server.kept[1], "seq": server.kept[1]["seq"] + 10}]
    server.give()
    assert bob.texts == ["before", "after", "two"]
    assert missing(bob) == lost(2)


# ---- no false alarm --------------------------------------------------------------------------------------------------


def test_who_joins_between_two_sessions_misses_nothing(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, network: Network
) -> None:
    say(alice, "one", "two")
    dora = account(KeyPerson(network, name="dora", several=True).come(), "Dora")  # type: ignore[arg-type]
    dora.do("join", room="den")
    say(alice, "three")
    by_leaving(alice, carol)
    say(alice, "four", "five")
    dora.do("leave", room="den")
    say(alice, "six")
    dora.do("join", room="den")
    say(alice, "seven", "eight")
    assert dora.texts[-2:] == ["seven", "eight"]
    assert not missing(bob, dora)
    dora.leave()


def test_another_device_of_the_author_was_heard_before_the_session_of_this_one(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    say(alice, "one", "two")
    phone = KeyPerson(network, login=("Alice", "a good password"), device=Device("phone", "one")).come()  # type: ignore[arg-type]
    alice.decide(alice.encryption.link(phone.decide(phone.encryption.keys()).code))
    phone.do("join", room="den")
    dora = account(KeyPerson(network, name="dora", several=True).come(), "Dora")  # type: ignore[arg-type]
    dora.do("join", room="den")
    say(phone, "three")
    say(alice, "four", "five")
    assert dora.texts == ["three", "four", "five"]
    assert not missing(bob, dora)
    for person in (phone, dora):
        person.leave()


def test_the_session_before_may_be_named_late_and_be_from_before_the_stream() -> None:
    streams, name = RoomStreams(), SessionName("room-1", "sid", ("alice", "A"))
    streams.entered("room-1", 9, again=False)
    assert streams.came(name, 10, 0, 0) == 0
    assert streams.ended(name, SessionEnd(mark_of("before"), 7), 11) == 0


def test_a_client_that_was_not_there_misses_nothing(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, network: Network
) -> None:
    say(alice, "one", "two")
    stores = bob.stores
    bob.leave()
    say(alice, "three", "four")
    by_leaving(alice, carol)
    say(alice, "five", "six")
    for history in (0, 1, 3):
        fields = {"login": ("Bob", "a good password"), "device": LAPTOP, "room": "den", "several": True}
        new = KeyPerson(network, stores, history=history, **fields)  # type: ignore[arg-type]
        new.come()
        network.pass_time(3)
        say(alice, "seven")
        by_coming_back(alice, carol)
        say(alice, "eight")
        new.do("history", room="den", messages=50)
        say(alice, "nine")
        assert not missing(new)
        new.leave()


def test_what_was_read_in_the_history_is_not_missing(alice: KeyPerson, bob: KeyPerson, carol: KeyPerson) -> None:
    server = Withholding(bob)
    say(alice, "one")
    server.on = True
    say(alice, "two", "three")
    server.on = False
    answer = bob.do("history", room="den", messages=50)
    assert [event.text for event in answer.events if isinstance(event, e.Said)] == ["one", "two", "three"]
    by_leaving(alice, carol)
    say(alice, "after")
    assert not missing(bob)


@pytest.mark.parametrize("new_stream", [False, True])
def test_keys_that_come_after_the_next_session_make_nothing_missing(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, network: Network, tmp_path: Path, new_stream: bool
) -> None:
    say(alice, "one", "two", "three")
    dora = account(KeyPerson(network, name="dora", several=True, history=2).come(), "Dora")  # type: ignore[arg-type]
    dora.do("join", room="den")
    say(alice, "four")
    by_leaving(alice, carol)
    say(alice, "five")
    if new_stream:
        dora.do("ignore", user="Bob")
        say(alice, "six")
    bob.decide(bob.encryption.export_keys(tmp_path / "keys", "a long passphrase"))
    dora.decide(dora.encryption.import_keys(tmp_path / "keys", "a long passphrase"))
    assert {"two", "three"} <= set(dora.texts)
    assert not missing(dora)
    dora.leave()


def test_the_end_of_a_session_that_was_deleted_is_not_missing(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, network: Network
) -> None:
    say(alice, "one")
    network.lines[1].end()
    say(alice, "two", "three")
    for said in alice.heard(e.Said)[1:]:
        alice.do("delete", room="den", seq=said.seq)
    network.pass_time(5)
    by_leaving(alice, carol)
    say(alice, "after")
    assert bob.texts == ["one", "after"]
    assert not missing(bob)


def test_a_session_of_which_all_was_deleted_is_not_missing(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, network: Network
) -> None:
    say(alice, "one")
    by_leaving(alice, carol)
    network.lines[1].end()
    say(alice, "two", "three")
    for said in alice.heard(e.Said)[1:]:
        alice.do("delete", room="den", seq=said.seq)
    network.pass_time(5)
    by_coming_back(alice, carol)
    say(alice, "after")
    assert bob.texts == ["one", "after"]
    assert not missing(bob)


def test_the_end_of_a_session_of_somebody_who_was_ignored_is_not_missing(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson
) -> None:
    say(alice, "one")
    bob.do("ignore", user="Alice")
    say(alice, "two")
    by_leaving(alice, carol)
    say(alice, "three")
    bob.do("ignore", user="Alice", on=False)
    say(alice, "four")
    by_coming_back(alice, carol)
    say(alice, "five", "six")
    assert bob.texts == ["one", "four", "five", "six"]
    assert not missing(bob)


def test_what_the_server_refused_at_the_end_is_not_missing(alice: KeyPerson, bob: KeyPerson, carol: KeyPerson) -> None:
    say(bob, "one", "two")
    alice.do("mute", room="den", user="Bob", minutes=5)
    bob.client.do("say", room="den", text="refused").addErrback(lambda failure: None)
    bob.network.flow()
    alice.do("unmute", room="den", user="Bob")
    by_leaving(alice, carol)
    say(bob, "three", "four")
    assert alice.texts == ["one", "two", "three", "four"]
    assert not missing(alice)


def test_a_change_of_members_while_messages_are_under_way_makes_nothing_missing(
    alice: KeyPerson, bob: KeyPerson, carol: KeyPerson, network: Network
) -> None:
    for i in range(120):
        alice.say_in("den", str(i))
        if i == 60:
            carol.client.do("leave", room="den")
    network.flow()
    assert [text for text in bob.texts if text.isdigit()] == [str(i) for i in range(120)]
    say(alice, "after")
    assert not missing(bob, alice)
