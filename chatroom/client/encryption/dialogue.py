"""How the commands about keys talk with the user; the screen and the pipe do it in their own ways."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from chatroom.client.encryption.interface import Verification
from chatroom.client.errors import Rejected

Result = TypeVar("Result")

MISTYPED = frozenset(
    {"too-short", "not-the-same", "weak-passphrase", "wrong-passphrase", "mistyped", "wrong-recovery-key"}
)  # why a secret is asked for again


async def nobody_answers(words: str, *, secret: bool = False, enter: bool = False) -> str:
    """Refuse a question, because nobody sees it."""
    raise Rejected("needs-terminal", "this asks you something; do it in chatroom-client on a terminal.")


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Shows sentences, and asks questions.

    Args:
        say: Shows a sentence, or several lines.
        show: Shows what two people compare, given the sentences before and after the digits.
        ask: Asks a question, as ``Questions.ask`` does; its awaitable fails if the user cancels.
    """

    say: Callable[[str], None]
    show: Callable[[Verification, list[str], list[str]], None]
    ask: Callable[..., Awaitable[str]] = field(default=nobody_answers)

    async def secret(self, words: str, take: Callable[[str], Awaitable[Result]]) -> Result:
        """Ask for something that is not shown, until it is taken or the user cancels.

        If it was asked for only once, the right one might be typed at the ordinary prompt, where it is shown.

        Args:
            words: The question.
            take: Given the answer; fails with ``Rejected`` if it is not the right one.

        Returns:
            What ``take`` returns.
        """
        while True:
            answer = await self.ask(words, secret=True)
            try:
                return await take(answer)
            except Rejected as refused:
                if refused.code not in MISTYPED:
                    raise
                self.say(refused.text)

    async def agrees(self, words: str) -> bool:
        """Return whether the user answers a question with yes."""
        answer = await self.ask(f"{words} [y]es, [n]o: ")
        return answer.strip().lower() in ("y", "yes")


def in_rows(digits: str, groups: int) -> list[str]:
    """Return the digits that two people compare in rows of so many groups of five."""
    words = digits.split()
    return [" ".join(words[start : start + groups]) for start in range(0, len(words), groups)]


def in_words(found: Verification, before: list[str], after: list[str]) -> str:
    """Return what two people compare as lines of text, without the QR code."""
    return "\n".join([*before, *(f"    {row}" for row in in_rows(found.digits, 6)), *after])
