"""The dialect of people: every event and answer in the words of ``chatroom.model.wording``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from chatroom.chat.limits import TEXT_BYTES, Rules
from chatroom.chat.session import Session
from chatroom.model import events as e
from chatroom.model.commands import Command
from chatroom.model.log import Entry
from chatroom.model.message_format import DEFAULT
from chatroom.model.text import marked
from chatroom.model.wording import ANSWERS, LINES, speaker, what_became, with_deletion_shown
from chatroom.wire.dialects import text_reader

_END = "\r\n"


class TextDialect:
    """The dialect of people. There is one instance that shows times and one that does not; all people share them.

    Args:
        rules: Hold the server's name and the lines to show after its greeting.
        form: The template of a message, as ``chatroom.model.message_format`` describes it.
        stamped: Whether the time is shown before each message.
    """

    person = True
    line_limit = TEXT_BYTES
    patience = 120.0

    def __init__(self, rules: Rules, form: str = DEFAULT, *, stamped: bool = False) -> None:
        self._rules = rules
        self._form = form
        self.stamped = stamped
        self._twin: TextDialect | None = None
        self._forms: dict[type, Callable[[str, Any], str]] = {
            **LINES,
            e.Said: self._saying(),
        }

    def with_stamps(self, stamped: bool) -> TextDialect:
        """Return the instance that shows times, or the one that does not. All sessions share these two instances."""
        if stamped == self.stamped:
            return self
        if self._twin is None:
            self._twin = TextDialect(self._rules, self._form, stamped=stamped)
            self._twin._twin = self
        return self._twin

    def use_form(self, form: str) -> None:
        """Change the template of messages from now on, for this instance and the other one."""
        for dialect in (self, self.with_stamps(not self.stamped)):
            dialect._form = form
            dialect._forms[e.Said] = dialect._saying()

    def _saying(self) -> Callable[[str, e.Said], str]:
        return LINES[e.Said] if self._form == DEFAULT else self._said_in_form

    def _said_in_form(self, room: str, event: e.Said) -> str:
        return self._form.format(user=speaker(event), room=room, text=event.text)

    # ---- out ---------------------------------------------------------------------------------------------------

    def render(self, room: str, entry: Entry) -> bytes:
        """Return the line that members of a room see for an entry of its log."""
        event = entry.event
        line = self._forms[type(event)](room, event)
        if self.stamped:
            line = f"[{_time(event.at):%H:%M}] {line}"
        return _line(line)

    def replay(self, room: str, entries: list[Entry]) -> bytes:
        """Return the lines for earlier entries, with the day and time of each."""
        return _lines([self.recalled(room, entry.event) for entry in entries])

    def recalled(self, room: str, event: Any) -> str:
        """Return the line for an earlier event in a room, with its day and time; a message may have further lines."""
        event = with_deletion_shown(event)
        return f"[{_time(event.at):%Y-%m-%d %H:%M}] {self._forms[type(event)](room, event)}{what_became(event)}"

    def answer(self, event: e.Event, ref: object = None) -> bytes:
        """Return the lines for an event that concerns one session. People give no ref, so it is ignored."""
        return _lines(ANSWERS[type(event)](self.recalled, event))

    def greeting(self, session: Session) -> bytes:
        """Return the lines with which the server greets a person."""
        lines = [f"Welcome to {self._rules.name}. You are {session.name}."]
        lines += self._rules.motd.splitlines()
        lines.append("Choose a name with /name <name>, enter a room with /join <room>; /help explains the rest.")
        return _lines(lines)

    # ---- in ----------------------------------------------------------------------------------------------------

    def read(self, line: bytes, session: Session) -> Command | None:
        """Return the command in a line; see ``text_reader.read``."""
        return text_reader.read(line, session)


def _time(at: int) -> datetime:
    """Convert a time in milliseconds since 1970 to a ``datetime`` in the server's time zone."""
    return datetime.fromtimestamp(at / 1000)


def _lines(lines: list[str]) -> bytes:
    """Return lines as they are sent."""
    return b"".join(map(_line, lines))


def _line(line: str) -> bytes:
    """Return a line as it is sent. Every line goes through here, so no part of a message can pose as another line."""
    if "\n" in line:
        line = marked(line, _END)
    return f"{line}\r\n".encode("utf-8", "replace")
