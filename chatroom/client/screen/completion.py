"""What Tab offers: commands with what they do, names, rooms; each where it makes sense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from chatroom.answers import Help, HelpLine
from chatroom.names import fold
from chatroom.text import clean

MOST = 500  # commands, rooms, and people elsewhere, remembered
_ROOMS_AFTER = ("/join", "/create")
_COMMANDS_AFTER = ("/help",)
_USERS_AFTER = (
    "/msg", "/message", "/ignore", "/kick", "/ban", "/unban", "/mute", "/unmute", "/op", "/deop", "/owner", "/invite",
    "/delete", "/focus",
)  # fmt: skip


@dataclass
class Known:
    """What there is to complete.

    Args:
        users: Returns who is in the room.
        own: The client's own commands.
    """

    users: Callable[[], list[str]]
    own: list[HelpLine] = field(default_factory=list)
    _commands: dict[str, str] = field(default_factory=dict)
    _rooms: dict[str, None] = field(default_factory=dict)
    _people: dict[str, None] = field(default_factory=dict)

    def with_own(self, help: Help) -> Help:
        """Return the server's help with the client's own commands, and without what cannot be typed here."""
        own = {_word(line.usage) for line in self.own}
        theirs = [line for line in help.commands if line.usage.startswith("/") and _word(line.usage) not in own]
        return Help([*theirs, *self.own])

    def add_command(self, usage: str, help: str) -> None:
        """Learn a command, as ``/join <room>``, and what it does."""
        word = _word(clean(usage))
        if word.startswith("/") and len(self._commands) < MOST:
            self._commands[word] = clean(help)

    def learn(self, help: Help) -> None:
        """Learn commands of the server; what it does not explain among them all is not for us."""
        if len(help.commands) > 1:
            self._commands = {word: what for word, what in self._commands.items() if what}
        for line in help.commands:
            self.add_command(line.usage, line.help)

    def add_rooms(self, rooms: Iterable[str]) -> None:
        """Learn rooms; the oldest are forgotten when they are too many."""
        _learn(self._rooms, rooms)

    def add_people(self, names: Iterable[str]) -> None:
        """Learn who there is, wherever; as with rooms."""
        _learn(self._people, names)

    @property
    def commands(self) -> dict[str, str]:
        """What each command does."""
        return dict(sorted(self._commands.items()))

    @property
    def rooms(self) -> list[str]:
        """The rooms that were heard of."""
        return sorted(self._rooms, key=fold)

    @property
    def people(self) -> list[str]:
        """Who is in the room, or was heard of elsewhere."""
        return [*self.users(), *self._people]


class ChatCompleter(Completer):
    """Offers what the line up to the cursor may go on with.

    Args:
        known: What there is.
    """

    def __init__(self, known: Known) -> None:
        self._known = known
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """See ``Completer``."""
        line = document.text_before_cursor
        if line.startswith("/") and " " not in line:
            yield from self._commands(line)
            return
        if complete_event.text_inserted:
            return  # it was asked for while a command was being typed, whose arguments are offered only at Tab
        if line.startswith("/send ") and "\0" not in line:  # looking at a path with a NUL is an error
            path = line.removeprefix("/send ").lstrip()
            yield from map(_path, self._paths.get_completions(Document(path), complete_event))
        before, _, word = line.rpartition(" ")
        first, only = before.partition(" ")[0].lower(), " " not in before
        if first in _COMMANDS_AFTER and only:
            yield from (_whole(name[1:], word) for name in self._known.commands if _fits(name[1:], word))
        elif first in _ROOMS_AFTER and only:
            yield from (_whole(room, word) for room in self._known.rooms if _fits(room, word))
        elif first in _USERS_AFTER and only:
            yield from self._users(self._known.people, word, " ")
        elif word:
            yield from self._users(self._known.users(), word, ": " if not before else " ")

    def _commands(self, line: str) -> Iterator[Completion]:
        for word, help in self._known.commands.items():
            if word.startswith(line.lower()):
                yield Completion(f"{word} ", -len(line), display=word, display_meta=help)

    def _users(self, names: list[str], word: str, after: str) -> Iterator[Completion]:
        for name in sorted(set(names), key=fold):
            if _fits(name, word):
                yield Completion(clean(name) + after, -len(word), display=clean(name))


def _learn(known: dict[str, None], names: Iterable[str]) -> None:
    """Add names, as the newest; the oldest are forgotten."""
    for name in names:
        known.pop(name, None)
        known[name] = None
    while len(known) > MOST:
        del known[next(iter(known))]


def _path(found: Completion) -> Completion:
    """Return it with a folder's slash, after which one may go on; it is only shown otherwise."""
    slash = "/" if found.display_text.endswith("/") else ""
    return Completion(found.text + slash, found.start_position, found.display)


def _word(usage: str) -> str:
    """Return ``/account delete`` of ``/account delete <password>``."""
    return usage.partition("<")[0].partition("[")[0].strip()


def _fits(name: str, word: str) -> bool:
    return fold(name).startswith(fold(word))


def _whole(name: str, word: str) -> Completion:
    return Completion(f"{clean(name)} ", -len(word), display=clean(name))
