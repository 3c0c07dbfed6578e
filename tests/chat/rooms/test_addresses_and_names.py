"""Names that read like addresses, and addresses that carry more: whom a ban is for, and what is shown of it."""

from __future__ import annotations

import pytest
from harness import World
from order import ask, guest, members, owner, session_of, text_of

from chatroom.chat.bans_and_mutes import Sanction, listed
from chatroom.model.names import user_name


@pytest.mark.parametrize("zone", ["\x1b[2J\x1b]0;x\x07", "\x9b2J", "\u202e", "\nError: you are banned", "eth0"])
@pytest.mark.parametrize("do", ["ban", "mute"])
def test_an_address_has_no_zone(world: World, do: str, zone: str) -> None:
    alice = owner(world, "alice", "den")
    assert ask(alice, do, user=f"fe80::7%{zone}") == "no-user"
    assert not session_of(alice).room.record.bans + session_of(alice).room.record.mutes


def test_what_was_kept_before_is_shown_clean() -> None:
    ban = Sanction("address:fe80::/64", "fe80::7%\nError: \x1b[2Jout", "eve", 1)
    text = listed("Banned here:", [ban], 2)
    assert text.count("\n") == 1
    assert "\x1b" not in text


@pytest.mark.parametrize("name", ["192.0.2.44", "10.9.8.7", "127.0.0.9"])
def test_nobody_new_is_called_like_an_address(world: World, name: str) -> None:
    client = guest(world, "bob")
    assert ask(client, "name", name=name) == "bad-name"
    assert ask(client, "register", user=name, password="secret") == "bad-name"


def test_whoever_has_such_a_name_is_meant_by_it(world: World) -> None:
    alice, bob = owner(world, "alice", "den"), guest(world, "bob", "den")
    name = user_name("192.0.2.44")
    user = session_of(bob).user
    world.chat.names.claim(user, name)
    world.chat.connections.rename(session_of(bob), name)
    assert ask(alice, "ban", user="192.0.2.44") == "ok"
    assert members(world, "den") == ["alice"]


def test_an_address_is_still_banned(world: World) -> None:
    alice = owner(world, "alice", "den")
    assert ask(alice, "ban", user="192.0.2.45") == "ok"
    assert ask(guest(world, "eve", host="192.0.2.45"), "join", room="den") == "banned"


@pytest.mark.parametrize(
    "name",
    ["olga.", "o\u029fga", "\u1d07rror", "\u1d00dmin", "Error2", "Announcement-by-olga", "Mod", "Owner", "Security"],
)
def test_names_that_mislead_are_not_given(world: World, name: str) -> None:
    client = guest(world, "bob")
    assert ask(client, "name", name=name) == "bad-name"
    assert ask(client, "register", user=name, password="secret") == "bad-name"


@pytest.mark.parametrize("name", ["user5", "olga_", "modest", "ownership", "alerta"])
def test_other_names_are(world: World, name: str) -> None:
    assert session_of(guest(world, name)).name == name


@pytest.mark.parametrize("room", ["lobby.", "\u029fobby"])
def test_a_room_does_not_mislead(world: World, room: str) -> None:
    client = guest(world, "bob")
    assert ask(client, "join", room=room) == "bad-room"
    assert text_of(client, "join", room="lobby.").startswith("a name does not end with a full stop")
