"""What the tests about keeping order share: a room with somebody of each kind in it, and refusals by their code."""

from __future__ import annotations

from typing import Any

from harness import Client, World
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.chat.rooms.record import RoomRecord
from chatroom.model.names import user_name

PASSWORD = "correct horse"
FAR = "192.0.2."  # addresses that are not loopback


def settled(world: World, coroutine: Any) -> Any:
    """Return what a coroutine gives that waits for nothing but the engine."""
    box: list[Any] = []
    Deferred.fromCoroutine(coroutine).addBoth(box.append)
    world.settle()
    assert box, "it waits for something"
    if isinstance(box[0], Failure):
        box[0].raiseException()
    return box[0]


def restarted(world: World) -> World:
    """Return another server on the same engine, the first one having ended."""
    world.close()
    engine: Any = world.engine
    engine._stopping = None
    again = World(engine, world.clock)
    for _ in range(1000):  # the ids of a new server are not those of the one before
        again.chat.mint(4)
    return again


def account(world: World, name: str, *, operator: bool = False) -> None:
    """Make an account, which has the password ``PASSWORD``."""
    settled(world, world.chat.account_changes.add(user_name(name), f"hash of {PASSWORD}", operator=operator))


def owner(world: World, name: str, room: str = "", *, operator: bool = False, host: str = "127.0.0.1") -> Client:
    """Return a program that is logged in to an account, made if need be, is in the room, and has heard all of it."""
    if settled(world, world.chat.accounts.get(user_name(name))) is None:
        account(world, name, operator=operator)
    client = world.connect(host)
    client.record(do="hello", version=1)
    client.record(do="login", user=name, password=PASSWORD)
    if room:
        client.record(do="join", room=room)
    client.records()
    return client


def guest(world: World, name: str, room: str = "", *, host: str = "127.0.0.1") -> Client:
    """Return a program that is a guest of that name, is in the room, and has heard all of it."""
    client = world.connect(host)
    client.record(do="hello", version=1, name=name)
    if room:
        client.record(do="join", room=room)
    client.records()
    return client


def ask(client: Client, do: str, **fields: Any) -> str:
    """Return the code of the refusal with which a record is answered, or ``ok``; there must be one answer."""
    client.records()
    client.record(do=do, ref="asked", **fields)
    answers = [record for record in client.records() if record.get("re") == "asked"]
    assert len(answers) == 1, answers
    (answer,) = answers
    return answer["code"] if answer["event"] == "error" else "ok"


def text_of(client: Client, do: str, **fields: Any) -> str:
    """Return the text of the answer to a record."""
    client.records()
    client.record(do=do, ref="asked", **fields)
    (answer,) = [record for record in client.records() if record.get("re") == "asked"]
    text: str = answer["text"]
    return text


def record_of(world: World, room: str) -> RoomRecord:
    """Return what lasts of a room, as the engine has it."""
    return settled(world, world.chat.room_records.lookup(room))


def members(world: World, room: str) -> list[str]:
    """Return who is in a room; nobody if it is not loaded."""
    found = world.chat.loaded_rooms.by_name.get(room)
    return [member.name for member in found.members.values()] if found is not None else []


def session_of(client: Client) -> Any:
    """Return the client's session."""
    return client.transport.protocol._session


def history(client: Client) -> list[str]:
    """Return the texts of the room's messages."""
    client.records()
    client.record(do="history", messages=100)
    return [event["text"] for event in client.records()[-1]["events"]]


def found(client: Client, words: str) -> list[str]:
    """Return the texts that a search finds."""
    client.records()
    client.record(do="search", words=words)
    return [event["text"] for event in client.records()[-1]["events"]]


def say(client: Client, *texts: str) -> list[int]:
    """Say something; returns where each stands."""
    client.records()
    for text in texts:
        client.record(do="say", text=text)
    return [record["seq"] for record in client.records() if record["event"] == "said"]
