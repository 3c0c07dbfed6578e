"""The daemon's certificate and key for TLS (a "pair"): made at the first start, or given by the operator.

Their files are read again when they change; connections keep the certificate with which they began. If the pair can't
be used at the start, the daemon does not start. If the files become unusable later, the old pair stays in use and the
log says why.
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
PROTOCOL = b"chatroom/1"  # the protocol that clients may ask for by ALPN; they need not
YEARS = 10  # for which a certificate that we make is valid
LOOK = 60.0  # seconds between two checks whether the files have changed
MOST_BYTES = 256 * 1024  # the most bytes of a file that is read

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class BadPair(Exception):
    """A certificate and its key can't be used; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its key, ready for connections.

    Args:
        context: The OpenSSL context for new connections.
        fingerprint: The fingerprint (SHA-256) of the public key.
        begins: When the certificate becomes valid.
        ends: When the certificate expires.
    """

    context: SSL.Context
    fingerprint: str
    begins: datetime
    ends: datetime

    def fault(self) -> str:
        """Return a sentence that says why the certificate is not valid now; empty if it is valid."""
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
    """The files of a pair.

    Args:
        certificate: A PEM file. Further certificates, up to a known authority, may follow in it.
        key: A PEM file without a password.
        private: Whether to refuse a key that other users may read; true for our own key. For a key that the operator
            gives, the operator decides who may read it.
    """

    certificate: Path
    key: Path
    private: bool = False

    def load(self) -> Pair:
        """Return the pair in the files.

        Raises:
            BadPair: The pair can't be used.
        """
        self._check_private()
        return load_pair(_read(self.certificate), _read(self.key), f"{self.certificate} and {self.key}")

    def look(self) -> Pair | None:
        """Return the pair in the files; None if a start would make one of our own files. Nothing is changed.

        Raises:
            BadPair: A start could not use the files.
        """
        if not self.private or (self.key.exists() and self.certificate.exists()):
            return self.load()
        if self.key.exists():
            self._check_private()
            _own_key(self.key)
        return None

    def _check_private(self) -> None:
        """Raise BadPair if others may read a key that is private."""
        if self.private and self.key.exists() and self.key.stat().st_mode & _OTHERS:
            raise BadPair(f"others may read the TLS key {self.key}; chmod 600 it, or remove it and a new one is made")

    def stamp(self) -> tuple[object, ...]:
        """Return a value that changes whenever one of the files does."""
        return tuple(_stamp(path) for path in (self.certificate, self.key))


def load_pair(certificate: bytes, key: bytes, name: str) -> Pair:
    """Return the pair in two PEM texts.

    Args:
        certificate: The certificate; further ones, up to a known authority, may follow.
        key: The key.
        name: What to call the certificate and the key in an error.

    Raises:
        BadPair: The certificate or the key can't be read, or they do not belong together.
    """
    try:
        first, *chain = x509.load_pem_x509_certificates(certificate)
        public, key_hash = _spki(first), fingerprint(first)
    except Exception:  # a damaged certificate raises many kinds of exceptions, as does a damaged key below
        raise BadPair(f"{name}: the first holds no certificate in PEM; give another with --tls-cert") from None
    try:
        # A full check of an RSA key would hold up the reactor; below we check that the key fits the certificate.
        private = load_pem_private_key(key, None, unsafe_skip_rsa_key_validation=True)
    except TypeError:
        raise BadPair(f"{name}: the key has a password; give one without, with --tls-key") from None
    except Exception:  # ValueError, UnsupportedAlgorithm, or whatever OpenSSL raises
        raise BadPair(f"{name}: the second holds no private key in PEM; give another with --tls-key") from None
    if _spki(private) != public:
        raise BadPair(f"{name} do not belong together; give the key that the certificate was made for")
    try:
        context = _context(first, chain, private)
    except (SSL.Error, crypto.Error) as error:
        raise BadPair(f"{name} are of no use for TLS: {error}; give others") from None
    return Pair(context, key_hash, first.not_valid_before_utc, first.not_valid_after_utc)


def _context(first: x509.Certificate, chain: list[x509.Certificate], key: Any) -> SSL.Context:
    """Return the OpenSSL context for connections; all its ciphers keep past conversations secret if the key is stolen.

    Args:
        first: The server's certificate.
        chain: Further certificates, up to a known authority.
        key: The certificate's private key.
    """
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_2_VERSION)
    context.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20")
    context.set_options(SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_COMPRESSION)
    context.set_mode(SSL.MODE_RELEASE_BUFFERS)  # silent connections need no buffers
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.use_certificate(first)
    for other in chain:
        context.add_extra_chain_cert(other)
    context.use_privatekey(key)
    context.set_alpn_select_callback(_choose)
    return context


def _choose(connection: SSL.Connection, offered: list[bytes]) -> Any:
    """Return our protocol if the client offers it by ALPN; otherwise no protocol is agreed on, and TLS goes on."""
    return PROTOCOL if PROTOCOL in offered else SSL.NO_OVERLAPPING_PROTOCOLS


# ---- a pair of our own ---------------------------------------------------------------------------------------------


def own_files(folder: Path, host: str) -> PairFiles:
    """Return the files of our own pair; make the missing ones. A new key gets a new certificate, too.

    Args:
        folder: The data folder.
        host: This machine's name, for the certificate.

    Raises:
        BadPair: The files can't be made, or the existing key can't be used.
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
    """Return the paths of our own pair; the files may not exist yet.

    Args:
        folder: The data folder.
    """
    return PairFiles(folder / CERTIFICATE, folder / KEY, private=True)


def passing_pair(host: str) -> Pair:
    """Return a new pair that is only in memory, for ``--ephemeral``.

    Args:
        host: This machine's name, for the certificate.
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
    """Return a self-signed certificate in PEM, for ``localhost``, ``host`` and the loopback addresses."""
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
        .not_valid_before(now - timedelta(days=1))  # a client's clock may be slow
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName([*map(x509.DNSName, hosts), *others]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM)


# ---- the pair in use -----------------------------------------------------------------------------------------------


@implementer(IOpenSSLServerConnectionCreator)
class Certificates:
    """Gives new connections the current pair, and reads the pair again when its files change.

    It runs as a ``chatroom.daemon.service.OperatorService``.

    Args:
        reactor: The clock of the regular checks of the files.
        files: The pair's files; None if the pair is only in memory.
        pair: The pair to begin with.
    """

    def __init__(self, reactor: Any, files: PairFiles | None, pair: Pair) -> None:
        self._files = files
        self._pair = pair
        self._seen = files.stamp() if files else ()
        self._looks = LoopingCall(self._look)
        self._looks.clock = reactor

    @property
    def fingerprint(self) -> str:
        """The fingerprint (SHA-256) of the public key."""
        return self._pair.fingerprint

    def serverConnectionForTLS(self, protocol: Any) -> Any:  # noqa: N802
        """Return the TLS state of a new connection, which keeps the current certificate. Twisted calls this."""
        return TLSConnection(self._pair.context)

    def reload(self) -> None:
        """Read the files again. If the pair can't be used, the old one stays in use, and the log says why."""
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
        """Log the fingerprint, and begin to check every ``LOOK`` seconds whether the files have changed."""
        self._tell()
        self._looks.start(LOOK, now=False)

    async def close(self) -> None:
        """Stop checking whether the files have changed."""
        if self._looks.running:
            self._looks.stop()


# ---- files ---------------------------------------------------------------------------------------------------------


def _spki(of: Any) -> bytes:
    """The public key of a certificate or a private key, in DER."""
    key: bytes = of.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return key


def _stamp(path: Path) -> object:
    """A value that changes when the file does: its size, time and inode; or the number of the error."""
    try:
        found = path.stat()
    except OSError as error:
        return error.errno
    return found.st_size, found.st_mtime_ns, found.st_ino


def _read(path: Path) -> bytes:
    """Return the bytes of a plain file.

    Raises:
        BadPair: The file can't be read, or is too large.
    """
    try:
        return read_plain_file(path, MOST_BYTES)
    except OSError as error:
        raise BadPair(f"{path} cannot be read: {error.strerror}; see --tls-cert and --tls-key") from None


def _write(path: Path, data: bytes) -> None:
    """Write a file, completely or not at all. At no time may other users read it."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    new.rename(path)
