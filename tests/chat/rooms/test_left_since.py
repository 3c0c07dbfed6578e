"""Who has left a room since a seq, and who has only lost the connection: ``member-ids`` with ``since``."""

from __future__ import annotations

from typing import Any

import pytest
from harness import Client, World
from order import session_of
from sealing import keyed, members_rev

from chatroom.chat.rooms import sealed as rooms


def left(client: Client, since: int) -> Any:
    """Return who has left, as the server says it."""
    client.records()
    client.record(do="member-ids", room="den", since=since, ref="ids")
    (page,) = [record for record in client.records() if record.get("re") == "ids"]
    return page.get("left")


def test_who_has_left_or_was_put_out_is_told_and_who_lost_the_connection_is_not(world: World) -> None:
    alice, bob, carol, dave = (keyed(world, name, "den") for name in ("alice", "bob", "carol", "dave"))
    since = members_rev(alice)
    ids = [session_of(bob).user_id, session_of(carol).user_id]
    assert left(alice, since) == []
    bob.record(do="leave", room="den")
    alice.record(do="kick", room="den", user="carol")
    dave.drop()
    world.settle()
    assert left(alice, since) == ids
    bob.record(do="join", room="den")
    assert left(alice, since) == ids[1:]
    assert left(alice, members_rev(alice)) == []


def test_it_is_not_told_unasked_nor_if_too_much_has_happened(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = keyed(world, "alice", "den")
    since = members_rev(alice)
    assert left(alice, 0) is None
    monkeypatch.setattr(rooms, "CATCH_UP", 1)
    for text in ("one", "two"):
        alice.record(do="say", room="den", text=text)
    assert left(alice, since) is None
