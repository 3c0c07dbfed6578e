"""The one command table: every command once, with its spellings, arguments, needs, help and handler.

What people may type, ``/help`` and docs/protocol.md come from here. To add a command: a record in ``commands``, a
handler, a row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from chatroom.chat import messaging
from chatroom.chat.chat import Chat
from chatroom.chat.files import sharing
from chatroom.chat.help_topics import TOPICS, CommandTopic
from chatroom.chat.operators import commands
from chatroom.chat.people import hello, login, login_sessions, preferences
from chatroom.chat.rooms import join_leave, moderation, queries, search
from chatroom.chat.session import Session
from chatroom.model import commands as c
from chatroom.model.arguments import Arg, Kind
from chatroom.model.errors import NO_COMMAND, Refused
from chatroom.model.events import Event
from chatroom.model.replies import Help, HelpLine, HelpTopic
from chatroom.model.suggestions import hint


class Needs(Enum):
    """What somebody must be to give a command."""

    NOTHING = ""
    GUEST = "no login"
    LOGIN = "a login"
    MODERATOR = "a moderator"
    OPERATOR = "an operator"


@dataclass(frozen=True, slots=True)
class CommandRow:
    """One command.

    Args:
        command: Its record.
        help: What it does, in a few words.
        run: What does it: returns an answer, None when it answers by itself, or a coroutine of either, which is
            awaited before the session's next line.
        slash: Its spellings after ``/``; the first is its usual one.
        upper: Its upper-case words, commands anywhere.
        bare: Its words outside a room.
        args: Its arguments.
        ask: What a person is asked who gives no argument; the answer has all that are required, with commas between.
        in_room: It needs a room.
        needs: What somebody must be.
        pipelined: It need not wait until what was said before it is stored.
        fixed: Fields that this spelling decides.

    Attributes:
        secret: One of its arguments is a password.
    """

    command: type[c.Command]
    help: str
    run: Callable[[Chat, Session, Any], Any]
    slash: tuple[str, ...] = ()
    upper: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    args: tuple[Arg, ...] = ()
    ask: str = ""
    in_room: bool = False
    needs: Needs = Needs.NOTHING
    pipelined: bool = False
    fixed: dict[str, Any] = field(default_factory=dict)
    secret: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "secret", any(arg.kind is Kind.SECRET for arg in self.args))

    @property
    def usage(self) -> str:
        """How it is typed."""
        word = f"/{self.slash[0]}" if self.slash else self.upper[0] if self.upper else ""
        return " ".join([word, *(arg.usage for arg in self.args)])

    @property
    def spellings(self) -> list[str]:
        """All words for it."""
        return [*(f"/{word}" for word in self.slash), *self.upper, *self.bare]


def show_help(chat: Chat, session: Session, command: c.ShowHelp) -> Event:
    """Explain the topics with all commands that the user may give, the commands of one topic, or one command.

    Raises:
        Refused: There is no such topic or command.
    """
    wanted = " ".join(command.command.lower().lstrip("/").split())
    rows = [row for row in TABLE if row.spellings]
    meant = [row for row in rows if wanted in {word.lower().lstrip("/") for word in row.spellings}]
    if meant:
        return Help([HelpLine(row.usage, row.help, row.spellings) for row in meant])
    allowed = [row for row in rows if row.needs is not Needs.OPERATOR or session.user.operator]
    topics = [(topic, _rows_of(topic, allowed)) for topic in TOPICS]
    if not wanted:
        shown = [HelpTopic(topic.name, topic.title, _words(rows)) for topic, rows in topics if rows]
        return Help([HelpLine(row.usage, row.help) for row in allowed], shown)
    for topic, rows in topics:
        if rows and topic.name == wanted:
            return Help([HelpLine(row.usage, row.help) for row in rows], title=topic.title)
    raise unknown_command(wanted, session)


def _rows_of(topic: CommandTopic, allowed: list[CommandRow]) -> list[CommandRow]:
    """Return the rows of a topic that may be shown, in the topic's order."""
    return [row for command in topic.commands for row in allowed if row.command is command]


def _words(rows: list[CommandRow]) -> list[str]:
    """Return how the commands are usually called, each once."""
    return list(dict.fromkeys(f"/{row.slash[0]}" for row in rows if row.slash))


def unknown_command(word: str, session: Session) -> Refused:
    """Return the refusal of a command that there is not; it names the one that is most like it."""
    known = [word for row in TABLE if row.needs is not Needs.OPERATOR or session.user.operator for word in row.slash]
    return NO_COMMAND(word=f"/{word[:64]}", hint=hint(word, known))


_USER = Arg("user", ask="To whom?")
_WHOM = Arg("user")
_PASSWORD = Arg("password", Kind.SECRET, ask="Password:")
_PAIR = "user,password:"  # asks for a name and a password together
_REASON = Arg("reason", Kind.REST, required=False)
_HOW_LONG = Arg("seconds", Kind.DURATION, "duration", required=False)
_TEXT = Arg("text", Kind.REST, ask="Message:")
_MESSAGES = Arg("messages", Kind.COUNT, required=False)
_ON = Arg("on", Kind.SWITCH, "on|off")
_ON_PERHAPS = Arg("on", Kind.SWITCH, "on|off", required=False)

TABLE = (
    CommandRow(c.SetName, "take a name", join_leave.set_name, ("name", "nick"), args=(Arg("name"),)),
    CommandRow(
        c.Create, "make a room and join it", join_leave.create, ("create",), ("CREATE_ROOM",), args=(Arg("room"),)
    ),
    CommandRow(
        c.Join,
        "join a room, which is made if there is none, and see its last messages",
        join_leave.join,
        ("join", "j"),
        bare=("join",),
        args=(Arg("room"), _MESSAGES),
    ),
    CommandRow(
        c.Join,
        "join a room that exists",
        join_leave.join,
        upper=("JOIN_ROOM",),
        args=(Arg("room"),),
        fixed={"create": False},
    ),
    CommandRow(
        c.Leave, "leave the room", join_leave.leave, ("leave", "part"), ("LEAVE_ROOM",), ("leave",), in_room=True
    ),
    CommandRow(c.ListRooms, "list the rooms", queries.rooms, ("rooms", "list"), ("LIST_ROOMS",), ("rooms",)),
    CommandRow(c.ListMembers, "see who is in the room", queries.members, ("names",), in_room=True),
    CommandRow(c.Who, "see who is online, and where", queries.who, ("who",), bare=("who",)),
    CommandRow(c.Whois, "see who somebody is, and where", queries.whois, ("whois",), args=(_WHOM,)),
    CommandRow(
        c.Say, "say something to the room", messaging.say, ("say",), args=(_TEXT,), in_room=True, pipelined=True
    ),
    CommandRow(
        c.Act, "say what you do: * alice waves", messaging.act, ("me",), args=(_TEXT,), in_room=True, pipelined=True
    ),
    CommandRow(
        c.Tell,
        "write to one person",
        messaging.tell,
        ("msg", "message", "query", "w"),
        bare=("message", "msg"),
        args=(_USER, _TEXT),
        pipelined=True,
    ),
    CommandRow(
        c.Reply, "write to whoever wrote to you last", messaging.reply, ("reply", "r"), args=(_TEXT,), pipelined=True
    ),
    CommandRow(
        c.ReadHistory,
        "show older messages of the room; outside a room, your private messages",
        queries.history,
        ("history",),
        args=(_MESSAGES,),
    ),
    CommandRow(
        c.Search,
        "find messages of the room that contain all these words",
        search.search,
        ("search",),
        args=(Arg("words", Kind.REST),),
        in_room=True,
    ),
    CommandRow(c.Hello, "make the server say hello", hello.hello, ("hello",), bare=("hello", "hi")),
    CommandRow(
        c.ShowHelp,
        "list what you can do, or explain a topic or a command",
        show_help,
        ("help",),
        bare=("help",),
        args=(Arg("command", Kind.REST, "topic or command", required=False),),
    ),
    CommandRow(c.Quit, "leave the server", join_leave.quit, ("quit", "exit"), ("EXIT",), ("exit", "quit")),
    CommandRow(
        c.SetEcho,
        "show or hide your own messages; alone, it shows the setting",
        preferences.echo,
        ("echo",),
        args=(_ON_PERHAPS,),
    ),
    CommandRow(
        c.SetIgnore,
        "hide somebody's messages; off shows them again; alone, it lists whom you ignore",
        preferences.ignore,
        ("ignore",),
        args=(Arg("user", required=False), _ON_PERHAPS),
    ),
    CommandRow(
        c.SetAway,
        "tell others that you are away, and why; alone, it says that you are back",
        preferences.away,
        ("away",),
        args=(Arg("text", Kind.REST, required=False),),
    ),
    CommandRow(
        c.SetTimestamps,
        "show or hide the time before each message; alone, it shows the setting",
        preferences.timestamps,
        ("timestamps",),
        args=(_ON_PERHAPS,),
    ),
    CommandRow(c.ShowSettings, "show your settings", preferences.show, ("set",)),
    CommandRow(
        c.Register,
        "make an account, and log in",
        login.register,
        ("register",),
        bare=("register",),
        args=(Arg("user"), _PASSWORD),
        ask=_PAIR,
        needs=Needs.GUEST,
    ),
    CommandRow(
        c.Login,
        "log in to your account",
        login.login,
        ("login",),
        bare=("login",),
        args=(Arg("user"), _PASSWORD),
        ask=_PAIR,
        needs=Needs.GUEST,
    ),
    CommandRow(
        c.Takeover,
        "log in here and end your session elsewhere, when /login says that there is one",
        login.take_over,
        ("takeover",),
        needs=Needs.GUEST,
    ),
    CommandRow(
        c.Logout, "log out and become a guest again", login.logout, ("logout",), bare=("logout",), needs=Needs.LOGIN
    ),
    CommandRow(
        c.ChangePassword,
        "change your password",
        login.password,
        ("password",),
        args=(
            Arg("old", Kind.SECRET, ask="Your password, as it is now:"),
            Arg("new", Kind.SECRET, ask="The new password:"),
        ),
        needs=Needs.LOGIN,
    ),
    CommandRow(c.ShowAccount, "see who you are", login.show, ("account",)),
    CommandRow(
        c.DeleteAccount,
        "delete your account and your mail",
        login.delete,
        ("account delete",),
        args=(_PASSWORD,),
        needs=Needs.LOGIN,
    ),
    CommandRow(
        c.ListSessions,
        "list the places where you are logged in or can log in without a password",
        login_sessions.show,
        ("sessions",),
        needs=Needs.LOGIN,
    ),
    CommandRow(
        c.EndSession,
        "end one of your sessions; /sessions shows their numbers",
        login_sessions.end,
        ("sessions end",),
        args=(Arg("number", Kind.COUNT),),
        needs=Needs.LOGIN,
    ),
    *(
        CommandRow(command, help, run, (word,), args=args, in_room=True, needs=Needs.MODERATOR)
        for command, word, help, run, args in (
            (c.Unmute, "unmute", "let somebody speak again", moderation.unmute, (_WHOM,)),
            (c.Op, "op", "make somebody a moderator of the room", moderation.op, (_WHOM,)),
            (c.Deop, "deop", "take a moderator's rights away from somebody", moderation.deop, (_WHOM,)),
            (c.Owner, "owner", "give the room to somebody with an account", moderation.owner, (_WHOM,)),
            (c.Invite, "invite", "let somebody join the room although it is locked", moderation.invite, (_WHOM,)),
            (c.Lock, "lock", "let only people join whom a moderator invites", moderation.lock, ()),
            (c.Unlock, "unlock", "let everybody join again", moderation.unlock, ()),
            (
                c.Slow,
                "slow",
                "let each person speak only once in so many seconds; 0 ends this",
                moderation.slow,
                (Arg("seconds", Kind.COUNT),),
            ),
            (
                c.Mute,
                "mute",
                "stop somebody from speaking in the room; alone, it lists who is muted",
                moderation.mute,
                (Arg("user", required=False), _HOW_LONG, _REASON),
            ),
        )
    ),
    CommandRow(
        c.SetTopic,
        "say what the room is about; alone, it shows the topic; - clears it",
        moderation.topic,
        ("topic",),
        args=(Arg("text", Kind.REST, required=False),),
        in_room=True,
    ),
    CommandRow(
        c.Kick,
        "remove somebody from the room; outside a room, operators disconnect them from the server",
        moderation.kick,
        ("kick",),
        args=(_WHOM, _REASON),
    ),
    CommandRow(
        c.Ban,
        "keep a person or an address out of the room, for 10m, 2h, 7d or for good; alone, it lists who is banned",
        moderation.ban,
        ("ban",),
        args=(Arg("user", required=False), _HOW_LONG, _REASON),
    ),
    CommandRow(c.Unban, "let somebody who was banned join again", moderation.unban, ("unban",), args=(_WHOM,)),
    CommandRow(
        c.Close,
        "close the room for everybody",
        moderation.close,
        ("close",),
        args=(_REASON,),
    ),
    CommandRow(
        c.Delete,
        "delete your last message or file here; moderators can delete other people's",
        moderation.delete,
        ("delete",),
        args=(Arg("user", required=False),),
        in_room=True,
    ),
    *(
        CommandRow(command, help, run, (word,), args=args, needs=Needs.OPERATOR, ask=_PAIR if _PASSWORD in args else "")
        for command, word, help, run, args in (
            (c.Announce, "announce", "say something to everybody", commands.announce, (_TEXT,)),
            (
                c.AddAccount,
                "add-account",
                "make an account, and keep a seat for it",
                commands.add_account,
                (_WHOM, _PASSWORD),
            ),
            (c.RemoveAccount, "remove-account", "remove an account", commands.remove_account, (_WHOM,)),
            (
                c.SetOperator,
                "set-operator",
                "make the owner of an account an operator, or no longer one",
                commands.set_operator,
                (_WHOM, _ON),
            ),
            (
                c.SetPassword,
                "set-password",
                "give an account a new password",
                commands.set_password,
                (_WHOM, _PASSWORD),
            ),
            (c.Drain, "drain", "stop letting new people in, or let them in again", commands.drain, (_ON,)),
            (c.ShowStats, "stats", "show figures of this server", commands.stats, ()),
        )
    ),
    CommandRow(c.ListFiles, "list the files of the room, and those given to you", sharing.files, ("files",)),
    CommandRow(
        c.Unshare,
        "take back a file that you shared, or gave to somebody",
        sharing.unshare,
        ("unshare",),
        args=(Arg("name", Kind.REST),),
    ),
    CommandRow(c.Get, "fetch a file", sharing.get, ("get",), args=(Arg("file", label="number", required=False),)),
    CommandRow(c.Share, "share a file; for programs", sharing.share),
    CommandRow(c.PutChunk, "send a chunk of a file; for programs", sharing.chunk, pipelined=True),
    CommandRow(c.Got, "acknowledge a chunk of a file; for programs", sharing.got, pipelined=True),
    CommandRow(c.Cancel, "stop sending or fetching a file; for programs", sharing.cancel),
    CommandRow(c.Acknowledge, "say how far you have read your inbox; for programs", queries.acknowledge),
    CommandRow(c.Pong, "answer a ping; for programs", queries.pong),
)

ROWS: dict[type[c.Command], CommandRow] = {}
for _row in TABLE:
    ROWS.setdefault(_row.command, _row)
