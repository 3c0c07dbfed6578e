"""A TLS client that sends records no library would send: floods of KeyUpdates, empty and tiny records, renegotiations.

It makes an ordinary handshake, learns the keys of its own direction, and encrypts whatever it is told to. What the
server sends after the handshake is of no interest here and is not decrypted.
"""

from __future__ import annotations

import hmac
import struct
from collections.abc import Callable
from contextlib import suppress

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from OpenSSL import SSL

ALERT, HANDSHAKE, APPLICATION = 21, 22, 23  # types of records

_EXPLICIT = 8  # bytes of a nonce that TLS 1.2 sends along


class Forger:
    """The client's side of one connection after the handshake.

    Args:
        exchange: Sends bytes to the server and returns what it answers.
        old: Speak TLS 1.2; else TLS 1.3.
    """

    def __init__(self, exchange: Callable[[bytes], bytes], *, old: bool = False) -> None:
        lines: list[bytes] = []
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        version = SSL.TLS1_2_VERSION if old else SSL.TLS1_3_VERSION
        context.set_min_proto_version(version)
        context.set_max_proto_version(version)
        context.set_cipher_list(b"ECDHE+AESGCM")
        context.set_tls13_ciphersuites(b"TLS_AES_256_GCM_SHA384")
        context.set_keylog_callback(lambda connection, line: lines.append(line))
        connection = SSL.Connection(context, None)
        connection.set_connect_state()
        _shake(connection, exchange)
        secrets = {label: bytes.fromhex(value.decode()) for label, _, value in (line.split() for line in lines)}
        self._old = old
        self._sequence = 0
        if old:
            self._use_master(connection, secrets[b"CLIENT_RANDOM"])
        else:
            self._use_traffic(secrets[b"CLIENT_TRAFFIC_SECRET_0"])

    # ---- what can be sent --------------------------------------------------------------------------------------

    def application(self, data: bytes = b"") -> bytes:
        """Return one record with this application data, which may be empty."""
        return self._record(APPLICATION, data)

    def key_update(self, *, answer: bool = False) -> bytes:
        """Return the record of a KeyUpdate of TLS 1.3, and use the new keys from then on.

        Args:
            answer: Ask the server for one as well.
        """
        record = self._record(HANDSHAKE, bytes((24, 0, 0, 1, answer)))
        self._use_traffic(_expand(self._secret, b"traffic upd", len(self._secret)))
        return record

    def renegotiation(self) -> bytes:
        """Return the record that asks for a new handshake within a connection of TLS 1.2."""
        body = b"\3\3" + bytes(32) + b"\0" + b"\0\2\xc0\x2f" + b"\1\0" + b"\0\0"
        return self._record(HANDSHAKE, b"\1" + len(body).to_bytes(3, "big") + body)

    def warning(self) -> bytes:
        """Return the record of an alert that ends nothing: ``user_canceled``."""
        return self._record(ALERT, b"\1\x5a")

    # ---- encryption --------------------------------------------------------------------------------------------

    def _record(self, kind: int, data: bytes) -> bytes:
        sequence, self._sequence = self._sequence, self._sequence + 1
        if self._old:
            explicit = sequence.to_bytes(_EXPLICIT, "big")
            header = struct.pack(">QBHH", sequence, kind, 0x0303, len(data))
            sealed = explicit + self._cipher.encrypt(self._nonce + explicit, data, header)
            return struct.pack(">BHH", kind, 0x0303, len(sealed)) + sealed
        header = struct.pack(">BHH", APPLICATION, 0x0303, len(data) + 17)
        nonce = (int.from_bytes(self._nonce, "big") ^ sequence).to_bytes(12, "big")
        return header + self._cipher.encrypt(nonce, data + bytes((kind,)), header)

    def _use_traffic(self, secret: bytes) -> None:
        self._secret = secret
        self._sequence = 0
        self._cipher = AESGCM(_expand(secret, b"key", 32))
        self._nonce = _expand(secret, b"iv", 12)

    def _use_master(self, connection: SSL.Connection, master: bytes) -> None:
        size = 32 if "256" in str(connection.get_cipher_name()) else 16
        digest = "sha384" if str(connection.get_cipher_name()).endswith("384") else "sha256"
        seed = connection.server_random() + connection.client_random()  # type: ignore[operator]
        block = _prf(digest, master, b"key expansion" + seed, 2 * size + 8)
        self._cipher, self._nonce = AESGCM(block[:size]), block[2 * size : 2 * size + 4]
        self._sequence = 1  # the record of the handshake's end was the first


def _shake(connection: SSL.Connection, exchange: Callable[[bytes], bytes]) -> None:
    while True:
        try:
            connection.do_handshake()
        except SSL.WantReadError:
            connection.bio_write(exchange(connection.bio_read(65536)))
        else:
            with suppress(SSL.WantReadError):  # in TLS 1.2 the server has the last word
                exchange(connection.bio_read(65536))
            return


def _expand(secret: bytes, label: bytes, length: int) -> bytes:
    """Return HKDF-Expand-Label of RFC 8446 without a context, of at most 48 bytes."""
    full = b"tls13 " + label
    info = struct.pack(">HB", length, len(full)) + full + b"\0\1"
    return hmac.digest(secret, info, "sha384")[:length]


def _prf(digest: str, secret: bytes, seed: bytes, length: int) -> bytes:
    """Return the pseudorandom function of RFC 5246."""
    made, link = b"", seed
    while len(made) < length:
        link = hmac.digest(secret, link, digest)
        made += hmac.digest(secret, link + seed, digest)
    return made[:length]
