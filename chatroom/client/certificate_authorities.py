"""Checks whether a public authority vouches for a server's certificate.

Reading the certificates of the authorities takes memory and some milliseconds. So this is done only when it matters: at
the first connection to a server, and when the server has another key than the remembered one.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from cryptography.x509 import Certificate, ExtendedKeyUsage, ExtensionNotFound
from cryptography.x509.oid import ExtendedKeyUsageOID
from OpenSSL import SSL
from OpenSSL.crypto import X509StoreContext, X509StoreContextError
from service_identity import VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address


def is_address(host: str) -> bool:
    """Return whether a host is an address and not a name."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def vouch(connection: Any, host: str) -> bool:
    """Return whether an authority that this system trusts vouches for the server and the host.

    Args:
        connection: An OpenSSL connection after its handshake.
        host: The host that the certificate should be for.
    """
    leaf, *others = connection.get_peer_cert_chain()
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_default_verify_paths()
    try:
        X509StoreContext(context.get_cert_store(), leaf, others).verify_certificate()  # type: ignore[arg-type]
        _verify(connection, host)
        return _may_serve(leaf.to_cryptography())
    except (X509StoreContextError, VerificationError, ValueError):
        return False


def _verify(connection: Any, host: str) -> None:
    """Check that the certificate is for the host. An address is compared without its zone, as no certificate has one.

    Raises:
        VerificationError: The certificate is for another host.
    """
    if is_address(host):
        verify_ip_address(connection, host.partition("%")[0])
    else:
        verify_hostname(connection, host)


def _may_serve(certificate: Certificate) -> bool:
    """Return whether a certificate is for servers (RFC 5280, 4.2.1.12), and not for signing mail or the like."""
    try:
        usage = certificate.extensions.get_extension_for_class(ExtendedKeyUsage).value
    except ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.SERVER_AUTH in usage or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage
