"""Taking turns: a lock, or one of a few places, held for the length of an ``async with``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from twisted.internet.defer import DeferredLock, DeferredSemaphore


@asynccontextmanager
async def holding(lock: DeferredLock | DeferredSemaphore) -> AsyncIterator[None]:
    """Wait for the lock, or for a place of the semaphore, and give it back at the end.

    Args:
        lock: The lock or semaphore; the caller that waited longest is next.
    """
    await lock.acquire()
    try:
        yield
    finally:
        lock.release()
