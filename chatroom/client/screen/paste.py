"""Pasting several lines: the client asks what to do with them before any of them is said.

They are one message unless the user wants something else. They are text even if a line begins with ``/``; but if the
first line begins a command, such as one that was copied over two rows, it may be put into the input line as one line.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred

from chatroom.client.errors import Rejected
from chatroom.client.screen.parser import Misuse
from chatroom.model.text import MOST_LINES, clean_lines

MOST = 500  # lines
ALL = 32 * 1024  # characters
ONE, EDIT, EACH, DROP, COMMAND = "oeldc"  # the answers to the question

Say = Callable[[str], Awaitable[None]]


class Paste:
    """Holds a pasted text until the user decides about it.

    Args:
        ask: Asks the user a question; with ``enter`` an empty line is an answer, too.
        tell: Shows a sentence to the user.
        secret: Returns whether a line looks as if it contains a password.
        keep: Puts a text into the input line.
        is_command: Returns whether a line begins with a command.
        type: Puts a command into the input line.
    """

    def __init__(
        self,
        ask: Callable[..., Deferred[str]],
        tell: Callable[[str], None],
        secret: Callable[[str], bool],
        keep: Callable[[str], None],
        is_command: Callable[[str], bool],
        type: Callable[[str], None],
    ) -> None:
        self._ask = ask
        self._tell = tell
        self._secret = secret
        self._keep = keep
        self._is_command = is_command
        self._type = type
        self._going = False

    async def pasted(self, text: str, say: Say, unsent: Callable[[str], None]) -> None:
        """Ask what to do with a pasted text, and do it.

        Args:
            text: The pasted text, usually of several lines.
            say: Says a message where the text was pasted; returns when the server has stored it. What is refused is
                put into the input line there.
            unsent: Shows there what is not sent because a line before it was refused.

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
        count = clean_lines(text).count("\n") + 1
        self._tell(self._notice(lines, count))
        command = len(lines) > 1 and self._is_command(lines[0]) and not self._secret(lines[0])
        how = await self._how(fits=count <= MOST_LINES, command=command)
        if how == COMMAND:
            self._type(" ".join(line.strip() for line in lines))
        elif how == EDIT:
            self._keep(text)
        elif how == DROP or not await self._is_meant(lines):
            self._tell("dropped; nothing was sent.")
        elif how == ONE:
            await say(clean_lines(text))
        else:
            await self._say_each(lines, say, unsent)

    def _notice(self, lines: list[str], count: int) -> str:
        """Return a sentence with the number of lines, and the first line unless that looks like a password."""
        number = f"{count} line{'s' if count > 1 else ''}"
        hidden = bool(lines) and self._secret(lines[0])
        return f"you pasted {number}{'.' if hidden else f': {_start(lines)}'}"

    async def _is_meant(self, lines: list[str]) -> bool:
        """Return whether to say the lines; ask the user if one line, or all together, look like a password."""
        if not any(map(self._secret, [*lines, " ".join(line.strip() for line in lines)])):
            return True
        answer = await self._ask("A line looks like a password. Say them to everybody here? [y]es, [n]o: ")
        return answer.strip().lower() in ("y", "yes")

    async def _how(self, *, fits: bool, command: bool) -> str:
        """Ask what to do with the lines, and return the answer.

        Args:
            fits: Whether one message may have so many lines; then Enter alone means one message, else to edit them.
            command: Whether the first line begins a command; then Enter alone means to make the lines one command.
        """
        usual = COMMAND if command else ONE if fits else EDIT
        words = "Say them as [o]ne message (Enter), [l]ine by line, [e]dit, or [d]rop them? "
        if not fits:
            words = (
                f"A message has at most {MOST_LINES} lines. Say them [l]ine by line, [e]dit (Enter), or [d]rop them? "
            )
        if command:
            one = "[o]ne message, " if fits else ""
            words = f"One [c]ommand (Enter), {one}[l]ine by line, [e]dit, or [d]rop them? "
        while True:
            answer = (await self._ask(words, enter=True)).strip().lower()[:1] or usual
            if answer in (ONE, EDIT, EACH, DROP) or (command and answer == COMMAND):
                return answer
            self._tell(f"type {'c, ' if command else ''}{'o, ' if fits else ''}l, e or d; Ctrl-C drops them.")

    def stop(self) -> bool:
        """Stop saying pasted lines one by one. Returns whether there were any left to say."""
        going, self._going = self._going, False
        return going

    async def _say_each(self, lines: list[str], say: Say, unsent: Callable[[str], None]) -> None:
        """Say each line once the line before is stored: the server ends a connection that says too much at once."""
        self._going = True
        said = 0
        try:
            for said, line in enumerate(lines):
                if not self._going:
                    self._tell(f"stopped; {said} of {len(lines)} lines were sent.")
                    return
                await say(line)
        except Rejected:
            rest = lines[said + 1 :]
            if rest:
                unsent("\n".join(rest))
            raise
        finally:
            self._going = False


def _start(lines: list[str]) -> str:
    """Return the beginning of the first line, with ``...`` if more follows."""
    first = lines[0] if lines else ""
    return first[:60] + ("..." if len(first) > 60 or len(lines) > 1 else "")
