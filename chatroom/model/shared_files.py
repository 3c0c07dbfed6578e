"""What server and client agree on about shared files: chunks, safe names, and sizes in words."""

from __future__ import annotations

import re
from unicodedata import category, normalize

from chatroom.model.text import clean, is_blank

CHUNK = 256 * 1024  # bytes in a chunk, a piece in which a file is sent; the last chunk of a file may be shorter
WINDOW = 8  # chunks that may be on their way: sent, and not yet acknowledged
TRANSFERS = 4  # files that one connection may send and fetch at the same time
NAME_CHARACTERS = 100
SOME_FILE = "an encrypted file"  # what a sealed file is called where its real name is not known

_OPAQUE = re.compile(r"[0-9a-f]{32}\Z")
_JOINERS = "\u200c\u200d"
_NOT_AT_AN_END = f" .{_JOINERS}"
_ENDING = re.compile(r"(?:\.tar)?\.[^\s.]{1,16}\Z")


def chunks_of(size: int) -> int:
    """Return the number of chunks of a file with ``size`` bytes."""
    return -(-size // CHUNK)


def bytes_of(size: int, index: int) -> int:
    """Return the number of bytes in the chunk with this index of a file with ``size`` bytes; 0 beyond its end."""
    return max(0, min(CHUNK, size - index * CHUNK))


def safe_name(name: str) -> str:
    """Return a file's name made safe to show and to use: without folders, visible, not a hidden file, not too long.

    The joiners U+200C and U+200D are kept between other characters, because Persian, Indic scripts and emoji need them.
    A name that is too long is shortened before its ending, such as ``.txt``.
    """
    base = re.split(r"[/\\]", normalize("NFC", name))[-1]
    seen = "".join(char for char in clean(base) if char in _JOINERS or (category(char)[0] != "C" and char != "\ufffd"))
    stem, ending = split_ending(seen.strip(_NOT_AT_AN_END))
    stem = stem[: NAME_CHARACTERS - len(ending)].rstrip(_NOT_AT_AN_END)
    return ("file" if is_blank(stem) else stem) + ending


def is_opaque(name: str) -> bool:
    """Return whether a name is a random one, as the server is given for a file that is encrypted end to end."""
    return _OPAQUE.match(name) is not None


def file_called(name: str, sealed: bool) -> str:
    """Return a file's name for people; a sealed file whose real name is not known here is an encrypted file."""
    return SOME_FILE if sealed and is_opaque(name) else name


def split_ending(name: str) -> tuple[str, str]:
    """Return a file's name without its ending, and the ending with its dot: ``.txt``, ``.tar.gz``, or nothing."""
    found = _ENDING.search(name)
    return (name[: found.start()], found[0]) if found and found.start() else (name, "")


def spell_size(size: int) -> str:
    """Return a number of bytes as people read it: ``12 kB``, ``1.5 MB``."""
    if size < 1000:
        return f"{size} B"
    amount = float(size)
    unit = ""
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007  # used after the loop
        amount /= 1000
        if amount < 999.5:
            break
    return f"{amount:.0f} {unit}" if amount >= 9.95 else f"{amount:.1f} {unit}".replace(".0 ", " ")


def spell_apart(one: int, other: int) -> tuple[str, str]:
    """Return two sizes as people read them; in bytes if the shorter forms of ``spell_size`` are the same."""
    spelled = spell_size(one), spell_size(other)
    return spelled if spelled[0] != spelled[1] else (f"{one} B", f"{other} B")
