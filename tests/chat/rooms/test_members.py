"""The members of a room: whose sessions they are, and who is none any more."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from harness import World
from order import guest, owner, session_of

from chatroom.chat.rooms.members import Member


@pytest.mark.parametrize(("users", "is_one"), [({"account:1"}, True), ({"guest:1"}, True), ({"account:2"}, False)])
def test_a_member_who_has_just_logged_in_is_known_by_both_ids(users: set[str], is_one: bool) -> None:
    logged_in: Any = SimpleNamespace(user_id="account:1")
    assert Member("bob", "guest:1", logged_in).is_one_of(users) is is_one


def test_a_member_on_another_daemon_is_known_by_its_id() -> None:
    member = Member("bob", "account:1", None)
    assert member.is_one_of({"account:1"})
    assert not member.is_one_of({"account:2"})


def test_who_has_left_with_the_last_session_is_no_member_any_more(world: World) -> None:
    world.rules.sessions = 0
    alice, one, other = owner(world, "alice", "den"), owner(world, "bob", "den"), owner(world, "bob", "den")
    room, bob = session_of(alice).room, session_of(one).user_id
    assert room.people[bob] == 2
    one.record(do="leave")
    assert room.people[bob] == 1
    other.record(do="leave")
    assert bob not in room.people
    guest(world, "carol", "den")
    alice.records()
    alice.record(do="member-ids", room="den")
    (page,) = alice.records()
    assert (len(page["members"]), page.get("more", 0)) == (2, 0)
