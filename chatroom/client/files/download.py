"""Fetches one file from the server and puts it on the disk."""

from __future__ import annotations

from collections import deque
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.connection import Piece
from chatroom.client.crypto.file_cipher import sealed_size
from chatroom.client.crypto.file_offers import FileOffer
from chatroom.client.errors import Rejected
from chatroom.client.files.partial_file import PartialFile, chunk_fits
from chatroom.client.files.sealed_part import SealedPart
from chatroom.client.files.sealing import NoFileSealing
from chatroom.client.files.transfer import AllTransfers, Transfer
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.shared_files import CHUNK, WINDOW, safe_name


class FileDownload(Transfer[Path]):
    """A file that is being fetched.

    Args:
        transfers: All transfers of the client.
        number: The number of the file in the room, or among those given to this user.
        wanted: Where to put the file: a folder, or a path at which nothing exists.
        folder: Whether ``wanted`` is a folder; it is made if it is missing.
        given: Whether the file was given to this user; such a file can be fetched in any room.
        offer: The offer of a sealed file that is fetched by its id and not by a number.
        plain: Whether the file may be one that is not sealed although files there have to be.
    """

    doing = "fetching"

    def __init__(
        self,
        transfers: AllTransfers,
        number: int,
        wanted: Path,
        *,
        folder: bool,
        given: bool,
        offer: FileOffer | None = None,
        plain: bool = False,
    ) -> None:
        self._called = offer.name if offer is not None else f"@{number}" if given else str(number)
        super().__init__(transfers, f"file {self._called}")
        self._offer = offer
        self._plain = plain
        self._number = number
        self._given = given
        self._wanted = wanted
        self._folder = folder
        self._about: a.Download | None = None
        self._part: PartialFile | SealedPart | None = None
        self._pieces: deque[Piece] = deque()

    async def run(self) -> Path:
        """Fetch the file; see ``Transfer``. The part is removed if the user cancels that, or if it is empty."""
        try:
            return await super().run()
        except Rejected as refused:
            if self._part is not None and (refused.code == "cancelled" or not self._part.done):
                self._part.remove()
            raise
        finally:
            if self._part is not None:
                self._part.close()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the file's bytes, in hexadecimal; empty before the server has described the file."""
        return self._about.sha256 if self._about is not None else ""

    def is_called(self, name: str) -> bool:
        return super().is_called(name) or name == self._called

    async def _carry(self) -> Path:
        """Fetch the chunks that are missing, and move the file to its path."""
        about = await self._look()
        part = self._part
        if part is None:
            part = self._part = await self._open(about)
            self._check()
        self._reach(part.done, part.size)
        if not part.complete:
            await self._ask(about, part.have)
        while not part.complete:
            await self._take(about, part)
        path: Path = await self._transfers.work(part.finish)
        return path  # even if it was cancelled meanwhile: the file is in place

    async def _open(self, about: a.Download) -> PartialFile | SealedPart:
        """Open the part to which the file is fetched; that of a sealed file if we have its offer."""
        offer = self._offer_of(about)
        kind, what = (PartialFile, about) if offer is None else (SealedPart, offer)
        part: PartialFile | SealedPart = await self._transfers.work(
            kind, what, self._transfers.server, self._wanted, self._folder
        )
        return part

    def _offer_of(self, about: a.Download) -> FileOffer | None:
        """Return the offer of a file if it is sealed, whether the server says so or not.

        Raises:
            Rejected: The file is sealed and its offer is not known here, or it has not the size that was offered.
        """
        offer = self._offer or self._transfers.sealing.find(about.file, about.by_id)
        if offer is not None and about.size != sealed_size(offer.size, offer.first):
            raise self._nonsense()
        if offer is None and about.sealed:
            why = f"file {self._called} is encrypted, and this device has no key for it"
            raise Rejected("no-key", f"{why}; ask {about.by or 'the sender'} to send it again.")
        return offer

    async def _check_may_be_plain(self, about: a.Download) -> None:
        """Refuse a file that is not sealed where files have to be: the server may have made it up.

        Raises:
            Rejected: Files of that room, or of the person who has given the file, are sealed.
        """
        room, user = ("", about.by) if self._given else (self._room, "")
        if await self._must_be_sealed(room, user):
            sent = f"what {user} sends you is" if user else "what it belongs to may be"
            why = f"file {self._called} is not encrypted, though {f'{room} is' if room else sent}"
            how = f"it may be older, or not genuine. /get plain {self._called} fetches it all the same"
            raise Rejected("not-sealed", f"{why}: {how}.")
        self._check()

    async def _must_be_sealed(self, room: str, user: str) -> bool:
        """Return whether files of a room or a person are sealed; if a client with keys is not told whose it is: yes."""
        sealing = self._transfers.sealing
        if room or user:
            return bool(await self._outlast(Deferred.fromCoroutine(sealing.seals(room, user))))
        return self._given and not isinstance(sealing, NoFileSealing)

    def _check_place(self) -> None:
        """Check our room as ``Transfer`` does, but not for a file given to this user: it can be fetched in any room."""
        if not self._given and self._offer is None:
            super()._check_place()

    async def _look(self) -> a.Download:
        """Return the server's description of the file; ask the server only the first time."""
        if self._about is None:
            self._check_place()
            about = await self._do("get", send=False, **self._which())
            self._check_place()
            if not isinstance(about, a.Download) or not about.file or about.chunk != CHUNK or not about.size:
                text = f"file {self._called} cannot be fetched: this client is too old for the server, or too new."
                raise Rejected("version", text)
            if self._given and not about.given:
                raise Rejected("version", f"file {self._called} cannot be fetched: the server sent a different file.")
            offer = self._offer_of(about)
            if offer is None and not self._plain:
                await self._check_may_be_plain(about)
            self.name = offer.name if offer is not None else safe_name(about.name)
            self._claim(about.file)
            self._about = about
        return self._about

    def _which(self) -> dict[str, Any]:
        """Return the fields of ``get`` that say which file is meant."""
        if self._offer is not None:
            return {"file": self._offer.file}
        return {"number": self._number, **({"given": True} if self._given else self._where)}

    async def _ask(self, about: a.Download, have: int) -> None:
        """Let the server send the chunks from number `have` on, and check that it still means the same file."""
        self._pieces.clear()
        answer = await self._do("get", file=about.file, **{"from": have})
        if not isinstance(answer, a.Download) or _what(answer) != _what(about):
            raise self._nonsense()

    async def _take(self, about: a.Download, part: PartialFile | SealedPart) -> None:
        """Wait for the next piece of the file, write it to the part, and acknowledge it to the server."""
        await self._until(lambda: bool(self._pieces))
        piece = self._pieces.popleft()
        if piece.index != part.have or not chunk_fits(about, piece.index, piece.data):
            raise self._nonsense()
        await self._transfers.work(part.write, piece.data)
        self._check()
        self._reach(part.done, part.size)
        self._client.write({"do": "got", "file": about.file, "index": piece.index})

    def heard(self, event: e.Event | Piece) -> None:
        """Queue a piece of the file for writing; give up if the server sends more pieces than the window allows."""
        if isinstance(event, Piece):
            if len(self._pieces) < WINDOW:
                self._pieces.append(event)
                self.stir()
            else:
                self.give_up(self._nonsense())

    def _nonsense(self) -> Rejected:
        return Rejected("nonsense", f"{self.name} cannot be fetched: the server sent something else.")


def _what(about: a.Download) -> tuple[object, ...]:
    """Return what must stay the same while the file is fetched."""
    return about.file, about.size, about.sha256
