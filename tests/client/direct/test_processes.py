"""Direct links in processes of their own: on the reactor of the terminal client, and without TLS."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parents[2]
WITHIN = 60  # seconds for a process, on a busy machine

ON_A_REACTOR = """
import sys
from twisted.internet import asyncioreactor, epollreactor
{install}
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from client.direct.two_clients import Somebody, introduce, sealed
from chatroom.client.direct.direct_links import LinkState

async def talk():
    alice, bob = Somebody("alice", reactor_=reactor), Somebody("bob", reactor_=reactor)
    introduce(alice, bob)
    alice.links.ask(bob.peer)
    bob.links.agree(alice.peer)
    await alice.reaches(LinkState.DIRECT)
    await bob.reaches(LinkState.DIRECT)
    await alice.links.send_envelope(bob.peer, "m1", sealed())
    chunks = [alice.links.send_chunk(bob.peer, bytes([number]) * 300_000) for number in range(20)]
    for sent in chunks:
        await sent
    assert bob.chunks == [bytes([number]) * 300_000 for number in range(20)]
    alice.links.close(bob.peer)
    await bob.reaches(LinkState.RELAYED)
    print(type(reactor).__name__, bob.envelopes == [("m1", sealed())], bob.states[-1][1])

def begin():
    ensureDeferred(talk()).addErrback(lambda failure: failure.printTraceback(sys.stderr)).addBoth(
        lambda result: reactor.stop())

reactor.callWhenRunning(begin)
reactor.run()
"""

WITHOUT_TLS = """
import sys
from chatroom.client import main
main._leave_out_tls()
from twisted.internet.task import Clock
from client.direct.two_clients import Somebody, introduce
alice, bob = Somebody("alice"), Somebody("bob")
introduce(alice, bob)
alice.links.ask(bob.peer)
bob.links.received(alice.peer, "p2p.ask", {"id": "0" * 32, "exp": int(bob.time) + 60})
assert sys.modules["OpenSSL"] is None
print(alice.states[0][1], bob.kinds())
"""

IMPORTED = """
import sys
import chatroom.client.direct.direct_links
print([name for name in ("OpenSSL", "twisted.internet.ssl", "cryptography") if name in sys.modules])
"""


def run(code: str) -> str:
    """Run Python code in a process of its own, and return what it writes."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=TESTS, capture_output=True, text=True, check=False, timeout=WITHIN
    )
    assert done.stderr == ""
    return done.stdout.strip()


def test_two_clients_talk_on_asyncio() -> None:
    written = run(ON_A_REACTOR.format(install="asyncioreactor.install()"))
    assert written == "AsyncioSelectorReactor True the other side closed it"


def test_two_clients_talk_on_epoll() -> None:
    written = run(ON_A_REACTOR.format(install="epollreactor.install()"))
    assert written == "EPollReactor True the other side closed it"


def test_a_client_without_tls_says_so_and_refuses() -> None:
    written = run(WITHOUT_TLS)
    assert written == "direct links need TLS; start chatroom-client without --plain ['p2p.refuse']"


def test_a_client_that_makes_no_link_loads_no_openssl() -> None:
    assert run(IMPORTED) == "[]"
