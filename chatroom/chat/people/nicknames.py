"""Which names are in use: one holder a name, and nobody may look like somebody else."""

from __future__ import annotations

from chatroom.chat.interfaces import Mint
from chatroom.chat.limits import USER_CHARACTERS
from chatroom.chat.reserved_names import chosen_name
from chatroom.chat.session import User
from chatroom.model.errors import BAD_NAME, NAME_IN_USE, NO_USER, Refused
from chatroom.model.names import BadName, Name, fold, guest_name, user_looks, user_name


class Nicknames:
    """The names of this server's users. A user may hold two while one is changed for the other."""

    def __init__(self) -> None:
        self._by_folded: dict[str, User] = {}
        self._by_look: dict[str, User] = {}

    def claim(self, user: User, name: Name) -> None:
        """Take a name for the user.

        Raises:
            Refused: Somebody else has it, or one that looks like it.
        """
        rivals = self.others(user, name)
        if user.account is not None:
            # Accounts are told apart by their records, and two that are older than these may look alike.
            rivals = {rival for rival in rivals if rival.account is None or rival.handle.folded == name.folded}
        if rivals:
            raise NAME_IN_USE()
        self._by_folded[name.folded] = user
        for look in user_looks(name):
            self._by_look.setdefault(look, user)

    def others(self, user: User | None, name: Name) -> set[User]:
        """Return the other users that have the name, or one that looks like it."""
        holders = {self._by_folded.get(name.folded), *map(self._by_look.get, user_looks(name))}
        return holders - {user, None}  # type: ignore[return-value]

    def holds(self, user: User, name: Name) -> bool:
        """Return whether the name is the user's, or claimed by it."""
        looks = map(self._by_look.get, user_looks(name))
        return self._by_folded.get(name.folded) is user and all(holder is user for holder in looks)

    def revoke(self, user: User, name: Name) -> None:
        """Take back what the user has claimed of a name, or of one that looks like it, but is not called yet."""
        self._drop(user, name, kept=user.handle)

    def release(self, user: User, name: Name) -> None:
        """Give a name back, except for what the user's present name needs of it."""
        self._drop(user, name, kept=user.handle if user.online else None)

    def _drop(self, user: User, name: Name, kept: Name | None) -> None:
        """Remove what the user holds of a name and what ``kept``, if given, does not need."""
        if self._by_folded.get(name.folded) is user and (kept is None or kept.folded != name.folded):
            del self._by_folded[name.folded]
        needed = user_looks(kept) if kept is not None else ()
        for look in user_looks(name):
            if self._by_look.get(look) is user and look not in needed:
                del self._by_look[look]

    def get(self, name: str) -> User | None:
        """Return who is called so."""
        folded = fold(name)
        user = self._by_folded.get(folded)
        # Who has only claimed it is not called so yet, and may not be let: nothing that is for the name goes there.
        return user if user is not None and user.handle.folded == folded else None

    def find(self, name: str) -> User:
        """Return who is called so.

        Raises:
            Refused: Nobody is.
        """
        user = self.get(name)
        if user is None:
            raise no_user(name)
        return user

    def guest(self, mint: Mint) -> Name:
        """Return a name for somebody who has not chosen one; nobody has it, or one like it."""
        for length in (4, 4, 4, 4, 8, 12):
            name = guest_name(mint(length))
            if not self.others(None, name):
                break
        return name


def parse_user_name(text: str) -> Name:
    """Return the name.

    Raises:
        Refused: It is not one that a user may have.
    """
    try:
        return user_name(text)
    except BadName as error:
        raise BAD_NAME(why=error, next="give another name") from None


def parse_chosen_name(text: str, server: str, step: str = "choose another with /name <name>") -> Name:
    """Return a name that somebody wants to have.

    Args:
        text: What was given.
        server: What the server calls itself.
        step: What to do next if the name is bad, for people.

    Raises:
        Refused: A user may not have it, or may not choose it.
    """
    try:
        return chosen_name(text, server)
    except BadName as error:
        raise BAD_NAME(why=error, next=step) from None


def no_user(name: str) -> Refused:
    """Return the refusal that says that nobody is called so."""
    return NO_USER(user=name[:USER_CHARACTERS])
