"""Which typed lines hold private words, so that the file of typed lines must not have them: it is not encrypted."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol

from chatroom.client.encryption.interface import Privacy
from chatroom.client.screen.parser import CommandLine, LocalLine, Misuse, SayLine, read
from chatroom.client.screen.window_list import WindowKind, Windows

TO_A_PERSON = frozenset({"message", "reply"})
WITH_WORDS = frozenset({"say", "me", "edit", "quote", "search"})  # in a window whose messages may be encrypted
QUERY = "query"


class HasPrivacy(Protocol):
    """The part of a ``Client`` that is needed here."""

    @property
    def privacy(self) -> Privacy: ...
    @property
    def target(self) -> str: ...
    @property
    def inside(self) -> bool: ...
    @property
    def guest(self) -> bool: ...


class PrivateLines:
    """Knows the private lines: messages to a person, and what is said in an encrypted room.

    Args:
        client: Knows which rooms are encrypted.
        windows: The windows; a line is typed in the one in front.
        own: Returns the words of the client's own commands.
    """

    def __init__(self, client: HasPrivacy, windows: Windows, own: Callable[[], Collection[str]]) -> None:
        self._client = client
        self._windows = windows
        self._own = own

    def has(self, line: str) -> bool:
        """Return whether a typed line is private. A line that means nothing is: it may be a mistyped command."""
        person = self._windows.front.kind is WindowKind.PERSON
        try:
            meaning = read(line, self._own(), inside=person or self._client.inside, guest=self._client.guest)
        except Misuse:
            return True
        match meaning:
            case LocalLine(word, rest):
                return word == QUERY and len(rest.split()) > 1
            case CommandLine(row):
                return row.do in TO_A_PERSON or (row.do in WITH_WORDS and self._is_private_here())
            case SayLine():
                return self._is_private_here()
        return False

    def _is_private_here(self) -> bool:
        """Return whether what is said in the window in front is private."""
        front = self._windows.front
        room = front.name if front.kind is WindowKind.ROOM else self._client.target
        return front.kind is WindowKind.PERSON or self._client.privacy.room_encrypted(room)
