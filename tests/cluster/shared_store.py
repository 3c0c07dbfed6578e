"""A store in memory that several daemons share, as they share one over a network: each has its own delays, and can die.

What a daemon appends or asks for takes a while to arrive, and so does what the store answers. The entries of one log
come to a daemon in order, and those of two logs in any order. All delays follow from a seed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from chatroom.engines.endings import Endings
from chatroom.engines.memory import MemoryEngine
from chatroom.engines.subscriptions import Subscriptions
from chatroom.model import events
from chatroom.model.counters import Counters
from chatroom.model.events import LogEvent
from chatroom.model.log import Change, Deliver, Done, Entry, Page, Presence, Subscription, Unavailable
from chatroom.model.roster import Roster

LONGEST = 0.05  # seconds that something is under way
LEASE = 15.0  # seconds after which a dead daemon is known to be dead
ANSWERED = ("search", "expire", "erase", "drop", "usage", "trim", "logs", "get", "put", "page", "last", "count")


class SharedStore:
    """The store.

    Args:
        clock: The time of all daemons.
        seed: From which all delays follow.
    """

    def __init__(self, clock: Clock, seed: int) -> None:
        self.clock = clock
        self.random = Random(seed)
        self.engine = MemoryEngine(clock)
        self.nodes: dict[str, NodeEngine] = {}

    def node(self, name: str) -> NodeEngine:
        """Return what a new daemon has of the store."""
        self.nodes[name] = NodeEngine(self, name)
        return self.nodes[name]

    def lease_over(self, name: str) -> None:
        """Forget a daemon, and let the others know that it has ended."""
        del self.nodes[name]
        for other in tuple(self.nodes.values()):
            other.later("ended", lambda other=other: other.on_node_ended(name))


class Line:
    """Things that are under way and arrive in order."""

    def __init__(self, clock: Clock, random: Random) -> None:
        self._clock = clock
        self._random = random
        self._free = 0.0

    def send(self, arrive: Callable[[], None], longest: float) -> None:
        """Let something arrive, after everything that was sent before."""
        now = self._clock.seconds()
        self._free = max(self._free, now + self._random.uniform(0, longest))
        self._clock.callLater(self._free - now, arrive)


class NodeEngine:
    """What one daemon has of the store; ``chatroom.chat.interfaces.Engine`` documents each method.

    Args:
        store: The store.
        node: The daemon's id.

    Attributes:
        instant: Whether nothing takes any time, as at the start of a test.
        dead: Whether the daemon is dead: it hears nothing any more, and nothing of it arrives.
    """

    def __init__(self, store: SharedStore, node: str) -> None:
        self._store = store
        self._inner: Any = store.engine
        self.node = node
        self.instant = True
        self.dead = False
        self.counters, self.most_bytes, self.state = Counters(), 0, "ok"
        self.on_growth: Callable[[int], None] = lambda used: None
        self.on_pressure: Callable[[bool], None] = lambda pressed: None
        self.on_state: Callable[[str], None] = lambda state: None
        self.on_node_ended: Callable[[str], None] = lambda node: None
        self.blobs = store.engine.blobs
        self.present: dict[str, Presence] = {}
        self.shown: dict[str, Roster] = {}
        self._lines: dict[str, Line] = defaultdict(lambda: Line(store.clock, store.random))
        self._followers = Subscriptions(self.read)
        self._endings = Endings()
        self._seen: dict[str, int] = {}  # the place of the last entry that has come, of each log that is followed
        self._unanswered: list[Deferred[Any]] = []
        self._own: dict[tuple[str, int], Entry] = {}  # entries as this daemon has applied them, for their authors

    def later(self, line: str, arrive: Callable[[], None]) -> None:
        """Let something arrive later, in the order of a line, unless the daemon is dead by then."""
        if self.instant and not self.dead:
            self._store.clock.callLater(0, arrive)
        else:
            self._lines[line].send(lambda: None if self.dead else arrive(), LONGEST)

    def start(self) -> Deferred[None]:
        return succeed(None)

    def stop(self) -> Deferred[None]:
        self._store.nodes.pop(self.node, None)
        return succeed(None)

    # ---- logs ----------------------------------------------------------------------------------------------------

    def append(
        self, log: str, event: LogEvent, done: Done | None = None, *, once: bool = False, copy: str = ""
    ) -> None:
        if event.ends_stay:
            done = self._endings.until_told(log, done)

        def stored(entry: Entry, error: Unavailable | None) -> None:
            if done is not None:
                self.later(f"in {log}", lambda: self._finish(entry, error, done))

        self.later("out", lambda: self._inner.append(log, event, stored, once=once, copy=copy))

    def is_ending(self, log: str) -> bool:
        return self._endings.is_any(log)

    def ended(self, log: str) -> Deferred[None]:
        return self._endings.all_told(log)

    def _finish(self, entry: Entry, error: Unavailable | None, done: Done) -> None:
        """Tell an author of an entry; the line of its log sees to it that the daemon has applied the entry."""
        own = self._own.pop((entry.log, entry.seq), None)
        if error is None and own is not None and not entry.repeated:
            done(own, own.error)
        else:
            done(entry, error)

    def follow(self, log: str, deliver: Deliver, after: int | None = None) -> Deferred[Subscription]:
        if log not in self._seen:
            self._seen[log] = 0
            self._inner.follow(log, lambda entries: self._arriving(log, list(entries)))
        return self._followers.follow(log, deliver, after)

    def _arriving(self, log: str, entries: list[Entry]) -> None:
        """Take entries on the way to this daemon, as copies: what one daemon notes in an entry no other one sees."""
        copies = [Entry(log, events.decode(entry.body), entry.body, entry.seq) for entry in entries]
        self.later(f"in {log}", lambda: self._come(log, copies))

    def _come(self, log: str, entries: list[Entry]) -> None:
        self._own.update({(log, entry.seq): entry for entry in entries})
        self._followers.deliver(log, entries)

    def read(self, log: str, **wanted: Any) -> Deferred[Page]:
        return self._answer("read", log, **wanted)

    def _answer(self, method: str, *args: Any, **fields: Any) -> Deferred[Any]:
        """Return what the store answers, after the way to it and back. A dead daemon gets no answer."""
        if self.instant:
            result: Deferred[Any] = getattr(self._inner, method)(*args, **fields)
            return result
        answer = self._expected()

        def ask() -> None:
            found: Deferred[Any] = getattr(self._inner, method)(*args, **fields)
            found.addBoth(lambda result: self._give(answer, result))

        self.later("out", ask)
        return answer

    def _expected(self) -> Deferred[Any]:
        """Return a Deferred for an answer."""
        answer: Deferred[Any] = Deferred()
        self._unanswered.append(answer)
        return answer

    def _give(self, answer: Deferred[Any], result: Any) -> None:
        """Let an answer arrive later."""

        def arrive() -> None:
            self._unanswered.remove(answer)
            answer.callback(result)

        self.later("answers", arrive)

    def __getattr__(self, method: str) -> Callable[..., Deferred[Any]]:
        if method not in ANSWERED:
            raise AttributeError(method)
        return lambda *args, **fields: self._answer(method, *args, **fields)

    def change(self, changes: Sequence[Change]) -> Deferred[int]:
        return self._answer("change", changes)

    def press(self, why: str, pressed: bool) -> None:
        """Nothing here is ever too much."""

    # ---- who is here -----------------------------------------------------------------------------------------------

    def announce(self, key: str, presence: Presence) -> None:
        self.present[key] = presence

    def withdraw(self, key: str) -> None:
        self.present.pop(key, None)

    def who(self, prefix: str) -> list[Presence]:
        nodes = self._store.nodes.values()
        return [each for node in nodes for key, each in node.present.items() if key.startswith(prefix)]

    def elsewhere(self, user_id: str) -> list[Presence]:
        others = [node for node in self._store.nodes.values() if node is not self]
        return [each for node in others for each in node.present.values() if each.id == user_id]

    def nodes(self) -> set[str]:
        return set(self._store.nodes)

    def show_roster(self, log: str, roster: Roster | None) -> Deferred[None]:
        shown = self._expected()

        def show() -> None:
            if roster is None:
                self.shown.pop(log, None)
            else:
                self.shown[log] = roster
            self._give(shown, None)

        self.later("out", show)
        return shown

    def rosters(self, log: str) -> Deferred[list[Roster]]:
        found = self._expected()

        def read() -> None:
            others = [node for node in self._store.nodes.values() if node is not self]
            rosters = [node.shown[log] for node in others if log in node.shown]
            self._give(found, rosters)

        self.later("out", read)
        return found

    # ---- the end -----------------------------------------------------------------------------------------------

    def die(self) -> None:
        """End as by kill -9: what is under way from here may be lost, and the others know it after the lease."""
        self.dead = True
        self._store.clock.callLater(LEASE, self._store.lease_over, self.node)

    def bury(self) -> None:
        """Give up whatever waits for an answer, at the end of a test, so that the daemon can be ended in order."""
        self.dead = False
        unanswered, self._unanswered = self._unanswered, []
        for answer in unanswered:
            answer.errback(Unavailable("the daemon is dead"))
