"""Deciding what happens with each event from the server: it is shown in a window, learned from, or hidden."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chatroom.client.client import Client
from chatroom.client.opened import PrivateChange
from chatroom.client.screen.announcement_coalescing import AnnouncementCoalescing
from chatroom.client.screen.colours import QUIET
from chatroom.client.screen.crowds import Crowds
from chatroom.client.screen.formatter import Formatter, Line, MessageLine, error, notice, plain, setting_lines
from chatroom.client.screen.join_coalescing import Coming
from chatroom.client.screen.known_words import KnownWords
from chatroom.client.screen.notifier import Alerts
from chatroom.client.screen.read_marker import ReadMarker
from chatroom.client.screen.routing import Router
from chatroom.client.screen.scrollback import StoredLine
from chatroom.client.screen.typing_people import TypingPeople
from chatroom.client.screen.window_list import ChatWindow, WindowKind
from chatroom.client.screen.window_output import WindowOutput
from chatroom.client.status import (
    Connected,
    ConversationsListed,
    Denied,
    Ended,
    Gap,
    Lost,
    Named,
    Notice,
    SecurityNotice,
)
from chatroom.model import events as e
from chatroom.model import replies as a
from chatroom.model.names import fold
from chatroom.model.text import clean
from chatroom.model.wording import TAKEOVERS

_COMING = (e.Joined, e.Left, e.Disconnected)
_SAID = (*e.MESSAGES, e.Edited, e.Reacted)
_OF_THE_CHAT = (e.Arrived, e.Departed, e.Announced, a.Shutdown)


@dataclass
class Filter:
    """Which users' messages are hidden: those of ignored users; and, if users are in focus, those of everybody else.

    Attributes:
        ignored: The folded names of ignored users; see ``fold``.
        focus: The folded names of users in focus.
        reactions: Whether reactions to messages are shown.
    """

    ignored: set[str] = field(default_factory=set)
    focus: set[str] = field(default_factory=set)
    reactions: bool = True

    def ignores(self, name: str) -> bool:
        """Return whether a user is ignored."""
        return fold(name) in self.ignored

    def hides(self, event: e.Event, me: str) -> bool:
        """Return whether an event is something said, or a reaction, that must be hidden."""
        if isinstance(event, e.Reacted) and (not self.reactions or fold(event.user) in self.ignored):
            return True
        if not isinstance(event, _SAID) or event.by == me:
            return False
        name = fold(event.by)
        return name in self.ignored or bool(self.focus and name not in self.focus and not isinstance(event, e.Private))


class Presenter:
    """Shows each event, remembers it for completion, or hides it; the client calls ``tell``.

    Args:
        client: The client that the events come from.
        lines: Turns events into lines.
        output: Adds the lines to the windows.
        router: Finds the window of each event.
        crowds: Shows the users who enter and leave rooms.
        once: Shows the users who log in and out.
        mark: Finds the place where the user stopped reading.
        alerts: Ring, and notify, at some messages.
        known: Learns rooms, users and commands for completion.
        filter: Hides messages of some users.
        typing: Shows who is typing.

    Attributes:
        settings: Called with every ``Settings`` from the server, even if not shown; returns the ``Settings`` to show.
    """

    def __init__(
        self,
        client: Client,
        lines: Formatter,
        output: WindowOutput,
        router: Router,
        crowds: Crowds,
        once: AnnouncementCoalescing,
        mark: ReadMarker,
        alerts: Alerts,
        known: KnownWords,
        filter: Filter,
        typing: TypingPeople,
    ) -> None:
        self._client = client
        self._lines = lines
        self._output = output
        self._router = router
        self._crowds = crowds
        self._once = once
        self._mark = mark
        self._alerts = alerts
        self._known = known
        self._filter = filter
        self._typing = typing
        self.settings: Callable[[a.Settings], a.Settings] = lambda settings: settings
        self._unshown: list[type] = []
        self._why = ""

    def learn_quietly(self, answer: type[e.Event]) -> None:
        """Do not show the next answer of that kind, because the client itself asked for it."""
        self._unshown.append(answer)

    def learned(self, answer: type[e.Event]) -> None:
        """Stop waiting for an answer of that kind: the client's command was refused."""
        if answer in self._unshown:
            self._unshown.remove(answer)

    def tell(self, event: e.Event | Notice) -> None:
        """Handle an event or a notice: learn from it, and show it now or later unless it is hidden."""
        if not isinstance(event, e.Event):
            self.noticed(event)
            return
        if isinstance(event, a.Help) and (len(event.commands) > 1 or event.title):
            event = self._known.with_own(event)
        if isinstance(event, a.Settings):
            event = self.settings(event)
        if isinstance(event, a.Entered):
            self._mark.entered(event.room, event.read if event.unread else 0)
        self._learn(event)
        self._note_typing(event)
        if type(event) in self._unshown:
            self._unshown.remove(type(event))
        elif isinstance(event, e.Arrived | e.Departed):
            self._once.announced(event)
        elif self._answered(event):
            pass
        elif isinstance(event, _COMING) and event.by != self._client.name:
            self._once.happened(event)
            self.came_or_went(event)
        elif not self._filter.hides(event, self._client.name):
            self._show(event)

    def came_or_went(self, event: Coming) -> None:
        """Show somebody who comes or goes, now or later together with others."""
        self._crowds.of(self._router.window(event)).add(event)

    def show(self, event: e.Event) -> None:
        """Show an event at once, in the window where it belongs."""
        window = self._router.window(event)
        if isinstance(event, e.MESSAGES):
            self._message(event, window, unread_line=False)
        elif isinstance(event, a.Sent):
            self._sent(event, window)
        elif isinstance(event, e.Amendment) and self._amended(event, window):
            pass
        else:
            for line in self._lines_of(event):
                if isinstance(event, _OF_THE_CHAT):
                    self._output.add_everywhere(line)
                else:
                    self._output.add(line, window)
        if isinstance(event, a.Entered):
            window.began = window.lines.next

    def say(self, text: str) -> None:
        """Show a message of the client itself in the window in front."""
        for line in text.split("\n"):
            self._output.add(notice(line))

    def complain(self, text: str) -> None:
        """Show an error in the window in front."""
        self._output.add(error(text))

    def refused(self, code: str, text: str) -> None:
        """Show a refusal of the server, and advice if the user is logged in elsewhere.

        Args:
            code: The refusal for programs.
            text: The refusal for people.
        """
        self.complain(text)
        if code in TAKEOVERS:
            self.say(TAKEOVERS[code])

    # ---- kinds of events ---------------------------------------------------------------------------------------

    def _answered(self, event: e.Event) -> bool:
        """Return whether an event is the renaming of the user by login or logout, which the answer tells already."""
        return isinstance(event, e.Renamed) and bool(event.user_id) and event.name == self._client.name

    def _show(self, event: e.Event) -> None:
        """Show an event after the events that wait, mark where unread ones begin, and ring if it should ring."""
        window = self._router.window(event)
        self._once.happened(event)
        self._once.before(event)
        self._crowds.before(event, window)
        if not isinstance(event, e.MESSAGES):
            self.show(event)
            return
        known = e.of_inbox(event) and event.seq <= window.newest
        if known and stored_line(event, window) is not None:
            return  # it came with the messages that were fetched when the window was opened
        replayed = self._client.replayed(event)  # it was said before we came
        own = event.by == self._client.name
        due = self._mark.before(event, own=own, away=window.away and not replayed)
        line = self._message(event, window, unread_line=due)
        if own and window.lacks_past:
            window.sent.append(event.id)
        if replayed:
            return
        if own:
            window.away = False
        self._alerts.heard(event, own=own, mentioned=line.mentions)

    def _message(self, event: e.Message, window: ChatWindow, *, unread_line: bool) -> MessageLine:
        line = self._lines.message(event, private=window.kind is WindowKind.PERSON)
        id = event.id if isinstance(event, e.Private) else ""
        self._output.message(line, window, event.seq, unread_line=unread_line, id=id)
        return line

    def _note_typing(self, event: e.Event) -> None:
        """Note who is typing, until that person says something."""
        if isinstance(event, a.Typing):
            window = self._router.typed_in(event)
            if window is not None and not self._filter.ignores(event.by):
                self._typing.typing(window, clean(event.by))
        elif self._typing.anybody and isinstance(event, e.MESSAGES):
            self._typing.stopped(self._router.window(event), clean(event.by))

    def _amended(self, event: e.Amendment, window: ChatWindow) -> bool:
        """Change the line of the message that an event is about. Returns whether that says all; if the window does not
        have the line any more, or the message is deleted, the event has a line of its own. What was done before we came
        has none: the history shows it with the message."""
        stored = window.lines.find(event.message)
        return self._client.replayed(event) if stored is None else self._changed(event, stored, window)

    def _changed(self, event: e.Amendment, stored: StoredLine, window: ChatWindow) -> bool:
        """Change the line of a message. Returns whether that says all."""
        line = self._lines.amended(event, stored.edited, stored.reactions, stored.file)
        if line is not None:
            self._output.amend(stored, line, window)
        return not isinstance(event, e.Deleted)

    def _sent(self, event: a.Sent, window: ChatWindow) -> None:
        """Show our own private message in its window; in the window in front, say that it was sent or that it waits."""
        if window.lacks_past:
            window.sent.append(event.id)
        if event.to != self._client.name:  # what we write to ourselves comes to us
            self._output.message(self._lines.sent(event), window, 0, unread_line=False, id=event.id)
        if event.waits or not self._router.in_front(window):
            for line in self._lines.heard(event):
                self._output.add(line)

    def _lines_of(self, event: e.Event) -> list[Line]:
        if isinstance(event, a.Settings):
            return [[(QUIET, text)] for text in setting_lines(event, guest=self._client.guest)]
        return self._lines.heard(event)

    def _learn(self, event: e.Event) -> None:
        """Learn the rooms, users and commands in an event, for completion."""
        if isinstance(event, a.Entered):
            self._known.add_rooms([event.room])
        elif isinstance(event, a.Rooms):
            self._known.add_rooms(line.room for line in event.rooms)
        elif isinstance(event, a.Users):
            self._known.are_online(line.name for line in event.users)
        elif isinstance(event, a.Account):
            self._known.add_people(event.users)
        elif isinstance(event, e.LogEvent) and (event.is_message or isinstance(event, e.Arrived)):
            self._known.add_people([event.by])
        elif isinstance(event, a.Help):
            self._known.learn(event)

    def noticed(self, what: Notice) -> None:
        """Show a change of the connection's state."""
        if isinstance(what, Lost) and what.why == self._why:
            return  # this loss was shown already, and the bar shows that there is no connection
        self._why = what.why if isinstance(what, Lost) else ""
        match what:
            case Connected(again=True):
                self._tell_all(f"connected again, as {what.name}.")
            case Connected():
                self._tell_all(
                    f"connected to {what.server} as {what.name} ({what.security}); /help explains the commands."
                )
            case Lost():
                self._tell_all(f"{_sentence(what.why)} The client keeps trying; Enter tries now.")
            case Ended(retry=True):
                self._complain_to_all(f"{_sentence(what.why)} Enter tries again.")
            case Ended():
                self._complain_to_all(_sentence(what.why))
            case Gap():
                gap = f"some messages sent to {what.room} in the meantime are not shown; see /history."
                self._output.add(notice(gap), self._router.window(what))
            case SecurityNotice():
                first, *rows = what.text.split("\n")
                window = self._router.window(what)
                self._output.add(error(first) if what.alarm else notice(first), window)
                for row in rows:
                    self._output.add(plain(row), window)
            case Denied(what="name", code="name-in-use"):
                pass  # ``LineInput`` asks for the account's password, or shows this if there is no account
            case Denied():
                self.refused(what.code, what.text)
            case PrivateChange():
                self._private_changed(what)
            case ConversationsListed():
                pass  # ``PrivateHistory`` opens their windows
            case Named():
                pass  # the bar shows the new name, and the answer to the command told it

    def _private_changed(self, change: PrivateChange) -> None:
        """Show what somebody did to an encrypted private message: in its line, or in words."""
        if self._filter.ignores(change.by):
            return
        window = self._router.window(change)
        stored = window.lines.find_id(change.message)
        if stored is None or not self._changed(change.amendment, stored, window):
            self._output.add(notice(change.words), window)

    def _tell_all(self, text: str) -> None:
        self._output.add_everywhere(notice(text))

    def _complain_to_all(self, text: str) -> None:
        self._output.add_everywhere(error(text))


def stored_line(event: e.Message, window: ChatWindow) -> StoredLine | None:
    """Return the line of a message in its window; None if it is not there. A sealed private one is known by its id."""
    if isinstance(event, e.Private) and not event.seq:
        return window.lines.find_id(event.id)
    return window.lines.find(event.seq)


def _sentence(why: str) -> str:
    """Return a reason as a sentence, with a full stop unless it is a question."""
    return why if why.endswith("?") else f"{why}."
