"""``--accept-new-key``: accepts a server's new key because the user asked for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chatroom.client.dialing import Dialer
from chatroom.client.errors import Failed, why_not_connected
from chatroom.client.known_hosts import KnownHosts

Say = Callable[[str], object]


async def accept(reactor: Any, host: str, port: int, known: KnownHosts, say: Say, complain: Say) -> int:
    """Fetch a server's key, and remember it in place of the key that was remembered so far.

    Args:
        reactor: Twisted's reactor, which connects.
        host: The server's name or address.
        port: The server's port.
        known: The remembered keys.
        say: Given each sentence about what was done.
        complain: Given the reason if the key could not be accepted.

    Returns:
        The exit status: 0 if the key was accepted, otherwise 1.
    """
    dialer = Dialer(reactor, host, port, known)
    seen: list[tuple[str, bool]] = []
    try:
        connection = await dialer.dial_tls(lambda key, vouched: seen.append((key, vouched())))
        connection.abort(Failed("its key is known now"))
        before = known.fingerprint(dialer.server)
        ((key, vouched),) = seen
        known.remember(dialer.server, key, vouched=vouched)
    except Exception as error:
        complain(why_not_connected(Failure(error), dialer.server).why)
        return 1
    if before == key:
        say(f"The key of {dialer.server} is the remembered one: {key}.")
        return 0
    if before:
        say(f"The key of {dialer.server} was {before}.")
    say(f"The key of {dialer.server} is from now on {key}.")
    if vouched:
        say("A public authority vouches for it; later keys are accepted as long as one does.")
    return 0


class KeyAcceptance:
    """Accepts a server's new key as the first step of a program, and stops the program's reactor if that fails.

    Args:
        reactor: Connects; it is stopped if the key cannot be accepted.
        host: The server's name or address.
        port: The server's port.
        known: The remembered keys.
        say: Given each sentence about what was done.
        complain: Given the reason if the key could not be accepted.
        then: Called when the key was accepted.

    Attributes:
        status: The exit status: 1 until the key is accepted, then 0.
    """

    def __init__(
        self,
        reactor: Any,
        host: str,
        port: int,
        known: KnownHosts,
        say: Say,
        complain: Say,
        then: Callable[[], None],
    ) -> None:
        self.status = 1
        self._reactor = reactor
        self._complain = complain
        self._accept = lambda: accept(reactor, host, port, known, say, complain)
        self._then = then

    def begin(self) -> None:
        """Fetch and accept the key; then call ``then``, or stop the reactor if the key could not be accepted."""
        Deferred.fromCoroutine(self._accept()).addCallback(self._done).addErrback(self._broken)

    def _done(self, status: int) -> None:
        self.status = status
        if status:
            self._reactor.stop()
        else:
            self._then()

    def _broken(self, failure: Failure) -> None:
        self.status = 1
        self._complain(f"the client has an error: {failure.getErrorMessage()}")
        self._reactor.stop()
