"""Bans and mutes of those who have rights in the room: what the owner or an operator decides holds for them as well."""

from __future__ import annotations

import pytest
from harness import Client, World
from order import ask, guest, members, owner, settled

from chatroom.model.names import user_name


def named(world: World, name: str, room: str, kind: str) -> Client:
    """Return a guest, or somebody with an account."""
    return guest(world, name, room) if kind == "guest" else owner(world, name, room)


def speaks(client: Client) -> str:
    """Say something; return the code of the refusal, or ``said``."""
    client.records()
    client.record(do="say", text="hi")
    (answer,) = client.records()
    return str(answer.get("code", answer["event"]))


@pytest.mark.parametrize("kind", ["guest", "account"])
def test_a_moderator_whom_the_owner_bans_stays_out(world: World, kind: str) -> None:
    olga = owner(world, "olga", "den")
    mona = named(world, "mona", "den", kind)
    assert ask(olga, "op", user="mona") == "ok"
    assert ask(olga, "ban", user="mona") == "ok"
    assert ask(mona, "join", room="den") == "banned"
    assert ask(mona, "unban", user="mona") == "not-in-room"
    assert members(world, "den") == ["olga"]
    assert ask(olga, "unban", user="mona") == "ok"
    assert ask(mona, "join", room="den") == "ok"


@pytest.mark.parametrize("kind", ["guest", "account"])
def test_a_moderator_whom_the_owner_mutes_says_nothing(world: World, kind: str) -> None:
    olga = owner(world, "olga", "den")
    mona = named(world, "mona", "den", kind)
    ask(olga, "op", user="mona")
    assert ask(olga, "mute", user="mona") == "ok"
    assert speaks(mona) == "muted"
    assert ask(mona, "unmute", user="mona") == "not-to-yourself"
    ask(mona, "leave")
    ask(mona, "join", room="den")
    assert speaks(mona) == "muted"
    assert ask(olga, "unmute", user="mona") == "ok"
    assert speaks(mona) == "said"


def test_what_an_operator_decides_about_the_owner_holds(world: World) -> None:
    olga = owner(world, "olga", "den")
    oscar = owner(world, "oscar", "den", operator=True)
    assert ask(oscar, "mute", user="olga") == "ok"
    assert speaks(olga) == "muted"
    assert ask(olga, "unmute", user="olga") == "not-to-yourself"
    assert ask(oscar, "ban", user="olga") == "ok"
    assert ask(olga, "join", room="den") == "banned"
    assert members(world, "den") == ["oscar"]
    assert ask(olga, "close", room="den") != "ok"


def test_a_ban_of_an_address_or_a_name_keeps_nobody_out_who_moderates(world: World) -> None:
    """Others have them as well: who bans them does not mean those who keep order here."""
    olga = owner(world, "olga", "den", host="192.0.2.7")
    ask(olga, "ban", user="192.0.2.7")
    mona = owner(world, "mona", host="192.0.2.7")
    assert ask(mona, "join", room="den") == "banned"
    ask(olga, "leave")
    assert ask(olga, "join", room="den") == "ok"
    assert speaks(olga) == "said"


@pytest.mark.parametrize("banned", ["192.0.2.7", "oscar"])
def test_no_ban_of_a_room_keeps_an_operator_out(world: World, banned: str) -> None:
    """Neither a ban of the operator's address nor one from the time before the rights were given."""
    olga = owner(world, "olga", "den")
    oscar = owner(world, "oscar", "den", host="192.0.2.7")
    assert ask(olga, "ban", user=banned) == "ok"
    assert ask(oscar, "join", room="den") == "banned"
    record = settled(world, world.chat.accounts.get(user_name("oscar")))
    settled(world, world.chat.account_changes.change(record, operator=True))
    assert ask(oscar, "join", room="den") == "ok"
    assert speaks(oscar) == "said"
