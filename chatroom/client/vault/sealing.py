"""How the vault encrypts: values under fresh nonces, names as keyed hashes, all bound to one vault."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from chatroom.client.vault.errors import VaultDamaged

KEY = 32  # bytes of a key
NONCE = 12  # bytes of a nonce
NAME = 16  # bytes of a hash that stands for a name

Random = Callable[[int], bytes]


def lengths(*parts: bytes) -> bytes:
    """Return the parts in one, each after its length, so that no two lists of parts give the same bytes."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def text(name: str) -> bytes:
    """Return the bytes of a name. They exist for every str, also for one that is no valid Unicode."""
    return name.encode("utf-8", "surrogatepass")


class Sealer:
    """Seals and opens what one vault stores.

    Args:
        vault_id: The vault's random id; what one vault has sealed, another does not open.
        data_key: The vault's secret of 32 bytes.
        random: Returns so many random bytes.
    """

    def __init__(self, vault_id: bytes, data_key: bytes, random: Random) -> None:
        self._id = vault_id
        self._random = random
        self._cipher = ChaCha20Poly1305(_derived(data_key, b"values"))
        self._names = _derived(data_key, b"names")
        self._marks = _derived(data_key, b"marks")

    def __repr__(self) -> str:
        return "<Sealer>"

    def name(self, *parts: str) -> bytes:
        """Return the hash that stands for a name in the file."""
        return hmac.digest(self._names, lengths(*map(text, parts)), "sha256")[:NAME]

    def seal(self, value: bytes, *place: str) -> bytes:
        """Return a value encrypted, after its nonce.

        Args:
            value: The value.
            place: Where it is stored; only there it can be opened.
        """
        nonce = self._random(NONCE)
        return nonce + self._cipher.encrypt(nonce, value, lengths(self._id, *map(text, place)))

    def open(self, sealed: bytes, *place: str) -> bytes:
        """Return the value that ``seal`` has encrypted.

        Raises:
            VaultDamaged: It was changed, or was sealed for another place or by another vault.
        """
        try:
            return self._cipher.decrypt(sealed[:NONCE], sealed[NONCE:], lengths(self._id, *map(text, place)))
        except (InvalidTag, ValueError):
            raise VaultDamaged("the vault is damaged: a value was changed or moved by another program") from None

    def mark(self, name: bytes, nonce: bytes) -> int:
        """Return a secret number for one version of one row; their sum shows whether rows were put back or removed."""
        return int.from_bytes(hmac.digest(self._marks, lengths(name, nonce), "sha256"), "big")


def _derived(data_key: bytes, purpose: bytes) -> bytes:
    return hmac.digest(data_key, lengths(b"chatroom vault 1", purpose), "sha256")
