"""Working with records: reading a whole bucket page by page, and changing a record that others may change as well.

Each page is handled in a turn of the reactor of its own. A change reads the record, decides, and writes only if nobody
changed the record in between (compare and set); ``retried_on_conflict`` starts such a change again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from chatroom.chat.interfaces import Engine
from chatroom.model.log import Conflict

P = ParamSpec("P")
T = TypeVar("T")


async def pages(engine: Engine, bucket: str, prefix: str = "", most: int = 0) -> AsyncIterator[list[tuple[str, bytes]]]:
    """Yield the records of a bucket with their keys, one page of records at a time, in the order of the keys.

    Args:
        engine: Keeps the records.
        bucket: The name of the group of records.
        prefix: What the keys of the wanted records begin with.
        most: Records on one page; 0 for as many as one turn of the reactor can handle.

    Raises:
        Unavailable: The store cannot be read.
    """
    after = ""
    while page := await engine.page(bucket, prefix, after, most):
        yield page
        after = page[-1][0]


def retried_on_conflict(change: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return a function that carries out a change, and starts it again whenever ``Conflict`` is raised.

    Args:
        change: Reads records, decides, and writes with ``Engine.put`` or ``Engine.change`` as its last step.
    """

    @wraps(change)
    async def retried(*args: P.args, **kwargs: P.kwargs) -> T:
        while True:
            try:
                return await change(*args, **kwargs)
            except Conflict:  # another daemon, or another session, has changed a record first
                continue

    return retried
