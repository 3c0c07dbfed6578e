"""Lines out of bytes, within bounds: too long, too many, too fast, too slow, half-closed and cut off."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from fakes import MoodyEngine, SocketClient, person_on_a_socket
from harness import Client, World

from chatroom.chat.limits import BYTES_A_SECOND, BYTES_BURST, LINES_BURST, LINES_WAITING, RECORD_BYTES, TEXT_BYTES

TOO_LONG = "Error: line too long (limit 4096 bytes)."
TOO_FAST = "Error: you are sending too fast."
MEGABYTE = 1_000_000


@pytest.fixture
def paced() -> Iterator[World]:
    """A server with the usual flood control."""
    with closing(World(rate=2.0)) as world:
        yield world


@pytest.fixture
def narrow() -> Iterator[World]:
    """A server that holds little for those who do not read."""
    with closing(World(send_queue=1000)) as world:
        yield world


def said(client: Client) -> list[str]:
    """Return what the client heard, without who said it."""
    return [line.partition(": ")[2] for line in client.lines()]


def held_back(client: Client) -> int:
    """Return how many bytes the server holds of what the client sent."""
    protocol = client.transport.protocol
    return len(protocol._buffer) + len(protocol._rest)


# ---- how long a line may be --------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\0"])
@pytest.mark.parametrize("start", [b"", b"/say ", b"/me "])
def test_a_line_of_4096_bytes_is_said(world: World, start: bytes, end: bytes) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    text = b"x" * (TEXT_BYTES - len(start))
    alice.send(start + text + end)
    (line,) = bob.lines()
    assert line.endswith(text.decode())
    assert alice.lines() == [line]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\0"])
@pytest.mark.parametrize("start", [b"", b"//", b"/say ", b"/me ", b"/away ", b"/foo "])
def test_a_line_of_4097_bytes_is_refused_once_and_the_next_one_works(world: World, start: bytes, end: bytes) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.send(start + b"x" * (TEXT_BYTES + 1 - len(start)) + end + b"hello" + end)
    assert alice.lines() == [TOO_LONG, "alice: hello"]
    assert bob.lines() == ["alice: hello"]


def test_a_line_is_too_long_by_its_bytes_not_its_characters(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.say("é" * 2048)
    alice.say("é" * 2048 + "e")
    assert alice.lines() == ["alice: " + "é" * 2048, TOO_LONG]


@pytest.mark.parametrize("size", [1, 7, 1000, 4095, 4096, 4097, 4098, 4099])
@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r\0"])
def test_packets_of_any_size_give_one_error_a_long_line(world: World, size: int, end: bytes) -> None:
    alice = world.person("alice", "lobby")
    data = (b"x" * (TEXT_BYTES + 3) + end + b"hello" + end) * 3
    for i in range(0, len(data), size):
        alice.send(data[i : i + size])
    assert alice.lines() == [TOO_LONG, "alice: hello"] * 3


def test_the_error_comes_before_the_end_of_the_line_does(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.send(b"x" * 5000)
    assert alice.lines() == [TOO_LONG]
    alice.send(b"x" * 5000)
    assert alice.lines() == []
    alice.send(b"\r\nhello\r\n")
    assert alice.lines() == ["alice: hello"]


def record_of(size: int, text: str) -> bytes:
    """Return a ``say`` of exactly that many bytes."""
    start = b'{"do":"say","text":"%s","pad":"' % text.encode()
    return start + b"x" * (size - len(start) - 2) + b'"}'


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_a_record_of_16_kib_is_read_and_one_byte_more_is_not(world: World, end: bytes) -> None:
    bot = world.program("bot", "lobby")
    bot.send(record_of(RECORD_BYTES, "fits") + end)
    assert [r["text"] for r in bot.records()] == ["fits"]
    bot.send(record_of(RECORD_BYTES + 1, "too much") + end + record_of(100, "next") + end)
    error, echo = bot.records()
    assert (error["event"], error["code"], error["text"]) == (
        "error",
        "too-long",
        "line too long (limit 16384 bytes).",
    )
    assert echo["text"] == "next"


@pytest.mark.parametrize("opening", [b"/name alice\r\n", b'{"do":"name","name":"alice"}\n'])
def test_100_mb_without_a_newline_take_no_memory(world: World, opening: bytes) -> None:
    alice = world.connect()
    alice.send(opening)
    alice.take()
    chunk = b"x" * 65_536
    protocol = alice.transport.protocol
    tracemalloc.start()
    for _ in range(100 * MEGABYTE // len(chunk) + 1):
        protocol.dataReceived(chunk)
        assert held_back(alice) < 2 * len(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEGABYTE
    assert len(alice.lines()) == 1
    alice.send(b"\n" + opening)
    assert "alice" in alice.lines()[0]


# ---- how fast lines may come -------------------------------------------------------------------------------------


def test_one_byte_a_second_makes_a_conversation(paced: World) -> None:
    bob = paced.person("bob", "lobby")
    alice = paced.connect()
    for byte in b"/name alice\r\n/join lobby\r\nhello\r\n":
        alice.send(bytes((byte,)))
        paced.pass_time(1)
    assert bob.lines() == ["alice has joined the room.", "alice: hello"]


def test_a_burst_goes_through_at_once_and_the_rest_at_two_a_second(paced: World) -> None:
    alice, bob = paced.person("alice", "lobby"), paced.person("bob", "lobby")
    paced.pass_time(60)
    alice.say(*map(str, range(30)))
    heard = said(bob)
    assert len(heard) == LINES_BURST
    for i in range(20):
        paced.pass_time(0.5)
        heard += said(bob)
        assert len(heard) == LINES_BURST + i + 1
    assert heard == [str(i) for i in range(30)]


def test_32_lines_wait_and_none_is_lost(paced: World) -> None:
    alice, bob = paced.person("alice", "lobby"), paced.person("bob", "lobby")
    paced.pass_time(60)
    alice.say(*map(str, range(LINES_BURST + LINES_WAITING)))
    for _ in range(LINES_WAITING):
        paced.pass_time(0.5)
    assert said(bob) == [str(i) for i in range(LINES_BURST + LINES_WAITING)]
    assert alice.open
    alice.say("still here")
    paced.pass_time(1)
    assert said(bob) == ["still here"]


def test_a_33rd_waiting_line_ends_the_connection(paced: World) -> None:
    alice, bob = paced.person("alice", "lobby"), paced.person("bob", "lobby")
    paced.pass_time(60)
    alice.say(*map(str, range(LINES_BURST + LINES_WAITING + 1)))
    assert alice.lines()[-1] == f"alice: {LINES_BURST - 1}" or not alice.open
    assert not alice.open
    alice.drop()
    assert bob.lines() == [*(f"alice: {i}" for i in range(LINES_BURST)), "alice has disconnected."]


def test_who_quits_with_the_last_of_the_budget_just_goes(paced: World) -> None:
    alice = paced.person("alice")
    paced.pass_time(60)
    alice.say(*("/hello",) * (LINES_BURST - 1), "/quit", *("more",) * 100)
    assert alice.lines() == [*("Hello, alice!",) * (LINES_BURST - 1), "Goodbye!"]
    assert not alice.open


def test_who_is_too_fast_is_told_so(paced: World) -> None:
    alice = paced.person("alice", "lobby")
    paced.pass_time(60)
    alice.say(*("hello",) * 100)
    assert TOO_FAST in alice.lines()
    assert not alice.open


def test_10000_lines_in_one_packet_do_not_keep_others_from_talking(paced: World) -> None:
    alice, bob, carol = (paced.person(name, "lobby") for name in ("alice", "bob", "carol"))
    paced.pass_time(60)
    for client in (bob, carol):
        client.lines()
    alice.send(b"flood\n" * 10_000)
    bob.say("excuse me")
    carol.say("yes?")
    assert said(bob) == said(carol) == ["flood"] * LINES_BURST + ["excuse me", "yes?"]
    assert not alice.open


def test_without_flood_control_10000_lines_in_one_packet_all_arrive_in_order(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.send(b"".join(b"%d\n" % i for i in range(10_000)))
    assert said(bob) == [str(i) for i in range(10_000)]


def test_refused_and_unknown_lines_are_counted_too(paced: World) -> None:
    alice = paced.person("alice")
    paced.pass_time(60)
    alice.say(*("/nonsense",) * 30)
    assert len(alice.lines()) == LINES_BURST


def test_programs_are_held_to_the_same_pace(paced: World) -> None:
    bot = paced.program("bot", "lobby")
    paced.pass_time(60)
    bot.send(b'{"do":"say","text":"x"}\n' * 30)
    assert len(bot.records()) == LINES_BURST
    for _ in range(5):
        paced.pass_time(0.5)
        assert len(bot.records()) == 1


def test_reading_stops_while_lines_wait_for_the_budget(paced: World) -> None:
    alice = paced.person("alice", "lobby")
    paced.pass_time(60)
    alice.say(*("hello",) * 12)
    assert not alice.transport.readable()
    for _ in range(4):
        paced.pass_time(0.5)
    assert alice.transport.readable()


def test_64_kb_may_come_at_once_and_10_kb_a_second_afterwards(paced: World) -> None:
    alice = paced.connect()
    alice.send(b"/name alice\r\n")
    paced.pass_time(60)
    alice.send(b"x" * (BYTES_BURST - 1))
    assert alice.transport.readable()
    alice.send(b"x" * BYTES_A_SECOND)
    assert not alice.transport.readable()
    paced.pass_time(0.9)
    assert not alice.transport.readable()
    paced.pass_time(0.2)
    assert alice.transport.readable()


def test_bytes_of_telnet_commands_count_as_well(paced: World) -> None:
    # They take more work than text does, and nothing else bounds the commands that are no negotiation.
    alice = paced.connect()
    alice.send(b"/name alice\r\n")
    paced.pass_time(60)
    alice.send(b"\xff\xf1" * BYTES_BURST)  # IAC NOP
    assert not alice.transport.readable()


def test_a_budget_of_bytes_in_debt_is_paid_off_before_more_is_read(paced: World) -> None:
    alice, bob = paced.person("alice", "lobby"), paced.person("bob", "lobby")
    paced.pass_time(60)
    alice.send(b"x" * (BYTES_BURST + 5 * BYTES_A_SECOND) + b"\nlate\n")
    assert bob.lines() == []
    paced.pass_time(4.9)
    assert bob.lines() == []
    paced.pass_time(0.2)
    assert bob.lines() == ["alice: late"]


def test_a_busy_session_is_not_read(moody: World, engine: MoodyEngine) -> None:
    alice = moody.person("alice")
    engine.holding = True
    alice.say("/join lobby")
    assert not alice.transport.readable()
    engine.let_go()
    moody.settle()
    assert alice.transport.readable()


# ---- half-close --------------------------------------------------------------------------------------------------


def test_what_stands_unfinished_at_a_half_close_is_a_line(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.send(b"one\ntwo")
    alice.finish()
    assert alice.lines() == ["alice: one", "alice: two"] == bob.lines()
    assert not alice.open
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]


def test_a_half_close_without_a_tail_just_ends(world: World) -> None:
    alice = world.person("alice", "lobby")
    alice.finish()
    assert alice.lines() == []
    assert not alice.open


def test_a_half_close_waits_for_a_message_under_way(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice", "lobby"), moody.person("bob", "lobby")
    alice.lines()
    engine.holding = True
    alice.send(b"last words")
    alice.finish()
    assert alice.open
    engine.let_go()
    assert alice.lines() == ["alice: last words"] == bob.lines()
    assert not alice.open


@pytest.mark.parametrize("line", ["/msg bob bye", "/reply bye"])
def test_a_half_close_waits_for_the_answer_to_a_private_message(world: World, line: str) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    bob.say("/msg alice psst")
    bob.lines()
    alice.lines()
    alice.send(line.encode())
    alice.finish()
    assert bob.lines() == ["alice (private): bye"]
    assert alice.lines() == ["To bob (private): bye"]
    assert not alice.open


@pytest.mark.parametrize(
    "record",
    [
        {"do": "say", "text": "hello", "id": "x", "ref": 1},  # said again: its first echo is the acknowledgement
        {"do": "say", "text": "unheard", "ref": 1},  # without echo "ok" is
        {"do": "message", "user": "bot", "text": "hello", "id": "y", "ref": 1},
        {"do": "message", "user": "bot", "text": "hello", "id": "z", "ref": 1},
        {"do": "who", "ref": 1},
    ],
    ids=["said again", "without echo", "private", "private again", "a question"],
)
def test_a_half_close_waits_for_the_acknowledgement(world: World, record: dict[str, Any]) -> None:
    bot = world.program("bot", "lobby")
    bot.record(do="say", text="hello", id="x")
    bot.record(do="message", user="bot", text="hello", id="z")
    bot.record(do="echo", on=False)
    bot.take()
    bot.send(json.dumps(record).encode())
    bot.finish()
    answers = [heard for heard in bot.records() if heard["event"] != "private"]
    assert [heard.get("re", heard.get("id")) for heard in answers] in ([1], ["x"])
    assert not bot.open


def test_a_half_close_waits_for_an_acknowledgement_that_must_be_looked_up(moody: World, engine: MoodyEngine) -> None:
    bot = moody.program("bot", "lobby")
    bot.record(do="say", text="hello", id="x")
    bot.record(do="join", room="den")
    bot.take()
    engine.slow = True
    bot.send(b'{"do":"say","text":"hello","id":"x"}')  # it was said in a room that nobody is in any more
    bot.finish()
    assert bot.open
    engine.let_go()
    assert [(heard["id"], heard["room"]) for heard in bot.records()] == [("x", "lobby")]
    assert not bot.open


def test_a_half_close_waits_for_a_command_and_does_what_follows(moody: World, engine: MoodyEngine) -> None:
    alice, bob = moody.person("alice"), moody.person("bob", "lobby")
    engine.holding = True
    alice.send(b"/join lobby\nhello\nbye")
    alice.finish()
    assert alice.open
    engine.let_go()
    assert bob.lines() == ["alice has joined the room.", "alice: hello", "alice: bye"]
    assert alice.lines()[-2:] == ["alice: hello", "alice: bye"]
    assert not alice.open


def test_a_half_close_while_lines_are_delayed_does_all_of_them_first(paced: World) -> None:
    alice, bob = paced.person("alice", "lobby"), paced.person("bob", "lobby")
    paced.pass_time(60)
    alice.send(b"\n".join(b"%d" % i for i in range(20)))
    alice.finish()
    assert alice.open
    for _ in range(12):
        paced.pass_time(0.5)
    assert said(bob) == [str(i) for i in range(20)]
    assert not alice.open


def test_a_half_close_in_the_middle_of_a_line_that_is_too_long(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.lines()
    alice.send(b"x" * 5000)
    alice.finish()
    assert alice.lines() == [TOO_LONG]
    assert bob.lines() == []
    assert not alice.open


def test_a_half_close_before_the_greeting_is_a_visit(world: World) -> None:
    visitor = world.connect()
    visitor.send(b"GE")
    visitor.finish()
    assert visitor.lines()[-1].startswith("Error: you are not in a room")
    assert not visitor.open


def test_a_program_may_half_close_too(world: World) -> None:
    bot = world.program("bot", "lobby")
    bot.send(b'{"do":"say","text":"bye","ref":7}')
    bot.finish()
    assert [r["text"] for r in bot.records()] == ["bye"]
    assert not bot.open


# ---- connections that end ----------------------------------------------------------------------------------------


def test_an_abrupt_end_frees_the_name_and_is_told_to_the_room(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]
    bob.say("/name alice")
    assert bob.lines() == ["You are now alice."]


def test_an_unfinished_line_is_not_said_by_who_is_cut_off(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    alice.send(b"I will tell you ever")
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]


def test_lines_that_wait_for_the_budget_are_not_said_by_who_is_cut_off(paced: World) -> None:
    alice, bob = paced.person("alice", "lobby"), paced.person("bob", "lobby")
    paced.pass_time(60)
    alice.say(*map(str, range(20)))
    alice.drop()
    for _ in range(12):
        paced.pass_time(0.5)
    assert bob.lines() == [*(f"alice: {i}" for i in range(LINES_BURST)), "alice has disconnected."]


# ---- readers that are broken, gone or slow -----------------------------------------------------------------------


def with_one_on_a_socket(world: World, others: int = 3) -> tuple[list[Client], SocketClient]:
    """Return some people in a room, and one among them on a socket of its own."""
    before = world.person("alice", "lobby")
    odd = person_on_a_socket(world, "odd", "lobby")
    people = [before, *(world.person(f"user{i}", "lobby") for i in range(others))]
    odd.take()
    for client in people:
        client.lines()
    return people, odd


def test_a_recipient_that_raises_does_not_stop_the_others(world: World, errors: object) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.failure = RuntimeError("a bug")
    people[0].say("hello")
    for client in people:
        assert client.lines() == ["alice: hello"]
    errors.expect(RuntimeError)  # type: ignore[attr-defined]
    odd.socket.failure = None


@pytest.mark.parametrize("error", [ConnectionResetError, BrokenPipeError])
def test_a_reset_in_the_middle_of_a_fan_out_is_noticed_by_nobody(world: World, error: type[OSError]) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.failure = error()
    people[0].say("hello")
    odd.drop()
    people[0].say("again")
    for client in people:
        assert client.lines() == ["alice: hello", "odd has disconnected.", "alice: again"]


def test_a_connection_that_ends_while_it_is_written_to_disturbs_nobody(world: World) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.before = odd.transport.end
    people[0].say("hello")
    people[-1].say("again")
    for client in people:
        heard = client.lines()
        assert heard[0] == "alice: hello"
        assert sorted(heard[1:]) == ["odd has disconnected.", "user2: again"]


def test_a_slow_reader_gets_everything_in_order_once_it_reads(world: World) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.room = 5
    for i in range(100):
        people[i % 3].say(str(i))
    assert bytes(odd.socket.taken) == b"alice"
    for _ in range(200):
        odd.transport.make_room(9)
    assert said(odd) == [str(i) for i in range(100)]
    people[0].say("and now at once")
    assert said(odd) == ["and now at once"]


def test_a_reader_that_is_too_slow_is_dropped_and_the_others_hear_everything(narrow: World) -> None:
    people, odd = with_one_on_a_socket(narrow)
    odd.socket.room = 0
    for i in range(50):
        people[0].say(f"{i} " + "x" * 50)
    assert odd.transport.aborted
    for client in people:
        heard = client.lines()
        assert "odd has disconnected." in heard
        heard.remove("odd has disconnected.")
        assert [line.split()[1] for line in heard] == [str(i) for i in range(50)]


def test_what_is_held_for_a_slow_reader_stays_within_the_bound(narrow: World) -> None:
    people, odd = with_one_on_a_socket(narrow)
    odd.socket.room = 0
    for _ in range(9):
        people[0].say("x" * 90)
    assert not odd.transport.aborted
    people[0].say("x" * 90, "x" * 90)
    assert odd.transport.aborted


def test_a_slow_program_is_held_four_times_as_much(narrow: World) -> None:
    slow = SocketClient(narrow)
    slow.record(do="join", room="lobby")
    quick = narrow.program("quick", "lobby")
    alice = narrow.person("alice", "lobby")
    slow.take()
    quick.take()
    slow.socket.room = 0
    held = 0
    while held + (size := talk(alice, quick)) <= 4000:
        held += size
        assert not slow.transport.aborted
    assert slow.transport.aborted


def talk(alice: Client, quick: Client) -> int:
    """Let alice say something; return how long a record of it is."""
    alice.say("x" * 300)
    return len(quick.take().partition(b"\r\n")[0]) + 2


@pytest.mark.parametrize("room", [0, 1, 10, 100])
def test_what_is_held_is_sent_before_the_connection_is_closed(world: World, room: int) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.room = room
    for i in range(10):
        people[0].say(str(i))
    odd.say("/quit")
    assert odd.transport.connected
    odd.transport.make_room()
    assert odd.lines() == [*(f"alice: {i}" for i in range(10)), "Goodbye!"]
    assert not odd.transport.connected


def test_who_never_takes_the_last_words_is_cut_off(world: World) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.room = 0
    people[0].say("hello")
    odd.say("/quit")
    world.pass_time(10)
    world.pass_time(10)
    assert odd.transport.aborted


def test_the_server_stopping_sends_what_is_held_first(world: World) -> None:
    people, odd = with_one_on_a_socket(world)
    odd.socket.room = 3
    people[0].say("hello")
    world.factory.stop()
    assert odd.transport.connected
    odd.transport.make_room()
    assert odd.lines() == ["alice: hello"]
    assert not odd.transport.connected


# ---- a log that cannot keep up -----------------------------------------------------------------------------------


def test_while_the_log_is_pressed_nobody_is_read_and_nothing_is_lost(world: World) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    world.engine.on_pressure(True)
    late = world.person()
    alice.say("one", "two")
    late.say("/join lobby")
    assert bob.lines() == []
    world.engine.on_pressure(False)
    world.settle()
    assert sorted(bob.lines()) == sorted(["alice: one", "alice: two", f"{guest_of(late)} has joined the room."])


def guest_of(client: Client) -> str:
    """Return the name of somebody who has not chosen one."""
    name: str = client.transport.protocol._session.name
    return name


@pytest.mark.parametrize("ending", [Client.drop, Client.finish])
def test_an_end_while_the_log_is_pressed_is_an_end(world: World, ending: Callable[[Client], None]) -> None:
    alice, bob = world.person("alice", "lobby"), world.person("bob", "lobby")
    world.engine.on_pressure(True)
    ending(alice)
    world.engine.on_pressure(False)
    world.settle()
    assert not alice.open
    alice.drop()
    assert bob.lines() == ["alice has disconnected."]
