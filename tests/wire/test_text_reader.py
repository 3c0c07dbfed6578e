"""How a line is read, rule by rule (docs/protocol.md, "What people type")."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from chatroom.chat.limits import Rules
from chatroom.model import commands as c
from chatroom.model.errors import Refused
from chatroom.wire.dialects.text_reader import read


class Seat:
    """As much of a session as a line is read by."""

    def __init__(self, room: object = None, account: object = None) -> None:
        self.room = room
        self.user = SimpleNamespace(account=account, operator=False)
        self.host = SimpleNamespace(rules=Rules())
        self.question: Any = None
        self.ask_again: Any = None
        self.asked: list[str] = []

    def answer(self, event: Any) -> None:
        self.asked.append(event.text)

    def refuse(self, refused: Refused) -> None:
        self.asked.append(f"Error: {refused.text}")


NOT_IN_ROOM = "you are not in a room; join one with /join <room>."
ANYWHERE = {
    "/name bob": c.SetName(name="bob"),
    "/NICK bob": c.SetName(name="bob"),
    "/create  r ": c.Create(room="r"),
    "CREATE_ROOM r": c.Create(room="r"),
    "/j r": c.Join(room="r"),
    "/J r 5": c.Join(room="r", messages=5),
    "/part": c.Leave(),
    "/names": c.ListMembers(),
    "/whois u": c.Whois(user="u"),
    "/query u a b": c.Tell(user="u", text="a b"),
    "/w u a": c.Tell(user="u", text="a"),
    "/r a b": c.Reply(text="a b"),
    "/help account delete": c.ShowHelp(command="account delete"),
    "/join r": c.Join(room="r"),
    "/join r 5": c.Join(room="r", messages=5),
    "JOIN_ROOM r": c.Join(room="r", create=False),
    "/leave": c.Leave(),
    "LEAVE_ROOM": c.Leave(),
    "LEAVE_ROOM ": c.Leave(),
    "/rooms": c.ListRooms(),
    "/list": c.ListRooms(),
    "LIST_ROOMS": c.ListRooms(),
    "/who": c.Who(),
    "/say  a b ": c.Say(text="a b"),
    "//me": c.Say(text="/me"),
    "/me waves": c.Act(text="waves"),
    "/msg u a b": c.Tell(user="u", text="a b"),
    "/message u a": c.Tell(user="u", text="a"),
    "/reply a b": c.Reply(text="a b"),
    "/history": c.ReadHistory(),
    "/history 7": c.ReadHistory(messages=7),
    "/search a b": c.Search(words="a b", again=True),
    "/hello": c.Hello(),
    "/help": c.ShowHelp(),
    "/help join": c.ShowHelp(command="join"),
    "/quit": c.Quit(),
    "/exit": c.Quit(),
    "EXIT": c.Quit(),
    "/echo off": c.SetEcho(on=False),
    "/echo ON": c.SetEcho(on=True),
    "/echo": c.SetEcho(),
    "/ignore": c.SetIgnore(),
    "/ignore u": c.SetIgnore(user="u"),
    "/ignore u off": c.SetIgnore(user="u", on=False),
    "/away": c.SetAway(),
    "/away a b": c.SetAway(text="a b"),
    "/timestamps on": c.SetTimestamps(on=True),
    "/set": c.ShowSettings(),
}
OUTSIDE = {
    "join r": c.Join(room="r"),
    "Join r 5": c.Join(room="r", messages=5),
    "leave": c.Leave(),
    "who": c.Who(),
    "rooms": c.ListRooms(),
    "message u a b": c.Tell(user="u", text="a b"),
    "msg u a": c.Tell(user="u", text="a"),
    "help": c.ShowHelp(),
    "help who": c.ShowHelp(command="who"),
    "hello": c.Hello(),
    "HI": c.Hello(),
    "exit": c.Quit(),
    "quit": c.Quit(),
    "": None,
    "   ": None,
}
TALK = ["exit", "who", "quit", "join r", "help", "leave now", "Leave", " leave", "EXIT now", "LEAVE_ROOM now", "exit "]
OUTSIDE_TALK = [
    "good morning",
    "hello everybody",
    "leave it",
    "EXIT now",
    "create_room r",
    "q",
    "/"[:0] + "Who are you",
]
USAGE = {
    "/name": "/name <name>",
    "/name a b": "/name <name>",
    "/join": "/join <room> [messages]",
    "/join r x": "/join <room> [messages]",
    "/join r -1": "/join <room> [messages]",
    "/join r 1 2": "/join <room> [messages]",
    "/join r 9999999999": "/join <room> [messages]",
    "JOIN_ROOM": "JOIN_ROOM <room>",
    "CREATE_ROOM": "/create <room>",
    "/leave now": "/leave",
    "/echo maybe": "/echo [on|off]",
    "/search": "/search <words>",
}


@pytest.mark.parametrize("room", [None, object()], ids=["outside", "in a room"])
@pytest.mark.parametrize("line", ANYWHERE)
def test_commands_anywhere(line: str, room: object) -> None:
    assert read(line.encode(), Seat(room)) == ANYWHERE[line]  # type: ignore[arg-type]


@pytest.mark.parametrize("line", OUTSIDE)
def test_bare_words_outside_a_room(line: str) -> None:
    assert read(line.encode(), Seat()) == OUTSIDE[line]  # type: ignore[arg-type]


@pytest.mark.parametrize("line", OUTSIDE_TALK)
def test_anything_else_outside_a_room(line: str) -> None:
    with pytest.raises(Refused, match=NOT_IN_ROOM):
        read(line.encode(), Seat())  # type: ignore[arg-type]


@pytest.mark.parametrize("line", TALK)
def test_in_a_room_everything_else_is_said(line: str) -> None:
    assert read(line.encode(), Seat(object())) == c.Say(text=line)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["", "  ", "\t"])
def test_nothing_is_not_said(line: str) -> None:
    assert read(line.encode(), Seat(object())) is None  # type: ignore[arg-type]


def test_leave_alone_leaves() -> None:
    assert read(b"leave", Seat(object())) == c.Leave()  # type: ignore[arg-type]


@pytest.mark.parametrize("line", USAGE)
def test_wrong_arguments(line: str) -> None:
    with pytest.raises(Refused) as refused:
        read(line.encode(), Seat())  # type: ignore[arg-type]
    assert (refused.value.code, refused.value.text) == ("usage", f"usage: {USAGE[line]}.")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("/foo", "/foo; type /help."),
        ("/", "/; type /help."),
        ("/FOO bar", "/FOO; type /help."),
        ("/jion den", "/jion; type /help. Did you mean /join?"),
        ("/WHOO", "/WHOO; type /help. Did you mean /who?"),
        ("/mgs bob hi", "/mgs; type /help. Did you mean /msg?"),
        ("/regsiter bob secret", "/regsiter; type /help. Did you mean /register?"),
        ("/anounce hi", "/anounce; type /help."),  # an operator's
        ("/" + "join" * 99, "/" + ("join" * 99)[:64] + "; type /help."),
    ],
)
def test_unknown_commands(line: str, text: str) -> None:
    with pytest.raises(Refused) as refused:
        read(line.encode(), Seat(object()))  # type: ignore[arg-type]
    assert refused.value.text == f"unknown command {text}"


def test_operators_are_told_of_their_own_commands() -> None:
    seat: Any = Seat()
    seat.user.operator = True
    with pytest.raises(Refused, match="Did you mean /announce"):
        read(b"/anounce hi", seat)


# ---- questions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["/msg", "message", "msg", "/message"])
def test_what_is_left_out_is_asked_for(first: str) -> None:
    seat: Any = Seat()
    assert read(first.encode(), seat) is None
    assert read(b"bob", seat) is None
    assert seat.asked == ["To whom?", "Message:"]
    assert read(b" //quit is what I say ", seat) == c.Tell(user="bob", text="/quit is what I say")
    assert seat.question is None


def test_only_what_is_missing_is_asked_for() -> None:
    seat: Any = Seat()
    assert read(b"/msg bob", seat) is None
    assert seat.asked == ["Message:"]
    assert read(b"hi", seat) == c.Tell(user="bob", text="hi")


@pytest.mark.parametrize("line", [b"", b"  ", b"/cancel", b"/CANCEL"])
@pytest.mark.parametrize("steps", [[b"/msg"], [b"/msg", b"bob"]])
def test_a_question_can_be_cancelled(steps: list[bytes], line: bytes) -> None:
    seat: Any = Seat(object())
    for step in steps:
        read(step, seat)
    assert read(line, seat) is None
    assert seat.asked[-1] == "Cancelled."
    assert read(b"who", seat) == c.Say(text="who")


def test_a_wrong_answer_ends_the_question() -> None:
    seat: Any = Seat(object())
    read(b"/msg", seat)
    with pytest.raises(Refused, match="usage: /msg <user> <text>"):
        read(b"two words", seat)
    assert read(b"hello", seat) == c.Say(text="hello")


def test_a_question_works_in_a_room_and_for_the_room() -> None:
    seat: Any = Seat(object())
    assert read(b"/me", seat) is None
    assert seat.asked == ["Message:"]
    assert read(b"waves", seat) == c.Act(text="waves")


@pytest.mark.parametrize("line", ["/who", "/QUIT now", "/account delete", "/sessions end 2", "/w ann hi", " /names "])
@pytest.mark.parametrize(
    ("steps", "question"), [([b"/msg"], "To whom?"), ([b"/msg", b"bob"], "Message:"), ([b"/me"], "Message:")]
)
def test_a_command_is_no_answer_and_the_question_is_asked_again(steps: list[bytes], question: str, line: str) -> None:
    seat: Any = Seat(object())
    for step in steps:
        read(step, seat)
    assert read(line.encode(), seat) is None
    word = line.split()[0].lower()
    refusal = f"Error: {word} is a command, and you are being asked; answer first, or type /cancel."
    assert seat.asked[-2:] == [refusal, question]
    assert read(b"/cancel", seat) is None
    assert read(b"who", seat) == c.Say(text="who")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("who", "who"),
        ("EXIT", "EXIT"),
        ("LIST_ROOMS", "LIST_ROOMS"),
        ("login", "login"),
        ("//who is there", "/who is there"),
        ("//foo", "/foo"),
        ("/foo", "/foo"),
        ("/ slash", "/ slash"),
        ("///", "//"),
    ],
)
def test_every_other_line_is_the_answer(line: str, text: str) -> None:
    seat: Any = Seat(object())
    read(b"/msg bob", seat)
    assert read(line.encode(), seat) == c.Tell(user="bob", text=text)


@pytest.mark.parametrize("word", ["who", "EXIT", "leave"])
def test_a_name_may_be_a_word_of_ours(word: str) -> None:
    seat: Any = Seat(object())
    read(b"/msg", seat)
    read(word.encode(), seat)
    assert read(b"hi", seat) == c.Tell(user=word, text="hi")


# ---- passwords in a room ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["login", "register", "Login", "REGISTER", "login ", "  register"])
def test_a_guest_in_a_room_is_asked_as_outside(line: str) -> None:
    seat: Any = Seat(object())
    assert read(line.encode(), seat) is None
    assert seat.asked == ["user,password:"]
    record = c.Login if "login" in line.lower() else c.Register
    assert read(b"zoe,a secret", seat) == record(user="zoe", password="a secret")
    assert seat.question is None


@pytest.mark.parametrize("line", ["login", "register"])
def test_who_is_logged_in_says_it(line: str) -> None:
    assert read(line.encode(), Seat(object(), account=object())) == c.Say(text=line)  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["login now", "login?", "register zoe", "logout", "please login"])
def test_in_a_sentence_it_is_said(line: str) -> None:
    assert read(line.encode(), Seat(object())) == c.Say(text=line)  # type: ignore[arg-type]


def test_say_says_it() -> None:
    assert read(b"/say login", Seat(object())) == c.Say(text="login")  # type: ignore[arg-type]


@pytest.mark.parametrize("answer", ["zoe,/who", "zoe,//x", "zoe,/help me", "zoe,leave"])
def test_a_password_may_be_anything(answer: str) -> None:
    seat: Any = Seat(object())
    read(b"login", seat)
    assert read(answer.encode(), seat) == c.Login(user="zoe", password=answer.partition(",")[2])


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/register dora,geheim1", c.Register(user="dora", password="geheim1")),
        ("/login dora,a,b", c.Login(user="dora", password="a,b")),
        ("login dora,geheim1 ", c.Login(user="dora", password="geheim1")),
        ("/set-password dora,geheim1", c.SetPassword(user="dora", password="geheim1")),
        ("/login dora a,b", c.Login(user="dora", password="a,b")),
        ("/register dora,x y", c.Register(user="dora,x", password="y")),
    ],
)
def test_a_name_and_a_password_may_stand_with_a_comma_between(line: str, command: c.Command) -> None:
    assert read(line.encode(), Seat()) == command  # type: ignore[arg-type]


@pytest.mark.parametrize("line", ["/register dora,", "/login ,geheim1"])
def test_half_of_a_name_and_a_password_is_refused(line: str) -> None:
    with pytest.raises(Refused, match="expected user,password"):
        read(line.encode(), Seat())  # type: ignore[arg-type]
