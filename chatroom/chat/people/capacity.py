"""How many sessions may be in the chat: there are ``--max-users`` seats, and each session needs one.

Each account that an operator added or imported has a reserved seat, for one session; all other sessions share the
remaining seats. While a reserved seat is free, some sessions without a seat may connect, only to log in: one of them
may be the owner of that seat.
"""

from __future__ import annotations

from chatroom.chat.limits import STANDING, Rules
from chatroom.chat.session import Session, User
from chatroom.model.errors import CHAT_FULL, Refused


class Capacity:
    """Counts the seats, and gives them to sessions.

    Args:
        rules: The operator's settings; ``most_users`` is the number of seats.

    Attributes:
        reserved: How many accounts have a reserved seat.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.reserved = 0
        self._shared = 0  # sessions on seats that are not reserved
        self._standing = 0  # sessions without a seat
        self._own: dict[str, Session] = {}  # sessions on the reserved seat of their account, by the account's id

    @property
    def free(self) -> bool:
        """Whether a seat that is not reserved is free."""
        most = self._rules.most_users
        return not most or self._shared < most - self.reserved

    @property
    def kept(self) -> bool:
        """Whether a reserved seat is free."""
        return len(self._own) < self.reserved

    def room_to_stand(self, *, returning: bool) -> bool:
        """Return whether another session may connect without a seat.

        Args:
            returning: Whether it may be a guest who comes back, and gets the seat of the guest's old connection.
        """
        return (returning or self.kept) and self._standing < STANDING

    def offer(self, session: Session) -> None:
        """Give a seat to a session that has none, if a seat that is not reserved is free now."""
        if not session.seated and self.free:
            self._standing -= 1
            self._shared += 1
            session.seated = True

    def enter(self, session: Session) -> None:
        """Count a new session; give it a seat if one that is not reserved is free."""
        if self.free:
            self._shared += 1
        else:
            self._standing += 1
            session.seated = False

    def change(self, session: Session, user: User) -> None:
        """Give the session a seat as a session of that user, in exchange for its present seat, if it has one.

        Raises:
            Refused: No seat is free; nothing changes.
        """
        account = user.account
        own = account is not None and account.reserved and account.id not in self._own
        has_shared = session.seated and self._own.get(session.user_id) is not session
        if not own and not has_shared and not self.free:
            raise self.full()
        self.leave(session)
        session.seated = True
        if own:
            self._own[user.id] = session
        else:
            self._shared += 1

    def check(self, session: Session) -> None:
        """Check that the session has, or can get, a seat that is not reserved.

        Raises:
            Refused: No such seat is free.
        """
        if self._own.get(session.user_id) is session and not self.free:
            raise self.full()

    def leave(self, session: Session) -> None:
        """Free the session's seat, because the session has ended or gets another seat."""
        if not session.seated:
            self._standing -= 1
        elif self._own.get(session.user_id) is session:
            del self._own[session.user_id]
        else:
            self._shared -= 1

    def full(self) -> Refused:
        """Return the refusal that there is no free seat."""
        return CHAT_FULL(most=self._rules.most_users)
