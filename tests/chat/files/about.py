"""What tests of files look at."""

from __future__ import annotations

from harness import Client, World
from sharing import hear, only

from chatroom.model.shared_files import CHUNK

BIG = b"0123456789abcdef" * (11 * CHUNK // 16)  # more chunks than may be under way


def refused(client: Client, code: str) -> str:
    """Assert that what came is this refusal; return its text."""
    return str(only(client, event="error", code=code)["text"])


def blobs(world: World) -> set[str]:
    """Return the ids of the bytes that the engine keeps."""
    found: list[set[str]] = []
    world.engine.blobs.all().addCallback(found.append)
    return found[0]


def account(world: World, name: str, room: str = "") -> Client:
    """Return a program that is logged in."""
    client = world.program()
    client.record(do="register", user=name, password="secret")
    if room:
        client.record(do="join", room=room)
    hear(client)
    return client
