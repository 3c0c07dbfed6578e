"""The client's own commands: their words, their help, and what they do. (File commands: ``client.files``.)

A setting's command without arguments shows the setting, and says whether the client or the server keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from chatroom.client.screen.bell import RINGS, Bell, Ring
from chatroom.client.screen.formatter import Formatter
from chatroom.client.screen.ignore_list import IgnoreList
from chatroom.client.screen.parser import Misuse
from chatroom.client.screen.presenter import Filter
from chatroom.model.names import fold

MOST = 200  # users in focus, whose messages alone are shown


@dataclass(frozen=True, slots=True)
class LocalCommand:
    """One of the client's own commands.

    Args:
        usage: How the command is typed.
        help: What the command does, in a few words.
        run: Runs the command, given the text after it. Raises ``Misuse``.
        topic: The server's topic under which ``/help`` shows the command; empty for the client's own topic.
        lines: The ways to type it, each with what it does; empty if the usage says enough.
    """

    usage: str
    help: str
    run: Callable[[str], None]
    topic: str = ""
    lines: tuple[tuple[str, str], ...] = ()

    @property
    def word(self) -> str:
        """The word after the slash."""
        return self.usage.partition(" ")[0].removeprefix("/")


@dataclass(frozen=True, slots=True)
class LocalCommands:
    """All of the client's own commands, with what they change.

    Args:
        say: Shows a sentence.
        clear: Clears the screen.
        leave: Ends the client.
        bell: Rings the terminal's bell.
        lines: Makes the lines, with or without their times.
        filter: Hides the messages of some users.
        ignoring: The users who are ignored.
        start: Starts a coroutine, and shows its error.
        give: Gives the server a command; its answer is shown.
        find: Checks that a user with a name exists; raises ``Rejected`` if not.
    """

    say: Callable[[str], None]
    clear: Callable[[], None]
    leave: Callable[[], None]
    bell: Bell
    lines: Formatter
    filter: Filter
    ignoring: IgnoreList
    start: Callable[[Coroutine[Any, Any, None]], None]
    give: Callable[..., Coroutine[Any, Any, None]]
    find: Callable[[str], Coroutine[Any, Any, None]]

    def commands(self) -> list[LocalCommand]:
        """Return all of the client's own commands except ``/help`` and the file commands."""
        bell = "ring never, for private messages and your name, or for all messages; alone, it shows the setting"
        stamps = "show or hide the time before each line; alone, it shows the setting"
        ignore = "hide a user's messages; off shows them again; alone, it lists the hidden users"
        focus = "see only these people's messages; off shows everybody; alone, it shows the setting"
        return [
            LocalCommand("/clear", "clear the screen", self._clear),
            LocalCommand("/quit", "leave the chat; Ctrl-D, or Ctrl-C twice, does the same", self._quit, "end"),
            LocalCommand("/exit", "the same as /quit", self._quit, "end"),
            LocalCommand(
                "/set", "show all settings, those of the server and those of this client", self._set, "settings"
            ),
            LocalCommand("/bell [off|private|all]", bell, self._bell, "settings"),
            LocalCommand("/timestamps [on|off]", stamps, self._timestamps, "settings"),
            LocalCommand("/ignore [user] [on|off]", ignore, self._ignore, "people"),
            LocalCommand("/focus [user ...|off]", focus, self._focus, "settings"),
        ]

    def _clear(self, rest: str) -> None:
        self.clear()

    def _quit(self, rest: str) -> None:
        self.leave()

    def _set(self, rest: str) -> None:
        if rest:
            raise Misuse("usage: /set.")
        self.start(self._settings())

    async def _settings(self) -> None:
        """Show the server's settings, and then the client's own."""
        try:
            await self.give("set")
        finally:
            settings = (self._bell_now(), self._timestamps_now(), self._focus_now())
            self.say("\n".join(["this client keeps until you quit:", *(f"  {setting}." for setting in settings)]))

    def _bell(self, rest: str) -> None:
        if rest and rest.lower() not in RINGS:
            raise Misuse("usage: /bell [off|private|all].")
        rings: dict[str, Ring] = {"off": "off", "private": "private", "all": "all"}
        self.bell.mode = rings[rest.lower()] if rest else self.bell.mode
        self._tell(self._bell_now())

    def _bell_now(self) -> str:
        when = {
            "off": "is off",
            "private": "rings for private messages and your name",
            "all": "rings for every message",
        }
        return f"the bell {when[self.bell.mode]}"

    def _timestamps(self, rest: str) -> None:
        if rest.lower() not in ("", "on", "off"):
            raise Misuse("usage: /timestamps [on|off].")
        self.lines.stamps = rest.lower() == "on" if rest else self.lines.stamps
        self._tell(self._timestamps_now())

    def _timestamps_now(self) -> str:
        return f"timestamps are {'on' if self.lines.stamps else 'off'}"

    def _ignore(self, rest: str) -> None:
        """Ask the server to change or show its list of ignored users; ``off`` also forgets a name that only we hide."""
        name, _, switch = rest.partition(" ")
        switch = switch.strip().lower()
        if switch not in ("", "on", "off"):
            raise Misuse("usage: /ignore [user] [on|off].")
        if switch == "off":
            self.ignoring.forget(name)
        self.start(self.give("ignore", **({"user": name, "on": switch != "off"} if name else {})))

    def _focus(self, rest: str) -> None:
        names = rest.split()
        switches = [name.lower() for name in names if name.lower() in ("on", "off")]
        if switches and (len(names) > 1 or switches == ["on"]):
            raise Misuse("usage: /focus [user ...|off].")
        if switches:
            self.filter.focus.clear()
        if switches or not names:
            self._tell(self._focus_now())
        else:
            self.start(self._focus_on(names))

    async def _focus_on(self, names: list[str]) -> None:
        """Add users to those whose messages are shown, if users with all these names exist.

        Raises:
            Misuse: There are too many names.
            Rejected: One of the users does not exist; then nothing changes.
        """
        folded = {fold(name): name for name in names}
        if len(self.filter.focus | folded.keys()) > MOST:
            raise Misuse(f"that is more than {MOST} names; take some off first.")
        for name in folded.values():
            await self.find(name)
        self.filter.focus |= folded.keys()
        self._tell(self._focus_now())

    def _focus_now(self) -> str:
        names = ", ".join(sorted(self.filter.focus))
        return f"you see only messages from {names}; /focus off ends it" if names else "you see everybody"

    def _tell(self, setting: str) -> None:
        """Show a setting, with the hint that the client keeps it."""
        self.say(f"{setting} (this client keeps this until you quit).")
