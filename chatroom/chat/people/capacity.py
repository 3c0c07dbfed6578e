"""How many people may be in the chat: there are ``--max-users`` seats, and each guest and each account needs one.

All sessions of an account share one seat. Each account that an operator added or imported has a reserved seat; all
other users share the remaining seats. When these are taken, some sessions may still connect without a seat, only to log
in: while a reserved seat is free, or while an account with a seat may have another session.
"""

from __future__ import annotations

from dataclasses import dataclass

from chatroom.chat.limits import STANDING, Rules
from chatroom.chat.session import Session, User
from chatroom.model.errors import CHAT_FULL, Refused


@dataclass(slots=True)
class _Seat:
    """The seat of an account.

    Args:
        own: Whether it is the account's reserved seat.
        sessions: How many sessions share it.
    """

    own: bool
    sessions: int = 1


class Capacity:
    """Counts the seats, and gives them to users.

    Args:
        rules: The operator's settings; ``most_users`` is the number of seats.

    Attributes:
        reserved: How many accounts have a reserved seat.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.reserved = 0
        self._shared = 0  # guests and accounts on seats that are not reserved
        self._own = 0  # accounts on their reserved seats
        self._standing = 0  # sessions without a seat
        self._accounts: dict[str, _Seat] = {}  # the seats of accounts, by the account's id

    @property
    def free(self) -> bool:
        """Whether a seat that is not reserved is free."""
        most = self._rules.most_users
        return not most or self._shared < most - self.reserved

    @property
    def kept(self) -> bool:
        """Whether a reserved seat is free."""
        return self._own < self.reserved

    def room_to_stand(self, *, person: bool, returning: bool) -> bool:
        """Return whether another session may connect without a seat.

        Args:
            person: Whether a person types on the connection; a person's session has no device.
            returning: Whether it may be a guest who comes back, and gets the seat of the guest's old connection.
        """
        return (returning or self.kept or self._may_share(device=not person)) and self._standing < STANDING

    def within_reach(self, session: Session) -> bool:
        """Return whether a session without a seat may still get one by logging in."""
        return self.kept or self._may_share(device=bool(session.device.name))

    def _may_share(self, *, device: bool) -> bool:
        """Return whether an account that has a seat may have another session, which then shares the seat.

        Args:
            device: Whether that session names its device.
        """
        return bool(self._accounts) and (device or self._rules.sessions != 1)

    def offer(self, session: Session) -> None:
        """Give a seat to a guest's session that has none, if a seat that is not reserved is free now."""
        if not session.seated and self.free:
            self._standing -= 1
            self._shared += 1
            session.seated = True

    def enter(self, session: Session) -> None:
        """Count a new session, which is a guest's; give it a seat if one that is not reserved is free."""
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
        if session.seated and session.user_id == user.id:
            return
        account = user.account
        seat = self._accounts.get(user.id)
        own = account is not None and account.reserved
        if seat is None and not own and not self._frees_shared(session) and not self.free:
            raise self.full()
        self.leave(session)
        session.seated = True
        if seat is not None:
            seat.sessions += 1
        else:
            self._take(user, own)

    def check(self, session: Session) -> None:
        """Check that the session can have a seat that is not reserved, without the other sessions of its user.

        Raises:
            Refused: No such seat is free.
        """
        if not self._frees_shared(session) and not self.free:
            raise self.full()

    def leave(self, session: Session) -> None:
        """Stop counting the session, because it has ended or gets another seat; free the seat if no session is left."""
        if not session.seated:
            self._standing -= 1
            return
        seat = self._accounts.get(session.user_id)
        if seat is None:
            self._shared -= 1
            return
        seat.sessions -= 1
        if not seat.sessions:
            del self._accounts[session.user_id]
            self._count(seat.own, -1)

    def full(self) -> Refused:
        """Return the refusal that there is no free seat."""
        return CHAT_FULL(most=self._rules.most_users)

    def _frees_shared(self, session: Session) -> bool:
        """Return whether a seat that is not reserved becomes free if the session leaves."""
        seat = self._accounts.get(session.user_id)
        return session.seated and (seat is None or (not seat.own and seat.sessions == 1))

    def _take(self, user: User, own: bool) -> None:
        """Count a user who had no seat."""
        if user.account is not None:
            self._accounts[user.id] = _Seat(own)
        self._count(own, 1)

    def _count(self, own: bool, number: int) -> None:
        if own:
            self._own += number
        else:
            self._shared += number
