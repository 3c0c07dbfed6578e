"""Sealed messages wait in the mailbox of each device, and come to it in order, none lost and none twice."""

from __future__ import annotations

from typing import Any

import pytest
from devices_with_keys import Keyed, connected, keyed, shown
from harness import World, result, stored_records

from chatroom.chat.keys import mailbox
from chatroom.chat.limits import (
    MAILBOX_DAYS,
    MAILBOX_MESSAGES,
    MAILBOX_OF_ADDRESS,
    MAILBOX_OF_SENDER,
    MAILBOX_WINDOW,
)
from chatroom.model.log_names import device_log


def waiting(world: World, device: Any) -> list[str]:
    """Return the bodies that are in the mailbox of a device."""
    page = result(_read(world, device_log(device.user_id, device.id)))
    return [entry.event.body for entry in page.entries]


async def _read(world: World, log: str) -> Any:
    return await world.engine.read(log, limit=5000)


def back(world: World, name: str, word: str = "") -> Keyed:
    """Return the same program on a new connection, which has published its keys without losing what came."""
    client, user_id = connected(world, name, device=word or name)
    again = Keyed(client, word or name, world.chat.server_id, user_id)
    client.record(do="keys-publish", **shown(client, again.device), generation=0)
    return again


def test_a_sealed_message_comes_to_the_device_and_to_nobody_else(world: World) -> None:
    alice, bob, carol = programs = [keyed(world, name) for name in ("alice", "bob", "carol")]
    for program in programs:
        program.client.records()  # who has come
    told = alice.send("m1", bob.device.envelope("secret", kind=0))
    assert told == {"event": "e2e-sent", "re": "it", "id": "m1", "waits": ""}
    (mail,) = bob.client.records()
    assert mail.pop("seq") > 0
    assert mail.pop("at") == world.chat.now()
    assert mail == {
        **{"event": "e2e-from", "id": "m1", "by": "alice", "by_id": alice.device.user_id},
        **{"device": alice.device.id, "kind": 0, "body": "secret"},
    }
    assert carol.client.records() == alice.client.records() == []


def test_what_waited_comes_in_order_and_again_until_it_is_acknowledged(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    for number in range(5):
        assert alice.send(f"m{number}", bob.device.envelope(f"b{number}"))["waits"] == "account"
    bob = back(world, "bob")
    first, *_ = mail = bob.mail()
    assert [record["body"] for record in mail] == [f"b{number}" for number in range(5)]
    assert bob.ask("e2e-ack", seq=mail[2]["seq"])["event"] == "ok"
    assert waiting(world, bob.device) == ["b3", "b4"]
    bob.client.drop()
    bob = back(world, "bob")
    assert bob.bodies() == ["b3", "b4"]
    bob.ask("e2e-ack", seq=first["seq"])
    assert waiting(world, bob.device) == ["b3", "b4"]
    bob.ask("e2e-ack", seq=2**53)
    assert waiting(world, bob.device) == []


def test_no_more_than_the_window_is_under_way(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    for number in range(MAILBOX_WINDOW + 30):
        alice.send(f"m{number}", bob.device.envelope(f"b{number}"))
    bob = back(world, "bob")
    mail = bob.mail()
    assert len(mail) == MAILBOX_WINDOW
    alice.send("last", bob.device.envelope("last"))
    assert bob.mail() == []
    bob.client.record(do="e2e-ack", seq=mail[9]["seq"])
    mail += bob.mail()
    assert len(mail) == MAILBOX_WINDOW + 10
    bob.client.record(do="e2e-ack", seq=mail[-1]["seq"])
    mail += bob.mail()
    assert [record["body"] for record in mail] == [f"b{number}" for number in range(MAILBOX_WINDOW + 30)] + ["last"]
    assert [record["seq"] for record in mail] == sorted({record["seq"] for record in mail})


def test_what_comes_while_the_mailbox_is_read_comes_once_and_in_order(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    alice.send("m0", bob.device.envelope("b0"))
    client, user_id = connected(world, "bob", device="bob")
    again = Keyed(client, "bob", world.chat.server_id, user_id)
    read, later = world.engine.read, []

    def slow(*args: Any, **kwargs: Any) -> Any:
        """Give the page of a mailbox only after another message was stored there."""
        if args[0].startswith("device/") and not later:
            later.append(True)
            page = read(*args, **kwargs)
            alice.send("m1", bob.device.envelope("b1"))
            return page
        return read(*args, **kwargs)

    world.engine.read = slow  # type: ignore[method-assign]
    client.record(do="keys-publish", **shown(client, again.device))
    assert again.bodies() == ["b0", "b1"]
    alice.send("m2", bob.device.envelope("b2"))
    assert again.bodies() == ["b2"]


def test_the_same_message_again_is_stored_once_for_each_device(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    phone = keyed(world, "bob", "phone", listed=False)
    bob.list_devices(2, bob.device, phone.device)
    both = [bob.device.envelope("ToBob"), phone.device.envelope("ToPhone")]
    revs = {bob.device.user_id: 2}
    for _ in range(2):
        assert alice.send("m1", *both, revs=revs)["event"] == "e2e-sent"
    assert (bob.bodies(), phone.bodies()) == (["ToBob"], ["ToPhone"])
    assert waiting(world, bob.device) == ["ToBob"]
    carol = keyed(world, "carol")
    carol.send("m1", bob.device.envelope("OfCarol"), revs=revs)
    assert bob.bodies() == ["OfCarol"], "another author's message with the same id is another message"


@pytest.mark.parametrize("restarted", [False, True])
def test_a_message_that_was_fetched_is_not_stored_again(world: World, restarted: bool) -> None:
    """The answer to its author was lost after the reader had acknowledged it."""
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    alice.send("m1", bob.device.envelope("once"))
    (mail,) = bob.mail()
    bob.ask("e2e-ack", seq=mail["seq"])
    if restarted:  # nothing is known but what was stored
        for log in list(world.chat.keys.mailboxes._open):
            world.chat.keys.mailboxes._open.pop(log).close()
    assert alice.send("m1", bob.device.envelope("once"))["event"] == "e2e-sent"
    assert bob.mail() == []
    assert waiting(world, bob.device) == []


# ---- what is refused ---------------------------------------------------------------------------------------------


def test_who_has_no_keys_sends_and_fetches_nothing(world: World) -> None:
    bob = keyed(world, "bob")
    client, user_id = connected(world, "alice")
    alice = Keyed(client, "alice", world.chat.server_id, user_id)
    assert alice.send("m1", bob.device.envelope())["code"] == "no-keys"
    assert alice.ask("e2e-ack", seq=1)["code"] == "no-keys"


def test_a_message_for_other_devices_than_the_listed_ones_is_refused_whole(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    phone = keyed(world, "bob", "phone", listed=False)
    told = alice.send("m1", bob.device.envelope(), phone.device.envelope())
    assert (told["code"], "bob" in told["text"]) == ("stale-devices", True)
    assert alice.send("m1", bob.device.envelope(), revs={bob.device.user_id: 2})["code"] == "stale-devices"
    assert alice.send("m1", bob.device.envelope(), revs={})["code"] == "stale-devices"
    assert alice.send("m1", {**bob.device.envelope(), "user_id": "nobody"})["code"] == "stale-devices"
    assert alice.send("m1", bob.device.envelope(), revs={bob.device.user_id: 1, "x": 1})["code"] == "stale-devices"
    assert bob.bodies() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"body": "x" * 8193},
        {"body": ""},
        {"body": "no base64"},
        {"body": "AA=="},
        {"body": "AA\n"},
        {"kind": 2},
        {"device": ""},
        {"user_id": ""},
    ],
    ids=str,
)
def test_what_is_no_envelope_is_refused(world: World, wrong: dict[str, Any]) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    assert alice.send("m1", {**bob.device.envelope(), **wrong})["code"] == "bad-record"
    assert alice.send("m1")["code"] == "bad-record"
    assert alice.send("m1", *[bob.device.envelope()] * 11)["code"] == "bad-record"


# ---- how much ----------------------------------------------------------------------------------------------------


def fill(sender: Keyed, reader: Keyed, number: int, start: int = 0) -> list[str]:
    """Send so many messages to a device; return the codes with which they were refused, empty for those stored."""
    return [
        sender.send(f"m{i}", reader.device.envelope(f"{sender.device.word}{i}"), user=reader.device.word).get(
            "code", ""
        )
        for i in range(start, start + number)
    ]


def test_a_stranger_fills_only_a_part_of_a_mailbox(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    mallory = keyed(world, "mallory", host="198.51.100.7")
    bob.client.drop()
    fill(alice, bob, 3)
    codes = fill(mallory, bob, MAILBOX_MESSAGES + 1)
    assert codes == [""] * MAILBOX_OF_SENDER + ["mailbox-full"] * (MAILBOX_MESSAGES + 1 - MAILBOX_OF_SENDER)
    assert fill(alice, bob, 3, start=3) == [""] * 3
    bodies = waiting(world, bob.device)
    assert [body for body in bodies if body.startswith("alice")] == [f"alice{i}" for i in range(6)]
    assert len(bodies) == MAILBOX_OF_SENDER + 6
    assert mallory.send("m0", bob.device.envelope("mallory0"))["event"] == "e2e-sent", "it is stored already"
    assert len(waiting(world, bob.device)) == MAILBOX_OF_SENDER + 6


def test_there_is_room_again_when_the_device_has_fetched(world: World) -> None:
    bob, mallory = keyed(world, "bob"), keyed(world, "mallory")
    fill(mallory, bob, MAILBOX_OF_SENDER)
    assert fill(mallory, bob, 1, start=900) == ["mailbox-full"]
    mail = bob.mail()
    bob.ask("e2e-ack", seq=mail[9]["seq"])
    assert fill(mallory, bob, 11, start=901) == [""] * 10 + ["mailbox-full"]


def test_guests_at_one_address_are_one_sender_and_an_address_has_a_share(world: World) -> None:
    bob = keyed(world, "bob")
    bob.client.drop()
    guests = [keyed(world, f"g{i}", f"g{chr(97 + i)}", account=False, host="198.51.100.7") for i in range(2)]
    assert fill(guests[0], bob, MAILBOX_OF_SENDER) == [""] * MAILBOX_OF_SENDER
    assert fill(guests[1], bob, 1) == ["mailbox-full"]
    accounts = [keyed(world, f"a{i}", f"a{chr(97 + i)}", host="198.51.100.7") for i in range(2)]
    left = MAILBOX_OF_ADDRESS - 2 * MAILBOX_OF_SENDER
    assert fill(accounts[0], bob, MAILBOX_OF_SENDER) == [""] * MAILBOX_OF_SENDER
    assert fill(accounts[1], bob, left + 1) == [""] * left + ["mailbox-full"]


def test_a_full_mailbox_takes_nothing_from_anybody(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MAILBOX_MESSAGES", 5)
    monkeypatch.setattr(mailbox, "MAILBOX_OF_STRANGERS", 5)
    alice, bob, carol = (keyed(world, name) for name in ("alice", "bob", "carol"))
    bob.client.drop()
    assert fill(alice, bob, 5) == [""] * 5
    assert fill(carol, bob, 1) == ["mailbox-full"]


def test_a_device_that_is_away_for_long_stops_nobody_from_writing_to_the_other_one(world: World) -> None:
    """It misses what does not fit; the answer names it."""
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    phone = keyed(world, "bob", "phone", listed=False)
    bob.list_devices(2, bob.device, phone.device)
    phone.client.drop()
    revs = {bob.device.user_id: 2}
    for i in range(MAILBOX_OF_SENDER + 1):
        told = alice.send(f"m{i}", bob.device.envelope(), phone.device.envelope(f"p{i}"), revs=revs)
        bob.client.record(do="e2e-ack", seq=2**53)
    assert (told["event"], told["full"]) == ("e2e-sent", [phone.device.id])
    assert len(waiting(world, phone.device)) == MAILBOX_OF_SENDER


def test_ones_own_other_device_may_be_away_for_longer_and_never_stops_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "MAILBOX_MESSAGES", MAILBOX_OF_SENDER + 2)
    monkeypatch.setattr(mailbox, "MAILBOX_OF_STRANGERS", 100)
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    phone = keyed(world, "alice", "phone", listed=False)
    alice.list_devices(2, alice.device, phone.device)
    phone.client.drop()
    revs = {bob.device.user_id: 1, alice.device.user_id: 2}
    told = []
    for i in range(MAILBOX_OF_SENDER + 3):
        told.append(alice.send(f"m{i}", bob.device.envelope(), phone.device.envelope(), revs=revs).get("full", []))
        bob.client.record(do="e2e-ack", seq=2**53)
    assert told == [[]] * (MAILBOX_OF_SENDER + 2) + [[phone.device.id]]


def test_a_mailbox_that_seems_full_is_counted_anew(world: World) -> None:
    """Another daemon has delivered from it."""
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    fill(alice, bob, MAILBOX_OF_SENDER)
    second = World(world.engine, world.clock, first_id=10**6)
    elsewhere = back(second, "bob")
    mail = elsewhere.mail()
    assert len(mail) == MAILBOX_WINDOW
    elsewhere.ask("e2e-ack", seq=mail[-1]["seq"])
    assert fill(alice, bob, 1, start=900) == ["mailbox-full"]
    world.pass_time(mailbox.RECOUNT)
    assert fill(alice, bob, 1, start=900) == [""]
    second.end()


def test_only_so_many_mailboxes_are_counted_all_the_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MOST_OPEN", 2)
    alice, *others = (keyed(world, name) for name in ("alice", "bob", "carol", "dora"))
    for reader in others:
        alice.send("m1", reader.device.envelope())
    assert len(world.chat.keys.mailboxes._open) == 2
    alice.send("m2", others[0].device.envelope("again"))
    assert others[0].bodies() == ["sealed", "again"]


# ---- two sessions, two daemons ---------------------------------------------------------------------------------------


def codes(program: Keyed) -> list[str]:
    """Return with which codes a program was refused something, and the bodies that have come."""
    return [record.get("code") or record.get("body", "") for record in program.client.records()]


@pytest.mark.parametrize("daemons", [1, 2])
def test_of_two_sessions_with_the_same_keys_the_later_has_the_mailbox(world: World, daemons: int) -> None:
    alice, first = keyed(world, "alice"), keyed(world, "bob")
    other = World(world.engine, world.clock, first_id=10**6) if daemons == 2 else world
    client, user_id = connected(other, "bob", device="copy")
    second = Keyed(client, "bob", world.chat.server_id, user_id)
    assert second.publish()["event"] == "keys-published"
    assert codes(first) == ["keys-elsewhere"]
    alice.send("m1", first.device.envelope("one"))
    assert (codes(first), codes(second)) == ([], ["one"])
    assert first.ask("e2e-ack", seq=2**53)["code"] == "no-keys"
    assert first.publish()["event"] == "keys-published"
    assert codes(second) == ["keys-elsewhere"]
    if other is not world:
        other.end()


# ---- what the others are told ----------------------------------------------------------------------------------------


def test_a_reader_on_telnet_is_told_and_the_author_is_told_that_it_waits_for_keys(world: World) -> None:
    alice = keyed(world, "alice")
    client, user_id = connected(world, "bob", device="one")
    bob = Keyed(client, "bob", world.chat.server_id, user_id)
    bob.publish()
    bob.list_devices(1)
    client.drop()
    telnet = world.person()
    telnet.say("/login bob secret-1")
    telnet.lines()
    envelope = bob.device.envelope()
    assert alice.send("m1", envelope, user="bob", notice="message")["waits"] == "keys"
    assert telnet.lines() == ["alice sent you an encrypted message; read it in chatroom-client."]
    assert alice.send("m2", envelope, user="bob")["waits"] == "keys"
    assert telnet.lines() == []
    telnet.say("/ignore alice")
    telnet.lines()
    assert alice.send("m3", envelope, user="bob", notice="message")["waits"] == "keys"
    assert telnet.lines() == []
    assert waiting(world, bob.device) == ["sealed"] * 3, "the client decides itself whom it ignores"
    again = back(world, "bob", "bob")
    assert len(again.mail()) == 3
    telnet.say("/unignore alice")
    telnet.lines()
    assert alice.send("m4", envelope, user="bob", notice="message")["waits"] == ""
    assert telnet.lines() == []


@pytest.mark.parametrize("account", [True, False])
def test_what_a_message_waits_for(world: World, account: bool) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob", account=account)
    assert alice.send("m1", bob.device.envelope())["waits"] == ""
    bob.client.drop()
    assert alice.send("m2", bob.device.envelope())["waits"] == ("account" if account else "guest")


# ---- what goes -------------------------------------------------------------------------------------------------------


def house_kept(world: World) -> None:
    """Let the round of housekeeping come that removes what is old."""
    world.pass_time(601)


def test_sealed_messages_wait_for_thirty_days(world: World) -> None:
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    bob.client.drop()
    alice.send("m1", bob.device.envelope("old"))
    world.pass_time((MAILBOX_DAYS - 1) * 86400)
    house_kept(world)
    alice.send("m2", bob.device.envelope("young"))
    assert waiting(world, bob.device) == ["old", "young"]
    world.pass_time(86400)
    house_kept(world)
    assert waiting(world, bob.device) == ["young"]


def left_of(world: World, user_id: str) -> list[tuple[str, str]]:
    """Return which records and logs are about a user's keys."""
    buckets = ("device-keys", "device-lists", "one-time-keys", "key-backups", "fetched", "written-to")
    records = [(bucket, key) for bucket, key in stored_records(world) if bucket in buckets and user_id in key]
    logs = result(_logs(world))
    return records + [("log", log) for log in logs if log.startswith(f"device/{user_id}")]


async def _logs(world: World) -> list[str]:
    return await world.engine.logs()


def with_everything(world: World, name: str, *, account: bool) -> Keyed:
    """Return a program of a user of whom everything is kept that there may be."""
    made = keyed(world, name, account=account)
    made.publish(1, 2, fallback="last")
    made.ask("keys-backup", sealed="x")
    alice = keyed(world, "alice")
    for id in ("m1", "m2"):
        alice.send(id, made.device.envelope())
    made.ask("e2e-ack", seq=made.mail()[0]["seq"])
    made.send("m3", alice.device.envelope(), user="alice")
    assert {bucket for bucket, _ in left_of(world, made.device.user_id)} >= {"device-keys", "log", "one-time-keys"}
    return made


def test_the_keys_of_an_account_go_with_it(world: World) -> None:
    bob = with_everything(world, "bob", account=True)
    bob.ask("delete-account", password="secret-1")
    assert left_of(world, bob.device.user_id) == []
    assert list(world.chat.keys.holders) == [feed for feed in world.chat.keys.holders if feed.session.name == "alice"]


def test_the_keys_of_a_guest_go_when_the_guest_is_gone_for_good(world: World) -> None:
    bob = with_everything(world, "bob", account=False)
    world.pass_time(9 * 86400)
    house_kept(world)
    assert left_of(world, bob.device.user_id), "the guest is online"
    bob.client.drop()
    world.pass_time(5 * 86400)
    house_kept(world)
    assert left_of(world, bob.device.user_id)
    world.pass_time(4 * 86400)
    house_kept(world)
    assert left_of(world, bob.device.user_id) == []


def test_the_keys_of_an_account_that_is_away_stay(world: World) -> None:
    bob = with_everything(world, "bob", account=True)
    bob.client.drop()
    world.pass_time(20 * 86400)
    house_kept(world)
    assert len(left_of(world, bob.device.user_id)) >= 5


def test_bodies_are_in_no_text_of_a_record(world: World) -> None:
    """A log line may have the ``repr`` of a command or an event."""
    from chatroom.model.commands import E2eSend, KeysBackup
    from chatroom.model.device_keys import Envelope
    from chatroom.model.key_events import E2eFrom
    from chatroom.model.key_replies import KeysBackedUp

    envelope = Envelope(user_id="u", device="A" * 10, kind=0, body="topsecret")
    records: list[Any] = [
        envelope,
        E2eSend(id="m", envelopes=(envelope,), revs={}),
        E2eFrom("m", 1, "alice", "a", device="d", kind=0, body="topsecret"),
        KeysBackup(sealed="topsecret"),
        KeysBackedUp(sealed="topsecret"),
    ]
    assert not [record for record in records if "topsecret" in repr(record) or "topsecret" in str(record)]
