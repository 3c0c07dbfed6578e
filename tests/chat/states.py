"""What tests of odd moments share: an engine that is let go, and what others see of who is where."""

from __future__ import annotations

from harness import Client, World

NOT_CONFIRMED = "Error: not confirmed: the message may not have been stored; send it again."


def release(world: World) -> None:
    """Let the engine go on, and everything happen that then happens."""
    world.engine.let_go()  # type: ignore[attr-defined]
    world.settle()


def waits_for(name: str) -> str:
    """Return what a writer is told when a guest of that name was here, and is not now."""
    return f"{name} is offline and not registered; whoever takes that name next will read this."


def online(world: World) -> list[str]:
    """Return what ``/who`` says, to somebody who has only come to look."""
    looker = world.person("looker")
    looker.say("/who")
    lines = looker.lines()
    looker.drop()
    return [line.strip() for line in lines[1:] if line != "  looker"]


def members(world: World, room: str = "lobby") -> list[str]:
    """Return who is in the room, as somebody sees who joins it, and goes again."""
    looker = world.person("looker")
    looker.say(f"/join {room} 0")
    (users,) = (line for line in looker.lines() if line.startswith("Current users: "))
    looker.say("/leave")
    looker.drop()
    return users.removeprefix("Current users: ").split(", ")[:-1]


def at_once(world: World, *sayings: tuple[Client, str]) -> None:
    """Let several say something in one turn of the reactor, so that it is one batch."""
    for client, line in sayings:
        client.transport.protocol.dataReceived(f"{line}\r\n".encode())
    world.settle()
