"""What follows from an event besides that it is shown, such as asking for another name."""

from __future__ import annotations

from chatroom.client.client import Client
from chatroom.client.screen.ignore_list import IgnoreList
from chatroom.client.screen.input import LineInput
from chatroom.client.screen.naming import Naming
from chatroom.client.screen.quiet_questions import QuietQuestions
from chatroom.client.state import WORTHLESS
from chatroom.client.status import Connected, Denied, Notice
from chatroom.model import events as e
from chatroom.model import replies as a


class Consequences:
    """Does what follows from each event.

    Args:
        client: The connection to the server.
        doing: Carries out lines, and remembers the room that was refused.
        ignoring: The users who are ignored.
        naming: Asks for a name.
        quiet: Asks the server.
    """

    def __init__(
        self, client: Client, doing: LineInput, ignoring: IgnoreList, naming: Naming, quiet: QuietQuestions
    ) -> None:
        self._client = client
        self._doing = doing
        self._ignoring = ignoring
        self._naming = naming
        self._quiet = quiet
        self._refused: Denied | None = None  # the server's refusal of our name or login

    def told(self, event: e.Event | Notice) -> None:
        """Do what follows from an event or a notice."""
        if isinstance(event, a.Entered):
            self._doing.refused_room = ""
        if isinstance(event, Connected):
            self._connected(event)
        elif isinstance(event, Denied) and (event.what == "name" or event.code in WORTHLESS):
            self._refused = event
            if self._client.online:
                self._ask_for_a_name()
        elif isinstance(event, Denied) and event.what == "room":
            self._doing.refused_room = event.wanted
        elif isinstance(event, a.Account):
            self._changed_account(event)
        elif isinstance(event, a.Entered) and event.made and not event.created:
            self._quiet.room_made(event.room)

    def _changed_account(self, event: a.Account) -> None:
        """Do what follows from a login, a logout or another name."""
        self._ignoring.changed_user()
        if not (event.guest or isinstance(event, a.Unchanged)):
            self._doing.start(self._doing.join_refused_room())
        if event.operator:
            self._quiet.ask("help", a.Help)  # there are more commands now

    def _connected(self, what: Connected) -> None:
        self._doing.start(self._ignoring.restore())
        if self._refused is not None or (not what.again and what.guest and what.name.startswith("guest-")):
            self._ask_for_a_name()
        if not what.again:
            self._quiet.arrived()

    def _ask_for_a_name(self) -> None:
        """Ask for a name, or for the password of the account whose name or login was refused."""
        refused, self._refused = self._refused, None
        self._doing.start(self._naming.take_a_name(refused))
