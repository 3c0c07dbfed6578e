"""What is kept of one shared file: what it is, whose, and for whom. Its bytes are a blob under the same id."""

from __future__ import annotations

import msgspec

from chatroom.chat.bans_and_mutes import address_key
from chatroom.chat.session import Session
from chatroom.model.events import Shared
from chatroom.model.replies import FileLine


class FileRecord(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """See the module.

    Args:
        id: The file's, and its blob's.
        name: Safe to be shown and written.
        size: In bytes.
        sha256: In hex.
        at: When it was shared, or its upload was last begun; milliseconds since 1970.
        by: Who shares it; ``by_id`` is the user.
        owner: What whoever goes on with its upload must be known by.
        payer: Whom it is counted for: an account; for guests, who have a new name in a moment, where they come from.
        log: Of the room, or the inbox, that it is for.
        to: The person whom it was given; empty for a room. ``to_id`` is the user.
        number: Its name in the log, from when it can be fetched; 0 before.
        whence: The address that an account sends it from, with all of its network; empty if addresses do not count.
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

    @property
    def place(self) -> str:
        """The address that the file counts for; a guest's is the payer, and an old record of an account has none."""
        return self.payer if self.payer.startswith("address:") else self.whence

    def is_for(self, session: Session) -> bool:
        """Whether the session may have it: in the room at this moment; or whose it is, or who gave it."""
        if self.to_id:
            return session.user_id in (self.to_id, self.by_id)
        return session.room is not None and session.room.log == self.log

    def event(self) -> Shared:
        """Return what is told of it; always the same, so that it is told once."""
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
        )

    def line(self) -> FileLine:
        """Return its line in a list."""
        return FileLine(self.id, self.number, self.name, self.size, self.by, self.at)


def owner_of(session: Session) -> str:
    """Return what an owner is known by, also after a new connection: the account, or a guest's name."""
    return session.user.keys[0]


def whence_of(session: Session) -> str:
    """Return the address that an account's files count for as well; empty if addresses do not count."""
    counts = session.user.account is not None and session.host.rules.throttle
    return address_key(session.address) if counts else ""


def payer_of(session: Session) -> str:
    """Return for whom a session's files are counted."""
    return owner_of(session) if session.user.account is not None else address_key(session.address)
