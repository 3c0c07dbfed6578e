"""What the client asks the server by itself, without showing the answers, mostly to learn words for completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from chatroom.client.client import Client
from chatroom.client.errors import Rejected
from chatroom.client.screen.argument_values import argument_at
from chatroom.client.screen.known_words import KnownWords
from chatroom.client.screen.presenter import Presenter
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.suggestions import nearest

FRESH = 10.0  # seconds before the server is asked again who is online


class QuietQuestions:
    """Asks the server.

    Args:
        client: Gives commands to the server.
        hearing: Is told which answers not to show.
        known: The words for completion.
        seconds: Returns the time in seconds.
        say: Shows a sentence.
    """

    def __init__(
        self,
        client: Client,
        hearing: Presenter,
        known: KnownWords,
        seconds: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        self._client = client
        self._hearing = hearing
        self._known = known
        self._seconds = seconds
        self._say = say
        self._asked_who = -FRESH

    def ask(self, do: str, answer: type[e.Event], **fields: Any) -> Deferred[Any]:
        """Give the server a command whose answer is not shown.

        Args:
            do: The command's name.
            answer: The kind of its answer.
            fields: The command's other fields.

        Returns:
            A Deferred that fires with the answer, or with None if the command is refused.
        """
        self._hearing.learn_quietly(answer)

        def failed(failure: Any) -> None:
            failure.trap(Rejected)
            self._hearing.learned(answer)

        return self._client.do(do, **fields).addErrback(failed)

    def arrived(self) -> None:
        """Learn the server's commands, rooms and users."""
        for do, answer in (("help", a.Help), ("rooms", a.Rooms), ("who", a.Users)):
            self.ask(do, answer)

    def typing(self, line: str) -> None:
        """Ask who is online when the user types a command that takes a user's name.

        Args:
            line: What is in the input line.
        """
        command, blank, _ = line.partition(" ")
        wanted = blank and "user" in argument_at(self._known.usage(command), 0)
        if wanted and self._client.online and self._seconds() - self._asked_who >= FRESH:
            self._asked_who = self._seconds()
            self.ask("who", a.Users)

    def room_made(self, room: str) -> None:
        """Tell the user that joining has made a new room, and which existing room may have been meant."""
        self.ask("rooms", a.Rooms).addCallback(self._tell_of, room)

    def _tell_of(self, rooms: a.Rooms | None, room: str) -> None:
        near = nearest(room, [line.room for line in rooms.rooms]) if rooms is not None else None
        meant = f" Did you mean {near}? Type /join {near}." if near else ""
        self._say(f"there was no room {room}, so you have created it.{meant}")
