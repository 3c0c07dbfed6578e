"""A small server that speaks TLS, on a real socket: it answers a hello with a welcome, and nothing else."""

from __future__ import annotations

import datetime
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twisted.internet import reactor
from twisted.internet.defer import maybeDeferred
from twisted.internet.protocol import Factory
from twisted.internet.ssl import CertificateOptions
from twisted.protocols.basic import LineOnlyReceiver

from chatroom.model.fingerprint import fingerprint

WELCOME = {
    "event": "welcome",
    "server": "small",
    "version": 1,
    "you": "guest-1",
    "guest": True,
    "limits": {"record": 16384, "text": 4096, "name": 32, "room": 64, "rate": 0},
    "features": [],
}


class Certificate:
    """A key and its certificate.

    Args:
        issuer: Who signs it; itself, if not given.
        host: Whom it is for.
        use: The only thing that its key is for; anything, if not given.
    """

    def __init__(
        self,
        issuer: Certificate | None = None,
        host: str = "localhost",
        use: x509.ObjectIdentifier | None = None,
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"of {host}")])
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name((issuer or self).name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        )
        if use is not None:
            builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        self.certificate = builder.sign((issuer or self).key, hashes.SHA256())

    @property
    def fingerprint(self) -> str:
        """As the client shows it."""
        return fingerprint(self.certificate)


class Small(LineOnlyReceiver):
    """The server's side of a connection."""

    delimiter = b"\n"

    def connectionMade(self) -> None:
        self.factory.open.add(self)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        """What begins with no record is the beginning of TLS, which a server without it does not speak."""
        if data.startswith(b"{"):
            super().dataReceived(data)
        else:
            self.transport.loseConnection()  # type: ignore[union-attr]

    def lineReceived(self, line: bytes) -> None:
        """Answer."""
        self.factory.heard.append(line)  # type: ignore[union-attr]
        self.sendLine(json.dumps({**WELCOME, "re": json.loads(line)["ref"]}).encode())

    def connectionLost(self, reason: Any = None) -> None:
        self.factory.open.discard(self)  # type: ignore[union-attr]


class Server:
    """It.

    Args:
        certificate: Its key; none: it speaks plain text.
        port: Where it listens; 0: anywhere.
    """

    def __init__(self, certificate: Certificate | None, port: int = 0) -> None:
        self.factory: Any = Factory.forProtocol(Small)
        self.factory.open, self.factory.heard = set(), []
        listen: Any = reactor
        if certificate is None:
            self._port = listen.listenTCP(port, self.factory, interface="127.0.0.1")
        else:
            options = CertificateOptions(privateKey=certificate.key, certificate=certificate.certificate)
            self._port = listen.listenSSL(port, self.factory, options, interface="127.0.0.1")
        self.port: int = self._port.getHost().port

    @property
    def heard(self) -> list[bytes]:
        """What clients have said."""
        heard: list[bytes] = self.factory.heard
        return heard

    async def close(self) -> None:
        """Listen no more."""
        for connection in list(self.factory.open):
            connection.transport.abortConnection()
        await maybeDeferred(self._port.stopListening)
