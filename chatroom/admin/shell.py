"""The console on a terminal: a coloured line that can be edited, with the results below it.

The line is drawn again after each packet of keys, over as many rows as it needs; the editor holds its text. Twisted's
own ColoredManhole supports only ASCII on a single row. Keys that are pressed while a statement runs wait until it is
done.
"""

from __future__ import annotations

import codecs
import os.path
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from twisted.conch.insults import insults
from twisted.internet.defer import Deferred
from wcwidth import wcwidth

from chatroom.admin.completion import candidates
from chatroom.admin.console import HELP, Console
from chatroom.admin.editor import Editor
from chatroom.admin.formatting import for_the_log, shown, tells_a_secret
from chatroom.admin.interpreter import Interpreter, Limit, limited
from chatroom.admin.python_colours import BOLD, GREEN, RED, RESET, coloured
from chatroom.chat.operators.service import Operating
from chatroom.model.logger import logger
from chatroom.model.text import clean

GREETING = "Console of chatroom. help() lists what you can do; Ctrl-D leaves."
PROMPTS = ("chatroom> ", "........> ")
MOST_KEYS = 65536  # keys that may wait while a statement runs
_LONGEST_ESCAPE = 32  # bytes of one key
_LEAVING = {"exit", "quit", "exit()", "quit()"}

_log = logger(__name__)


class ConsoleTerminal(insults.ServerProtocol):
    """Makes keys of the bytes from a terminal, and lets the shell draw after each packet."""

    def dataReceived(self, data: bytes) -> None:
        """Handle the keys in the data, then draw the line."""
        super().dataReceived(data)
        if len(getattr(self, "escBuf", ())) > _LONGEST_ESCAPE:
            self.escBuf.clear()
            self.state = b"data"
        if self.terminalProtocol is not None:
            self.terminalProtocol.draw()

    def loseConnection(self) -> None:
        """Close the connection, and leave the screen as it is."""
        if self.transport is not None:
            self.transport.loseConnection()


class Shell(insults.TerminalProtocol):
    """The console of one operator on a terminal.

    Args:
        operating: Carries out what the operator types.
        audit: Called with each statement before it runs, without passwords.
        limit: Returns a context that ends a step of a statement that takes too long, as for ``Interpreter``.
    """

    def __init__(self, operating: Operating, audit: Callable[[str], None], limit: Limit = limited) -> None:
        self._audit = audit
        self._editor = Editor()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._interpreter = Interpreter(Console(operating, self._ask).namespace(), self._show, self._complain, limit)
        self._width = 80
        self._row = 0  # the row of the cursor, counted from the row of the prompt
        self._stale = False  # whether the line must be drawn again
        self._running: Deferred[Any] | None = None
        self._asking: Deferred[str] | None = None
        self._keys: deque[bytes] = deque()
        self._last_key = b""

    # ---- the terminal ----------------------------------------------------------------------------------------------

    def connectionMade(self) -> None:
        """Greet the operator and show the prompt."""
        terminal, editor = self.terminal, self._editor
        self._edits = {
            terminal.LEFT_ARROW: editor.left,
            terminal.RIGHT_ARROW: editor.right,
            terminal.UP_ARROW: editor.older,
            terminal.DOWN_ARROW: editor.newer,
            terminal.HOME: editor.home,
            terminal.END: editor.end,
            terminal.DELETE: editor.delete,
            b"\x7f": editor.backspace,
            b"\b": editor.backspace,
            b"\x01": editor.home,
            b"\x02": editor.left,
            b"\x05": editor.end,
            b"\x06": editor.right,
            b"\x0b": editor.cut_to_end,
            b"\x0e": editor.newer,
            b"\x10": editor.older,
            b"\x15": editor.cut_to_start,
            b"\x17": editor.cut_word,
        }
        self._commands = {
            b"\r": self._return,
            b"\n": self._return,
            b"\t": self._complete,
            b"\x03": self._cancel_line,
            b"\x04": self._end_of_input,
            b"\x0c": self._clear,
        }
        self.terminal.write(f"{GREETING}\n")
        self._prompt_again()
        self.draw()

    def terminalSize(self, width: int, height: int) -> None:
        """Note the new size of the terminal, and draw the line again."""
        self._width = max(20, width or 80)  # 0 means unknown
        self._stale = self._running is None
        self.draw()

    def connectionLost(self, reason: Any) -> None:
        """Forget the terminal. A statement that is running goes on to its end, so that nothing is left half done."""
        asking, self._asking = self._asking, None
        self._keys.clear()
        self.terminal = None
        if asking is not None:
            asking.cancel()

    def unhandledControlSequence(self, seq: bytes) -> None:
        """Ignore an unknown key."""

    # ---- keys ------------------------------------------------------------------------------------------------------

    def keystrokeReceived(self, keyID: bytes, modifier: object) -> None:
        """Handle a key: edit the line or, while a statement runs, stop it, type its password, or keep the key."""
        if modifier is not None:
            return
        if self._running is None:
            self._key(keyID)
        elif keyID == b"\x03":
            self._running.cancel()
        elif self._asking is not None:
            self._key_of_password(keyID)
        elif len(self._keys) < MOST_KEYS:
            self._keys.append(keyID)

    def _key(self, key: bytes) -> None:
        """Carry out a key on the line. A line feed right after a carriage return is ignored."""
        after_return, self._last_key = self._last_key == b"\r", key
        if key == b"\n" and after_return:
            return
        command = self._commands.get(key)
        if command is not None:
            command()
            return
        edit = self._edits.get(key)
        if edit is not None:
            edit()
        else:
            self._editor.insert(self._typed(key))
        self._stale = True

    def _typed(self, key: bytes) -> str:
        """Return the printable characters that this key completes."""
        return "".join(filter(str.isprintable, self._decoded(key)))

    def _decoded(self, key: bytes) -> str:
        return self._decoder.decode(key) if len(key) == 1 else ""

    def _unfinished(self) -> str:
        """Return U+FFFD if only the beginning of a character was typed, else an empty text."""
        rest = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return rest

    def _return(self) -> None:
        """End the line, and run the statement if it is complete."""
        self._editor.insert(self._unfinished())
        self._editor.end()
        self._stale = True
        self.draw()
        self._new_row()
        line = self._editor.finish()
        source = self._interpreter.push(line)
        if not tells_a_secret(line):
            self._editor.remember(line)
        if source is None or not source.strip():
            self._prompt_again()
        elif source.strip() in _LEAVING:
            self.terminal.loseConnection()
        else:
            self._run(source)

    def _complete(self) -> None:
        """Complete the word at the cursor, or list the words that it may become. Indent an empty line."""
        before = self._editor.text[: self._editor.cursor]
        if not before.strip():
            self._editor.insert("    ")
            self._stale = True
            return
        word, names = candidates(before, self._interpreter.namespace)
        common = os.path.commonprefix(names)  # noqa: RUF071  # of words, not of paths
        if len(names) == 1 and names[0] in HELP:
            common += "("
        if len(common) > len(word):
            self._editor.insert(common[len(word) :])
            self._stale = True
        elif len(names) > 1:
            self._new_row()
            self._write("  ".join(names) + "\n")
            self._prompt_again()

    def _cancel_line(self) -> None:
        """Forget the line and an incomplete statement, and show a new prompt."""
        self._editor.end()
        self._stale = True
        self.draw()
        self._editor.finish()
        self._interpreter.forget()
        self._write("^C")
        self._new_row()
        self._prompt_again()

    def _end_of_input(self) -> None:
        """Delete a character; in an empty line, forget an incomplete statement or, if there is none, leave."""
        if self._editor.text:
            self._editor.delete()
            self._stale = True
        elif self._interpreter.waiting:
            self._cancel_line()
        else:
            self._new_row()
            self.terminal.loseConnection()

    def _clear(self) -> None:
        self.terminal.eraseDisplay()
        self.terminal.cursorHome()
        self._prompt_again()

    # ---- running ---------------------------------------------------------------------------------------------------

    def _run(self, source: str) -> None:
        """Run a statement; keys that are pressed before it ends wait in ``_keys``."""
        self._audit(for_the_log(source))
        self._running = Deferred()  # a placeholder until the statement is known to wait for something
        running = Deferred.fromCoroutine(self._interpreter.run(source))
        running.addErrback(lambda failure: _log.failure("the console has failed", failure=failure))
        if not running.called:
            self._running = running
        running.addBoth(self._done)

    def _done(self, result: object) -> None:
        """Show the prompt after a statement has ended, and handle the keys that waited."""
        self._running = None
        if self.terminal is None:
            return
        self._prompt_again()
        keys, self._keys = self._keys, deque()
        for key in keys:
            self.keystrokeReceived(key, None)
        self.draw()

    def _show(self, value: Any) -> None:
        self._write(shown(value, self._width) + "\n")

    def _complain(self, words: str) -> None:
        self._write(f"{RED}Error:{RESET} {clean(words)}\n")

    async def _ask(self, question: str) -> str:
        """Ask for a text that is not shown, and return it.

        Args:
            question: The prompt.
        """
        self._write(question)
        self._password = Editor()
        self._asking = Deferred(self._stop_asking)
        return await self._asking

    def _stop_asking(self, asking: Deferred[str]) -> None:
        self._asking = None
        self._write("\n")

    def _key_of_password(self, key: bytes) -> None:
        if key in (b"\r", b"\n", b"\x04"):
            asking, self._asking = self._asking, None
            self.terminal.nextLine()
            self._password.insert(self._unfinished())
            if asking is not None:
                asking.callback(self._password.finish())
        elif key in (b"\x7f", b"\b"):
            self._password.backspace()
        elif key == b"\x15":
            self._password.cut_to_start()
        else:
            self._password.insert(self._decoded(key))  # unprintable characters, too: they are refused later

    # ---- the screen ------------------------------------------------------------------------------------------------

    def draw(self) -> None:
        """Draw the line and the cursor, if they have changed and no statement is running."""
        if not self._stale or self._running is not None:
            return
        self._stale = False
        prompt = PROMPTS[self._interpreter.waiting]
        text, cursor = self._editor.text, self._editor.cursor
        end_row, end_column = place(prompt + text, self._width)
        row, column = place(prompt + text[:cursor], self._width)
        parts = [f"\x1b[{self._row}A" if self._row else "", "\r\x1b[J", f"{BOLD}{GREEN}{prompt}{RESET}", coloured(text)]
        if end_column == 0:  # without a line feed the cursor would stay at the right edge
            parts.append("\n")
        if cursor < len(text):
            parts += [f"\x1b[{end_row - row}A" if end_row > row else "", "\r", f"\x1b[{column}C" if column else ""]
        self._row = row
        self._write("".join(parts))

    def _prompt_again(self) -> None:
        """Make the next ``draw`` begin the prompt in the row where the cursor is now."""
        self._row = 0
        self._stale = True

    def _new_row(self) -> None:
        self._row = 0
        self.terminal.nextLine()

    def _write(self, text: str) -> None:
        if self.terminal is not None:
            self.terminal.write(text.encode())


def place(text: str, width: int) -> tuple[int, int]:
    """Return the row and the column of a terminal's cursor after a text was written.

    Args:
        text: The text, which begins in the first column of row 0.
        width: The columns of the terminal.
    """
    return _place(map(wcwidth, text), width)


def _place(widths: Iterable[int], width: int) -> tuple[int, int]:
    row = column = 0
    for each in widths:
        if column + each > width:
            row, column = row + 1, 0
        column += max(0, each)
    return (row + 1, 0) if column >= width else (row, column)
