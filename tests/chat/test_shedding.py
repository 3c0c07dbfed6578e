"""What is held against somebody is not shed: by another account, another name, a made-up secret, another connection."""

from __future__ import annotations

import pytest
from coming_back import come
from harness import Client, World
from order import FAR, PASSWORD, account, ask, guest, members, owner, restarted, session_of, settled, text_of

from chatroom.chat.limits import WAS
from chatroom.model.names import user_name


def delete(client: Client) -> None:
    """Delete the account that a program is logged in to."""
    assert ask(client, "delete-account", password=PASSWORD) == "ok"


def speak(client: Client, text: str) -> str:
    """Say something; return ``ok`` when it was said, else the code of the refusal."""
    client.records()
    client.record(do="say", text=text)
    (told,) = client.records()
    return "ok" if told["event"] == "said" else str(told["code"])


def register(client: Client, name: str) -> None:
    """Register, and be logged in."""
    assert ask(client, "register", user=name, password=PASSWORD) == "ok"


# ---- deleting and registering ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["vera", "walter"])
def test_a_ban_outlives_the_account_on_the_same_connection(world: World, name: str) -> None:
    alice, vera = owner(world, "alice", "den"), owner(world, "vera", "den")
    assert ask(alice, "ban", user="vera", reason="noise") == "ok"
    delete(vera)
    register(vera, name)
    assert text_of(vera, "join", room="den") == "you are banned from den: noise."
    vera.drop()
    assert ask(owner(world, name), "join", room="den") == "banned", "on another connection, too"


def test_a_ban_outlives_the_account_on_another_connection_by_its_name(world: World) -> None:
    alice, vera = owner(world, "alice", "den"), owner(world, "vera", "den")
    assert ask(alice, "ban", user="vera") == "ok"
    delete(vera)
    vera.drop()
    again = guest(world, "vera", host=FAR + "9")
    assert ask(again, "join", room="den") == "banned"
    register(again, "vera")
    assert ask(again, "join", room="den") == "banned"


def test_a_ban_outlives_the_account_at_its_address(world: World) -> None:
    alice, vera = owner(world, "alice", "den"), owner(world, "vera", "den", host=FAR + "1")
    neighbour = guest(world, "mona", "den", host=FAR + "1")
    assert ask(alice, "ban", user="vera") == "ok"
    delete(vera)
    vera.drop()
    again = guest(world, "nobody-you-know", host=FAR + "1")
    assert ask(again, "join", room="den") == "banned"
    register(again, "walter")
    again.drop()
    assert ask(owner(world, "walter", host=FAR + "2"), "join", room="den") == "banned"
    assert members(world, "den") == ["alice", "mona"], "whoever was there is somebody else"
    assert speak(neighbour, "hello") == "ok"
    assert ask(guest(world, "oscar", host=FAR + "2"), "join", room="den") == "ok"


def test_a_ban_outlives_the_account_and_a_restart_at_its_address(world: World) -> None:
    alice, vera = owner(world, "alice", "den"), owner(world, "vera", "den", host=FAR + "1")
    assert ask(alice, "ban", user="vera") == "ok"
    delete(vera)
    again = restarted(world)
    assert ask(owner(again, "walter", host=FAR + "1"), "join", room="den") == "banned"
    assert ask(owner(again, "mona", host=FAR + "2"), "join", room="den") == "ok"
    again.close()


def test_a_mute_and_a_ban_of_a_guest_hold_against_the_account_that_it_makes(world: World) -> None:
    alice = owner(world, "alice", "den")
    vera, uwe = guest(world, "vera", "den"), guest(world, "uwe", "den")
    assert ask(alice, "mute", user="vera") == "ok"
    assert ask(alice, "ban", user="uwe") == "ok"
    register(vera, "vladimir")
    assert speak(vera, "hello") == "muted"
    register(uwe, "ulrich")
    assert ask(uwe, "join", room="den") == "banned"
    for client, name, code in ((vera, "vladimir", "ok"), (uwe, "ulrich", "banned")):
        client.drop()
        assert ask(owner(world, name), "join", room="den") == code


def test_a_ban_from_the_server_outlives_the_account(world: World) -> None:
    oscar = owner(world, "oscar", operator=True)
    owner(world, "vera")
    assert ask(oscar, "ban", user="vera", everywhere=True) == "ok"
    found = settled(world, world.chat.accounts.get(user_name("vera")))
    settled(world, world.chat.account_changes.remove(found))
    again = guest(world, "v2", host=FAR + "1")
    assert ask(again, "name", name="vera") == "server-banned"
    assert ask(again, "register", user="vera", password=PASSWORD) == "server-banned"


def test_an_unban_lets_in_all_of_it(world: World) -> None:
    alice, vera = owner(world, "alice", "den"), owner(world, "vera", "den")
    assert ask(alice, "ban", user="vera") == "ok"
    delete(vera)
    register(vera, "vera")
    assert ask(alice, "unban", user="vera") == "ok"
    assert ask(vera, "join", room="den") == "ok"


# ---- secrets and connections -------------------------------------------------------------------------------------


@pytest.mark.parametrize("resume", ["made up by myself 1", "x" * 40])
def test_a_made_up_secret_sheds_nothing(world: World, resume: str) -> None:
    alice = owner(world, "alice", "den")
    account(world, "vera")
    vera = world.connect()
    vera.record(do="login", user="vera", password=PASSWORD)
    vera.record(do="join", room="den")
    assert ask(alice, "ban", user="vera") == "ok"
    assert ask(vera, "logout") == "ok"
    vera.record(do="hello", version=1, resume=resume)
    assert ask(vera, "join", room="den") == "banned"


def test_a_guest_is_the_same_under_a_made_up_secret_and_another_name(world: World) -> None:
    alice = owner(world, "alice", "den")
    vera = world.connect()
    vera.record(do="name", name="vera")
    vera.record(do="join", room="den")
    assert ask(alice, "ban", user="vera") == "ok"
    vera.record(do="hello", version=1, name="walter", resume="made up by myself 2")
    assert session_of(vera).name == "walter"
    assert ask(vera, "join", room="den") == "banned"


def test_whoever_comes_back_by_the_secret_is_held_to_it_even_after_a_restart(world: World) -> None:
    alice = owner(world, "alice", "den")
    vera, secret = come(world, name="vera")
    vera.record(do="join", room="den")
    assert ask(alice, "ban", user="vera") == "ok"
    vera.drop()
    again = restarted(world)
    back, _ = come(again, name="walter", resume=secret)
    assert ask(back, "join", room="den") == "banned"
    again.close()


def test_logging_in_and_out_of_many_accounts_sheds_nothing(world: World) -> None:
    alice, vera = owner(world, "alice", "den"), owner(world, "vera", "den")
    assert ask(alice, "ban", user="vera") == "ok"
    for number in range(WAS - 3):
        assert ask(vera, "logout") == "ok"
        register(vera, f"vera-{number}")
    assert ask(vera, "join", room="den") == "banned"


# ---- slow rooms --------------------------------------------------------------------------------------------------


def slow_room(world: World) -> Client:
    """Return the owner of a slow room."""
    alice = owner(world, "alice", "den")
    assert ask(alice, "slow", seconds=50) == "ok"
    return alice


def test_a_new_connection_under_the_name_does_not_speak_sooner(world: World) -> None:
    slow_room(world)
    vera = guest(world, "vera", "den")
    assert speak(vera, "one") == "ok"
    vera.drop()
    again = guest(world, "vera", "den")
    assert speak(again, "two") == "too-soon"
    world.pass_time(50)
    assert speak(again, "two") == "ok"


@pytest.mark.parametrize("becoming", ["resume", "register", "login", "logout"])
def test_becoming_somebody_else_does_not_let_one_speak_sooner(world: World, becoming: str) -> None:
    slow_room(world)
    account(world, "uwe")
    vera = world.connect()
    vera.record(do="name", name="vera")
    if becoming == "logout":
        vera.record(do="login", user="uwe", password=PASSWORD)
    vera.record(do="join", room="den")
    assert speak(vera, "one") == "ok"
    assert ask(vera, "leave") == "ok"
    if becoming == "resume":
        vera.record(do="hello", version=1, name="walter", resume="made up by myself 3")
    elif becoming == "logout":
        assert ask(vera, "logout") == "ok"
    elif becoming == "login":
        assert ask(vera, "login", user="uwe", password=PASSWORD) == "ok"
    else:
        register(vera, "walter")
    assert ask(vera, "join", room="den") == "ok"
    assert speak(vera, "two") == "too-soon"
    assert speak(guest(world, "mona", "den"), "hello") == "ok"


# ---- into a name that is banned ----------------------------------------------------------------------------------


@pytest.mark.parametrize("do", ["name", "register"])
def test_a_name_that_is_banned_in_the_room_is_not_taken_in_it(world: World, do: str) -> None:
    alice, mona = owner(world, "alice", "den"), guest(world, "mona", "den")
    assert ask(alice, "ban", user="vera", reason="noise") == "ok"
    fields = {"name": "vera"} if do == "name" else {"user": "Vera", "password": PASSWORD}
    assert text_of(mona, do, **fields) == "you are banned from den: noise."
    assert members(world, "den") == ["alice", "mona"]
    assert settled(world, world.chat.accounts.get(user_name("vera"))) is None
    assert speak(mona, "still here") == "ok"
    assert ask(mona, "leave") == "ok"
    assert ask(mona, do, **fields) == "ok"
    assert ask(mona, "join", room="den") == "banned"


def test_a_name_is_not_taken_back_into_a_room_where_it_is_banned(world: World) -> None:
    alice = owner(world, "alice", "den")
    vera, secret = come(world, name="vera")
    vera.drop()
    back, _ = come(world, resume=secret)
    assert session_of(back).name == "vera"
    assert ask(alice, "ban", user="vera") == "ok"
    assert ask(back, "join", room="den") == "banned"


def test_a_muted_name_is_muted_whoever_takes_it(world: World) -> None:
    alice, mona = owner(world, "alice", "den"), guest(world, "mona", "den")
    assert ask(alice, "mute", user="vera") == "ok"
    assert ask(mona, "name", name="vera") == "ok"
    assert speak(mona, "hello") == "muted"


def test_a_moderator_may_take_any_name(world: World) -> None:
    mona = guest(world, "mona", "den")
    assert ask(mona, "ban", user="vera") == "ok"
    assert ask(mona, "name", name="vera") == "ok"
