"""Files that are encrypted end to end: AES-256-GCM, piece by piece, so that a transfer can be continued anywhere.

A file is cut into pieces of ``PIECE`` bytes. A sealed piece is 16 bytes longer, so that each is one chunk of the
server's store. The nonce of a piece is its index and whether it is the last one; the header is authenticated with each
piece. So no piece can be changed, moved, repeated, left out or added, nor taken for one of another file.

Two different texts sealed with one key and one nonce would reveal both. So every file gets a new key, and a piece that
is sealed again is compared with what was sealed first: neither the size nor the time of a file proves that its bytes
are the same.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.model.shared_files import CHUNK
from chatroom.model.signed_bytes import canonical

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TAG = 16  # bytes that sealing adds to a piece
PIECE = CHUNK - TAG  # bytes of the file in a piece; the last piece may be shorter
KEY_BYTES = 32
LARGEST = 2**40  # bytes of a file
ALGORITHM = "A256GCM-STREAM"

_ID = re.compile(r"[0-9a-f]{32}\Z")
_DIGEST = 32  # bytes of a SHA-256


class FileHead(Struct, frozen=True, kw_only=True):
    """What is authenticated with each piece of a sealed file.

    Args:
        v: The version of the format, 1.
        file: A random id, 32 hexadecimal digits.
        size: The size of the file in bytes, before it is sealed.
        chunk: The size of a sealed piece in bytes.
        alg: How pieces are sealed.
    """

    v: int = 1
    file: str
    size: int
    chunk: int = CHUNK
    alg: str = ALGORITHM


def check_head(head: FileHead) -> FileHead:
    """Return a header that this program can work with.

    Raises:
        CryptoRefusal: The format is unknown, or a field is impossible.
    """
    if (head.v, head.alg, head.chunk) != (1, ALGORITHM, CHUNK):
        raise CryptoRefusal("unknown-format", "the file is encrypted in a way that this program does not know")
    if not 0 < head.size <= LARGEST or not _ID.match(head.file):
        raise CryptoRefusal("bad-offer", "the offer of an encrypted file is not valid")
    return head


def pieces_of(size: int) -> int:
    """Return the number of pieces of a file with ``size`` bytes."""
    return -(-size // PIECE)


def bytes_of_piece(size: int, index: int) -> int:
    """Return the number of bytes in a piece, before it is sealed; 0 beyond the end of the file."""
    return max(0, min(PIECE, size - index * PIECE))


def sealed_size(size: int, first: int = 0) -> int:
    """Return the number of bytes of a sealed file.

    Args:
        size: The size of the file before it is sealed.
        first: The index of the first piece to count.
    """
    return size - first * PIECE + TAG * (pieces_of(size) - first)


class FileSealer:
    """Seals the pieces of one file with a new key.

    The file is read once from its beginning to its end, and its pieces are hashed then. Later any piece can be sealed
    again if it has not changed.

    Args:
        size: The size of the file in bytes.
        random: Returns so many random bytes.

    Attributes:
        head: The header of the file.
        key: The key, for those who may read the file.
    """

    def __init__(self, size: int, random: Callable[[int], bytes]) -> None:
        self.head = check_head(FileHead(file=random(16).hex(), size=size))
        self.key = random(KEY_BYTES)
        self._cipher: AESGCM | None = _cipher(self.key)
        self._bound = _digest_of(self.head)
        self._pieces = bytearray()  # the SHA-256 of each piece that was read
        self._plain = hashlib.sha256()
        self._sealed = hashlib.sha256()

    @property
    def complete(self) -> bool:
        """Whether all pieces were sealed once."""
        return self._read == pieces_of(self.head.size)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the pieces read until now, before they were sealed; in hexadecimal."""
        return self._plain.hexdigest()

    @property
    def sealed_sha256(self) -> str:
        """The SHA-256 of the sealed pieces, in hexadecimal."""
        return self._sealed.hexdigest()

    @property
    def _read(self) -> int:
        return len(self._pieces) // _DIGEST

    def seal(self, index: int, plain: bytes) -> bytes:
        """Return a sealed piece: the next one that was not sealed yet, or any earlier one once more.

        Raises:
            CryptoRefusal: The piece is not the one that was sealed first (``file-changed``), and nothing can be sealed
                with this key any more; or it is not its turn (``out-of-order``).
        """
        if self._cipher is None:
            raise _changed()
        if not 0 <= index <= self._read or index >= pieces_of(self.head.size):
            raise CryptoRefusal("out-of-order", "a piece of the file was sealed out of order")
        digest = hashlib.sha256(plain).digest()
        if len(plain) != bytes_of_piece(self.head.size, index) or not self._is_same(index, digest):
            self._cipher = None
            raise _changed()
        sealed = self._cipher.encrypt(_nonce(self.head, index), plain, self._bound)
        if index == self._read:
            self._pieces += digest
            self._plain.update(plain)
            self._sealed.update(sealed)
        return sealed

    def _is_same(self, index: int, digest: bytes) -> bool:
        """Return whether a piece has the hash that it had when it was first sealed, or is sealed for the first time."""
        first = self._pieces[index * _DIGEST : (index + 1) * _DIGEST]
        return not first or hmac.compare_digest(first, digest)


class FileOpener:
    """Opens the sealed pieces of one file, in order. That the whole file is right is known by its hash only.

    Args:
        head: The header of the file.
        key: Its key.
        start: The index of the first piece to open; the pieces before it were opened earlier.

    Attributes:
        next: The index of the next piece.

    Raises:
        CryptoRefusal: The header is not valid.
    """

    def __init__(self, head: FileHead, key: bytes, start: int = 0) -> None:
        self._head = check_head(head)
        self._cipher = _cipher(key)
        self._bound = _digest_of(head)
        self.next = start

    @property
    def complete(self) -> bool:
        """Whether all pieces were opened."""
        return self.next == pieces_of(self._head.size)

    def open(self, index: int, sealed: bytes) -> bytes:
        """Return the next piece of the file.

        Raises:
            CryptoRefusal: It is not the next piece, or not as the sender has sealed it.
        """
        if index != self.next or self.complete:
            raise CryptoRefusal("out-of-order", "a piece of the encrypted file came out of order")
        if len(sealed) != bytes_of_piece(self._head.size, index) + TAG:
            raise CryptoRefusal("forged-file", "a piece of the encrypted file has the wrong length")
        from cryptography.exceptions import InvalidTag  # here, as in ``_cipher``

        try:
            plain = self._cipher.decrypt(_nonce(self._head, index), sealed, self._bound)
        except InvalidTag:
            raise CryptoRefusal("forged-file", "a piece of the encrypted file is not what its sender sealed") from None
        self.next += 1
        return plain


def _cipher(key: bytes) -> AESGCM:
    """Return the cipher. Import it only now: it takes 8 MB, and most clients never need it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _nonce(head: FileHead, index: int) -> bytes:
    """Return the nonce of a piece: its index, and whether it is the last one, so that no file can be cut short."""
    return index.to_bytes(11, "big") + bytes([index == pieces_of(head.size) - 1])


def _digest_of(head: FileHead) -> bytes:
    return hashlib.sha256(canonical(head)).digest()


def _changed() -> CryptoRefusal:
    return CryptoRefusal("file-changed", "the file has changed while it was being sent")
