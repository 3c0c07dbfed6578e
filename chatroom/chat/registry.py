"""Which names are in use: one holder a name, and nobody may look like somebody else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chatroom.chat.limits import USER_CHARACTERS
from chatroom.chat.refusals import BAD_NAME, NAME_IN_USE, NO_USER
from chatroom.names import BadName, Name, guest_name, user_name

if TYPE_CHECKING:
    from chatroom.chat.interfaces import Mint
    from chatroom.chat.session import Session


class Registry:
    """The names of this server's sessions. A session may hold two while it changes from one to the other."""

    def __init__(self) -> None:
        self._by_folded: dict[str, Session] = {}
        self._by_look: dict[str, Session] = {}

    def claim(self, session: Session, name: Name) -> None:
        """Take a name for the session.

        Raises:
            Refused: Somebody else has it, or one that looks like it.
        """
        for holder in (self._by_folded.get(name.folded), self._by_look.get(name.look)):
            if holder is not None and holder is not session:
                raise NAME_IN_USE()
        self._by_folded[name.folded] = session
        self._by_look[name.look] = session

    def release(self, session: Session, name: Name) -> None:
        """Give a name back, except for what the session's present name needs of it."""
        kept = None if session.over else session.handle
        if self._by_folded.get(name.folded) is session and (kept is None or kept.folded != name.folded):
            del self._by_folded[name.folded]
        if self._by_look.get(name.look) is session and (kept is None or kept.look != name.look):
            del self._by_look[name.look]

    def find(self, name: str) -> Session:
        """Return who is called so.

        Raises:
            Refused: Nobody is.
        """
        try:
            session = self._by_folded.get(user_name(name).folded)
        except BadName:
            session = self._by_folded.get(name.casefold())  # guest-k3f9 is a name that nobody may choose
        if session is None:
            raise NO_USER(user=name[:USER_CHARACTERS])
        return session

    def guest(self, session: Session, mint: Mint) -> Name:
        """Claim and return a name for somebody who has not chosen one."""
        for length in (4, 4, 4, 4, 8, 12):
            name = guest_name(mint(length))
            if name.folded not in self._by_folded and name.look not in self._by_look:
                break
        self.claim(session, name)
        return name


def parse_user_name(text: str) -> Name:
    """Return the name.

    Raises:
        Refused: It is not one that a user may have.
    """
    try:
        return user_name(text)
    except BadName as error:
        raise BAD_NAME(why=error) from None
