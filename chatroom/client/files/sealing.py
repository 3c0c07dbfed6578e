"""The protocol of what the transfers need of end-to-end encryption: which files are sealed, and the known offers."""

from __future__ import annotations

from typing import Protocol

from chatroom.client.crypto.file_offers import FileOffer


class FileSealing(Protocol):
    """Decides which files are sealed, carries their offers, and knows the offers of others."""

    async def seals(self, room: str, user: str) -> bool:
        """Return whether a file has to be sealed; this is asked again before anything about a file is sent.

        Args:
            room: The name of the room that the file is for.
            user: The name of the person that it is for; if this is not empty, ``room`` does not count.

        Raises:
            Rejected: Nothing may be sent there now, as when that person's key has changed.
        """
        ...

    async def offer(self, room: str, user: str, offer: FileOffer) -> None:
        """Send the offer of a file, encrypted, to those whom the file is for.

        The server has the bytes; or the offer's ``file`` is that of its ``head``, and they come over a direct link.

        This returns when the offer will reach them in any case, also if the connection is lost.

        Raises:
            Rejected: The offer could not be sent.
        """
        ...

    def user_id(self, user: str) -> str:
        """Return the id of the person who was seen last under a name; empty if that is not known."""
        ...

    def note(self, by_id: str, offer: FileOffer) -> None:
        """Remember an offer that we have made; ``by_id`` is our own user id."""

    def find(self, file: str, by_id: str) -> FileOffer | None:
        """Return the offer that a sender has made of a file; None if it is not known."""

    def name_on_server(self, name: str) -> str:
        """Return the random name under which the server has our last sealed file of this name; empty if there is
        none."""
        ...

    def random(self, number: int) -> bytes:
        """Return so many random bytes."""
        ...


class NoFileSealing:
    """The sealing of a client without keys: every file goes as it is."""

    async def seals(self, room: str, user: str) -> bool:
        """Return False."""
        return False

    async def offer(self, room: str, user: str, offer: FileOffer) -> None:
        """Fail: no file is sealed, so there is nothing to offer."""
        raise AssertionError("no file is sealed")

    def user_id(self, user: str) -> str:
        """Return an empty id: a client without keys remembers no user ids."""
        return ""

    def note(self, by_id: str, offer: FileOffer) -> None:
        """Do nothing."""

    def find(self, file: str, by_id: str) -> FileOffer | None:
        """Return None: no offer can be read."""
        return None

    def name_on_server(self, name: str) -> str:
        """Return nothing: no file is sealed."""
        return ""

    def random(self, number: int) -> bytes:
        """Fail: no file is sealed, so no key is made."""
        raise AssertionError("no file is sealed")
