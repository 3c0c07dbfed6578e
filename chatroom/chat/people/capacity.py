"""Who has a place: each account that the operator made has one kept for it; everybody else shares what is left.

Whom there is no seat for may stand for a moment while a kept one waits: its owner has to come in to be known.
"""

from __future__ import annotations

from chatroom.chat.limits import STANDING, Rules
from chatroom.chat.session import Session, User
from chatroom.model.errors import CHAT_FULL, Refused


class Capacity:
    """See the module.

    Args:
        rules: Say how many seats there are.

    Attributes:
        reserved: Accounts that a seat is kept for.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.reserved = 0
        self._shared = 0  # sessions on seats that are nobody's own
        self._standing = 0
        self._own: dict[str, Session] = {}  # sessions on their account's own seat, by the account's id

    @property
    def free(self) -> bool:
        """Whether there is a seat for anybody."""
        most = self._rules.most_users
        return not most or self._shared < most - self.reserved

    @property
    def kept(self) -> bool:
        """Whether a reserved seat waits for its owner."""
        return len(self._own) < self.reserved

    def room_to_stand(self, *, returning: bool) -> bool:
        """Return whether somebody without a seat may come in: to log in, or ``returning`` to a seat held by a ghost."""
        return (returning or self.kept) and self._standing < STANDING

    def offer(self, session: Session) -> None:
        """Let somebody who stands sit down if there is a seat now."""
        if not session.seated and self.free:
            self._standing -= 1
            self._shared += 1
            session.seated = True

    def enter(self, session: Session) -> None:
        """Somebody comes, and sits if there is a seat."""
        if self.free:
            self._shared += 1
        else:
            self._standing += 1
            session.seated = False

    def change(self, session: Session, user: User) -> None:
        """Give the session a seat as one of the user's, for the one it has, if any.

        Raises:
            Refused: There is none; it stays as it was.
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
        """See whether the session could have a seat that is nobody's own.

        Raises:
            Refused: There is none.
        """
        if self._own.get(session.user_id) is session and not self.free:
            raise self.full()

    def leave(self, session: Session) -> None:
        """The session is over, or about to have another seat."""
        if not session.seated:
            self._standing -= 1
        elif self._own.get(session.user_id) is session:
            del self._own[session.user_id]
        else:
            self._shared -= 1

    def full(self) -> Refused:
        """Return what is said to whom there is no seat for."""
        return CHAT_FULL(most=self._rules.most_users)
