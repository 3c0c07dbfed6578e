"""Who comes to the port: told apart by their first bytes, counted by address, and looked after while silent."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from harness import Client, World

from chatroom.wire.connection_limits import NEW, WINDOW
from chatroom.wire.detect import OPENINGS, PERSON, opening_of
from chatroom.wire.reject import LINGER

HTTP_VERBS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "CONNECT", "TRACE", "PRI *")
IRC_WORDS = ("NICK", "CAP", "PASS", "USER")
GREETING = "Welcome to chatroom. You are guest-"
TOO_MANY = "Error: too many connections from your address; try again later."
FULL = "Error: the chat is full (max users 2)."
HOST = "203.0.113.5"


def greeted(client: Client) -> bool:
    """Whether the client was greeted since the last time, before anything else."""
    lines = client.lines()
    return len(lines) >= 2 and lines[0].startswith(GREETING) and "/join <room>" in lines[1]


def byte_by_byte(client: Client, data: bytes) -> None:
    for byte in data:
        client.send(bytes((byte,)))


# ---- openings ----------------------------------------------------------------------------------------------------


def test_who_says_nothing_for_a_quarter_of_a_second_is_greeted(world: World) -> None:
    client = world.connect()
    world.pass_time(0.24)
    assert client.take() == b""
    world.pass_time(0.02)
    assert greeted(client)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("verb", HTTP_VERBS)
def test_http_is_answered_in_http_and_closed(world: World, verb: str, whole: bool) -> None:
    client = world.connect()
    request = f"{verb} / HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    if whole:
        client.send(request)
    else:
        byte_by_byte(client, request)
    head, _, body = client.take().partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    assert status == b"HTTP/1.1 501 Not Implemented"
    assert b"Content-Length: %d" % len(body) in fields
    assert client.transport.write_closed


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("word", IRC_WORDS)
def test_irc_is_answered_in_irc_and_closed(world: World, word: str, whole: bool) -> None:
    client = world.connect()
    line = f"{word} something\r\n".encode()
    if whole:
        client.send(line)
    else:
        byte_by_byte(client, line)
    (error,) = client.lines()
    assert error.startswith("ERROR :")
    assert client.transport.write_closed


@pytest.mark.parametrize("whole", [True, False])
def test_a_brace_opens_the_records(world: World, whole: bool) -> None:
    client = world.connect()
    hello = b'{"do":"hello","version":1,"name":"bot"}\n'
    if whole:
        client.send(hello)
    else:
        byte_by_byte(client, hello)
    (welcome,) = client.records()
    assert (welcome["event"], welcome["you"]) == ("welcome", "bot")


def test_a_program_is_greeted_with_nothing(world: World) -> None:
    client = world.connect()
    client.send(b"{")
    world.pass_time(1)
    assert client.take() == b""


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("line", ["/name alice", "GET", "NICKNAME", "CAPS", "get /", "PUTTING", "P", "hello", ""])
def test_a_person_who_speaks_first_is_greeted_and_then_answered(world: World, line: str, whole: bool) -> None:
    client = world.connect()
    data = line.encode() + b"\r\n"
    if whole:
        client.send(data)
    else:
        byte_by_byte(client, data)
    greeting, help_, *answers = client.lines()
    assert greeting.startswith(GREETING)
    assert "/join <room>" in help_
    assert len(answers) == (1 if line else 0)
    assert client.open


@pytest.mark.parametrize("prefix", [b"G", b"GET", b"NIC", b"PASS", b"PRI *", b"OPTIONS", b"C"])
def test_an_undecided_prefix_and_then_silence_is_a_person(world: World, prefix: bytes) -> None:
    client = world.connect()
    client.send(prefix)
    world.pass_time(0.2)
    assert client.take() == b""
    world.pass_time(0.1)
    assert greeted(client)
    client.send(b" lobby\r\n")
    assert client.lines() == ["Error: you are not in a room; join one with /join <room>."]


@pytest.mark.parametrize("whole", [True, False])
def test_a_program_that_comes_too_late_and_was_greeted_still_speaks_records(world: World, whole: bool) -> None:
    client = world.connect()
    world.pass_time(1)
    assert greeted(client)
    hello = b'{"do":"hello","version":1,"name":"bot","x":"%s"}\n' % (b"x" * 5000)  # no line for a person
    if whole:
        client.send(hello)
    else:
        byte_by_byte(client, hello)
    (welcome,) = client.records()
    assert (welcome["event"], welcome["you"]) == ("welcome", "bot")
    client.send(b'{"do":"say","text":"\xff"}\n')
    assert [record["code"] for record in client.records()] == ["bad-record"]
    wait(world, 90)
    assert client.records() == [{"event": "ping"}]


def test_a_brace_that_is_not_the_first_byte_is_a_persons(world: World) -> None:
    client = world.connect()
    world.pass_time(1)
    client.send(b"h")
    client.send(b'{"do":"who"}\r\n')
    client.send(b'{"do":"who"}\r\n')
    assert client.lines()[2:] == ["Error: you are not in a room; join one with /join <room>."] * 2


def test_what_came_before_the_greeting_is_not_lost(world: World) -> None:
    client = world.connect()
    client.send(b"CREA")
    world.pass_time(0.3)
    assert greeted(client)
    client.send(b"TE_ROOM lobby\r\n")
    assert client.lines()[0] == "Room lobby created."


def test_a_telnet_client_that_negotiates_at_once_is_a_person(world: World) -> None:
    client = world.connect()
    client.send(b"\xff\xfd\x03\xff\xfb\x18")
    data = client.take()
    assert b"Welcome to chatroom." in data
    assert b"\xff\xfc\x03" in data  # WONT SUPPRESS-GO-AHEAD


def test_every_first_byte_is_somebodys_or_undecided(world: World) -> None:
    for value in range(256):
        client = world.connect()
        client.send(bytes((value,)))
        world.pass_time(0.3)
        client.send(b"\r\n")
        client.take()
        client.drop()


def test_what_decides_does_not_depend_on_the_packets() -> None:
    for opening in OPENINGS:
        for prefix in opening.prefixes:
            decided = [opening_of(prefix[:i]) for i in range(1, len(prefix) + 1)]
            assert decided == [None] * (len(prefix) - 1) + [opening]
            assert opening_of(prefix + b"more") is opening
            assert opening_of(prefix[:-1] + b"\0") is PERSON


def test_what_is_said_to_who_is_turned_away_is_not_lost_by_what_they_still_send(world: World) -> None:
    client = world.connect()
    client.send(b"GET / HTTP/1.1\r\n")
    answer = client.take()
    client.send(b"x" * 100_000)
    assert client.take() == b""
    assert not client.transport.aborted
    assert answer.startswith(b"HTTP/1.1 501")


def test_who_is_turned_away_and_goes_is_gone(world: World) -> None:
    client = world.connect()
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    client.drop()
    world.pass_time(LINGER * 2)
    assert not client.transport.aborted


def test_who_is_turned_away_and_half_closes_still_gets_the_answer(world: World) -> None:
    client = world.connect()
    client.send(b"GET / HTTP/1.1\r\n\r\n")
    client.finish()
    assert client.transport.connected  # until all is sent
    assert client.transport.disconnecting
    assert client.take().startswith(b"HTTP/1.1 501")


def test_who_goes_before_a_word_is_gone(world: World) -> None:
    world.connect().drop()
    world.pass_time(1)
    assert not world.chat.sessions


# ---- one too many ------------------------------------------------------------------------------------------------


@pytest.fixture
def small() -> Iterator[World]:
    """A server with two seats."""
    with closing(World(most_users=2)) as world:
        yield world


def test_one_too_many_is_told_so_and_closed(small: World) -> None:
    small.person("alice")
    small.person("bob")
    carol = small.connect()
    small.pass_time(0.3)
    assert carol.lines() == [FULL]
    assert carol.transport.write_closed
    small.pass_time(LINGER)
    assert carol.transport.aborted


def test_a_program_too_many_is_told_so_in_a_record(small: World) -> None:
    small.person("alice")
    small.person("bob")
    bot = small.connect()
    bot.record(do="hello", version=1)
    (error,) = bot.records()
    assert (error["event"], error["code"]) == ("error", "chat-full")
    assert bot.transport.write_closed


def test_a_seat_is_free_again_when_somebody_has_gone(small: World) -> None:
    alice = small.person("alice")
    small.person("bob")
    alice.drop()
    carol = small.person("carol")
    carol.say("/who")
    assert carol.lines() == ["Users online (2):", "  bob", "  carol"]


def test_who_is_refused_takes_no_seat(small: World) -> None:
    small.person("alice")
    for _ in range(5):
        small.connect().send(b"GET / HTTP/1.1\r\n\r\n")
    bob = small.person("bob")
    bob.say("hi")
    assert bob.lines() == ["Hello, bob!"]


def test_10000_connects_and_closes_leave_nothing_behind() -> None:
    with closing(World(per_address=16)) as world:
        for i in range(10_000):
            client = Client(world, f"198.51.{i % 250}.{i // 250}")
            client.transport.protocol.dataReceived((b"/name alice\n", b"{", b"\x16", b"G")[i % 4])
            client.transport.end()
        world.settle()
        assert not world.chat.sessions
        assert not world.factory.connections
        assert not world.chat.who()
        assert not world.chat.names._by_folded
        assert not world.chat.names._by_look
        assert not world.factory._addresses._taken
        assert not world.factory._addresses.connections
        assert not world.factory.handshakes._places
        world.pass_time(WINDOW + 1)
        wait(world, 20)
        assert not world.factory._addresses._new._times
        assert not world.factory.handshakes._begun._times


# ---- by address --------------------------------------------------------------------------------------------------


@pytest.fixture
def counting() -> Iterator[World]:
    """A server that counts connections by address, 16 at a time."""
    with closing(World(per_address=16)) as world:
        yield world


def admitted(client: Client) -> bool:
    """Whether the client may stay."""
    return TOO_MANY not in client.lines()


def wait(world: World, seconds: float) -> None:
    """Let time pass in steps, for the server looks around every ten seconds."""
    for _ in range(round(seconds / 10)):
        world.pass_time(10)


@pytest.mark.parametrize(
    "hosts",
    [
        [HOST] * 17,
        ["2001:db8:1:2::1"] * 17,
        [f"2001:db8:1:2:{i:x}::{i:x}" for i in range(17)],
        [f"fe80::{i:x}%eth0" for i in range(17)],
        [f"::ffff:{HOST}", HOST] * 8 + [HOST],
        ["::ffff:203.0.113.5", "::FFFF:CB00:7105"] * 8 + [HOST],
    ],
    ids=["IPv4", "IPv6", "one /64", "link-local", "mapped", "mapped twice"],
)
def test_sixteen_at_a_time_from_one_address(counting: World, hosts: list[str]) -> None:
    assert [admitted(counting.connect(host)) for host in hosts] == [True] * 16 + [False]


def test_the_seventeenth_is_told_why_and_closed(counting: World) -> None:
    for _ in range(16):
        counting.connect(HOST)
    client = counting.connect(HOST)
    assert client.lines() == [TOO_MANY]
    assert client.transport.write_closed
    counting.pass_time(LINGER)
    assert client.transport.aborted


@pytest.mark.parametrize(
    "hosts",
    [
        [f"203.0.113.{i}" for i in range(40)],
        [f"2001:db8:1:{i:x}::1" for i in range(40)],
        ["127.0.0.1"] * 40,
        ["127.8.9.10"] * 40,
        ["::1"] * 40,
        ["::ffff:127.0.0.1"] * 40,
        ["/run/chat.sock"] * 40,
        [""] * 40,
    ],
    ids=["IPv4", "IPv6", "loopback", "another loopback", "IPv6 loopback", "mapped loopback", "a path", "nothing"],
)
def test_these_are_not_counted_together(counting: World, hosts: list[str]) -> None:
    assert all(admitted(counting.connect(host)) for host in hosts)


@pytest.mark.parametrize("opening", [b"", b"/name alice\r\n", b"{", b"GET / HTTP/1.1\r\n\r\n"])
def test_a_place_is_free_again_when_a_connection_has_ended(counting: World, opening: bytes) -> None:
    clients = [counting.connect(HOST) for _ in range(16)]
    if opening:
        clients[3].send(opening)
    assert not admitted(counting.connect(HOST))
    clients[3].drop()
    assert admitted(counting.connect(HOST))
    assert not admitted(counting.connect(HOST))


def test_who_was_refused_frees_no_place(counting: World) -> None:
    for _ in range(16):
        counting.connect(HOST)
    for _ in range(3):
        client = counting.connect(HOST)
        assert not admitted(client)
        client.drop()


def test_so_many_new_ones_in_ten_minutes(counting: World) -> None:
    for _ in range(NEW):
        client = counting.connect(HOST)
        assert admitted(client)
        client.drop()
    assert not admitted(counting.connect(HOST))
    assert admitted(counting.connect("203.0.113.6"))
    counting.pass_time(WINDOW - 1)
    assert not admitted(counting.connect(HOST))
    counting.pass_time(2)
    assert admitted(counting.connect(HOST))


def test_ten_minutes_are_counted_from_each_connection(counting: World) -> None:
    for _ in range(NEW):
        counting.connect(HOST).drop()
        counting.pass_time(4)
    counting.pass_time(WINDOW - NEW * 4 + 1)
    client = counting.connect(HOST)
    assert admitted(client)  # the first has been forgotten ...
    client.drop()
    assert not admitted(counting.connect(HOST))  # ... and the second not yet


def test_zero_turns_the_count_off() -> None:
    with closing(World(per_address=0)) as world:
        assert all(admitted(world.connect(HOST)) for _ in range(100))


def test_who_stays_for_long_and_fills_an_address_does_not_stop_the_rounds(counting: World) -> None:
    # Ten minutes after the last of 16 came its address has nothing recent; the 17th is refused all the same, and the
    # server must go on looking after everybody.
    for _ in range(16):
        counting.connect(HOST).send(b"/who\r\n")
    wait(counting, WINDOW + 20)
    assert not admitted(counting.connect(HOST))
    wait(counting, 20)
    bot = counting.program("bot")
    wait(counting, 100)
    assert [record["event"] for record in bot.records()] == ["ping"]


# ---- silence -----------------------------------------------------------------------------------------------------


def quiet(seconds: int) -> str:
    return f"you sent nothing for {seconds} seconds."


def test_a_person_has_two_minutes_for_the_first_word(world: World) -> None:
    client = world.connect()
    wait(world, 110)
    assert greeted(client)
    wait(world, 20)
    assert client.lines() == [f"Error: {quiet(120)}"]
    assert not client.open


def test_a_person_who_has_said_a_word_may_listen_for_ever(world: World) -> None:
    alice = world.person("alice", "lobby")
    wait(world, 2000)
    assert alice.lines() == []
    alice.say("hello")
    assert alice.lines() == ["alice: hello"]


def test_telnet_commands_are_no_word(world: World) -> None:
    client = world.connect()
    client.send(b"\xff\xf1")  # IAC NOP
    wait(world, 130)
    assert client.take().endswith(f"Error: {quiet(120)}\r\n".encode())


def test_a_program_has_thirty_seconds_for_the_first_record(world: World) -> None:
    bot = world.connect()
    bot.send(b"{")
    wait(world, 20)
    assert bot.take() == b""
    wait(world, 20)
    (error,) = bot.records()
    assert (error["event"], error["code"], error["text"]) == ("error", "too-quiet", quiet(30))
    assert not bot.open


def test_a_silent_program_is_pinged_and_then_dropped(world: World) -> None:
    bot = world.program("bot", "lobby")
    alice = world.person("alice", "lobby")
    bot.records()
    wait(world, 80)
    assert bot.take() == b""
    wait(world, 10)
    assert bot.records() == [{"event": "ping"}]
    wait(world, 50)
    assert bot.open
    wait(world, 10)
    (error,) = bot.records()
    assert (error["code"], error["text"]) == ("too-quiet", quiet(150))
    assert not bot.open
    wait(world, 20)  # it never closes its own side
    assert bot.transport.aborted
    assert alice.lines() == ["bot has disconnected."]


@pytest.mark.parametrize("sign", [b'{"do":"pong"}\n', b"\n", b'{"do":"who"}\n', b"x"])
def test_any_sign_of_life_keeps_a_program(world: World, sign: bytes) -> None:
    bot = world.program("bot", "lobby")
    for _ in range(5):
        wait(world, 140)
        bot.send(sign)
    assert bot.open
    assert bot.take().count(b'"ping"') == 5


def test_pong_is_answered_with_nothing(world: World) -> None:
    bot = world.program("bot")
    bot.record(do="pong")
    assert bot.take() == b""
    bot.record(do="pong", ref=1)
    assert bot.records() == [{"event": "ok", "re": 1}]


def test_a_person_is_not_pinged(world: World) -> None:
    alice = world.person("alice", "lobby")
    wait(world, 200)
    assert alice.take() == b""
    assert alice.open
