"""What a server's key looks like to people: what the daemon's log shows, and what the client remembers of a server.

It is the key's and not the certificate's, so that it stays the same when a certificate is renewed for the same key.
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
