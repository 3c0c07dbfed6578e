"""The audit log: one line for each act of moderation or operation, saying who did what, and in which room.

The lines are log events of two namespaces. ``NAMESPACE`` is for acts of operators. ``MEMBERS`` is for acts of members
in their rooms and failed attempts at the operators' console; the number of these lines is limited for each actor.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from chatroom.chat.limits import ACTS_OF_ADDRESS, ACTS_OF_ONE, ACTS_WINDOW
from chatroom.chat.people.throttles import MOST_KEYS, Window
from chatroom.chat.session import Session
from chatroom.model.logger import logger
from chatroom.model.network import network

NAMESPACE = "chatroom.audit"
MEMBERS = "chatroom.audit.members"

_operators = logger(NAMESPACE)
_members = logger(MEMBERS)


def audit(by: str, what: str, where: str = "") -> None:
    """Log an act of an operator.

    Args:
        by: The operator's name.
        what: What was done; never a password, never a message's text.
        where: The room's name; empty if the act was in no room.
    """
    _operators.info("{by} {what}{where}", by=by, what=what, where=_in(where))


class MembersAudit:
    """Logs acts of members and strangers: a limited number in ten minutes for each actor and each address.

    Args:
        seconds: A monotonic clock.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._by_one = Window(ACTS_OF_ONE, ACTS_WINDOW, seconds)
        self._by_address = Window(ACTS_OF_ADDRESS, ACTS_WINDOW, seconds)
        self._left_out: OrderedDict[str, int] = OrderedDict()  # number of acts that were not logged, by actor

    def act(self, session: Session, what: str, where: str) -> None:
        """Log an act in a room: an act of an operator as ``audit`` does, and an act of a member as ``write`` does."""
        if session.user.operator:
            audit(session.name, what, where)
        else:
            actor = session.user.id if session.user.account is not None else ""
            self.write(session.name, what, where, actor=actor, address=session.address)

    def write(self, by: str, what: str, where: str = "", *, actor: str = "", address: str) -> None:
        """Log an act, or only count it if its actor or address has had too many in the last ten minutes.

        Args:
            by: The actor's name.
            what: What was done.
            where: The room's name; empty if the act was in no room.
            actor: The id of the actor's account. Actors without an account count as one actor for each address.
            address: Where the actor's connection comes from.
        """
        place = network(address)
        actor = actor or place
        if self._by_one.wait((actor,)) or self._by_address.wait((place,)):
            self._leave_out(actor, by)
            return
        self._by_one.count((actor,))
        self._by_address.count((place,))
        left_out = self._left_out.pop(actor, 0)
        more = f" ({left_out} acts before this one were only counted)" if left_out else ""
        _members.info("{by} {what}{where}{more}", by=by, what=what, where=_in(where), more=more)

    def _leave_out(self, actor: str, by: str) -> None:
        """Count an act that is not logged; at the first such act of an actor, log that acts are left out."""
        number = self._left_out.pop(actor, 0) + 1
        self._left_out[actor] = number
        if len(self._left_out) > MOST_KEYS:
            self._left_out.popitem(last=False)
        if number == 1:
            _members.warn("{by} does more than is written down; further acts are only counted for a while", by=by)


def _in(where: str) -> str:
    return f" in {where}" if where else ""
