"""The commands for encryption on the screen, and what they show: the digits of ``/verify`` beside their QR code."""

from __future__ import annotations

import textwrap
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any

from prompt_toolkit.data_structures import Size

from chatroom.client.encryption.commands import USAGES, WAYS, EncryptionCommands
from chatroom.client.encryption.dialogue import Dialogue, in_rows, in_words
from chatroom.client.encryption.interface import Privacy, UserEncryption, Verification
from chatroom.client.encryption.square_code import square_code
from chatroom.client.errors import Rejected
from chatroom.client.screen.colours import LOUD, NOTICE
from chatroom.client.screen.formatter import Line
from chatroom.client.screen.known_words import PRIVACY_TOPIC
from chatroom.client.screen.local_commands import LocalCommand
from chatroom.client.screen.questions import Cancelled

CODE = "#ffffff bg:#000000"  # light modules are blocks
GROUPS = 4  # groups of five digits in a row beside the code
GAP = "  "
BELOW = 2  # rows of the input line and the bar
NARROWEST = 6 * GROUPS - 1  # columns beside the code


class EncryptionView:
    """Carries out the commands for encryption on the screen.

    Args:
        privacy: What encrypts messages.
        say: Shows a sentence, or several lines.
        add: Shows a line as it is.
        ask: Asks a question.
        size: Returns the size of the terminal.
        start: Starts a coroutine, and shows its error.
        person: Returns the person of the window in front; empty if it is none of a private conversation.
        draw: Has the screen drawn soon.
        leave: Ends the client.
    """

    def __init__(
        self,
        privacy: Privacy,
        say: Callable[[str], None],
        add: Callable[[Line], None],
        ask: Callable[..., Awaitable[str]],
        size: Callable[[], Size],
        start: Callable[[Coroutine[Any, Any, None]], None],
        person: Callable[[], str],
        draw: Callable[[], None],
        leave: Callable[[], None],
    ) -> None:
        self._privacy = privacy
        self._draw = draw
        self._say = say
        self._add = add
        self._size = size
        self._start = start
        self._person = person
        self._ask = ask
        self._leave = leave
        privacy.ask_passphrase = self._passphrase
        self._commands = EncryptionCommands(privacy, Dialogue(say, self._show, ask))

    def commands(self) -> list[LocalCommand]:
        """Return the commands."""
        return [
            LocalCommand(usage, help, partial(self._run, word), PRIVACY_TOPIC, WAYS[word])
            for word, (usage, help) in USAGES.items()
        ]

    async def _passphrase(self) -> str:
        """Ask for the passphrase of the keys, because another one was wrong. Whoever gives up leaves the client: a
        passphrase typed at its ordinary prompt would be shown and stored. Returns the passphrase, or nothing.
        """
        try:
            return await self._ask(
                "The passphrase of these keys is another one (Enter alone leaves): ", secret=True, first=True
            )
        except Cancelled:
            self._say("the keys stay locked.")
            self._leave()
            return ""

    def look(self) -> None:
        """Learn in the background how messages to the person of the window in front are protected, for the bar."""
        encryption, person = self._privacy.encryption, self._person()
        if encryption is not None and person:
            self._start(self._learn(encryption, person))

    async def _learn(self, encryption: UserEncryption, person: str) -> None:
        with suppress(Rejected):  # what the keys of a person are is told when something is sent
            await encryption.learn(person)
        self._draw()

    def _run(self, word: str, rest: str) -> None:
        self._start(self._commands.run(word, rest, self._person()))

    def _show(self, found: Verification, before: list[str], after: list[str]) -> None:
        """Show what two people compare, beside its QR code if the terminal is large enough for that."""
        rows, columns = self._size()
        code = square_code(found.uri, rows - BELOW) if columns > NARROWEST else []
        beside = columns - len(code[0]) - len(GAP) if code else 0
        text = _text(found, before, after, beside) if beside >= NARROWEST else []
        if not code or not text or len(text) > len(code):
            self._say(in_words(found, before, after))
            return
        for number, row in enumerate(code):
            self._add([(CODE, row), *([("", GAP), text[number]] if number < len(text) else [])])


def _text(found: Verification, before: list[str], after: list[str], columns: int) -> Line:
    """Return what stands beside the code, one piece for each row."""
    first = [(NOTICE, row) for sentence in before for row in textwrap.wrap(sentence, columns)]
    last = [(NOTICE, row) for sentence in after for row in textwrap.wrap(sentence, columns)]
    blank = (NOTICE, "")
    return [*first, blank, *((LOUD, row) for row in in_rows(found.digits, GROUPS)), blank, *last]
