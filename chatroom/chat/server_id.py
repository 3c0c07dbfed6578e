"""The id of the server: a random word that names this server for ever, also under another name or address.

Signed records of keys name it, so that a record of one server is none of another.
"""

from __future__ import annotations

from chatroom.chat.interfaces import Engine, Mint
from chatroom.chat.records import retried_on_conflict

BUCKET = "server"
KEY = "id"
LENGTH = 20  # characters, of 36 kinds


@retried_on_conflict
async def server_id(engine: Engine, mint: Mint) -> str:
    """Return the server's id; make it if the engine has none yet.

    Args:
        engine: Keeps the id as a record.
        mint: Returns a random word of a given length.

    Raises:
        Unavailable: The store cannot be read, or cannot be written to.
    """
    stored = await engine.get(BUCKET, KEY)
    if stored is not None:
        return stored[0].decode()
    made = mint(LENGTH)
    await engine.put(BUCKET, KEY, made.encode(), 0)
    return made
