"""Accepting a server's new key on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.python.failure import Failure

from chatroom.client.dialing import Dialer
from chatroom.client.reasons import Failed, why_not_connected
from chatroom.client.trust import KnownServers

Say = Callable[[str], object]


async def accept(reactor: Any, host: str, port: int, known: KnownServers, say: Say, complain: Say) -> int:
    """Look which key a server has, and remember it.

    Args:
        reactor: Connects.
        host: The server's.
        port: The server's.
        known: What is remembered.
        say: Given what was done.
        complain: Given why it was not.

    Returns:
        The exit status.
    """
    dialer = Dialer(reactor, host, port, known)
    seen: list[str] = []
    try:
        connection = await dialer.dial_tls(lambda key, vouched: seen.append(key))
        connection.abort(Failed("its key is known now"))
        before = known.fingerprint(dialer.server)
        known.remember(dialer.server, seen[0])
    except Exception as error:
        complain(why_not_connected(Failure(error), dialer.server, tls=True).why)
        return 1
    if before:
        say(f"The key of {dialer.server} was {before}.")
    say(f"The key of {dialer.server} is from now on {seen[0]}.")
    return 0
