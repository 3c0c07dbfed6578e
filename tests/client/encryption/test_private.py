"""Private messages between clients with keys, over a whole server in memory."""

from __future__ import annotations

from typing import Any

import pytest
from client.encryption.people import KeyPerson, account
from client.network import Network, Person
from harness import World

from chatroom.chat.keys import asking
from chatroom.chat.people import hello
from chatroom.client.encryption.interface import Security
from chatroom.client.errors import Rejected
from chatroom.client.opened import OpenedOwn, PrivateChange
from chatroom.model import events as e
from chatroom.model import replies as a


@pytest.fixture
def alice(network: Network) -> Any:
    person = account(KeyPerson(network, name="alice").come(), "Alice")
    yield person
    person.leave()


@pytest.fixture
def bob(network: Network) -> Any:
    person = account(KeyPerson(network, name="bob").come(), "Bob")
    yield person
    person.leave()


def write(person: KeyPerson, to: str, text: str) -> a.Sent:
    """Write to somebody; return the answer when everybody has what they get of it."""
    answer = person.do("message", user=to, text=text)
    person.network.flow()
    assert isinstance(answer, a.Sent)
    return answer


def test_a_message_between_two_people_with_keys_is_sealed(alice: KeyPerson, bob: KeyPerson) -> None:
    write(alice, "Bob", "a secret")
    assert (bob.private, bob.plain) == (["a secret"], [])
    bob.do("reply", text="another secret")
    bob.network.flow()
    assert alice.private == ["another secret"]
    assert alice.encryption.status("bob") is Security.ENCRYPTED
    assert not any("plain" in text for text in alice.notices)


def test_to_a_person_without_keys_a_message_goes_plain_and_that_is_told_before(
    alice: KeyPerson, network: Network, world: World
) -> None:
    carol = world.person("carol")
    alice.told.clear()
    write(alice, "carol", "for everybody's eyes")
    assert "for everybody's eyes" in "\n".join(carol.lines())
    told = [type(event).__name__ for event in alice.told]
    assert told.index("SecurityNotice") < told.index("Sent")
    assert alice.notices[-1] == "To carol in plain text: the server can read it."
    write(alice, "carol", "again")
    assert len([text for text in alice.notices if "plain text" in text]) == 1
    assert alice.encryption.status("carol") is Security.PLAIN


def test_once_encrypted_nothing_goes_in_plain_text_unless_the_user_agrees(
    alice: KeyPerson, bob: KeyPerson, world: World, network: Network
) -> None:
    write(alice, "Bob", "a secret")
    world.chat.keys.directory.measured = _none  # the server says that nobody has keys
    alice.driver.parts.peers.forget()
    with pytest.raises(Rejected, match="/keys plain Bob"):
        alice.do("message", user="Bob", text="not for the server")
    network.flow()
    assert bob.plain == []
    alice.decide(alice.encryption.accept_plain("Bob"))
    write(alice, "Bob", "then so be it")
    assert bob.plain == ["then so be it"]


def test_a_server_that_denies_the_user_gets_no_plain_text(
    alice: KeyPerson, bob: KeyPerson, world: World, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(alice, "Bob", "a secret")
    monkeypatch.setattr(asking, "id_of", _nobody)
    assert alice.driver.parts is not None
    alice.driver.parts.peers.forget()
    with pytest.raises(Rejected, match="were encrypted before"):
        alice.do("message", user="Bob", text="not for the server")
    network.flow()
    assert bob.plain == []
    assert alice.encryption.status("Bob") is Security.ENCRYPTED


def test_what_is_sealed_for_a_guest_who_is_gone_waits_for_that_guest_alone(alice: KeyPerson, network: Network) -> None:
    guest = KeyPerson(network, name="qb").come()
    write(alice, "qb", "a secret")
    guest.leave()
    network.flow()
    assert write(alice, "qb", "another").waits == "return", "whoever takes the name next cannot open it"


def test_a_guest_who_is_gone_is_not_shown_as_somebody_in_plain_text(alice: KeyPerson, network: Network) -> None:
    """The window is looked at again, as when the guest's connection is lost: the bar says what would happen."""
    guest = KeyPerson(network, name="qb").come()
    write(alice, "qb", "a secret")
    guest.leave()
    network.flow()
    assert alice.driver.parts is not None
    alice.driver.parts.peers.forget()
    assert alice.decide(alice.encryption.learn("qb")) is Security.ENCRYPTED
    alice.decide(alice.encryption.accept_plain("qb"))
    assert alice.encryption.status("qb") is Security.PLAIN


def test_a_server_that_knows_no_encryption_any_more_gets_no_private_message(
    alice: KeyPerson, bob: KeyPerson, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(alice, "Bob", "a secret")
    monkeypatch.setattr(hello, "FEATURES", [feature for feature in hello.FEATURES if feature != "keys"])
    network.lines[0].end()
    network.pass_time(5)
    with pytest.raises(Rejected, match="knows no encryption any more"):
        alice.do("message", user="Bob", text="not for the server")
    assert bob.plain == []


async def _nobody(chat: Any, name: str) -> str:
    return ""


async def _none(user_id: str) -> tuple[None, int]:
    return None, 0


def test_a_message_waits_for_a_device_that_is_offline(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    write(alice, "Bob", "first")
    bob.network.lines[1].end()
    answers = [write(alice, "Bob", text) for text in ("second", "third")]
    assert [answer.waits for answer in answers] == ["account", "account"]
    network.pass_time(5)
    assert bob.private == ["first", "second", "third"]


def test_somebody_who_never_wrote_can_be_written_to_while_offline(alice: KeyPerson, network: Network) -> None:
    dora = account(KeyPerson(network, name="dora").come(), "Dora")
    stores, login = dora.stores, dora.client.state.credentials.login
    dora.leave()
    write(alice, "Dora", "while you were away")
    again = KeyPerson(network, stores, login=login).come()
    network.flow()
    assert again.private == ["while you were away"]
    again.leave()


def test_a_person_on_telnet_is_told_and_so_is_the_author(alice: KeyPerson, network: Network, world: World) -> None:
    dora = account(KeyPerson(network, name="dora").come(), "Dora")
    dora.leave()
    telnet = world.person()
    telnet.say("/login Dora", "a good password")
    write(alice, "Dora", "only for your other device")
    assert "Alice sent you an encrypted message; read it in chatroom-client." in "\n".join(telnet.lines())
    assert alice.notices[-1] == "Dora is online where encrypted messages cannot be read."


def test_what_is_done_to_a_message_is_sealed_and_told(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    write(alice, "Bob", "helo")
    alice.do("edit", user="Bob", text="hello")
    bob.do("react", user="Alice", last=1, emoji="👍")
    bob.do("quote", user="Alice", last=1, text="hello yourself")
    network.flow()
    assert [change.words for change in bob.heard(PrivateChange)] == [
        "Alice corrected: hello",
        'Bob reacted 👍 to "hello"',
    ]
    assert [change.words for change in alice.heard(PrivateChange)][-1] == 'Bob reacted 👍 to "hello"'
    (sent,) = alice.heard(a.Sent)
    assert {change.message for change in [*alice.heard(PrivateChange), *bob.heard(PrivateChange)]} == {sent.id}
    assert alice.private == ["hello yourself"]
    assert alice.told[-1].quoted == e.Quoted("Alice", "hello")
    alice.do("delete", user="Bob", last=1)
    network.flow()
    history = bob.do("history", user="Alice", messages=10)
    assert [event.text for event in history.events] == ["hello yourself"]


def test_a_deletion_that_is_sealed_again_deletes_one_message(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    for text in ("first", "second"):
        write(alice, "Bob", text)
    _other_revision_for_once(alice)
    alice.do("delete", user="Bob", last=1)
    network.flow()
    for person, other in ((alice, "Bob"), (bob, "Alice")):
        history = person.do("history", user=other, messages=10)
        assert [event.text for event in history.events] == ["first"]


def _other_revision_for_once(person: KeyPerson) -> None:
    """Let the next sealed message of a person name a revision that the server does not have."""
    private = person.driver.parts.private
    genuine = private._revs

    def other(peer: Any) -> dict[str, int]:
        private._revs = genuine
        return {user_id: rev + 1 for user_id, rev in genuine(peer).items()}

    private._revs = other


def test_a_reaction_that_nobody_could_read_is_refused_in_words(alice: KeyPerson, bob: KeyPerson) -> None:
    write(alice, "Bob", "hello")
    with pytest.raises(Rejected, match="a reaction is one emoji"):
        alice.do("react", user="Bob", emoji="a b", last=1)


def test_without_keys_a_change_of_a_private_message_is_not_sent(network: Network, bob: KeyPerson) -> None:
    carol = KeyPerson(network, name="carol", room="lobby").come()
    carol.do("say", text="in the room")
    carol.driver.parts = None  # as with a server that knows no keys
    with pytest.raises(Rejected, match="Only encrypted private messages"):
        carol.do("edit", user="Bob", text="a private text", last=1)
    network.flow()
    assert not carol.heard(e.Edited)
    carol.leave()


def test_nothing_is_edited_in_plain_text_in_a_conversation_with_who_has_no_keys(
    network: Network, bob: KeyPerson
) -> None:
    carol = Person(network, name="carol").come()
    with pytest.raises(Rejected, match="Only encrypted private messages"):
        bob.do("edit", user="carol", text="a private text", last=1)
    network.flow()
    assert not carol.heard(e.Edited)
    carol.leave()


def test_unread_sealed_messages_are_unread_after_a_restart(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    for text in ("one", "two"):
        write(alice, "Bob", text)
    write(bob, "Alice", "my own are never unread")
    stores, login = bob.stores, bob.client.state.credentials.login
    bob.leave()
    write(alice, "Bob", "three")
    again = KeyPerson(network, stores, login=login, device=_device("b")).come()
    network.flow()
    assert again.client.peers["alice"].unread == 3
    again.client.mark_read(0, user="Alice")
    network.flow()
    assert again.client.peers["alice"].unread == 0
    again.leave()
    third = KeyPerson(network, stores, login=login, device=_device("b")).come()
    network.flow()
    assert "alice" not in third.client.peers or third.client.peers["alice"].unread == 0
    third.leave()


def test_a_guest_is_told_once_how_long_the_keys_last(bob: KeyPerson, network: Network) -> None:
    guest = KeyPerson(network, name="gail").come()
    network.flow()
    assert not any("your keys" in text for text in guest.notices)
    for text in ("one", "two"):
        write(guest, "Bob", text)
    write(bob, "gail", "from an account")
    told = "your keys belong to gail, a guest, and end with the name; after /register you have keys that last."
    assert [text for text in guest.notices if "your keys" in text] == [told]
    assert not any("your keys belong" in text for text in bob.notices)
    guest.leave()


def test_a_guest_who_registers_is_another_person_whose_messages_wait_until_the_key_is_accepted(
    bob: KeyPerson, network: Network
) -> None:
    gail = KeyPerson(network, name="gail").come()
    write(gail, "Bob", "as a guest")
    write(bob, "gail", "to the guest")
    before = bob.decide(bob.encryption.verify("gail")).digits
    account(gail, "gail")
    write(gail, "Bob", "with an account")
    assert bob.private == ["as a guest"]
    assert bob.encryption.status("gail") is Security.BLOCKED
    with pytest.raises(Rejected, match="Nothing is sent to gail, who is not the person who had this name"):
        bob.do("message", user="gail", text="to whom?")
    found = bob.decide(bob.encryption.verify("gail"))
    assert found.digits != before
    bob.decide(bob.encryption.accept("gail", found.digits))
    network.flow()
    assert bob.private == ["as a guest", "with an account"]
    write(bob, "gail", "to the account")
    assert gail.private == ["to the guest", "to the account"]
    gail.leave()


def test_how_many_messages_wait_for_a_key_to_be_accepted_is_told_also_after_a_restart(network: Network) -> None:
    stores: dict[str, Any] = {}
    bob = account(KeyPerson(network, stores, name="bob", device=_device("b")).come(), "Bob")  # type: ignore[arg-type]
    gail = KeyPerson(network, name="gail").come()
    write(gail, "Bob", "as a guest")
    account(gail, "gail")

    def waits(person: KeyPerson) -> list[str]:
        network.pass_time(5)
        return [text.partition(" until")[0] for text in person.notices if " wait" in text]

    write(gail, "Bob", "one")
    assert waits(bob) == ["1 encrypted message of gail waits"]
    for text in ("two", "three"):
        write(gail, "Bob", text)
    assert waits(bob)[1:] == ["3 encrypted messages of gail wait"]
    bob.leave()
    again = KeyPerson(network, stores, login=("Bob", "a good password"), device=_device("b")).come()
    assert waits(again) == ["3 encrypted messages of gail wait"]
    again.decide(again.encryption.accept("gail", again.decide(again.encryption.verify("gail")).digits))
    network.flow()
    assert again.private == ["one", "two", "three"]
    write(gail, "Bob", "four")
    assert len(waits(again)) == 1
    again.leave()
    gail.leave()


def test_the_history_has_the_sealed_messages_among_the_plain_ones(
    alice: KeyPerson, bob: KeyPerson, network: Network
) -> None:
    plain = Person(network, name="x").come()
    plain.do("message", user="Bob", text="plain")
    plain.leave()
    write(alice, "Bob", "sealed")
    bob.do("reply", text="sealed, too")
    network.flow()
    history = bob.do("history", user="Alice", messages=10)
    assert [event.text for event in history.events] == ["sealed", "sealed, too"]
    assert [type(event).__name__ for event in history.events] == ["Opened", "OpenedOwn"]
    asked = bob.client.ask("history", user="Alice", messages=10)  # as a window does that is opened
    network.flow()
    assert [event.text for event in asked.result.events] == ["sealed", "sealed, too"]
    assert len(bob.heard(a.History)) == 1, "its answer is for the window alone"
    found = bob.do("search", user="Alice", words="TOO")
    assert [event.text for event in found.events] == ["sealed, too"]


def test_the_server_has_no_text(alice: KeyPerson, bob: KeyPerson, world: World) -> None:
    write(alice, "Bob", "canary")
    assert bob.private == ["canary"]
    stored = repr(vars(world.chat.engine))
    assert "canary" not in stored
    carol = world.person("carol")
    write(alice, "carol", "canary")
    assert "canary" in "\n".join(carol.lines())


def test_another_device_of_ones_own_gets_what_one_sends(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    login = alice.client.state.credentials.login
    phone = KeyPerson(network, login=login, device=_device("phone")).come()
    assert any("/devices link" in text for text in phone.notices)
    with pytest.raises(Rejected, match="not linked"):
        phone.do("message", user="Bob", text="too early")
    code = phone.decide(phone.encryption.keys()).code
    with pytest.raises(Rejected):
        alice.decide(alice.encryption.link("0" * 30))
    alice.decide(alice.encryption.link(code))
    network.flow()
    write(alice, "Bob", "from the laptop")
    assert bob.private == ["from the laptop"]
    assert [event.text for event in phone.heard(OpenedOwn)] == ["from the laptop"]
    write(phone, "Bob", "from the phone")
    assert bob.private == ["from the laptop", "from the phone"]
    assert [event.text for event in alice.heard(OpenedOwn)] == ["from the phone"]
    assert not any("changed" in text for text in bob.notices)
    phone.leave()


def _device(name: str) -> Any:
    from chatroom.model.device import Device

    return Device(name, "one")


def test_a_key_with_other_digits_than_the_user_has_decided_on_is_not_accepted(alice: KeyPerson, bob: KeyPerson) -> None:
    write(alice, "Bob", "hello")
    found = alice.decide(alice.encryption.verify("Bob"))
    with pytest.raises(Rejected, match="The key has changed since you decided"):
        alice.decide(alice.encryption.accept("Bob", found.digits[::-1]))
    alice.decide(alice.encryption.accept("Bob", found.digits))


def test_a_burst_waits_for_a_reader_who_is_slow(alice: KeyPerson, bob: KeyPerson, network: Network) -> None:
    texts = [str(number) for number in range(450)]
    refused: list[Any] = []
    for text in texts:
        alice.client.do("message", user="Bob", text=text).addErrback(refused.append)
    network.pass_time(30)
    assert not refused
    assert bob.private == texts


def test_what_one_writes_to_oneself_is_shown_once(alice: KeyPerson) -> None:
    write(alice, "Alice", "remember the milk")
    assert alice.private == ["remember the milk"]
