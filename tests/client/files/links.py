"""Direct links in memory: frames travel when a test says so, and the link can be cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred, fail

from chatroom.client.files.direct_files import DirectFiles, Peer
from chatroom.client.files.direct_transfer import Frame, FrameKind, unpack


class MemoryLink:
    """One link; it has an end on each of two sides.

    Args:
        hear: What each side does with a frame.

    Attributes:
        carried: All frames that were delivered.
        cut_after: Cut the link instead of delivering any frame after so many.
        most: The largest number of pieces that waited for their acknowledgement.
    """

    def __init__(self, *hear: Callable[[bytes], Deferred[None] | None]) -> None:
        self._hear = hear
        self._queue: deque[tuple[int, bytes, Deferred[None]]] = deque()
        self._unhandled: list[Deferred[None]] = []
        self.carried: list[Frame] = []
        self.cut_after: int | None = None
        self.open = True
        self.lost: list[Callable[[], None]] = []
        self.most = 0

    def send(self, side: int, frame: bytes) -> Deferred[None]:
        """Send a frame from a side to the other."""
        if not self.open:
            return fail(ConnectionError())
        done: Deferred[None] = Deferred()
        self._queue.append((1 - side, frame, done))
        self.most = max(self.most, len(self._queue) + len(self._unhandled))
        return done

    def step(self) -> bool:
        """Deliver a frame. Returns whether there was any."""
        if not self._queue:
            return False
        if self.cut_after is not None and len(self.carried) >= self.cut_after:
            self.cut()
            return True
        side, frame, done = self._queue.popleft()
        known = unpack(frame)
        if known is not None:
            self.carried.append(known)
        handled = self._hear[side](frame)
        if handled is None:
            done.callback(None)
            return True
        self._unhandled.append(done)
        handled.addCallback(self._handled, done)
        return True

    def _handled(self, result: None, done: Deferred[None]) -> None:
        if done in self._unhandled:
            self._unhandled.remove(done)
            done.callback(None)

    def flow(self) -> None:
        """Deliver all frames."""
        while self.step():
            pass

    def cut(self) -> None:
        """Cut the link: what is under way is lost."""
        self.open = False
        waiting = [done for _, _, done in self._queue] + self._unhandled
        self._queue.clear()
        self._unhandled.clear()
        for lost in self.lost:
            lost()
        for done in waiting:
            done.errback(ConnectionError())

    def pieces(self) -> list[int]:
        """Return the indexes of the pieces that were delivered."""
        return [frame.index for frame in self.carried if frame.kind == FrameKind.PIECE]


class End:
    """One side of a link, as a ``FilePath``."""

    def __init__(self, link: MemoryLink, side: int) -> None:
        self._link = link
        self._side = side

    def send(self, frame: bytes) -> Deferred[None]:
        """Send a frame."""
        return self._link.send(self._side, frame)


class Links:
    """The direct links of one client, as ``FileLinks``.

    Args:
        me: The device of this client.
    """

    def __init__(self, me: Peer) -> None:
        self.me = me
        self.links: dict[Peer, End] = {}
        self.names: dict[str, Peer] = {}
        self.files: DirectFiles | None = None

    def peer(self, user: str) -> Peer | None:
        """Return the device of a user to which a link is open."""
        peer = self.names.get(user)
        return peer if peer in self.links else None

    def is_open(self, peer: Peer) -> bool:
        """Return whether a link is open."""
        return peer in self.links

    def send_chunk(self, peer: Peer, data: bytes) -> Deferred[None]:
        """Send bytes over a link."""
        return self.links[peer].send(data) if peer in self.links else fail(ConnectionError())


def join(one: Links, other: Links) -> MemoryLink:
    """Open a link between two clients."""

    def hear(here: Links, there: Links) -> Callable[[bytes], Deferred[None] | None]:
        def heard(frame: bytes) -> Deferred[None] | None:
            assert here.files is not None
            return here.files.received(there.me, frame)

        return heard

    def lose(here: Links, there: Links) -> Callable[[], None]:
        def lost() -> None:
            del here.links[there.me]
            assert here.files is not None
            here.files.lost(there.me)

        return lost

    link = MemoryLink(hear(one, other), hear(other, one))
    one.links[other.me], other.links[one.me] = End(link, 0), End(link, 1)
    link.lost += [lose(one, other), lose(other, one)]
    return link
