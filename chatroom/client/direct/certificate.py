"""The certificate of one attempt to connect directly. The other side knows its fingerprint; nothing else in it counts.

Imported late, because it loads OpenSSL's library.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

_NAME = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "chatroom-p2p")])
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, repr=False)
class LinkCertificate:
    """A self-signed certificate and its key (P-256).

    Args:
        key: The private key.
        certificate: The certificate.
    """

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pin(self) -> str:
        """The SHA-256 of the certificate, in hex, for an offer."""
        return pin(self.certificate)


def pin(certificate: x509.Certificate) -> str:
    """Return the SHA-256 of a certificate (DER), in hex."""
    return sha256(certificate.public_bytes(Encoding.DER)).hexdigest()


def new_certificate(now: float) -> LinkCertificate:
    """Make a key and its certificate, for one attempt only: so nobody can follow a person by a certificate.

    Args:
        now: Seconds since 1970.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    moment = datetime.fromtimestamp(now, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_NAME)
        .issuer_name(_NAME)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - _DAY)
        .not_valid_after(moment + _DAY)
        .sign(key, hashes.SHA256())
    )
    return LinkCertificate(key, certificate)
