"""Completion with Tab: commands with their help, and the possible values of arguments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from chatroom.client.screen.argument_values import FREE, argument_at, words_of
from chatroom.client.screen.known_words import KnownWords
from chatroom.model.names import fold
from chatroom.model.text import clean

OF_WINDOWS = ("/window", "/close-window")


class ChatCompleter(Completer):
    """Offers completions of the line up to the cursor.

    Args:
        known: The words to complete.
    """

    def __init__(self, known: KnownWords) -> None:
        self._known = known
        self._paths = PathCompleter(expanduser=True)

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """See ``Completer``."""
        line = document.text_before_cursor
        command = line.startswith("/") and not line.startswith("//")
        if command and " " not in line:
            yield from self._commands(line)
        elif complete_event.text_inserted:
            return  # the user typed text; arguments are offered only when Tab is pressed
        elif command:
            yield from self._arguments(line, complete_event)
        else:
            before, _, word = line.rpartition(" ")
            yield from self._mentions(word, ": " if not before.strip() else " ")

    def _commands(self, line: str) -> Iterator[Completion]:
        for word, help in self._known.commands.items():
            if word.startswith(line.lower()):
                yield Completion(f"{word} ", -len(line), display=word, display_meta=help)

    def _arguments(self, line: str, event: CompleteEvent) -> Iterator[Completion]:
        """Offer values of the argument at the cursor; the command may have two words, as ``/account delete``."""
        before, _, word = line.rpartition(" ")
        given = before.split()
        if len(given) == 1:
            yield from _offered(self._known.seconds(given[0]), word)
        two = self._known.usage(" ".join(given[:2])) if len(given) > 1 else ""
        kinds = argument_at(two or self._known.usage(given[0]), len(given) - (2 if two else 1))
        yield from _offered(words_of(kinds), word)
        if given[0].lower() in OF_WINDOWS and len(given) == 1:
            yield from _offered(self._known.windows(), word)
        for kind in kinds:
            if kind in FREE:
                yield from self._mentions(word, " ")
            elif kind == "path" and given[0].lower() != "/send":
                yield from self._files(word, event)
            else:
                yield from _offered(self._names(kind), word)
        if given[0].lower() == "/send":
            if len(given) > 2 and word:
                yield from _offered(self._names("user"), word)
            yield from self._files(line[len("/send") :].lstrip(), event)  # a path may have blanks

    def _names(self, kind: str) -> Iterable[str]:
        """Return the known names of a kind of argument: users, rooms or commands."""
        known = self._known
        if kind == "user":
            return sorted(set(known.people), key=fold)
        if kind == "room":
            return known.rooms
        return (command.removeprefix("/") for command in known.commands) if kind == "command" else ()

    def _files(self, path: str, event: CompleteEvent) -> Iterator[Completion]:
        if "\0" not in path:  # looking at a path with a NUL is an error
            yield from map(_path, self._paths.get_completions(Document(path), event))

    def _mentions(self, word: str, after: str) -> Iterator[Completion]:
        """Offer the people of the room whose names begin with the word, with or without ``@`` before it."""
        at = "@" if word.startswith("@") else ""
        if word:
            yield from _offered(sorted(set(self._known.users()), key=fold), word, at, " " if at else after)


def _offered(names: Iterable[str], word: str, before: str = "", after: str = " ") -> Iterator[Completion]:
    """Yield a completion for each name that begins with the word, with ``before`` and ``after`` around the name."""
    begun = fold(word.removeprefix(before))
    for name in names:
        if fold(name).startswith(begun):
            yield Completion(f"{before}{clean(name)}{after}", -len(word), display=clean(f"{before}{name}"))


def _path(found: Completion) -> Completion:
    """Return a path completion that inserts the slash after a folder, so that the user can go on typing."""
    slash = "/" if found.display_text.endswith("/") else ""
    return Completion(found.text + slash, found.start_position, found.display)
