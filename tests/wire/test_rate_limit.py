"""How fast lines may come: more are delayed, not lost."""

from __future__ import annotations

from fakes import MoodyEngine
from harness import World
from wire.framing import said

from chatroom.chat.limits import BYTES_A_SECOND, BYTES_BURST, LINES_BURST, LINES_WAITING

TOO_FAST = "Error: you are sending too fast."


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
