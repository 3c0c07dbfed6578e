"""What the tests about encrypted rooms share: sessions with keys, rooms that are encrypted, and sealed messages."""

from __future__ import annotations

from typing import Any

from harness import Client, World
from order import ask, owner, session_of

DEVICE = "MFRGGZDFMZ"
CT = "AwgAEpABv3W"


def with_keys(client: Client, device: str = DEVICE) -> Client:
    """Give a client's session the keys of a device that is in its user's list."""
    session = session_of(client)
    session.keys_device, session.keyed = device, True
    return client


def keyed(world: World, name: str, room: str = "", *, host: str = "127.0.0.1") -> Client:
    """Return a program of an account, with keys, that is in the room and has heard all of it."""
    client = with_keys(owner(world, name, host=host))
    if room:
        client.record(do="join", room=room)
    client.records()
    return client


def encrypted_room(world: World, *names: str, room: str = "den") -> list[Client]:
    """Return programs with keys that are in an encrypted room, of which the first one is the owner."""
    clients = [keyed(world, name, room) for name in names]
    assert ask(clients[0], "encrypt", yes=True, room=room) == "ok"
    for client in clients:
        client.records()
    return clients


def members_rev(client: Client, room: str = "den") -> int:
    """Return the revision of the members of a room."""
    client.record(do="member-ids", room=room, ref="rev")
    (page,) = [record for record in client.records() if record.get("re") == "rev"]
    return int(page["rev"])


def seal(client: Client, id: str, *, ct: str = CT, room: str = "den", **more: Any) -> None:
    """Send a sealed message, for the members as they are."""
    fields = {"members": members_rev(client, room), **more} if "members" not in more else more
    client.record(do="say-sealed", room=room, id=id, sid="c2Vzc2lvbg", ct=ct, **fields)


def sealed(client: Client) -> list[str]:
    """Return the ids of the sealed messages that have come since the last time; the other records are forgotten."""
    return [record["id"] for record in client.records() if record["event"] == "sealed"]
