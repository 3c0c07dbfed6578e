"""What the tests about guests who come back share: a program with its secret, and the ways in which it is cut off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness import Client, World
from order import restarted

Cut = Callable[[World, Client], World]


def come(world: World, *, host: str = "127.0.0.1", **fields: Any) -> tuple[Client, str]:
    """Return a program that has said hello, and the secret it was told; the welcome has been heard."""
    client = world.connect(host)
    client.record(do="hello", version=1, **fields)
    (welcome, *_) = records = client.records()
    assert welcome["event"] == "welcome", records
    return client, welcome["resume"]


def inbox(client: Client) -> list[str]:
    """Return the private messages that a program has heard."""
    return [record["text"] for record in client.records() if record["event"] == "private"]


def inbox_of_hello(world: World, **fields: Any) -> list[str]:
    """Return the private messages that a program hears with its welcome."""
    client = world.connect()
    client.record(do="hello", version=1, **fields)
    return inbox(client)


def ghost(world: World, client: Client) -> World:
    """The server has not noticed the cut."""
    return world


def noticed(world: World, client: Client) -> World:
    """It has."""
    client.drop()
    return world


def after_restart(world: World, client: Client) -> World:
    """It has even been started again."""
    return restarted(world)
