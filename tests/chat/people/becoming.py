"""What tests of becoming somebody else share."""

from __future__ import annotations

import re

from harness import Client, World

NAME_IN_USE = "Error: username is already used; choose another with /name <name>."


WRONG = "Error: wrong username or password."


def made(world: World, *names: str) -> None:
    """Make accounts whose passwords are ``secret``."""
    for name in names:
        maker = world.person()
        maker.say(f"/register {name} secret")
        maker.drop()
    for client in world.clients:
        client.take()


def logged_in(world: World, name: str, room: str = "") -> Client:
    """Return the owner of an account, who has heard all of that."""
    client = world.person()
    client.say(f"/login {name} secret")
    assert f"You are logged in as {name}." in client.lines()
    if room:
        client.say(f"/join {room}")
    client.take()
    return client


def whose(client: Client) -> tuple[str, bool]:
    """Return the name of a person, and whether it is an account's."""
    client.take()
    client.say("/account")
    line = client.lines()[-1]
    guest = re.fullmatch(r"You are (\S+), a guest\.", line)
    if guest is not None:
        return guest[1], False
    owner = re.fullmatch(r"You are logged in as (\S+)\.", line)
    assert owner is not None, line
    return owner[1], True
