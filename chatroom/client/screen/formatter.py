"""Turning events and answers into lines. A line is a list of pieces of text, each with its style.

The words are those of ``chatroom.model.wording``; messages get a form of their own here, with the names in their
colours. No text is cleaned here: ``scrollback.py``, which all lines go through, does that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from chatroom.client.opened import Opened, OpenedOwn, kind_of
from chatroom.client.screen.colours import ERROR, LOUD, MARK, MENTION, NOTICE, PLAIN, PRIVATE, QUIET, Colours
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.amendments import amended
from chatroom.model.log import MessageGone, NothingToChange, NotTheAuthor, TooManyReactions
from chatroom.model.mentions import mentions
from chatroom.model.replies import Settings
from chatroom.model.text import CONTINUATION
from chatroom.model.timestamps import DAY, DAY_AND_TIME, TIME, spell_moment
from chatroom.model.wording import ANSWERS, LINES, answering, is_untold, searched_back, what_became, with_deletion_shown

Line = list[tuple[str, str]]
"""What is on one line: (style, text) after another."""

_LOUD = (e.Announced, a.Shutdown, e.Invited)


@dataclass(frozen=True, slots=True)
class MessageLine:
    """The line of a message, in parts, so that an edit or a reaction can change it later.

    Args:
        head: What stands before the text: the time, and the author.
        body: The text.
        tail: What stands after it.
        edited: When the message was last edited, in ms since 1970; 0 if it never was.
        reactions: The reactions to it.
        file: The name of the file, if the message shares one.
    """

    head: Line
    body: Line
    tail: Line
    edited: int = 0
    reactions: tuple[e.EmojiReaction, ...] = ()
    file: str = ""

    @property
    def whole(self) -> Line:
        """The whole line."""
        return [*self.head, *self.body, *self.tail]

    @property
    def mentions(self) -> bool:
        """Whether the text has the user's name in it, and is somebody else's."""
        return any(style == MENTION for style, _ in self.body)


def split(line: Line) -> list[Line]:
    """Return the lines of a message of several lines, of which each further one begins with ``CONTINUATION``."""
    lines: list[Line] = [[]]
    for style, text in line:
        first, *further = text.split("\n")
        lines[-1].append((style, first))
        lines += [[(QUIET, CONTINUATION), (style, rest)] for rest in further]
    return lines


class SharedStyle(str):
    """The style of the words about a shared file that can be fetched, with what identifies the file.

    Attributes:
        number: What follows ``/get``: ``7``, or ``@7`` for a file given to the user.
        sha256: The SHA-256 of its bytes, in hexadecimal.
    """

    __slots__ = ("number", "sha256")

    number: str
    sha256: str


def notice(text: str) -> Line:
    """Return a line with a message of the client itself."""
    return [(QUIET, "-- "), (NOTICE, text)]


def plain(text: str) -> Line:
    """Return a further line of the client itself, such as one that is to be copied."""
    return [(NOTICE, text)]


def error(text: str) -> Line:
    """Return a line with an error."""
    return [(ERROR, "Error: "), (PLAIN, text)]


class Formatter:
    """Makes lines of events and answers.

    Args:
        me: Returns the user's present name.
        now: Returns the present time in ms since 1970.
        stamps: Whether lines begin with their time.
        mark: Returns what stands in brackets after the author of a message; empty for nothing.
    """

    def __init__(
        self,
        me: Callable[[], str],
        now: Callable[[], int],
        *,
        stamps: bool = True,
        mark: Callable[[e.Message], str] = lambda event: "",
    ) -> None:
        self._me = me
        self._now = now
        self._mark = mark
        self._colours = Colours()
        self.stamps = stamps

    def heard(self, event: e.Event) -> list[Line]:
        """Return the lines of an event; an empty list if the event is for programs only."""
        return [part for line in self._heard(event) for part in split(line)]

    def _heard(self, event: e.Event) -> list[Line]:
        """Return the lines of an event as ``heard`` does; a line still holds LF if a message has several lines."""
        if is_untold(event):
            return []
        if isinstance(event, e.MESSAGES):
            return [self.message(event).whole]
        if isinstance(event, e.RoomEvent) and not self._concerns_me_alone(event):
            return [self._stamp(event.at, TIME) + self._happened(event)]
        return self.answer(event)

    def message(self, event: e.Message, *, private: bool = False) -> MessageLine:
        """Return the line of a message with its time.

        Args:
            event: The message.
            private: Whether the line is for the window of a private conversation, which says so already.
        """
        line = self._message(event, private=private)
        stamp = self._stamp(event.at, DAY_AND_TIME if self._old(event) else TIME)
        return replace(line, head=[*stamp, *line.head])

    def amended(
        self, event: e.Amendment, edited: int, reactions: tuple[e.EmojiReaction, ...], file: str = ""
    ) -> MessageLine | None:
        """Return what becomes of the line of a message, with an empty body if its text stays; None if nothing does.

        Args:
            event: What is done to the message.
            edited: When the message was last edited.
            reactions: The reactions to it.
            file: The name of the file, if the message shares one.
        """
        if file and isinstance(event, e.Deleted):
            return MessageLine([], [(QUIET, f" shared {file} (deleted)")], [])
        before = e.Said("", 0, event.by, event.by_id, text=".", edited=edited, reactions=reactions)
        try:
            message = amended(before, event)
        except (MessageGone, NotTheAuthor, TooManyReactions, NothingToChange):
            return None
        body = [] if message.text == before.text else self._text(with_deletion_shown(message))
        return MessageLine([], body, self._tail(message), message.edited, message.reactions)

    def sent(self, event: a.Sent) -> MessageLine:
        """Return the line of our own private message for the window of the conversation."""
        name = (self._colours.of(self._me()), self._me())
        head = [*self._stamp(self._now(), TIME), name, *_quoting(event), (PLAIN, ": ")]
        return MessageLine(head, [(PLAIN, event.text)], [])

    def answer(self, event: e.Event) -> list[Line]:
        """Return the lines of an answer, or of an event that concerns only the user."""
        if isinstance(event, a.History | a.Found) and event.events:
            return [*self._count(event), *map(self.recalled, event.events), *self._searched_back(event)]
        if isinstance(event, a.Sent) and not event.waits:
            return [self._stamp(self._now(), TIME) + self._sent(event)]
        if isinstance(event, a.Error):
            return [error(event.text)]
        words = ANSWERS.get(kind_of(event))
        if words is None:
            return []
        style = LOUD if isinstance(event, _LOUD) else QUIET
        texts = words(unused, event)
        stamp = self._stamp(self._now(), TIME) if len(texts) == 1 else []  # a table needs no time
        return [[*stamp, (style, text)] for text in texts]

    def recalled(self, event: e.Message | e.Amendment) -> Line:
        """Return the line of an old message, or of what was done to one, always with its day.

        The line of a message says what became of it since.
        """
        return [(QUIET, f"{spell_moment(event.at, DAY_AND_TIME)} "), *self._message(event).whole]

    def about_many(self, text: str) -> Line:
        """Return a line about several users who came and went."""
        return [*self._stamp(self._now(), TIME), (QUIET, text)]

    # ---- pieces ------------------------------------------------------------------------------------------------

    def _message(self, event: e.Message | e.Amendment, *, private: bool = False) -> MessageLine:
        """Return a message, or what was done to one, without its time, with the author's name in its colour."""
        if isinstance(event, e.Amendment):
            return MessageLine(self._happened(event), [], [])
        if isinstance(event, a.OwnPrivate) and not private:
            return MessageLine(self._happened(event), [], self._tail(event))
        if isinstance(event, e.Shared | e.SealedMessage):
            name, *words = self._happened(event)
            file = event.name if isinstance(event, e.Shared) else ""
            return MessageLine([name], words, self._tail(event), 0, event.reactions, file)
        tail = self._tail(event)
        event = with_deletion_shown(event)
        name = (self._colours.of(event.by), event.by)
        word = self._mark(event)
        mark = [(MARK, f" ({word})")] if word else []
        if isinstance(event, e.Private):
            between = (PLAIN, ": ") if private else (PRIVATE, " (private): ")
            became = (event.edited, event.reactions) if isinstance(event, Opened | OpenedOwn) else (0, ())
            return MessageLine([name, *mark, *_quoting(event), between], [(PLAIN, event.text)], tail, *became)
        quoting = _quoting(event)
        acted = isinstance(event, e.Acted)
        head = [*([(PLAIN, "* ")] if acted else []), name, *mark, *quoting, (PLAIN, " " if acted else ": ")]
        return MessageLine(head, self._text(event), tail, event.edited, event.reactions)

    def _tail(self, event: e.Message) -> Line:
        """Return what follows the text of a message: that it was edited, and the reactions to it."""
        became = what_became(event)
        return [(QUIET, became)] if became else []

    def _concerns_me_alone(self, event: e.RoomEvent) -> bool:
        """Return whether an event is about the user or answers the user, so that it reads ``You are now bob.``"""
        match event:
            case e.Invited(user=name) | e.Renamed(name=name) | e.Left(by=name):
                return name == self._me()
        return False

    def _text(self, event: e.Spoken) -> Line:
        """Return the text of a message; the user's name stands out if somebody else wrote the message."""
        if event.by == self._me():
            return [(PLAIN, event.text)]
        pieces: Line = []
        end = 0
        for start, stop in self._mentions(event.text):
            pieces += [(PLAIN, event.text[end:start]), (MENTION, event.text[start:stop])]
            end = stop
        return [piece for piece in (*pieces, (PLAIN, event.text[end:])) if piece[1]]

    def _mentions(self, text: str) -> list[tuple[int, int]]:
        return mentions(text, self._me())

    def _happened(self, event: e.RoomEvent | e.Private) -> Line:
        """Return the line for an event without its time, with the name at its beginning in its colour."""
        words = LINES[kind_of(event)]("", event)
        style = QUIET
        if isinstance(event, e.Shared):
            if event.to == self._me():
                (words,) = ANSWERS[e.Shared](unused, event)
            style = _shared(event) if event.name and event.to in ("", self._me()) else QUIET
        if words.startswith(event.by):
            return [(self._colours.of(event.by), event.by), (style, words[len(event.by) :])]
        return [(style, words)]

    def _sent(self, event: a.Sent) -> Line:
        to = [(PLAIN, "To "), (self._colours.of(event.to), event.to), (PRIVATE, " (private)")]
        return [*to, *_quoting(event), (PRIVATE, ": "), (PLAIN, event.text)]

    def _count(self, event: a.History | a.Found) -> list[Line]:
        if isinstance(event, a.History):
            return []
        number = len(event.events)
        return [[(QUIET, f"{number} message{'s' if number > 1 else ''} found:")]]

    def _searched_back(self, event: a.History | a.Found) -> list[Line]:
        return [[(QUIET, text)] for text in searched_back(event)] if isinstance(event, a.Found) else []

    def _stamp(self, at: int, form: str) -> Line:
        return [(QUIET, f"{spell_moment(at, form)} ")] if self.stamps else []

    def _old(self, event: e.Message) -> bool:
        """Return whether a message is not of today, so that its line needs the day."""
        return spell_moment(event.at, DAY) != spell_moment(self._now(), DAY)


def _quoting(event: e.Spoken | e.Private | a.Sent) -> Line:
    """Return the words about what a message answers; empty if it answers nothing."""
    words = answering(event)
    return [(QUIET, words)] if words else []


def _shared(event: e.Shared) -> str:
    style = SharedStyle(QUIET)
    style.number, style.sha256 = f"{'@' if event.to else ''}{event.number}", event.sha256
    return style


def unused(room: str, event: object) -> str:
    """Fill the place of the function that spells old messages; never called, because the screen formats them itself."""
    raise AssertionError("messages of before have a form of their own")


def setting_lines(settings: Settings, *, guest: bool) -> list[str]:
    """Return lines about all settings, or about the one setting that was asked for or changed.

    Args:
        settings: The server's answer.
        guest: Whether the user is a guest, whose settings the server forgets.
    """
    whose = "while you are connected" if guest else "with your account"
    lines = ANSWERS[Settings](unused, settings)
    if len(lines) == 1:
        return [f"{lines[0].removesuffix('.')} (the server keeps this {whose})."]
    shown = [
        line for line in lines if not line.startswith("Timestamps")
    ]  # the server's setting is for telnet; the client has its own
    return [f"The server keeps {whose}:", *(f"  {line}" for line in shown)]
