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

from chatroom import answers as a
from chatroom import events as e
from chatroom.client.accepting import accept
from chatroom.client.connection import Connection
from chatroom.client.dialing import Dialer
from chatroom.client.reasons import Failed
from chatroom.client.trust import KnownServers


@pytest.fixture
def known(tmp_path: Path) -> KnownServers:
    """A memory with nothing in it yet."""
    return KnownServers(tmp_path / "known_servers")


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


async def visit(server: Server, known: KnownServers, **options: Any) -> tuple[Connection, list[str]]:
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


async def test_a_key_is_trusted_when_first_seen(known: KnownServers, serve: Serve) -> None:
    certificate = Certificate()
    server = serve(certificate)
    connection, seen = await visit(server, known)
    assert (connection.security, seen) == ("TLS 1.3", [certificate.fingerprint])
    assert known.fingerprint(f"localhost:{server.port}") == certificate.fingerprint
    assert (await visit(server, known))[1] == []


async def test_a_changed_key_is_refused_before_anything_is_said(known: KnownServers, serve: Serve) -> None:
    old, new = Certificate(), Certificate()
    server = serve(new)
    known.remember(f"localhost:{server.port}", old.fingerprint)
    why = await refusal(visit(server, known))
    assert why.hopeless
    assert old.fingerprint in why.why
    assert new.fingerprint in why.why
    assert server.heard == []


async def test_a_new_key_is_accepted_on_purpose(known: KnownServers, serve: Serve) -> None:
    server = serve(Certificate())
    known.remember(f"localhost:{server.port}", Certificate().fingerprint)
    said: list[str] = []
    assert await accept(reactor, "localhost", server.port, known, said.append, said.append) == 0
    assert len(said) == 2
    await visit(server, known)


async def test_nothing_is_accepted_from_nobody(known: KnownServers, serve: Serve) -> None:
    server = serve(None)
    said: list[str] = []
    assert await accept(reactor, "localhost", server.port, known, lambda text: None, said.append) == 1
    assert "does not speak TLS" in said[0]
    assert not known.path.exists()


async def test_plain_text_is_only_spoken_when_asked_for(known: KnownServers, serve: Serve) -> None:
    server = serve(None)
    why = await refusal(visit(server, known))
    assert "a server without TLS needs --plain" in why.why
    assert (await visit(server, known, plain=True))[0].security == "plain"


async def test_plain_text_is_refused_to_whom_tls_was_spoken(known: KnownServers, serve: Serve) -> None:
    server = serve(None)
    known.remember(f"localhost:{server.port}", Certificate().fingerprint)
    why = await refusal(visit(server, known, plain=True))
    assert "reached by TLS before" in why.why
    assert why.hopeless


async def test_a_certificate_of_an_authority_may_have_any_key(
    known: KnownServers, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Certificate(host="authority")
    (tmp_path / "authorities.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))

    def serve_another(certificate: Certificate) -> Server:
        server = serve(certificate)
        known.remember(f"localhost:{server.port}", Certificate().fingerprint)
        return server

    await visit(serve_another(Certificate(authority)), known)
    await visit(serve_another(Certificate(authority, use=ExtendedKeyUsageOID.SERVER_AUTH)), known)
    of_elsewhere = Certificate(authority, host="elsewhere.example")
    of_a_client = Certificate(authority, use=ExtendedKeyUsageOID.CLIENT_AUTH)
    of_nobody = Certificate()
    for stranger in (of_elsewhere, of_a_client, of_nobody):
        assert "another key" in (await refusal(visit(serve_another(stranger), known))).why


async def test_nobody_there(known: KnownServers, serve: Serve) -> None:
    server = serve(None)
    await server.close()
    assert "refused the connection" in (await refusal(visit(server, known))).why
