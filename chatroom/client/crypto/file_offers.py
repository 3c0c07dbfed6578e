"""Offers of encrypted files: what a sender tells the readers in an encrypted message, and which offers are known.

The server stores the sealed bytes under a random name. Only an offer has the real name and the key.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from chatroom.client.crypto.errors import CryptoRefusal
from chatroom.client.crypto.file_cipher import KEY_BYTES, FileHead, FileSealer, check_head, pieces_of
from chatroom.client.crypto.rows import Rows
from chatroom.model.shared_files import safe_name
from chatroom.model.signed_bytes import b64, unb64

TABLE = "file-offer"
MOST = 1000  # offers to keep
MOST_OF_ONE = 200  # offers to keep of one sender, so that nobody pushes out the offers of all others


class FileOffer(Struct, frozen=True, kw_only=True):
    """The offer of an encrypted file.

    Args:
        file: The id by which the sealed bytes are fetched: the id on the server or, over a direct link, that of
            ``head``.
        name: The real name of the file.
        size: Its size in bytes.
        sha256: The SHA-256 of its bytes, in hexadecimal.
        key: Its key in base64.
        head: The header that is authenticated with each piece.
        first: The index of the first piece that ``file`` has; the pieces before it came on another way.
        replaces: The id in the header of an earlier offer that this one replaces, because the file had changed.
    """

    file: Annotated[str, Meta(pattern=r"^[0-9A-Za-z_-]{1,64}\Z")]
    name: Annotated[str, Meta(max_length=1024)]
    size: int
    sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    key: Annotated[str, Meta(min_length=43, max_length=43)]
    head: FileHead
    first: Annotated[int, Meta(ge=0)] = 0
    replaces: Annotated[str, Meta(max_length=32)] = ""

    def __repr__(self) -> str:
        return f"<FileOffer of {self.file}>"  # never the key or the name


def offer_of(sealer: FileSealer, file: str, name: str, first: int = 0, replaces: str = "") -> FileOffer:
    """Return the offer of a file that was read to its end.

    Args:
        sealer: The sealer that has read the file.
        file: The id by which the sealed bytes are fetched.
        name: The real name.
        first: The index of the first piece that ``file`` has.
        replaces: The id in the header of an earlier offer that this one replaces.
    """
    return FileOffer(
        file=file,
        name=name,
        size=sealer.head.size,
        sha256=sealer.sha256,
        key=b64(sealer.key),
        head=sealer.head,
        first=first,
        replaces=replaces,
    )


def read_offer(body: dict[str, Any]) -> FileOffer:
    """Return the offer that an encrypted message has as its body, with a name that is safe to show and to use.

    Raises:
        CryptoRefusal: The offer is not valid.
    """
    try:
        offer = msgspec.convert(body, FileOffer)
        if len(unb64(offer.key)) != KEY_BYTES or offer.size != check_head(offer.head).size:
            raise ValueError
    except ValueError:  # which msgspec's error is, too
        raise CryptoRefusal("bad-offer", "the offer of an encrypted file is not valid") from None
    if offer.first >= pieces_of(offer.size):
        raise CryptoRefusal("bad-offer", "the offer of an encrypted file is not valid")
    return msgspec.structs.replace(offer, name=safe_name(offer.name))


class _Kept(Struct, frozen=True):
    """A row: an offer, and its place in the order in which the offers came."""

    number: int
    by_id: str
    offer: FileOffer


class SealedFiles:
    """The offers that are known, each by the file's id and its sender's id: another sender cannot replace it.

    Args:
        rows: Where the offers are kept.
    """

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        found = (_read(rows.get(TABLE, key)) for key in rows.keys(TABLE))
        self._kept = {_key(one.offer.file, one.by_id): one for one in sorted(filter(None, found), key=_number)}
        self._next = max(map(_number, self._kept.values()), default=0) + 1

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, by_id: str, offer: FileOffer) -> bool:
        """Keep an offer; the oldest ones are forgotten if there are too many.

        Args:
            by_id: The user id of the sender, as the encrypted message proves it.
            offer: The offer, from ``read_offer`` or ``offer_of``.

        Returns:
            True if it is new.

        Raises:
            CryptoRefusal: The sender has made another offer with the file's id.
        """
        key = _key(offer.file, by_id)
        known = self._kept.get(key)
        if known is not None:
            if known.offer != offer:
                raise CryptoRefusal("bad-offer", "the file was offered already, with another key or content")
            return False
        one = self._kept[key] = _Kept(self._next, by_id, offer)
        self._next += 1
        self._rows.put(TABLE, key, msgspec.json.encode(one))
        self._bound(by_id)
        return True

    def get(self, file: str, by_id: str) -> FileOffer | None:
        """Return the offer that a sender has made of a file; None if it is not known."""
        one = self._kept.get(_key(file, by_id))
        return one.offer if one is not None else None

    def name_on_server(self, name: str, by_id: str) -> str:
        """Return the random name under which the server has the last file of a sender with this name.

        Args:
            name: The real name.
            by_id: The user id of the sender.

        Returns:
            The name on the server; empty if no such file is known.
        """
        found = (one.offer for one in reversed(self._kept.values()) if one.by_id == by_id and one.offer.name == name)
        return next((offer.head.file for offer in found if offer.file != offer.head.file), "")

    def forget(self, file: str, by_id: str) -> None:
        """Forget an offer, if it is known."""
        if self._kept.pop(_key(file, by_id), None) is not None:
            self._rows.delete(TABLE, _key(file, by_id))

    def _bound(self, by_id: str) -> None:
        """Forget the oldest offers beyond the bounds for a sender and for all."""
        theirs = [one for one in self._kept.values() if one.by_id == by_id]
        for one in theirs[: len(theirs) - MOST_OF_ONE] if len(theirs) > MOST_OF_ONE else []:
            self.forget(one.offer.file, one.by_id)
        while len(self._kept) > MOST:
            oldest = next(iter(self._kept.values()))
            self.forget(oldest.offer.file, oldest.by_id)


def _key(file: str, by_id: str) -> str:
    return f"{file} {by_id}"  # a file's id has no blank: see ``read_offer``


def _number(one: _Kept) -> int:
    return one.number


def _read(value: bytes | None) -> _Kept | None:
    """Return a row; None if it is of a newer version."""
    try:
        return msgspec.json.decode(value or b"", type=_Kept)
    except msgspec.DecodeError:
        return None
