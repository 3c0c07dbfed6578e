"""An encrypted room: who may come in, who is removed, and that nothing plain is said there ever again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World, stored_records
from msgspec.structs import replace
from order import ask, guest, owner, record_of, restarted, session_of, settled
from sealing import device_of, encrypted_room, keyed, list_devices, members_rev, publish, seal, sealed, with_keys
from sharing import DATA, begin, chunk, hear
from twisted.internet.task import Clock

from chatroom.chat.limits import LISTS_OF_ONE
from chatroom.chat.rooms.encrypted import put_out_keyless
from chatroom.chat.rooms.record import RoomRecord
from chatroom.chat.rooms.sealed import _encrypted
from chatroom.model.errors import Refused
from chatroom.model.events import Encrypted, Joined, Kicked, Said, SealedMessage, Shared, decode

DOOR = "den is encrypted; join with chatroom-client (telnet, nc and programs without keys cannot read it)."
OUT = "the room is encrypted now; join with chatroom-client"


@pytest.fixture
def moody() -> Iterator[World]:
    clock = Clock()
    with closing(World(MoodyEngine(clock), clock)) as made:
        yield made


def refusal(client: Client, **record: Any) -> tuple[str, str]:
    """Return the code and the text by which a record is refused."""
    client.record(**record, ref="?")
    (error,) = [r for r in client.records() if r.get("re") == "?" and r["event"] == "error"]
    return error["code"], error["text"]


def kinds(client: Client) -> list[str]:
    """Return which events have come since the last time."""
    return [record["event"] for record in heard(client)]


def heard(client: Client) -> list[dict[str, Any]]:
    """Return what has come since the last time, but for who logged in or out, or has other keys."""
    return [record for record in client.records() if record["event"] not in ("arrived", "departed", "keys-changed")]


def lose_keys(client: Client) -> None:
    """Let the device of a session be removed from its user's list by the user's other device."""
    list_devices(client)


# ---- to encrypt a room -----------------------------------------------------------------------------------------------


def test_without_yes_the_owner_is_told_who_would_have_to_leave(world: World) -> None:
    alice = keyed(world, "alice", "den")
    keyed(world, "bob", "den")
    guest(world, "carol", "den")
    world.person("dave", "den")
    alice.records()
    alice.record(do="encrypt", ref=1)
    (answer,) = alice.records()
    assert answer["event"] == "ok"
    assert answer["text"].splitlines() == [
        "The room den would be encrypted for ever, and only chatroom-client can be in it then.",
        "What was said before stays readable on the server.",
        "There are members who cannot follow, and would be removed: carol, dave.",
        "To do it, type /encrypt yes.",
    ]
    assert not record_of(world, "den").encrypted


def test_the_owners_other_sessions_that_would_have_to_leave_are_named(world: World) -> None:
    world.rules.sessions = 0
    alice = keyed(world, "alice", "den")
    for word in ("tablet", ""):
        other = owner(world, "alice")
        if word:
            publish(other, word)
        other.record(do="join", room="den")
    alice.records()
    alice.record(do="encrypt", ref=1)
    told = alice.records()[-1]["text"].splitlines()
    tablet = device_of(alice, "tablet").word
    removed = f'"{tablet}", the one from 127.0.0.1, which has no keys.'
    assert f"Your other sessions that are not linked would be removed: {removed}" in told
    assert not any("members who cannot follow" in line for line in told)


def test_a_person_on_telnet_is_told_that_they_would_be_removed_themselves(world: World) -> None:
    alice = world.person("alice", "den")
    alice.say("/encrypt")
    assert "You would be removed yourself: only chatroom-client on a linked device can follow." in alice.lines()
    alice.say("/encrypt yes")
    assert alice.lines() == [
        "alice encrypted the room; what was said before stays readable on the server.",
        f"alice was removed: {OUT}.",
    ]
    alice.say("/join den")
    assert alice.lines() == [f"Error: {DOOR}"]


def test_yes_is_the_only_word(world: World) -> None:
    alice = world.person("alice", "den")
    alice.say("/encrypt now")
    assert alice.lines() == ["Error: usage: /encrypt [yes]."]


def test_only_the_owner_can_encrypt(world: World) -> None:
    alice, bob, carol = keyed(world, "alice", "den"), keyed(world, "bob", "den"), keyed(world, "carol", "den")
    assert ask(alice, "op", user="bob") == "ok"
    assert ask(bob, "encrypt", yes=True) == "not-owner"
    assert ask(carol, "encrypt") == "not-owner"
    assert not record_of(world, "den").encrypted
    oscar = with_keys(owner(world, "oscar", operator=True))
    assert ask(oscar, "join", room="den") == "ok"
    assert ask(oscar, "encrypt", yes=True) == "ok"
    assert ask(alice, "encrypt", yes=True) == "already-encrypted"
    assert ask(alice, "encrypt") == "already-encrypted"
    with pytest.raises(Refused, match="encrypted already"):  # of two at once, one is first
        _encrypted(record_of(world, "den"))


def test_who_owns_the_room_is_decided_when_its_record_changes(world: World) -> None:
    alice = keyed(world, "alice", "den")
    amend, own = world.chat.room_changes.amend, session_of(alice).user_id

    async def given_away(record: RoomRecord, change: Any) -> RoomRecord:
        await amend(record, lambda now: replace(now, owner="bob", owner_id="b", moderators={own: "alice"}))
        return await amend(record, change)

    world.chat.room_changes.amend = given_away  # type: ignore[method-assign]
    assert ask(alice, "encrypt", yes=True) == "not-owner"
    assert not record_of(world, "den").encrypted


def test_in_a_plain_room_nobody_needs_keys(world: World) -> None:
    alice, carol = keyed(world, "alice", "den"), guest(world, "carol", "den")
    assert ask(alice, "topic", text="all welcome") == "ok"
    assert ask(alice, "slow", seconds=1) == "ok"
    assert session_of(carol).room is not None


def test_a_guest_can_own_an_encrypted_room(world: World) -> None:
    alice = with_keys(guest(world, "alice", "den"))
    assert ask(alice, "encrypt", yes=True) == "ok"
    seal(alice, "m1")
    assert sealed(alice) == ["m1"]


def test_who_cannot_follow_is_removed_and_told_why(world: World) -> None:
    alice, bob = keyed(world, "alice", "den"), keyed(world, "bob", "den")
    carol, dave = guest(world, "carol", "den"), world.person("dave", "den")
    for client in (alice, bob, carol, dave):
        client.take()
    alice.record(do="encrypt", yes=True, ref=1)
    assert [(r["event"], r.get("user"), r["by"]) for r in heard(bob)] == [
        ("encrypted", None, "alice"),
        ("kicked", "carol", ""),
        ("kicked", "dave", ""),
    ]
    assert [(r["event"], r.get("reason")) for r in heard(carol)] == [("encrypted", None), ("kicked", OUT)]
    assert dave.lines()[-1] == f"dave was removed: {OUT}."
    assert session_of(carol).rooms == session_of(dave).rooms == ()
    assert sorted(member.name for member in session_of(bob).room.members.values()) == ["alice", "bob"]


def test_somebody_who_is_just_joining_is_removed_as_well(moody: World) -> None:
    alice, carol = keyed(moody, "alice", "den"), guest(moody, "carol")
    moody.engine.holding = True  # type: ignore[attr-defined]
    carol.record(do="join", room="den")
    alice.record(do="encrypt", yes=True)
    moody.engine.let_go()  # type: ignore[attr-defined]
    moody.settle()
    assert session_of(carol).rooms == ()
    assert kinds(carol)[-1] in ("kicked", "error")


def test_a_second_session_without_keys_goes_alone_and_nobody_else_is_told(world: World) -> None:
    world.rules.sessions = 0
    alice, bob, again = keyed(world, "alice", "den"), keyed(world, "bob", "den"), owner(world, "bob", "den")
    for client in (alice, bob, again):
        client.records()
    alice.record(do="encrypt", yes=True)
    assert kinds(alice) == ["encrypted"]
    assert kinds(bob) == ["encrypted"]
    assert [(r["event"], r.get("again")) for r in heard(again)] == [("encrypted", None), ("kicked", True)]
    seal(bob, "still-here")
    assert heard(again) == []
    assert sealed(alice) == sealed(bob) == ["still-here"]
    last = session_of(alice).room.seq
    alice.record(do="leave")
    alice.record(do="join", room="den", after=last - 3)
    assert "kicked" not in kinds(alice)  # nor is anybody who catches up


@pytest.mark.parametrize("inside", [True, False])
def test_members_are_not_told_that_somebody_left_whose_session_on_another_daemon_stays(
    world: World, inside: bool
) -> None:
    alice, bob = keyed(world, "alice", "den"), owner(world, "bob", "den")
    session = session_of(bob)
    if inside:
        there = Joined("far:1", world.chat.now(), "bob", session.user_id, session="far", again=True)
        world.engine.append(session.room.log, there)
        world.settle()
    alice.records()
    alice.record(do="encrypt", yes=True)
    told = ["encrypted"] if inside else ["encrypted", "kicked"]
    assert kinds(alice) == told
    last = session_of(alice).room.seq
    alice.record(do="leave")
    alice.record(do="join", room="den", after=last - 2)
    assert ("kicked" in kinds(alice)) is not inside  # nor is anybody who catches up


def test_a_session_with_keys_that_is_not_in_the_room_does_not_hide_that_the_person_left(world: World) -> None:
    world.rules.sessions = 0
    alice, _, elsewhere = keyed(world, "alice", "den"), owner(world, "bob", "den"), keyed(world, "bob")
    alice.records()
    alice.record(do="encrypt", yes=True)
    assert [(r["event"], r.get("again", False)) for r in heard(alice)] == [("encrypted", False), ("kicked", False)]
    assert session_of(elsewhere).rooms == ()


def test_of_two_sessions_without_keys_members_are_told_of_the_last(world: World) -> None:
    world.rules.sessions = 0
    alice, bob, _ = keyed(world, "alice", "den"), owner(world, "bob", "den"), owner(world, "bob", "den")
    alice.records()
    alice.record(do="encrypt", yes=True)
    assert [(r["event"], r.get("again", False)) for r in heard(alice)] == [("encrypted", False), ("kicked", False)]
    assert session_of(bob).rooms == ()


def test_somebody_who_joins_when_another_daemon_has_encrypted_the_room_is_removed(moody: World) -> None:
    """This daemon reads the record when the ``joined`` is on its way already."""
    alice, carol = keyed(moody, "alice", "den"), guest(moody, "carol")
    room = session_of(alice).room
    moody.engine.holding = True  # type: ignore[attr-defined]
    carol.record(do="join", room="den")
    room.take(replace(room.record, encrypted=True), room.rev)
    for _ in range(2):
        put_out_keyless(moody.chat, room)
    moody.engine.let_go()  # type: ignore[attr-defined]
    moody.settle()
    assert session_of(carol).rooms == ()
    log = moody.engine._logs[room.log]  # type: ignore[attr-defined]
    assert [type(moody_event(row)) for row in log.rows].count(Kicked) == 1


def test_the_last_session_of_a_member_on_another_daemon_is_out_with_its_messages(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    log, now = session_of(alice).room.log, world.chat.now()
    frida = "frida", "far-away"
    world.engine.append(log, Joined("far:1", now, *frida, session="far"))
    whom = {"user": "frida", "user_id": "far-away", "session": "far", "reason": "no keys"}
    world.engine.append(log, Kicked("far:2", now, "", "", **whom))
    world.engine.append(log, SealedMessage("m1", now, *frida, device="D", sid="s", ct="AA"))
    world.settle()
    assert kinds(alice) == ["joined", "kicked"]


# ---- the door --------------------------------------------------------------------------------------------------------


def test_nobody_without_keys_comes_in(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    bob, tom = guest(world, "bob"), world.person("tom")
    assert refusal(bob, do="join", room="den") == ("encrypted-room", DOOR)
    tom.say("/join den")
    assert tom.lines() == [f"Error: {DOOR}"]
    oscar = owner(world, "oscar", operator=True)
    assert refusal(oscar, do="join", room="den") == ("encrypted-room", DOOR)
    pending = guest(world, "pia")
    publish(pending)  # its keys are published, and its device is in no list
    assert refusal(pending, do="join", room="den") == ("encrypted-room", DOOR)
    assert kinds(alice) == []


def test_whoever_has_keys_comes_in_and_is_told(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    bob = keyed(world, "bob")
    bob.record(do="join", room="den", ref=1)
    (entered,) = bob.records()
    assert entered["encrypted"] is True
    assert entered["members_rev"] == entered["seq"] == members_rev(alice)
    quiet = keyed(world, "carol", "quiet")
    quiet.record(do="leave")
    quiet.record(do="join", room="quiet", ref=1)
    assert not {"encrypted", "members_rev"} & quiet.records()[-1].keys()


def test_a_ban_still_holds_for_who_has_keys(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    assert ask(alice, "ban", user="bob") == "ok"
    assert ask(bob, "join", room="den") == "banned"


def test_who_logs_in_has_no_keys_of_that_account_and_is_removed(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    owner(world, "bob").drop()
    bob = with_keys(guest(world, "zed"))
    assert ask(bob, "join", room="den") == "ok"
    alice.records()
    bob.record(do="login", user="bob", password="correct horse")
    assert [(r["event"], r.get("user")) for r in heard(alice)] == [("renamed", None), ("kicked", "bob")]
    assert session_of(bob).rooms == ()
    assert refusal(bob, do="join", room="den") == ("encrypted-room", DOOR)


def test_who_logs_out_is_removed(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    bob.record(do="logout")
    assert kinds(alice) == ["renamed", "kicked"]
    assert session_of(bob).rooms == ()
    assert not session_of(bob).keyed


def test_who_takes_another_name_stays(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    bob = with_keys(guest(world, "bob"))
    assert ask(bob, "join", room="den") == "ok"
    rev = members_rev(alice)
    assert ask(bob, "name", name="rob") == "ok"
    assert members_rev(alice) == rev  # the same user, with the same devices
    seal(bob, "m1")
    assert "m1" in sealed(alice)


def test_who_comes_back_must_have_keys_again(world: World) -> None:
    encrypted_room(world, "alice")
    bob = world.connect()
    bob.record(do="hello", version=1, name="bob")
    secret = bob.records()[0]["resume"]
    with_keys(bob)
    assert ask(bob, "join", room="den") == "ok"
    bob.drop()
    again = world.connect()
    again.record(do="hello", version=1, name="bob", resume=secret)
    again.records()
    assert refusal(again, do="join", room="den", stay=True) == ("encrypted-room", DOOR)
    with_keys(again)
    assert ask(again, "join", room="den", stay=True) == "ok"


def test_an_operator_can_still_close_and_kick(world: World) -> None:
    _, bob = encrypted_room(world, "alice", "bob")
    oscar = owner(world, "oscar", operator=True)
    assert ask(oscar, "kick", user="bob", everywhere=True) == "ok"
    assert not bob.open
    assert ask(oscar, "close", room="den") == "ok"


# ---- devices ---------------------------------------------------------------------------------------------------------


def test_a_changed_device_list_is_told_in_order_and_moves_the_revision(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    old = members_rev(alice)
    list_devices(bob, "phone")
    (told,) = [record for record in alice.records() if record["event"] != "keys-changed"]
    assert (told["event"], told["by"], told["rev"]) == ("devices-changed", "bob", 2)
    assert told["seq"] == members_rev(alice) > old
    alice.record(do="say-sealed", id="m1", sid="c2Vz", ct="AA", members=old, ref=1)
    assert [r["code"] for r in alice.records()] == ["stale-members"]


def test_what_has_changed_is_told(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    world.rules.sessions = 0
    publish(owner(world, "bob"), "tablet")
    for devices, change in ((("phone", "tablet"), "linked"), (("phone", "tablet"), "other"), (("phone",), "removed")):
        alice.records()
        list_devices(bob, *devices)
        assert [r.get("change", "other") for r in alice.records() if r["event"] == "devices-changed"] == [change]


def test_only_encrypted_rooms_are_told_of_devices(world: World) -> None:
    alice, bob = keyed(world, "alice", "den"), keyed(world, "bob", "den")
    list_devices(bob, "phone")
    assert kinds(alice) == ["joined"]


def test_a_device_that_waits_to_be_listed_changes_nothing(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    rev = members_rev(alice)
    world.rules.sessions = 0
    publish(owner(world, "bob"), "tablet")
    assert members_rev(alice) == rev
    assert kinds(alice) == []
    seal(bob, "m1")
    assert sealed(alice) == ["m1"]


def test_a_session_whose_device_is_removed_is_put_out(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    lose_keys(bob)
    assert kinds(alice) == ["devices-changed", "kicked"]
    (told,) = [record for record in bob.records() if record["event"] == "kicked"]
    assert (told["user"], told["session"]) == ("bob", session_of(bob).id)
    assert "no linked device" in told["reason"]
    assert session_of(bob).rooms == ()


def test_who_was_put_out_and_came_back_is_put_out_again(world: World) -> None:
    _, bob = encrypted_room(world, "alice", "bob")
    for _ in range(2):
        lose_keys(bob)
        assert session_of(bob).rooms == ()
        with_keys(bob)
        assert ask(bob, "join", room="den") == "ok"


def test_a_session_that_goes_over_to_a_device_that_is_not_listed_is_put_out(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    publish(bob, "tablet")
    assert kinds(alice) == ["kicked"]
    assert session_of(bob).rooms == ()


def test_a_session_whose_keys_another_one_has_now_is_put_out(world: World) -> None:
    world.rules.sessions = 0
    alice, bob = encrypted_room(world, "alice", "bob")
    publish(owner(world, "bob"))
    assert session_of(bob).rooms == ()
    assert kinds(alice) == ["kicked"]


def test_a_session_that_loses_its_keys_while_it_joins_is_put_out(moody: World) -> None:
    encrypted_room(moody, "alice")
    bob = keyed(moody, "bob")
    moody.engine.holding = True  # type: ignore[attr-defined]
    bob.record(do="join", room="den")
    moody.chat.keys.holders.listed(session_of(bob), (), 2)
    moody.engine.let_go()  # type: ignore[attr-defined]
    moody.settle()
    assert session_of(bob).rooms == ()


def test_nobody_floods_rooms_by_changing_devices(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    for _ in range(LISTS_OF_ONE + 10):
        list_devices(bob, "phone")
    assert kinds(alice) == ["devices-changed"] * (LISTS_OF_ONE - 1)
    assert [r["code"] for r in heard(bob) if r["event"] == "error"] == ["devices-limited"] * 11
    world.pass_time(3600)
    list_devices(alice, "phone")
    assert kinds(alice) == ["devices-changed"]


# ---- for ever --------------------------------------------------------------------------------------------------------


def test_an_encrypted_room_survives_a_restart_and_stays_encrypted(world: World) -> None:
    encrypted_room(world, "alice")
    again = restarted(world)
    try:
        assert record_of(again, "den").encrypted
        assert refusal(guest(again, "bob"), do="join", room="den") == ("encrypted-room", DOOR)
        alice = keyed(again, "alice", "den")
        assert refusal(alice, do="say", text="plain")[0] == "encrypted-room"
    finally:
        again.close()


def test_no_change_of_the_record_makes_the_room_plain(world: World) -> None:
    encrypted_room(world, "alice")
    record = record_of(world, "den")
    plain = RoomRecord(record.id, record.name, record.made, record.owner, record.owner_id, topic="plain again")
    settled(world, world.chat.room_changes.amend(record, lambda now: plain))
    assert record_of(world, "den").topic == "plain again"
    assert record_of(world, "den").encrypted


def test_a_room_that_is_closed_and_made_again_is_another_one_and_plain(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    old = record_of(world, "den").id
    assert ask(alice, "close") == "ok"
    assert ask(guest(world, "bob"), "join", room="den") == "ok"
    assert record_of(world, "den").id != old
    assert not record_of(world, "den").encrypted


def test_the_list_of_rooms_marks_it(world: World) -> None:
    encrypted_room(world, "alice")
    keyed(world, "bob", "quiet")
    tom = world.person("tom")
    tom.say("/rooms")
    assert tom.lines()[1:] == ["  den  1 user  [e2e]", "  quiet  1 user"]


# ---- nothing plain ---------------------------------------------------------------------------------------------------

PLAIN: list[dict[str, Any]] = [
    {"do": "say", "text": "plain"},
    {"do": "say", "text": "plain", "quote": 1},
    {"do": "me", "text": "is plain"},
    {"do": "quote", "last": 1, "text": "plain"},
    {"do": "edit", "text": "plain"},
    {"do": "edit", "text": "plain", "seq": 1},
    {"do": "react", "emoji": "\N{THUMBS UP SIGN}"},
    {"do": "react", "emoji": "\N{THUMBS UP SIGN}", "seq": 1},
    {"do": "share", "name": "notes.txt", "size": 3, "sha256": "0" * 64},
    {"do": "share", "name": "notes.txt", "size": 3, "sha256": "0" * 64, "sealed": True},
]


@pytest.mark.parametrize("command", PLAIN, ids=lambda command: " ".join(map(str, command.values()))[:40])
def test_nothing_plain_is_accepted(world: World, command: dict[str, Any]) -> None:
    alice, bob = keyed(world, "alice", "den"), keyed(world, "bob", "den")
    bob.record(do="say", text="before")
    assert ask(alice, "encrypt", yes=True) == "ok"
    alice.records(), bob.records()
    why = "den is encrypted; only sealed messages and files can be sent there."
    seqs = {"seq": 3} if "seq" in command else {}
    assert refusal(bob, **{**command, **seqs}) == ("encrypted-room", why)
    assert kinds(alice) == []


@pytest.mark.parametrize("command", [c for c in PLAIN if c["do"] in ("edit", "react", "quote")], ids=str)
def test_it_is_refused_for_that_reason_where_nothing_plain_was_said(world: World, command: dict[str, Any]) -> None:
    (alice,) = encrypted_room(world, "alice")
    assert refusal(alice, **command)[0] == "encrypted-room"


def test_a_sealed_file_is_accepted_and_typing_is_told(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    assert begin(bob, name="0f" * 16, sealed=True)
    alice.records()
    assert ask(bob, "typing") == "ok"
    assert kinds(alice) == ["typing"]


def test_a_message_that_races_with_encrypt_is_stored_before_or_refused(moody: World) -> None:
    """Whatever is under way when the owner encrypts: no plain message comes after ``encrypted`` in the log."""
    alice, bob = keyed(moody, "alice", "den"), keyed(moody, "bob", "den")
    for client in (alice, bob):
        client.records()
    engine: Any = moody.engine
    engine.holding = True
    bob.record(do="say", text="early", ref=1)
    alice.record(do="encrypt", yes=True)
    for number in range(3):
        bob.record(do="say", text=f"late {number}", ref=2)
        engine.let_go()
        moody.settle()
        engine.holding = True
    engine.let_go()
    moody.settle()
    bob.record(do="say", text="last", ref=3)
    log = engine._logs[f"room/{record_of(moody, 'den').id}"]
    kept = [type(moody_event(row)) for row in log.rows]
    at = kept.index(Encrypted)
    assert Said in kept[:at]
    assert [r["text"] for r in alice.records() if r["event"] == "said"] == ["early"]
    assert Said not in kept[at:]
    assert [r["code"] for r in bob.records() if r.get("re") == 3] == ["encrypted-room"]


def moody_event(row: Any) -> Any:
    """Return the event of a row of the engine in memory."""
    return decode(row[4])


def test_a_plain_message_of_another_daemon_after_encrypt_is_not_shown_and_blanked(world: World) -> None:
    """That daemon had not read the record yet when it appended the message."""
    alice, bob = encrypted_room(world, "alice", "bob")
    log = f"room/{record_of(world, 'den').id}"
    world.engine.append(log, Said("far:1", world.chat.now(), "frida", "far-away", text="too late apple"))
    file = {"file": "f", "number": 9, "name": "apple.txt", "size": 1, "sha256": "0" * 64}
    world.engine.append(log, Shared("far:2", world.chat.now(), "frida", "far-away", **file))
    world.settle()
    assert kinds(alice) == kinds(bob) == []
    bob.record(do="history")
    assert "apple" not in str(bob.records())


def test_a_room_that_is_loaded_encrypted_shows_nothing_plain_either(world: World) -> None:
    encrypted_room(world, "alice")[0].drop()
    world.settle()
    alice = keyed(world, "alice", "den")
    log = f"room/{record_of(world, 'den').id}"
    world.engine.append(log, Said("far:1", world.chat.now(), "frida", "far-away", text="too late apple"))
    world.settle()
    assert kinds(alice) == []


def test_a_plain_file_that_was_on_its_way_is_refused_and_removed(world: World) -> None:
    alice, bob = keyed(world, "alice", "den"), keyed(world, "bob", "den")
    file = begin(bob)
    bob.send(chunk(file, 0))
    assert ask(alice, "encrypt", yes=True) == "ok"
    bob.send(chunk(file, 1))
    bob.send(chunk(file, 2))
    (error,) = [record for record in hear(bob) if record["event"] == "error"]
    assert (error["code"], error["file"]) == ("encrypted-room", file)
    assert "shared" not in kinds(alice)
    assert not [key for bucket, key in stored_records(world) if bucket == "file"]
    assert len(DATA) > 2 * 256 * 1024


def test_keys_are_those_of_one_user(world: World) -> None:
    """Whoever a session becomes, it has no keys of that user."""
    alice, bob = keyed(world, "alice"), keyed(world, "bob")
    session = session_of(alice)
    mailbox, session.mailbox = session.mailbox, None  # so that only the change of the user counts
    before = session.user
    session.sit(session_of(bob).user)
    assert (session.keyed, session.keys_device) == (False, "")
    session.sit(before)
    session.mailbox = mailbox
