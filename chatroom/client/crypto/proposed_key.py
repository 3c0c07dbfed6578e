"""A user key that is to take the place of the present one as soon as the server has a list that it signed.

Until then the present user key stays, so that nothing has changed here if the server refuses the list.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from chatroom.client.crypto.pickles import Random
from chatroom.client.crypto.rows import Rows
from chatroom.model.signed_bytes import b64

TABLE = "identity"
ROW = "proposed-user-key"
SEED_BYTES = 32


class ProposedKey:
    """Keeps a user key that is proposed, at most one.

    Args:
        rows: Where it is kept.
        random: Returns so many random bytes.

    Attributes:
        key: The key; None if none is proposed.
    """

    def __init__(self, rows: Rows, random: Random) -> None:
        self._rows = rows
        self._random = random
        seed = rows.get(TABLE, ROW)
        self.key = None if seed is None else Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def public(self) -> str:
        """The public key in base64; empty if none is proposed."""
        return "" if self.key is None else public_key(self.key)

    def make(self) -> None:
        """Propose a new key, in place of one that was proposed before."""
        seed = self._random(SEED_BYTES)
        self._rows.put(TABLE, ROW, seed)
        self.key = Ed25519PrivateKey.from_private_bytes(seed)

    def drop(self) -> None:
        """Forget the key that is proposed, if there is one."""
        if self.key is not None:
            self._rows.delete(TABLE, ROW)
            self.key = None


def public_key(key: Ed25519PrivateKey) -> str:
    """Return the public key of a user key in base64."""
    return b64(key.public_key().public_bytes_raw())
