"""The client's own commands: what they are called, what they do, and doing it. (Those of files: ``client.files``.)"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chatroom.client.screen.bell import RINGS, Bell, Ring
from chatroom.client.screen.hearing import Filter
from chatroom.client.screen.lines import Lines
from chatroom.client.screen.typed import Misuse
from chatroom.names import fold

MOST = 200  # names ignored, or in focus


@dataclass(frozen=True, slots=True)
class OwnCommand:
    """One command.

    Args:
        usage: How it is typed.
        help: What it does, in a few words.
        run: Does it; given what was typed after it. Raises ``Misuse``.
    """

    usage: str
    help: str
    run: Callable[[str], None]

    @property
    def word(self) -> str:
        """What stands after the slash."""
        return self.usage.partition(" ")[0].removeprefix("/")


@dataclass(frozen=True, slots=True)
class Own:
    """What they work on.

    Args:
        say: Shows a sentence.
        clear: Clears the screen.
        leave: Ends the client.
        bell: Rings.
        lines: Show times.
        filter: Hides people.
    """

    say: Callable[[str], None]
    clear: Callable[[], None]
    leave: Callable[[], None]
    bell: Bell
    lines: Lines
    filter: Filter

    def commands(self) -> list[OwnCommand]:
        """Return them."""
        return [
            OwnCommand("/clear", "clear the screen", self._clear),
            OwnCommand("/quit", "leave; so do Ctrl-D, and Ctrl-C twice", self._quit),
            OwnCommand("/exit", "the same as /quit", self._quit),
            OwnCommand("/bell [off|private|all]", "ring never, for what is meant for you, or for all", self._bell),
            OwnCommand("/timestamps [on|off]", "see the time before each line, or not", self._timestamps),
            OwnCommand("/ignore [user] [on|off]", "see nothing of somebody; off: again; alone: whom", self._ignore),
            OwnCommand("/focus [user ...|off]", "see only what these say; off: everybody; alone: whom", self._focus),
        ]

    def _clear(self, rest: str) -> None:
        self.clear()

    def _quit(self, rest: str) -> None:
        self.leave()

    def _bell(self, rest: str) -> None:
        if rest and rest.lower() not in RINGS:
            raise Misuse("usage: /bell [off|private|all].")
        rings: dict[str, Ring] = {"off": "off", "private": "private", "all": "all"}
        self.bell.mode = rings[rest.lower()] if rest else self.bell.mode
        what = {"off": "never", "private": "for private messages and your name", "all": "for every message"}
        self.say(f"the bell rings {what[self.bell.mode]}.")

    def _timestamps(self, rest: str) -> None:
        if rest.lower() not in ("", "on", "off"):
            raise Misuse("usage: /timestamps [on|off].")
        self.lines.stamps = rest.lower() == "on" if rest else not self.lines.stamps
        self.say(f"timestamps are {'on' if self.lines.stamps else 'off'}.")

    def _ignore(self, rest: str) -> None:
        name, _, switch = rest.partition(" ")
        if switch.lower() not in ("", "on", "off"):
            raise Misuse("usage: /ignore [user] [on|off].")
        ignored = self.filter.ignored
        if name and switch.lower() == "off":
            ignored.discard(fold(name))
        elif name:
            _bounded(ignored, {fold(name)})
        self.say(f"you ignore {', '.join(sorted(ignored)) or 'nobody'}.")

    def _focus(self, rest: str) -> None:
        names = {fold(name) for name in rest.split()}
        focus = self.filter.focus
        if names == {"off"}:
            focus.clear()
        else:
            _bounded(focus, names)
        self.say(f"you see only {', '.join(sorted(focus))}; /focus off ends it." if focus else "you see everybody.")


def _bounded(names: set[str], more: set[str]) -> None:
    if len(names | more) > MOST:
        raise Misuse(f"that is more than {MOST} names; take some off first.")
    names |= more
