"""What the tests about encrypted rooms share: sessions with keys, rooms that are encrypted, and sealed messages."""

from __future__ import annotations

from typing import Any

from devices_with_keys import Device, shown
from harness import Client, World
from order import ask, owner, session_of, settled

CT = "AwgAEpABv3W"


def device_of(client: Client, word: str = "phone") -> Device:
    """Return the device of a client that a word stands for; other users' devices have other words."""
    return Device(f"{word} {session_of(client).user_id}", client.world.chat.server_id, session_of(client).user_id)


def publish(client: Client, word: str = "phone") -> None:
    """Publish the keys of a device."""
    assert ask(client, "keys-publish", **shown(client, device_of(client, word))) == "ok"


def list_devices(client: Client, *words: str) -> None:
    """Let a user's list have these devices."""
    revs = settled(client.world, client.world.chat.keys.directory.revs([session_of(client).user_id]))
    devices = [device_of(client, word) for word in words]
    client.record(do="keys-list", list=device_of(client).listing(sum(revs.values()) + 1, *devices))


def with_keys(client: Client, word: str = "phone") -> Client:
    """Let a client publish the keys of a device, and its user list that device, if no device is listed."""
    publish(client, word)
    if not session_of(client).keyed:
        list_devices(client, word)
    client.records()
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
