"""Sealed messages: messages of an encrypted room in all but their text, which the server does not have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from fakes import MoodyEngine
from harness import Client, World, result
from order import ask, guest, owner, record_of, session_of
from sealing import CT, device_of, encrypted_room, keyed, list_devices, members_rev, seal, sealed, with_keys
from twisted.internet.task import Clock

from chatroom.chat.limits import ENCRYPTED_JOINS, ENCRYPTED_JOINS_EVERY, LISTED, STALE_REFUSALS, STALE_REMEMBERED
from chatroom.model.events import SealedMessage


@pytest.fixture
def moody() -> Iterator[World]:
    clock = Clock()
    with closing(World(MoodyEngine(clock), clock)) as made:
        yield made


def refusal(client: Client, **fields: Any) -> str:
    """Return the code by which a sealed message is refused; empty if it is not."""
    rev = members_rev(client)
    record = {"do": "say-sealed", "room": "den", "id": "m1", "sid": "c2Vz", "ct": "AA", "members": rev, **fields}
    client.record(**record, ref="?")
    return next((r["code"] for r in client.records() if r.get("re") == "?" and r["event"] == "error"), "")


def past(client: Client, **fields: Any) -> list[dict[str, Any]]:
    """Return the messages of the room's history."""
    client.records()
    client.record(do="history", messages=100, room="den", **fields)
    return list(client.records()[-1]["events"])


# ---- said and heard --------------------------------------------------------------------------------------------------


def test_a_sealed_message_is_told_to_all_members_in_one_order(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    seal(bob, "m1")
    (record,) = alice.records()
    assert record == {
        "event": "sealed",
        "room": "den",
        "seq": session_of(alice).room.seq,
        "id": "m1",
        "at": world.chat.now(),
        "by": "bob",
        "by_id": session_of(bob).user_id,
        "device": device_of(bob).id,
        "sid": "c2Vzc2lvbg",
        "ct": CT,
    }
    assert bob.records() == [record]
    assert past(alice) == [record]


def test_said_again_it_is_stored_once_and_the_first_one_comes_again(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    seal(bob, "m1")
    seal(bob, "m1", ct="BBBB")
    assert sealed(alice) == ["m1"]
    assert [r["ct"] for r in bob.records() if r["event"] == "sealed"] == [CT]
    assert [event["ct"] for event in past(bob)] == [CT]


def test_without_echo_the_author_is_answered_ok(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    assert ask(bob, "echo", on=False) == "ok"
    seal(bob, "m1", ref=1)
    assert [(r["event"], r.get("re")) for r in bob.records()] == [("ok", 1)]
    assert sealed(alice) == ["m1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ct": ""},
        {"ct": "A" * 12_001},
        {"ct": "no base64!"},
        {"ct": "AA=="},
        {"sid": ""},
        {"sid": "A" * 65},
        {"id": ""},
    ],
    ids=str,
)
def test_its_fields_have_bounds(world: World, wrong: dict[str, str]) -> None:
    (alice,) = encrypted_room(world, "alice")
    assert refusal(alice, **wrong) == "bad-record"
    assert refusal(alice, ct="A" * 12_000) == ""


def test_only_an_encrypted_room_takes_it(world: World) -> None:
    alice = keyed(world, "alice", "den")
    assert refusal(alice) == "not-encrypted"


def test_a_session_that_has_lost_its_keys_says_nothing_more(moody: World) -> None:
    """Its removal is on its way to the log, so it is still in the room."""
    alice, bob = encrypted_room(moody, "alice", "bob")
    rev = members_rev(bob)
    moody.engine.holding = True  # type: ignore[attr-defined]
    moody.chat.keys.holders.listed(session_of(bob), (), 9)
    bob.record(do="say-sealed", id="m1", sid="c2Vz", ct="AA", members=rev, ref=1)
    moody.engine.let_go()  # type: ignore[attr-defined]
    moody.settle()
    assert [r["code"] for r in bob.records() if r.get("re") == 1] == ["encrypted-room"]
    assert sealed(alice) == []


# ---- for which members it is -----------------------------------------------------------------------------------------


def test_a_message_for_other_members_is_refused(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    old = members_rev(alice)
    bob = keyed(world, "bob", "den")
    assert refusal(alice, members=old) == "stale-members"
    assert refusal(alice, members=members_rev(alice) + 1) == "stale-members"
    both = members_rev(alice)
    bob.record(do="leave")
    assert refusal(alice, members=both) == "stale-members"
    assert refusal(alice) == ""


def test_who_comes_and_goes_all_the_time_does_not_keep_a_member_silent(world: World) -> None:
    """At first a message is refused, so that it is sealed for those who came, too."""
    alice, carol = encrypted_room(world, "alice", "carol")
    mallory = keyed(world, "mallory")
    told = []
    for _ in range(STALE_REFUSALS + 1):
        world.pass_time(ENCRYPTED_JOINS_EVERY)
        old = members_rev(alice)
        joined(mallory)
        mallory.record(do="leave")
        told.append(refusal(alice, members=old, id="m1"))
    assert told == ["stale-members"] * STALE_REFUSALS + [""]
    assert sealed(carol) == ["m1"]
    assert session_of(alice).stale == {}
    world.pass_time(ENCRYPTED_JOINS_EVERY)
    old = members_rev(alice)
    joined(mallory)
    assert refusal(alice, members=old, id="m2") == "stale-members", "it begins anew with each message"


def test_messages_that_are_under_way_together_are_refused_together(world: World) -> None:
    """Otherwise those after the first would be said before it, and its number would be missing."""
    alice, carol = encrypted_room(world, "alice", "carol")
    mallory = keyed(world, "mallory")
    old = members_rev(alice)
    joined(mallory)
    several = [f"m{number}" for number in range(STALE_REFUSALS + 4)]
    for _ in range(STALE_REFUSALS):
        assert {refusal(alice, members=old, id=id) for id in several} == {"stale-members"}
    assert [refusal(alice, members=old, id=id) for id in several] == [""] * len(several)
    assert sealed(carol) == several


def test_only_so_many_refused_messages_are_remembered(world: World) -> None:
    alice, _ = encrypted_room(world, "alice", "carol")
    mallory = keyed(world, "mallory")
    old = members_rev(alice)
    joined(mallory)
    for number in range(STALE_REMEMBERED + 5):
        assert refusal(alice, members=old, id=f"m{number}") == "stale-members"
    assert len(session_of(alice).stale) == STALE_REMEMBERED


@pytest.mark.parametrize("how", ["leave", "drop", "kick", "ban", "logout", "devices", "leave and join"])
def test_what_was_sealed_for_somebody_who_has_gone_is_refused_however_often(world: World, how: str) -> None:
    alice, bob, carol = encrypted_room(world, "alice", "bob", "carol")
    old = members_rev(alice)
    if how == "drop":
        bob.drop()
    elif how == "devices":
        list_devices(bob, "phone")
    elif how == "leave and join":
        bob.record(do="leave")
        joined(bob)
    else:
        actor = alice if how in ("kick", "ban") else bob
        actor.record(do=how, **({"user": "bob"} if actor is alice else {}))
    for _ in range(STALE_REFUSALS + 3):
        assert refusal(alice, members=old, id="m1") == "stale-members"
    assert sealed(carol) == []


def come_back(client: Client) -> list[str]:
    """Leave the room and join it again; return what is answered at once: nothing, if the join has to wait."""
    client.record(do="leave")
    client.records()
    client.record(do="join", room="den", ref="in")
    return answers(client)


def answers(client: Client) -> list[str]:
    """Return how a join was answered: with the code of a refusal, or ``entered``."""
    return [record.get("code", record["event"]) for record in client.records() if record.get("re") == "in"]


def test_who_comes_back_often_waits_a_little(world: World) -> None:
    _, bob = encrypted_room(world, "alice", "bob")
    assert [come_back(bob) for _ in range(ENCRYPTED_JOINS)] == [["entered"]] * ENCRYPTED_JOINS
    assert come_back(bob) == []
    keyed(world, "carol", "den")
    world.pass_time(ENCRYPTED_JOINS_EVERY - 0.1)
    assert answers(bob) == []
    world.pass_time(0.2)
    assert answers(bob) == ["entered"]


def test_whose_connection_ends_while_waiting_does_not_come_in(world: World) -> None:
    _, bob = encrypted_room(world, "alice", "bob")
    for _ in range(ENCRYPTED_JOINS + 1):
        come_back(bob)
    bob.drop()
    world.pass_time(ENCRYPTED_JOINS_EVERY + 1)
    room = world.chat.loaded_rooms.get("den")
    assert room is not None
    assert [member.name for member in room.members.values()] == ["alice"]


def test_who_waits_already_with_other_sessions_is_refused_and_waits_no_longer_for_it(world: World) -> None:
    world.rules.sessions = 0
    _, bob = encrypted_room(world, "alice", "bob")
    for _ in range(ENCRYPTED_JOINS + 1):
        come_back(bob)
    told = []
    for _ in range(4):
        again = owner(world, "bob")
        publish_also(again)
        again.record(do="join", room="den", ref="in")
        told += answers(again)
    assert told == ["joins-limited"] * 3, "one more waits"
    world.pass_time(2 * ENCRYPTED_JOINS_EVERY + 1)
    assert answers(bob) == ["entered"]
    for each in session_of(bob).user.sessions[1:]:
        each.host.connections.hang_up(each)
    assert come_back(bob) == [], "what was refused does not make it wait longer"
    world.pass_time(ENCRYPTED_JOINS_EVERY)
    assert answers(bob) == ["entered"]


def test_all_users_at_one_address_join_only_so_often(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chatroom.chat.rooms.encrypted_joins.ENCRYPTED_JOINS_OF_ADDRESS", 3)
    with closing(World()) as school:
        encrypted_room(school, "alice")
        guests = [with_keys(guest(school, f"pupil{number}", host="198.51.100.7")) for number in range(4)]
        told = []
        for each in guests:
            each.record(do="join", room="den", ref="in")
            told += [record.get("code", "") for record in each.records() if record.get("re") == "in"]
        assert told == ["", "", "", "joins-limited"]
        keyed(school, "bob", "den", host="198.51.101.7")


@pytest.mark.parametrize("how", ["leave", "drop", "kick", "ban", "logout", "devices"])
def test_whatever_changes_the_members_or_their_devices_moves_the_revision(world: World, how: str) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    rev = members_rev(alice)
    if how == "drop":
        bob.drop()
    elif how == "devices":
        list_devices(bob, "phone")
    else:
        actor = alice if how in ("kick", "ban") else bob
        actor.record(do=how, **({"user": "bob"} if actor is alice else {}))
    seqs = [record["seq"] for record in alice.records() if "seq" in record]
    assert members_rev(alice) == seqs[-1] > rev


def test_what_changes_no_membership_does_not_move_the_revision(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    rev = members_rev(alice)
    seal(bob, "m1")
    assert ask(alice, "topic", text="secrets") == "ok"
    assert ask(alice, "mute", user="bob") == "ok"
    assert members_rev(alice) == rev


def test_a_further_session_of_a_member_does_not_move_the_revision(world: World) -> None:
    """Members are not told of it; its device is in the list already."""
    world.rules.sessions = 0
    alice, bob = encrypted_room(world, "alice", "bob")
    again = owner(world, "bob")
    world.settle()
    list_devices(bob, "phone")
    rev = members_rev(alice)
    publish_also(again)
    entered = joined(again)
    assert entered["members_rev"] == rev == members_rev(alice)


def publish_also(client: Client) -> None:
    """Let a second session of a user have keys: a device that was listed meanwhile."""
    session_of(client).keys_device, session_of(client).keyed = "TABLETTABL", True


def joined(client: Client) -> dict[str, Any]:
    """Join the room; return the answer."""
    client.record(do="join", room="den", ref="in")
    (entered,) = [record for record in client.records() if record.get("re") == "in"]
    return entered


# ---- the ids of members ----------------------------------------------------------------------------------------------


def test_the_ids_of_members_come_with_their_lists_numbers(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    list_devices(bob, "phone")
    alice.records()
    alice.record(do="member-ids", room="den", ref=1)
    (page,) = alice.records()
    assert page == {
        "event": "member-ids",
        "room": "den",
        "rev": members_rev(alice),
        "members": [[session_of(alice).user_id, "alice", 1], [session_of(bob).user_id, "bob", 2]],
        "re": 1,
    }


def test_a_plain_room_tells_them_too_so_that_its_owner_can_prepare(world: World) -> None:
    alice = keyed(world, "alice", "den")
    guest(world, "bob", "den")
    alice.records()
    alice.record(do="member-ids", ref=1)
    assert [(name, rev) for _, name, rev in alice.records()[-1]["members"]] == [("alice", 1), ("bob", 0)]


def test_many_members_come_in_pages(world: World) -> None:
    alice = keyed(world, "alice", "den")
    for number in range(LISTED + 5):
        guest(world, f"guest{number}", "den")
    pages = []
    for after in (0, LISTED, 2 * LISTED):
        alice.records()
        alice.record(do="member-ids", after=after, ref=1)
        pages.append(alice.records()[-1])
    assert [len(page["members"]) for page in pages] == [LISTED, 6, 0]
    assert [page.get("more", 0) for page in pages] == [6, 0, 0]
    assert len({id for page in pages for id, _, _ in page["members"]}) == LISTED + 6


# ---- a message like others -------------------------------------------------------------------------------------------


def test_it_counts_as_unread_and_mentions_nobody(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    bob.record(do="leave")
    for id in ("m1", "m2", "bob"):
        seal(alice, id)
    alice.record(do="delete", seq=past(alice)[0]["seq"])
    entered = joined(bob)
    assert (entered["unread"], entered.get("mentions", 0)) == (2, 0)


def test_a_moderator_deletes_it_and_nothing_is_left(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    seal(bob, "m1", ct="SECRETsecret")
    assert ask(alice, "delete", user="bob") == "ok"
    (event,) = past(bob)
    assert (event["event"], event["ct"]) == ("sealed", "")
    log: Any = world.engine._logs[f"room/{record_of(world, 'den').id}"]  # type: ignore[attr-defined]
    assert not any(b"SECRETsecret" in row[4] for row in log.rows)
    assert ask(alice, "delete", user="bob") == "no-message"


def test_only_moderators_delete_what_others_sealed(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    seal(alice, "m1")
    seq = past(bob)[0]["seq"]
    assert ask(bob, "delete", seq=seq) == "not-yours"
    seal(bob, "m2")
    assert ask(bob, "delete") == "ok"
    assert [bool(event["ct"]) for event in past(bob)] == [True, False]


def test_who_ignores_its_author_does_not_hear_it(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    assert ask(alice, "ignore", user="bob") == "ok"
    seal(bob, "m1")
    assert sealed(alice) == []


def test_a_muted_member_and_a_slow_room_refuse_it(world: World) -> None:
    alice, bob = encrypted_room(world, "alice", "bob")
    assert ask(alice, "slow", seconds=60) == "ok"
    assert (refusal(bob), refusal(bob, id="m2")) == ("", "too-soon")
    assert ask(alice, "mute", user="bob") == "ok"
    assert refusal(bob, id="m3") == "muted"


def test_nothing_in_it_is_found(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    seal(alice, "apple", ct="apple")
    alice.records()
    alice.record(do="search", words="apple")
    assert alice.records()[-1]["events"] == []


def test_it_cannot_be_edited_quoted_or_reacted_to_in_the_log(world: World) -> None:
    """The server refuses that before; the engine would, too."""
    (alice,) = encrypted_room(world, "alice")
    seal(alice, "m1")
    seq = past(alice)[0]["seq"]
    for command in ({"do": "edit", "text": "x"}, {"do": "react", "emoji": "+1"}):
        assert ask(alice, **command, seq=seq) == "encrypted-room"
    assert past(alice)[0]["ct"] == CT


def test_retention_counts_and_removes_it(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    for number in range(5):
        seal(alice, f"m{number}")
    log = f"room/{record_of(world, 'den').id}"
    while result(_expired(world, log)):
        pass
    assert [event["id"] for event in past(alice)] == ["m3", "m4"]


async def _expired(world: World, log: str) -> int:
    return await world.engine.expire(log, 0, 2)


def test_its_repr_shows_no_content() -> None:
    assert "SECRET" not in repr(SealedMessage("1", 1, "a", "b", device="D", sid="SECRET", ct="SECRET"))


def test_a_guest_with_keys_says_it_too(world: World) -> None:
    (alice,) = encrypted_room(world, "alice")
    bob = with_keys(guest(world, "bob"))
    joined(bob)
    seal(bob, "m1")
    assert "m1" in sealed(alice)
