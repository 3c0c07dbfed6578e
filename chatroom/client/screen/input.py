"""Carrying out typed lines: saying one, giving the server a command, or running the client's own.

A line is said to the room or to the person of the window in which it was entered, and a command about a room is about
that room, even if the user has gone to another window before it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from chatroom.client.client import Client
from chatroom.client.errors import Rejected
from chatroom.client.pending import check_text
from chatroom.client.room_commands import is_about_room, lacks_room
from chatroom.client.screen.local_commands import LocalCommand
from chatroom.client.screen.parser import (
    CommandLine,
    LocalLine,
    Misuse,
    SayLine,
    check_password,
    depends_on_room,
    pair,
    read,
)
from chatroom.client.screen.password_guard import forgotten_slash, is_pair, kept_nowhere
from chatroom.client.screen.presenter import Presenter
from chatroom.client.screen.questions import Cancelled, Questions
from chatroom.client.screen.unsent import as_typed
from chatroom.client.screen.window_list import ChatWindow, WindowKind, Windows
from chatroom.model.arguments import Arg, Kind
from chatroom.model.commands import BY_SLASH, CommandRow
from chatroom.model.errors import ANSWER_FIRST
from chatroom.model.names import fold
from chatroom.model.text import on_one_line

_log = Logger()

SOON = 60.0  # seconds after a failed login in which a line such as ``alice,secret`` may be meant for the login
FOR_GUESTS = frozenset({"login", "register"})
ABOUT_MESSAGE = frozenset({"edit", "react", "quote", "delete"})
ABOUT_PERSON = frozenset({"history", "search", *ABOUT_MESSAGE})  # in the window of a person, about the conversation
WRITTEN = frozenset({"say", "me", "message", "reply", "edit", "quote"})  # commands with a text that somebody wrote
MISTYPED = frozenset({"bad-password", "wrong-password"})  # refusals after which a hidden password is asked for again
FOR_ACCOUNTS = frozenset({"password", "delete-account"})


class LineInput:
    """Carries out the lines that the user types.

    Args:
        client: The connection to the server.
        windows: The windows; a line is entered in the one in front.
        hearing: Shows errors and messages.
        questions: Asks for missing arguments.
        own: The client's own commands, by word.
        seconds: Returns the time in seconds.
        go: Brings a window to the front.
        put_back: Keeps a line of a window that was refused.

    Attributes:
        refused_room: The room that the server has refused to us on our way in; empty once we have been in a room.
    """

    def __init__(
        self,
        client: Client,
        windows: Windows,
        hearing: Presenter,
        questions: Questions,
        own: Mapping[str, LocalCommand],
        seconds: Callable[[], float],
        go: Callable[[ChatWindow], None],
        put_back: Callable[[str, ChatWindow, Rejected], None],
    ) -> None:
        self._client = client
        self._windows = windows
        self._hearing = hearing
        self._questions = questions
        self._own = own
        self._seconds = seconds
        self._go = go
        self._put_back = put_back
        self._login_failed = -SOON
        self._told_cancelling = False
        self.refused_room = ""

    def typed(self, line: str) -> None:
        """Carry out a typed line; if its meaning depends on the room, first wait for the answer to a change of room."""
        window = self._windows.front
        if depends_on_room(line):
            self._client.when_there(lambda: self._carry_out(line, window))
        else:
            self._carry_out(line, window)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Start a coroutine, and show its error if it fails."""
        Deferred.fromCoroutine(coroutine).addErrback(self._failed)

    async def say(self, text: str, window: ChatWindow | None = None) -> None:
        """Say something to the room or the person of a window; return when the server has stored it.

        What is refused is put back into the input line of the window.

        Args:
            text: What to say.
            window: The window; None for the one in front.
        """
        window = window or self._windows.front
        try:
            await self._say(text, window)
        except Rejected as refused:
            self._put_back(as_typed(text), window, refused)
            raise

    async def _say(self, text: str, window: ChatWindow) -> None:
        heard = window.kind is WindowKind.PERSON or self._is_inside(window)
        if window.kind is WindowKind.ROOM and not heard:
            raise _not_in(window)
        if window.kind is WindowKind.SERVER and self._client.rooms and not self._client.target:
            raise Misuse("nobody hears this; go to the window of a room or a person first.")
        if self._client.online and not (heard or self._client.room):
            raise Misuse("you are not in a room; join one with /join <room>.")
        if not self._client.online and not self._client.over:
            self._hearing.say(f"no connection; this is said when there is one again: {on_one_line(text)}")
        if window.kind is WindowKind.PERSON:
            await self._client.do("message", user=window.name, text=text)
        else:
            await self._client.say(text, window.name if heard else "")

    def refuses(self, line: str) -> bool:
        """Return whether the text in a typed line is longer than a message may be; if so, tell the user."""
        try:
            meaning = read(line, self._own)
            text = meaning.text if isinstance(meaning, SayLine) else getattr(meaning, "fields", {}).get("text", "")
            check_text(text, self._client.limits.text)
        except Misuse:
            return False  # what is wrong is told when the line is carried out
        except Rejected as refused:
            self._hearing.complain(refused.text)
            return True
        return False

    def looks_secret(self, line: str) -> bool:
        """Return whether a line that would be said, such as a pasted one, seems to contain a password."""
        return kept_nowhere(line) if line.lstrip().startswith("/") else self._slip(line) is not None

    async def give(self, do: str, **fields: Any) -> None:
        """Give the server a command; its answer is shown like every event."""
        await self._client.do(do, **fields)

    async def join_refused_room(self) -> None:
        """Join the room that was refused on our way in, if we are in no room: a login may have changed the answer."""
        room, self.refused_room = self.refused_room, ""
        if room and not self._client.room:
            await self.give("join", room=room)

    # ---- details ---------------------------------------------------------------------------------------------------

    def _carry_out(self, line: str, window: ChatWindow) -> None:
        """Read a line that was entered in a window, and do what it means; show an error if it is wrong."""
        inside = window.kind is WindowKind.PERSON or self._is_inside(window) or self._client.inside
        try:
            meaning = read(line, self._own, inside=inside, guest=self._client.guest)
        except Misuse as misuse:
            if not self._leaves_by_name(line):
                self._hearing.complain(str(misuse))
            return
        match meaning:
            case SayLine(text):
                slip = None if line.startswith("/") else next(filter(None, map(self._slip, line.split("\n"))), None)
                self.start(self.say(text, window) if slip is None else self._say_if_meant(line, slip, window))
            case CommandLine():
                self.start(self._carried_out(meaning, line, window))
            case LocalLine(word, rest):
                self._do_own(word, rest)

    def _slip(self, line: str) -> str | None:
        """Return the command that a line without slash looks like, if the line seems to contain a password."""
        return forgotten_slash(line) or self._meant_for_login(line)

    def _meant_for_login(self, line: str) -> str | None:
        """Return ``/login`` if a login has just failed and a guest types only a name and a password with a comma
        between them."""
        just_now = self._seconds() - self._login_failed < SOON
        return "/login" if self._client.guest and just_now and is_pair(line) else None

    def _is_inside(self, window: ChatWindow) -> bool:
        """Return whether a window is that of a room that we are in."""
        return window.kind is WindowKind.ROOM and fold(window.name) in self._client.rooms

    async def _say_if_meant(self, line: str, command: str, window: ChatWindow) -> None:
        """Ask before saying a line that looks like a command with a password."""
        whom = window.name if window.kind is WindowKind.PERSON else "everybody here"
        try:
            answer = await self._questions.ask(f"That looks like a password. Say it to {whom}? [y]es, [n]o: ")
        except Cancelled:
            answer = ""
        if answer.strip().lower() in ("y", "yes"):
            await self.say(line, window)
        else:
            self._hearing.say(f"nothing was said; {command} is the command, and asks for what you leave out.")

    async def _carried_out(self, command: CommandLine, line: str, window: ChatWindow) -> None:
        """Give the server a command; if it is refused, and has a text that somebody wrote, put the line back."""
        try:
            await self._give(command, window)
        except Rejected as refused:
            if command.row.do in WRITTEN:
                self._put_back(line, window, refused)
            raise

    async def _give(self, command: CommandLine, window: ChatWindow) -> None:
        """Ask for the arguments that the command lacks, then give the server the command."""
        if self._goes_to_window(command):
            return
        if command.missing:
            self._check_login(command.row)
        fields = self._placed(command, window)
        for arg in command.missing:
            if arg.kind is not Kind.SECRET:
                fields.update(await self._asked_openly(command.row, arg))
        while True:
            secrets = {arg.field: await self._ask(arg) for arg in command.missing if _is_lacking(arg, fields)}
            try:
                await self.give(command.row.do, **fields, **secrets)
                return
            except Rejected as refused:
                if command.row.do in FOR_GUESTS:
                    self._login_failed = self._seconds()
                if not secrets or refused.code not in MISTYPED:
                    raise
                self._hearing.refused(refused.code, refused.text)

    async def _asked_openly(self, row: CommandRow, arg: Arg) -> dict[str, str]:
        """Ask for an argument that is no password; the name of a login may come with its password, after a comma."""
        answer = await self._ask_openly(f"{arg.prompt} ")
        if not (row.takes_pair and arg is row.args[0]):
            return {arg.field: answer}
        name, password = pair(answer)
        check_password(password)
        return {arg.field: name, **({"password": password} if password else {})}

    def _placed(self, command: CommandLine, window: ChatWindow) -> dict[str, Any]:
        """Return the fields of a command, with the room or the person of its window if the command is about that.

        Raises:
            Misuse: The command is about a room, and we are in some, but the window is none's.
        """
        fields = dict(command.fields)
        if window.kind is WindowKind.PERSON and command.row.do in ABOUT_PERSON:
            return {"user": window.name, **fields}
        if self._is_inside(window) and is_about_room(command.row.do, fields):
            return {"room": window.name, **fields}
        if self._client.rooms and not self._client.target and lacks_room(command.row.do, fields):
            return {"room": self._room_for(command.row, window), **fields}
        return fields

    def _room_for(self, row: CommandRow, window: ChatWindow) -> str:
        """Return a room for a command that was given in the window of none: ``/files`` lists one's own files anywhere.

        Raises:
            Misuse: The command is for the window of a room.
        """
        if row.do == "files":
            return list(self._client.rooms.values())[-1].room
        if window.kind is WindowKind.ROOM:
            raise _not_in(window)
        about = "a message of a room" if row.do in ABOUT_MESSAGE else "a room"
        raise Misuse(f"{row.usage.partition(' ')[0]} is about {about}; go to the window of the room first.")

    def _leaves_by_name(self, line: str) -> bool:
        """If a line is ``/leave`` with the name of a room that we are in, leave that room. Returns whether it is."""
        word, _, name = line.partition(" ")
        room = self._client.rooms.get(fold(name.strip())) if word.lower() == "/leave" else None
        if room is not None:
            self.start(self.give("leave", room=room.room))
        return room is not None

    def _goes_to_window(self, command: CommandLine) -> bool:
        """Go to the window of the room of a ``/join`` if we are in that room already. Returns whether we are, and it
        was not in front."""
        room = self._client.rooms.get(fold(command.fields.get("room", ""))) if command.row.do == "join" else None
        window = self._windows.open(WindowKind.ROOM, room.room) if room is not None else self._windows.front
        if window is self._windows.front:
            return False
        self._go(window)
        return True

    def _check_login(self, row: CommandRow) -> None:
        """Refuse a login that the server would refuse anyway, before asking for a password."""
        client = self._client
        if row.do in FOR_GUESTS and not client.guest:
            raise Misuse(f"you are logged in as {client.name}; /logout first.")
        if row.do in FOR_ACCOUNTS and client.guest:
            raise Misuse("you are not logged in; use /login <user> <password>.")

    async def _ask(self, arg: Arg) -> str:
        """Ask for a password until it can be one, a new one twice.

        It is asked for again because it would be shown if it was typed once more at the ordinary prompt.
        """
        if not self._told_cancelling:
            self._told_cancelling = True
            self._hearing.say("Enter alone or /cancel cancels.")
        while True:
            answer = await self._questions.ask(f"{arg.prompt} ", secret=True)
            try:
                check_password(answer)
            except Misuse as misuse:
                self._hearing.complain(str(misuse))
                continue
            if not arg.twice or await self._questions.ask("The same again: ", secret=True) == answer:
                return answer
            self._hearing.complain("the two are not the same; nothing was changed.")

    async def _ask_openly(self, words: str) -> str:
        """Ask for an argument that is no password. If the user types a command, refuse it and ask again, as on telnet;
        ``//who`` gives the answer ``/who``."""
        while True:
            answer = (await self._questions.ask(words)).strip()
            word = answer[1:].partition(" ")[0].lower() if answer.startswith("/") else ""
            if word not in BY_SLASH and word not in self._own and word != "cancel":
                return answer[1:] if answer.startswith("//") else answer
            self._hearing.complain(ANSWER_FIRST(word=f"/{word}").text)

    def _do_own(self, word: str, rest: str) -> None:
        try:
            self._own[word].run(rest)
        except Misuse as misuse:
            self._hearing.complain(str(misuse))

    def _failed(self, failure: Failure) -> None:
        """Show why what the user typed was not done."""
        error = failure.value
        if isinstance(error, Rejected) and error.code == "ended" and self._client.may_retry:
            self._hearing.complain("there is no connection; Enter on an empty line tries again.")
        elif isinstance(error, Rejected):
            self._hearing.refused(error.code, error.text)
        elif isinstance(error, Misuse):
            self._hearing.complain(str(error))
        elif isinstance(error, Cancelled):
            self._hearing.say("cancelled.")
        else:
            _log.failure("what was typed could not be done", failure)
            self._hearing.complain("something went wrong in this client; try again.")


def _not_in(window: ChatWindow) -> Misuse:
    """Return the error of a line in the window of a room that we are not in."""
    return Misuse(f"you are not in {window.name}; join it with /join {window.name}.")


def _is_lacking(arg: Arg, fields: Mapping[str, Any]) -> bool:
    """Return whether a password is to be asked for: it is not if it came together with the name."""
    return arg.kind is Kind.SECRET and arg.field not in fields
