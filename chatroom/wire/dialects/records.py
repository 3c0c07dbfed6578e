"""The dialect of programs: one JSON object on each line, typed and checked; docs/protocol.md lists the records."""

from __future__ import annotations

import json
import re
from functools import reduce
from operator import or_
from typing import Any

import msgspec

from chatroom.chat.interfaces import Dialect
from chatroom.chat.limits import RECORD_BYTES
from chatroom.chat.session import Session
from chatroom.model.commands import ROWS, Command, Ref
from chatroom.model.errors import BAD_RECORD, NO_COMMAND, Refused
from chatroom.model.events import Event, encode
from chatroom.model.log import Entry
from chatroom.model.suggestions import hint

DEEPEST = 8  # levels of objects and arrays in a record
GREATEST = 2**53  # the largest number that is accepted; JSON parsers hold whole numbers up to it exactly

_decode = msgspec.json.Decoder(reduce(or_, ROWS)).decode
_KNOWN = [str(kind.__struct_config__.tag) for kind in ROWS]
# Several expressions, because each of them is searched for fast by how it begins; sealed messages are long.
# A number stands after one of these signs. Otherwise it is in a text, as the digits of base64 are.
_NUMBER = rb"\s*-?[0-9](?:[0-9]{15}|[0-9.]*[eE]\+?[0-9])"
_FIELD, _FIRST, _NEXT = (re.compile(sign + _NUMBER) for sign in (rb":", rb"\[", rb","))  # _FIRST, _NEXT: of an array
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_CHUNK = re.compile(rb'"do"\s*:\s*"chunk"')
_UNKNOWN = re.compile(r"Invalid value '(.*)' - at `\$\.do`", re.DOTALL)


class JsonDialect:
    """The dialect of programs. All of them share one instance."""

    person = False
    line_limit = RECORD_BYTES
    patience = 30.0
    stamped = False

    # ---- out ---------------------------------------------------------------------------------------------------

    def render(self, room: str, entry: Entry) -> bytes:
        """Return the stored record of a log entry, with the room's name and the entry's number (seq) added."""
        return b'%s,"room":%s,"seq":%d}\r\n' % (entry.body[:-1], encode(room), entry.seq)

    def replay(self, room: str, entries: list[Entry]) -> bytes:
        """Return the records of earlier entries; they are the same as when the entries were new."""
        return b"".join([self.render(room, entry) for entry in entries])

    def answer(self, event: Event, ref: Ref | None = None) -> bytes:
        """Return the record of an event for one session; empty for an ``ok`` without a ref.

        Args:
            event: The event.
            ref: The ref of the command that the event answers; None if that had none, or the event is no answer.
        """
        body = encode(event)
        if ref is not None:
            return b'%s,"re":%s}\r\n' % (body[:-1], encode(ref))
        return b"" if body.startswith(b'{"event":"ok"') else body + b"\r\n"

    def with_stamps(self, stamped: bool) -> Dialect:
        """Return this dialect: programs need no other one for times, since every record holds its time."""
        return self

    def greeting(self, session: Session) -> bytes:
        """Return nothing: programs speak first, and their ``hello`` is answered with ``welcome``."""
        return b""

    # ---- in ----------------------------------------------------------------------------------------------------

    def read(self, line: bytes, session: Session) -> Command | None:
        """Return the command in a record; None for an empty line.

        Raises:
            Refused: The line is no JSON record, or is not a command that the server knows.
        """
        if not line or line.isspace():
            return None
        try:
            if not line.isascii():
                line.decode("utf-8")  # checks all of the line; msgspec checks only the fields that it knows
            if _is_unusual(line):
                _check(line)
            command: Command = _decode(line)
            return command
        except (ValueError, RecursionError) as error:
            raise _refused(line, error) from None


def _is_unusual(line: bytes) -> bool:
    """Return whether a record may nest too deeply, or may hold a number that is too great or a lone surrogate."""
    arrays = line.count(b"[")
    if line.count(b"{") + arrays > DEEPEST or _FIELD.search(line) or _SURROGATE.search(line):
        return True
    return arrays > 0 and bool(_FIRST.search(line) or _NEXT.search(line))


def _refused(line: bytes, error: Exception) -> Refused:
    unknown = _UNKNOWN.search(str(error))
    if unknown:
        word = unknown[1]
        refused = NO_COMMAND(word=word[:64], hint=hint(word, _KNOWN, ""))
    else:
        why = str(error) if isinstance(error, ValueError) else "nested too deeply"
        if isinstance(error, UnicodeDecodeError):
            why = "a record is text in UTF-8, and this one is not"
        refused = BAD_RECORD(why=why[:200])
    refused.ref = _ref(line)
    refused.final = bool(_CHUNK.search(line))  # closes the connection: nobody knows how many raw bytes follow
    return refused


def _ref(line: bytes) -> Ref | None:
    """Return the ref of a refused record; None if it has none that can be read and sent back."""
    try:
        ref = json.loads(line)["ref"]
        encode(ref)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(ref, str):
        return ref if len(ref) <= 64 else None
    return ref if type(ref) is int and abs(ref) <= GREATEST else None


def _check(line: bytes) -> None:
    """Check all of an unusual record (see ``read``), including the fields that the decoder skips.

    Raises:
        ValueError: The record is no JSON, nests too deeply, or holds a number beyond ``GREATEST`` or a lone surrogate.
    """
    _walk(json.loads(line.decode("utf-8"), parse_int=_whole, parse_float=_number), DEEPEST)


def _whole(digits: str) -> int:
    if len(digits) > 17 or abs(int(digits)) > GREATEST:
        raise ValueError("a number is greater than 2^53")
    return int(digits)


def _number(digits: str) -> float:
    number = float(digits)
    if abs(number) > GREATEST:
        raise ValueError("a number is greater than 2^53")
    return number


def _walk(value: Any, depth: int) -> None:
    if isinstance(value, str):
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise ValueError("a string holds half of a surrogate pair")
        return
    if not isinstance(value, dict | list):
        return
    if depth == 0:
        raise ValueError(f"nested deeper than {DEEPEST}")
    for item in [*value, *value.values()] if isinstance(value, dict) else value:
        _walk(item, depth - 1)
