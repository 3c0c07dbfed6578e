"""Reading the passphrase that unlocks the client's keys.

It is never an argument and never in the environment, because other programs of the user, or all users of the machine,
can see those. It is typed on the terminal, or it is the first line of a file or of what a descriptor gives.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from chatroom.client.paths import expanded, is_there, spelled, write_private

WRONG_PLACE = "give ask, fd:N or file:PATH; the passphrase itself is no argument"
MOST_BYTES = 1024
LOCKED = "passphrase"  # the file that says so
PROMPT = "Passphrase of your keys: "
NEW_PROMPT = "Choose a passphrase for your keys: "
AGAIN_PROMPT = "The same again: "
WRONG, DIFFERENT = "That is wrong. ", "The two are not the same. "  # before the question that is asked again
TRIES = 3


class NoPassphrase(Exception):
    """The passphrase cannot be read; the text says why, in one sentence, and never what was read."""


class WrongWord(NoPassphrase):
    """A passphrase was read, and is not that of the keys."""


def is_place(where: str) -> bool:
    """Return whether a text says where a passphrase can be read."""
    kind, _, rest = where.partition(":")
    number = rest.isascii() and rest.isdigit() and len(rest) < 10
    return where == "ask" or (kind == "fd" and number) or (kind == "file" and bool(rest))


def _on_terminal(prompt: str) -> str:
    from getpass import getpass  # here, because few users need it

    return getpass(prompt)


def read_passphrase(
    where: str,
    ask: Callable[[str], str] = _on_terminal,
    *,
    new: bool = False,
    fits: Callable[[str], bool] = lambda passphrase: True,
) -> str:
    """Return the passphrase. On the terminal it is asked for again, hidden, if it is wrong.

    Args:
        where: ``ask``, ``fd:N`` or ``file:PATH``.
        ask: Asks on the terminal, without showing the answer.
        new: Whether it is set now, so that it is asked for twice.
        fits: Returns whether a passphrase is that of the keys.

    Raises:
        NoPassphrase: There is none there, others may read the file, or it is wrong.
    """
    if not is_place(where):
        raise NoPassphrase(f"--passphrase: {WRONG_PLACE}.")
    if where == "ask":
        return _chosen(ask) if new else _known(ask, fits)
    kind, _, rest = where.partition(":")
    read = _checked(_first_line(int(rest)) if kind == "fd" else _first_line_of_file(rest), where)
    if not fits(read):
        raise WrongWord(f"--passphrase {where}: the passphrase is wrong; nothing was sent.")
    return read


def _chosen(ask: Callable[[str], str]) -> str:
    """Ask for a new passphrase until it was typed twice, a few times."""
    before = ""
    for _ in range(TRIES):
        answer = _asked(ask, f"{before}{NEW_PROMPT}")
        if _asked(ask, AGAIN_PROMPT) == answer:
            return answer
        before = DIFFERENT
    raise NoPassphrase("the two passphrases differ; nothing was changed.")


def _known(ask: Callable[[str], str], fits: Callable[[str], bool]) -> str:
    """Ask for the passphrase until it is right, a few times."""
    before = ""
    for _ in range(TRIES):
        answer = _asked(ask, f"{before}{PROMPT}")
        if fits(answer):
            return answer
        before = WRONG
    raise WrongWord("the passphrase is wrong; nothing was sent.")


def is_locked(folder: Path) -> bool:
    """Return whether a vault of a folder is locked by a passphrase already."""
    return is_there(folder / LOCKED)


def note_locked(folder: Path) -> None:
    """Note that a vault of a folder is locked by a passphrase."""
    with suppress(OSError):
        write_private(folder / LOCKED, "yes\n")


def _asked(ask: Callable[[str], str], prompt: str) -> str:
    """Ask on the terminal of this process. Standard input is not asked: it may be the messages, and is shown."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise NoPassphrase(
            "there is no terminal to ask for the passphrase; give --passphrase fd:N or file:PATH."
        ) from None
    try:
        answer = ask(prompt)
    except (EOFError, KeyboardInterrupt):
        answer = ""
    if not answer:
        raise NoPassphrase("no passphrase was typed.")
    return answer


def _first_line_of_file(path: str) -> bytes:
    """Return the first line of a file that nobody else may read."""
    place = expanded(path)
    try:
        descriptor = os.open(place, os.O_RDONLY | os.O_NONBLOCK)  # a fifo without a writer does not stop us
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or "no such path"
        raise NoPassphrase(f"the passphrase's file {spelled(place)} cannot be read: {why}.") from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISREG(mode) and mode & 0o077:
            raise NoPassphrase(f"others may read {spelled(place)}; chmod 600 it, and change the passphrase.")
        return _first_line(descriptor)
    finally:
        os.close(descriptor)


def _first_line(descriptor: int) -> bytes:
    """Return the first line that a descriptor gives, byte by byte: what follows may be the messages of a pipe."""
    line = b""
    try:
        while len(line) <= MOST_BYTES and (byte := os.read(descriptor, 1)) not in (b"", b"\n"):
            line += byte
    except OSError as error:
        raise NoPassphrase(f"the passphrase cannot be read: {error.strerror}.") from None
    return line.removesuffix(b"\r")


def _checked(line: bytes, where: str) -> str:
    """Return a line as text. Raises ``NoPassphrase`` if it is empty, too long or not UTF-8."""
    if not line:
        raise NoPassphrase(f"--passphrase {where}: its first line is empty.")
    if len(line) > MOST_BYTES:
        raise NoPassphrase(f"--passphrase {where}: its first line has more than {MOST_BYTES} bytes.")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise NoPassphrase(f"--passphrase {where}: its first line is not UTF-8.") from None
