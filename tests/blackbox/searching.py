"""Searching all that a daemon has for words: its memory, its data folder, its log, a backup, a recorded connection."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

_AT_ONCE = 1 << 20  # bytes
_MAP = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S+)")


def forms(word: bytes) -> list[bytes]:
    """Return how a word may look: as it is, in hexadecimal, and in base64 wherever in a text it begins."""
    plain = [word, word.hex().encode(), word.hex().upper().encode()]
    return plain + [_in_base64(word, before) for before in range(3)]


def _in_base64(word: bytes, before: int) -> bytes:
    """Return what base64 makes of a word after so many bytes, without what depends on its neighbours."""
    first, last = -(-before * 8 // 6), (before + len(word)) * 8 // 6
    return b64encode(bytes(before) + word)[first:last]


def found(words: Mapping[str, bytes], pieces: Iterable[bytes]) -> set[str]:
    """Return the keys of the words that are in these bytes; a word that is cut in two by two pieces is found, too."""
    looked_for = {key: forms(word) for key, word in words.items()}
    most = max(len(form) for each in looked_for.values() for form in each)
    there: set[str] = set()
    before = b""
    for piece in pieces:
        data = before + piece
        there |= {key for key, each in looked_for.items() if key not in there and any(form in data for form in each)}
        before = data[-most:]
    return there


def in_files(folder: Path) -> Iterator[bytes]:
    """Yield the names and the bytes of all files beneath a folder, or of one file."""
    for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
        yield f"\n{path.relative_to(folder.parent)}\n".encode()
        if path.is_file():
            with path.open("rb") as file:
                while data := file.read(_AT_ONCE):
                    yield data


def in_memory(pid: int) -> Iterator[bytes]:
    """Yield the readable memory of a process. Raises ``PermissionError`` if the system does not let us."""
    maps = [_MAP.match(line) for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        for start, end in ((int(it[1], 16), int(it[2], 16)) for it in maps if it and it[3].startswith("r")):
            yield b"\0"
            yield from _read(memory, start, end)
    finally:
        os.close(memory)


def _read(memory: int, start: int, end: int) -> Iterator[bytes]:
    """Yield what can be read between two addresses; some of the kernel's own pages cannot."""
    while start < end:
        try:
            data = os.pread(memory, min(_AT_ONCE, end - start), start)
        except (OSError, OverflowError):
            return
        if not data:
            return
        yield data
        start += len(data)
