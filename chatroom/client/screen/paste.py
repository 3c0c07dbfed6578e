"""Pasting several lines: the client asks how to say the lines before any of them is said."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred

from chatroom.client.screen.parser import Misuse

MOST = 500  # lines
ALL = 32 * 1024  # characters
LONGEST = 3800  # characters that may be said as one message; the server accepts 4096 bytes


class Paste:
    """Holds a pasted text until the user decides about it.

    Args:
        ask: Asks the user a question; each of the letters in ``keys`` is an answer as soon as it is typed.
        say: Says a line to the room; returns when the server has stored the line.
        tell: Shows a sentence to the user.
        secret: Returns whether a line looks as if it contains a password.
    """

    def __init__(
        self,
        ask: Callable[..., Deferred[str]],
        say: Callable[[str], Awaitable[None]],
        tell: Callable[[str], None],
        secret: Callable[[str], bool],
    ) -> None:
        self._ask = ask
        self._say = say
        self._tell = tell
        self._secret = secret
        self._going = False

    async def pasted(self, text: str) -> None:
        """Ask what to do with a pasted text, and do it.

        Args:
            text: The pasted text, usually of several lines.

        Raises:
            Misuse: The text is too long, or another paste is still being said.
            Cancelled: The user cancelled a question.
        """
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > MOST:
            raise Misuse(f"{len(lines)} lines are too many to paste (at most {MOST}); nothing was sent.")
        if len(text) > ALL:
            raise Misuse(f"that is too much to paste (at most {ALL} characters); nothing was sent.")
        if self._going:
            raise Misuse("what you pasted before is still being said; nothing was sent.")
        self._tell(self._notice(lines))
        how = await self._how()
        if how == "d" or not await self._is_meant(lines):
            self._tell("dropped; nothing was sent.")
        elif how == "o":
            await self._say_as_one(lines)
        else:
            await self._say_each(lines)

    def _notice(self, lines: list[str]) -> str:
        """Return a sentence with the number of lines, and the first line unless that looks like a password."""
        number = f"{len(lines)} line{'s' if len(lines) > 1 else ''}"
        hidden = bool(lines) and self._secret(lines[0])
        return f"you pasted {number}{'.' if hidden else f': {_start(lines)}'}"

    async def _is_meant(self, lines: list[str]) -> bool:
        """Return whether to say the lines; ask the user if one line, or all together, look like a password."""
        if not any(map(self._secret, [*lines, " ".join(line.strip() for line in lines)])):
            return True
        answer = await self._ask("A line looks like a password. Say them to everybody here? [y]es, [n]o: ")
        return answer.strip().lower() in ("y", "yes")

    async def _how(self) -> str:
        """Ask how to say the lines. Returns ``o`` for one message, ``l`` for line by line, or ``d`` for not at all."""
        while True:
            answer = await self._ask("Say them as [o]ne message, [l]ine by line, or [d]rop them? ", keys="old")
            if answer.strip().lower()[:1] in ("o", "l", "d"):
                return answer.strip().lower()[:1]
            self._tell("press o, l or d; Ctrl-C drops them.")

    def stop(self) -> bool:
        """Stop saying pasted lines one by one. Returns whether there were any left to say."""
        going, self._going = self._going, False
        return going

    async def _say_as_one(self, lines: list[str]) -> None:
        """Say the lines as one message. Raises ``Misuse`` if it is too long."""
        one = " ".join(line.strip() for line in lines)
        if len(one) > LONGEST:
            raise Misuse(f"that is too long for one message (at most {LONGEST} characters); nothing was sent.")
        await self._say(one)

    async def _say_each(self, lines: list[str]) -> None:
        """Say each line once the line before is stored: the server ends a connection that says too much at once."""
        self._going = True
        try:
            for said, line in enumerate(lines):
                if not self._going:
                    self._tell(f"stopped; {said} of {len(lines)} lines were sent.")
                    return
                await self._say(line)
        finally:
            self._going = False


def _start(lines: list[str]) -> str:
    """Return the beginning of the first line, with ``...`` if more follows."""
    first = lines[0] if lines else ""
    return first[:60] + ("..." if len(first) > 60 or len(lines) > 1 else "")
