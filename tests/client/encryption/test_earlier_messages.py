"""What a crash of the client has left unconfirmed: given again, sealed, before what is said later."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from client.encryption.crashing import MortalNetwork, SlowStore, SlowStores, Wiretap, mortal
from client.encryption.meddling import Meddler, Record
from client.encryption.people import KeyPerson
from client.network import Network
from harness import World
from twisted.internet.defer import fail

from chatroom.client.crypto.rows import MemoryRows
from chatroom.client.encryption.earlier_messages import EarlierMessages
from chatroom.client.encryption.outbox import SealedOutbox
from chatroom.client.errors import Rejected
from chatroom.client.status import SecurityNotice

PASSWORD = "a good password"
WORDS = ["canary 1", "canary 2", "canary 3"]


@pytest.fixture
def tap(monkeypatch: pytest.MonkeyPatch) -> Wiretap:
    """All that clients send."""
    return Wiretap(monkeypatch)


class Alice:
    """Somebody with an encrypted room, whose client can be killed.

    Args:
        network: The network.
        world: The server.
    """

    def __init__(self, network: Network, world: World) -> None:
        self._network = network
        self._stores = SlowStores(world.clock)
        world.program().record(do="register", user="alice", password=PASSWORD)
        world.clients[-1].drop()
        self.person = self.start()
        self.person.do("create", room="den")
        self.person.do("encrypt", room="den", yes=True)

    def start(self) -> KeyPerson:
        """Start the client."""
        person = mortal(self._network, self._stores, login=("alice", PASSWORD), several=True)
        self._network.pass_time(1)
        return person

    def crash(self) -> KeyPerson:
        """Say something, and die when that is stored and not all of it has left; return the next run."""
        (store,) = self._stores.values()
        assert isinstance(store, SlowStore)
        store.kill_at = store.commits + 2
        for text in WORDS:
            self.person.client.say(text, "den").addErrback(lambda failure: None)
        self._network.pass_time(1)
        own = self.person.network
        assert isinstance(own, MortalNetwork)
        assert own.dead
        own.bury()
        self._stores = self._stores.reopened()
        self.person = self.start()
        return self.person


@pytest.fixture
def alice(network: Network, world: World, tap: Wiretap) -> Iterator[Alice]:
    """The owner of the room."""
    alice = Alice(network, world)
    yield alice
    alice.person.leave()


@pytest.fixture
def bob(network: Network, alice: Alice) -> Iterator[KeyPerson]:
    """A member of the room, who has read something."""
    bob = KeyPerson(network, name="bob", several=True)
    bob.come()
    bob.do("join", room="den")
    alice.person.say_in("den", "hello")
    network.pass_time(1)
    assert bob.texts == ["hello"]
    yield bob
    bob.leave()


def said(tap: Wiretap) -> list[str]:
    """Return what clients have said in plain text."""
    return [str(record.get("text")) for record in tap.of("say", "me", "edit")]


def test_they_wait_until_the_room_is_entered_and_never_leave_in_plain(
    network: Network, alice: Alice, bob: KeyPerson, tap: Wiretap
) -> None:
    again = alice.crash()
    assert (said(tap), bob.texts) == ([], ["hello", WORDS[0]])
    again.client.do("join", room="den").addCallback(lambda answer: again.say_in("den", "later"))
    network.pass_time(1)
    assert bob.texts == ["hello", *WORDS, "later"]
    assert said(tap) == []


def test_they_are_sent_when_the_room_is_entered_and_nothing_is_said(
    network: Network, alice: Alice, bob: KeyPerson
) -> None:
    alice.crash().do("join", room="den")
    network.pass_time(1)
    assert bob.texts == ["hello", *WORDS]


def test_who_is_not_in_an_encrypted_room_says_nothing_there_in_plain(
    network: Network, alice: Alice, bob: KeyPerson, tap: Wiretap
) -> None:
    bob.do("leave", room="den")
    with pytest.raises(Rejected, match="you are not in room DEN"):
        bob.do("say", room="DEN", text="canary")
    assert said(tap) == []


@pytest.mark.parametrize("history", [0, 10])
def test_numbers_that_a_crash_has_used_up_are_not_told_as_missing_messages(
    network: Network, alice: Alice, bob: KeyPerson, history: int
) -> None:
    """With some history, the next run learns while it seals that the server has the first of the messages."""
    again = alice.crash()
    again.do("join", room="den", messages=history)
    network.pass_time(1)
    again.say_in("den", "later")
    network.pass_time(1)
    assert bob.texts == ["hello", *WORDS, "later"]
    assert not [text for text in bob.notices if "missing" in text]


def test_what_is_refused_then_is_told_with_its_text() -> None:
    outbox = SealedOutbox(MemoryRows())
    outbox.put({"do": "say", "id": "1", "room": "den", "text": "one\ntwo"}, room_record={"room": "den"})
    told: list[Any] = []
    conversation: Any = SimpleNamespace(
        waits=lambda id: False, give=lambda *args, **more: fail(Rejected("muted", "you are muted."))
    )
    EarlierMessages(outbox, conversation, told.append).give("den")
    text = "A message of the last run was not sent: you are muted. It was: one two"
    assert told == [SecurityNotice(text=text, room="den", alarm=True)]
    assert outbox.all() == []


def test_what_the_server_turns_out_to_have_is_not_sealed_once_more(
    network: Network, alice: Alice, bob: KeyPerson
) -> None:
    """The messages before the join come while nothing can be sealed yet."""
    again = alice.crash()
    out = again.driver._out
    again.client.do("join", room="den", messages=10).addCallback(lambda answer: out.hold("a test"))
    network.pass_time(1)
    out.release("a test")
    again.say_in("den", "later")
    network.pass_time(1)
    assert bob.texts == ["hello", *WORDS, "later"]
    assert not [text for text in bob.notices if "missing" in text]
    assert again.said == ["later"]


@pytest.mark.parametrize("withheld", WORDS)
def test_what_a_server_withholds_after_a_crash_is_told(
    network: Network, alice: Alice, bob: KeyPerson, withheld: str
) -> None:
    """Whichever message of the crash it keeps from bob: it may have stored it before, or get it sealed once more."""
    ids = iter(WORDS)
    by_id: dict[str, str] = {}

    def alter(record: Record) -> list[Record]:
        if record.get("event") != "sealed":
            return [record]
        text = by_id.setdefault(record["id"], next(ids, "later"))
        return [] if text == withheld else [record]

    Meddler(bob).alter = alter
    again = alice.crash()
    again.do("join", room="den")
    network.pass_time(1)
    again.say_in("den", "later")
    network.pass_time(1)
    assert bob.texts == ["hello", *(text for text in WORDS if text != withheld), "later"]
    assert [text for text in bob.notices if "missing" in text] == ["1 message of alice is missing before this one."]
