"""Names that look like the name of an account: no guest can take such a name, and no other account can get it.

A name has one or more looks; two names look alike if they have a look in common (``chatroom.model.names``). The engine
has a record for each look of an account's name, added and removed together with the account. Accounts of an older
version get missing records when the daemon starts. If two such accounts look alike, both stay.
"""

from __future__ import annotations

from chatroom.chat.interfaces import Engine
from chatroom.chat.records import pages, retried_on_conflict
from chatroom.model.account import ALL_MADE, BUCKET, LOOK_RULES, LOOKS, decode, decode_look, encode_look
from chatroom.model.errors import NAME_IN_USE
from chatroom.model.log import Change
from chatroom.model.names import Name, user_looks, user_name


async def owner(engine: Engine, name: Name) -> str:
    """Return the folded name of an account whose name looks like this name; empty if there is no such account."""
    for look in user_looks(name):
        found, _ = await _held(engine, look)
        if found:
            return found
    return ""


async def claims(engine: Engine, name: Name) -> list[Change]:
    """Return the changes that add the records for the looks of a new account's name.

    The changes fail with ``Conflict`` if another account claims one of the looks meanwhile.

    Raises:
        Refused: Another account has claimed one of the looks already.
    """
    changes = []
    for look in user_looks(name):
        found, revision = await _held(engine, look)
        if found:
            raise NAME_IN_USE()
        changes.append(Change(LOOKS, look, encode_look(name.folded), revision))
    return changes


async def releases(engine: Engine, name: Name) -> list[Change]:
    """Return the changes that remove the records for the looks of a removed account's name.

    The changes fail with ``Conflict`` if one of these records is changed meanwhile.
    """
    held = [(look, await engine.get(LOOKS, look)) for look in user_looks(name)]
    return [
        Change(LOOKS, look, None, it[1]) for look, it in held if it is not None and decode_look(it[0]) == name.folded
    ]


async def complete(engine: Engine) -> None:
    """Add the records that accounts of an older version lack. A look of two accounts goes to the first by name."""
    if await engine.get(LOOK_RULES, ALL_MADE) is not None:
        return
    async for page in pages(engine, BUCKET):
        names = [user_name(decode(value).name) for _, value in page]
        await _complete(engine, names)
    await engine.change([Change(LOOK_RULES, ALL_MADE, b"")])


@retried_on_conflict
async def _complete(engine: Engine, names: list[Name]) -> None:
    await engine.change(await _missing(engine, names))


async def _missing(engine: Engine, names: list[Name]) -> list[Change]:
    """Return the changes that add the records which these accounts lack."""
    wanted: dict[str, Change] = {}
    for name in names:
        for look in user_looks(name):
            if look not in wanted:
                found, revision = await _held(engine, look)
                if not found:
                    wanted[look] = Change(LOOKS, look, encode_look(name.folded), revision)
    return list(wanted.values())


async def _held(engine: Engine, look: str) -> tuple[str, int]:
    """Return the folded name of the account that has a look (empty if none has), and the revision of the look's record.

    An older version stored the look before the account, so a crash could leave the look of an account that never was.
    """
    held = await engine.get(LOOKS, look)
    if held is None:
        return "", 0
    name = decode_look(held[0])
    return (name if await engine.get(BUCKET, name) is not None else ""), held[1]
