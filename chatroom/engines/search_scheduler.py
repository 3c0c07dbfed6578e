"""Shares an engine's time among searches: one step at a time, by turns, and less than a second for each search.

A search is cut into steps of a few milliseconds, which the engine runs one after the other. The steps of different
client addresses alternate, so that a user who searches on many connections delays only himself. When the time of a
search is over, its result says how far back it has searched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.engines.tokenizer import Query, query
from chatroom.model.log import Entry, Hits, TooBroad, TooManySearches

BUDGET = 0.4  # seconds for a search; after them, the messages found so far are the answer
STEP = 0.01  # seconds for which one search works before the next one has its turn
LONGEST_STEP = 0.1  # seconds that a step may take even when the time of its search is over; then it is interrupted
MOST_OF_ONE = 40  # searches from one address at a time
MOST = 160  # searches in all at a time

NEVER = 1 << 62  # greater than every seq


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a search has found.

    Args:
        entries: The messages that match, newest first.
        before: The seq of the oldest message that the step has read; 0 if there are no older messages.
        at: When that message was said, in milliseconds since 1970.
    """

    entries: list[Entry]
    before: int = 0
    at: int = 0


Take = Callable[[str, Query, int, int, float], "Deferred[Step]"]
"""Takes one step. Arguments: log, query, the seq to search back from, the most entries to find, the time to end at."""


class SearchScheduler:
    """Runs the searches of one engine, by turns.

    Args:
        clock: Gives ``seconds``.
        take: Takes one step of a search in the engine; it is called for one step at a time. It fails with ``TooBroad``
            if the time was too short to read a single message.
    """

    def __init__(self, clock: Any, take: Take) -> None:
        self._clock = clock
        self._take = take
        self._free = True
        self._passing_on = False
        # How many searches each address has; the address whose turn was longest ago comes first.
        self._under_way: dict[str, int] = {}
        self._waiting: dict[str, deque[Deferred[None]]] = {}  # steps that wait for their turn, by address

    def search(self, log: str, words: str, limit: int, before: int | None, address: str) -> Deferred[Hits]:
        """Search a log, as ``chatroom.chat.interfaces.Engine.search`` describes."""
        return Deferred.fromCoroutine(self._counted(log, query(words), limit, before or NEVER, address))

    async def _counted(self, log: str, wanted: Query, limit: int, before: int, address: str) -> Hits:
        """Search, unless too many searches are running; count the search while it runs."""
        if not wanted:
            return Hits([])
        mine = self._under_way.get(address, 0)
        if mine >= MOST_OF_ONE or sum(self._under_way.values()) >= MOST:
            raise TooManySearches
        self._under_way[address] = mine + 1
        try:
            return await self._search(log, wanted, limit, before, address)
        finally:
            self._under_way[address] -= 1
            if not self._under_way[address]:
                del self._under_way[address]
                self._waiting.pop(address, None)

    async def _search(self, log: str, wanted: Query, limit: int, before: int, address: str) -> Hits:
        """Take steps, at least one, until ``limit`` messages are found, the log is searched, or the time is over."""
        until = self._clock.seconds() + BUDGET
        found: list[Entry] = []
        at: int | None = None
        while at is None or self._clock.seconds() < until:
            try:
                step = await self._step(log, wanted, before, limit + 1 - len(found), until, address)
            except TooBroad:
                if at is None:
                    raise
                break
            found += step.entries
            if len(found) > limit:  # there are older ones; the next search goes on before the last returned
                last = found[limit - 1]
                return Hits(found[:limit][::-1], last.seq, last.event.at)
            before, at = step.before, step.at
            if not before:
                break
        return Hits(found[::-1], before, at or 0)

    async def _step(self, log: str, wanted: Query, before: int, most: int, until: float, address: str) -> Step:
        """Take one step when it is this address's turn; then pass the turn on."""
        await self._turn(address)
        try:
            return await self._take(log, wanted, before, most, max(until, self._clock.seconds() + LONGEST_STEP))
        finally:
            self._next()

    # ---- turns -------------------------------------------------------------------------------------------------

    def _turn(self, address: str) -> Deferred[None]:
        """Return a Deferred that fires when ``address`` may take its next step."""
        turn: Deferred[None] = Deferred()
        self._waiting.setdefault(address, deque()).append(turn)
        self._pass_on()
        return turn

    def _next(self) -> None:
        self._free = True
        self._pass_on()

    def _pass_on(self) -> None:
        """If no step is being taken, give the turn to the address whose last turn was longest ago."""
        if self._passing_on:
            return  # the loop below is running further up the stack, and goes on afterwards
        self._passing_on = True
        while self._free and (turns := self._longest_ago()):
            self._free = False
            turns.popleft().callback(None)
        self._passing_on = False

    def _longest_ago(self) -> deque[Deferred[None]] | None:
        """Return the waiting steps of the address whose last turn was longest ago; None if no step waits.

        From then on that address counts as the one with the latest turn.
        """
        for address in self._under_way:
            turns = self._waiting.get(address)
            if turns:
                self._under_way[address] = self._under_way.pop(address)  # move it to the end
                return turns
        return None
