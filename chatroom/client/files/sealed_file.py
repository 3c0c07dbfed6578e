"""Reads and seals a file that is being sent. The functions wait for the disk, so they are called in threads."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_cipher import PIECE, FileSealer, pieces_of, sealed_size
from chatroom.client.crypto.file_offers import FileOffer, offer_of
from chatroom.client.files.local_file import changed, check_size, check_wanted, opened, read


class SealedFile:
    """A file that was read and sealed once. Nothing of that is kept but hashes; its chunks are sealed again to be sent.

    Args:
        path: The file.
        sealer: The sealer, which has read it.
        first: The index of the first piece to send; those before it came to the receiver on another way.
        sha256: The SHA-256 of the sealed pieces from ``first`` on, if these are not all.
        replaces: The name of the sealed file that this one replaces, because the file had changed; empty if none.
    """

    def __init__(self, path: Path, sealer: FileSealer, first: int = 0, sha256: str = "", replaces: str = "") -> None:
        self.sealer = sealer
        self.first = first
        self.replaces = replaces
        self._path = path
        self._sha256 = sha256 or sealer.sealed_sha256

    @property
    def name(self) -> str:
        """The name that the server is given."""
        return self.sealer.head.file

    @property
    def size(self) -> int:
        """The number of sealed bytes to send."""
        return sealed_size(self.sealer.head.size, self.first)

    @property
    def sha256(self) -> str:
        """The SHA-256 of the sealed bytes to send, in hexadecimal."""
        return self._sha256

    @property
    def content(self) -> tuple[int, str]:
        """The size and the SHA-256 of the file itself."""
        return self.sealer.head.size, self.sealer.sha256

    def chunk(self, index: int) -> bytes:
        """Return a sealed chunk; 0 is the first one to send.

        Raises:
            Rejected: The file cannot be read, or a piece of it is not what it was (``file-changed``). Nothing more can
                be sealed then.
        """
        with opened(self._path) as (descriptor, _):
            return self._seal(descriptor, self.first + index)

    def rest(self, first: int, wanted: Callable[[], bool]) -> SealedFile:
        """Return the same file, of which only the pieces from ``first`` on are to be sent; they are read for that.

        Args:
            first: The index of the first piece to send.
            wanted: Returns whether the file is still to be sent; asked before each piece.

        Raises:
            Rejected: As for ``chunk``, or the file is not to be sent any more.
        """
        digest = hashlib.sha256()
        with opened(self._path) as (descriptor, _):
            for index in range(first, pieces_of(self.sealer.head.size)):
                check_wanted(self._path, wanted)
                digest.update(self._seal(descriptor, index))
        return SealedFile(self._path, self.sealer, first, digest.hexdigest(), self.replaces)

    def offer(self, file: str, name: str) -> FileOffer:
        """Return the offer of this file.

        Args:
            file: The id by which the sealed bytes are fetched.
            name: The real name.
        """
        return offer_of(self.sealer, file, name, self.first, self.replaces)

    def _seal(self, descriptor: int, index: int) -> bytes:
        plain = read(descriptor, self._path, self.sealer.head.size, index, PIECE)
        try:
            return self.sealer.seal(index, plain)
        except CryptoRefusal:
            raise changed(self._path) from None


def seal(
    path: Path, most: int, wanted: Callable[[], bool], random: Callable[[int], bytes], replaces: str = ""
) -> SealedFile:
    """Return a file with a new key, after reading and sealing it once.

    Args:
        path: The file.
        most: The largest number of bytes that the server takes; 0: any.
        wanted: Returns whether the file is still to be sent; asked before each piece.
        random: Returns so many random bytes.
        replaces: The name of the sealed file that this one replaces.

    Raises:
        Rejected: The file cannot be sent, or is not to be sent any more.
    """
    with opened(path) as (descriptor, size):
        check_size(path, size, sealed_size(size), most)
        sealer = FileSealer(size, random)
        for index in range(pieces_of(size)):  # only up to the size found above, for the file may grow meanwhile
            check_wanted(path, wanted)
            sealer.seal(index, read(descriptor, path, size, index, PIECE))
    return SealedFile(path, sealer, replaces=replaces)
