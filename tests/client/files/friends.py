"""People who send and fetch files, the server and the clients joined in memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from client.network import Network, Person
from sharing import DATA
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.failure import Failure

from chatroom.client.errors import Rejected
from chatroom.client.files.transfers import Transfers
from chatroom.model import events as e

Work = Callable[..., Deferred[Any]]


class ByHand:
    """A thread whose work is done when a test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Deferred[Any], Callable[[], Any]]] = []

    def __call__(self, call: Callable[..., Any], *args: Any) -> Deferred[Any]:
        done: Deferred[Any] = Deferred()
        self.waiting.append((done, partial(call, *args)))
        return done

    def step(self) -> bool:
        """Do the work that has waited longest. Returns whether there was any."""
        if not self.waiting:
            return False
        done, call = self.waiting.pop(0)
        maybeDeferred(call).chainDeferred(done)
        return True


class Friend(Person):
    """Somebody who sends and fetches files."""

    there: ClassVar[list[Friend]] = []

    def __init__(
        self, network: Network, name: str, room: str = "lobby", work: Work = maybeDeferred, **fields: Any
    ) -> None:
        Friend.there.append(self)
        super().__init__(network, name=name, room=room, **fields)
        self.transfers = Transfers(self.client, "chat.example:8888", network.world.clock, work)
        self.come()

    def send(self, path: Path, user: str = "") -> list[Any]:
        """Begin to send; what comes of it will be in the list."""
        return result_of(self.transfers.send(path, user))

    def get(self, number: int, wanted: Path) -> list[Any]:
        """Begin to fetch; what comes of it will be in the list."""
        return result_of(self.transfers.get(number, wanted))


def result_of(coroutine: Any) -> list[Any]:
    """Return a list in which the result, or the refusal, will be."""
    box: list[Any] = []

    def failed(failure: Failure) -> None:
        failure.trap(Rejected)
        box.append(failure.value)

    Deferred.fromCoroutine(coroutine).addCallbacks(box.append, failed)
    return box


def refusal(box: list[Any], code: str) -> str:
    """Return why it was refused."""
    (refused,) = box
    assert isinstance(refused, Rejected), refused
    assert refused.code == code
    return refused.text


def write(folder: Path, data: bytes = DATA, name: str = "notes.txt") -> Path:
    """Make a file."""
    path = folder / name
    path.write_bytes(data)
    return path


def share(network: Network, friend: Friend, path: Path) -> int:
    """Share a file, and return its number."""
    sent = friend.send(path)
    network.flow()
    (shared,) = sent
    assert isinstance(shared, e.Shared), shared
    return shared.number
