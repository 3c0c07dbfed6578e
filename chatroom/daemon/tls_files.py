"""The daemon's certificate and its key: made at the first start, or given; read again when they change.

Connections keep the certificate with which they began. A pair that cannot be used ends the start; later it changes
nothing, and the log says why.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.task import LoopingCall
from zope.interface import implementer

from chatroom.model.fingerprint import fingerprint
from chatroom.model.logger import logger
from chatroom.model.operator_file import read_plain_file
from chatroom.wire.tls import TLSConnection

_log = logger(__name__)

CERTIFICATE = "tls_cert.pem"  # in the data folder
KEY = "tls_key.pem"
PROTOCOL = b"chatroom/1"  # what ALPN may ask for, and need not
YEARS = 10  # for which a certificate of our own making holds
LOOK = 60.0  # seconds between two looks at the files
MOST_BYTES = 256 * 1024  # of a file

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class BadPair(Exception):
    """A certificate and its key cannot be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, ready for connections.

    Args:
        context: How connections speak.
        fingerprint: Of the key.
        begins: When the certificate becomes valid.
        ends: When it is not valid any more.
    """

    context: SSL.Context
    fingerprint: str
    begins: datetime
    ends: datetime

    def fault(self) -> str:
        """Return why clients will not trust the certificate today, as a sentence; empty if that is not its date."""
        now = datetime.now(UTC)
        if self.ends < now:
            return f"the TLS certificate ended on {self.ends.date().isoformat()}; renew it"
        if self.begins > now:
            return (
                f"the TLS certificate begins only on {self.begins.date().isoformat()}; check the clock, or give another"
            )
        return ""


@dataclass(frozen=True, slots=True)
class PairFiles:
    """Where a pair is kept.

    Args:
        certificate: PEM; the chain that leads to a known authority may follow.
        key: PEM, without a password.
        private: Nobody else may read the key; whom the operator's own key concerns is not for us to say.
    """

    certificate: Path
    key: Path
    private: bool = False

    def load(self) -> Pair:
        """Return the pair as it is now.

        Raises:
            BadPair: It cannot be used.
        """
        self._check_private()
        return load_pair(_read(self.certificate), _read(self.key), f"{self.certificate} and {self.key}")

    def look(self) -> Pair | None:
        """Return the pair if both files are there; what a start would make is not missed. Nothing is changed.

        Raises:
            BadPair: A start could not use what is there.
        """
        if not self.private or (self.key.exists() and self.certificate.exists()):
            return self.load()
        if self.key.exists():
            self._check_private()
            _own_key(self.key)
        return None

    def _check_private(self) -> None:
        if self.private and self.key.exists() and self.key.stat().st_mode & _OTHERS:
            raise BadPair(f"others may read the TLS key {self.key}; chmod 600 it, or remove it and a new one is made")

    def stamp(self) -> tuple[object, ...]:
        """Return what changes when the files do."""
        return tuple(_stamp(path) for path in (self.certificate, self.key))


def load_pair(certificate: bytes, key: bytes, name: str) -> Pair:
    """Return a pair read from PEM.

    Args:
        certificate: The certificate; others that lead to a known authority may follow.
        key: The key.
        name: How both are called when something is wrong.

    Raises:
        BadPair: It is no certificate or no key, or they do not belong together.
    """
    try:
        first, *chain = x509.load_pem_x509_certificates(certificate)
        public, key_hash = _spki(first), fingerprint(first)
    except Exception:  # as with the key below, there are many ways to be damaged
        raise BadPair(f"{name}: the first holds no certificate in PEM; give another with --tls-cert") from None
    try:
        # To check an RSA key takes longer than the reactor may wait; that it fits the certificate is checked below.
        private = load_pem_private_key(key, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        raise BadPair(f"{name}: the key has a password; give one without, with --tls-key") from None
    except Exception:  # ValueError, UnsupportedAlgorithm, or whatever OpenSSL makes of it
        raise BadPair(f"{name}: the second holds no private key in PEM; give another with --tls-key") from None
    if _spki(private) != public:
        raise BadPair(f"{name} do not belong together; give the key that the certificate was made for")
    try:
        context = _context(first, chain, private)
    except (SSL.Error, crypto.Error) as error:
        raise BadPair(f"{name} are of no use for TLS: {error}; give others") from None
    return Pair(context, key_hash, first.not_valid_before_utc, first.not_valid_after_utc)


def _context(first: x509.Certificate, chain: list[x509.Certificate], key: Any) -> SSL.Context:
    """Return how connections speak. All that TLS 1.2 may use keeps old conversations secret when a key is stolen."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20")
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # who says nothing needs none
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.use_certificate(first)
    for other in chain:
        context.add_extra_chain_cert(other)
    context.use_privatekey(key)
    context.set_alpn_select_callback(_choose)
    return context


def _choose(connection: SSL.Connection, offered: list[bytes]) -> Any:
    return PROTOCOL if PROTOCOL in offered else SSL.NO_OVERLAPPING_PROTOCOLS


# ---- one of our own ------------------------------------------------------------------------------------------------


def own_files(folder: Path, host: str) -> PairFiles:
    """Return where our own pair is kept; what is missing of it is made. A key that is there stays.

    Args:
        folder: For what lasts.
        host: This machine's name.

    Raises:
        BadPair: It cannot be made, or the key that is there cannot be used.
    """
    files = own_paths(folder)
    try:
        if not files.key.exists():
            files.certificate.unlink(missing_ok=True)
            _write(files.key, _key_pem(ec.generate_private_key(ec.SECP256R1())))
        if not files.certificate.exists():
            _write(files.certificate, _self_signed(_own_key(files.key), host))
    except OSError as error:
        raise BadPair(f"the TLS key {files.key} cannot be made: {error.strerror}") from None
    return files


def own_paths(folder: Path) -> PairFiles:
    """Return where our own pair is kept, or will be.

    Args:
        folder: For what lasts.
    """
    return PairFiles(folder / CERTIFICATE, folder / KEY, private=True)


def passing_pair(host: str) -> Pair:
    """Return a pair that is kept nowhere.

    Args:
        host: This machine's name.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    return load_pair(_self_signed(key, host), _key_pem(key), "the certificate and the key in memory")


def _own_key(path: Path) -> Any:
    try:
        return load_pem_private_key(_read(path), None)
    except (TypeError, ValueError):
        raise BadPair(f"the TLS key {path} is damaged; remove it and a new one is made") from None


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _self_signed(key: Any, host: str) -> bytes:
    """Return a certificate for this machine, by all the names by which it reaches itself, that the key itself signs."""
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host[:64])])
    now = datetime.now(UTC)
    hosts = dict.fromkeys(name for name in ("localhost", host) if name.isascii())
    others = [x509.IPAddress(ip_address(address)) for address in ("127.0.0.1", "::1")]
    made = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a client's clock may be late
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, hosts), *others]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


# ---- what is given to connections ----------------------------------------------------------------------------------


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """The pair that new connections are given; it runs beside the chat (a ``chatroom.daemon.service.OperatorService``).

    Args:
        reactor: Tells when to look at the files again.
        files: Where the pair is kept; None: nowhere.
        pair: What is used first.
    """

    def __init__(self, reactor: Any, files: PairFiles | None, pair: Pair) -> None:
        self._files = files
        self._pair = pair
        self._seen = files.stamp() if files else ()
        self._looks = LoopingCall(self._look)
        self._looks.clock = reactor

    @property
    def fingerprint(self) -> str:
        """The fingerprint of the key."""
        return self._pair.fingerprint

    def serverConnectionForTLS(self, protocol: Any) -> Any:  # noqa: N802
        """Return the state of a new connection; it keeps the certificate of today."""
        return TLSConnection(self._pair.context)

    def reload(self) -> None:
        """Read the files again; a pair that cannot be used changes nothing, and the log says why."""
        if self._files is None:
            return
        self._seen = self._files.stamp()
        try:
            pair = self._files.load()
        except (BadPair, OSError) as error:
            _log.warn("the TLS certificate stays as it was: {why}", why=str(error))
            return
        self._pair = pair
        self._tell()

    def _look(self) -> None:
        if self._files is not None and self._files.stamp() != self._seen:
            self.reload()

    def _tell(self) -> None:
        _log.info("TLS fingerprint (SHA-256 of the key) {fingerprint}", fingerprint=self._pair.fingerprint)
        if fault := self._pair.fault():
            _log.warn("{fault}", fault=fault)

    def open(self) -> None:
        """Say whom to trust, and begin to look at the files."""
        self._tell()
        self._looks.start(LOOK, now=False)

    async def close(self) -> None:
        """Look no more."""
        if self._looks.running:
            self._looks.stop()


# ---- files ---------------------------------------------------------------------------------------------------------


def _spki(of: Any) -> bytes:
    key: bytes = of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read(path: Path) -> bytes:
    """Return what is in a plain file.

    Raises:
        BadPair: It cannot be read.
    """
    try:
        return read_plain_file(path, MOST_BYTES)
    except OSError as error:
        raise BadPair(f"{path} cannot be read: {error.strerror}; see --tls-cert and --tls-key") from None


def _write(path: Path, data: bytes) -> None:
    """Write a file, whole or not at all, and never readable by others."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    new.rename(path)
