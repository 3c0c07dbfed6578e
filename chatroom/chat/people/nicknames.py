"""The names in use: each name has one owner, and no two names look alike."""

from __future__ import annotations

from chatroom.chat.interfaces import Mint
from chatroom.chat.limits import USER_CHARACTERS
from chatroom.chat.reserved_names import chosen_name
from chatroom.chat.session import User
from chatroom.model.errors import BAD_NAME, NAME_IN_USE, NO_USER, Refused
from chatroom.model.names import BadName, Name, fold, guest_name, user_looks, user_name


class Nicknames:
    """The names of the users who are online. While a user changes the name, both names are the user's.

    A *look* of a name is a text that is equal for all names that a reader cannot tell apart.
    """

    def __init__(self) -> None:
        self._by_folded: dict[str, User] = {}
        self._by_look: dict[str, User] = {}

    def claim(self, user: User, name: Name) -> None:
        """Reserve a name and its looks for the user.

        Raises:
            Refused: Another user has the name, or a name that looks like it.
        """
        rivals = self.others(user, name)
        for former in [rival for rival in rivals if rival.id == user.id and not rival.online]:
            # The guest is back on a new connection; the old one, which has ended, was still taking the name.
            self._drop(former, name, kept=None)
            rivals.remove(former)
        if user.account is not None:
            # Two accounts were compared when they were made, except those of an older chatroom, which may look alike.
            rivals = {rival for rival in rivals if rival.account is None or rival.handle.folded == name.folded}
        if rivals:
            raise NAME_IN_USE()
        self._by_folded[name.folded] = user
        for look in user_looks(name):
            self._by_look.setdefault(look, user)

    def others(self, user: User | None, name: Name) -> set[User]:
        """Return the other users who have the name, or a name that looks like it."""
        holders = {self._by_folded.get(name.folded), *map(self._by_look.get, user_looks(name))}
        return holders - {user, None}  # type: ignore[return-value]

    def holds(self, user: User, name: Name) -> bool:
        """Return whether the user has, or has claimed, the name and all its looks."""
        looks = map(self._by_look.get, user_looks(name))
        return self._by_folded.get(name.folded) is user and all(holder is user for holder in looks)

    def revoke(self, user: User, name: Name) -> None:
        """Cancel the user's claim to a new name. What the present name shares with the new one stays claimed."""
        self._drop(user, name, kept=user.handle)

    def release(self, user: User, name: Name) -> None:
        """Release a name that the user gives up, except looks that it shares with the present name of a user online."""
        self._drop(user, name, kept=user.handle if user.online else None)

    def _drop(self, user: User, name: Name, kept: Name | None) -> None:
        """Let others take a name that was this user's. What also belongs to the name ``kept`` stays the user's."""
        if self._by_folded.get(name.folded) is user and (kept is None or kept.folded != name.folded):
            del self._by_folded[name.folded]
        needed = user_looks(kept) if kept is not None else ()
        for look in user_looks(name):
            if self._by_look.get(look) is user and look not in needed:
                del self._by_look[look]

    def get(self, name: str) -> User | None:
        """Return the user online with that name; None if there is none."""
        folded = fold(name)
        user = self._by_folded.get(folded)
        # A user who has only claimed the name may still be refused, so no message to that name may go to this user yet.
        return user if user is not None and user.handle.folded == folded else None

    def find(self, name: str) -> User:
        """Return the user online with that name.

        Raises:
            Refused: No user online has the name.
        """
        user = self.get(name)
        if user is None:
            raise no_user(name)
        return user

    def guest(self, mint: Mint) -> Name:
        """Return a free name for a guest who has not chosen a name."""
        for length in (4, 4, 4, 4, 8, 12):
            name = guest_name(mint(length))
            if not self.others(None, name):
                break
        return name


def parse_user_name(text: str) -> Name:
    """Return a text as the name of a user.

    Raises:
        Refused: The text is not a valid user name.
    """
    try:
        return user_name(text)
    except BadName as error:
        raise BAD_NAME(why=error, next="give another name") from None


def parse_chosen_name(text: str, server: str, step: str = "choose another with /name <name>") -> Name:
    """Return the name that a user wants to take.

    Args:
        text: The name as it was given.
        server: The server's name.
        step: What a person should type if the name is bad.

    Raises:
        Refused: The name is not valid, or is reserved.
    """
    try:
        return chosen_name(text, server)
    except BadName as error:
        raise BAD_NAME(why=error, next=step) from None


def no_user(name: str) -> Refused:
    """Return the refusal that there is no user with that name."""
    return NO_USER(user=name[:USER_CHARACTERS])
