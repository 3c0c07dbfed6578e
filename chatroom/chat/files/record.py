"""The record of a shared file: what it is, who shared it, and who may fetch it. Its bytes are a blob of the same id."""

from __future__ import annotations

import msgspec

from chatroom.chat.bans_and_mutes import address_key
from chatroom.chat.session import Session
from chatroom.model.events import Shared
from chatroom.model.replies import FileLine


class FileRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One shared file, for a room or for one user.

    Args:
        id: The id of the file and of its blob.
        name: The file's name, safe to be shown and to be written.
        size: Bytes.
        sha256: The hash of the bytes, in hex.
        at: When the file was shared, or its upload was last begun; milliseconds since 1970.
        by: The name of the user who shares the file.
        by_id: That user's id.
        owner: The key that a session must have to resume the upload (``owner_of``).
        payer: The key that the file is counted for (``payer_of``).
        log: The log of the room or the inbox that the file is for.
        to: The name of the user to whom the file is given; empty for a room.
        to_id: That user's id.
        number: The number of the file in its log, from the moment when it can be fetched; 0 before.
        whence: The key of the network from which an account sends the file; empty if files are not counted by address.
        sealed: Whether the bytes are encrypted end to end; the name is then a random one.
        node: The daemon on which the upload was begun last; empty if no other daemon shares the files.
    """

    id: str
    name: str
    size: int
    sha256: str
    at: int
    by: str
    by_id: str
    owner: str
    payer: str
    log: str
    to: str = ""
    to_id: str = ""
    number: int = 0
    whence: str = ""
    sealed: bool = False
    node: str = ""

    @property
    def place(self) -> str:
        """The key of the address that the file is counted for; empty in older records of files of accounts."""
        return self.payer if self.payer.startswith("address:") else self.whence

    def is_for(self, session: Session) -> bool:
        """Return whether the session may fetch the file: it is in that room, or its user gave or was given the file."""
        if self.to_id:
            return session.user_id in (self.to_id, self.by_id)
        return session.room_with(self.log) is not None

    def event(self) -> Shared:
        """Return the event that shares the file. Its id is always the same, so that the log stores it once."""
        return Shared(
            f"{self.id}:shared",
            self.at,
            self.by,
            self.by_id,
            file=self.id,
            number=self.number,
            name=self.name,
            size=self.size,
            sha256=self.sha256,
            to=self.to,
            to_id=self.to_id,
            sealed=self.sealed,
        )

    def line(self) -> FileLine:
        """Return the file's line in a list of files."""
        return FileLine(self.id, self.number, self.name, self.size, self.by, self.at, self.by_id, self.sealed)


def owner_of(session: Session) -> str:
    """Return the key by which an owner is known on any connection: the account, or the guest's name."""
    return session.user.keys[0]


def whence_of(session: Session) -> str:
    """Return the key of the address that an account's files also count for; empty for guests, or without throttling."""
    counts = session.user.account is not None and session.host.rules.throttle
    return address_key(session.address) if counts else ""


def payer_of(session: Session) -> str:
    """Return the key that a session's files are counted for: the account, or a guest's address.

    A guest's name would not do, because a guest can take another name in a moment.
    """
    return owner_of(session) if session.user.account is not None else address_key(session.address)
