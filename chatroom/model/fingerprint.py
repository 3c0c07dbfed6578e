"""The fingerprint of a server's key, which the daemon logs and the client remembers.

The fingerprint is that of the key and not that of the certificate, so that it stays the same when the certificate is
renewed. The function has a file of its own because no other module of the model needs the cryptography library.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import Certificate


def fingerprint(certificate: Certificate) -> str:
    """Return ``SHA256:`` and the hash of a certificate's public key (its SPKI in DER), in base64 as ``ssh`` does."""
    key = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"SHA256:{b64encode(sha256(key).digest()).decode().rstrip('=')}"
