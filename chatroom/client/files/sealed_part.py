"""A sealed file that is being fetched: chunks are opened as they arrive, so that only opened bytes are on the disk."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_cipher import PIECE, FileOpener
from chatroom.client.crypto.file_offers import FileOffer
from chatroom.client.errors import Rejected
from chatroom.client.files.partial_file import PartialFile
from chatroom.model.signed_bytes import unb64


class SealedPart:
    """Opens the chunks of a sealed file, writes them to a part, and moves the complete file to its path.

    The part is that of the file and not of the way on which it comes. So what has come over a direct link is not
    fetched again from the server.

    Args:
        offer: The offer of the file.
        server: Host and port of the server.
        wanted: The path for the file, or its folder; see ``PartialFile``.
        folder: Whether the path is meant as a folder.

    Raises:
        Rejected: The path cannot be used, or pieces are missing that this offer does not have.
    """

    def __init__(self, offer: FileOffer, server: str, wanted: Path, folder: bool = False) -> None:
        self._offer = offer
        about = replace(offer, file=offer.head.file)
        self._part = PartialFile(about, server, wanted, folder, PIECE)
        if self._part.have < offer.first:
            self.close()
            raise Rejected(
                "no-beginning", f"the beginning of {offer.name} is missing here; ask for it to be sent again."
            )
        self._opener = FileOpener(offer.head, unb64(offer.key), self._part.have)

    @property
    def have(self) -> int:
        """How many chunks of what the offer's file has were written; also those that came on another way."""
        return self._part.have - self._offer.first

    @property
    def name(self) -> str:
        """The name of the file."""
        return self._offer.name

    @property
    def complete(self) -> bool:
        """Whether all pieces were written."""
        return self._part.complete

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self._offer.size

    @property
    def done(self) -> int:
        """How many bytes of the file were written."""
        return self._part.done

    def write(self, data: bytes) -> None:
        """Open the next chunk, and write what it holds.

        Raises:
            Rejected: The chunk is not what the sender sealed, or the part cannot be written.
        """
        try:
            plain = self._opener.open(self._part.have, data)
        except CryptoRefusal as refused:
            why = f"{self._offer.name} cannot be opened: {refused.text}; ask for it to be sent again."
            raise Rejected(refused.code, why) from None
        self._part.write(plain)

    def finish(self) -> Path:
        """Check the hash of the file and move it to its path; see ``PartialFile.finish``."""
        return self._part.finish()

    def remove(self) -> None:
        """Remove the part, unless something else has taken its name."""
        self._part.remove()

    def close(self) -> None:
        """Close and unlock the part, so that it can be continued later."""
        self._part.close()
