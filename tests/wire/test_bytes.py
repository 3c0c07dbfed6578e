"""Hostile bytes through the whole way in and out: nothing breaks, and nothing reaches a terminal that acts on it."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from harness import Client, World
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from chatroom.model.text import MARKS_IN_A_ROW

IAC, DONT, DO, WONT, WILL, SB, SE, NOP, AYT = (bytes((code,)) for code in (255, 254, 253, 252, 251, 250, 240, 241, 246))
NAWS, TIMING_MARK, NEW_ENVIRON, TTYPE = b"\x1f", b"\x06", b"\x27", b"\x18"
NEGOTIATION = re.compile(rb"\xff[\xfb-\xfe].", re.DOTALL)
YES = b"\r\n[yes]\r\n"  # the answer to AYT
NOT_IN_ROOM = "Error: you are not in a room; join one with /join <room>."

# ---- what may reach a terminal -----------------------------------------------------------------------------------

BIDI = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
SEPARATORS = set("\u2028\u2029\ufeff")


def check_line(line: str) -> None:
    """Assert that a terminal only shows the line, and shows all of it where it stands."""
    marks = 0
    for char in line:
        assert unicodedata.category(char) not in ("Cc", "Cs"), ascii(line)
        assert char not in BIDI | SEPARATORS, ascii(line)
        marks = marks + 1 if unicodedata.category(char)[0] == "M" else 0
        assert marks <= MARKS_IN_A_ROW, ascii(line)


def text_of(data: bytes) -> str:
    """Return what was sent without telnet's answers; assert that it is harmless lines of UTF-8."""
    text = NEGOTIATION.sub(b"", data).replace(YES, b"").decode("utf-8")
    assert text == "" or text.endswith("\r\n"), ascii(text[-80:])
    for line in text.split("\r\n"):
        check_line(line)
    return text


def records_of(data: bytes) -> list[dict[str, Any]]:
    """Return the records that were sent; assert that each is one line, and that what they say is harmless.

    A ``ref`` comes back as it was given, to who gave it.
    """
    text = data.decode("utf-8")
    assert text == "" or text.endswith("\r\n")
    records = [json.loads(line) for line in text.split("\r\n")[:-1]]
    for line in text.split("\r\n"):
        assert not re.search("[\0-\x1f\x7f]", line), ascii(line)
    for record in records:
        for value in strings({key: value for key, value in record.items() if key != "re"}):
            check_line(value)
    return records


def strings(value: Any) -> Iterator[str]:
    """Return every string in a record; of the text of a message, which may have several lines, each line."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        spoken = value.get("event") in ("said", "acted", "private", "sent")
        for key, item in value.items():
            yield from (key, *(item.split("\n") if spoken and key == "text" else strings(item)))
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


HOSTILE = {
    "NUL": "a\0b",
    "BEL": "a\x07b",
    "backspace": "ab\x08\x08cd",
    "vertical tab": "a\x0bb\x0cc",
    "bare CR": "nothing\rEVIL",
    "ESC": "a\x1b[31mb\x1b[2J\x1b[Hc",
    "ESC cut off": "a\x1b",
    "reset": "a\x1bcb",
    "title": "a\x1b]0;evil\x07b",
    "OSC 52": "a\x1b]52;c;ZXZpbA==\x07b",
    "OSC 52 with ST": "a\x1b]52;c;ZXZpbA==\x1b\\b",
    "OSC 52 in C1": "a\x9d52;c;ZXZpbA==\x9cb",
    "OSC 52 without an end": "a\x1b]52;c;ZXZpbA==",
    "DCS": "a\x1bPq#0;2;0;0;0#0~~@@vv@@~~\x1b\\b",
    "CSI in C1": "a\x9b2Jb",
    "C1": "".join(map(chr, range(0x80, 0xA0))),
    "next line": "a\x85b",
    "DEL": "a\x7fb",
    "bidi override": "a\u202eb\u202cc",
    "bidi isolates": "a\u2066b\u2067c\u2068d\u2069e",
    "bidi embedding": "a\u202ab\u202bc\u202dd",
    "line separator": "a\u2028b\u2029c",
    "zalgo": "z" + "\u0301\u0316" * 100 + "a" + "\u0489" * 50,
    "zalgo around a NUL": "z" + "\u0301" * 4 + "\0" + "\u0301" * 4,
    "BOM": "\ufeffa\ufeffb",
    "an escape sequence in pieces": "\x1b\0[31mred\x1b\ufeff]52;c;ZXZpbA==\x07",
}

# ---- what people type --------------------------------------------------------------------------------------------

TYPED: dict[str, Callable[[str], list[str]]] = {
    "a message": lambda text: [text],
    "a message with //": lambda text: [f"//{text}"],
    "say": lambda text: [f"/say {text}"],
    "me": lambda text: [f"/me {text}"],
    "a private message": lambda text: [f"/msg bob {text}"],
    "a private message that was asked for": lambda text: ["/msg", "bob", text],
    "a private message to it": lambda text: [f"/msg {text} hello"],
    "an answer to a question": lambda text: ["/msg", text],
    "a private message to oneself": lambda text: [f"/msg alice {text}"],
    "an away text": lambda text: [f"/away {text}"],
    "a name": lambda text: [f"/name {text}"],
    "a room": lambda text: [f"/join {text}"],
    "a new room": lambda text: [f"CREATE_ROOM {text}"],
    "a room that is not there": lambda text: [f"JOIN_ROOM {text}"],
    "an unknown command": lambda text: [f"/{text}"],
    "an unknown command like a known one": lambda text: [f"/join{text}"],
    "help": lambda text: [f"/help {text}"],
    "ignore": lambda text: [f"/ignore {text}"],
    "a search": lambda text: [f"/search {text}"],
    "a number": lambda text: [f"/history {text}"],
    "a switch": lambda text: [f"/echo {text}"],
}


@pytest.fixture
def room(world: World) -> tuple[Client, Client, Client]:
    """Alice and bob, who are people, and a program, in a room."""
    people = world.person("alice", "lobby"), world.person("bob", "lobby")
    bot = world.program("bot", "lobby")
    for client in people:
        client.take()
    return *people, bot


def look_around(*clients: Client) -> None:
    """Make everybody see what lasts: who is there, the rooms, the history, the settings."""
    for client in clients[:-1]:
        client.say("/who", "/rooms", "/history", "/set")
    for name in ("who", "rooms", "history", "set"):
        clients[-1].record(do=name)


def check_all(alice: Client, bob: Client, bot: Client) -> None:
    """Assert that nothing harmful has come to anybody."""
    for client in (alice, bob):
        text_of(client.take())
    records_of(bot.take())


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
def test_nothing_hostile_that_is_typed_reaches_a_terminal(
    room: tuple[Client, Client, Client], typed: Callable[[str], list[str]]
) -> None:
    for text in HOSTILE.values():
        room[0].say(*typed(text))
        look_around(*room)
        check_all(*room)
        room[0].say("", "/name alice", "/join lobby")  # wherever that led


@pytest.mark.parametrize("typed", ["a message", "me", "a private message", "an away text"])
@pytest.mark.parametrize("raw", [b"a\x9b2Jb", b"\xc2", b"\xe2\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xc0\x80"])
def test_bytes_that_are_no_utf_8_become_replacement_characters(
    room: tuple[Client, Client, Client], typed: str, raw: bytes
) -> None:
    lines = TYPED[typed]("HERE")
    room[0].send("\n".join([*lines, ""]).encode().replace(b"HERE", b"x" + raw + b"y"))
    room[1].say("/who")
    heard = room[1].take().decode()
    assert re.search("x\ufffd+(2Jb)?y|xa\ufffd2Jby", heard), ascii(heard)
    check_all(*room)


@pytest.mark.parametrize("text", ["a\x1b]52;c;ZXZpbA==\x07b", "a\0b", "\ufeffa\u202eb"])
def test_what_is_harmless_in_a_hostile_message_still_arrives(room: tuple[Client, Client, Client], text: str) -> None:
    alice, bob, bot = room
    alice.say(text)
    assert bob.lines() == ["alice: ab"] == alice.lines()
    assert [record["text"] for record in bot.records()] == ["ab"]


def test_a_message_of_nothing_but_controls_is_no_message(room: tuple[Client, Client, Client]) -> None:
    alice, bob, _ = room
    alice.say("\0\ufeff\u202e\x1b[2J")
    assert alice.lines() == ["Error: there is nothing visible in that; write something."]
    assert bob.lines() == []


# ---- what programs send ------------------------------------------------------------------------------------------

SENT: dict[str, Callable[[str], dict[str, Any]]] = {
    "a message": lambda text: {"do": "say", "text": text},
    "me": lambda text: {"do": "me", "text": text},
    "a private message": lambda text: {"do": "message", "user": "bob", "text": text},
    "a private message to it": lambda text: {"do": "message", "user": text, "text": "hello"},
    "an away text": lambda text: {"do": "away", "text": text},
    "a name": lambda text: {"do": "name", "name": text},
    "a hello": lambda text: {"do": "hello", "version": 1, "client": text[:100], "name": text},
    "a room": lambda text: {"do": "join", "room": text},
    "an unknown command": lambda text: {"do": text},
    "an unknown field": lambda text: {"do": "who", text: text},
    "an id": lambda text: {"do": "say", "text": "hello", "id": text[:64]},
    "a ref": lambda text: {"do": "say", "text": "hello", "ref": text[:64]},
    "help": lambda text: {"do": "help", "command": text},
    "ignore": lambda text: {"do": "ignore", "user": text},
    "no ignore": lambda text: {"do": "ignore", "user": text, "on": False},
    "a search": lambda text: {"do": "search", "words": text},
}


@pytest.mark.parametrize("escaped", [True, False], ids=["escaped", "raw"])
@pytest.mark.parametrize("sent", SENT.values(), ids=SENT)
def test_nothing_hostile_that_a_program_sends_reaches_a_terminal(
    room: tuple[Client, Client, Client], sent: Callable[[str], dict[str, Any]], escaped: bool
) -> None:
    bot = room[2]
    for text in [*HOSTILE.values(), "two\nlines", "two\r\nlines", "a\tb"]:
        bot.send(json.dumps(sent(text), ensure_ascii=escaped).encode() + b"\n")
        look_around(*room)
        check_all(*room)
        bot.record(do="name", name="bot")
        bot.record(do="join", room="lobby")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028"])
def test_the_second_line_of_a_message_is_no_line_of_its_own_to_people(
    room: tuple[Client, Client, Client], end: str
) -> None:
    _, bob, bot = room
    bot.record(do="say", text=f"hello{end}alice: I am a fool")
    seen = "bot: hello\r\n    | alice: I am a fool" if "\n" in end else "bot: hello\ufffdalice: I am a fool"
    assert bob.take().decode() == f"{seen}\r\n"


# ---- telnet in the middle of a session ---------------------------------------------------------------------------

SESSION = b"".join(
    (
        IAC + WILL + NAWS + IAC + SB + NAWS + b"\0\x50\0\x18" + IAC + SE,
        b"/name al" + IAC + NOP + b"ice\r\n/jo" + IAC + DO + TIMING_MARK + b"in lobby\r\0",
        "hé".encode() + IAC + SB + TTYPE + b"\0xterm" + IAC + IAC + IAC + SE + "llo €😀\r\n".encode(),
        b"/m" + IAC + AYT + b"e waves\n" + IAC + DONT + b"\x01" + b"bye\r" + IAC + NOP + b"\n",
    )
)


@dataclass
class Heard:
    """What came of a stream of bytes: the lines and telnet's answers to who sent them, what two others saw, the end."""

    lines: list[str]
    telnet: bytes
    bob: list[str]
    bot: list[dict[str, Any]]
    open: bool
    abuse: bool


def conversation(packets: list[bytes], *, settle: bool = True, opened: bytes = b"") -> Heard:
    """Let somebody send these packets into a room where bob and a program listen, and close their half.

    Args:
        packets: As they come.
        settle: Everything happens that can between one packet and the next.
        opened: What was sent first, and what came of it forgotten.
    """
    world = World()
    bob, bot = world.person("bob", "lobby"), world.program("bot", "lobby")
    bob.take()
    client = world.connect()
    if opened:
        client.send(opened)
        for listener in (client, bob, bot):
            listener.take()
    for packet in filter(None, packets):  # an empty one never comes
        if client.open:
            put(client, packet)
            if settle:
                world.settle()
    world.pass_time(0.3)
    if client.open:
        client.finish()
    heard = read(client, bob, bot)
    world.close()
    return heard


def put(client: Client, data: bytes) -> None:
    """Deliver a packet, and let nothing else happen."""
    if client.transport.readable():
        client.transport.protocol.dataReceived(data)
    else:
        client.transport.unread += data


def read(client: Client, bob: Client, bot: Client) -> Heard:
    """Take all that was heard."""
    raw = client.take()
    program = raw.startswith(b"{")
    text = "" if raw.startswith((b"\x15", b"HTTP/1.1 ")) or program else text_of(raw)
    lines = text.split("\r\n")[:-1] if not program else [json.dumps(record) for record in records_of(raw)]
    return Heard(
        lines,
        b"".join(NEGOTIATION.findall(raw)),
        text_of(bob.take()).split("\r\n")[:-1],
        records_of(bot.take()),
        client.open,
        bool(lines) and "telnet" in lines[-1],
    )


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Return the data in packets of these sizes, the last of all that is left."""
    packets = []
    for size in sizes:
        packets.append(data[:size])
        data = data[size:]
    return [*packets, data]


@pytest.fixture(scope="module")
def whole() -> Heard:
    """What comes of the session in one packet."""
    return conversation([SESSION])


def test_telnet_commands_vanish_from_a_session(whole: Heard) -> None:
    said = ["alice: héllo €😀", "* alice waves", "alice: bye"]
    assert whole.bob == ["alice has joined the room.", *said]
    assert whole.lines[2:] == ["You are now alice.", "Welcome to room lobby!", "Current users: bob, bot, alice", *said]
    assert IAC + WONT + TIMING_MARK in whole.telnet


def test_a_session_may_be_cut_anywhere(whole: Heard) -> None:
    for i in range(1, len(SESSION)):
        assert conversation([SESSION[:i], SESSION[i:]]) == whole


def test_a_session_may_come_byte_by_byte(whole: Heard) -> None:
    assert conversation([SESSION[i : i + 1] for i in range(len(SESSION))]) == whole


@pytest.mark.parametrize("text", ["héllo", "€€", "😀😀😀", "日本語", "e\u0301", "\u05e9\u05dc\u05d5\u05dd"])
def test_utf_8_may_be_split_between_packets(world: World, text: str) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    data = text.encode() + b"\r\n"
    for i in range(1, len(data)):
        alice.send(data[:i])
        alice.send(data[i:])
        assert bob.lines() == [f"alice: {text}"]


@pytest.mark.parametrize("step", [1, 50, 257, 10_000])
def test_an_endless_subnegotiation_ends_the_connection(world: World, step: int) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.take()
    alice.send(IAC + SB + NEW_ENVIRON)
    for _ in range(300):
        if alice.open:
            alice.send(b"x" * step)
    assert NEGOTIATION.sub(b"", alice.take()) == b"Error: telnet subnegotiation too long.\r\n"
    assert not alice.open
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]


@pytest.mark.parametrize("command", [DO + b"\x03", WILL + b"\x18", AYT, DO + TIMING_MARK], ids=ascii)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_flood_of_negotiations_ends_the_connection(world: World, command: bytes, at_once: bool) -> None:
    alice = world.person("alice", "lobby")
    for packet in [(IAC + command) * 1000] if at_once else [IAC + command] * 1000:
        if alice.open:
            alice.send(packet)
    data = alice.take()
    assert data.endswith(b"Error: too many telnet negotiations.\r\n")
    assert len(data) < 1000
    assert not alice.open


def test_a_peer_that_answers_every_answer_is_left_talking_to_itself(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.send(IAC + DO + b"\x03")
    verbs = {DO: WILL, DONT: WONT, WILL: DO, WONT: DONT}
    rounds = 0
    while answers := NEGOTIATION.findall(alice.take()):
        rounds += 1
        assert rounds < 10
        alice.send(b"".join(IAC + verbs[answer[1:2]] + answer[2:] for answer in answers))
    alice.say("hello")
    assert alice.lines() == ["alice: hello"]


@pytest.mark.parametrize("code", range(236, 250))
def test_commands_are_taken_out_and_those_that_erase_do(world: World, code: int) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.send(b"hel" + bytes((255, code)) + b"lo\r\n")
    assert bob.lines() == [{247: "alice: helo", 248: "alice: lo"}.get(code, "alice: hello")]


def test_are_you_there_is_answered(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.send(IAC + AYT)
    assert YES in alice.take()


def test_what_the_environment_says_is_not_believed(world: World) -> None:
    client = world.connect()
    client.send(IAC + WILL + NEW_ENVIRON + IAC + SB + NEW_ENVIRON + b"\0\0USER\x01root\0ACCT\x01root" + IAC + SE)
    client.send(b"/who\r\n")
    text = text_of(client.take())
    assert "root" not in text
    assert "  guest-" in text


@pytest.mark.parametrize("data", [b"hello\xff\r\n", b"hel\xfflo\r\n", b"\xffhello\r\n", b"hello\r\n\xff"])
def test_a_lone_ff_is_no_text(world: World, data: bytes) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.send(data)
    assert bob.lines() == ["alice: hello"]
    assert alice.open


def test_a_lone_ff_at_the_end_of_all_is_no_text(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.send(b"hello\xff")
    alice.finish()
    assert bob.lines() == ["alice: hello"]
    assert not alice.open


def test_an_escaped_ff_is_a_byte_that_is_no_utf_8(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.send(b"hel\xff\xfflo\r\n")
    assert bob.lines() == ["alice: hel\ufffdlo"]


# ---- any bytes, cut anyhow ---------------------------------------------------------------------------------------

OPENED = b"/name alice\r\n/join lobby\r\n"


@pytest.mark.parametrize("context", [b"a%b", b"%", b"%%", b"\xff%b", b"\xff\xfd%b", b"\xff\xfa\x18%b\xff\xf0", b"\r%b"])
def test_every_byte_at_every_boundary(context: bytes) -> None:
    for value in range(256):
        data = context.replace(b"%", bytes((value,))) + b"\r\nend\r\n"
        heard = conversation([data], opened=OPENED)
        for i in range(1, data.index(b"\r\nend") + 3):
            assert conversation([data[:i], data[i:]], settle=False, opened=OPENED) == heard, (value, i)


WORDS = [
    *(b"/name ", b"/join ", b"/msg ", b"/me ", b"/away ", b"/who", b"/leave", b"/help ", b"/history ", b"/echo off"),
    *(b"CREATE_ROOM ", b"LEAVE_ROOM", b"message", b"who", b"leave", b"/search ", b"/ignore bob", b"/timestamps on"),
    *(b"alice", b"bob", b"lobby", b"den", b"hello", b"/", b"//", b" ", b"\0", b"\x07", b"\x1b[2J", b"\x1b]52;c;x\x07"),
    *(b"\r\n",) * 6,
    *(b"\n", b"\r\0", b"\r", "\u202e\u2066\ufeff\x9b".encode(), "é€😀".encode(), "z\u0301\u0301\u0301".encode()),
    *(IAC, IAC + NOP, IAC + DO, IAC + WILL + b"\0", IAC + SB + b"x" + IAC + SE, IAC + AYT, IAC + IAC, b"\xc3", b"\x80"),
    *(b"GET ", b"NICK ", b"\x16", b"{", b"/quit", b"/reply x", b"/set", b"/rooms", b"JOIN_ROOM ", b"exit"),
]
STREAMS = st.lists(st.sampled_from(WORDS) | st.binary(max_size=4), max_size=30).map(b"".join)
SIZES = st.lists(st.integers(1, 12), max_size=60)

anything = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def check_same(cut_up: Heard, whole: Heard, errors: Any) -> None:
    """Assert that packets made no difference, and that nothing went wrong."""
    assert not errors.events
    if whole.abuse or cut_up.abuse:  # the text before it in its packet is lost
        assert whole.abuse == cut_up.abuse
        return
    assert cut_up == whole


@anything
@given(STREAMS, SIZES)
@example(b"hello\r\n/foo\r\n", [3])
@example(b"/name alice\r\n/join lobby\r\nhello\r\n/quit\r\nmore\r\n", [30])
@example(b"NICK", [1, 1])
@example(b"\x16", [1])
@example(b"\xff\xfd\x06" * 70, [5] * 10)
def test_any_bytes_cut_anyhow_come_to_the_same(errors: Any, stream: bytes, sizes: list[int]) -> None:
    check_same(conversation(cut(stream, sizes), settle=False), conversation([stream], settle=False), errors)


@anything
@given(STREAMS, SIZES)
@example(b"hello\r\n/foo\r\n", [8])
def test_any_bytes_cut_anyhow_in_a_room_come_to_the_same(errors: Any, stream: bytes, sizes: list[int]) -> None:
    whole = conversation([stream], settle=False, opened=OPENED)
    check_same(conversation(cut(stream, sizes), settle=False, opened=OPENED), whole, errors)


@anything
@given(STREAMS, SIZES)
def test_time_between_the_packets_makes_no_difference_but_in_when_errors_come(
    errors: Any, stream: bytes, sizes: list[int]
) -> None:
    # A line that is refused is answered at once, one that is said when it is stored: with time between the packets
    # the answers come in the order of the lines.
    slow, quick = conversation(cut(stream, sizes), opened=OPENED), conversation([stream], opened=OPENED)
    if not (slow.abuse or quick.abuse):
        slow.lines.sort()
        quick.lines.sort()
    check_same(slow, quick, errors)


RECORDS = [
    *(b'{"do":"name","name":"alice"}\n', b'{"do":"join","room":"lobby"}\n', b'{"do":"leave"}\r\n', b'{"do":"who"}\n'),
    *(b'{"do":"say","text":"hello","ref":1}\n', b'{"do":"say","text":"\\u001b]52;\\u0007\\u202e","id":"x"}\n'),
    *(b'{"do":"message","user":"bob","text":"hi","ref":"r"}\n', b'{"do":"echo","on":false}\n', b'{"do":"help"}\n'),
    *(b'{"do":"nonsense","ref":2}\n', b'{"do":"say"}\n', b'{"do":"say","text":', b"[" * 12, b'{"x":' * 12),
    *(
        b'{"do":"',
        b'"ref":',
        b'"\\ud800"',
        b'"',
        b"\\",
        b"1e999",
        b"99999999999999999999",
        b"{",
        b"}",
        b"[",
        b",",
        b":",
    ),
    *(b"\n", b"\n", b"\r\n", b"\0", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b" ", b"null", b'{"do":"quit"}\n'),
]
RECORD_STREAMS = st.lists(st.sampled_from(RECORDS) | st.binary(max_size=4), max_size=25).map(b"".join)


@anything
@given(RECORD_STREAMS, SIZES)
def test_any_bytes_of_a_program_cut_anyhow_come_to_the_same(errors: Any, stream: bytes, sizes: list[int]) -> None:
    stream = b"{" + stream
    check_same(conversation(cut(stream, sizes), settle=False), conversation([stream], settle=False), errors)


@anything
@given(RECORD_STREAMS, SIZES)
def test_any_bytes_of_a_program_in_a_room_come_to_the_same(errors: Any, stream: bytes, sizes: list[int]) -> None:
    opened = b'{"do":"name","name":"alice"}\n{"do":"join","room":"lobby"}\n'
    whole = conversation([stream], settle=False, opened=opened)
    check_same(conversation(cut(stream, sizes), settle=False, opened=opened), whole, errors)
