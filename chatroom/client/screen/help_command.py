"""The client's ``/help``: it explains the client's own commands, and asks the server about the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chatroom.client.screen.known_words import OWN_TOPICS, KnownWords
from chatroom.client.screen.local_commands import LocalCommand
from chatroom.model import replies as a
from chatroom.model.commands import TABLE

USAGE = "/help [command]"
HELP = "explain the commands, or one of them"


class HelpCommand:
    """Carries out ``/help``.

    Args:
        known: The words for completion; they have the client's own commands.
        say: Shows a sentence.
        show: Shows an answer.
        ask: Gives the server the command ``help`` with these fields; its answer is shown.
    """

    def __init__(
        self,
        known: KnownWords,
        say: Callable[[str], None],
        show: Callable[[a.Help], None],
        ask: Callable[..., None],
    ) -> None:
        self._known = known
        self._say = say
        self._show = show
        self._ask = ask
        self._own: Mapping[str, LocalCommand] = {}

    def command(self) -> LocalCommand:
        """Return ``/help`` as one of the client's own commands."""
        return LocalCommand(USAGE, HELP, self.run, "end")

    def learn(self, own: Mapping[str, LocalCommand]) -> None:
        """Offer the commands that the client knows for completion; the server's help replaces its commands later.

        Args:
            own: The client's own commands, by word.
        """
        self._own, known = own, self._known
        for row in (row for row in TABLE if row.slash):
            known.add_command(row.usage, "")
            for word in row.slash:
                known.add_usage(word, "" if row.secret else row.usage)
        for command in own.values():
            known.add_usage(command.word, command.usage)
            known.add_command(command.usage, command.help)
            known.own.append(a.HelpLine(command.usage, command.help))
            known.topics[f"/{command.word}"] = command.topic

    def run(self, rest: str) -> None:
        """Explain one of the client's own commands, or ask the server to explain its commands."""
        command = self._own.get(rest.removeprefix("/").lower())
        if command is not None:
            self._say("\n".join([f"{command.usage}: {command.help}.", *_ways(command)]))
        elif rest.lower() in OWN_TOPICS:
            self._show(self._known.own_help(rest.lower()))
        else:
            self._ask(**({"command": rest} if rest else {}))


def _ways(command: LocalCommand) -> list[str]:
    """Return a line for each way to type a command."""
    width = max((len(typed) for typed, _ in command.lines), default=0)
    return [f"  {typed:<{width}}  {does}" for typed, does in command.lines]
