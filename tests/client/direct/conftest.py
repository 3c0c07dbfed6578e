"""Two clients that can make a direct link; their connections are closed at the end of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_twisted
from client.direct.strangers import Race_, Racing
from client.direct.two_clients import Pair, Somebody, introduce, settle
from twisted.internet import reactor


@pytest_twisted.async_yield_fixture
async def pair() -> AsyncIterator[Pair]:
    """Makes Alice and Bob."""
    before = set(reactor.getReaders())  # type: ignore[attr-defined]
    made: list[Somebody] = []

    def make(**options: Any) -> tuple[Somebody, Somebody]:
        alice, bob = Somebody("alice", **options), Somebody("bob", **options)
        introduce(alice, bob)
        made.extend((alice, bob))
        return alice, bob

    yield make
    for who in made:
        who.links.stop()
    await settle(before)


@pytest_twisted.async_yield_fixture
async def racing() -> AsyncIterator[Race_]:
    """Begins races; they end with the test, and so do those whom they meet."""
    before = set(reactor.getReaders())  # type: ignore[attr-defined]
    begun: list[Racing] = []

    def begin(**options: Any) -> Racing:
        begun.append(Racing(**options))
        return begun[-1]

    yield begin
    for it in begun:
        it.end()
    await settle(before)
