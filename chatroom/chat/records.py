"""Reading a whole bucket of records, page by page: each page is handled in a turn of the reactor of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

from chatroom.chat.interfaces import Engine


async def pages(engine: Engine, bucket: str, prefix: str = "", most: int = 0) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Return the records of a bucket with their keys, some at a time, in the order of the keys.

    Args:
        engine: Keeps the records.
        bucket: Where they are.
        prefix: What their keys begin with.
        most: Records on one page; 0 for as many as one turn of the reactor can handle.

    Raises:
        Unavailable: The store cannot be read.
    """
    after = ""
    while page := await engine.page(bucket, prefix, after, most):
        yield page
        after = page[-1][0]
