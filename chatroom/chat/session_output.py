"""What the client of a session is shown: answers to its commands, and those events of its rooms that the user hears."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec.structs import replace

from chatroom.chat.interfaces import Dialect, Recipient
from chatroom.chat.session_parts import OpenMailbox
from chatroom.model.errors import Refused
from chatroom.model.events import MESSAGES, Edited, Event, LogEvent, Reacted, RoomMessage, SealedMessage, Spoken
from chatroom.model.log import Entry
from chatroom.model.names import fold
from chatroom.model.replies import Error
from chatroom.model.text import clean

_HEARD = (*MESSAGES, Edited, Reacted)  # what people say, and what is not shown of ignored users
_OWN = (Spoken, SealedMessage, Edited, Reacted)  # what a user without echo is not shown of the user's own
_NOBODY: Mapping[str, tuple[str, str]] = MappingProxyType({})


class SessionOutput:
    """The part of a session that shows events to the client.

    Args:
        out: Takes the bytes that are sent to the client.
        dialect: Turns the events that the client is shown into bytes.

    Attributes:
        user_id: The id of the session's user.
        echo: Whether the client is shown (the session "hears") the user's own messages.
        reactions: Whether the user wishes to see reactions to messages; a program is shown them in any case.
        ignored: The shown names and the ids of the users whose messages the session does not hear, by folded name.
        person: Whether a person types, not a program.
        mailbox: The mailbox of the device whose keys the session has published; None if it has published none.
    """

    __slots__ = ("dialect", "echo", "ignored", "mailbox", "out", "person", "reactions", "user_id")

    user_id: str

    def __init__(self, out: Recipient, dialect: Dialect, person: bool) -> None:
        self.out = out
        self.dialect = dialect
        self.person = person
        self.echo = True
        self.reactions = True
        self.ignored: Mapping[str, tuple[str, str]] = _NOBODY  # folded name: shown name, id
        self.mailbox: OpenMailbox | None = None

    def leave_mailbox(self) -> None:
        """Be sent no sealed messages any more, until keys are published again."""
        if self.mailbox is not None:
            self.mailbox.stop()
            self.mailbox = None

    def answer(self, event: Event, ref: int | str | None = None) -> None:
        """Send an event to the session alone; ``ref`` is that of the command that the event answers, if any."""
        data = self.dialect.answer(event, ref)
        if data:
            self.out.write(data)

    def refuse(self, refused: Refused, ref: int | str | None = None) -> None:
        """Send a refusal. Its text may quote what was typed, so it is cleaned like all text that is shown."""
        self.answer(Error(refused.code, clean(refused.text), refused.file), ref)

    def refuse_file(self, refused: Refused, file: str) -> None:
        """Send the reason why the transfer of the file with this id has ended."""
        self.answer(Error(refused.code, clean(refused.text), file))

    @property
    def filters(self) -> bool:
        """Whether the client is not shown all events of its rooms: its settings hide something, or ignore somebody."""
        return not self.echo or bool(self.ignored) or self.hides_reactions

    @property
    def hides_reactions(self) -> bool:
        """Whether the client is shown no reactions."""
        return self.person and not self.reactions

    def hears(self, entry: Entry) -> bool:
        """Return whether the client is shown an entry: not the user's own without echo, nor those of ignored users.

        Reactions to the messages of ignored users are not shown either, because they show the messages' first words.
        """
        event = entry.event
        if not isinstance(event, _HEARD):
            return True
        if isinstance(event, Reacted) and (self.hides_reactions or fold(event.user) in self.ignored):
            return False
        if event.by_id == self.user_id:
            return self.echo or not isinstance(event, _OWN)
        return not self.ignores(event)

    def as_shown(self, event: LogEvent) -> LogEvent:
        """Return an older event as the client is shown it: without reactions, if the client is shown none."""
        if self.hides_reactions and isinstance(event, RoomMessage) and event.reactions:
            return replace(event, reactions=())
        return event

    def ignores(self, event: LogEvent) -> bool:
        """Return whether the session ignores the author of an event."""
        return self.ignores_user(event.by, event.by_id)

    def ignores_user(self, name: str, id: str) -> bool:
        """Return whether the session ignores the user with this name and this id."""
        if not self.ignored:
            return False
        return fold(name) in self.ignored or any(ignored == id for _, ignored in self.ignored.values())
