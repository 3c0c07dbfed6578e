"""Dialling by TLS, on real sockets: whom we trust, and what is said when we do not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from client.tls_server import Certificate, Server
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint, TCP6ServerEndpoint
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.tls import TLSMemoryBIOFactory

from chatroom.client.accept_new_key import accept
from chatroom.client.connection import ServerConnection
from chatroom.client.dialing import Dialer
from chatroom.client.errors import Failed
from chatroom.client.known_hosts import KnownHosts
from chatroom.model import events as e
from chatroom.model import replies as a


@pytest.fixture
def known(tmp_path: Path) -> KnownHosts:
    """A memory with nothing in it yet."""
    return KnownHosts(tmp_path / "known_servers")


Serve = Callable[..., Server]


@pytest_twisted.async_yield_fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers; they are closed at the end."""
    servers: list[Server] = []

    def start(*arguments: Any, **options: Any) -> Server:
        servers.append(Server(*arguments, **options))
        return servers[-1]

    yield start
    for server in servers:
        await server.close()


async def visit(server: Server, known: KnownHosts, **options: Any) -> tuple[ServerConnection, list[str]]:
    """Dial a server, say hello and hear the welcome, and hang up; return the connection, and keys seen first."""
    seen: list[str] = []
    dialer = Dialer(reactor, "localhost", server.port, known, first_seen=seen.append, **options)
    connection = await dialer.connect()
    heard: Deferred[e.Event] = Deferred()
    ended: Deferred[None] = Deferred()
    connection.listen(lambda event, re: heard.callback(event), lambda why: ended.callback(None))
    connection.send({"do": "hello", "version": 1, "ref": 1})
    assert isinstance(await heard, a.Welcome)
    connection.abort(Failed("enough"))
    await ended
    return connection, seen


async def refusal(visiting: Awaitable[Any]) -> Failed:
    """Return why a visit failed."""
    with pytest.raises(Failed) as caught:
        await visiting
    return caught.value


async def test_a_key_is_trusted_when_first_seen(known: KnownHosts, serve: Serve) -> None:
    certificate = Certificate()
    server = serve(certificate)
    connection, seen = await visit(server, known)
    assert (connection.security, seen) == ("TLS 1.3", [certificate.fingerprint])
    assert known.fingerprint(f"localhost:{server.port}") == certificate.fingerprint
    assert (await visit(server, known))[1] == []


async def test_a_changed_key_is_refused_before_anything_is_said(known: KnownHosts, serve: Serve) -> None:
    old, new = Certificate(), Certificate()
    server = serve(new)
    known.remember(f"localhost:{server.port}", old.fingerprint, vouched=False)
    why = await refusal(visit(server, known))
    assert why.hopeless
    assert old.fingerprint in why.why
    assert new.fingerprint in why.why
    assert server.heard == []


async def test_a_new_key_is_accepted_on_purpose(known: KnownHosts, serve: Serve) -> None:
    server = serve(Certificate())
    known.remember(f"localhost:{server.port}", Certificate().fingerprint, vouched=False)
    said: list[str] = []
    assert await accept(reactor, "localhost", server.port, known, said.append, said.append) == 0
    assert len(said) == 2
    await visit(server, known)
    assert known.path.read_text().endswith(" key\n")
    assert await accept(reactor, "localhost", server.port, known, said.append, said.append) == 0
    assert "is the remembered one" in said[2]


async def test_nothing_is_accepted_from_nobody(known: KnownHosts, serve: Serve) -> None:
    server = serve(None)
    said: list[str] = []
    assert await accept(reactor, "localhost", server.port, known, lambda text: None, said.append) == 1
    assert "closed the connection before anything was sent" in said[0]
    assert not known.path.exists()


async def test_plain_text_is_only_spoken_when_asked_for(known: KnownHosts, serve: Serve) -> None:
    server = serve(None)
    why = await refusal(visit(server, known))
    assert not why.hopeless
    assert server.heard == []
    assert (await visit(server, known, plain=True))[0].security == "plain"


class Saying(Protocol):
    """A far side that says something whatever comes, and hangs up."""

    def connectionMade(self) -> None:
        self.transport.write(self.factory.says)  # type: ignore[union-attr]
        self.transport.loseConnection()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (b"", "closed the connection before anything was sent; it may be full or restarting, so try again later"),
        (
            b"Error: too many connections from your address.\r\nBye.\r\n",
            "answered, but not with TLS, so nothing was sent to it; is the port right?"
            " It sent: Error: too many connections from your address.",
        ),
        (b"220 \x1b[31mmail\xff" + b"x" * 5000, f"It sent: 220 mail\N{REPLACEMENT CHARACTER}{'x' * 91}"),
        (b"\xff\xfb\x01", "It sent: "),
        (b"\x15\x03\x03\x00\x02\x02\x46", "could not agree on TLS (tlsv1 alert protocol version); tell its operator"),
        (b"\x16\x03", "closed the connection before anything was sent"),
    ],
    ids=["nothing", "refusal", "hostile", "telnet", "alert", "broken off"],
)
@pytest.mark.parametrize("seen", [False, True])
async def test_to_give_up_tls_is_never_advised(known: KnownHosts, says: bytes, told: str, seen: bool) -> None:
    factory: Any = Factory.forProtocol(Saying)
    factory.says = says
    listening: Any = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
    server = f"127.0.0.1:{listening.getHost().port}"
    if seen:
        known.remember(server, Certificate().fingerprint, vouched=False)
    try:
        why = await refusal(Dialer(reactor, "127.0.0.1", listening.getHost().port, known).connect())
    finally:
        await listening.stopListening()
    assert told in why.why
    assert "plain" not in why.why
    assert "\x1b" not in why.why


async def test_an_address_with_its_zone_is_dialled_and_remembered(known: KnownHosts) -> None:
    certificate = Certificate()
    options = CertificateOptions(privateKey=certificate.key, certificate=certificate.certificate)
    factory = TLSMemoryBIOFactory(options, False, Factory.forProtocol(Protocol))
    listening: Any = await TCP6ServerEndpoint(reactor, 0, interface="::1").listen(factory)
    port = listening.getHost().port
    try:
        dialer = Dialer(reactor, "::1%1", port, known)
        connection = await dialer.connect()
        assert connection.security == "TLS 1.3"
        ended: Deferred[None] = Deferred()
        connection.listen(lambda event, re: None, lambda why: ended.callback(None))
        connection.abort(Failed("enough"))
        await ended
    finally:
        await listening.stopListening()
    assert known.path.read_text() == f"[::1%1]:{port} {certificate.fingerprint} key\n"


async def test_a_zone_that_is_none_is_said_to_be_none(known: KnownHosts) -> None:
    why = await refusal(Dialer(reactor, "fe80::1%nosuch0", 8888, known).connect())
    assert why.why.startswith("there is no network interface nosuch0 here, as in [fe80::1%nosuch0]:8888")


async def test_an_address_that_needs_its_zone_says_so(known: KnownHosts) -> None:
    why = await refusal(Dialer(reactor, "fe80::1", 8888, known).connect())
    assert why.why == "fe80::1 is valid on one network interface only; name it, as in fe80::1%eth0"


async def test_plain_text_is_refused_to_whom_tls_was_spoken(known: KnownHosts, serve: Serve) -> None:
    server = serve(None)
    known.remember(f"localhost:{server.port}", Certificate().fingerprint, vouched=False)
    why = await refusal(visit(server, known, plain=True))
    assert "reached by TLS before" in why.why
    assert why.hopeless


async def test_a_certificate_of_an_authority_may_have_any_key(
    known: KnownHosts, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Certificate(host="authority")
    (tmp_path / "authorities.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))

    def serve_another(certificate: Certificate, *, vouched: bool = True) -> Server:
        server = serve(certificate)
        known.remember(f"localhost:{server.port}", Certificate().fingerprint, vouched=vouched)
        return server

    await visit(serve_another(Certificate(authority)), known)
    await visit(serve_another(Certificate(authority, use=ExtendedKeyUsageOID.SERVER_AUTH)), known)
    of_elsewhere = Certificate(authority, host="elsewhere.example")
    of_a_client = Certificate(authority, use=ExtendedKeyUsageOID.CLIENT_AUTH)
    of_nobody = Certificate()
    for stranger in (of_elsewhere, of_a_client, of_nobody):
        assert "a different key" in (await refusal(visit(serve_another(stranger), known))).why
    why = await refusal(visit(serve_another(Certificate(authority), vouched=False), known))
    assert "A public authority vouches for the new key" in why.why
    server = serve(Certificate(authority))
    await visit(server, known)
    assert f"localhost:{server.port} " in (line := known.path.read_text().splitlines()[-1])
    assert line.endswith(" ca")


async def test_nobody_there(known: KnownHosts, serve: Serve) -> None:
    server = serve(None)
    await server.close()
    assert "refused the connection" in (await refusal(visit(server, known))).why
